/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Did a response end before it was whole? By what struct w5_leg keeps of it, the same code in the
 * kernel and for captures. What it means, the engine works out (engine/head.c).
 */
#ifndef W5_RESPONSE_H
#define W5_RESPONSE_H

#include "w5_abi.h"

/* At the first byte of a header line; only these two headers have these letters there. */
static inline __attribute__((always_inline)) int w5_is_length_line(const w5_u8 *p)
{
	return (p[0] | 0x20) == 'c' && p[7] == '-' && (p[8] | 0x20) == 'l' &&
	       (p[13] | 0x20) == 'h' && p[14] == ':';
}

static inline __attribute__((always_inline)) int w5_is_coding_line(const w5_u8 *p)
{
	return (p[0] | 0x20) == 't' && p[8] == '-' && (p[9] | 0x20) == 'e' &&
	       (p[16] | 0x20) == 'g' && p[17] == ':';
}

#define W5_LENGTH_LINE	15 /* bytes of "Content-Length:" */
#define W5_LENGTH_TEXT	12 /* a blank, and the digits of any length that fits 32 bits */
#define W5_LINES_WITHIN (W5_HEAD_RESP - W5_LENGTH_LINE - W5_LENGTH_TEXT - 1)

static inline __attribute__((always_inline)) w5_u64 w5_length_of(const w5_u8 *p)
{
	w5_u64 value = 0;

	for (int i = 0; i < W5_LENGTH_TEXT; i++) {
		if (p[i] == ' ' && !i)
			continue;
		if (p[i] < '0' || p[i] > '9')
			break;
		value = value * 10 + (p[i] - '0');
	}
	return value;
}

/* HEAD, 204 and 304 have no body. */
static inline __attribute__((always_inline)) int w5_ends_short(const struct w5_leg *l)
{
	int no_body, is_chunked = 0;
	w5_u64 value = 0;
	w5_u32 end = 0;

	for (w5_u32 i = 12; i < W5_LINES_WITHIN; i++) {
		if (l->resp[i] != '\n')
			continue;
		if (i + 2 > l->resp_len)
			break;
		if (l->resp[i + 1] == '\r') {
			end = i + 3;
			break;
		}
		if (w5_is_length_line(&l->resp[i + 1]))
			value = w5_length_of(&l->resp[i + 1 + W5_LENGTH_LINE]);
		else if (w5_is_coding_line(&l->resp[i + 1]))
			is_chunked = 1;
	}
	if (!end && l->resp_bytes <= l->resp_len)
		return 1; /* in the header */
	no_body = l->status == 204 || l->status == 304 || (l->head[0] == 'H' && l->head[1] == 'E');
	if (no_body)
		return 0;
	if (is_chunked)
		return !!(l->flags & W5_F_ENDS_OPEN);
	return l->resp_bytes < end + value;
}

#endif
