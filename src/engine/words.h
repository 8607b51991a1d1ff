/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the sentences are made of. Plain ASCII; bytes from the wire come in escaped only.
 */
#ifndef ENGINE_WORDS_H
#define ENGINE_WORDS_H

#include "base/text.h"
#include "engine/facts.h"

struct words {
	char up[TEXT_ENDPOINT_MAX]; /* upstream */
	char elapsed[16], idle[16], asked[16];
	char err[32];
};

void words_put(char *out, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void words_of(struct words *w, const struct sentence_input *in);

typedef void (*say_fn)(char *out, size_t cap, const struct sentence_input *in,
		       const struct words *w);

#define SAY(name)                                                                \
	static void name(char *out, size_t cap, const struct sentence_input *in, \
			 const struct words *w)

#endif
