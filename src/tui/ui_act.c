/* SPDX-License-Identifier: BSD-2-Clause */
/* What an action does where the view has nothing special for it, and to which exchange. */
#include "tui/ui.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

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

void ui_say_selected(struct ui *ui, int err)
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
		ui_say_selected(ui, err);
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

static unsigned act_help(struct ui *ui, const struct model *m)
{
	ui->help_top = 0;
	ui_push(ui, VIEW_HELP);
	return UI_REDRAW;
}

/* An action either opens a view, or does something, or is no more than its reaction. */
struct deed {
	enum view_id opens; /* VIEW_MAIN, the bottom of every stack: none */
	unsigned (*act)(struct ui *, const struct model *);
	unsigned reaction;
};

static const struct deed everywhere[ACTION_MAX] = {
	[ACTION_BACK] = { .act = act_back },
	[ACTION_QUIT] = { .reaction = UI_QUIT },
	[ACTION_FILTER] = { .act = act_filter },
	[ACTION_SAME] = { .act = act_same },
	[ACTION_SAVE] = { .act = act_save },
	[ACTION_SAVE_ALL] = { .act = act_save_all },
	[ACTION_REPORT] = { .act = act_report },
	[ACTION_SORT] = { .act = act_sort_menu },
	[ACTION_COLUMNS] = { .act = act_columns },
	[ACTION_SELECT] = { .act = act_select },
	[ACTION_SELECT_ALL] = { .act = act_select_all },
	[ACTION_UNSELECT] = { .act = act_unselect },
	[ACTION_UPSTREAMS] = { .opens = VIEW_UPSTREAMS },
	[ACTION_ENDPOINTS] = { .opens = VIEW_ENDPOINTS },
	[ACTION_CLIENTS] = { .opens = VIEW_CLIENTS },
	[ACTION_WORKERS] = { .opens = VIEW_WORKERS },
	[ACTION_HOST] = { .opens = VIEW_HOST },
	[ACTION_EVENTS] = { .opens = VIEW_EVENTS },
	[ACTION_LOSSES] = { .opens = VIEW_LOSSES },
	[ACTION_HELP] = { .act = act_help },
	[ACTION_WINDOW] = { .reaction = UI_REDRAW | UI_WINDOW },
	[ACTION_PAUSE] = { .reaction = UI_REDRAW | UI_PAUSE },
	[ACTION_REDRAW] = { .reaction = UI_REDRAW | UI_REPAINT },
};

unsigned ui_act(struct ui *ui, const struct model *m, enum action a)
{
	const struct deed *d = &everywhere[a];

	if (d->act)
		return d->act(ui, m);
	if (d->opens)
		ui_push(ui, d->opens);
	return d->reaction ? d->reaction : UI_REDRAW;
}
