/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the first bytes of a text or of a packet are. A global function: the verifier looks at it
 * once, not once for every way that leads to it, which is what makes loading quick.
 */
#ifndef BPF_LOOK_H
#define BPF_LOOK_H

#include "maps.h"
#include "w5_h2.h"
#include "w5_http1.h"

struct peeked {
	__u8 b[W5_HTTP1_PEEK];
};

#define LOOK_STATUS  0x3ff  /* of a status line; 0 = none */
#define LOOK_REQUEST 0x400  /* a request head of HTTP/1 */
#define LOOK_PREFACE 0x800  /* of HTTP/2 */
#define LOOK_FRAME   0x1000 /* can be a frame of HTTP/2, if at least 9 bytes are there */
#define LOOK_HELLO   0x2000 /* ClientHello */
#define LOOK_TLS     0x4000 /* any TLS record */
#define LOOK_ERROR   0x8000 /* an answer with 5xx: of HTTP/1, or as HPACK usually writes it */

/*
 * RFC 7541 6: :status 500 has an index; the others come as a literal of name 8, plain or Huffman.
 * For the flight recorder only, which must choose before anything is decoded.
 */
static __always_inline bool frame_is_error(const __u8 *p)
{
	if (p[0] || p[3] != W5_H2_HEADERS)
		return false;
	if (p[9] == 0x8e)
		return true;
	if (p[9] != 0x08 && p[9] != 0x48 && p[9] != 0x18)
		return false;
	return p[10] & 0x80 ? p[11] >> 2 == 0x1b : p[10] == 3 && p[11] == '5';
}

__weak __noinline int look(const struct peeked *p)
{
	int kind;

	if (!p)
		return 0;
	kind = w5_http1_status(p->b);
	if (kind)
		return kind >= 500 ? kind | LOOK_ERROR : kind;
	if (w5_http1_is_request(p->b))
		return LOOK_REQUEST;
	if (w5_http1_is_h2_preface(p->b))
		return LOOK_PREFACE;
	if (p->b[0] >= 0x14 && p->b[0] <= 0x17 && p->b[1] == 3) /* RFC 8446 B.1, 5.1 */
		return w5_is_client_hello(p->b) ? LOOK_TLS | LOOK_HELLO : LOOK_TLS;
	if (w5_h2_plausible(p->b))
		return frame_is_error(p->b) ? LOOK_FRAME | LOOK_ERROR : LOOK_FRAME;
	return 0;
}

#endif
