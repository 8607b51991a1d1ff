/* SPDX-License-Identifier: BSD-2-Clause */
/* A header block of HTTP/2, written anew for h2_store.c: literals alone, what is read alone. */
#ifndef ENGINE_H2_BLOCK_H
#define ENGINE_H2_BLOCK_H

#include "base/mask.h"
#include "engine/hpack.h"

#define H2_BLOCK_ROOM 4000 /* with its frame's header it fits one text */

struct h2_block {
	uint8_t p[H2_BLOCK_ROOM];
	size_t len;
	const struct mask *mask;
};

/* One more field, if the engine reads it. self: struct h2_block */
void h2_block_field(void *self, const struct hpack_field *f);
/* The block's length is the request's: what was left out is made up for where that can be. */
void h2_block_pad(struct h2_block *b, size_t want);

#endif
