/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first screen: history, the answer in one sentence, WHY panel (or what is being
 * watched, as long as nothing is wrong), and the newest bad exchanges.
 */
#include "tui/ui.h"

#include <stdio.h>

#include "base/text.h"
#include "base/util.h"
#include "tui/main_parts.h"

/* Screen lines from which a part is shown. */
#define ROWS_FOR_HISTORY 16
#define ROWS_FOR_NEXT	 20
#define LIST_MIN	 4

static int panel_rows(const struct snapshot *s, const struct ui *ui)
{
	int room = ui->rows < 24 ? 2 : ui->rows < 32 ? 4 : ui->rows / 6;
	size_t have = main_why(s)->n;
	int n = have > (size_t)room ? room : (int)have;

	return n ? n : 1;
}

void main_layout(struct main_layout *out, const struct model *m, const struct ui *ui)
{
	const struct snapshot *s = &m->shown;
	int y = 1;

	*out = (struct main_layout){ 0 };
	if (ui->rows >= ROWS_FOR_HISTORY)
		out->history_y = y++;
	out->verdict_y = y++;
	out->next_h = main_next_height(s, ui);
	out->next_y = y;
	y += out->next_h;
	out->panel_y = y;
	if (s->rank.n) {
		out->panel_h = panel_rows(s, ui) + 2;
	} else {
		int room = ui->rows - 1 - y - (s->nkept ? LIST_MIN + 1 : 0);
		int want = s->nkept ? main_watching_height(s) : room;

		out->panel_h = want < room ? want : room;
	}
	y += out->panel_h;
	if (ui->filter[0])
		out->filter_y = y++;
	out->head_y = y++;
	out->list_y = y;
	out->list_h = ui->rows - 1 - y;
	if (out->list_h < 0)
		out->list_h = 0;
}

static void draw_filter(struct canvas *c, int y, const struct model *m, const struct ui *ui)
{
	char listed[64];
	int w;

	snprintf(listed, sizeof(listed), "%zu of %zu listed, Esc clears", m->shown.nrows,
		 m->shown.nkept);
	w = canvas_width(listed);
	canvas_text(c, y, 1, 8, STYLE_WARN, "Filter: ");
	canvas_wire(c, y, 9, c->cols - 12 - w, STYLE_BOLD, ui->filter);
	canvas_right(c, y, c->cols - 1 - w, w, STYLE_DIM, listed);
}

static void draw(struct canvas *c, const struct model *m, const struct ui *ui)
{
	struct main_layout lay;

	main_layout(&lay, m, ui);
	if (lay.history_y)
		main_draw_history(c, lay.history_y, &m->shown);
	main_draw_verdict(c, &lay, m);
	if (m->shown.rank.n)
		main_draw_why(c, lay.panel_y, lay.panel_h, m, ui);
	else
		main_draw_watching(c, lay.panel_y, lay.panel_h, m);
	if (lay.filter_y)
		draw_filter(c, lay.filter_y, m, ui);
	if (lay.list_h <= 0 || (!m->shown.nkept && !m->shown.rank.n))
		return;
	list_draw(c, &ui->lists[VIEW_MAIN], &exchanges_list, m, ui);
	if (!m->shown.nrows)
		canvas_text(c, lay.list_y, 1, c->cols - 2, STYLE_DIM,
			    ui->filter[0] ? "Nothing listed matches the filter."
					  : "The exchanges counted above are no longer kept.");
}

static int act(struct ui *ui, const struct model *m, enum action a)
{
	struct finding *f = ui_selected(ui, m);

	if (a != ACTION_OPEN)
		return -1;
	if (f) {
		ui_open_ladder(ui, m, f);
		ui_push(ui, VIEW_LADDER);
	}
	return UI_REDRAW;
}

static const enum action footer[] = {
	ACTION_HELP,	ACTION_OPEN,	ACTION_FILTER, ACTION_SAVE,	 ACTION_UPSTREAMS,
	ACTION_EVENTS,	ACTION_SELECT,	ACTION_SORT,   ACTION_ENDPOINTS, ACTION_HOST,
	ACTION_CLIENTS, ACTION_WORKERS, ACTION_SAME,   ACTION_WINDOW,	 ACTION_PAUSE,
	ACTION_QUIT,	ACTION_NONE,
};

const struct view_ops view_main = {
	.title = "bad exchanges",
	.draw = draw,
	.act = act,
	.list = &exchanges_list,
	.footer = footer,
};
