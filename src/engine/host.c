/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's limits, per gateway: the last samples, and what grew between two of them. A
 * sample holds until the next one: none is made while nothing changes.
 */
#include "engine/internal.h"

#include <string.h>

#define RATE_NS	  (5 * NS_PER_S)
#define VALUE_MAX (1ull << 53) /* what JSON's readers take */

enum kind { KIND_COUNT, KIND_LEVEL, KIND_STALL };

static const enum kind kinds[W5_HOST_VALUE_MAX] = {
#define X(id, name, kind) [W5_HOST_##id] = KIND_##kind,
	W5_HOST_VALUES(X)
#undef X
};

static int gateway_of(const struct engine *e, uint32_t group)
{
	for (size_t i = 0; i < e->ngws; i++)
		if (e->gws[i].group == group)
			return (int)i;
	return -1;
}

void on_host(struct engine *e, const struct w5_host *r)
{
	int gw = gateway_of(e, r->group);
	struct gateway *g;
	struct w5_host *to;

	if (gw < 0)
		return;
	g = e->gw_priv[gw];
	if (!g->host)
		g->host = calloc(1, sizeof(*g->host));
	if (!g->host)
		return;
	to = &g->host->v[g->host->n++ % HOST_SAMPLES];
	*to = *r;
	for (size_t i = 0; i < W5_HOST_VALUE_MAX; i++)
		if (to->v[i] > VALUE_MAX) /* no kernel counts so far: a spoiled trace */
			to->v[i] = W5_HOST_UNKNOWN;
	memset(&to->ports[r->nports], 0, (W5_HOST_PORTS - r->nports) * sizeof(to->ports[0]));
	memset(&to->listeners[r->nlisteners], 0,
	       (W5_HOST_LISTENERS - r->nlisteners) * sizeof(to->listeners[0]));
}

const struct host *host_of(const struct engine *e, int gw)
{
	return gw < 0 ? NULL : e->gw_priv[gw]->host;
}

const struct w5_host *host_now(const struct host *h)
{
	return &h->v[(h->n - 1) % HOST_SAMPLES];
}

const struct w5_host *host_at(const struct host *h, uint64_t ts_ns)
{
	for (uint64_t i = h->n; i > 0 && i + HOST_SAMPLES > h->n; i--) {
		const struct w5_host *r = &h->v[(i - 1) % HOST_SAMPLES];

		if (r->h.ts_ns <= ts_ns)
			return r;
	}
	return NULL;
}

static uint64_t grown(uint64_t from, uint64_t to)
{
	if (from == W5_HOST_UNKNOWN || to == W5_HOST_UNKNOWN)
		return 0;
	return to > from ? to - from : 0;
}

uint64_t host_grown(const struct w5_host *from, const struct w5_host *to, enum w5_host_value v)
{
	return grown(from->v[v], to->v[v]);
}

static bool same_listener(const struct w5_host_listener *a, const struct w5_host_listener *b)
{
	return a->port == b->port && !memcmp(&a->ip, &b->ip, sizeof(a->ip));
}

/* One that was not among the rows before had no trouble, or did not exist: it is not known. */
uint64_t host_dropped(const struct w5_host *from, const struct w5_host *to, size_t listener)
{
	for (size_t i = 0; i < from->nlisteners; i++)
		if (same_listener(&from->listeners[i], &to->listeners[listener]))
			return grown(from->listeners[i].drops, to->listeners[listener].drops);
	return 0;
}

static void describe(const struct engine *e, size_t gw, struct engine_host *out)
{
	const struct host *h = e->gw_priv[gw]->host;
	const struct w5_host *from = host_at(h, e->c.now_ns - min_u64(e->c.now_ns, RATE_NS));
	double span = (double)RATE_NS / 1e9;

	*out = (struct engine_host){ .now = *host_now(h) };
	memcpy(out->name, e->gws[gw].name, sizeof(out->name));
	if (!from) { /* began later: since then */
		from = &h->v[h->n > HOST_SAMPLES ? h->n % HOST_SAMPLES : 0];
		span = (double)(e->c.now_ns - from->h.ts_ns) / 1e9;
	}
	if (span < 0.5) /* too short for a rate */
		return;
	for (int v = 0; v < W5_HOST_VALUE_MAX; v++)
		if (kinds[v] == KIND_COUNT)
			out->rate[v] = (double)host_grown(from, &out->now, v) / span;
	for (size_t i = 0; i < out->now.nlisteners; i++)
		out->drop_rate[i] = (double)host_dropped(from, &out->now, i) / span;
}

size_t engine_hosts(const struct engine *e, struct engine_host *out, size_t n)
{
	size_t have = 0;

	for (size_t i = 0; i < e->ngws; i++) {
		if (!e->gw_priv[i]->host || e->gws[i].unwanted)
			continue;
		if (have < n)
			describe(e, i, &out[have]);
		have++;
	}
	return have;
}
