/* SPDX-License-Identifier: BSD-2-Clause */
/* The way of HTTP/2 frames from libnghttp2 to a link, in as few writes as possible. */
#ifndef LAB_FRAMES_H
#define LAB_FRAMES_H

#include <nghttp2/nghttp2.h>
#include <stddef.h>
#include <stdint.h>

#include "link.h"

#define FRAMES_BYTES 65536

struct frames {
	size_t len, off;
	uint8_t buf[FRAMES_BYTES];
};

/* Sends all there is: 0 = done, -EAGAIN = go on when the link can, else -errno. */
int frames_push(struct frames *f, nghttp2_session *session, struct link *link);

nghttp2_nv header_pair(const char *name,
		       const char *value); /* both must outlive the call that sends */

#endif
