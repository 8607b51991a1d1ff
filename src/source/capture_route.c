/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a request asks for, as keys; and which routes go with which peers. Where many requests
 * are under way, a connect just after one of them is for another as often as not: what tells is
 * that requests of one route are followed by connects to this peer, and those of another not.
 */
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "source/capture_impl.h"

#define TARGET_BYTES 112 /* as the engine compares them */
#define KEYS_MAX     65536
#define LIFT	     8 /* times as often as chance would have it */

/* The target: behind the method, up to the next blank. */
static const uint8_t *target_of(const uint8_t *head, size_t len, size_t *n)
{
	const uint8_t *sp = memchr(head, ' ', min_size(len, 18)), *end;

	if (!sp)
		return NULL;
	sp++;
	len -= (size_t)(sp - head);
	end = memchr(sp, ' ', len);
	*n = min_size(end ? (size_t)(end - sp) : len, TARGET_BYTES);
	return *n ? sp : NULL;
}

uint64_t capture_target_key(const uint8_t *head, size_t len)
{
	size_t n;
	const uint8_t *t = target_of(head, len, &n);

	return t ? hash_bytes(t, n, 0) | 1 : 0;
}

uint64_t capture_route_key(const uint8_t *head, size_t len)
{
	size_t n = 0, seg = 1;
	const uint8_t *t = target_of(head, len, &n);

	if (!t)
		return 0;
	while (seg < n && t[seg] != '/' && t[seg] != '?')
		seg++;
	return hash_bytes(t, min_size(seg, n), 3) | 1;
}

void route_count(struct hash *h, uint64_t key)
{
	uintptr_t n = (uintptr_t)hash_find(h, key);

	if (key && (n || h->count < KEYS_MAX))
		hash_insert(h, key, (void *)(n + 1)); /* no memory: it is not counted */
}

/* A quiet gateway takes longer to wake up, a busy one is at something else. */
static const uint64_t windows[] = { ROUTE_PROMPT_NS, ROUTE_WINDOW_NS };

static uint64_t pair_key(uint64_t route, uint64_t peer, size_t window)
{
	return hash_mix(hash_mix(route ^ peer) + window) | 1;
}

void route_pair(struct capture *c, uint64_t route, uint64_t peer, uint64_t after_ns)
{
	for (size_t i = 0; route && i < ARRAY_SIZE(windows); i++)
		if (after_ns <= windows[i])
			route_count(&c->pairs, pair_key(route, peer, i));
}

/* key of how many conns to the peer had some request just before them */
static uint64_t prompt_key(uint64_t peer)
{
	return pair_key(0, peer, ARRAY_SIZE(windows));
}

void route_prompt(struct capture *c, uint64_t peer)
{
	route_count(&c->pairs, prompt_key(peer));
}

bool route_goes_to(const struct capture *c, uint64_t route, uint64_t peer)
{
	uintptr_t prompt = (uintptr_t)hash_find(&c->pairs, prompt_key(peer));
	uintptr_t asked = (uintptr_t)hash_find(&c->routes, route);
	uintptr_t opened = (uintptr_t)hash_find(&c->peers, peer);

	/* the wide one only where the narrow one has too little to go by */
	for (size_t i = 0; i < (2 * prompt >= opened ? 1 : ARRAY_SIZE(windows)); i++) {
		uintptr_t both = (uintptr_t)hash_find(&c->pairs, pair_key(route, peer, i));
		double n = (double)(c->end_ns - c->first_ns) / (double)windows[i] + 1;

		if (both && (double)both * n >= LIFT * (double)asked * (double)opened)
			return true;
	}
	return false;
}
