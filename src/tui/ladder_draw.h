/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ladder on a page: a column of times, the client's lane, the gateway's line, and the
 * backend's lane - one for all attempts, or one for each where there is room.
 */
#ifndef TUI_LADDER_DRAW_H
#define TUI_LADDER_DRAW_H

#include "sink/ladder.h"
#include "tui/canvas.h"

#define LANES_TIME_W 12
#define LANES_MAX    4 /* attempts with a lane of their own */

struct lanes {
	int client_x, client_w; /* arrows between client and gateway */
	int gateway_x;
	size_t n; /* backend lanes; 1: the attempts take turns in it */
	int backend_x[LANES_MAX], backend_w;
	int note_x, note_w; /* note_w 0: notes get a line of their own */
};

/* A line of the ladder: a row, or the note below it. */
struct ladder_line {
	size_t row;
	bool is_note;
};

void lanes_lay(struct lanes *out, int cols, size_t nattempts);
size_t lanes_lines(struct ladder_line *out, size_t max, const struct ladder *l,
		   const struct lanes *ln);
void lanes_draw_heads(struct canvas *c, int y, const struct lanes *ln, const struct finding *f);
/* What every line has: the gateway's. */
void lanes_draw_lines(struct canvas *c, int y, const struct lanes *ln);
void lanes_draw_row(struct canvas *c, int y, const struct lanes *ln, const struct ladder_row *r);
void lanes_draw_note(struct canvas *c, int y, const struct lanes *ln, const struct ladder_row *r);

#endif
