/* SPDX-License-Identifier: BSD-2-Clause */
/* See pools.h. */
#include "engine/pools.h"

#include <stdlib.h>
#include <string.h>

#define SHARES_MAX 256		      /* processes of one upstream */
#define RECENT_NS  (60 * NS_PER_S)    /* the highest of this time is the limit, if there is one */
#define COUNT_NS   (250 * NS_PER_MS)  /* from one count to the next, mostly */
#define STALE_NS   (2200 * NS_PER_MS) /* ... and at most */
#define HELD_NS	   (150 * NS_PER_MS)  /* seen at it by two counts at least */

static struct pool_share *share_of(struct pools *g, uint32_t tgid)
{
	size_t cap = g->cap ? 2 * g->cap : 4;
	struct pool_share *v;

	for (size_t i = 0; i < g->n; i++)
		if (g->shares[i].tgid == tgid)
			return &g->shares[i];
	if (g->n == SHARES_MAX)
		return NULL;
	if (g->n == g->cap) {
		v = realloc(g->shares, cap * sizeof(*v));
		if (!v)
			return NULL;
		g->shares = v;
		g->cap = cap;
	}
	g->shares[g->n] = (struct pool_share){ .tgid = tgid };
	return &g->shares[g->n++];
}

/* The records of one count have one time: the last of them completes the sum. */
static void add_span(struct pools *g, uint64_t now, uint32_t waiting)
{
	struct pool_span *last = g->nspans ? &g->spans[g->nspans - 1] : NULL;

	if (last && last->from_ns == now) {
		g->nspans--;
		last = g->nspans ? last - 1 : NULL;
	}
	if (last && last->waiting == waiting) {
		last->to_ns = now;
		return;
	}
	if (g->nspans == POOL_SPANS) {
		memmove(g->spans, g->spans + 1, (POOL_SPANS - 1) * sizeof(g->spans[0]));
		g->nspans--;
	}
	g->spans[g->nspans++] =
		(struct pool_span){ .from_ns = now, .to_ns = now, .waiting = waiting };
}

static uint32_t highest(const struct pools *g, uint64_t since)
{
	uint32_t max = 0;

	for (size_t i = 0; i < g->nspans; i++)
		if (g->spans[i].to_ns >= since && g->spans[i].waiting > max)
			max = g->spans[i].waiting;
	return max;
}

static void sum_up(struct engine *e, struct upstream *u, uint64_t now)
{
	struct engine_upstream *pub = &u->pub;
	struct pools *g = &u->pools;
	uint32_t answering = 0;

	pub->connecting = pub->in_use = pub->idle = 0;
	g->oldest_ns = 0;
	for (size_t i = 0; i < g->n; i++) {
		const struct pool_share *s = &g->shares[i];

		pub->connecting += s->connecting;
		pub->in_use += s->in_use;
		pub->idle += s->idle;
		answering += s->answering;
		if (s->oldest_ns && (!g->oldest_ns || s->oldest_ns < g->oldest_ns))
			g->oldest_ns = s->oldest_ns;
	}
	pub->counted = true;
	pub->oldest_ms = g->oldest_ns && now > g->oldest_ns
				 ? (uint32_t)((now - g->oldest_ns) / NS_PER_MS)
				 : 0;
	add_span(g, now, pub->in_use > answering ? pub->in_use - answering : 0);
	pub->in_use_max = highest(g, now > RECENT_NS ? now - RECENT_NS : 0);
	if (pub->in_use > pub->in_use_max)
		pub->in_use_max = pub->in_use;
}

void on_pool(struct engine *e, const struct w5_pool *p)
{
	const struct w5_leg to = { .remote = p->ip, .rport = p->port };
	int gw = gateways_of(e, p->tgid);
	struct pool_share *s;
	struct upstream *u;

	if (gw < 0 || !gateways_wanted(e, gw) || e->gws[gw].unwanted)
		return;
	u = upstreams_get(e, &to);
	s = u ? share_of(&u->pools, p->tgid) : NULL;
	if (!s)
		return;
	if (!e->cfg.port || e->cfg.port == p->port)
		u->pub.unwanted = false;
	*s = (struct pool_share){ .tgid = p->tgid,
				  .connecting = p->connecting,
				  .in_use = p->in_use,
				  .answering = p->answering,
				  .idle = p->idle,
				  .oldest_ns = p->oldest_ns };
	if (!p->connecting && !p->in_use && !p->idle)
		*s = u->pools.shares[--u->pools.n];
	sum_up(e, u, p->h.ts_ns);
}

/* ---- at its limit ---- */

static bool serves(const struct engine_upstream *u, uint32_t group, uint64_t route)
{
	bool is_used = false, is_asked = false;

	for (size_t i = 0; i < ARRAY_SIZE(u->groups); i++)
		is_used = is_used || u->groups[i] == group;
	for (size_t i = 0; i < ARRAY_SIZE(u->routes); i++)
		is_asked = is_asked || u->routes[i] == route;
	return is_used && is_asked;
}

/* The span that began by then, and no other began until then. */
static const struct pool_span *span_over(const struct pools *g, uint64_t from, uint64_t to)
{
	const struct pool_span *s = NULL;

	for (size_t i = 0; i < g->nspans && g->spans[i].from_ns <= to; i++)
		s = &g->spans[i];
	if (!s || s->from_ns > from + COUNT_NS || s->to_ns + STALE_NS < to ||
	    s->to_ns < s->from_ns + HELD_NS)
		return NULL;
	return s;
}

static bool is_full(const struct upstream *u, uint64_t from, uint64_t to, struct pool_full *out)
{
	const struct pool_span *s = span_over(&u->pools, from, to);

	if (!s || !s->waiting ||
	    s->waiting < highest(&u->pools, to > RECENT_NS ? to - RECENT_NS : 0))
		return false;
	if (out->upstreams && s->waiting <= out->in_use)
		return true;
	out->ip = u->pub.ip;
	out->port = u->pub.port;
	out->in_use = s->waiting;
	out->since_ns = s->from_ns;
	out->seen_ns = s->to_ns;
	out->oldest_ns = u->pools.oldest_ns;
	return true;
}

bool pools_full(const struct engine *e, int gw, uint64_t route, uint64_t from_ns, uint64_t to_ns,
		struct pool_full *out)
{
	memset(out, 0, sizeof(*out));
	if (gw < 0 || !route)
		return false;
	for (size_t i = 0; i < e->nups; i++) {
		const struct upstream *u = list_entry(e->upv[i], struct upstream, pub);

		if (!serves(&u->pub, e->gws[gw].group, route))
			continue;
		if (!is_full(u, from_ns, to_ns, out))
			return false;
		out->upstreams++;
	}
	return out->upstreams > 0;
}
