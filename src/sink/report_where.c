/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables: endpoints, backends, clients, gateway processes; and every exchange by itself. */
#include <stdio.h>

#include "base/text.h"
#include "base/util.h"
#include "sink/names.h"
#include "sink/report_parts.h"

#define FACET_ROWS   10
#define BACKEND_ROWS 40

static void put_facet(struct doc *d, const struct report_input *in, enum facet facet,
		      const char *heading, const char *what)
{
	const struct doc_column columns[] = {
		{ .title = "Count", .is_number = true },
		{ .title = "Share", .is_number = true },
		{ .title = what, .is_wire = true },
		{ .title = "Most frequent cause" },
		{ .title = "First (UTC)" },
		{ .title = "Last (UTC)" },
	};
	struct facet_rank r = { .n = 0 };
	char label[FACET_LABEL_MAX], first[REPORT_TIME_MAX], last[REPORT_TIME_MAX],
		share[REPORT_SHARE_MAX];

	if (facet_rank_make(&r, &in->d->facets[facet], engine_counters(in->e)->now_ns,
			    GROUP_WINDOW_ALL))
		return;
	d->ops->subheading(d, heading);
	doc_table(d, columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < r.n && i < FACET_ROWS; i++) {
		const struct facet_row *row = &r.rows[i];

		facet_row_text(label, sizeof(label), facet, row);
		report_time(first, row->first_wall_ns);
		report_time(last, row->last_wall_ns);
		report_share(share, row->count, r.total);
		doc_cellf(d, "%llu", (unsigned long long)row->count);
		doc_cellf(d, "%s", share);
		doc_cellf(d, "%s", label);
		doc_cellf(d, "%s (%u %%)", cause_name(row->cause), row->cause_share);
		doc_cellf(d, "%s", first);
		doc_cellf(d, "%s", last);
	}
	d->ops->table_end(d);
	if (r.n > FACET_ROWS || r.folded)
		doc_paraf(d, "And %llu more.",
			  (unsigned long long)(r.n - min_size(r.n, FACET_ROWS) + r.folded));
	facet_rank_fini(&r);
}

static void put_us(struct doc *d, uint64_t us)
{
	char text[16] = "-";

	if (us)
		text_duration(text, sizeof(text), us * 1000);
	doc_cellf(d, "%s", text);
}

static void put_backend(struct doc *d, const struct engine_upstream *u)
{
	char where[TEXT_ENDPOINT_MAX];

	text_endpoint(where, sizeof(where), &u->ip, u->port);
	doc_cellf(d, "%s", where);
	doc_cellf(d, "%llu", (unsigned long long)u->requests);
	doc_cellf(d, "%llu", (unsigned long long)u->failures);
	doc_cellf(d, "%llu", (unsigned long long)u->s5xx);
	doc_cellf(d, "%llu of %llu", (unsigned long long)u->connect_failures,
		  (unsigned long long)u->connects);
	doc_cellf(d, "%llu", (unsigned long long)u->resets);
	doc_cellf(d, "%llu", (unsigned long long)u->retrans);
	put_us(d, u->ttfb_count ? u->ttfb_us_sum / u->ttfb_count : 0);
	put_us(d, u->srtt_us);
}

/* Failing ones first; the others tell what is normal here. */
static void put_backends(struct doc *d, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		{ .title = "Backend" },
		{ .title = "Requests", .is_number = true },
		{ .title = "Failed", .is_number = true },
		{ .title = "5xx", .is_number = true },
		{ .title = "Connects failed", .is_number = true },
		{ .title = "Resets", .is_number = true },
		{ .title = "Segments resent", .is_number = true },
		{ .title = "First byte, mean", .is_number = true },
		{ .title = "RTT", .is_number = true },
	};
	const struct engine_upstream *const *v;
	size_t n = engine_upstreams(in->e, &v), rows = 0, wanted = 0;

	d->ops->subheading(d, "Backends");
	doc_table(d, columns, ARRAY_SIZE(columns));
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < n; i++) {
			bool has_failed = v[i]->failures || v[i]->s5xx;

			if (v[i]->unwanted || has_failed != !pass)
				continue;
			if (wanted++ < BACKEND_ROWS) {
				put_backend(d, v[i]);
				rows++;
			}
		}
	}
	d->ops->table_end(d);
	if (wanted > rows)
		doc_paraf(d, "And %zu more.", wanted - rows);
}

static void put_timeline(struct doc *d, const struct report_input *in)
{
	const struct engine_counters *c = engine_counters(in->e);
	w5_auto(freep) struct timeline *t = malloc(sizeof(*t));

	if (!t)
		return;
	*t = in->d->timeline;
	timeline_pad(t, c->start_ns + c->wall_offset_ns, c->now_ns + c->wall_offset_ns);
	d->ops->heading(d, "When");
	doc_paraf(d, "Bad exchanges per %llu s, by cause (UTC).",
		  (unsigned long long)(t->step_ns / 1000000000ull));
	d->ops->timeline(d, t);
}

void report_where(struct doc *d, const struct report_input *in)
{
	put_timeline(d, in);
	d->ops->heading(d, "Where");
	put_facet(d, in, FACET_ENDPOINT, "Endpoints", "Endpoint (ids folded)");
	put_backends(d, in);
	put_facet(d, in, FACET_CLIENT, "Clients", "Client network");
	put_facet(d, in, FACET_GATEWAY, "Gateway processes", "Process");
}

/* ---- audit ---- */

static void put_backend_status(struct doc *d, const struct audit_row *r)
{
	const char *end = end_name(r->backend_end);

	if (!r->has_upstream)
		doc_cellf(d, "not asked");
	else if (r->backend_status)
		doc_cellf(d, "%u", r->backend_status);
	else
		doc_cellf(d, "none%s%s", *end ? ": " : "", end);
}

static void put_row(struct doc *d, const struct audit_row *r)
{
	char time[TEXT_TIME_MAX], where[TEXT_ENDPOINT_MAX] = "-", client[TEXT_ADDR_MAX] = "-";

	text_time_utc(time, sizeof(time), r->wall_ns);
	if (r->has_upstream)
		text_endpoint(where, sizeof(where), &r->upstream, r->upstream_port);
	if (r->has_client)
		text_addr(client, sizeof(client), &r->client);
	doc_cellf(d, "%llu", (unsigned long long)r->id);
	doc_cellf(d, "%s", time);
	if (r->status)
		doc_cellf(d, "%u", r->status);
	else
		doc_cellf(d, "none");
	doc_cellf(d, "%s %s%s", *r->method ? r->method : "(request not seen)", r->host, r->target);
	doc_cellf(d, "%s", where);
	put_backend_status(d, r);
	doc_cellf(d, "%s", cause_name(r->cause));
	doc_cellf(d, "%s", confidence_name(r->confidence));
	doc_cellf(d, "%s", client);
	doc_cellf(d, "%s", *r->agent ? r->agent : "-");
}

void report_audit(struct doc *d, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		{ .title = "Event", .is_number = true },
		{ .title = "Time (UTC)" },
		{ .title = "Status", .is_number = true },
		{ .title = "Request", .is_wire = true },
		{ .title = "Backend" },
		{ .title = "Backend's status" },
		{ .title = "Cause" },
		{ .title = "Confidence" },
		{ .title = "Client" },
		{ .title = "User agent", .is_wire = true },
	};
	uint64_t left_out = report_audit_left_out(in->d);
	const struct audit_row *r;

	d->ops->heading(d, "Every bad exchange");
	if (left_out)
		doc_paraf(d,
			  "The first %d and the newest %d; %llu between them are counted above and "
			  "not listed.",
			  AUDIT_FIRST, AUDIT_NEWEST, (unsigned long long)left_out);
	doc_table(d, columns, ARRAY_SIZE(columns));
	for (size_t i = 0; (r = report_audit_row(in->d, i)); i++)
		put_row(d, r);
	d->ops->table_end(d);
}
