/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Interim responses, 100 Continue or 103 Early Hints (RFC 9110 15.2): of any length, several, cut
 * by segments anywhere. They are passed over, up to the final status line.
 */
#ifndef BPF_INTERIM_H
#define BPF_INTERIM_H

#include "packet.h"

#define INTERIM_BYTES 0x10000 /* looked at in a packet */

struct interim {
	struct __sk_buff *skb;
	struct seg s;  /* what has not been read of it */
	__u8 state;    /* INTERIM_* */
	__u8 is_final; /* what s begins with is no interim response */
};

static __always_inline void begin_interim(struct conn *c)
{
	struct w5_leg *l = &c->leg;

	l->flags |= W5_F_INTERIM;
	l->status = 0;
	l->resp_len = 0;
	l->resp_bytes = 0;
	c->interim = INTERIM_IN;
}

/* False: these bytes behind an interim response are not new. */
static __always_inline bool follows_interim(struct conn *c, const struct seg *s)
{
	if (!c->interim || s->seq == c->tail_seq)
		return true;
	if ((__s32)(s->seq + s->payload - c->tail_seq) <= 0)
		return false;
	c->interim = INTERIM_BLIND; /* something came out of order */
	return true;
}

/* A status line behind an interim response: another one of those? */
static __always_inline bool interim_again(struct interim *k)
{
	__u8 p[W5_HTTP1_PEEK];

	peek(k->skb, &k->s, p);
	k->is_final = !w5_http1_is_interim(w5_http1_status(p));
	return !k->is_final;
}

/* The next byte of a head, or what comes behind one; as w5_http1_header_size(), which in one
 * function with bpf_loop is too much for verifiers. Ends the walk with 1. */
static long interim_step(__u32 i, struct interim *k)
{
	__u8 byte = 0;

	if (!k->s.payload)
		return 1;
	if (k->state == INTERIM_OVER) {
		if (!interim_again(k))
			return 1;
		k->state = INTERIM_IN;
	}
	bpf_skb_load_bytes(k->skb, k->s.off, &byte, 1);
	if (byte == '\n')
		k->state = k->state & INTERIM_LF ? INTERIM_OVER : INTERIM_IN | INTERIM_LF;
	else if (byte != '\r')
		k->state = INTERIM_IN;
	k->s.off++;
	k->s.payload--;
	return 0;
}

/* Bytes of the head that resp[] begins with; 0 = its end is not there. */
__weak __noinline int interim_size(const struct w5_leg *l)
{
	__u8 after_lf = 0;

	return l ? w5_http1_header_size(l->resp, W5_HEAD_RESP - W5_HTTP1_PEEK, &after_lf) : 0;
}

/* Without bpf_loop (5.17): a short one, whole, and what follows it. */
static __always_inline void walk_short(struct interim *k, struct w5_leg *l)
{
	__u32 n = k->s.payload, size;

	if (n && k->state == INTERIM_OVER && !interim_again(k))
		return;
	if (n > W5_HEAD_RESP - W5_HTTP1_PEEK)
		n = W5_HEAD_RESP - W5_HTTP1_PEEK;
	if (!n)
		return;
	load_some(k->skb, k->s.off, l->resp, n, W5_HEAD_RESP);
	size = interim_size(l);
	if (!size || size > n) { /* what lies behind n is older */
		k->state = INTERIM_BLIND;
		return;
	}
	k->state = INTERIM_OVER;
	k->s.off += size;
	k->s.payload -= size;
	if (k->s.payload)
		interim_again(k);
}

/*
 * *s becomes the segment without what is interim in it. 0: that is all of it. What l->resp keeps
 * is lost. A global function: see once.h.
 */
__weak __noinline int pass_interim(struct __sk_buff *skb, struct conn *c, struct seg *s)
{
	struct interim k = {};
	__u8 p[W5_HTTP1_PEEK];

	if (!c || !s)
		return 0;
	c->tail_seq = s->seq + s->payload;
	k.skb = skb;
	k.s = *s;
	k.state = c->interim;
	if (k.state == INTERIM_BLIND) {
		peek(skb, s, p);
		if (!w5_http1_status(p))
			return 0;
		k.state = INTERIM_OVER;
	}
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop))
		bpf_loop(INTERIM_BYTES, interim_step, &k, 0);
	else
		walk_short(&k, &c->leg);
	*s = k.s;
	c->interim = k.state;
	if (k.is_final)
		c->interim = 0;
	else if (s->payload)
		c->interim = INTERIM_BLIND;
	return k.is_final;
}

#endif
