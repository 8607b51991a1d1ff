/* SPDX-License-Identifier: BSD-2-Clause */
/* What each upstream did. Enter lists its exchanges. */
#include "tui/ui.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "tui/fmt.h"

#define FIRST_ROW 2 /* title, headings */
#define CELL_MAX  64

static void address_cell(char *out, size_t cap, const struct engine_upstream *u)
{
	text_endpoint(out, cap, &u->ip, u->port);
}

static void requests_cell(char *out, size_t cap, const struct engine_upstream *u)
{
	text_count(out, cap, u->requests);
}

static void failed_cell(char *out, size_t cap, const struct engine_upstream *u)
{
	text_count(out, cap, u->failures);
}

static void s5xx_cell(char *out, size_t cap, const struct engine_upstream *u)
{
	text_count(out, cap, u->s5xx);
}

static void connects_cell(char *out, size_t cap, const struct engine_upstream *u)
{
	text_count(out, cap, u->connects);
}

static void connect_failures_cell(char *out, size_t cap, const struct engine_upstream *u)
{
	text_count(out, cap, u->connect_failures);
}

static void resets_cell(char *out, size_t cap, const struct engine_upstream *u)
{
	text_count(out, cap, u->resets);
}

static void retrans_cell(char *out, size_t cap, const struct engine_upstream *u)
{
	text_count(out, cap, u->retrans);
}

static void open_cell(char *out, size_t cap, const struct engine_upstream *u)
{
	text_count(out, cap, u->open);
}

static void reuse_cell(char *out, size_t cap, const struct engine_upstream *u)
{
	if (u->requests)
		snprintf(out, cap, "%u%%",
			 (unsigned)(min_u64(u->reused, u->requests) * 100 / u->requests));
	else
		snprintf(out, cap, "-");
}

static void ttfb_cell(char *out, size_t cap, const struct engine_upstream *u)
{
	if (u->ttfb_count)
		text_duration(out, cap, u->ttfb_us_sum / u->ttfb_count * 1000);
	else
		snprintf(out, cap, "-");
}

static void srtt_cell(char *out, size_t cap, const struct engine_upstream *u)
{
	if (u->srtt_us)
		text_duration(out, cap, u->srtt_us * 1000ull);
	else
		snprintf(out, cap, "-");
}

static const struct {
	const char *title;
	int from_cols, w;
	bool left, alarming; /* alarming: anything but 0 is */
	void (*text)(char *out, size_t cap, const struct engine_upstream *u);
} columns[] = {
	{ "UPSTREAM", 0, 21, true, false, address_cell },
	{ "OPEN", 0, 4, false, false, open_cell },
	{ "REQ", 0, 5, false, false, requests_cell },
	{ "FAILED", 0, 6, false, true, failed_cell },
	{ "5XX", 0, 5, false, true, s5xx_cell },
	{ "CONN", 0, 5, false, false, connects_cell },
	{ "CFAIL", 104, 5, false, true, connect_failures_cell },
	{ "RST", 74, 5, false, true, resets_cell },
	{ "RETR", 92, 5, false, false, retrans_cell },
	{ "REUSE", 98, 5, false, false, reuse_cell },
	{ "TTFB", 0, 8, false, false, ttfb_cell },
	{ "SRTT", 84, 8, false, false, srtt_cell },
};

/* First and last failure: times of day, from monotonic ones. */
static void failure_times(char *out, size_t cap, const struct engine_upstream *u,
			  const struct engine_counters *n)
{
	char first[16], last[16];

	out[0] = '\0';
	if (!u->last_fail_ns)
		return;
	fmt_time_of_day(last, sizeof(last), u->last_fail_ns + n->wall_offset_ns);
	fmt_time_of_day(first, sizeof(first), u->first_fail_ns + n->wall_offset_ns);
	if (u->first_fail_ns)
		snprintf(out, cap, "%s - %s", first, last);
	else
		snprintf(out, cap, "%s", last);
}

static void draw_cells(struct canvas *c, int y, const struct model *m,
		       const struct engine_upstream *u)
{
	char cell[CELL_MAX];
	int x = 1;

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		enum style st = u ? STYLE_NORMAL : STYLE_HEAD;

		if (c->cols < columns[i].from_cols)
			continue;
		snprintf(cell, sizeof(cell), "%s", columns[i].title);
		if (u)
			columns[i].text(cell, sizeof(cell), u);
		if (u && columns[i].alarming && strcmp(cell, "0"))
			st = STYLE_BAD;
		if (columns[i].left)
			canvas_text(c, y, x, columns[i].w, u ? STYLE_INFO : st, cell);
		else
			canvas_right(c, y, x, columns[i].w, st, cell);
		x += columns[i].w + 1;
	}
	snprintf(cell, sizeof(cell), "%s", c->cols - x >= 19 ? "FAILED FROM - TO" : "");
	if (u)
		failure_times(cell, sizeof(cell), u, &m->shown.counters);
	if (c->cols - x >= 19)
		canvas_text(c, y, x + 1, c->cols - x - 1, u ? STYLE_NORMAL : STYLE_HEAD, cell);
}

static size_t page(const struct ui *ui)
{
	return ui->rows > FIRST_ROW + 2 ? (size_t)(ui->rows - FIRST_ROW - 1) : 1;
}

static void draw(struct canvas *c, const struct model *m, const struct ui *ui)
{
	const struct snapshot *s = &m->shown;

	canvas_fill(c, 1, 0, c->cols, STYLE_HEAD, ' ');
	draw_cells(c, 1, m, NULL);
	for (size_t i = 0; i < page(ui) && ui->upstreams.top + i < s->nupstreams; i++) {
		size_t row = ui->upstreams.top + i;
		int y = FIRST_ROW + (int)i;

		draw_cells(c, y, m, &s->upstreams[row]);
		if (row == ui->upstreams.row) {
			canvas_text(c, y, 0, 1, STYLE_BOLD, ">");
			canvas_restyle(c, y, 0, c->cols, STYLE_CURSOR);
		}
	}
	if (!s->nupstreams)
		canvas_text(c, FIRST_ROW + 1, 1, c->cols - 2, STYLE_DIM,
			    "No gateway has used an upstream yet.");
}

static void hold(struct ui *ui, const struct engine_upstream *u)
{
	ui->upstreams.ip = u->ip;
	ui->upstreams.port = u->port;
	ui->upstreams.is_set = true;
}

static int act(struct ui *ui, const struct model *m, enum action a)
{
	char expr[PROMPT_MAX], where[TEXT_ENDPOINT_MAX];
	const struct engine_upstream *u;

	if (a == ACTION_UPSTREAMS) {
		ui->depth--;
		return UI_REDRAW;
	}
	if (ui_move(&ui->upstreams.row, m->shown.nupstreams, page(ui), a)) {
		if (ui->upstreams.row < m->shown.nupstreams)
			hold(ui, &m->shown.upstreams[ui->upstreams.row]);
		return UI_REDRAW;
	}
	if (a != ACTION_OPEN)
		return -1;
	if (ui->upstreams.row >= m->shown.nupstreams)
		return UI_REDRAW;
	u = &m->shown.upstreams[ui->upstreams.row];
	text_endpoint(where, sizeof(where), &u->ip, u->port);
	snprintf(expr, sizeof(expr), "upstream==%s", where);
	ui->depth = 1;
	return (int)ui_set_filter(ui, expr);
}

static void settle(struct ui *ui, const struct model *m)
{
	const struct engine_upstream *u = m->shown.upstreams;
	size_t n = m->shown.nupstreams;

	for (size_t i = 0; ui->upstreams.is_set && i < n; i++)
		if (u[i].port == ui->upstreams.port &&
		    !memcmp(&u[i].ip, &ui->upstreams.ip, sizeof(u[i].ip)))
			ui->upstreams.row = i;
	ui->upstreams.row = n ? min_size(ui->upstreams.row, n - 1) : 0;
	ui_scroll_to(&ui->upstreams.top, ui->upstreams.row, n, page(ui));
}

static const enum action footer[] = { ACTION_HELP, ACTION_OPEN, ACTION_BACK, ACTION_PAUSE,
				      ACTION_NONE };

const struct view_ops view_upstreams = {
	.title = "upstreams",
	.draw = draw,
	.act = act,
	.sync = settle,
	.footer = footer,
	.enters = "Exchanges",
};
