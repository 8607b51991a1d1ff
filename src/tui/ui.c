/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys to actions to changes of the view state; the stack of views. */
#include "tui/ui.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "sink/pktfilter.h"
#include "tui/fmt.h"

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

static bool is_of_ladder(const struct ui *ui)
{
	enum view_id top = ui->stack[ui->depth - 1];

	return top == VIEW_LADDER || top == VIEW_PACKETS;
}

struct finding *ui_selected(const struct ui *ui, const struct model *m)
{
	if (is_of_ladder(ui))
		return ui->ladder.f;
	/* the snapshot lends its rows as const; a finding never changes, its count of users does */
	return (struct finding *)list_current(&ui->lists[VIEW_MAIN], &exchanges_list, m);
}

static unsigned act_back(struct ui *ui, const struct model *m)
{
	if (ui->depth > 1) {
		ui->depth--;
		return UI_REDRAW;
	}
	return UI_QUIT;
}

static unsigned act_quit(struct ui *ui, const struct model *m)
{
	return UI_QUIT;
}

static unsigned act_filter(struct ui *ui, const struct model *m)
{
	prompt_open(&ui->prompt, PROMPT_FILTER, ui->filter);
	history_begin(&ui->history);
	return UI_REDRAW;
}

static unsigned act_same(struct ui *ui, const struct model *m)
{
	const struct finding *f = ui_selected(ui, m);
	char expr[PROMPT_MAX], where[TEXT_ENDPOINT_MAX];
	const struct attempt *a = f ? finding_last_attempt(f) : NULL;

	if (!f)
		return 0;
	snprintf(expr, sizeof(expr), "cause==%s", cause_name(f->cause));
	if (a) {
		text_upstream(where, sizeof(where), &a->leg);
		snprintf(expr, sizeof(expr), "cause==%s && upstream==%s", cause_name(f->cause),
			 where);
	}
	return ui_set_filter(ui, strcmp(ui->filter, expr) ? expr : "");
}

static unsigned open_save(struct ui *ui, const struct model *m, enum save_what what, bool is_any)
{
	if (!ui->formats)
		ui_say(ui, STYLE_WARN, "Saving is not possible here");
	else if (!is_any)
		ui_say(ui, STYLE_WARN, "There is no exchange to save yet");
	else
		popup_open_save(ui, m, what);
	return UI_REDRAW;
}

static unsigned act_save(struct ui *ui, const struct model *m)
{
	bool is_selected = ui->selected.n && !is_of_ladder(ui);

	return open_save(ui, m, is_selected ? SAVE_SELECTED : SAVE_THIS,
			 is_selected || ui_selected(ui, m));
}

static unsigned act_save_all(struct ui *ui, const struct model *m)
{
	return open_save(ui, m, SAVE_LISTED, m->shown.nrows);
}

static unsigned act_report(struct ui *ui, const struct model *m)
{
	uint64_t wall_ns = m->shown.counters.now_ns + m->shown.counters.wall_offset_ns;
	char time[TEXT_TIME_MAX], path[64];

	if (!ui->can_report) {
		ui_say(ui, STYLE_WARN, "A report is not possible here");
		return UI_REDRAW;
	}
	text_time_utc(time, sizeof(time), wall_ns);
	snprintf(path, sizeof(path), "why502-report-%.4s%.2s%.2s-%.2s%.2s%.2s", time, time + 5,
		 time + 8, time + 11, time + 14, time + 17);
	prompt_open(&ui->prompt, PROMPT_REPORT, path);
	return UI_REDRAW;
}

static unsigned act_sort_menu(struct ui *ui, const struct model *m)
{
	popup_open_columns(ui, POPUP_SORT);
	return UI_REDRAW;
}

static unsigned act_columns(struct ui *ui, const struct model *m)
{
	popup_open_columns(ui, POPUP_COLUMNS);
	return UI_REDRAW;
}

static void say_selected(struct ui *ui, int err)
{
	if (err == -ENOSPC)
		ui_say(ui, STYLE_WARN, "No more than %d can be selected", SELECTION_MAX);
	else if (err)
		ui_say(ui, STYLE_BAD, "Not selected: out of memory");
	else
		ui_say(ui, STYLE_NORMAL, "%zu selected: s saves them, U selects none",
		       ui->selected.n);
}

static unsigned act_select(struct ui *ui, const struct model *m)
{
	struct finding *f = ui_selected(ui, m);
	int err;

	if (!f)
		return 0;
	err = selection_toggle(&ui->selected, f);
	/* in the list the mark is seen */
	if (err || ui->stack[ui->depth - 1] != VIEW_MAIN)
		say_selected(ui, err);
	else
		list_act(&ui->lists[VIEW_MAIN], &exchanges_list, m, ACTION_DOWN);
	return UI_REDRAW;
}

static unsigned act_select_all(struct ui *ui, const struct model *m)
{
	prompt_open(&ui->prompt, PROMPT_SELECT, "");
	history_begin(&ui->history);
	return UI_REDRAW;
}

static unsigned act_unselect(struct ui *ui, const struct model *m)
{
	if (ui->selected.n)
		ui_say(ui, STYLE_NORMAL, "Nothing is selected any more");
	selection_clear(&ui->selected);
	return UI_REDRAW;
}

static unsigned act_upstreams(struct ui *ui, const struct model *m)
{
	ui_push(ui, VIEW_UPSTREAMS);
	return UI_REDRAW;
}

static unsigned act_endpoints(struct ui *ui, const struct model *m)
{
	ui_push(ui, VIEW_ENDPOINTS);
	return UI_REDRAW;
}

static unsigned act_clients(struct ui *ui, const struct model *m)
{
	ui_push(ui, VIEW_CLIENTS);
	return UI_REDRAW;
}

static unsigned act_workers(struct ui *ui, const struct model *m)
{
	ui_push(ui, VIEW_WORKERS);
	return UI_REDRAW;
}

static unsigned act_host(struct ui *ui, const struct model *m)
{
	ui_push(ui, VIEW_HOST);
	return UI_REDRAW;
}

static unsigned act_help(struct ui *ui, const struct model *m)
{
	ui->help_top = 0;
	ui_push(ui, VIEW_HELP);
	return UI_REDRAW;
}

static unsigned act_events(struct ui *ui, const struct model *m)
{
	ui_push(ui, VIEW_EVENTS);
	return UI_REDRAW;
}

static unsigned act_losses(struct ui *ui, const struct model *m)
{
	ui_push(ui, VIEW_LOSSES);
	return UI_REDRAW;
}

static unsigned act_window(struct ui *ui, const struct model *m)
{
	return UI_REDRAW | UI_WINDOW;
}

static unsigned act_pause(struct ui *ui, const struct model *m)
{
	return UI_REDRAW | UI_PAUSE;
}

static unsigned act_redraw(struct ui *ui, const struct model *m)
{
	return UI_REDRAW | UI_REPAINT;
}

/* What an action does where the view has nothing special for it. */
static unsigned (*const everywhere[ACTION_MAX])(struct ui *, const struct model *) = {
	[ACTION_BACK] = act_back,	  [ACTION_QUIT] = act_quit,
	[ACTION_FILTER] = act_filter,	  [ACTION_SAME] = act_same,
	[ACTION_SAVE] = act_save,	  [ACTION_SAVE_ALL] = act_save_all,
	[ACTION_REPORT] = act_report,	  [ACTION_UPSTREAMS] = act_upstreams,
	[ACTION_HELP] = act_help,	  [ACTION_EVENTS] = act_events,
	[ACTION_LOSSES] = act_losses,	  [ACTION_WINDOW] = act_window,
	[ACTION_PAUSE] = act_pause,	  [ACTION_REDRAW] = act_redraw,
	[ACTION_SORT] = act_sort_menu,	  [ACTION_COLUMNS] = act_columns,
	[ACTION_SELECT] = act_select,	  [ACTION_SELECT_ALL] = act_select_all,
	[ACTION_UNSELECT] = act_unselect, [ACTION_ENDPOINTS] = act_endpoints,
	[ACTION_CLIENTS] = act_clients,	  [ACTION_WORKERS] = act_workers,
	[ACTION_HOST] = act_host,
};

/* NULL: it is wrong, and the prompt says where. */
static struct filter *parse_prompt(struct ui *ui)
{
	struct filter_error err = { 0 };
	struct filter *flt = NULL;
	int ret = filter_parse(&flt, ui->prompt.text, &err);

	if (!ret)
		return flt;
	snprintf(ui->prompt.error, sizeof(ui->prompt.error), "%s",
		 ret == -EINVAL ? err.text : "out of memory");
	ui->prompt.error_at = ui->prompt.at = min_size(err.at, ui->prompt.len);
	return NULL;
}

/* All listed that match, on top of those already selected. */
static void select_matching(struct ui *ui, const struct model *m, const struct filter *flt)
{
	int err = 0;

	for (size_t i = 0; i < m->shown.nrows && !err; i++)
		if (filter_match(flt, m->shown.rows[i]))
			err = selection_add(&ui->selected, m->shown.rows[i]);
	say_selected(ui, err);
}

int ui_set_packet_filter(struct ui *ui, const char *expr)
{
	struct pktfilter *flt = NULL;
	size_t at;
	int err = *expr ? pktfilter_new(&flt, expr, ui->prompt.error, &at) : 0;

	if (err) {
		ui->prompt.error_at = min_size(at, ui->prompt.len);
		return err;
	}
	pktfilter_free(ui->packets.filter);
	ui->packets.filter = flt;
	snprintf(ui->packets.expr, sizeof(ui->packets.expr), "%s", expr);
	ui->packets.row = 0;
	return 0;
}

static unsigned packets_entered(struct ui *ui)
{
	if (!ui_set_packet_filter(ui, ui->prompt.text))
		ui->prompt.kind = PROMPT_NONE;
	return UI_REDRAW;
}

static unsigned prompt_entered(struct ui *ui, const struct model *m)
{
	bool is_select = ui->prompt.kind == PROMPT_SELECT;
	struct filter *flt;

	if (ui->prompt.kind == PROMPT_REPORT) {
		ui->prompt.kind = PROMPT_NONE;
		return UI_REDRAW | (ui->prompt.len ? UI_REPORT : 0);
	}
	if (ui->prompt.kind == PROMPT_PACKETS)
		return packets_entered(ui);
	flt = ui->prompt.len ? parse_prompt(ui) : NULL;
	if (!flt && ui->prompt.len)
		return UI_REDRAW;
	ui->prompt.kind = PROMPT_NONE;
	if (is_select)
		select_matching(ui, m, flt);
	filter_free(flt);
	if (is_select)
		return UI_REDRAW;
	return (history_add(&ui->history, ui->prompt.text) ? UI_REMEMBER : 0) |
	       ui_set_filter(ui, ui->prompt.text);
}

/* Keys that mean something only where an expression is asked for. */
static bool expression_key(struct ui *ui, const struct model *m, int key)
{
	bool back = key == KEY_W5_UP || key == 16; /* C-p, C-n */
	const char *line;

	if (ui->prompt.kind != PROMPT_FILTER && ui->prompt.kind != PROMPT_SELECT)
		return false;
	if (key == KEY_W5_TAB) {
		complete_tab(&ui->complete, &ui->prompt, m);
		return true;
	}
	complete_close(&ui->complete, &ui->prompt);
	if (!back && key != KEY_W5_DOWN && key != 14)
		return false;
	ui->prompt.error[0] = '\0';
	line = history_move(&ui->history, back, ui->prompt.text);
	if (line)
		prompt_set(&ui->prompt, line);
	return true;
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
	unsigned reaction = UI_REDRAW;
	int mine = a && ops->act ? ops->act(ui, m, a) : -1;

	if (mine >= 0)
		reaction = (unsigned)mine;
	else if (ops->list && list_act(ui_list(ui), ops->list, m, a))
		reaction = UI_REDRAW;
	else if (everywhere[a])
		reaction = everywhere[a](ui, m);
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
	if (ui->prompt.kind != PROMPT_NONE) {
		enum prompt_result r;

		if (expression_key(ui, m, key))
			return UI_REDRAW;
		r = prompt_key(&ui->prompt, key);

		if (r == PROMPT_CANCELLED)
			ui->prompt.kind = PROMPT_NONE;
		return UI_REDRAW | (r == PROMPT_DONE ? prompt_entered(ui, m) : 0);
	}
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
