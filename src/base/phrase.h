/* SPDX-License-Identifier: BSD-2-Clause */
/* Words put together piece by piece in a buffer of the caller's; what does not fit is cut. */
#ifndef BASE_PHRASE_H
#define BASE_PHRASE_H

#include <stddef.h>

struct phrase {
	char *out;
	size_t cap; /* at least 1 */
	size_t n;   /* bytes so far, without the NUL behind them */
};

/* Starts with the empty string in out. */
struct phrase phrase_begin(char *out, size_t cap);
void phrase_put(struct phrase *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, with sep before it unless it is the first. */
void phrase_item(struct phrase *p, const char *sep, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
