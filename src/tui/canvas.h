/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page views draw on: a grid of cells, each one character wide and one style.
 * screen.c copies it to the terminal; canvas_write() prints it as text, so a screen
 * can be compared in a test without a terminal.
 *
 * Every string that reaches the screen passes canvas_text() or canvas_wire(): they
 * clip, and nothing but single-width printable characters ever becomes a cell.
 */
#ifndef TUI_CANVAS_H
#define TUI_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum style {
	STYLE_NORMAL,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_BAR,     /* title line */
	STYLE_BAR_BAD, /* in the title line: lost records, 502s */
	STYLE_BAR_GOOD,
	STYLE_HEAD, /* column headings */
	STYLE_HEAD_SORT,
	STYLE_BAD,
	STYLE_WARN,
	STYLE_GOOD,
	STYLE_INFO, /* addresses, arrows */
	STYLE_FRAME,
	STYLE_DECISIVE, /* the packet that decided, also without colours */
	STYLE_CURSOR,	/* the row the keys act on */
	STYLE_MARKED,	/* rows that were selected */
	STYLE_KEY,	/* key name in the footer */
	STYLE_KEY_TEXT,
	STYLE_MAX,
};

struct cell {
	uint32_t ch;
	uint8_t style;
};

struct canvas {
	int cols, rows;
	bool ascii; /* draw lines and marks with ASCII characters */
	struct cell *cells;
};

int canvas_init(struct canvas *c, int cols, int rows, bool ascii);
void canvas_fini(struct canvas *c);
void canvas_clear(struct canvas *c);
const struct cell *canvas_at(const struct canvas *c, int y, int x);

/* Our own text (UTF-8, single-width). At most w columns; what does not fit ends in an
 * ellipsis. Returns the columns used. */
int canvas_text(struct canvas *c, int y, int x, int w, enum style st, const char *s);
int canvas_printf(struct canvas *c, int y, int x, int w, enum style st, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
/* Ends at column x + w. */
int canvas_right(struct canvas *c, int y, int x, int w, enum style st, const char *s);
/* Bytes from the wire: whatever is not printable ASCII shows as \xNN. */
int canvas_wire(struct canvas *c, int y, int x, int w, enum style st, const char *s);

void canvas_fill(struct canvas *c, int y, int x, int w, enum style st, uint32_t ch);
/* Changes the style of w cells and leaves their characters. */
void canvas_restyle(struct canvas *c, int y, int x, int w, enum style st);
/* A frame with a title in its upper edge. */
void canvas_box(struct canvas *c, int y, int x, int h, int w, const char *title);

/* Columns a string of ours takes. */
int canvas_width(const char *s);
/* Takes the words of *s that fit w columns into out (cap bytes) and advances *s;
 * false when nothing is left. */
bool canvas_wrap(const char **s, int w, char *out, size_t cap);

/* Rows as lines of text, blanks at their ends cut, UTF-8. */
int canvas_write(const struct canvas *c, FILE *to);
/* One character as UTF-8 into out (at least 5 bytes); its length. */
size_t canvas_utf8(uint32_t ch, char *out);

#endif
