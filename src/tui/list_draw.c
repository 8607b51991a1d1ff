/* SPDX-License-Identifier: BSD-2-Clause */
/* Columns of a list on the page: which ones, how wide, and their cells. */
#include "tui/list.h"

#include <stdio.h>

#include "base/text.h"
#include "base/util.h"
#include "tui/model.h"

#define MARK_W 1 /* of the cursor or the selection, before the first column */

static void grow(int *w, int to, int *left)
{
	int more = to - *w;

	if (more > *left)
		more = *left;
	if (more > 0) {
		*w += more;
		*left -= more;
	}
}

static int rank_of(const struct list *l, const struct list_ops *ops, size_t i)
{
	int rank = ops->columns[i].rank;

	return l->chosen & 1u << i && rank > 1 ? 1 : rank;
}

/* Leaves out the highest ranks until the rest has the width it wants. */
uint32_t list_fitting(const struct list *l, const struct list_ops *ops, int cols)
{
	uint32_t shown = 0;

	for (size_t i = 0; i < ops->ncolumns; i++)
		shown |= l->off & 1u << i ? 0 : 1u << i;
	for (;;) {
		int used = MARK_W - 1, more = 0, highest = 0;
		size_t worst = 0;

		for (size_t i = 0; i < ops->ncolumns; i++) {
			const struct list_column *col = &ops->columns[i];

			if (!(shown & 1u << i))
				continue;
			used += col->want + 1;
			more += col->ample > col->want ? col->ample - col->want : 0;
			if (rank_of(l, ops, i) > highest) {
				highest = rank_of(l, ops, i);
				worst = i;
			}
		}
		if (used + (highest >= LIST_EXTRA ? more : 0) <= cols || !highest)
			return shown;
		shown &= ~(1u << worst);
	}
}

static int used_width(const struct list_column *col, const struct model *m)
{
	int used = col->used ? col->used(m) : col->max;

	return used < col->max ? used : col->max;
}

void list_widths(int w[LIST_COLUMNS_MAX], const struct list *l, const struct list_ops *ops,
		 const struct model *m, int cols)
{
	uint32_t shown = list_fitting(l, ops, cols);
	int left = cols - MARK_W + 1; /* no gap after the last */

	for (size_t i = 0; i < ops->ncolumns; i++) {
		w[i] = shown & 1u << i ? ops->columns[i].min : 0;
		left -= w[i] ? w[i] + 1 : 0;
	}
	for (size_t i = 0; i < ops->ncolumns; i++)
		if (w[i])
			grow(&w[i], ops->columns[i].want, &left);
	for (size_t i = 0; i < ops->ncolumns; i++)
		if (w[i] && ops->columns[i].max)
			grow(&w[i], used_width(&ops->columns[i], m), &left);
	for (size_t i = 0; i < ops->ncolumns; i++)
		if (w[i] && !ops->columns[i].max)
			grow(&w[i], cols, &left);
}

int list_column_at(const struct list *l, const struct list_ops *ops, const struct model *m,
		   int cols, int at)
{
	int w[LIST_COLUMNS_MAX], x = MARK_W;

	list_widths(w, l, ops, m, cols);
	for (size_t i = 0; i < ops->ncolumns; i++) {
		if (!w[i])
			continue;
		if (at >= x && at <= x + w[i])
			return (int)i;
		x += w[i] + 1;
	}
	return -1;
}

/* The sort column has an arrow, in the gap beside its title. */
static void draw_heads(struct canvas *c, int y, const struct list *l, const struct list_ops *ops,
		       const int *w)
{
	int x = MARK_W;

	canvas_fill(c, y, 0, c->cols, STYLE_HEAD, ' ');
	for (size_t i = 0; i < ops->ncolumns; i++) {
		const struct list_column *col = &ops->columns[i];
		bool is_falling = col->descends != l->inverse;
		int len = canvas_width(col->title);

		if (!w[i])
			continue;
		if (col->right)
			canvas_right(c, y, x, w[i], STYLE_HEAD, col->title);
		else
			canvas_text(c, y, x, w[i], STYLE_HEAD, col->title);
		if (i == l->sort) {
			canvas_restyle(c, y, col->right && len < w[i] ? x + w[i] - len : x,
				       len < w[i] ? len : w[i], STYLE_HEAD_SORT);
			canvas_text(c, y,
				    !col->right	 ? x + (len < w[i] ? len : w[i])
				    : len < w[i] ? x + w[i] - len - 1
						 : x - 1,
				    1, STYLE_HEAD_SORT, is_falling ? "↓" : "↑");
		}
		x += w[i] + 1;
	}
}

static void draw_row(struct canvas *c, int y, const struct list_ops *ops, const int *w,
		     const void *row, const struct model *m)
{
	enum style whole = ops->row_style ? ops->row_style(row) : STYLE_NORMAL;
	char text[LIST_CELL_MAX];
	int x = MARK_W;

	for (size_t i = 0; i < ops->ncolumns; i++) {
		const struct list_column *col = &ops->columns[i];
		enum style st = whole;

		if (!w[i])
			continue;
		text[0] = '\0';
		col->text(text, sizeof(text), row, m);
		if (st == STYLE_NORMAL && col->style)
			st = col->style(row, text);
		if (col->right)
			canvas_right(c, y, x, w[i], st, text);
		else
			canvas_text(c, y, x, w[i], st, text);
		x += w[i] + 1;
	}
}

void list_draw(struct canvas *c, const struct list *l, const struct list_ops *ops,
	       const struct model *m, const struct ui *ui)
{
	int w[LIST_COLUMNS_MAX];

	list_widths(w, l, ops, m, c->cols);
	if (l->h < 0)
		return;
	draw_heads(c, l->y - 1, l, ops, w);
	for (int i = 0; i < l->h; i++) {
		size_t at = l->top + (size_t)i;
		const void *row = list_row(l, ops, m, at);
		int y = l->y + i;

		if (!row)
			break;
		draw_row(c, y, ops, w, row, m);
		if (ops->is_marked && ops->is_marked(ui, row)) {
			canvas_restyle(c, y, 0, c->cols, STYLE_MARKED);
			canvas_text(c, y, 0, 1, STYLE_MARKED, "*");
		} else if (at == l->row) {
			canvas_text(c, y, 0, 1, STYLE_BOLD, ">");
		}
		if (at == l->row)
			canvas_restyle(c, y, 0, c->cols, STYLE_CURSOR);
	}
	if (!l->n && ops->empty)
		canvas_text(c, l->y + (l->h > 1), 1, c->cols - 2, STYLE_DIM, ops->empty);
}

void list_say(char *out, size_t cap, const struct list *l, const struct list_ops *ops)
{
	const struct list_column *col = &ops->columns[l->sort];
	bool is_natural = ops->natural >= 0 && (size_t)ops->natural == l->sort;
	size_t n = 0, below = l->n - min_size(l->n, l->top + (size_t)(l->h > 0 ? l->h : 0));
	char count[16];

	text_count(count, sizeof(count), l->n);
	n += (size_t)snprintf(out, cap, "%s listed", count);
	if (l->first)
		n += (size_t)snprintf(out + n, cap - n, " of the newest");
	if (!is_natural)
		n += (size_t)snprintf(out + n, cap - n, ", by %s", col->title);
	else if (l->inverse)
		n += (size_t)snprintf(out + n, cap - n, ", newest first");
	text_count(count, sizeof(count), below);
	if (list_follows(l, ops))
		snprintf(out + n, cap - n, ", following");
	else if (below)
		snprintf(out + n, cap - n, ", %s below", count);
}
