/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HPACK (RFC 7541) of one direction of one conn, by libnghttp2's inflater. In: whole header
 * blocks, hostile. Out: fields, borrowed until the callback returns.
 *
 * Where blocks were missed the dynamic table is not known: it is then filled with nameless
 * entries, so that what refers to a missed one reads as nothing, and what is sent anew can
 * be read. The value of such an entry is its number: two that are equal stand for the same field.
 */
#ifndef ENGINE_HPACK_H
#define ENGINE_HPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HPACK_UNKNOWN_LEN 2 /* bytes of such a number */

struct hpack;

struct hpack_field {
	const uint8_t *name, *value; /* name_len 0: refers to what was missed, value: which one */
	size_t name_len, value_len;
};
typedef void (*hpack_fn)(void *self, const struct hpack_field *f);

/* is_known: from the conn's first block on. 0 or -ENOMEM. */
int hpack_new(struct hpack **out, bool is_known);
void hpack_free(struct hpack *h); /* NULL is fine */

/* SETTINGS_HEADER_TABLE_SIZE of whoever reads this direction. A smaller one than before is not
 * applied: the writer says in its blocks what it uses. */
void hpack_table_size(struct hpack *h, uint32_t bytes);
/* Blocks were missed. 0 or -ENOMEM, then h is of no use. */
int hpack_missed(struct hpack *h);
/* 0, -EBADMSG (h goes on as after a miss; fn may have been called) or -ENOMEM. */
int hpack_decode(struct hpack *h, const uint8_t *block, size_t len, hpack_fn fn, void *self);

#endif
