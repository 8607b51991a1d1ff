/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bad exchanges by endpoint, by client network, by gateway process: three views of one
 * shape. Enter lists the exchanges of a row.
 */
#include "tui/ui.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "tui/fmt.h"

#define HEAD_ROW  2 /* title, summary, headings */
#define FIRST_ROW 3
#define CELL_MAX  FACET_LABEL_MAX

static const struct {
	const char *head, *one, *many;
} words[FACET_MAX] = {
	[FACET_ENDPOINT] = { "ENDPOINT", "endpoint", "endpoints" },
	[FACET_CLIENT] = { "CLIENT NETWORK", "client network", "client networks" },
	[FACET_GATEWAY] = { "GATEWAY PROCESS", "gateway process", "gateway processes" },
};

static void count_cell(char *out, size_t cap, const struct facet_row *r)
{
	text_count(out, cap, r->count);
}

static void share_cell(char *out, size_t cap, const struct facet_row *r)
{
	snprintf(out, cap, "%u%%", r->share);
}

static void rate_cell(char *out, size_t cap, const struct facet_row *r)
{
	fmt_rate(out, cap, r->rate);
}

static void first_cell(char *out, size_t cap, const struct facet_row *r)
{
	fmt_time_of_day(out, cap, r->first_wall_ns);
}

static void last_cell(char *out, size_t cap, const struct facet_row *r)
{
	fmt_time_of_day(out, cap, r->last_wall_ns);
}

static void cause_cell(char *out, size_t cap, const struct facet_row *r)
{
	snprintf(out, cap, "%s", cause_name(r->cause));
}

static void cause_share_cell(char *out, size_t cap, const struct facet_row *r)
{
	snprintf(out, cap, "%u%%", r->cause_share);
}

static const char *const trend_mark[] = {
	[TREND_STEADY] = " ",
	[TREND_UP] = "↑",
	[TREND_DOWN] = "↓",
	[TREND_OVER] = " ",
};

static void trend_cell(char *out, size_t cap, const struct facet_row *r)
{
	static const char *const word[] = {
		[TREND_STEADY] = "steady",
		[TREND_UP] = "rising",
		[TREND_DOWN] = "falling",
		[TREND_OVER] = "over",
	};

	snprintf(out, cap, "%s %s", trend_mark[r->trend], word[r->trend]);
}

/* The label takes what is left. */
static const struct column {
	const char *title;
	int from_cols, w, wide;
	bool left;
	void (*text)(char *out, size_t cap, const struct facet_row *r);
} columns[] = {
	{ "COUNT", 0, 5, 5, false, count_cell },
	{ "SHARE", 0, 5, 5, false, share_cell },
	{ "/S", 72, 5, 5, false, rate_cell },
	{ "FIRST", 76, 8, 8, true, first_cell },
	{ "LAST", 0, 8, 8, true, last_cell },
	{ "TREND", 0, 1, 9, true, trend_cell }, /* narrow: the arrow alone */
	{ "TOP CAUSE", 0, 15, 27, true, cause_cell },
	{ "ITS %", 100, 5, 5, false, cause_share_cell },
};

#define WIDE_FROM      116
#define SPARK_FROM     132
#define LABEL_MAX_COLS 96

static int column_width(int i, int cols)
{
	if (cols < columns[i].from_cols)
		return 0;
	return cols >= WIDE_FROM ? columns[i].wide : columns[i].w;
}

static int label_width(int cols)
{
	int w = cols - 2;

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		w -= column_width((int)i, cols) ? column_width((int)i, cols) + 1 : 0;
	if (cols >= SPARK_FROM)
		w -= (int)ARRAY_SIZE(((struct facet_row *)0)->recent) + 1;
	return w < LABEL_MAX_COLS ? w : LABEL_MAX_COLS;
}

static enum style cell_style(size_t i, const struct facet_row *r)
{
	if (r->trend == TREND_OVER)
		return STYLE_DIM;
	if (columns[i].text == count_cell)
		return STYLE_BAD;
	if (columns[i].text == cause_cell)
		return STYLE_BOLD;
	return columns[i].text == trend_cell && r->trend == TREND_UP ? STYLE_BAD : STYLE_NORMAL;
}

/* The last minute in blocks of 5 s. */
static void draw_spark(struct canvas *c, int y, int x, const struct facet_row *r)
{
	uint32_t max = 1;

	for (size_t i = 0; i < ARRAY_SIZE(r->recent); i++)
		max = max > r->recent[i] ? max : r->recent[i];
	for (size_t i = 0; i < ARRAY_SIZE(r->recent); i++) {
		uint32_t level = !r->recent[i] ? 0 : max < 2 ? 7 : 1 + (r->recent[i] * 6) / max;

		canvas_fill(c, y, x + (int)i, 1, level ? STYLE_BAD : STYLE_DIM, 0x2581 + level);
	}
}

/* Endpoints of one Host need not repeat it: its length, if all rows have the same. */
static size_t common_host(const struct facet_rank *r, enum facet facet)
{
	size_t len = r->n ? strcspn(r->rows[0].label, "/") : 0;

	if (facet != FACET_ENDPOINT || r->n < 2)
		return 0;
	for (size_t i = 1; i < r->n; i++)
		if (strcspn(r->rows[i].label, "/") != len ||
		    memcmp(r->rows[i].label, r->rows[0].label, len))
			return 0;
	return len;
}

static void draw_cells(struct canvas *c, int y, enum facet facet, const struct facet_row *r,
		       size_t skip)
{
	char cell[CELL_MAX];
	int x = 1, w = label_width(c->cols);

	if (r)
		facet_row_text(cell, sizeof(cell), facet, r);
	canvas_text(c, y, x, w,
		    !r			     ? STYLE_HEAD
		    : r->trend == TREND_OVER ? STYLE_DIM
					     : STYLE_INFO,
		    r ? cell + skip : words[facet].head);
	x += w + 1;
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		enum style st = r ? cell_style(i, r) : STYLE_HEAD;

		w = column_width((int)i, c->cols);
		if (!w)
			continue;
		snprintf(cell, sizeof(cell), "%s", columns[i].title);
		if (r)
			columns[i].text(cell, sizeof(cell), r);
		if (w == 1) /* no room for an ellipsis either */
			canvas_text(c, y, x, w, st, r ? trend_mark[r->trend] : "");
		else if (columns[i].left)
			canvas_text(c, y, x, w, st, cell);
		else
			canvas_right(c, y, x, w, st, cell);
		x += w + 1;
	}
	if (r && c->cols >= SPARK_FROM)
		draw_spark(c, y, x, r);
	else if (c->cols >= SPARK_FROM)
		canvas_text(c, y, x, c->cols - x, STYLE_HEAD, "LAST MIN");
}

static size_t page(const struct ui *ui)
{
	return ui->rows > FIRST_ROW + 2 ? (size_t)(ui->rows - FIRST_ROW - 1) : 1;
}

/* "101 bad exchanges, last 5 min: 3 endpoints" and what is in no row. */
static void draw_summary(struct canvas *c, enum facet facet, const struct facet_rank *r,
			 size_t host_len)
{
	char total[16], others[16];
	int x = 1;

	text_count(total, sizeof(total), r->total);
	text_count(others, sizeof(others), r->others);
	if (!r->n) {
		canvas_text(c, 1, 1, c->cols - 2, STYLE_GOOD, "No bad exchange seen.");
		return;
	}
	x += canvas_printf(c, 1, x, c->cols - x, STYLE_BOLD, "%s bad exchange%s, %s: %zu %s", total,
			   r->total == 1 ? "" : "s", group_window_name(r->window), r->n,
			   r->n == 1 ? words[facet].one : words[facet].many);
	if (host_len)
		x += canvas_printf(c, 1, x, c->cols - x, STYLE_BOLD, " of %.*s", (int)host_len,
				   r->rows[0].label);
	if (r->others)
		canvas_printf(c, 1, x, c->cols - x, STYLE_DIM, ", and %s of %llu others", others,
			      (unsigned long long)r->folded);
}

static void draw(struct canvas *c, const struct model *m, const struct ui *ui, enum facet facet)
{
	const struct facet_rank *r = &m->shown.facets[facet];
	size_t skip = common_host(r, facet);

	draw_summary(c, facet, r, skip);
	canvas_fill(c, HEAD_ROW, 0, c->cols, STYLE_HEAD, ' ');
	draw_cells(c, HEAD_ROW, facet, NULL, 0);
	for (size_t i = 0; i < page(ui) && ui->facets[facet].top + i < r->n; i++) {
		size_t row = ui->facets[facet].top + i;
		int y = FIRST_ROW + (int)i;

		draw_cells(c, y, facet, &r->rows[row], skip);
		if (row == ui->facets[facet].row) {
			canvas_text(c, y, 0, 1, STYLE_BOLD, ">");
			canvas_restyle(c, y, 0, c->cols, STYLE_CURSOR);
		}
	}
}

static void hold(struct ui *ui, const struct facet_rank *r, enum facet facet)
{
	size_t row = ui->facets[facet].row;

	if (row < r->n)
		memcpy(ui->facets[facet].label, r->rows[row].label,
		       sizeof(ui->facets[facet].label));
}

static int act(struct ui *ui, const struct model *m, enum action a, enum facet facet,
	       enum action own)
{
	const struct facet_rank *r = &m->shown.facets[facet];
	char expr[PROMPT_MAX];

	if (a == own) {
		ui->depth--;
		return UI_REDRAW;
	}
	if (ui_move(&ui->facets[facet].row, r->n, page(ui), a)) {
		hold(ui, r, facet);
		return UI_REDRAW;
	}
	if (a != ACTION_OPEN)
		return -1;
	if (ui->facets[facet].row >= r->n)
		return UI_REDRAW;
	hold(ui, r, facet);
	facet_row_filter(expr, sizeof(expr), facet, &r->rows[ui->facets[facet].row]);
	ui->depth = 1;
	return (int)ui_set_filter(ui, expr);
}

static void settle(struct ui *ui, const struct model *m, enum facet facet)
{
	const struct facet_rank *r = &m->shown.facets[facet];
	size_t *row = &ui->facets[facet].row;

	for (size_t i = 0; ui->facets[facet].label[0] && i < r->n; i++) {
		if (!strcmp(r->rows[i].label, ui->facets[facet].label)) {
			*row = i;
			break;
		}
	}
	*row = r->n ? min_size(*row, r->n - 1) : 0;
	ui_scroll_to(&ui->facets[facet].top, *row, r->n, page(ui));
}

static const enum action footer[] = { ACTION_HELP,	ACTION_OPEN,	ACTION_WINDOW,
				      ACTION_ENDPOINTS, ACTION_CLIENTS, ACTION_WORKERS,
				      ACTION_PAUSE,	ACTION_BACK,	ACTION_NONE };

#define FACET_VIEW(name, facet, own)                                                          \
	static void draw_##name(struct canvas *c, const struct model *m, const struct ui *ui) \
	{                                                                                     \
		draw(c, m, ui, facet);                                                        \
	}                                                                                     \
	static int act_##name(struct ui *ui, const struct model *m, enum action a)            \
	{                                                                                     \
		return act(ui, m, a, facet, own);                                             \
	}                                                                                     \
	static void settle_##name(struct ui *ui, const struct model *m)                       \
	{                                                                                     \
		settle(ui, m, facet);                                                         \
	}                                                                                     \
	const struct view_ops view_##name = {                                                 \
		.title = #name,                                                               \
		.draw = draw_##name,                                                          \
		.act = act_##name,                                                            \
		.sync = settle_##name,                                                        \
		.footer = footer,                                                             \
		.enters = "Exchanges",                                                        \
	}

FACET_VIEW(endpoints, FACET_ENDPOINT, ACTION_ENDPOINTS);
FACET_VIEW(clients, FACET_CLIENT, ACTION_CLIENTS);
FACET_VIEW(workers, FACET_GATEWAY, ACTION_WORKERS);
