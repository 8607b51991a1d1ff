/* SPDX-License-Identifier: BSD-2-Clause */
/* The first lines: how many of how many, since when, until when, who is involved. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "sink/report_parts.h"

#define STILL_NS    (30 * 1000000000ull) /* the newest one is no older: it goes on */
#define AT_START_NS (2 * 1000000000ull)
#define NAMED_MAX   3

void report_time(char out[REPORT_TIME_MAX], uint64_t wall_ns)
{
	char time[TEXT_TIME_MAX];

	text_time_utc(time, sizeof(time), wall_ns);
	snprintf(out, REPORT_TIME_MAX, "%.10s %.8s", time, time + 11);
}

void report_share(char out[REPORT_SHARE_MAX], uint64_t n, uint64_t of)
{
	unsigned mille = of ? (unsigned)min_u64((n * 1000 + of / 2) / of, 1000) : 0;

	if (n && !mille)
		snprintf(out, REPORT_SHARE_MAX, "<0.1 %%");
	else
		snprintf(out, REPORT_SHARE_MAX, "%u.%u %%", mille / 10, mille % 10);
}

static void span_text(char *out, size_t cap, uint64_t from_ns, uint64_t to_ns)
{
	text_duration(out, cap, to_ns > from_ns ? to_ns - from_ns : 0);
}

/* "31 with 502, 6 with 504" */
static void statuses(char *out, size_t cap, const struct report_facts *x)
{
	const struct {
		uint64_t n;
		const char *what;
	} parts[] = { { x->s502, "with 502" },
		      { x->s503, "with 503" },
		      { x->s504, "with 504" },
		      { x->other, "with another status" },
		      { x->silent, "without any status" } };
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(parts) && n < cap; i++) {
		if (parts[i].n)
			n += (size_t)snprintf(out + n, cap - n, "%s%llu %s", n ? ", " : "",
					      (unsigned long long)parts[i].n, parts[i].what);
	}
}

static uint64_t first_ns(const struct report_data *d)
{
	return d->groups.all.first_wall_ns;
}

static void put_count(struct doc *d, const struct report_input *in)
{
	const struct engine_counters *c = engine_counters(in->e);
	const struct report_facts *x = &in->d->facts;
	char share[REPORT_SHARE_MAX], from[REPORT_TIME_MAX], to[REPORT_TIME_MAX], took[16], by[128];

	report_share(share, x->bad, c->exchanges);
	report_time(from, first_ns(in->d));
	report_time(to, in->d->groups.all.last_wall_ns);
	span_text(took, sizeof(took), first_ns(in->d), in->d->groups.all.last_wall_ns);
	statuses(by, sizeof(by), x);
	if (in->filter)
		doc_paraf(d,
			  "%llu bad exchange%s that match the filter, of %llu requests in all, "
			  "between %s and %s UTC (%s): %s.",
			  (unsigned long long)x->bad, text_plural(x->bad),
			  (unsigned long long)c->exchanges, from, to, took, by);
	else
		doc_paraf(d,
			  "%llu of %llu requests (%s) were answered badly between %s and %s UTC "
			  "(%s): %s.",
			  (unsigned long long)x->bad, (unsigned long long)c->exchanges, share, from,
			  to, took, by);
}

static void put_verdict(struct doc *d, const struct report_input *in)
{
	const struct engine_counters *c = engine_counters(in->e);
	const struct engine_upstream *const *v;
	size_t n = engine_upstreams(in->e, &v);
	w5_auto(freep) struct engine_upstream *ups = calloc(n ? n : 1, sizeof(*ups));
	w5_auto(freep) struct group_rank *r = malloc(sizeof(*r));
	struct group_verdict verdict = { .text = "" };

	if (!r || !ups)
		return;
	for (size_t i = 0; i < n; i++)
		ups[i] = *v[i];
	group_rank_make(r, &in->d->groups, c->now_ns, GROUP_WINDOW_ALL);
	group_verdict_make(&verdict, r);
	group_verdict_siblings(&verdict, r, ups, n, c->wall_offset_ns);
	if (verdict.text[0])
		d->ops->lead(d, verdict.text);
	group_rank_fini(r);
}

static void put_when(struct doc *d, const struct report_input *in)
{
	const struct engine_counters *c = engine_counters(in->e);
	uint64_t start = c->start_ns + c->wall_offset_ns, now = c->now_ns + c->wall_offset_ns;
	uint64_t first = first_ns(in->d), last = in->d->groups.all.last_wall_ns;
	char at[REPORT_TIME_MAX], took[16];

	report_time(at, first);
	span_text(took, sizeof(took), start, first);
	if (first < start + AT_START_NS)
		doc_itemf(d,
			  "Since:", "%s UTC, as soon as watching began: it may have begun before",
			  at);
	else
		doc_itemf(d, "Since:", "%s UTC; the %s watched before that had none", at, took);
	report_time(at, last);
	span_text(took, sizeof(took), last, now);
	if (now < last + STILL_NS)
		doc_itemf(d, "Until:", "%s UTC; it went on when watching ended", at);
	else
		doc_itemf(d, "Until:", "%s UTC; the %s watched after that had none", at, took);
}

static void put_facet(struct doc *d, const struct report_input *in, enum facet facet,
		      const char *lead)
{
	struct facet_rank r = { .n = 0 };
	char text[1024] = "", label[FACET_LABEL_MAX];
	size_t n = 0;

	if (facet_rank_make(&r, &in->d->facets[facet], engine_counters(in->e)->now_ns,
			    GROUP_WINDOW_ALL))
		return;
	for (size_t i = 0; i < r.n && i < NAMED_MAX && n < sizeof(text); i++) {
		facet_row_text(label, sizeof(label), facet, &r.rows[i]);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s (%llu)", i ? ", " : "",
				      label, (unsigned long long)r.rows[i].count);
	}
	if (r.n > NAMED_MAX || r.folded)
		doc_itemf(d, lead, "%s, and %llu more", text,
			  (unsigned long long)(r.n - min_size(r.n, NAMED_MAX) + r.folded));
	else if (r.n)
		doc_itemf(d, lead, "%s", text);
	facet_rank_fini(&r);
}

static bool failed_at(const struct group_table *t, const struct engine_upstream *u)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct group *g = &t->groups[i];

		if (g->has_upstream && g->port == u->port && !memcmp(&g->ip, &u->ip, sizeof(g->ip)))
			return true;
	}
	return false;
}

static void put_backends(struct doc *d, const struct report_input *in)
{
	const struct engine_upstream *const *v;
	size_t n = engine_upstreams(in->e, &v), used = 0, failed = 0, len = 0;
	char text[512] = "", where[TEXT_ENDPOINT_MAX];

	for (size_t i = 0; i < n; i++) {
		if (v[i]->unwanted)
			continue;
		used++;
		if (!failed_at(&in->d->groups, v[i]))
			continue;
		if (failed++ < NAMED_MAX && len < sizeof(text)) {
			text_endpoint(where, sizeof(where), &v[i]->ip, v[i]->port);
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
						len ? ", " : "", where);
		}
	}
	if (!failed)
		doc_itemf(d, "Backends:", "none of the %zu in use", used);
	else
		doc_itemf(d, "Backends:", "%zu of %zu in use: %s%s", failed, used, text,
			  failed > NAMED_MAX ? " and others" : "");
}

static void put_rest(struct doc *d, const struct report_input *in)
{
	const struct report_facts *x = &in->d->facts;

	if (x->recovered)
		doc_itemf(d, "Saved by a retry:",
			  "%llu more request%s met a failing backend and were "
			  "answered well by another try; they are not counted above",
			  (unsigned long long)x->recovered, text_plural(x->recovered));
	if (x->client_left)
		doc_itemf(d,
			  "Clients that left:", "%llu before they had an answer; not counted above",
			  (unsigned long long)x->client_left);
	if (in->filter)
		doc_itemf(d, "Filter:", "%s; %llu other findings were left out", in->filter->expr,
			  (unsigned long long)in->filter->left_out);
}

void report_scope(struct doc *d, const struct report_input *in)
{
	const struct engine_counters *c = engine_counters(in->e);

	if (!in->d->facts.bad) {
		doc_paraf(d, "No bad exchange among %llu requests.",
			  (unsigned long long)c->exchanges);
		return;
	}
	put_count(d, in);
	put_verdict(d, in);
	d->ops->list_begin(d, false);
	put_when(d, in);
	put_facet(d, in, FACET_GATEWAY, "Gateway:");
	put_facet(d, in, FACET_ENDPOINT, "Endpoints:");
	put_backends(d, in);
	put_facet(d, in, FACET_CLIENT, "Clients:");
	put_rest(d, in);
	d->ops->list_end(d);
}
