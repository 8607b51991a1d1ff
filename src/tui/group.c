/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counting and ranking. A linear search is enough: GROUP_MAX is small and one finding
 * costs one search. The table owns references to findings, the rank its own ones.
 */
#include "tui/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

/* The trend compares the last 30 s with the 30 s before. */
#define TREND_BUCKETS 6

static const struct {
	unsigned seconds;
	const char *name;
} windows[GROUP_WINDOW_MAX] = {
#define X(id, s, text) [GROUP_WINDOW_##id] = { .seconds = s, .name = text },
	GROUP_WINDOWS(X)
#undef X
};

const char *group_window_name(enum group_window w)
{
	return windows[w].name;
}

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

static struct group *group_of(struct group_table *t, const struct finding *f)
{
	const struct attempt *a = finding_last_attempt(f);
	struct group *g;

	for (size_t i = 0; i < t->n; i++)
		if (same_group(&t->groups[i], f, a))
			return &t->groups[i];
	if (t->n == GROUP_MAX)
		return NULL;
	g = &t->groups[t->n++];
	*g = (struct group){ .cause = f->cause, .has_upstream = a, .first_wall_ns = f->wall_ns };
	if (a) {
		g->ip = a->leg.remote;
		g->port = a->leg.rport;
	}
	return g;
}

static void bucket_add(struct group *g, uint64_t ts_ns)
{
	uint64_t nr = ts_ns / GROUP_BUCKET_NS;

	if (nr > g->epoch) {
		uint64_t from =
			max_u64(g->epoch + 1, nr >= GROUP_BUCKETS ? nr - GROUP_BUCKETS + 1 : 0);

		for (uint64_t i = from; i <= nr; i++)
			g->bucket[i % GROUP_BUCKETS] = 0;
		g->epoch = nr;
	}
	if (nr + GROUP_BUCKETS > g->epoch)
		g->bucket[nr % GROUP_BUCKETS]++;
}

void group_table_add(struct group_table *t, struct finding *f)
{
	struct group *g;

	if (!group_is_bad(f))
		return;
	if (!t->total++)
		t->first_wall_ns = f->wall_ns;
	t->last_wall_ns = max_u64(t->last_wall_ns, f->wall_ns);
	t->last_ns = max_u64(t->last_ns, f->ts_ns);
	g = group_of(t, f);
	if (!g) {
		t->rest++;
		return;
	}
	g->total++;
	g->last_wall_ns = max_u64(g->last_wall_ns, f->wall_ns);
	g->last_ns = max_u64(g->last_ns, f->ts_ns);
	bucket_add(g, f->ts_ns);
	finding_unref(g->newest);
	g->newest = finding_ref(f);
}

void group_table_fini(struct group_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		finding_unref(t->groups[i].newest);
	*t = (struct group_table){ 0 };
}

/* Sum of n buckets, the newest of them `skip` buckets before the one of now. */
static uint64_t bucket_sum(const struct group *g, uint64_t now_nr, uint64_t skip, uint64_t n)
{
	uint64_t sum = 0;

	for (uint64_t i = skip; i < skip + n && i <= now_nr; i++) {
		uint64_t nr = now_nr - i;

		if (nr <= g->epoch && nr + GROUP_BUCKETS > g->epoch)
			sum += g->bucket[nr % GROUP_BUCKETS];
	}
	return sum;
}

static enum group_trend trend_of(const struct group *g, uint64_t now_nr)
{
	uint64_t now = bucket_sum(g, now_nr, 0, TREND_BUCKETS);
	uint64_t before = bucket_sum(g, now_nr, TREND_BUCKETS, TREND_BUCKETS);
	uint64_t first_ns = g->last_ns - (g->last_wall_ns - g->first_wall_ns);

	if (!now)
		return TREND_OVER;
	/* too young to have a past to compare with */
	if (first_ns / GROUP_BUCKET_NS + 2 * TREND_BUCKETS > now_nr)
		return TREND_STEADY;
	/* a third more or less, and more than noise of single events */
	if (now * 3 > before * 4 && now > before + 2)
		return TREND_UP;
	if (now * 4 < before * 3 && now + 2 < before)
		return TREND_DOWN;
	return TREND_STEADY;
}

static int by_count(const void *a, const void *b)
{
	const struct group_row *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->first_wall_ns < y->first_wall_ns ? -1 : x->first_wall_ns > y->first_wall_ns;
}

static void rank_window(struct group_rank *out, const struct group_table *t, uint64_t now_nr,
			enum group_window w)
{
	uint64_t buckets = windows[w].seconds * 1000000000ull / GROUP_BUCKET_NS;

	*out = (struct group_rank){ .window = w, .since_wall_ns = UINT64_MAX };
	for (size_t i = 0; i < t->n; i++) {
		const struct group *g = &t->groups[i];
		uint64_t count = buckets ? bucket_sum(g, now_nr, 0, buckets) : g->total;

		if (!count)
			continue;
		out->total += count;
		out->since_wall_ns = out->since_wall_ns < g->first_wall_ns ? out->since_wall_ns
									   : g->first_wall_ns;
		out->last_wall_ns = max_u64(out->last_wall_ns, g->last_wall_ns);
		out->last_ns = max_u64(out->last_ns, g->last_ns);
		out->rows[out->n++] = (struct group_row){
			.cause = g->cause,
			.has_upstream = g->has_upstream,
			.ip = g->ip,
			.port = g->port,
			.count = count,
			.first_wall_ns = g->first_wall_ns,
			.last_wall_ns = g->last_wall_ns,
			.trend = trend_of(g, now_nr),
			.newest = g->newest,
		};
	}
	if (!buckets)
		out->total += t->rest;
}

void group_rank_make(struct group_rank *out, const struct group_table *t, uint64_t now_ns,
		     enum group_window w)
{
	uint64_t now_nr = max_u64(now_ns, t->last_ns) / GROUP_BUCKET_NS;

	rank_window(out, t, now_nr, w);
	if (!out->total && t->total) {
		rank_window(out, t, now_nr, GROUP_WINDOW_ALL);
		out->widened = true;
	}
	for (size_t i = 0; i < out->n; i++) {
		struct group_row *row = &out->rows[i];

		row->share = (unsigned)((row->count * 100 + out->total / 2) / out->total);
		finding_ref(row->newest);
	}
	qsort(out->rows, out->n, sizeof(out->rows[0]), by_count);
}

void group_rank_fini(struct group_rank *r)
{
	for (size_t i = 0; i < r->n; i++)
		finding_unref(r->rows[i].newest);
	r->n = 0;
}
