/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * HTTP/2 frames (RFC 9113 4.1): the numbers both sides use, and whether nine bytes can be a
 * frame's header. In: those bytes, length checked by the caller.
 */
#ifndef W5_H2_H
#define W5_H2_H

#include "w5_abi.h"

#define W5_H2_HDR     9	 /* bytes of a frame header */
#define W5_H2_PREFACE 24 /* bytes of the client's preface (RFC 9113 3.4) */

enum w5_h2_type { /* RFC 9113 6 */
		  W5_H2_DATA = 0,
		  W5_H2_HEADERS = 1,
		  W5_H2_PRIORITY = 2,
		  W5_H2_RST_STREAM = 3,
		  W5_H2_SETTINGS = 4,
		  W5_H2_PUSH_PROMISE = 5,
		  W5_H2_PING = 6,
		  W5_H2_GOAWAY = 7,
		  W5_H2_WINDOW_UPDATE = 8,
		  W5_H2_CONTINUATION = 9,
};

#define W5_H2_END_STREAM  0x1 /* DATA, HEADERS */
#define W5_H2_ACK	  0x1 /* SETTINGS, PING */
#define W5_H2_END_HEADERS 0x4 /* HEADERS, PUSH_PROMISE, CONTINUATION */
#define W5_H2_PADDED	  0x8
#define W5_H2_PRIO	  0x20 /* HEADERS */

static inline w5_u32 w5_h2_len(const w5_u8 *h)
{
	return (w5_u32)h[0] << 16 | (w5_u32)h[1] << 8 | h[2];
}

static inline w5_u32 w5_h2_stream(const w5_u8 *h)
{
	return (w5_u32)(h[5] & 0x7f) << 24 | (w5_u32)h[6] << 16 | (w5_u32)h[7] << 8 | h[8];
}

/*
 * What RFC 9113 6 demands of length and stream, for who follows frames and must not fall out of
 * step. Types nobody knows (browsers send some on purpose; none is long), flags nobody defined and
 * long frames are allowed (4.1, 4.2, 5.5).
 */
static inline int w5_h2_valid(const w5_u8 *h)
{
	w5_u32 len = w5_h2_len(h), stream = w5_h2_stream(h);

	switch (h[3]) {
	case W5_H2_DATA:
	case W5_H2_CONTINUATION: return stream != 0;
	case W5_H2_HEADERS: return stream && len;
	case W5_H2_PRIORITY: return stream && len == 5;
	case W5_H2_RST_STREAM: return stream && len == 4;
	case W5_H2_SETTINGS: return !stream && len % 6 == 0;
	case W5_H2_PUSH_PROMISE: return stream && len >= 4;
	case W5_H2_PING: return !stream && len == 8;
	case W5_H2_GOAWAY: return !stream && len >= 8;
	case W5_H2_WINDOW_UPDATE: return len == 4;
	}
	return len < 65536;
}

/* Is this, of all things, a frame of HTTP/2? For a first look: types and flags of RFC 9113 alone,
 * less than 64 KiB. No text begins with a NUL. */
static inline int w5_h2_plausible(const w5_u8 *h)
{
	w5_u8 flags = W5_H2_END_STREAM | W5_H2_END_HEADERS | W5_H2_PADDED | W5_H2_PRIO;

	return !h[0] && h[3] <= W5_H2_CONTINUATION && !(h[4] & ~flags) && !(h[5] & 0x80) &&
	       w5_h2_valid(h);
}

#endif
