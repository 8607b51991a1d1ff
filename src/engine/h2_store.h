/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP/2 as a trace may keep it. Header blocks hold credentials and cookies, and HPACK makes
 * each depend on those before: so they are written anew, of literals alone, with only the
 * fields that the engine reads, and targets masked. Every other record passes.
 *
 * In: the record stream, in its order. Out: the same, through emit; a block of several texts
 * comes as one, where the last of them was, with texts numbered accordingly.
 */
#ifndef ENGINE_H2_STORE_H
#define ENGINE_H2_STORE_H

#include "base/mask.h"
#include "w5_abi.h"

struct h2_store;

struct h2_store_ops {
	/* rec is borrowed. */
	void (*emit)(void *self, const struct w5_hdr *rec);
};

/* mask is borrowed. 0 or -ENOMEM. */
int h2_store_new(struct h2_store **out, const struct mask *mask, const struct h2_store_ops *ops,
		 void *self);
void h2_store_free(struct h2_store *s); /* NULL is fine */
/* rec has passed record_check(), or comes from our own kernel side. */
void h2_store_record(struct h2_store *s, const struct w5_hdr *rec);

#endif
