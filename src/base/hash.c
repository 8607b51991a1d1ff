/* SPDX-License-Identifier: BSD-2-Clause */
/* See hash.h. */
#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_MIN 16

/* Bijective finaliser: neighbouring keys (socket cookies count up) spread over all bits. */
uint64_t hash_mix(uint64_t x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ull;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ull;
	x ^= x >> 32;
	return x;
}

uint64_t hash_bytes(const void *data, size_t len, uint64_t seed)
{
	const unsigned char *p = data;
	uint64_t x = hash_mix(seed ^ len);

	while (len >= 8) {
		uint64_t word;

		memcpy(&word, p, 8);
		x = hash_mix(x ^ word);
		p += 8;
		len -= 8;
	}
	if (len) {
		uint64_t word = 0;

		memcpy(&word, p, len);
		x = hash_mix(x ^ word);
	}
	return x;
}

static size_t slot_home(const struct hash *h, uint64_t key)
{
	return hash_mix(key) & (h->cap - 1);
}

/* The slot that holds key, or the free one where it belongs. cap > count: it ends. */
static size_t slot_of(const struct hash *h, uint64_t key)
{
	size_t i = slot_home(h, key);

	while (h->slots[i].val && h->slots[i].key != key)
		i = (i + 1) & (h->cap - 1);
	return i;
}

static int hash_resize(struct hash *h, size_t cap)
{
	struct hash bigger = { .cap = cap, .count = h->count };

	bigger.slots = calloc(cap, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < h->cap; i++) {
		if (h->slots[i].val)
			bigger.slots[slot_of(&bigger, h->slots[i].key)] = h->slots[i];
	}
	free(h->slots);
	*h = bigger;
	return 0;
}

void hash_init(struct hash *h)
{
	*h = (struct hash){ 0 };
}

void hash_fini(struct hash *h)
{
	free(h->slots);
	hash_init(h);
}

int hash_reserve(struct hash *h, size_t n)
{
	size_t cap = h->cap ? h->cap : HASH_MIN;

	while (n > cap - cap / 4) {
		if (cap > SIZE_MAX / 2 / sizeof(*h->slots))
			return -ENOMEM;
		cap *= 2;
	}
	return cap == h->cap ? 0 : hash_resize(h, cap);
}

int hash_insert(struct hash *h, uint64_t key, void *val)
{
	size_t i;

	if (!val)
		return -EINVAL;
	if (h->cap) {
		i = slot_of(h, key);
		if (h->slots[i].val) {
			h->slots[i].val = val;
			return 0;
		}
	}
	if (hash_reserve(h, h->count + 1))
		return -ENOMEM;
	i = slot_of(h, key);
	h->slots[i] = (struct hash_slot){ .key = key, .val = val };
	h->count++;
	return 0;
}

void *hash_find(const struct hash *h, uint64_t key)
{
	return h->cap ? h->slots[slot_of(h, key)].val : NULL;
}

void *hash_remove(struct hash *h, uint64_t key)
{
	size_t mask = h->cap - 1;
	size_t hole, i;
	void *val;

	if (!h->cap)
		return NULL;
	hole = slot_of(h, key);
	val = h->slots[hole].val;
	if (!val)
		return NULL;

	/* Whoever sits behind the hole and did not start after it moves into it. */
	for (i = (hole + 1) & mask; h->slots[i].val; i = (i + 1) & mask) {
		size_t from_home = (i - slot_home(h, h->slots[i].key)) & mask;

		if (from_home >= ((i - hole) & mask)) {
			h->slots[hole] = h->slots[i];
			hole = i;
		}
	}
	h->slots[hole] = (struct hash_slot){ 0 };
	h->count--;
	return val;
}

bool hash_next(const struct hash *h, size_t *pos, uint64_t *key, void **val)
{
	while (*pos < h->cap) {
		const struct hash_slot *s = &h->slots[(*pos)++];

		if (!s->val)
			continue;
		if (key)
			*key = s->key;
		*val = s->val;
		return true;
	}
	return false;
}
