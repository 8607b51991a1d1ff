/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's own limits, per gateway: what, now, limit, how near, change; below, what the
 * row under the cursor means and what to do about it.
 */
#include "tui/ui.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "tui/fmt.h"

#define FIRST_ROW    2 /* title, headings */
#define EXPLAIN_ROWS 5 /* a rule, two lines each */

/* A line of the list: a gateway's name, or a row of it. */
struct line {
	const struct engine_host *of; /* set: the heading of that gateway */
	struct host_row row;
};

/* What is of the whole host is told once, with the first gateway. */
static size_t rows_of(struct host_row *rows, const struct snapshot *s, size_t i)
{
	size_t n = host_rows(rows, HOST_ROWS_MAX, &s->hosts[i]), kept = 0;

	for (size_t k = 0; k < n; k++)
		if (!i || !rows[k].of_host)
			rows[kept++] = rows[k];
	return kept;
}

static size_t lines_of(const struct snapshot *s)
{
	struct host_row rows[HOST_ROWS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < s->nhosts; i++)
		n += rows_of(rows, s, i) + 1;
	return n;
}

static bool line_at(const struct snapshot *s, size_t at, struct line *out)
{
	struct host_row rows[HOST_ROWS_MAX];

	*out = (struct line){ 0 };
	for (size_t i = 0; i < s->nhosts; i++) {
		size_t n = rows_of(rows, s, i);

		if (!at) {
			out->of = &s->hosts[i];
			return true;
		}
		at--;
		if (at < n) {
			out->row = rows[at];
			return true;
		}
		at -= n;
	}
	return false;
}

static const struct {
	enum style style;
	const char *word;
} levels[] = {
	[HOST_UNKNOWN] = { STYLE_DIM, "" },
	[HOST_OK] = { STYLE_NORMAL, "ok" },
	[HOST_WARN] = { STYLE_WARN, "near" },
	[HOST_BAD] = { STYLE_BAD, "TROUBLE" },
};

/* From the right: state, change, used, limit, now; the rest is what it is. */
#define STATE_W	  7
#define CELL_W	  7
#define TODO_FROM 132 /* what to do beside the rows, where there is room */
#define TODO_X	  87

static void draw_cells(struct canvas *c, int y, const struct host_row *r)
{
	char cell[5][16] = { "NOW", "LIMIT", "USED", "CHG/S", "STATE" };
	enum style st = r ? levels[r->level].style : STYLE_HEAD;
	int right = (c->cols < TODO_FROM ? c->cols : TODO_X - 1) - 1 - STATE_W, x;

	if (r) {
		snprintf(cell[0], sizeof(cell[0]), "%s", r->now);
		snprintf(cell[1], sizeof(cell[1]), "%s", r->limit[0] ? r->limit : "-");
		snprintf(cell[2], sizeof(cell[2]), r->percent < 0 ? "-" : "%d%%", r->percent);
		snprintf(cell[3], sizeof(cell[3]), "-");
		if (r->has_rate)
			fmt_rate(cell[3], sizeof(cell[3]), r->rate);
		snprintf(cell[4], sizeof(cell[4]), "%s", levels[r->level].word);
	}
	canvas_text(c, y, right, STATE_W, st, cell[4]);
	x = right - 1 - 4 * (CELL_W + 1);
	canvas_text(c, y, r ? 3 : 1, x - 3, st, r ? r->what : "LIMIT OF THE HOST");
	for (int i = 0; i < 4; i++, x += CELL_W + 1)
		canvas_right(c, y, x, CELL_W, st, cell[i]);
	if (c->cols >= TODO_FROM && (!r || r->level >= HOST_WARN))
		canvas_text(c, y, TODO_X, c->cols - TODO_X - 1, r ? STYLE_NORMAL : st,
			    r ? r->todo : "WHAT TO DO");
}

static void draw_gateway(struct canvas *c, int y, const struct engine_host *h)
{
	char name[4 * sizeof(h->name)];

	text_escape(name, sizeof(name), h->name, strlen(h->name));
	canvas_printf(c, y, 1, c->cols - 2, STYLE_BOLD, "%s/%u, network namespace %u", name,
		      h->now.group, h->now.netns);
}

static int draw_wrapped(struct canvas *c, int y, int n, const char *word, const char *text)
{
	char line[256];

	canvas_text(c, y, 1, 6, STYLE_BOLD, word);
	for (int i = 0; i < n && canvas_wrap(&text, c->cols - 8, line, sizeof(line)); i++)
		canvas_text(c, y++, 7, c->cols - 8, STYLE_NORMAL, line);
	return y;
}

static size_t page(const struct ui *ui)
{
	int n = ui->rows - FIRST_ROW - 1 - EXPLAIN_ROWS;

	return n > 1 ? (size_t)n : 1;
}

static void draw_explanation(struct canvas *c, int y, const struct line *l)
{
	canvas_fill(c, y, 0, c->cols, STYLE_FRAME, 0x2500);
	if (l->of)
		draw_wrapped(c, y + 1, 2, "",
			     "What this gateway may take of the host. A limit is a "
			     "warning and supports a cause; it never is one.");
	else if (l->row.means)
		draw_wrapped(c, draw_wrapped(c, y + 1, 2, "WHAT", l->row.means), 2, "DO",
			     l->row.todo);
}

static void draw(struct canvas *c, const struct model *m, const struct ui *ui)
{
	const struct snapshot *s = &m->shown;
	struct line l;

	canvas_fill(c, 1, 0, c->cols, STYLE_HEAD, ' ');
	draw_cells(c, 1, NULL);
	if (!s->nhosts) {
		canvas_text(c, FIRST_ROW + 1, 1, c->cols - 2, STYLE_DIM,
			    m->is_replay ? "This trace holds nothing about its host's limits."
					 : "No gateway found yet: its host's limits come with it.");
		return;
	}
	for (size_t i = 0; i < page(ui) && line_at(s, ui->host.top + i, &l); i++) {
		int y = FIRST_ROW + (int)i;

		if (l.of)
			draw_gateway(c, y, l.of);
		else
			draw_cells(c, y, &l.row);
		if (ui->host.top + i != ui->host.row)
			continue;
		canvas_text(c, y, 0, 1, STYLE_BOLD, ">");
		canvas_restyle(c, y, 0, c->cols, STYLE_CURSOR);
		draw_explanation(c, c->rows - 1 - EXPLAIN_ROWS, &l);
	}
}

static int act(struct ui *ui, const struct model *m, enum action a)
{
	if (a == ACTION_HOST) {
		ui->depth--;
		return UI_REDRAW;
	}
	if (ui_move(&ui->host.row, lines_of(&m->shown), page(ui), a))
		return UI_REDRAW;
	return a == ACTION_OPEN ? UI_REDRAW : -1;
}

static void settle(struct ui *ui, const struct model *m)
{
	size_t n = lines_of(&m->shown);

	ui->host.row = n ? min_size(ui->host.row, n - 1) : 0;
	ui_scroll_to(&ui->host.top, ui->host.row, n, page(ui));
}

static const enum action footer[] = { ACTION_HELP, ACTION_PAUSE, ACTION_BACK, ACTION_NONE };

const struct view_ops view_host = {
	.title = "host limits",
	.draw = draw,
	.act = act,
	.sync = settle,
	.footer = footer,
};
