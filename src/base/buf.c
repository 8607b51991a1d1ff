/* SPDX-License-Identifier: BSD-2-Clause */
/* See buf.h. */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_fini(struct buf *b)
{
	free(b->data);
	buf_init(b, 0);
}

/* Room for more bytes behind len, or false with .err set. */
static int buf_room(struct buf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 4096;
	char *data;

	if (b->err)
		return b->err;
	if (more > b->max - b->len) {
		b->err = -ENOBUFS;
		return b->err;
	}
	if (more <= b->cap - b->len)
		return 0;
	while (cap - b->len < more)
		cap *= 2;
	data = realloc(b->data, cap);
	if (!data) {
		b->err = -ENOMEM;
		return b->err;
	}
	b->data = data;
	b->cap = cap;
	return 0;
}

void buf_put(struct buf *b, const void *data, size_t len)
{
	if (!len || buf_room(b, len))
		return;
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

void buf_str(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n > 0)
		buf_put(b, text, min_size((size_t)n, sizeof(text) - 1));
}

void buf_cut(struct buf *b, size_t len)
{
	b->len = min_size(b->len, len);
	b->err = 0;
}

int buf_flush(struct buf *b, int fd)
{
	size_t done = 0;
	int err = 0;

	while (done < b->len) {
		ssize_t n = write(fd, b->data + done, b->len - done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR) {
			err = n == 0 ? -EIO : -errno;
			break;
		}
	}
	if (done) {
		memmove(b->data, b->data + done, b->len - done);
		b->len -= done;
	}
	return err == -EAGAIN ? 0 : err; /* a busy reader gets it at the next tick */
}
