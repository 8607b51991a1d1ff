/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sentence that answers "why 502?": what most bad exchanges of the window have in
 * common - one cause at one upstream, one cause at several, or several causes at one
 * upstream. Pure; the rank is borrowed.
 */
#include "sink/group.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

/* Below this share nothing is called the reason. */
#define DOMINANT_PERCENT 60

void group_row_text(char *out, size_t cap, const struct group_row *row)
{
	char where[TEXT_ENDPOINT_MAX];

	if (!row->has_upstream) {
		snprintf(out, cap, "%s", cause_brief(row->cause));
		return;
	}
	text_endpoint(where, sizeof(where), &row->ip, row->port);
	if (row->cause == CAUSE_INSUFFICIENT_EVIDENCE)
		snprintf(out, cap, "%s: %s", where, cause_brief(row->cause));
	else
		snprintf(out, cap, "%s %s", where, cause_brief(row->cause));
}

static bool same_upstream(const struct group_row *a, const struct group_row *b)
{
	return a->has_upstream == b->has_upstream && a->port == b->port &&
	       !memcmp(&a->ip, &b->ip, sizeof(a->ip));
}

static bool dominant(uint64_t count, uint64_t total)
{
	return count * 100 >= total * DOMINANT_PERCENT;
}

/* Sums what agrees with row i; *kinds: how many rows that is. */
static uint64_t sum_cause(const struct group_rank *r, size_t i, size_t *kinds)
{
	uint64_t sum = 0;

	*kinds = 0;
	for (size_t k = 0; k < r->n; k++) {
		if (r->rows[k].cause == r->rows[i].cause) {
			sum += r->rows[k].count;
			(*kinds)++;
		}
	}
	return sum;
}

static uint64_t sum_upstream(const struct group_rank *r, size_t i, size_t *kinds)
{
	uint64_t sum = 0;

	*kinds = 0;
	for (size_t k = 0; r->rows[i].has_upstream && k < r->n; k++) {
		if (same_upstream(&r->rows[k], &r->rows[i])) {
			sum += r->rows[k].count;
			(*kinds)++;
		}
	}
	return sum;
}

static void say_share(char *out, size_t cap, uint64_t count, uint64_t total)
{
	char n[16];

	text_count(n, sizeof(n), total);
	if (total == 1)
		snprintf(out, cap, "the one bad exchange");
	else if (count == total)
		snprintf(out, cap, "all %s bad exchanges", n);
	else
		snprintf(out, cap, "%u%% of %s bad exchanges",
			 (unsigned)((count * 100 + total / 2) / total), n);
}

static void say_pair(struct group_verdict *out, const struct group_rank *r)
{
	char what[160], share[64];

	group_row_text(what, sizeof(what), &r->rows[0]);
	say_share(share, sizeof(share), r->rows[0].count, r->total);
	snprintf(out->text, sizeof(out->text), "%s: %s", what, share);
}

bool group_verdict_make(struct group_verdict *out, const struct group_rank *r)
{
	char share[64], where[TEXT_ENDPOINT_MAX];
	size_t kinds;

	*out = (struct group_verdict){ .dominance = DOMINANCE_NONE };
	if (!r->n)
		return false;
	out->example = r->rows[0].newest;
	if (dominant(r->rows[0].count, r->total)) {
		out->dominance = DOMINANCE_PAIR;
		say_pair(out, r);
		return true;
	}
	/* rows are sorted: what dominates includes one of the first */
	if (dominant(sum_cause(r, 0, &kinds), r->total)) {
		out->dominance = DOMINANCE_CAUSE;
		say_share(share, sizeof(share), sum_cause(r, 0, &kinds), r->total);
		snprintf(out->text, sizeof(out->text), "%zu upstreams, the same failure (%s): %s",
			 kinds, cause_name(r->rows[0].cause), share);
		return true;
	}
	if (dominant(sum_upstream(r, 0, &kinds), r->total)) {
		out->dominance = DOMINANCE_UPSTREAM;
		text_endpoint(where, sizeof(where), &r->rows[0].ip, r->rows[0].port);
		say_share(share, sizeof(share), sum_upstream(r, 0, &kinds), r->total);
		snprintf(out->text, sizeof(out->text), "%s fails in %zu ways: %s", where, kinds,
			 share);
		return true;
	}
	snprintf(out->text, sizeof(out->text),
		 "no single reason: %zu kinds of failure, the largest %u%%", r->n,
		 r->rows[0].share);
	return true;
}

/* ---- siblings ---- */

static bool used_by_one_gateway(const struct engine_upstream *a, const struct engine_upstream *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(a->groups); i++)
		for (size_t k = 0; a->groups[i] && k < ARRAY_SIZE(b->groups); k++)
			if (a->groups[i] == b->groups[k])
				return true;
	return false;
}

static bool share(const uint64_t *a, const uint64_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; a[i] && k < n; k++)
			if (a[i] == b[k])
				return true;
	return false;
}

static bool is_sibling(const struct engine_upstream *a, const struct engine_upstream *b)
{
	if (a->unwanted || b->unwanted || !used_by_one_gateway(a, b))
		return false;
	if (!a->routes[0] || !b->routes[0])
		return a->port == b->port;
	return share(a->routes, b->routes, ARRAY_SIZE(a->routes)) ||
	       (a->port == b->port && share(a->hosts, b->hosts, ARRAY_SIZE(a->hosts)));
}

void group_siblings_find(struct group_siblings *out, const struct engine_upstream *v, size_t n,
			 const struct w5_addr *ip, uint16_t port, uint64_t since_ns)
{
	const struct engine_upstream *one = NULL;

	*out = (struct group_siblings){ 0 };
	for (size_t i = 0; i < n && !one; i++)
		if (v[i].port == port && !memcmp(&v[i].ip, ip, sizeof(*ip)))
			one = &v[i];
	for (size_t i = 0; one && i < n; i++) {
		if (&v[i] == one || !is_sibling(one, &v[i]) || v[i].last_answer_ns < since_ns)
			continue;
		out->n++;
		out->clean += v[i].last_fail_ns < since_ns;
	}
}

static bool all_at_one(const struct group_rank *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (!r->rows[i].has_upstream || !same_upstream(&r->rows[0], &r->rows[i]))
			return false;
	return r->n && !r->rest;
}

/* Where recovered attempts failed at a sibling, "none" holds for the others only. */
static void say_siblings(char *out, size_t cap, const struct group_siblings *s)
{
	if (s->n == 1)
		snprintf(out, cap, "its sibling has none");
	else if (s->clean == s->n)
		snprintf(out, cap, "its %zu siblings have none", s->n);
	else
		snprintf(out, cap, "%zu of its %zu siblings have none", s->clean, s->n);
}

void group_verdict_siblings(struct group_verdict *v, const struct group_rank *r,
			    const struct engine_upstream *upstreams, size_t nupstreams,
			    uint64_t wall_offset_ns)
{
	char where[TEXT_ENDPOINT_MAX], siblings[64], count[24] = "", cause[48] = "";
	const struct group_row *row = &r->rows[0];
	struct group_siblings s;

	if (!all_at_one(r))
		return;
	group_siblings_find(&s, upstreams, nupstreams, &row->ip, row->port,
			    r->since_wall_ns - wall_offset_ns);
	if (!s.clean)
		return;
	text_endpoint(where, sizeof(where), &row->ip, row->port);
	say_siblings(siblings, sizeof(siblings), &s);
	if (r->n == 1)
		snprintf(cause, sizeof(cause), " (%s)", cause_name(row->cause));
	text_count(count, sizeof(count), r->total);
	if (r->total == 1)
		snprintf(v->text, sizeof(v->text), "the one failure is %s%s; %s", where, cause,
			 siblings);
	else
		snprintf(v->text, sizeof(v->text), "all %s failures are %s%s; %s", count, where,
			 cause, siblings);
}
