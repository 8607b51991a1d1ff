/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash table from a 64-bit key to a pointer the caller owns. Open addressing,
 * linear probing, at most 3/4 full; removal shifts back, so there are no
 * tombstones and a table that lives for weeks does not slow down. Allocates only
 * when it grows. A value is never NULL; a table of indices stores index + 1.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash_slot {
	uint64_t key;
	void *val; /* NULL = free */
};

struct hash {
	struct hash_slot *slots;
	size_t cap; /* power of two, or 0 before the first insert */
	size_t count;
};

void hash_init(struct hash *h);
void hash_fini(struct hash *h); /* does not touch the values */

/* Inserts or replaces. 0, -EINVAL if val is NULL, -ENOMEM. */
int hash_insert(struct hash *h, uint64_t key, void *val);
void *hash_find(const struct hash *h, uint64_t key); /* NULL if absent */
void *hash_remove(struct hash *h, uint64_t key);     /* what was there, or NULL */
/* Makes room for n entries, so that no insert up to there can fail. */
int hash_reserve(struct hash *h, size_t n);

/*
 * for (size_t pos = 0; hash_next(h, &pos, &key, &val);) ...
 * The table must not change inside the loop. key may be NULL.
 */
bool hash_next(const struct hash *h, size_t *pos, uint64_t *key, void **val);

uint64_t hash_mix(uint64_t x);
/* A key out of bytes, for keys wider than 64 bits; the caller compares on a hit. */
uint64_t hash_bytes(const void *data, size_t len, uint64_t seed);

#endif
