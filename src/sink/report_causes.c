/* SPDX-License-Identifier: BSD-2-Clause */
/* The causes by share, each with the clearest exchange as its evidence; and what to do next. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "sink/report_parts.h"

#define EXAMPLES_MAX 8	/* causes with a part of their own */
#define ROWS_MAX     20 /* of the table */

size_t report_causes_by_count(const struct report_data *d, enum cause out[CAUSE_MAX])
{
	size_t n = 0;

	for (int c = 0; c < CAUSE_MAX; c++) {
		size_t at = n;

		if (!d->causes[c].n)
			continue;
		while (at && d->causes[out[at - 1]].n < d->causes[c].n)
			at--;
		memmove(&out[at + 1], &out[at], (n - at) * sizeof(out[0]));
		out[at] = (enum cause)c;
		n++;
	}
	return n;
}

static void put_table(struct doc *d, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		{ .title = "Share", .is_number = true },
		{ .title = "Count", .is_number = true },
		{ .title = "Cause" },
		{ .title = "Backend" },
		{ .title = "First (UTC)" },
		{ .title = "Last (UTC)" },
	};
	w5_auto(freep) struct group_rank *r = malloc(sizeof(*r));
	char share[REPORT_SHARE_MAX], first[REPORT_TIME_MAX], last[REPORT_TIME_MAX];
	char where[TEXT_ENDPOINT_MAX];

	if (!r)
		return;
	group_rank_make(r, &in->d->groups, engine_counters(in->e)->now_ns, GROUP_WINDOW_ALL);
	doc_table(d, columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < r->n && i < ROWS_MAX; i++) {
		const struct group_row *row = &r->rows[i];

		report_share(share, row->count, r->total);
		report_time(first, row->first_wall_ns);
		report_time(last, row->last_wall_ns);
		snprintf(where, sizeof(where), "none was tried");
		if (row->has_upstream)
			text_endpoint(where, sizeof(where), &row->ip, row->port);
		doc_cellf(d, "%s", share);
		doc_cellf(d, "%llu", (unsigned long long)row->count);
		doc_cellf(d, "%s", cause_name(row->cause));
		doc_cellf(d, "%s", where);
		doc_cellf(d, "%s", first);
		doc_cellf(d, "%s", last);
	}
	d->ops->table_end(d);
	if (r->n > ROWS_MAX || r->rest)
		doc_paraf(d, "And %llu more of other causes and backends.",
			  (unsigned long long)(r->n > ROWS_MAX ? r->n - ROWS_MAX : r->rest));
	group_rank_fini(r);
}

/* "37 bad exchanges (94.9 %): 30 certain, 7 likely" */
static void put_count(struct doc *d, const struct report_data *data, const struct report_cause *c)
{
	char share[REPORT_SHARE_MAX], text[128] = "";
	size_t n = 0;

	for (int i = 0; i < CONFIDENCE_MAX && n < sizeof(text); i++) {
		if (c->by_confidence[i])
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%llu %s",
					      n ? ", " : "",
					      (unsigned long long)c->by_confidence[i],
					      confidence_name((enum confidence)i));
	}
	report_share(share, c->n, data->facts.bad);
	doc_paraf(d, "%llu bad exchange%s (%s): %s.", (unsigned long long)c->n, text_plural(c->n),
		  share, text);
}

static void put_example(struct doc *d, const struct finding *f)
{
	char time[TEXT_TIME_MAX];

	text_time_utc(time, sizeof(time), f->wall_ns);
	if (*f->method)
		doc_paraf(d, "The clearest one, exchange %llu at %s: %s %s%s",
			  (unsigned long long)f->id, time, f->method, f->host, f->target);
	else
		doc_paraf(d, "The clearest one, exchange %llu at %s (its request was not seen):",
			  (unsigned long long)f->id, time);
	d->ops->ladder(d, f);
	d->ops->list_begin(d, false);
	for (size_t i = 0; i < min_size(f->nevidence, FINDING_EVIDENCE_MAX); i++)
		d->ops->item(d, NULL, f->evidence[i]);
	if (f->next[0])
		d->ops->item(d, "Next:", f->next);
	d->ops->list_end(d);
}

void report_causes(struct doc *d, const struct report_input *in)
{
	enum cause order[CAUSE_MAX];
	size_t n = report_causes_by_count(in->d, order);

	d->ops->heading(d, "Causes");
	put_table(d, in);
	for (size_t i = 0; i < n && i < EXAMPLES_MAX; i++) {
		const struct report_cause *c = &in->d->causes[order[i]];
		char title[160];

		snprintf(title, sizeof(title), "%s: %s", cause_name(order[i]),
			 cause_brief(order[i]));
		d->ops->subheading(d, title);
		put_count(d, in->d, c);
		if (c->example->why[0])
			d->ops->para(d, c->example->why);
		put_example(d, c->example);
	}
}

void report_next(struct doc *d, const struct report_input *in)
{
	enum cause order[CAUSE_MAX];
	size_t n = report_causes_by_count(in->d, order);

	d->ops->heading(d, "Next steps");
	d->ops->list_begin(d, true);
	for (size_t i = 0; i < n; i++) {
		const struct finding *f = in->d->causes[order[i]].example;
		bool is_known = !f->next[0];
		char lead[64];

		for (size_t k = 0; k < i && !is_known; k++)
			is_known = !strcmp(in->d->causes[order[k]].example->next, f->next);
		snprintf(lead, sizeof(lead), "%s:", cause_name(order[i]));
		if (!is_known)
			d->ops->item(d, lead, f->next);
	}
	d->ops->list_end(d);
}
