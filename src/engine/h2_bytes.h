/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames and header blocks of HTTP/2 that come in parts. */
#ifndef ENGINE_H2_BYTES_H
#define ENGINE_H2_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define H2_BLOCK_MAX  65536 /* one header block, all its frames together */
#define H2_BYTES_KEPT 4096  /* a buffer that grew beyond is given back after use */

struct h2_bytes {
	uint8_t *p; /* NULL between uses that were large */
	size_t len, cap;
};

/* False if it would be too long, or there is no memory. */
static inline bool h2_bytes_put(struct h2_bytes *b, const uint8_t *p, size_t n)
{
	size_t cap = b->cap ? b->cap : 1024;
	uint8_t *to;

	if (n > H2_BLOCK_MAX - b->len)
		return false;
	while (cap < b->len + n)
		cap *= 2;
	if (cap != b->cap) {
		to = realloc(b->p, cap);
		if (!to)
			return false;
		b->p = to;
		b->cap = cap;
	}
	if (n)
		memcpy(b->p + b->len, p, n);
	b->len += n;
	return true;
}

static inline void h2_bytes_reset(struct h2_bytes *b)
{
	b->len = 0;
	if (b->cap <= H2_BYTES_KEPT)
		return;
	free(b->p);
	b->p = NULL;
	b->cap = 0;
}

#endif
