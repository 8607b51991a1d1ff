/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See facet.h. A linear search over hashes is enough: FACET_GROUPS is small, and one
 * finding costs one search.
 */
#include "sink/facet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/util.h"
#include "sink/group.h"

/* From this share on one address stands for its network. */
#define EXACT_PERCENT 80

struct facet_cause {
	enum cause cause;
	struct series s;
};

struct facet_group {
	uint64_t hash;
	char label[FACET_LABEL_MAX];
	uint32_t tgid;
	/* Majority vote (Boyer and Moore): if any address has more than half, it is this one.
	 * hits: how often it came since it was elected, so never too many. */
	struct w5_addr ip;
	uint64_t vote, hits;
	struct series s;
	struct facet_cause causes[FACET_CAUSES];
	size_t ncauses;
};

int facet_table_init(struct facet_table *t, enum facet facet)
{
	*t = (struct facet_table){ .facet = facet };
	t->groups = calloc(FACET_GROUPS, sizeof(*t->groups));
	return t->groups ? 0 : -ENOMEM;
}

void facet_table_fini(struct facet_table *t)
{
	free(t->groups);
	*t = (struct facet_table){ .facet = t->facet };
}

int facet_table_copy(struct facet_table *to, const struct facet_table *from)
{
	struct facet_group *groups = to->groups;

	if (!groups)
		groups = calloc(FACET_GROUPS, sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	memcpy(groups, from->groups, from->n * sizeof(*groups));
	*to = *from;
	to->groups = groups;
	return 0;
}

static struct facet_group *fold_oldest(struct facet_table *t)
{
	struct facet_group *g = &t->groups[0];

	for (size_t i = 1; i < t->n; i++)
		if (t->groups[i].s.last_ns < g->s.last_ns)
			g = &t->groups[i];
	series_merge(&t->others, &g->s);
	t->folded++;
	return g;
}

static struct facet_group *group_of(struct facet_table *t, const struct finding *f)
{
	char label[FACET_LABEL_MAX];
	struct facet_group *g;
	uint64_t hash;

	facet_label(label, sizeof(label), t->facet, f);
	hash = hash_bytes(label, strlen(label), t->facet);
	for (size_t i = 0; i < t->n; i++)
		if (t->groups[i].hash == hash && !strcmp(t->groups[i].label, label))
			return &t->groups[i];
	g = t->n < FACET_GROUPS ? &t->groups[t->n++] : fold_oldest(t);
	memset(g, 0, sizeof(*g));
	g->hash = hash;
	memcpy(g->label, label, sizeof(label));
	g->tgid = f->down.tgid;
	return g;
}

static void vote(struct facet_group *g, const struct w5_addr *ip)
{
	if (!memcmp(&g->ip, ip, sizeof(*ip))) {
		g->vote++;
		g->hits++;
	} else if (g->vote) {
		g->vote--;
	} else {
		g->ip = *ip;
		g->vote = g->hits = 1;
	}
}

static struct facet_cause *cause_of(struct facet_group *g, enum cause cause)
{
	struct facet_cause *c = &g->causes[0];

	for (size_t i = 0; i < g->ncauses; i++)
		if (g->causes[i].cause == cause)
			return &g->causes[i];
	if (g->ncauses < FACET_CAUSES) {
		c = &g->causes[g->ncauses++];
	} else {
		for (size_t i = 1; i < g->ncauses; i++)
			if (g->causes[i].s.last_ns < c->s.last_ns)
				c = &g->causes[i];
	}
	*c = (struct facet_cause){ .cause = cause };
	return c;
}

void facet_table_add(struct facet_table *t, const struct finding *f)
{
	struct facet_group *g;

	if (!group_is_bad(f))
		return;
	g = group_of(t, f);
	series_add(&t->all, f);
	series_add(&g->s, f);
	series_add(&cause_of(g, f->cause)->s, f);
	vote(g, &f->down.remote);
}

static void top_cause(struct facet_row *row, const struct facet_group *g, uint64_t now_ns,
		      enum group_window w)
{
	uint64_t best = 0;

	for (size_t i = 0; i < g->ncauses; i++) {
		uint64_t n = series_count(&g->causes[i].s, now_ns, w);

		if (n <= best)
			continue;
		best = n;
		row->cause = g->causes[i].cause;
	}
	row->cause_share = (unsigned)((best * 100 + row->count / 2) / row->count);
}

static void fill_row(struct facet_row *row, const struct facet_group *g,
		     const struct facet_table *t, uint64_t now_ns, enum group_window w)
{
	*row = (struct facet_row){
		.exact = g->hits * 100 >= g->s.total * EXACT_PERCENT,
		.ip = g->ip,
		.tgid = g->tgid,
		.count = series_count(&g->s, now_ns, w),
		.first_wall_ns = g->s.first_wall_ns,
		.last_wall_ns = g->s.last_wall_ns,
		.trend = series_trend(&g->s, now_ns),
	};
	memcpy(row->label, g->label, sizeof(row->label));
	if (!row->count)
		return;
	row->rate = series_rate(row->count, &t->all, now_ns, w);
	top_cause(row, g, now_ns, w);
	for (size_t i = 0; i < ARRAY_SIZE(row->recent); i++)
		row->recent[i] =
			(uint32_t)series_sum(&g->s, now_ns, ARRAY_SIZE(row->recent) - 1 - i, 1);
}

static int by_count(const void *a, const void *b)
{
	const struct facet_row *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	if (x->first_wall_ns != y->first_wall_ns)
		return x->first_wall_ns < y->first_wall_ns ? -1 : 1;
	return strcmp(x->label, y->label);
}

static void rank_window(struct facet_rank *out, const struct facet_table *t, uint64_t now_ns,
			enum group_window w)
{
	out->window = w;
	out->others = out->total = series_count(&t->others, now_ns, w);
	out->folded = t->folded;
	out->n = 0;
	for (size_t i = 0; i < t->n; i++) {
		struct facet_row *row = &out->rows[out->n];

		fill_row(row, &t->groups[i], t, now_ns, w);
		out->total += row->count;
		out->n += row->count > 0;
	}
}

int facet_rank_make(struct facet_rank *out, const struct facet_table *t, uint64_t now_ns,
		    enum group_window w)
{
	if (!out->rows)
		out->rows = calloc(FACET_GROUPS + 1, sizeof(*out->rows));
	if (!out->rows)
		return -ENOMEM;
	now_ns = max_u64(now_ns, t->all.last_ns);
	rank_window(out, t, now_ns, w);
	out->widened = !out->total && t->all.total;
	if (out->widened)
		rank_window(out, t, now_ns, GROUP_WINDOW_ALL);
	for (size_t i = 0; i < out->n; i++)
		out->rows[i].share =
			(unsigned)((out->rows[i].count * 100 + out->total / 2) / out->total);
	qsort(out->rows, out->n, sizeof(out->rows[0]), by_count);
	return 0;
}

void facet_rank_fini(struct facet_rank *r)
{
	free(r->rows);
	*r = (struct facet_rank){ 0 };
}
