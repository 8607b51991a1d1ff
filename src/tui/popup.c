/* SPDX-License-Identifier: BSD-2-Clause */
/* The menus of columns: which one to sort by, and which ones to show. */
#include "tui/popup.h"

#include <stdio.h>

#include "base/util.h"
#include "tui/list.h"
#include "tui/ui.h"

#define MENU_W 64

static const char *const titles[POPUP_MAX] = {
	[POPUP_SORT] = "Sort by (again: the other way round)",
	[POPUP_COLUMNS] = "Columns (Space: shown or not)",
};

void popup_frame(struct canvas *c, int h, int w, const char *title, int *y, int *x)
{
	*y = (c->rows - h) / 2;
	*x = (c->cols - w) / 2;
	for (int i = 0; i < h; i++)
		canvas_fill(c, *y + i, *x, w, STYLE_NORMAL, ' ');
	canvas_box(c, *y, *x, h, w, title);
	*y += 1;
	*x += 2;
}

static int menu_w(const struct ui *ui)
{
	return ui->cols - 4 < MENU_W ? ui->cols - 4 : MENU_W;
}

static size_t menu_lines(const struct ui *ui, const struct list_ops *ops)
{
	return min_size(ops->ncolumns, ui->rows > 8 ? (size_t)ui->rows - 6 : 2);
}

/* First item on the page: the one under the cursor is always there. */
static size_t menu_top(const struct ui *ui, const struct list_ops *ops)
{
	size_t lines = menu_lines(ui, ops);

	return ui->popup.row < lines ? 0 : ui->popup.row - lines + 1;
}

void popup_open_columns(struct ui *ui, enum popup_kind kind)
{
	const struct list_ops *ops = ui_list_ops(ui);

	if (!ops) {
		ui_say(ui, STYLE_WARN, "This screen has no columns");
		return;
	}
	ui->popup.kind = kind;
	ui->popup.row = kind == POPUP_SORT ? ui_list(ui)->sort : 0;
}

static void menu_choose(struct ui *ui, const struct list_ops *ops)
{
	if (ui->popup.kind == POPUP_SORT) {
		list_sort_by(ui_list(ui), ops, ui->popup.row);
		ui->popup.kind = POPUP_NONE;
	} else {
		list_toggle_column(ui_list(ui), ops, ui->popup.row);
	}
}

/* A click beside the menu closes it; one on an item chooses it. */
static void menu_click(struct ui *ui, const struct list_ops *ops, int y, int x)
{
	int lines = (int)menu_lines(ui, ops), w = menu_w(ui);
	int y0 = (ui->rows - lines - 2) / 2 + 1, x0 = (ui->cols - w) / 2;

	if (x < x0 || x >= x0 + w || y < y0 || y >= y0 + lines) {
		ui->popup.kind = POPUP_NONE;
		return;
	}
	ui->popup.row = menu_top(ui, ops) + (size_t)(y - y0);
	menu_choose(ui, ops);
}

static unsigned menu_key(struct ui *ui, int key)
{
	const struct list_ops *ops = ui_list_ops(ui);
	enum action a = keymap_action(&ui->keymap, key);

	if (key & KEY_W5_MOUSE && mouse_what(key) == MOUSE_CLICK)
		menu_click(ui, ops, mouse_y(key), mouse_x(key));
	else if (key & KEY_W5_MOUSE)
		ui_move(&ui->popup.row, ops->ncolumns, 1,
			mouse_what(key) == MOUSE_WHEEL_UP ? ACTION_UP : ACTION_DOWN);
	else if (key == KEY_W5_ENTER && ui->popup.kind == POPUP_COLUMNS)
		ui->popup.kind = POPUP_NONE;
	else if (a == ACTION_OPEN || a == ACTION_SELECT)
		menu_choose(ui, ops);
	else if (!ui_move(&ui->popup.row, ops->ncolumns, menu_lines(ui, ops), a))
		ui->popup.kind = POPUP_NONE; /* Esc, q, the menu's own key, any other */
	return UI_REDRAW;
}

unsigned popup_key(struct ui *ui, const struct model *m, int key)
{
	return ui->popup.kind == POPUP_SAVE ? popup_save_key(ui, m, key) : menu_key(ui, key);
}

static void menu_line(struct canvas *c, int y, int x, int w, const struct ui *ui, size_t i)
{
	const struct list_ops *ops = ui_list_ops(ui);
	const struct list *l = ui_list((struct ui *)ui);
	const struct list_column *col = &ops->columns[i];
	const char *mark = "   ";

	if (ui->popup.kind == POPUP_COLUMNS)
		mark = l->off & 1u << i ? "[ ]" : "[x]";
	else if (i == l->sort)
		mark = col->descends != l->inverse ? " ↓ " : " ↑ ";
	canvas_printf(c, y, x, w, STYLE_NORMAL, "%s %s", mark, col->title);
	canvas_text(c, y, x + 16, w - 16, STYLE_DIM, col->help ? col->help : "");
	if (i == ui->popup.row)
		canvas_restyle(c, y, x, w, STYLE_CURSOR);
}

void popup_draw(struct canvas *c, const struct model *m, const struct ui *ui)
{
	const struct list_ops *ops = ui_list_ops(ui);
	size_t lines, top;
	int y, x;

	if (ui->popup.kind == POPUP_SAVE) {
		popup_save_draw(c, m, ui);
		return;
	}
	if (ui->popup.kind == POPUP_NONE || !ops)
		return;
	lines = menu_lines(ui, ops);
	top = menu_top(ui, ops);
	popup_frame(c, (int)lines + 2, menu_w(ui), titles[ui->popup.kind], &y, &x);
	for (size_t i = 0; i < lines; i++)
		menu_line(c, y + (int)i, x, menu_w(ui) - 4, ui, top + i);
}
