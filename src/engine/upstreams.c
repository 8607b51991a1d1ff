/* SPDX-License-Identifier: BSD-2-Clause */
/* One row per upstream address and port. */
#include "engine/internal.h"

#include <string.h>

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
	size_t at = place_of(e, l), cap = e->ups_cap ? e->ups_cap * 2 : 16;
	struct upstream *u;

	if (e->nups >= UPSTREAMS_MAX)
		return NULL;
	if (e->nups == e->ups_cap) {
		struct engine_upstream **v = realloc(e->upv, cap * sizeof(*v));

		if (!v)
			return NULL;
		e->upv = v;
		e->ups_cap = cap;
	}
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

size_t engine_upstreams(const struct engine *e, const struct engine_upstream *const **out)
{
	*out = (const struct engine_upstream *const *)e->upv;
	return e->nups;
}

void upstreams_free(struct engine *e)
{
	for (size_t i = 0; i < e->nups; i++)
		free(list_entry(e->upv[i], struct upstream, pub));
	free(e->upv);
	hash_fini(&e->upstreams);
}
