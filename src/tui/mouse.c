/* SPDX-License-Identifier: BSD-2-Clause */
/* What a click or the wheel means: the same as a key, so that nothing needs a mouse. */
#include "tui/ui.h"

/* Rows one notch of the wheel moves. */
#define WHEEL_ROWS 3

static unsigned wheel(struct ui *ui, const struct model *m, enum action a)
{
	unsigned reaction = 0;

	for (int i = 0; i < WHEEL_ROWS; i++)
		reaction |= ui_do(ui, m, a);
	return reaction;
}

/* A title sorts, a row comes under the cursor, and the row under the cursor opens. */
static unsigned list_click(struct ui *ui, const struct model *m, const struct list_ops *ops, int y,
			   int x)
{
	struct list *l = ui_list(ui);
	size_t row = l->top + (size_t)(y - l->y);
	int column;

	if (y == l->y - 1) {
		column = list_column_at(l, ops, m, ui->cols, x);
		if (column >= 0)
			list_sort_by(l, ops, (size_t)column);
	} else if (y >= l->y && y < l->y + l->h && row < l->n) {
		if (row == l->row)
			return ui_do(ui, m, ACTION_OPEN);
		list_go(l, ops, m, row);
	}
	ui_sync(ui, m);
	return UI_REDRAW;
}

unsigned ui_mouse(struct ui *ui, const struct model *m, const struct view_ops *ops, int key)
{
	int y = mouse_y(key), x = mouse_x(key);
	enum mouse what = mouse_what(key);
	enum action a;

	if (what != MOUSE_CLICK)
		return wheel(ui, m, what == MOUSE_WHEEL_UP ? ACTION_UP : ACTION_DOWN);
	if (y == 0)
		return ui_do(ui, m, ACTION_LOSSES); /* what is lost stands there */
	if (y == ui->rows - 1) {
		a = footer_hit(ui, ops, x);
		return a == ACTION_NONE ? UI_REDRAW : ui_do(ui, m, a);
	}
	return ops->list ? list_click(ui, m, ops->list, y, x) : 0;
}
