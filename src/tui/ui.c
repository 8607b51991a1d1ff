/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys to actions to changes of the view state; the stack of views. */
#include "tui/ui.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "tui/fmt.h"

static const struct view_ops *const views[VIEW_MAX] = {
	[VIEW_MAIN] = &view_main,	    [VIEW_LADDER] = &view_ladder,
	[VIEW_UPSTREAMS] = &view_upstreams, [VIEW_ENDPOINTS] = &view_endpoints,
	[VIEW_CLIENTS] = &view_clients,	    [VIEW_WORKERS] = &view_workers,
	[VIEW_HELP] = &view_help,
};

static const struct view_ops *current(const struct ui *ui)
{
	return views[ui->stack[ui->depth - 1]];
}

void ui_init(struct ui *ui, int cols, int rows, bool can_save)
{
	*ui = (struct ui){ .cols = cols, .rows = rows, .depth = 1, .can_save = can_save };
	ui->list.follow = true;
}

void ui_fini(struct ui *ui)
{
	finding_unref(ui->ladder.f);
	ui->ladder.f = NULL;
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
	return UI_REDRAW | UI_REFILTER;
}

void ui_open_ladder(struct ui *ui, struct finding *f)
{
	finding_ref(f);
	finding_unref(ui->ladder.f);
	ui->ladder.f = f;
	ui->ladder.top = 0;
	ui->ladder.is_fresh = true;
	ui->list.id = f->id;
	ui->list.follow = false;
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

static struct finding *selected(const struct ui *ui, const struct model *m)
{
	if (ui->stack[ui->depth - 1] == VIEW_LADDER)
		return ui->ladder.f;
	return ui->list.row < m->shown.nrows ? m->shown.rows[ui->list.row] : NULL;
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
	return UI_REDRAW;
}

static unsigned act_same(struct ui *ui, const struct model *m)
{
	const struct finding *f = selected(ui, m);
	char expr[PROMPT_MAX], where[TEXT_ENDPOINT_MAX];
	const struct attempt *a = f ? finding_last_attempt(f) : NULL;

	if (!f)
		return 0;
	snprintf(expr, sizeof(expr), "cause==%s", cause_name(f->cause));
	if (a) {
		text_endpoint(where, sizeof(where), &a->leg.remote, a->leg.rport);
		snprintf(expr, sizeof(expr), "cause==%s && upstream==%s", cause_name(f->cause),
			 where);
	}
	return ui_set_filter(ui, strcmp(ui->filter, expr) ? expr : "");
}

static void open_save(struct ui *ui, const struct finding *f, enum prompt_kind kind)
{
	char stamp[TEXT_TIME_MAX], path[PROMPT_MAX];

	text_time_utc(stamp, sizeof(stamp), f->wall_ns);
	/* 2026-11-22T12:06:21.341402Z: date and time without their signs */
	snprintf(path, sizeof(path), "why502-%.4s%.2s%.2s-%.2s%.2s%.2s-%s%llu.%s", stamp, stamp + 5,
		 stamp + 8, stamp + 11, stamp + 14, stamp + 17,
		 kind == PROMPT_SAVE_ALL ? "upto" : "", (unsigned long long)f->id,
		 ui->save_ending ? ui->save_ending : "pcapng");
	prompt_open(&ui->prompt, kind, path);
}

static unsigned act_save(struct ui *ui, const struct model *m)
{
	const struct finding *f = selected(ui, m);

	if (!ui->can_save)
		ui_say(ui, STYLE_WARN, "Saving packets is not possible here");
	else if (!f)
		ui_say(ui, STYLE_WARN, "There is no exchange to save yet");
	else
		open_save(ui, f, PROMPT_SAVE);
	return UI_REDRAW;
}

static unsigned act_save_all(struct ui *ui, const struct model *m)
{
	if (!ui->can_save)
		ui_say(ui, STYLE_WARN, "Saving packets is not possible here");
	else if (!m->shown.nrows)
		ui_say(ui, STYLE_WARN, "There is no exchange to save yet");
	else
		open_save(ui, m->shown.rows[m->shown.nrows - 1], PROMPT_SAVE_ALL);
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

static unsigned act_help(struct ui *ui, const struct model *m)
{
	ui->help_top = 0;
	ui_push(ui, VIEW_HELP);
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
	[ACTION_BACK] = act_back,	    [ACTION_QUIT] = act_quit,
	[ACTION_FILTER] = act_filter,	    [ACTION_SAME] = act_same,
	[ACTION_SAVE] = act_save,	    [ACTION_SAVE_ALL] = act_save_all,
	[ACTION_UPSTREAMS] = act_upstreams, [ACTION_HELP] = act_help,
	[ACTION_WINDOW] = act_window,	    [ACTION_PAUSE] = act_pause,
	[ACTION_REDRAW] = act_redraw,	    [ACTION_ENDPOINTS] = act_endpoints,
	[ACTION_CLIENTS] = act_clients,	    [ACTION_WORKERS] = act_workers,
};

static unsigned filter_entered(struct ui *ui)
{
	struct filter_error err = { 0 };
	struct filter *flt = NULL;
	int ret = filter_parse(&flt, ui->prompt.text, &err);

	filter_free(flt);
	if (ret) {
		snprintf(ui->prompt.error, sizeof(ui->prompt.error), "%s",
			 ret == -EINVAL ? err.text : "out of memory");
		ui->prompt.error_at = ui->prompt.at = min_size(err.at, ui->prompt.len);
		return UI_REDRAW;
	}
	ui->prompt.kind = PROMPT_NONE;
	return ui_set_filter(ui, ui->prompt.text);
}

static unsigned prompt_entered(struct ui *ui)
{
	if (ui->prompt.kind == PROMPT_FILTER)
		return filter_entered(ui);
	ui->save_all = ui->prompt.kind == PROMPT_SAVE_ALL;
	ui->prompt.kind = PROMPT_NONE;
	if (!ui->prompt.len)
		return UI_REDRAW;
	snprintf(ui->save_path, sizeof(ui->save_path), "%s", ui->prompt.text);
	return UI_REDRAW | UI_SAVE;
}

static enum action action_here(const struct view_ops *ops, int key)
{
	for (size_t i = 0; ops->keys && ops->keys[i].key; i++)
		if (ops->keys[i].key == key)
			return ops->keys[i].action;
	return action_of_key(key);
}

unsigned ui_key(struct ui *ui, const struct model *m, int key)
{
	const struct view_ops *ops = current(ui);
	unsigned reaction = ui->message[0] ? UI_REDRAW : 0;
	enum action a;
	int mine;

	ui->message[0] = '\0';
	if (ui->prompt.kind != PROMPT_NONE) {
		enum prompt_result r = prompt_key(&ui->prompt, key);

		if (r == PROMPT_CANCELLED)
			ui->prompt.kind = PROMPT_NONE;
		return UI_REDRAW | (r == PROMPT_DONE ? prompt_entered(ui) : 0);
	}
	a = action_here(ops, key);
	if (key == KEY_W5_ESC && ui->depth == 1 && ui->filter[0])
		return reaction | ui_set_filter(ui, "");
	mine = a && ops->act ? ops->act(ui, m, a) : -1;
	if (mine >= 0)
		reaction |= (unsigned)mine;
	else if (everywhere[a])
		reaction |= everywhere[a](ui, m);
	ui_sync(ui, m);
	return reaction;
}

void ui_sync(struct ui *ui, const struct model *m)
{
	for (size_t i = 0; i < ui->depth; i++)
		if (views[ui->stack[i]]->sync)
			views[ui->stack[i]]->sync(ui, m);
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

void ui_draw(struct canvas *c, const struct model *m, const struct ui *ui)
{
	canvas_clear(c);
	if (c->cols < UI_MIN_COLS || c->rows < UI_MIN_ROWS) {
		draw_too_small(c);
		return;
	}
	title_draw(c, m);
	current(ui)->draw(c, m, ui);
	if (ui->prompt.kind != PROMPT_NONE)
		prompt_draw(&ui->prompt, c);
	else
		footer_draw(c, ui, current(ui));
}
