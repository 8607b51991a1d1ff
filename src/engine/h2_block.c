/* SPDX-License-Identifier: BSD-2-Clause */
/* See h2_block.h. */
#include "engine/h2_block.h"

#include <string.h>

#include "engine/h2.h"

#define FIELD_NEVER 0x10 /* literal never indexed, new name (RFC 7541 6.2.3) */
#define NAME_ROOM   32
#define VALUE_MAX   1024 /* longer than what the engine keeps: it sees that it was cut */

/* An integer with a prefix of 7 bits (RFC 7541 5.1). */
static size_t put_length(uint8_t *to, size_t n)
{
	size_t len = 0;

	if (n < 127) {
		to[len++] = (uint8_t)n;
		return len;
	}
	to[len++] = 127;
	for (n -= 127; n >= 128; n >>= 7)
		to[len++] = (uint8_t)(0x80 | (n & 127));
	to[len++] = (uint8_t)n;
	return len;
}

static uint8_t *put_field(struct h2_block *b, const void *name, size_t name_len, const void *value,
			  size_t value_len)
{
	uint8_t *to = b->p + b->len, *at;

	if (name_len > NAME_ROOM || value_len + name_len + 8 > sizeof(b->p) - b->len)
		return NULL;
	*to++ = FIELD_NEVER;
	to += put_length(to, name_len);
	if (name_len)
		memcpy(to, name, name_len);
	to += name_len;
	to += put_length(to, value_len);
	at = to;
	if (value_len)
		memcpy(to, value, value_len);
	b->len = (size_t)(to + value_len - b->p);
	return at;
}

static bool is_target(const struct hpack_field *f)
{
	return (f->name_len == 5 && !memcmp(f->name, ":path", 5)) ||
	       (f->name_len == 10 && !memcmp(f->name, ":authority", 10));
}

void h2_block_field(void *self, const struct hpack_field *f)
{
	struct h2_block *b = self;
	size_t n = min_size(f->value_len, VALUE_MAX);
	uint8_t *value;

	if (!f->name_len) { /* it refers to what was missed, and so it reads again */
		put_field(b, NULL, 0, f->value, min_size(f->value_len, HPACK_UNKNOWN_LEN));
		return;
	}
	if (!h2_head_reads(f))
		return;
	value = put_field(b, f->name, f->name_len, f->value, n);
	if (value && is_target(f))
		mask_target(b->mask, value, n);
}

/* The block's length is the request's: what was left out is made up for where that can be. */
void h2_block_pad(struct h2_block *b, size_t want)
{
	uint8_t filler[H2_BLOCK_ROOM];
	size_t lead, n;

	want = min_size(want, sizeof(b->p) - 8);
	if (b->len + 4 > want)
		return;
	n = want - b->len;
	lead = n - 4 < 127 ? 4 : n - 5 < 255 ? 5 : 6;
	n -= min_size(n, lead);
	memset(filler, '*', n);
	put_field(b, "x", 1, filler, n);
}
