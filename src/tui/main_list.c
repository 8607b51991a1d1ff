/* SPDX-License-Identifier: BSD-2-Clause */
/* The bad exchanges as a list: one row per column, what it shows and how it sorts. */
#include "tui/main_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "tui/fmt.h"

/* ---- cells ---- */

static void time_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	text_time_of_day(out, cap, ((const struct finding *)row)->wall_ns);
}

static void id_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	snprintf(out, cap, "#%llu", (unsigned long long)((const struct finding *)row)->id);
}

static void client_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	fmt_client(out, cap, row);
}

static void host_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	const struct finding *f = row;

	text_escape(out, cap, f->host, strlen(f->host));
}

static void request_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	fmt_request(out, cap, row);
}

static void status_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	fmt_status(out, cap, row);
}

static void ms_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	fmt_ms(out, cap, ((const struct finding *)row)->duration_ns);
}

static void cause_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	snprintf(out, cap, "%s", cause_name(((const struct finding *)row)->cause));
}

static void upstream_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	fmt_upstream(out, cap, row);
}

static void tries_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	snprintf(out, cap, "%zu", ((const struct finding *)row)->nattempts);
}

static void verdict_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	snprintf(out, cap, "%s", verdict_name(((const struct finding *)row)->verdict));
}

static void confidence_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	snprintf(out, cap, "%s", confidence_name(((const struct finding *)row)->confidence));
}

static void gateway_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	const struct finding *f = row;
	size_t n = text_escape(out, cap, f->gateway_name, strlen(f->gateway_name));

	if (f->down.tgid)
		snprintf(out + n, cap - n, "/%u", f->down.tgid);
}

static void seen_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	snprintf(out, cap, "%s", sight_name(((const struct finding *)row)->sight));
}

/* ---- order ---- */

static int by_number(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

#define BY_NUMBER(name, value)                                            \
	static int by_##name(const void *a, const void *b)                \
	{                                                                 \
		const struct finding *x = a, *y = b;                      \
                                                                          \
		return by_number((uint64_t)x->value, (uint64_t)y->value); \
	}
BY_NUMBER(id, id)
BY_NUMBER(status, status)
BY_NUMBER(ms, duration_ns)
BY_NUMBER(tries, nattempts)
BY_NUMBER(verdict, verdict)
BY_NUMBER(confidence, confidence)
BY_NUMBER(sight, sight)

static int by_client(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	return memcmp(&x->down.remote, &y->down.remote, sizeof(x->down.remote));
}

static int by_host(const void *a, const void *b)
{
	return strcmp(((const struct finding *)a)->host, ((const struct finding *)b)->host);
}

static int by_request(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int d = strcmp(x->target, y->target);

	return d ? d : strcmp(x->method, y->method);
}

static int by_cause(const void *a, const void *b)
{
	return strcmp(cause_name(((const struct finding *)a)->cause),
		      cause_name(((const struct finding *)b)->cause));
}

static int by_upstream(const void *a, const void *b)
{
	const struct attempt *x = fmt_deciding_attempt(a), *y = fmt_deciding_attempt(b);
	int d;

	if (!x || !y)
		return !!x - !!y;
	d = memcmp(&x->leg.remote, &y->leg.remote, sizeof(x->leg.remote));
	return d ? d : by_number(x->leg.rport, y->leg.rport);
}

static int by_gateway(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int d = strcmp(x->gateway_name, y->gateway_name);

	return d ? d : by_number(x->down.tgid, y->down.tgid);
}

/* ---- columns ---- */

static enum style bad_style(const void *row, const char *text)
{
	return STYLE_BAD;
}

static enum style bold_style(const void *row, const char *text)
{
	return STYLE_BOLD;
}

static enum style info_style(const void *row, const char *text)
{
	return STYLE_INFO;
}

/* From the groups of the WHY panel. */
static int used_by_groups(const struct model *m,
			  void (*cell)(char *, size_t, const void *, const struct model *))
{
	const struct group_rank *r = &m->shown.rank;
	char text[LIST_CELL_MAX];
	int used = 0, w;

	for (size_t i = 0; i < r->n; i++) {
		cell(text, sizeof(text), r->rows[i].newest, m);
		w = canvas_width(text);
		used = w > used ? w : used;
	}
	return used;
}

static int cause_used(const struct model *m)
{
	return used_by_groups(m, cause_cell);
}

static int upstream_used(const struct model *m)
{
	return used_by_groups(m, upstream_cell);
}

/* clang-format off */
static const struct list_column columns[] = {
	{ .title = "TIME", .help = "when the answer, or the end without one, went out",
	  .min = 12, .want = 12, .max = 12, .text = time_cell, .compare = by_id },
	{ .title = "ID", .help = "number of the finding", .rank = 10,
	  .min = 6, .want = 6, .max = 8, .right = true, .is_off = true, .descends = true,
	  .text = id_cell, .compare = by_id },
	{ .title = "CLIENT", .help = "address of the client", .rank = 4,
	  .min = 15, .want = 15, .max = 15, .text = client_cell, .compare = by_client },
	{ .title = "HOST", .help = "host the client asked for", .rank = 9,
	  .min = 14, .want = 16, .max = 24, .text = host_cell, .compare = by_host },
	{ .title = "REQUEST", .help = "method and target", .min = 7, .want = 16,
	  .ample = 36,
	  .text = request_cell, .compare = by_request },
	{ .title = "ST", .help = "status the client got; --- is none at all",
	  .min = 3, .want = 3, .max = 3, .descends = true, .text = status_cell,
	  .compare = by_status, .style = bad_style },
	{ .title = "MS", .help = "milliseconds from the request to that moment", .rank = 3,
	  .min = 6, .want = 6, .max = 6, .right = true, .descends = true, .text = ms_cell,
	  .compare = by_ms },
	{ .title = "CAUSE", .help = "why: a name of docs/causes.md", .min = 14, .want = 15,
	  .max = 22, .text = cause_cell, .compare = by_cause, .style = bold_style,
	  .used = cause_used },
	{ .title = "UPSTREAM", .help = "backend whose failure decided", .min = 14, .want = 14,
	  .max = 21, .text = upstream_cell, .compare = by_upstream, .style = info_style,
	  .used = upstream_used },
	{ .title = "TRIES", .help = "attempts at backends", .rank = 5, .min = 5, .want = 5,
	  .max = 5, .right = true, .descends = true, .text = tries_cell, .compare = by_tries },
	{ .title = "VERDICT", .help = "who made the status", .rank = 6, .min = 14, .want = 14,
	  .max = 14, .text = verdict_cell, .compare = by_verdict },
	{ .title = "CONF", .help = "how sure: certain, likely, ambiguous", .rank = 7, .min = 9,
	  .want = 9, .max = 9, .text = confidence_cell, .compare = by_confidence },
	{ .title = "GATEWAY", .help = "process that answered", .rank = 8, .min = 14, .want = 14,
	  .max = 20, .text = gateway_cell, .compare = by_gateway },
	{ .title = "SEEN", .help = "on the wire, by TLS probes, in an access log", .rank = 10,
	  .min = 8, .want = 8, .max = 8, .is_off = true, .text = seen_cell,
	  .compare = by_sight },
};
/* clang-format on */

static size_t count(const struct model *m)
{
	return m->shown.nrows;
}

static const void *row_at(const struct model *m, size_t i)
{
	return m->shown.rows[i];
}

static uint64_t id_of(const void *row)
{
	return ((const struct finding *)row)->id;
}

static void area(const struct model *m, const struct ui *ui, int *y, int *h)
{
	struct main_layout lay;

	main_layout(&lay, m, ui);
	*y = lay.list_y;
	*h = lay.list_h;
}

static bool is_marked(const struct ui *ui, const void *row)
{
	return selection_has(&ui->selected, ((const struct finding *)row)->id);
}

static enum style row_style(const void *row)
{
	return group_is_bad(row) ? STYLE_NORMAL : STYLE_DIM;
}

const struct list_ops exchanges_list = {
	.title = "Exchanges",
	.columns = columns,
	.ncolumns = ARRAY_SIZE(columns),
	.count = count,
	.row = row_at,
	.id = id_of,
	.area = area,
	.is_marked = is_marked,
	.row_style = row_style,
};
