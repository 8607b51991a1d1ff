/* SPDX-License-Identifier: BSD-2-Clause */
/* What each upstream did. Enter lists its exchanges. */
#include "tui/ui.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "base/util.h"
#include "sink/warnings.h"
#include "tui/fmt.h"

static void address_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	const struct engine_upstream *u = row;

	text_endpoint(out, cap, &u->ip, u->port);
}

#define COUNT_CELL(name, value)                                                                \
	static void name##_cell(char *out, size_t cap, const void *row, const struct model *m) \
	{                                                                                      \
		const struct engine_upstream *u = row;                                         \
                                                                                               \
		text_count(out, cap, u->value);                                                \
	}                                                                                      \
	static int by_##name(const void *a, const void *b)                                     \
	{                                                                                      \
		const struct engine_upstream *x = a, *y = b;                                   \
                                                                                               \
		return x->value < y->value ? -1 : x->value > y->value;                         \
	}
COUNT_CELL(requests, requests)
COUNT_CELL(failed, failures)
COUNT_CELL(s5xx, s5xx)
COUNT_CELL(connects, connects)
COUNT_CELL(connect_failures, connect_failures)
COUNT_CELL(resets, resets)
COUNT_CELL(retrans, retrans)
COUNT_CELL(open, open)
COUNT_CELL(in_use_max, in_use_max)

static void in_use_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	fmt_in_use(out, cap, row);
}

static void idle_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	fmt_idle(out, cap, row);
}

static double reuse_of(const struct engine_upstream *u)
{
	return u->requests ? (double)min_u64(u->reused, u->requests) / (double)u->requests : -1;
}

static void reuse_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	double share = reuse_of(row);

	if (share >= 0)
		snprintf(out, cap, "%u%%", (unsigned)(share * 100));
	else
		snprintf(out, cap, "-");
}

static void us_text(char *out, size_t cap, uint64_t us)
{
	if (us)
		text_duration(out, cap, us * 1000);
	else
		snprintf(out, cap, "-");
}

#define QUANTILE_CELL(name, i)                                                                 \
	static void name##_cell(char *out, size_t cap, const void *row, const struct model *m) \
	{                                                                                      \
		fmt_quantile(out, cap, row, i);                                                \
	}                                                                                      \
	static int by_##name(const void *a, const void *b)                                     \
	{                                                                                      \
		const struct engine_upstream *x = a, *y = b;                                   \
                                                                                               \
		return x->ttfb_us[i] < y->ttfb_us[i] ? -1 : x->ttfb_us[i] > y->ttfb_us[i];     \
	}
QUANTILE_CELL(p50, 0)
QUANTILE_CELL(p90, 1)
QUANTILE_CELL(p99, 2)

static void connect_rate_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	fmt_rate(out, cap, ((const struct engine_upstream *)row)->connects_per_s);
}

static void backend_idle_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	us_text(out, cap, warning_idle_ms(row) * 1000ull);
}

static void gateway_idle_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	us_text(out, cap, ((const struct engine_upstream *)row)->idle_gateway_ms * 1000ull);
}

/* Per hundred connects and requests: how many segments went out is not known. */
static double retrans_share_of(const struct engine_upstream *u)
{
	uint64_t n = u->connects + u->requests;

	return n ? (double)u->retrans * 100 / (double)n : 0;
}

static void retrans_share_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	double share = retrans_share_of(row);

	if (share > 0 && share < 0.095)
		snprintf(out, cap, "<0.1%%");
	else
		snprintf(out, cap, share < 9.95 && share > 0 ? "%.1f%%" : "%.0f%%", share);
}

static void srtt_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	us_text(out, cap, ((const struct engine_upstream *)row)->srtt_us);
}

/* Times of day, from monotonic ones. */
static void failure_time(char *out, size_t cap, uint64_t ns, const struct model *m)
{
	if (ns)
		fmt_time_of_day(out, cap, ns + m->shown.counters.wall_offset_ns);
	else
		snprintf(out, cap, "-");
}

static void first_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	failure_time(out, cap, ((const struct engine_upstream *)row)->first_fail_ns, m);
}

static void last_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	failure_time(out, cap, ((const struct engine_upstream *)row)->last_fail_ns, m);
}

static int by_address(const void *a, const void *b)
{
	const struct engine_upstream *x = a, *y = b;
	int d = memcmp(&x->ip, &y->ip, sizeof(x->ip));

	return d ? d : (int)x->port - (int)y->port;
}

#define BY_VALUE(name, value)                                          \
	static int by_##name(const void *a, const void *b)             \
	{                                                              \
		const struct engine_upstream *x = a, *y = b;           \
                                                                       \
		return value(x) < value(y) ? -1 : value(x) > value(y); \
	}
#define RATE_OF(u)	   ((u)->connects_per_s)
#define IN_USE_OF(u)	   ((u)->in_use)
#define IDLE_OF(u)	   ((u)->idle)
#define SRTT_OF(u)	   ((u)->srtt_us)
#define GATEWAY_IDLE_OF(u) ((u)->idle_gateway_ms)
#define FIRST_OF(u)	   ((u)->first_fail_ns)
#define LAST_OF(u)	   ((u)->last_fail_ns)
BY_VALUE(reuse, reuse_of)
BY_VALUE(connect_rate, RATE_OF)
BY_VALUE(retrans_share, retrans_share_of)
BY_VALUE(in_use, IN_USE_OF)
BY_VALUE(idle, IDLE_OF)
BY_VALUE(srtt, SRTT_OF)
BY_VALUE(backend_idle, warning_idle_ms)
BY_VALUE(gateway_idle, GATEWAY_IDLE_OF)
BY_VALUE(first, FIRST_OF)
BY_VALUE(last, LAST_OF)

static enum style info_style(const void *row, const char *text)
{
	return STYLE_INFO;
}

/* Anything but none is alarming. */
static enum style alarm_style(const void *row, const char *text)
{
	return strcmp(text, "0") ? STYLE_BAD : STYLE_NORMAL;
}

static int address_used(const struct model *m)
{
	char text[TEXT_ENDPOINT_MAX];
	int used = 0, w;

	for (size_t i = 0; i < m->shown.nupstreams; i++) {
		address_cell(text, sizeof(text), &m->shown.upstreams[i], m);
		w = canvas_width(text);
		used = w > used ? w : used;
	}
	return used;
}

/* clang-format off */
static const struct list_column columns[] = {
	{ .title = "UPSTREAM", .help = "address of the backend", .min = 21, .want = 21,
	  .max = 48, .text = address_cell, .compare = by_address, .style = info_style,
	  .used = address_used },
	{ .title = "USE", .help = "connections with a request on them", .rank = 1, .min = 4,
	  .want = 4, .max = 5, .right = true, .descends = true, .text = in_use_cell,
	  .compare = by_in_use },
	{ .title = "IDLE", .help = "connections kept without a request", .rank = 2, .min = 4,
	  .want = 4, .max = 5, .right = true, .descends = true, .text = idle_cell,
	  .compare = by_idle },
	{ .title = "MAX", .help = "most in use in the last minute", .rank = 8, .min = 4,
	  .want = 4, .max = 5, .right = true, .descends = true, .text = in_use_max_cell,
	  .compare = by_in_use_max },
	{ .title = "OPEN", .help = "connections open now, by their records", .rank = 10,
	  .min = 4, .want = 4, .max = 5, .right = true, .descends = true, .is_off = true,
	  .text = open_cell, .compare = by_open },
	{ .title = "REQ", .help = "requests sent to it", .min = 5, .want = 5, .max = 5,
	  .right = true, .descends = true, .text = requests_cell, .compare = by_requests },
	{ .title = "FAILED", .help = "attempts that failed", .min = 6, .want = 6, .max = 6,
	  .right = true, .descends = true, .text = failed_cell, .compare = by_failed,
	  .style = alarm_style },
	{ .title = "5XX", .help = "answers of 500 and above", .rank = 1, .min = 5, .want = 5,
	  .max = 5, .right = true, .descends = true, .text = s5xx_cell, .compare = by_s5xx,
	  .style = alarm_style },
	{ .title = "CON/S", .help = "connections opened per second", .rank = 3, .min = 5,
	  .want = 5, .max = 5, .right = true, .descends = true, .text = connect_rate_cell,
	  .compare = by_connect_rate },
	{ .title = "CONN", .help = "connections opened", .rank = 8, .min = 5, .want = 5, .max = 5,
	  .right = true, .descends = true, .text = connects_cell, .compare = by_connects },
	{ .title = "CFAIL", .help = "connects that failed", .rank = 7, .min = 5, .want = 5,
	  .max = 5, .right = true, .descends = true, .text = connect_failures_cell,
	  .compare = by_connect_failures, .style = alarm_style },
	{ .title = "RST", .help = "resets received", .rank = 2, .min = 5, .want = 5, .max = 5,
	  .right = true, .descends = true, .text = resets_cell, .compare = by_resets,
	  .style = alarm_style },
	{ .title = "RETR", .help = "segments sent again", .rank = 9, .min = 5, .want = 5, .max = 5,
	  .right = true, .descends = true, .text = retrans_cell, .compare = by_retrans },
	{ .title = "RETR%", .help = "segments sent again per 100 connects and requests", .rank = 4, .min = 5,
	  .want = 5, .max = 6, .right = true, .descends = true, .text = retrans_share_cell,
	  .compare = by_retrans_share },
	{ .title = "REUSE", .help = "share of requests on a reused connection", .rank = 6,
	  .min = 5, .want = 5, .max = 5, .right = true, .descends = true, .text = reuse_cell,
	  .compare = by_reuse },
	{ .title = "P50", .help = "first byte of an answer: half came sooner; ~ see the manual",
	  .rank = 5, .min = 9, .want = 9, .max = 9, .right = true, .descends = true,
	  .text = p50_cell, .compare = by_p50 },
	{ .title = "P90", .help = "first byte: nine of ten came sooner", .rank = 7, .min = 9,
	  .want = 9, .max = 9, .right = true, .descends = true, .text = p90_cell,
	  .compare = by_p90 },
	{ .title = "P99", .help = "first byte: 99 of 100 came sooner", .rank = 1, .min = 9,
	  .want = 9, .max = 9, .right = true, .descends = true, .text = p99_cell,
	  .compare = by_p99 },
	{ .title = "SRTT", .help = "round trip as TCP measures it, newest", .rank = 5,
	  .min = 8, .want = 8, .max = 8, .right = true, .descends = true, .text = srtt_cell,
	  .compare = by_srtt },
	{ .title = "B-IDLE", .help = "the backend closes idle connections after", .rank = 9,
	  .min = 8, .want = 8, .max = 8, .right = true, .descends = true, .is_off = true,
	  .text = backend_idle_cell, .compare = by_backend_idle },
	{ .title = "G-IDLE", .help = "the gateway closes idle connections after", .rank = 9,
	  .min = 8, .want = 8, .max = 8, .right = true, .descends = true, .is_off = true,
	  .text = gateway_idle_cell, .compare = by_gateway_idle },
	{ .title = "FIRST", .help = "first failure", .rank = 8, .min = 8, .want = 8, .max = 8,
	  .text = first_cell, .compare = by_first },
	{ .title = "LAST", .help = "last failure", .rank = 8, .min = 8, .want = 8, .max = 8,
	  .descends = true, .text = last_cell, .compare = by_last },
};
/* clang-format on */

static size_t count(const struct model *m)
{
	return m->shown.nupstream_rows;
}

static const void *row_at(const struct model *m, size_t i)
{
	return &m->shown.upstreams[m->shown.upstream_rows[i]];
}

/* Two upstreams with one id only share a cursor. */
static uint64_t id_of(const void *row)
{
	const struct engine_upstream *u = row;

	return hash_bytes(&u->ip, sizeof(u->ip), u->port);
}

#define SORT_AT_START 6 /* FAILED */

static const struct list_ops upstreams_list = {
	.title = "Upstreams",
	.empty = "No gateway has used an upstream yet.",
	.columns = columns,
	.ncolumns = ARRAY_SIZE(columns),
	.sort = SORT_AT_START,
	.natural = -1,
	.count = count,
	.row = row_at,
	.id = id_of,
};

static int act(struct ui *ui, const struct model *m, enum action a)
{
	char expr[PROMPT_MAX], where[TEXT_ENDPOINT_MAX];
	const struct engine_upstream *u = list_current(ui_list(ui), &upstreams_list, m);

	if (a == ACTION_UPSTREAMS) {
		ui->depth--;
		return UI_REDRAW;
	}
	if (a != ACTION_OPEN)
		return -1;
	if (!u)
		return UI_REDRAW;
	text_endpoint(where, sizeof(where), &u->ip, u->port);
	snprintf(expr, sizeof(expr), "upstream==%s", where);
	return (int)ui_enter_row(ui, expr);
}

static const enum action footer[] = { ACTION_HELP,    ACTION_BACK,  ACTION_OPEN, ACTION_SORT,
				      ACTION_COLUMNS, ACTION_PAUSE, ACTION_NONE };

const struct view_ops view_upstreams = {
	.title = "upstreams",
	.list = &upstreams_list,
	.act = act,
	.footer = footer,
	.enters = "Exchanges",
};
