/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Order and cursor of a list. The order is made anew only when the snapshot or the sort
 * column changed; without memory for it rows come in their own order. Owns l->order.
 */
#include "tui/list.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "tui/model.h"
#include "tui/ui.h"

_Static_assert(LIST_COLUMNS_MAX <= 32, "struct list keeps a bit for each column");

void list_init(struct list *l, const struct list_ops *ops)
{
	*l = (struct list){ .sort = ops->sort, .follow = true, .version = UINT64_MAX };
	for (size_t i = 0; i < ops->ncolumns; i++)
		if (ops->columns[i].is_off)
			l->off |= 1u << i;
}

void list_fini(struct list *l)
{
	free(l->order);
	l->order = NULL;
}

/* Rows come in this order by themselves, or in the reverse of it. */
static bool is_natural(const struct list *l, const struct list_ops *ops)
{
	return ops->natural >= 0 && l->sort == (size_t)ops->natural;
}

bool list_follows(const struct list *l, const struct list_ops *ops)
{
	return l->follow && is_natural(l, ops);
}

const void *list_row(const struct list *l, const struct list_ops *ops, const struct model *m,
		     size_t i)
{
	size_t n = ops->count(m);

	if (i >= l->n || l->n > n)
		return NULL;
	if (l->order)
		i = l->order[i];
	else if (is_natural(l, ops) && l->inverse)
		i = n - 1 - i;
	return i < n ? ops->row(m, i) : NULL;
}

const void *list_current(const struct list *l, const struct list_ops *ops, const struct model *m)
{
	return list_row(l, ops, m, l->row);
}

struct order_by {
	const struct list_ops *ops;
	const struct model *m;
	const struct list_column *col;
	bool falling;
};

static int by_column(const void *a, const void *b, void *arg)
{
	const struct order_by *o = arg;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	int d = o->col->compare(o->ops->row(o->m, i), o->ops->row(o->m, k));

	if (d)
		return o->falling ? -d : d;
	return i < k ? -1 : i > k; /* equal ones stay as they came */
}

static void make_order(struct list *l, const struct list_ops *ops, const struct model *m)
{
	struct order_by by = { .ops = ops, .m = m, .col = &ops->columns[l->sort] };
	size_t n = ops->count(m);
	uint32_t *order;

	l->first = 0;
	l->n = n;
	if (is_natural(l, ops) || !n || !by.col->compare) {
		free(take_ptr(l->order));
		return;
	}
	if (n > LIST_SORT_MAX) {
		l->first = n - LIST_SORT_MAX;
		l->n = LIST_SORT_MAX;
	}
	order = realloc(l->order, l->n * sizeof(*order));
	if (!order) {
		free(take_ptr(l->order));
		l->first = 0;
		l->n = n;
		return;
	}
	for (size_t i = 0; i < l->n; i++)
		order[i] = (uint32_t)(l->first + i);
	by.falling = by.col->descends != l->inverse;
	qsort_r(order, l->n, sizeof(*order), by_column, &by);
	l->order = order;
}

/* In natural order ids rise, and a row that has gone is replaced by the next newer one. */
static size_t place_of_id(const struct list *l, const struct list_ops *ops, const struct model *m,
			  uint64_t id)
{
	size_t lo = 0, hi = l->n;

	for (size_t i = 0; !is_natural(l, ops) && i < l->n; i++)
		if (ops->id(list_row(l, ops, m, i)) == id)
			return i;
	if (!is_natural(l, ops))
		return min_size(l->row, l->n ? l->n - 1 : 0);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		uint64_t at = ops->id(list_row(l, ops, m, mid));

		if (l->inverse ? at >= id : at < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	/* falling: lo is the first older one */
	return l->inverse ? lo - (lo > 0) : lo;
}

static void hold_current(struct list *l, const struct list_ops *ops, const struct model *m)
{
	const void *row = list_current(l, ops, m);

	l->has_id = row;
	if (row)
		l->id = ops->id(row);
}

void list_go(struct list *l, const struct list_ops *ops, const struct model *m, size_t row)
{
	size_t last = l->n ? l->n - 1 : 0;

	l->row = min_size(row, last);
	l->follow = is_natural(l, ops) && l->row == (l->inverse ? 0 : last);
	hold_current(l, ops, m);
}

void list_hold(struct list *l, const struct list_ops *ops, const struct model *m, uint64_t id)
{
	l->id = id;
	l->has_id = true;
	l->follow = false;
	l->row = min_size(place_of_id(l, ops, m, id), l->n ? l->n - 1 : 0);
}

static void place_lines(struct list *l, const struct list_ops *ops, const struct model *m,
			const struct ui *ui)
{
	l->y = 3;
	l->h = ui->rows - 4;
	if (ops->area)
		ops->area(m, ui, &l->y, &l->h);
}

void list_sync(struct list *l, const struct list_ops *ops, const struct model *m,
	       const struct ui *ui)
{
	size_t last;

	place_lines(l, ops, m, ui);
	l->fits = list_fitting(l, ops, ui->cols);
	if (l->version != m->version || l->is_resorted) {
		make_order(l, ops, m);
		l->version = m->version;
		l->is_resorted = false;
		last = l->n ? l->n - 1 : 0;
		if (list_follows(l, ops))
			l->row = l->inverse ? 0 : last;
		else if (l->has_id && l->n)
			l->row = place_of_id(l, ops, m, l->id);
		l->row = min_size(l->row, last);
		hold_current(l, ops, m);
	}
	ui_scroll_to(&l->top, l->row, l->n, l->h > 0 ? (size_t)l->h : 1);
}

void list_sort_by(struct list *l, const struct list_ops *ops, size_t column)
{
	if (column >= ops->ncolumns || !ops->columns[column].compare)
		return;
	l->inverse = l->sort == column && !l->inverse;
	l->sort = column;
	l->is_resorted = true;
}

/* The next column to that side that is shown and can be sorted by. */
static void sort_beside(struct list *l, const struct list_ops *ops, bool to_right)
{
	size_t n = ops->ncolumns, at = l->sort;

	for (size_t i = 1; i < n; i++) {
		at = (at + (to_right ? 1 : n - 1)) % n;
		if (!ops->columns[at].compare || !(l->fits & 1u << at))
			continue;
		list_sort_by(l, ops, at);
		return;
	}
}

void list_toggle_column(struct list *l, const struct list_ops *ops, size_t column)
{
	uint32_t bit = column < ops->ncolumns ? 1u << column : 0;
	uint32_t on = ~l->off & ((ops->ncolumns < 32 ? 1u << ops->ncolumns : 0) - 1u);

	if (on == bit)
		return; /* the last one stays */
	l->off ^= bit;
	l->chosen = l->off & bit ? l->chosen & ~bit : l->chosen | bit;
}

bool list_act(struct list *l, const struct list_ops *ops, const struct model *m, enum action a)
{
	size_t row = l->row;

	if (a == ACTION_SORT_LEFT || a == ACTION_SORT_RIGHT) {
		sort_beside(l, ops, a == ACTION_SORT_RIGHT);
	} else if (a == ACTION_INVERT) {
		l->inverse = !l->inverse;
		l->is_resorted = true;
	} else {
		if (!ui_move(&row, l->n, l->h > 1 ? (size_t)l->h - 1 : 1, a))
			return false;
		list_go(l, ops, m, row);
	}
	return true;
}
