/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys to actions to changes of the view state; the stack of views. What an action does wherever
 * the view has nothing special for it is in ui_act.c, what a key does in a prompt in ui_prompt.c.
 */
#include "tui/ui.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/util.h"
#include "sink/pktfilter.h"

static const struct view_ops *const views[VIEW_MAX] = {
	[VIEW_MAIN] = &view_main,	    [VIEW_LADDER] = &view_ladder,
	[VIEW_UPSTREAMS] = &view_upstreams, [VIEW_ENDPOINTS] = &view_endpoints,
	[VIEW_CLIENTS] = &view_clients,	    [VIEW_WORKERS] = &view_workers,
	[VIEW_EVENTS] = &view_events,	    [VIEW_LOSSES] = &view_losses,
	[VIEW_PACKETS] = &view_packets,	    [VIEW_HOST] = &view_host,
	[VIEW_HELP] = &view_help,
};

static const struct view_ops *current(const struct ui *ui)
{
	return views[ui->stack[ui->depth - 1]];
}

void ui_init(struct ui *ui, int cols, int rows, unsigned formats)
{
	*ui = (struct ui){ .cols = cols, .rows = rows, .depth = 1, .formats = formats };
	for (size_t i = 0; i < VIEW_MAX; i++)
		if (views[i]->list)
			list_init(&ui->lists[i], views[i]->list);
}

void ui_fini(struct ui *ui)
{
	finding_unref(ui->ladder.f);
	ui->ladder.f = NULL;
	selection_clear(&ui->selected);
	pktfilter_free(ui->packets.filter);
	ui->packets.filter = NULL;
	for (size_t i = 0; i < VIEW_MAX; i++)
		list_fini(&ui->lists[i]);
}

const struct list_ops *ui_list_ops(const struct ui *ui)
{
	return current(ui)->list;
}

struct list *ui_list(struct ui *ui)
{
	return &ui->lists[ui->stack[ui->depth - 1]];
}

void ui_say(struct ui *ui, enum style st, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ui->message, sizeof(ui->message), fmt, ap);
	va_end(ap);
	ui->message_style = st;
}

void ui_push(struct ui *ui, enum view_id v)
{
	if (ui->stack[ui->depth - 1] != v && ui->depth < UI_DEPTH_MAX)
		ui->stack[ui->depth++] = v;
}

unsigned ui_set_filter(struct ui *ui, const char *expr)
{
	snprintf(ui->filter, sizeof(ui->filter), "%s", expr);
	ui->filter_is_row = false;
	return UI_REDRAW | UI_REFILTER;
}

unsigned ui_enter_row(struct ui *ui, const char *expr)
{
	unsigned reaction = ui_set_filter(ui, expr);

	ui->filter_is_row = true;
	ui->depth = 1;
	return reaction;
}

void ui_open_ladder(struct ui *ui, const struct model *m, struct finding *f)
{
	finding_ref(f);
	finding_unref(ui->ladder.f);
	ui->ladder.f = f;
	ui->ladder.top = 0;
	ui->ladder.is_fresh = true;
	list_hold(&ui->lists[VIEW_MAIN], &exchanges_list, m, f->id);
}

bool ui_move(size_t *row, size_t n, size_t page, enum action a)
{
	size_t last = n ? n - 1 : 0;

	switch (a) {
	case ACTION_UP: *row -= *row > 0; break;
	case ACTION_DOWN: *row = min_size(*row + 1, last); break;
	case ACTION_PAGE_UP: *row -= min_size(*row, page); break;
	case ACTION_PAGE_DOWN: *row = min_size(*row + page, last); break;
	case ACTION_HOME: *row = 0; break;
	case ACTION_END: *row = last; break;
	default: return false;
	}
	return true;
}

void ui_scroll_to(size_t *top, size_t row, size_t n, size_t page)
{
	if (!page)
		page = 1;
	if (row < *top)
		*top = row;
	if (row >= *top + page)
		*top = row - page + 1;
	if (*top + page > n)
		*top = n > page ? n - page : 0;
}

/* What the user bound comes first, then what is special to the view. */
static enum action action_here(const struct ui *ui, const struct view_ops *ops, int key)
{
	enum action a;

	if (keymap_find(&ui->keymap, key, &a))
		return a;
	for (size_t i = 0; ops->keys && ops->keys[i].key; i++)
		if (ops->keys[i].key == key)
			return ops->keys[i].action;
	return action_of_key(key);
}

unsigned ui_do(struct ui *ui, const struct model *m, enum action a)
{
	const struct view_ops *ops = current(ui);
	unsigned reaction;
	int mine = a && ops->act ? ops->act(ui, m, a) : -1;

	if (mine >= 0)
		reaction = (unsigned)mine;
	else if (ops->list && list_act(ui_list(ui), ops->list, m, a))
		reaction = UI_REDRAW;
	else
		reaction = ui_act(ui, m, a);
	ui_sync(ui, m);
	return reaction;
}

static bool is_too_small(int cols, int rows)
{
	return cols < UI_MIN_COLS || rows < UI_MIN_ROWS;
}

unsigned ui_key(struct ui *ui, const struct model *m, int key)
{
	const struct view_ops *ops = current(ui);
	unsigned reaction = ui->message[0] ? UI_REDRAW : 0;

	/* nobody sees what a key does: nothing but leaving */
	if (is_too_small(ui->cols, ui->rows))
		return key == 'q' || key == 'Q' ? UI_QUIT : 0;
	ui->message[0] = '\0';
	if (ui->prompt.kind != PROMPT_NONE)
		return ui_prompt_key(ui, m, key);
	if (ui->popup.kind != POPUP_NONE) {
		reaction |= popup_key(ui, m, key);
		ui_sync(ui, m);
		return reaction;
	}
	if (key & KEY_W5_MOUSE)
		return reaction | ui_mouse(ui, m, ops, key);
	if (key == KEY_W5_ESC && ui->depth == 1 && ui->filter[0])
		return reaction | ui_set_filter(ui, "");
	return reaction | ui_do(ui, m, action_here(ui, ops, key));
}

void ui_sync(struct ui *ui, const struct model *m)
{
	for (size_t i = 0; i < ui->depth; i++) {
		const struct view_ops *ops = views[ui->stack[i]];

		if (ops->list)
			list_sync(&ui->lists[ui->stack[i]], ops->list, m, ui);
		if (ops->sync)
			ops->sync(ui, m);
	}
}

void ui_resize(struct ui *ui, const struct model *m, int cols, int rows)
{
	ui->cols = cols;
	ui->rows = rows;
	ui_sync(ui, m);
}

static void draw_too_small(struct canvas *c)
{
	char line[128], text[128];
	const char *s = text;
	int y = 0;

	snprintf(text, sizeof(text),
		 "This terminal has %dx%d; why502 needs %dx%d to be readable. "
		 "Please make it larger (q quits).",
		 c->cols, c->rows, UI_MIN_COLS, UI_MIN_ROWS);
	while (y < c->rows && canvas_wrap(&s, c->cols, line, sizeof(line)))
		canvas_text(c, y++, 0, c->cols, STYLE_NORMAL, line);
}

void ui_draw_filter(struct canvas *c, int y, int x, const struct ui *ui)
{
	if (!ui->filter[0] || c->cols - x < 20)
		return;
	canvas_text(c, y, x, 8, STYLE_WARN, "Filter: ");
	canvas_wire(c, y, x + 8, c->cols - x - 9, STYLE_BOLD, ui->filter);
}

static void draw_list_page(struct canvas *c, const struct model *m, const struct ui *ui)
{
	const struct list_ops *ops = ui_list_ops(ui);
	const struct list *l = &ui->lists[ui->stack[ui->depth - 1]];
	char text[128];
	int x = 1;

	x += canvas_text(c, 1, x, c->cols - 2, STYLE_BOLD, ops->title) + 2;
	list_say(text, sizeof(text), l, ops);
	x += canvas_text(c, 1, x, c->cols - x - 1, STYLE_DIM, text);
	if (!ui->filter_is_row)
		ui_draw_filter(c, 1, x + 2, ui);
	list_draw(c, l, ops, m, ui);
}

void ui_draw(struct canvas *c, const struct model *m, const struct ui *ui)
{
	canvas_clear(c);
	if (is_too_small(c->cols, c->rows)) {
		draw_too_small(c);
		return;
	}
	title_draw(c, m);
	if (current(ui)->draw)
		current(ui)->draw(c, m, ui);
	else
		draw_list_page(c, m, ui);
	popup_draw(c, m, ui);
	if (ui->prompt.kind != PROMPT_NONE)
		prompt_draw(&ui->prompt, c);
	else
		footer_draw(c, ui, current(ui));
}
