/* SPDX-License-Identifier: BSD-2-Clause */
/* One row per upstream address and port. */
#include "engine/internal.h"

#include <string.h>

#define RATE_SECONDS 5 /* less than CONNECT_SECONDS */

static uint64_t key_of(const struct w5_leg *l)
{
	return hash_bytes(&l->remote, sizeof(l->remote), l->rport);
}

static int order(const struct engine_upstream *a, const struct w5_leg *l)
{
	int d = memcmp(&a->ip, &l->remote, sizeof(a->ip));

	return d ? d : (int)a->port - (int)l->rport;
}

/* Index of the first row not before l. */
static size_t place_of(const struct engine *e, const struct w5_leg *l)
{
	size_t lo = 0, hi = e->nups;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (order(e->upv[mid], l) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct upstream *add(struct engine *e, const struct w5_leg *l, uint64_t key)
{
	size_t at = place_of(e, l);
	struct upstream *u;

	if (e->nups >= UPSTREAMS_MAX || array_room(e->upv, &e->ups_cap, e->nups, 16))
		return NULL;
	u = calloc(1, sizeof(*u));
	if (!u || hash_insert(&e->upstreams, key, u)) {
		free(u);
		return NULL;
	}
	u->pub.ip = l->remote;
	u->pub.port = l->rport;
	u->pub.unwanted = true; /* until an attempt says otherwise */
	memmove(&e->upv[at + 1], &e->upv[at], (e->nups - at) * sizeof(*e->upv));
	e->upv[at] = &u->pub;
	e->nups++;
	return u;
}

/* Two addresses with one 64-bit hash: the later one gets no row, never a wrong one. */
struct upstream *upstreams_get(struct engine *e, const struct w5_leg *l)
{
	uint64_t key = key_of(l);
	struct upstream *u = hash_find(&e->upstreams, key);

	if (u)
		return order(&u->pub, l) ? NULL : u;
	return add(e, l, key);
}

/* Full header parses are not for every record of a busy upstream; the first few are. */
#define SAMPLE_NS    (100 * NS_PER_MS)
#define SAMPLE_FIRST 16

static void note_group(struct engine_upstream *u, uint32_t group)
{
	for (size_t i = 0; i < ARRAY_SIZE(u->groups); i++) {
		if (!u->groups[i])
			u->groups[i] = group;
		if (u->groups[i] == group)
			return;
	}
}

static void note_key(uint64_t *keys, size_t n, size_t *next, uint64_t key)
{
	for (size_t i = 0; i < n; i++)
		if (keys[i] == key)
			return;
	if (key)
		keys[(*next)++ % n] = key;
}

static void note_route(struct upstream *u, const struct route *r)
{
	note_key(u->pub.hosts, ARRAY_SIZE(u->pub.hosts), &u->next_host, r->host);
	note_key(u->pub.routes, ARRAY_SIZE(u->pub.routes), &u->next_route, r->path);
	note_key(u->bares, ARRAY_SIZE(u->bares), &u->next_bare, r->bare);
}

void upstreams_note(struct engine *e, struct upstream *u, int gw, const struct w5_leg *l)
{
	struct route r;
	struct head h;

	if (gw >= 0)
		note_group(&u->pub, e->gws[gw].group);
	if (!l->head_len || leg_opaque(l) || (l->flags & W5_F_HANDSHAKE))
		return;
	if (u->pub.requests > SAMPLE_FIRST && l->h.ts_ns < u->sampled_ns + SAMPLE_NS)
		return;
	u->sampled_ns = l->h.ts_ns;
	if (!head_parse(&h, l) || !h.target.p)
		return;
	r = head_route(&h);
	note_route(u, &r);
}

/* Rows of one address are neighbours. */
static size_t first_of(const struct engine *e, const struct w5_leg *l)
{
	struct w5_leg from = { .remote = l->remote };

	return place_of(e, &from);
}

static bool same_ip(const struct engine *e, size_t i, const struct w5_leg *l)
{
	return i < e->nups && !memcmp(&e->upv[i]->ip, &l->remote, sizeof(l->remote));
}

uint64_t upstreams_last_answer(struct engine *e, const struct w5_leg *l)
{
	uint64_t last = 0;

	for (size_t i = first_of(e, l); same_ip(e, i, l); i++) {
		const struct upstream *u = list_entry(e->upv[i], struct upstream, pub);

		if (u->last_answer_ns > last)
			last = u->last_answer_ns;
	}
	return last;
}

uint8_t upstreams_synack_ttl(struct engine *e, const struct w5_leg *l)
{
	const struct upstream *own = upstreams_get(e, l);

	if (own && own->synack_ttl)
		return own->synack_ttl;
	for (size_t i = first_of(e, l); same_ip(e, i, l); i++) {
		const struct upstream *u = list_entry(e->upv[i], struct upstream, pub);

		if (u->synack_ttl)
			return u->synack_ttl;
	}
	return 0;
}

/* Spans go by records' time: what is two of them old no longer counts. */
static void turn_spans(const struct engine *e, struct upstream *u)
{
	uint64_t span = e->c.now_ns / TTFB_SPAN_NS;

	if (span <= u->ttfb_span)
		return;
	u->ttfb[1] = span == u->ttfb_span + 1 ? u->ttfb[0] : (struct hist){ 0 };
	u->ttfb[0] = (struct hist){ 0 };
	u->ttfb_span = span;
	u->ttfb_changed = true;
}

void upstreams_add_ttfb(struct engine *e, struct upstream *u, uint64_t sum_us, uint64_t n)
{
	u->pub.ttfb_us_sum += sum_us;
	u->pub.ttfb_count += n;
	if (!n)
		return;
	turn_spans(e, u);
	hist_add_sum(&u->ttfb[0], sum_us, n);
	u->ttfb_changed = true;
}

void upstreams_add_connect(struct engine *e, struct upstream *u)
{
	uint64_t sec = e->c.now_ns / NS_PER_S;
	size_t at = sec & (CONNECT_SECONDS - 1);

	u->pub.connects++;
	if (u->connects[at].sec != sec)
		u->connects[at].n = 0;
	u->connects[at].sec = sec;
	u->connects[at].n++;
}

/* The present second is still filling. */
static double connect_rate(const struct engine *e, const struct upstream *u)
{
	uint64_t now = e->c.now_ns / NS_PER_S, first = e->c.start_ns / NS_PER_S;
	uint64_t span = min_u64(RATE_SECONDS, now - min_u64(now, first));
	uint64_t n = 0;

	for (size_t i = 0; i < CONNECT_SECONDS; i++)
		if (u->connects[i].sec < now && u->connects[i].sec + span >= now)
			n += u->connects[i].n;
	return span ? (double)n / (double)span : 0;
}

/* Above this share of averaged turns a quantile is called rough. */
#define ROUGH_PERCENT 1

static void refresh_quantiles(const struct engine *e, struct upstream *u)
{
	static const double q[ENGINE_QUANTILES] = { 0.5, 0.9, 0.99 };
	uint64_t n, rough;

	turn_spans(e, u);
	if (!u->ttfb_changed)
		return;
	n = u->ttfb[0].n + u->ttfb[1].n;
	rough = u->ttfb[0].rough + u->ttfb[1].rough;
	for (size_t i = 0; i < ENGINE_QUANTILES; i++) {
		uint64_t us = hist_quantile(&u->ttfb[0], &u->ttfb[1], q[i]);

		/* faster than a microsecond is not "no answer" */
		u->pub.ttfb_us[i] = n ? (uint32_t)min_u64(max_u64(us, 1), UINT32_MAX) : 0;
	}
	u->pub.ttfb_is_rough = rough * 100 > n * ROUGH_PERCENT;
	u->ttfb_changed = false;
}

size_t engine_upstreams(const struct engine *e, const struct engine_upstream *const **out)
{
	for (size_t i = 0; i < e->nups; i++) {
		struct upstream *u = list_entry(e->upv[i], struct upstream, pub);

		refresh_quantiles(e, u);
		u->pub.connects_per_s = connect_rate(e, u);
		idle_refresh(u);
	}
	*out = (const struct engine_upstream *const *)e->upv;
	return e->nups;
}

static void upstream_free(struct upstream *u)
{
	free(u->pools.shares);
	free(u);
}

void upstreams_free(struct engine *e)
{
	for (size_t i = 0; i < e->nups; i++)
		upstream_free(list_entry(e->upv[i], struct upstream, pub));
	free(e->upv);
	hash_fini(&e->upstreams);
}
