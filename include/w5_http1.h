/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Recognising the start of an HTTP/1 message (RFC 9112 2.1, 3, 4), the same code
 * in the kernel and in user space, so that unit tests and a fuzzer reach it.
 * In: the first bytes of a TCP payload. Nothing is read beyond the given array.
 */
#ifndef W5_HTTP1_H
#define W5_HTTP1_H

#include "w5_abi.h"

#define W5_HTTP1_PEEK 16 /* bytes that decide; a shorter payload is padded with 0 */

/* Longest method looked for: IANA's registry has 'UPDATEREDIRECTREF' (17), 'BASELINE-CONTROL'
 * (16) and then 'VERSION-CONTROL' (15); up to 14 leaves room for SP and the target's first
 * byte within the peek. */
#define W5_HTTP1_METHOD_MAX 14
#define W5_HTTP1_METHOD_MIN 3

/*
 * 1 if p looks like "METHOD SP target": upper-case token, one space, then a target that
 * starts as RFC 9112 3.2 allows ('/', '*', an absolute "http", or any host for CONNECT).
 */
static inline __attribute__((always_inline)) int w5_http1_is_request(const w5_u8 p[W5_HTTP1_PEEK])
{
	/* The first byte settles it for nearly every other protocol. */
	if (p[0] < 'A' || p[0] > 'Z')
		return 0;
	/* HTTP/2's preface looks like a request by design; "PRI" is reserved for it. */
	if (p[0] == 'P' && p[1] == 'R' && p[2] == 'I' && p[3] == ' ')
		return 0;
#ifdef __clang__
#pragma unroll
#endif
	for (int i = 1; i <= W5_HTTP1_METHOD_MAX; i++) {
		w5_u8 c = p[i];

		if (c == ' ') {
			w5_u8 t = p[i + 1];

			if (i < W5_HTTP1_METHOD_MIN)
				return 0;
			if (t == '/' || t == '*' || t == 'h' || t == 'H')
				return 1;
			return i == 7 && p[0] == 'C' && p[1] == 'O' && p[2] == 'N' && t > ' ';
		}
		if ((c < 'A' || c > 'Z') && c != '-' && c != '_')
			return 0;
	}
	return 0;
}

/* The status code of "HTTP/1.x NNN", or 0 if p is something else. Reads 12 bytes. */
static inline __attribute__((always_inline)) w5_u16 w5_http1_status(const w5_u8 p[W5_HTTP1_PEEK])
{
	w5_u16 a, b, c;

	if (p[0] != 'H' || p[1] != 'T' || p[2] != 'T' || p[3] != 'P' || p[4] != '/' ||
	    p[5] != '1' || p[6] != '.' || p[8] != ' ')
		return 0;
	a = p[9] - '0';
	b = p[10] - '0';
	c = p[11] - '0';
	if (a < 1 || a > 9 || b > 9 || c > 9)
		return 0;
	return a * 100 + b * 10 + c;
}

/*
 * How many of p's bytes are of a message's header, its empty line included; 0 = that is not among
 * them. LF alone will do (RFC 9112 2.2). *after_lf: of the bytes before p; false where the message
 * begins, and as it was left where p goes on.
 */
static inline __attribute__((always_inline)) w5_u32 w5_http1_header_size(const w5_u8 *p, w5_u32 n,
									 w5_u8 *after_lf)
{
	for (w5_u32 i = 0; i < n; i++) {
		if (p[i] == '\n') {
			if (*after_lf)
				return i + 1;
			*after_lf = 1;
		} else if (p[i] != '\r') {
			*after_lf = 0;
		}
	}
	return 0;
}

/* 100 Continue and its like: the final response follows, perhaps at once (RFC 9110 15.2). */
static inline __attribute__((always_inline)) int w5_http1_is_interim(w5_u16 status)
{
	return status >= 100 && status < 200 && status != 101;
}

/* The cleartext HTTP/2 connection preface starts "PRI * HTTP/2.0" (RFC 9113 3.4). */
static inline __attribute__((always_inline)) int w5_http1_is_h2_preface(const w5_u8 p[W5_HTTP1_PEEK])
{
	return p[0] == 'P' && p[1] == 'R' && p[2] == 'I' && p[3] == ' ' && p[4] == '*' &&
	       p[5] == ' ' && p[6] == 'H' && p[7] == 'T' && p[8] == 'T' && p[9] == 'P' &&
	       p[10] == '/' && p[11] == '2';
}

/* The start of a TLS ClientHello: handshake record, version 3.x, type 1 (RFC 8446 4, 5.1). */
static inline __attribute__((always_inline)) int w5_is_client_hello(const w5_u8 p[W5_HTTP1_PEEK])
{
	return p[0] == 0x16 && p[1] == 3 && p[5] == 1;
}

#endif
