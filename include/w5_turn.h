/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The rules of turns that need nothing but struct w5_leg and the first bytes of a payload: the
 * kernel side makes the same of packets as they pass, src/source/ of a capture's, src/engine/ of
 * texts.
 */
#ifndef W5_TURN_H
#define W5_TURN_H

#include "w5_abi.h"
#include "w5_http1.h"
#include "w5_response.h"

#define W5_TLS_CCS	 0x14 /* record types, RFC 8446 B.1 */
#define W5_TLS_ALERT	 0x15
#define W5_TLS_HANDSHAKE 0x16
#define W5_TLS_DATA	 0x17

#define W5_TLS_ALERT_MAX 64 /* bytes of a packet that may be an alert (TLS 1.2 with CBC: 53) */

#define W5_CHUNKED_END 0x0d0a0d0a /* CR LF CR LF */

/* Its messages cannot be read from its packets as they come. */
static inline __attribute__((always_inline)) int w5_leg_veiled(const struct w5_leg *l)
{
	return l->proto == W5_PROTO_TLS || l->proto == W5_PROTO_H2;
}

static inline __attribute__((always_inline)) int w5_leg_bad(const struct w5_leg *l)
{
	return l->status >= 500 || (l->flags & W5_F_NOT_HTTP);
}

/* An attempt that got as far as connecting was ended by the gateway's own timer, by no failure. */
static inline __attribute__((always_inline)) int w5_up_timed_out(const struct w5_leg *l)
{
	if (l->phase == W5_PHASE_CONNECT)
		return !l->err;
	return !l->resp_bytes && (l->end == W5_END_FIN_OUT || l->end == W5_END_RST_OUT);
}

/* The gateway has said goodbye to its client over TLS, and was the first to. */
static inline __attribute__((always_inline)) int w5_down_was_left(const struct w5_leg *l)
{
	return l->role == W5_ROLE_DOWNSTREAM && l->alert_out == W5_ALERT;
}

/* A client that closes its sending side may still wait for an answer. */
static inline __attribute__((always_inline)) int w5_down_may_wait(const struct w5_leg *l)
{
	return l->phase == W5_PHASE_REQUEST || w5_leg_veiled(l);
}

/* A level and a description (RFC 8446 6); encrypted it is known by its size (TLS 1.3: with type
 * and tag, 5.2) or its type (before), and most likely says goodbye. */
static inline __attribute__((always_inline)) w5_u16 w5_tls_alert(const w5_u8 p[W5_HTTP1_PEEK],
								 w5_u32 payload)
{
	if (payload > W5_TLS_ALERT_MAX || p[1] != 3 || p[3])
		return 0;
	if (p[0] == W5_TLS_DATA)
		return p[4] == 19 && payload == 24 ? W5_ALERT : 0;
	if (p[0] != W5_TLS_ALERT)
		return 0;
	return p[4] == 2 ? W5_ALERT | p[6] : W5_ALERT;
}

/* Of two goodbyes the first is told: the other side only answers. */
static inline __attribute__((always_inline)) void w5_note_alert(struct w5_leg *l, w5_u16 alert,
								int out)
{
	if (alert == W5_ALERT && (l->alert_in || l->alert_out))
		return;
	if (out)
		l->alert_out = alert;
	else
		l->alert_in = alert;
}

/* Bytes that ask for an answer. The caller sets what it knows besides: .proto, .head. */
static inline __attribute__((always_inline)) void w5_turn_begin(struct w5_leg *l, w5_u64 now,
								w5_u32 bytes)
{
	l->idle_ns = l->last_ns && now > l->last_ns ? now - l->last_ns : 0;
	l->nr++;
	l->req_ns = l->req_last_ns = l->last_ns = now;
	l->req_bytes = bytes;
	l->req_acked = 0;
	l->resp_ns = 0;
	l->resp_bytes = 0;
	l->resp_len = 0;
	l->status = 0;
	l->end = W5_END_NONE;
	l->end_ns = 0;
	l->phase = W5_PHASE_REQUEST;
	l->flags &= W5_F_OLDER | W5_F_TEXT;
	l->rto_count = 0;
	if (l->nr > 1)
		l->busy = l->after = 0;
	l->head_len = 0;
}

/* acked: the number of the next byte that the peer expects, from the request's first one on. */
static inline __attribute__((always_inline)) void w5_turn_acked(struct w5_leg *l, int acked)
{
	if (acked < 0)
		acked = 0;
	if ((w5_u32)acked > l->req_bytes)
		acked = l->req_bytes;
	if ((w5_u32)acked > l->req_acked)
		l->req_acked = acked;
}

/* The backend ended a conn in or after a response: w5_ends_short() can tell if that was whole. */
static inline __attribute__((always_inline)) int w5_ended_after_answer(const struct w5_leg *l)
{
	return l->role == W5_ROLE_UPSTREAM && l->phase == W5_PHASE_RESPONSE &&
	       l->proto == W5_PROTO_HTTP1 && (l->end == W5_END_FIN_IN || l->end == W5_END_RST_IN);
}

#endif
