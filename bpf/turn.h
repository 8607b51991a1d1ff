/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Turns of a conn: a request begins one, its response is recognised and reported. HTTP/1
 * by its heads; what cannot be read, by the directions of its bytes.
 */
#ifndef BPF_TURN_H
#define BPF_TURN_H

#include "emit.h"
#include "interim.h"
#include "look.h"

/* Bytes that ask for an answer: a new turn begins. */
static __always_inline void begin_turn(struct conn *c, const struct seg *s, __u64 now)
{
	w5_turn_begin(&c->leg, now, s->payload);
	c->req_seq = s->seq;
	c->ended = 0;
	c->is_held = 0;
	c->asked = 0;
	c->interim = 0;
}

/* After starts_request(), which has put the head in its place. */
static __always_inline void begin_request(struct conn *c, const struct seg *s, __u64 now)
{
	struct w5_leg *l = &c->leg;
	__u32 n = s->payload;

	begin_turn(c, s, now);
	l->proto = W5_PROTO_HTTP1;
	if (n > W5_HEAD_REQ)
		n = W5_HEAD_REQ;
	l->head_len = n;
	if (s->payload > W5_HEAD_REQ)
		l->flags |= W5_F_REQ_CUT;
}

/* The start of the response is kept where it may be needed to explain something. */
static __always_inline bool keep_response(struct __sk_buff *skb, struct w5_leg *l,
					  struct w5_packet *slot, const struct seg *s)
{
	__u32 have = l->resp_len, n = s->payload;

	/* The rest of a status line that was cut: only bytes that fill it up to the peek. */
	if (have > W5_HTTP1_PEEK)
		have = 0;
	if (n > W5_HEAD_RESP - W5_HTTP1_PEEK)
		n = W5_HEAD_RESP - W5_HTTP1_PEEK;
	if (!n)
		return false;
	load_some(skb, s->off, &l->resp[have], n, W5_HEAD_RESP);
	l->resp_len = have + n;
	if (!have && l->role == W5_ROLE_UPSTREAM)
		keep_payload(slot, s, l->resp);
	return true;
}

/* The status line, perhaps in several segments. False: it is not there yet. */
static __always_inline bool read_status(struct __sk_buff *skb, struct w5_leg *l,
					struct w5_packet *slot, const struct seg *s)
{
	const __u8 *kept = NULL;
	__u8 p[W5_HTTP1_PEEK];

	if (l->role == W5_ROLE_DOWNSTREAM && !l->resp_len)
		kept = peek_slot(slot, s);
	l->resp_bytes += s->payload;
	l->status = kept ? w5_http1_status(kept) : 0;
	/* A healthy answer going to the client explains nothing: not worth the copy. */
	if (l->role == W5_ROLE_UPSTREAM || !l->status || l->status >= 500) {
		if (!keep_response(skb, l, slot, s))
			return false;
		if (l->resp_len < 12 && l->resp[0] == 'H')
			return false;
		__builtin_memcpy(p, l->resp, sizeof(p));
		l->status = w5_http1_status(p);
	}
	return true;
}

/* Where interim ones come first: the status line behind them. */
static __always_inline bool read_final(struct __sk_buff *skb, struct conn *c, const struct seg *s)
{
	struct seg rest = *s;

	return pass_interim(skb, c, &rest) && read_status(skb, &c->leg, NULL, &rest);
}

/*
 * The first bytes of a response, perhaps in several segments. Returns true once the final
 * (not 1xx) status line, or something that is none, has come.
 */
static __always_inline bool begin_response(struct __sk_buff *skb, struct conn *c,
					   struct w5_packet *slot, const struct seg *s, __u64 now)
{
	struct w5_leg *l = &c->leg;

	if (!c->interim) {
		if (!read_status(skb, l, slot, s))
			return false;
		if (w5_http1_is_interim(l->status))
			begin_interim(c);
	} else { /* for the flight recorder */
		keep_response(skb, l, slot, s);
		l->resp_len = 0;
	}
	if (c->interim && !read_final(skb, c, s))
		return false;
	if (!l->status)
		l->flags |= W5_F_NOT_HTTP;
	if (l->status == 101)
		l->flags |= W5_F_UPGRADE;
	l->resp_ns = now;
	l->phase = W5_PHASE_RESPONSE;
	return true;
}

static __always_inline void emit_answered(struct conn *c, __u16 type, __u64 now)
{
	if (!w5_leg_bad(&c->leg)) {
		emit_bulk(c, type, now);
		return;
	}
	trouble_ns = now;
	c->leg.flags |= W5_F_BAD;
	emit_full(c, type, now, true);
	emit_packets(c, now);
}

/* ---- upstream conns that cannot be read ---- */

/* Not an HTTP/1 request. What is encrypted, or HTTP/2, is followed by its directions: the
 * end of such a conn in the middle of a turn is still worth telling. */
static __always_inline bool begin_opaque(struct conn *c, const struct seg *s,
					 const __u8 p[W5_HTTP1_PEEK], __u64 now)
{
	struct w5_leg *l = &c->leg;
	__u16 hello = 0, was_handshake = l->flags & W5_F_HANDSHAKE;

	if (l->proto == W5_PROTO_HTTP1)
		return false; /* the rest of a request whose answer has begun */
	if (l->proto == W5_PROTO_NONE) {
		int kind = look((const struct peeked *)p);

		if (kind & LOOK_HELLO) {
			l->proto = W5_PROTO_TLS;
			hello = s->payload < W5_HEAD_REQ ? s->payload : W5_HEAD_REQ;
		} else if ((l->flags & W5_F_OLDER) && p[0] == W5_TLS_DATA && p[1] == 3) {
			l->proto = W5_PROTO_TLS;
		} else if ((kind & LOOK_PREFACE) ||
			   ((l->flags & W5_F_OLDER) && s->payload >= W5_H2_HDR &&
			    (kind & LOOK_FRAME))) {
			l->proto = W5_PROTO_H2;
		} else {
			l->proto = W5_PROTO_OTHER;
		}
	}
	if (l->proto == W5_PROTO_OTHER)
		return false;
	if (was_handshake && !hello)
		hello = l->head_len;
	begin_turn(c, s, now);
	if (l->proto == W5_PROTO_TLS && (p[0] == W5_TLS_HANDSHAKE || p[0] == W5_TLS_CCS)) {
		l->flags |= W5_F_HANDSHAKE;
		l->head_len = hello; /* head[] keeps the ClientHello: who was asked for */
		l->nr--;	     /* requests are counted, not flights */
	}
	return true;
}

/* Bytes came back on a conn we cannot read. */
static __always_inline void answer_opaque(struct __sk_buff *skb, struct conn *c,
					  struct w5_packet *slot, const struct seg *s, __u64 now)
{
	struct w5_leg *l = &c->leg;

	l->resp_bytes += s->payload;
	keep_response(skb, l, slot, s);
	l->resp_ns = now;
	l->phase = W5_PHASE_RESPONSE;
	if (!(l->flags & W5_F_HANDSHAKE) && !c->texted)
		emit_bulk(c, W5_REC_ATTEMPT, now);
}

#endif
