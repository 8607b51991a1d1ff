/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the first screen; view_main.c says where each one goes. */
#ifndef TUI_MAIN_PARTS_H
#define TUI_MAIN_PARTS_H

#include "tui/canvas.h"
#include "tui/model.h"
#include "tui/ui.h"

/* Where things are; a height of 0: left out. */
struct main_layout {
	int history_y, verdict_y, next_y; /* 0: left out */
	int next_h;
	int panel_y, panel_h; /* frame included */
	int filter_y;
	int head_y, list_y, list_h;
};
/* Lines the next step takes: 0, 1 or 2. */
int main_next_height(const struct snapshot *s, const struct ui *ui);
void main_layout(struct main_layout *out, const struct model *m, const struct ui *ui);

void main_draw_history(struct canvas *c, int y, const struct snapshot *s);
void main_draw_verdict(struct canvas *c, const struct main_layout *lay, const struct model *m);
/* What the panel ranks: with a filter what that leaves, else all. */
const struct group_rank *main_why(const struct snapshot *s);
void main_draw_why(struct canvas *c, int y, int h, const struct model *m, const struct ui *ui);
/* What is being watched, before anything is wrong. Its height where there is room. */
int main_watching_height(const struct snapshot *s);
void main_draw_watching(struct canvas *c, int y, int h, const struct model *m);

#endif
