/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing byte buffer that drains into a file descriptor. Appending never returns an
 * error: the first failure (no memory, over max) sticks in .err until buf_cut(), so a
 * writer checks once per line and takes back a line that did not fit.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data;
	size_t len, cap;
	size_t max; /* bytes it may hold */
	int err;    /* first failure since buf_cut(), -errno */
};

void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b);
void buf_put(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Takes back what was appended after len was the length, and forgets the error. */
void buf_cut(struct buf *b, size_t len);
/* Writes as much as fd takes; the rest stays for the next call. 0 or -errno. */
int buf_flush(struct buf *b, int fd);

#endif
