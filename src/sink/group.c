/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counting and ranking. A linear search is enough: GROUP_MAX is small and one finding
 * costs one search. The table owns references to findings, the rank its own ones.
 */
#include "sink/group.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

bool group_is_bad(const struct finding *f)
{
	return f->verdict != VERDICT_RECOVERED && f->verdict != VERDICT_CLIENT &&
	       f->cause != CAUSE_RETRY_RECOVERED && f->cause != CAUSE_CLIENT_ABORT;
}

static bool same_group(const struct group *g, const struct finding *f, const struct attempt *a)
{
	if (g->cause != f->cause || g->has_upstream != !!a)
		return false;
	return !a || (g->port == a->leg.rport && !memcmp(&g->ip, &a->leg.remote, sizeof(g->ip)));
}

/* The group seen least recently makes room; what it counted is not lost. */
static struct group *fold_oldest(struct group_table *t)
{
	struct group *g = &t->groups[0];

	for (size_t i = 1; i < t->n; i++)
		if (t->groups[i].s.last_ns < g->s.last_ns)
			g = &t->groups[i];
	series_merge(&t->rest, &g->s);
	t->folded++;
	finding_unref(g->newest);
	return g;
}

static struct group *group_of(struct group_table *t, const struct finding *f)
{
	const struct attempt *a = finding_last_attempt(f);
	struct group *g;

	for (size_t i = 0; i < t->n; i++)
		if (same_group(&t->groups[i], f, a))
			return &t->groups[i];
	g = t->n < GROUP_MAX ? &t->groups[t->n++] : fold_oldest(t);
	*g = (struct group){ .cause = f->cause, .has_upstream = a };
	if (a) {
		g->ip = a->leg.remote;
		g->port = a->leg.rport;
	}
	return g;
}

void group_table_add(struct group_table *t, struct finding *f)
{
	struct group *g;

	if (!group_is_bad(f))
		return;
	series_add(&t->all, f);
	g = group_of(t, f);
	series_add(&g->s, f);
	finding_unref(g->newest);
	g->newest = finding_ref(f);
}

void group_table_copy(struct group_table *to, const struct group_table *from)
{
	*to = *from;
	for (size_t i = 0; i < to->n; i++)
		finding_ref(to->groups[i].newest);
}

void group_table_fini(struct group_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		finding_unref(t->groups[i].newest);
	*t = (struct group_table){ 0 };
}

static int by_count(const void *a, const void *b)
{
	const struct group_row *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->first_wall_ns < y->first_wall_ns ? -1 : x->first_wall_ns > y->first_wall_ns;
}

static void rank_window(struct group_rank *out, const struct group_table *t, uint64_t now_ns,
			enum group_window w)
{
	*out = (struct group_rank){ .window = w, .since_wall_ns = UINT64_MAX };
	for (size_t i = 0; i < t->n; i++) {
		const struct group *g = &t->groups[i];
		uint64_t count = series_count(&g->s, now_ns, w);

		if (!count)
			continue;
		out->total += count;
		out->since_wall_ns = min_u64(out->since_wall_ns, g->s.first_wall_ns);
		out->last_wall_ns = max_u64(out->last_wall_ns, g->s.last_wall_ns);
		out->last_ns = max_u64(out->last_ns, g->s.last_ns);
		out->rows[out->n++] = (struct group_row){
			.cause = g->cause,
			.has_upstream = g->has_upstream,
			.ip = g->ip,
			.port = g->port,
			.count = count,
			.rate = series_rate(count, &t->all, now_ns, w),
			.first_wall_ns = g->s.first_wall_ns,
			.last_wall_ns = g->s.last_wall_ns,
			.trend = series_trend(&g->s, now_ns),
			.newest = g->newest,
		};
	}
	out->rest = series_count(&t->rest, now_ns, w);
	out->total += out->rest;
}

static void rank_finish(struct group_rank *out)
{
	for (size_t i = 0; i < out->n; i++) {
		struct group_row *row = &out->rows[i];

		row->share = (unsigned)((row->count * 100 + out->total / 2) / out->total);
		finding_ref(row->newest);
	}
	qsort(out->rows, out->n, sizeof(out->rows[0]), by_count);
}

void group_rank_make(struct group_rank *out, const struct group_table *t, uint64_t now_ns,
		     enum group_window w)
{
	now_ns = max_u64(now_ns, t->all.last_ns);
	rank_window(out, t, now_ns, w);
	if (!out->total && t->all.total) {
		rank_window(out, t, now_ns, GROUP_WINDOW_ALL);
		out->widened = true;
	}
	rank_finish(out);
}

void group_rank_part(struct group_rank *out, const struct group_table *part, uint64_t now_ns,
		     const struct group_rank *all)
{
	rank_window(out, part, max_u64(now_ns, all->last_ns), all->window);
	rank_finish(out);
}

void group_rank_fini(struct group_rank *r)
{
	for (size_t i = 0; i < r->n; i++)
		finding_unref(r->rows[i].newest);
	r->n = 0;
}
