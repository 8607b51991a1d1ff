/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bad exchanges by endpoint, by client network, by gateway process: three views of one
 * shape. Enter lists the exchanges of a row.
 */
#include "tui/ui.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "base/util.h"
#include "tui/fmt.h"

static const struct {
	const char *one, *many;
} words[FACET_MAX] = {
	[FACET_ENDPOINT] = { "endpoint", "endpoints" },
	[FACET_CLIENT] = { "client network", "client networks" },
	[FACET_GATEWAY] = { "gateway process", "gateway processes" },
};

/* ---- cells ---- */

static void count_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	text_count(out, cap, ((const struct facet_row *)row)->count);
}

static void share_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	snprintf(out, cap, "%u%%", ((const struct facet_row *)row)->share);
}

static void rate_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	fmt_rate(out, cap, ((const struct facet_row *)row)->rate);
}

static void first_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	fmt_time_of_day(out, cap, ((const struct facet_row *)row)->first_wall_ns);
}

static void last_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	fmt_time_of_day(out, cap, ((const struct facet_row *)row)->last_wall_ns);
}

static void cause_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	snprintf(out, cap, "%s", cause_name(((const struct facet_row *)row)->cause));
}

static void cause_share_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	snprintf(out, cap, "%u%%", ((const struct facet_row *)row)->cause_share);
}

static const struct {
	const char *mark, *text;
} trends[] = {
	[TREND_STEADY] = { " ", "steady" },
	[TREND_UP] = { "↑", "rising" },
	[TREND_DOWN] = { "↓", "falling" },
	[TREND_OVER] = { " ", "over" },
};

/* The arrow alone: where the word has no column. */
static void arrow_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	snprintf(out, cap, "%s", trends[((const struct facet_row *)row)->trend].mark);
}

static void trend_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	snprintf(out, cap, "%s", trends[((const struct facet_row *)row)->trend].text);
}

/* The last minute in blocks of 5 s. */
static void spark_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	const struct facet_row *r = row;
	uint32_t max = 1;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(r->recent); i++)
		max = max > r->recent[i] ? max : r->recent[i];
	for (size_t i = 0; i < ARRAY_SIZE(r->recent) && n + 5 < cap; i++) {
		uint32_t level = !r->recent[i] ? 0 : max < 2 ? 7 : 1 + (r->recent[i] * 6) / max;

		n += canvas_utf8(0x2581 + level, out + n);
	}
}

/* Endpoints of one Host need not repeat it: its length, if all rows have the same. */
static size_t common_host(const struct facet_rank *r, enum facet facet)
{
	size_t len = r->n ? strcspn(r->rows[0].label, "/") : 0;

	if (facet != FACET_ENDPOINT)
		return 0;
	for (size_t i = 1; i < r->n; i++)
		if (strcspn(r->rows[i].label, "/") != len ||
		    memcmp(r->rows[i].label, r->rows[0].label, len))
			return 0;
	return len;
}

static void label_text(char *out, size_t cap, const void *row, const struct model *m,
		       enum facet facet)
{
	size_t skip = common_host(&m->shown.facets[facet], facet);
	char text[FACET_LABEL_MAX];

	facet_row_text(text, sizeof(text), facet, row);
	snprintf(out, cap, "%s", text + min_size(skip, strlen(text)));
}

static int label_used(const struct model *m, enum facet facet)
{
	const struct facet_rank *r = &m->shown.facets[facet];
	char text[FACET_LABEL_MAX];
	int used = 0, w;

	for (size_t i = 0; i < r->n; i++) {
		label_text(text, sizeof(text), &r->rows[i], m, facet);
		w = canvas_width(text);
		used = w > used ? w : used;
	}
	return used;
}

/* ---- order and looks ---- */

#define BY_NUMBER(name, value)                                         \
	static int by_##name(const void *a, const void *b)             \
	{                                                              \
		const struct facet_row *x = a, *y = b;                 \
                                                                       \
		return x->value < y->value ? -1 : x->value > y->value; \
	}
BY_NUMBER(count, count)
BY_NUMBER(first, first_wall_ns)
BY_NUMBER(last, last_wall_ns)
BY_NUMBER(cause_share, cause_share)

static int by_label(const void *a, const void *b)
{
	return strcmp(((const struct facet_row *)a)->label, ((const struct facet_row *)b)->label);
}

static int by_cause(const void *a, const void *b)
{
	return strcmp(cause_name(((const struct facet_row *)a)->cause),
		      cause_name(((const struct facet_row *)b)->cause));
}

static int trend_rank(const void *row)
{
	static const int rank[] = {
		[TREND_OVER] = 0, [TREND_DOWN] = 1, [TREND_STEADY] = 2, [TREND_UP] = 3
	};

	return rank[((const struct facet_row *)row)->trend];
}

static int by_trend(const void *a, const void *b)
{
	return trend_rank(a) - trend_rank(b);
}

static int by_recent(const void *a, const void *b)
{
	const struct facet_row *x = a, *y = b;
	uint64_t sum[2] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(x->recent); i++) {
		sum[0] += x->recent[i];
		sum[1] += y->recent[i];
	}
	return sum[0] < sum[1] ? -1 : sum[0] > sum[1];
}

static enum style row_style(const void *row)
{
	return ((const struct facet_row *)row)->trend == TREND_OVER ? STYLE_DIM : STYLE_NORMAL;
}

static enum style info_style(const void *row, const char *text)
{
	return STYLE_INFO;
}

static enum style bad_style(const void *row, const char *text)
{
	return STYLE_BAD;
}

static enum style bold_style(const void *row, const char *text)
{
	return STYLE_BOLD;
}

static enum style trend_style(const void *row, const char *text)
{
	return ((const struct facet_row *)row)->trend == TREND_UP ? STYLE_BAD : STYLE_NORMAL;
}

/* ---- columns ---- */

/* clang-format off */
#define COLUMNS                                                                                  \
	{ .title = "COUNT", .help = "bad exchanges in the window", .min = 5, .want = 5,          \
	  .max = 5, .right = true, .descends = true, .text = count_cell, .compare = by_count,    \
	  .style = bad_style },                                                                  \
	{ .title = "SHARE", .help = "of all bad exchanges", .min = 5, .want = 5, .max = 5,       \
	  .right = true, .descends = true, .text = share_cell, .compare = by_count },            \
	{ .title = "/S", .help = "per second", .rank = 2, .min = 5, .want = 5, .max = 5,         \
	  .right = true, .descends = true, .text = rate_cell, .compare = by_count },             \
	{ .title = "FIRST", .help = "first seen", .rank = 1, .min = 8, .want = 8, .max = 8,      \
	  .text = first_cell, .compare = by_first },                                             \
	{ .title = "LAST", .help = "last seen", .min = 8, .want = 8, .max = 8,                   \
	  .descends = true, .text = last_cell, .compare = by_last },                             \
	{ .title = "", .help = "rising or falling, as an arrow", .min = 1, .want = 1, .max = 1,  \
	  .descends = true, .text = arrow_cell, .compare = by_trend, .style = trend_style },     \
	{ .title = "TREND", .help = "the last 30 s against the 30 s before", .rank = 5,          \
	  .min = 7, .want = 7, .max = 7, .descends = true, .text = trend_cell,                   \
	  .compare = by_trend, .style = trend_style },                                           \
	{ .title = "TOP CAUSE", .help = "the most frequent one", .min = 15, .want = 15,          \
	  .max = 27, .text = cause_cell, .compare = by_cause, .style = bold_style },             \
	{ .title = "ITS %", .help = "share of that cause", .rank = 4, .min = 5, .want = 5,       \
	  .max = 5, .right = true, .descends = true, .text = cause_share_cell,                   \
	  .compare = by_cause_share },                                                           \
	{ .title = "LAST MIN", .help = "the last minute in steps of 5 s", .rank = 6,             \
	  .min = 12, .want = 12, .max = 12, .descends = true, .text = spark_cell,                \
	  .compare = by_recent, .style = bad_style }
/* clang-format on */

#define SORT_AT_START 1 /* COUNT */

static uint64_t id_of(const void *row)
{
	const struct facet_row *r = row;

	return hash_bytes(r->label, strlen(r->label), 0);
}

/* "101 bad exchanges, last 5 min: 3 endpoints" and what is in no row. */
static void draw_summary(struct canvas *c, enum facet facet, const struct facet_rank *r,
			 const struct ui *ui)
{
	size_t host_len = common_host(r, facet);
	bool is_narrowed = ui->filter[0] && !ui->filter_is_row;
	char total[16], others[16];
	int x = 1;

	text_count(total, sizeof(total), r->total);
	text_count(others, sizeof(others), r->others);
	if (!r->n) {
		x += canvas_text(c, 1, 1, c->cols - 2, is_narrowed ? STYLE_NORMAL : STYLE_GOOD,
				 is_narrowed ? "No bad exchange matches."
					     : "No bad exchange seen.");
		if (is_narrowed)
			ui_draw_filter(c, 1, x + 2, ui);
		return;
	}
	x += canvas_printf(c, 1, x, c->cols - x, STYLE_BOLD, "%s bad exchange%s, %s: %zu %s", total,
			   text_plural(r->total), group_window_name(r->window), r->n,
			   r->n == 1 ? words[facet].one : words[facet].many);
	if (host_len)
		x += canvas_printf(c, 1, x, c->cols - x, STYLE_BOLD, " of %.*s", (int)host_len,
				   r->rows[0].label);
	if (r->others)
		x += canvas_printf(c, 1, x, c->cols - x, STYLE_DIM, ", and %s of %llu others",
				   others, (unsigned long long)r->folded);
	if (is_narrowed)
		ui_draw_filter(c, 1, x + 2, ui);
}

static int act(struct ui *ui, const struct model *m, enum action a, enum facet facet,
	       enum action own)
{
	const struct facet_row *r = list_current(ui_list(ui), ui_list_ops(ui), m);
	char expr[PROMPT_MAX];

	if (a == own) {
		ui->depth--;
		return UI_REDRAW;
	}
	if (a != ACTION_OPEN)
		return -1;
	if (!r)
		return UI_REDRAW;
	facet_row_filter(expr, sizeof(expr), facet, r);
	return (int)ui_enter_row(ui, expr);
}

static const enum action footer[] = { ACTION_HELP,	ACTION_OPEN,	ACTION_WINDOW,
				      ACTION_ENDPOINTS, ACTION_CLIENTS, ACTION_WORKERS,
				      ACTION_SORT,	ACTION_PAUSE,	ACTION_BACK,
				      ACTION_NONE };

#define FACET_VIEW(name, facet, own, head, view)                                               \
	static void name##_cell(char *out, size_t cap, const void *row, const struct model *m) \
	{                                                                                      \
		label_text(out, cap, row, m, facet);                                           \
	}                                                                                      \
	static int name##_used(const struct model *m)                                          \
	{                                                                                      \
		return label_used(m, facet);                                                   \
	}                                                                                      \
	static size_t count_##name(const struct model *m)                                      \
	{                                                                                      \
		return m->shown.facets[facet].n;                                               \
	}                                                                                      \
	static const void *row_of_##name(const struct model *m, size_t i)                      \
	{                                                                                      \
		return &m->shown.facets[facet].rows[i];                                        \
	}                                                                                      \
	static const struct list_column name##_columns[] = {                                   \
		{ .title = head,                                                               \
		  .help = "what is counted",                                                   \
		  .min = 16,                                                                   \
		  .want = 24,                                                                  \
		  .ample = 40,                                                                 \
		  .max = 96,                                                                   \
		  .text = name##_cell,                                                         \
		  .compare = by_label,                                                         \
		  .style = info_style,                                                         \
		  .used = name##_used },                                                       \
		COLUMNS,                                                                       \
	};                                                                                     \
	static const struct list_ops name##_list = {                                           \
		.title = head,                                                                 \
		.columns = name##_columns,                                                     \
		.ncolumns = ARRAY_SIZE(name##_columns),                                        \
		.sort = SORT_AT_START,                                                         \
		.natural = -1,                                                                 \
		.count = count_##name,                                                         \
		.row = row_of_##name,                                                          \
		.id = id_of,                                                                   \
		.row_style = row_style,                                                        \
	};                                                                                     \
	static void draw_##name(struct canvas *c, const struct model *m, const struct ui *ui)  \
	{                                                                                      \
		draw_summary(c, facet, &m->shown.facets[facet], ui);                           \
		list_draw(c, &ui->lists[view], &name##_list, m, ui);                           \
	}                                                                                      \
	static int act_##name(struct ui *ui, const struct model *m, enum action a)             \
	{                                                                                      \
		return act(ui, m, a, facet, own);                                              \
	}                                                                                      \
	const struct view_ops view_##name = {                                                  \
		.title = #name,                                                                \
		.list = &name##_list,                                                          \
		.draw = draw_##name,                                                           \
		.act = act_##name,                                                             \
		.footer = footer,                                                              \
		.enters = "Exchanges",                                                         \
	}

FACET_VIEW(endpoints, FACET_ENDPOINT, ACTION_ENDPOINTS, "ENDPOINT", VIEW_ENDPOINTS);
FACET_VIEW(clients, FACET_CLIENT, ACTION_CLIENTS, "CLIENT NETWORK", VIEW_CLIENTS);
FACET_VIEW(workers, FACET_GATEWAY, ACTION_WORKERS, "GATEWAY PROCESS", VIEW_WORKERS);
