/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One engine for every view that is a list: which columns fit, the order of the rows,
 * the cursor, scrolling, drawing, and what a mouse hit. A view says what its columns
 * and rows are in a const struct list_ops; its state (struct list) is in struct ui.
 *
 * Rows are borrowed from the model's snapshot and looked up anew for each drawing. The
 * cursor is held by the row's id, not by its place.
 */
#ifndef TUI_LIST_H
#define TUI_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/canvas.h"
#include "tui/keys.h"

struct model;
struct ui;

#define LIST_COLUMNS_MAX 32
#define LIST_CELL_MAX	 600
#define LIST_EXTRA	 5 /* columns from this rank on only come where there is plenty of room */
/* Rows that are sorted by something else than their own order: of more, the last ones. A
 * sort has to fit between two frames. */
#define LIST_SORT_MAX	 50000

struct list_column {
	const char *title, *help; /* help: in the column menu */
	/* Where not all fit, the highest rank goes first; 0 stays. */
	uint8_t rank;
	/* Width; want: before anything else grows; max 0: takes what is left. */
	uint16_t min, want, max;
	uint16_t ample; /* or 0: what it would rather have than columns beside it of LIST_EXTRA */
	bool right;	/* numbers */
	bool is_off;	/* until chosen in the column menu */
	bool descends;	/* sorted by it, the largest comes first */
	void (*text)(char *out, size_t cap, const void *row, const struct model *m);
	int (*compare)(const void *a, const void *b);
	enum style (*style)(const void *row, const char *text); /* NULL: normal */
	/* How wide it can use to be, up to max; NULL: max. Not from the rows on the screen: it must
	 * not change while scrolling. */
	int (*used)(const struct model *m);
};

struct list_ops {
	const char *title; /* "Upstreams" */
	const char *empty; /* what an empty list says */
	const struct list_column *columns;
	size_t ncolumns;
	/* Column and direction at the start. */
	size_t sort;
	/* The column in whose rising order the rows come, or -1. Sorting by it costs nothing, and
	 * the cursor can follow the newest row, which is the last. */
	int natural;
	size_t (*count)(const struct model *m);
	const void *(*row)(const struct model *m, size_t i);
	uint64_t (*id)(const void *row);
	/* Where the lines of the list are; NULL: the whole page below the title. */
	void (*area)(const struct model *m, const struct ui *ui, int *y, int *h);
	/* The row is selected; NULL: rows of this list cannot be. */
	bool (*is_marked)(const struct ui *ui, const void *row);
	/* A style for the whole row, or STYLE_NORMAL: each column's own. */
	enum style (*row_style)(const void *row);
};

struct list {
	size_t row, top; /* in the order shown */
	uint64_t id;	 /* of the row under the cursor */
	bool has_id, follow;
	size_t sort;
	bool inverse, is_resorted;
	uint32_t off;	  /* bit per column */
	uint32_t chosen;  /* turned on by hand: kept longer than its rank says */
	uint32_t fits;	  /* what the width leaves of them */
	uint32_t *order;  /* of rows; NULL: their own */
	size_t n, first;  /* rows shown; and where they begin, if not all are sorted */
	uint64_t version; /* of the snapshot this order was made from */
	int y, h;	  /* first line and number of lines; headings are above */
};

void list_init(struct list *l, const struct list_ops *ops);
void list_fini(struct list *l);

/* After a change of data, size or order: puts rows in order, brings the cursor into range. */
void list_sync(struct list *l, const struct list_ops *ops, const struct model *m,
	       const struct ui *ui);
/* Moves, sorts. False: the action is none of a list's. */
bool list_act(struct list *l, const struct list_ops *ops, const struct model *m, enum action a);
void list_sort_by(struct list *l, const struct list_ops *ops, size_t column);
void list_toggle_column(struct list *l, const struct list_ops *ops, size_t column);
void list_go(struct list *l, const struct list_ops *ops, const struct model *m, size_t row);
/* The row with this id becomes that of the cursor, if it is listed. */
void list_hold(struct list *l, const struct list_ops *ops, const struct model *m, uint64_t id);

/* Row i in the order shown; NULL past the end. */
const void *list_row(const struct list *l, const struct list_ops *ops, const struct model *m,
		     size_t i);
const void *list_current(const struct list *l, const struct list_ops *ops, const struct model *m);
bool list_follows(const struct list *l, const struct list_ops *ops);

/* ---- list_draw.c ---- */

/* Bits of the columns that fit so many cells. */
uint32_t list_fitting(const struct list *l, const struct list_ops *ops, int cols);
/* Width of each column, 0: not shown. */
void list_widths(int w[LIST_COLUMNS_MAX], const struct list *l, const struct list_ops *ops,
		 const struct model *m, int cols);
/* The column at x, or -1. */
int list_column_at(const struct list *l, const struct list_ops *ops, const struct model *m,
		   int cols, int x);
/* Headings and rows. */
void list_draw(struct canvas *c, const struct list *l, const struct list_ops *ops,
	       const struct model *m, const struct ui *ui);
/* "103 listed, by MS, newest first, 12 below" as far as it is not a matter of course. */
void list_say(char *out, size_t cap, const struct list *l, const struct list_ops *ops);

#endif
