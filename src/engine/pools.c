/* SPDX-License-Identifier: BSD-2-Clause */
/* See pools.h. */
#include "engine/pools.h"

#include <stdlib.h>
#include <string.h>

#define SHARES_MAX 256		      /* processes of one upstream */
#define RECENT_NS  (60 * NS_PER_S)    /* the highest of this time is the limit, if there is one */
#define COUNT_NS   (250 * NS_PER_MS)  /* from one count to the next, mostly */
#define STALE_NS   (2200 * NS_PER_MS) /* ... and at most */
#define LATE_NS	   NS_PER_S	      /* from a failure to the count it calls for, on a busy host */
#define HELD_NS	   (150 * NS_PER_MS)  /* seen at it by two counts at least */

static struct pool_share *share_of(struct pools *g, uint32_t tgid)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->shares[i].tgid == tgid)
			return &g->shares[i];
	if (g->n == SHARES_MAX || array_room(g->shares, &g->cap, g->n, 4))
		return NULL;
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

static void count_unread(struct gateway *g, uint32_t before, const struct w5_pool *p)
{
	if (before || p->older)
		g->unread_ns = p->h.ts_ns;
	g->unread += p->older - before;
}

void on_pool(struct engine *e, const struct w5_pool *p)
{
	const struct w5_leg to = { .remote = p->ip, .rport = p->port };
	int gw = gateways_of(e, p->tgid);
	struct pool_share *s;
	struct upstream *u;

	if (p->h.ts_ns > e->pools_ns)
		e->pools_ns = p->h.ts_ns;
	if (gw < 0 || !gateways_wanted(e, gw) || e->gws[gw].unwanted)
		return;
	u = upstreams_get(e, &to);
	s = u ? share_of(&u->pools, p->tgid) : NULL;
	if (!s)
		return;
	if (!e->cfg.port || e->cfg.port == p->port)
		u->pub.unwanted = false;
	count_unread(e->gw_priv[gw], s->older, p);
	*s = (struct pool_share){ .tgid = p->tgid,
				  .connecting = p->connecting,
				  .in_use = p->in_use,
				  .answering = p->answering,
				  .idle = p->idle,
				  .older = p->older,
				  .oldest_ns = p->oldest_ns };
	if (!p->connecting && !p->in_use && !p->idle)
		*s = u->pools.shares[--u->pools.n];
	sum_up(e, u, p->h.ts_ns);
}

/* ---- at its limit ---- */

static bool has_key(const uint64_t *keys, size_t n, uint64_t key)
{
	for (size_t i = 0; key && i < n; i++)
		if (keys[i] == key)
			return true;
	return false;
}

static bool is_used(const struct upstream *u, uint32_t group)
{
	for (size_t i = 0; i < ARRAY_SIZE(u->pub.groups); i++)
		if (u->pub.groups[i] == group)
			return true;
	return false;
}

/* Does the gateway pass this Host on? Else its upstreams are asked with another. */
static bool passes_host(const struct engine *e, uint32_t group, uint64_t host)
{
	for (size_t i = 0; i < e->nups; i++) {
		const struct upstream *u = list_entry(e->upv[i], struct upstream, pub);

		if (is_used(u, group) && has_key(u->pub.hosts, ARRAY_SIZE(u->pub.hosts), host))
			return true;
	}
	return false;
}

static bool serves(const struct upstream *u, const struct route *r, bool by_host)
{
	return by_host ? has_key(u->pub.routes, ARRAY_SIZE(u->pub.routes), r->path)
		       : has_key(u->bares, ARRAY_SIZE(u->bares), r->bare);
}

/* The span at that time; or, between two counts, the one that begins with the next, if more. */
static const struct pool_span *span_at(const struct pools *g, uint64_t ns)
{
	const struct pool_span *s = NULL, *next = NULL;

	for (size_t i = 0; i < g->nspans && !next; i++) {
		if (g->spans[i].from_ns <= ns)
			s = &g->spans[i];
		else
			next = &g->spans[i];
	}
	if (next && (!s || (s->to_ns < ns && next->waiting > s->waiting)))
		s = next;
	return s && s->to_ns + STALE_NS >= ns ? s : NULL;
}

static enum pool_state state_of(const struct upstream *u, uint64_t from, uint64_t to,
				struct pool_full *out)
{
	const struct pool_span *s = span_at(&u->pools, to);

	if (!s || !s->waiting ||
	    s->waiting < highest(&u->pools, to > RECENT_NS ? to - RECENT_NS : 0))
		return POOL_FREE;
	if (!out->upstreams || s->waiting > out->in_use) {
		out->ip = u->pub.ip;
		out->port = u->pub.port;
		out->in_use = s->waiting;
		out->since_ns = s->from_ns;
		out->seen_ns = s->to_ns;
		out->oldest_ns = u->pools.oldest_ns;
	}
	if (from == to) /* turned away at once */
		return to >= s->from_ns + HELD_NS ? POOL_FULL : POOL_MAYBE;
	return s->from_ns <= from + COUNT_NS && s->to_ns >= s->from_ns + HELD_NS ? POOL_FULL
										 : POOL_MAYBE;
}

/* Requests are under way to one that has not answered any yet: what it serves is not known. */
static bool unknown_is_busy(struct engine *e, int gw, uint64_t ns)
{
	struct pool_full none = { .upstreams = 0 };

	for (size_t i = 0; i < e->nups; i++) {
		const struct upstream *u = list_entry(e->upv[i], struct upstream, pub);

		if (u->pub.requests || state_of(u, ns, ns, &none) == POOL_FREE)
			continue;
		for (size_t j = 0; j < u->pools.n; j++)
			if (gateways_of(e, u->pools.shares[j].tgid) == gw)
				return true;
	}
	return false;
}

bool pools_counted(const struct engine *e, uint64_t ns, uint64_t now_ns)
{
	return !e->pools_ns || e->pools_ns >= ns || now_ns >= ns + LATE_NS;
}

bool pools_unread(const struct engine *e, int gw, uint64_t from_ns)
{
	const struct gateway *g = gw >= 0 ? e->gw_priv[gw] : NULL;

	return g && (g->unread || (g->unread_ns && g->unread_ns >= from_ns));
}

void pools_opened(struct engine *e, const struct w5_leg *l)
{
	int gw = gateways_of(e, l->tgid);

	if (gw >= 0 && l->role == W5_ROLE_UPSTREAM && (l->flags & W5_F_OLDER))
		e->gw_priv[gw]->unread_ns = l->h.ts_ns;
}

enum pool_state pools_state(struct engine *e, int gw, const struct route *route, uint64_t from_ns,
			    uint64_t to_ns, struct pool_full *out)
{
	enum pool_state least = POOL_FULL, x;
	uint32_t group = gw >= 0 ? e->gws[gw].group : 0;
	bool by_host = passes_host(e, group, route->host);

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; gw >= 0 && i < e->nups; i++) {
		const struct upstream *u = list_entry(e->upv[i], struct upstream, pub);

		if (!is_used(u, group) || !serves(u, route, by_host))
			continue;
		x = state_of(u, from_ns, to_ns, out);
		least = x < least ? x : least;
		out->upstreams++;
	}
	if (!out->upstreams)
		least = gw >= 0 && unknown_is_busy(e, gw, to_ns) ? POOL_MAYBE : POOL_FREE;
	return least == POOL_FREE && e->pools_ns && e->pools_ns < to_ns ? POOL_MAYBE : least;
}
