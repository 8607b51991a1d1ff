// SPDX-License-Identifier: BSD-2-Clause
/* Frames on their way out, see frames.h. */
#include "frames.h"

#include <errno.h>
#include <string.h>

#define FRAME_BYTES (16384 + 9) /* the largest one may send unasked: RFC 9113 4.2 */

/* Takes frames from libnghttp2 while there are some, and room for any. */
static void frames_fill(struct frames *f, nghttp2_session *session)
{
	const uint8_t *data;
	ssize_t n;

	f->len = f->off = 0;
	while (sizeof(f->buf) - f->len >= FRAME_BYTES) {
		n = nghttp2_session_mem_send(session, &data);
		if (n <= 0 || (size_t)n > FRAME_BYTES)
			return;
		memcpy(f->buf + f->len, data, (size_t)n);
		f->len += (size_t)n;
	}
}

int frames_push(struct frames *f, nghttp2_session *session, struct link *link)
{
	ssize_t n;

	for (;;) {
		if (f->off == f->len)
			frames_fill(f, session);
		if (!f->len)
			return 0;
		n = link_send(link, f->buf + f->off, f->len - f->off, false);
		if (n <= 0)
			return n ? (int)n : -EPIPE;
		f->off += (size_t)n;
	}
}

nghttp2_nv header_pair(const char *name, const char *value)
{
	return (nghttp2_nv){
		.name = (uint8_t *)name,
		.namelen = strlen(name),
		.value = (uint8_t *)value,
		.valuelen = strlen(value),
	};
}
