/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Downstream conns: requests come in, responses go out. */
#ifndef BPF_DOWN_H
#define BPF_DOWN_H

#include "text.h"
#include "turn.h"

/* An accepted conn that cannot be read from its packets; its end is told all the same. */
static __always_inline bool is_veiled(struct conn *c, const __u8 *p, __u32 n)
{
	int kind = look((const struct peeked *)p);

	if (kind & LOOK_TLS)
		c->leg.proto = W5_PROTO_TLS;
	else if ((kind & LOOK_PREFACE) ||
		 ((c->leg.flags & W5_F_OLDER) && n >= W5_H2_HDR && (kind & LOOK_FRAME)))
		c->leg.proto = W5_PROTO_H2;
	return w5_leg_veiled(&c->leg);
}

/* Who of the two leaves: with TLS the first goodbye tells, not the first FIN. */
static __always_inline void down_alert(struct __sk_buff *skb, struct w5_leg *l, const struct seg *s,
				       bool out, __u64 now)
{
	__u8 p[W5_HTTP1_PEEK];
	__u16 alert;

	if (l->proto != W5_PROTO_TLS || s->payload > W5_TLS_ALERT_MAX)
		return;
	peek(skb, s, p);
	alert = w5_tls_alert(p, s->payload);
	if (!alert)
		return;
	w5_note_alert(l, alert, out);
	if (!out && !l->fin_in_ns && l->alert_in)
		l->fin_in_ns = now; /* it may follow with a RST, and no FIN at all */
}

static __always_inline void down_in(struct __sk_buff *skb, struct conn *c, struct w5_packet *slot,
				    const struct seg *s, __u64 now)
{
	struct w5_leg *l = &c->leg;

	if (w5_leg_veiled(l)) {
		l->last_ns = now;
		down_alert(skb, l, s, false, now);
		return;
	}
	if (l->phase == W5_PHASE_REQUEST) {
		/* More of the request, or pipelined ones, which the turn's answer closes. */
		l->req_bytes += s->payload;
		l->req_last_ns = l->last_ns = now;
		return;
	}
	/* The request once more, after its response began: nothing new. */
	if ((l->flags & W5_F_UPGRADE) || (l->nr && s->seq == c->req_seq))
		return;
	if (starts_request(skb, c, slot, s)) {
		begin_request(c, s, now);
		return;
	}
	if (l->phase == W5_PHASE_RESPONSE) { /* the body of a request answered early */
		l->req_bytes += s->payload;
		l->last_ns = now;
	} else if (!l->nr) {
		is_veiled(c, l->head, s->payload);
	}
}

/* The process that answers is a gateway's. Looked up once per conn and process. */
static __always_inline bool answered_by_gateway(struct conn *c, const struct tcp_sock *tp,
						__u64 now)
{
	struct task_struct *t;
	struct w5_proc *p;

	if (!sock_owned((struct sock *)tp)) /* sent from softirq: whoever read the request */
		return down_is_gateways(c);
	t = bpf_get_current_task_btf();
	conn_owner(c, t, now);
	if (c->gateway_tgid == (__u32)t->tgid)
		return true;
	p = proc_current(t, (struct sock *)tp);
	if (!p || !proc_is_gateway(p))
		return false; /* a server without upstreams */
	c->gateway_tgid = t->tgid;
	return true;
}

/* What matters is in the texts. An error among them calls for the packets, too. */
static __always_inline void veiled_out(struct __sk_buff *skb, struct bpf_sock *sk, struct conn *c,
				       const struct seg *s, __u64 now)
{
	struct w5_leg *l = &c->leg;
	struct tcp_sock *tp;
	struct w5_trail *tr;
	__u8 p[W5_HTTP1_PEEK];

	l->last_ns = now;
	if (l->proto == W5_PROTO_H2)
		return; /* h2_packet() */
	down_alert(skb, l, s, true, now);
	if (!c->texted) {
		if (c->unread)
			return;
		peek(skb, s, p);
		if (p[0] != W5_TLS_DATA)
			return;
		c->unread = 1; /* an answer, perhaps, and nobody reads it */
		if (down_is_gateways(c))
			__sync_fetch_and_add(&tls_conns, 1);
		return;
	}
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp || !sock_owned((struct sock *)tp))
		return;
	tr = trail_of(bpf_get_current_task_btf());
	if (tr)
		tr->after = 0;
	if (!tr || !tr->tls_bad || tr->tls_bad != c->tls_object)
		return;
	tr->tls_bad = 0;
	conn_facts(c, tp);
	emit_packets(c, now);
}

static __always_inline void down_out(struct __sk_buff *skb, struct bpf_sock *sk, struct conn *c,
				     struct w5_packet *slot, const struct seg *s, __u64 now)
{
	struct w5_leg *l = &c->leg;
	struct tcp_sock *tp;

	if (w5_leg_veiled(l)) {
		veiled_out(skb, sk, c, s, now);
		return;
	}
	if (l->phase == W5_PHASE_RESPONSE) {
		l->resp_bytes += s->payload;
		l->last_ns = now;
		return;
	}
	if (l->phase == W5_PHASE_IDLE)
		l->flags |= W5_F_NO_REQ;
	if (!follows_interim(c, s) || !begin_response(skb, c, slot, s, now))
		return;
	if ((l->flags & W5_F_NO_REQ) && !l->status) {
		/* Older than us, and not speaking HTTP/1; or in the midst of a long answer. */
		l->phase = W5_PHASE_IDLE;
		l->flags &= W5_F_OLDER;
		c->dead = !is_veiled(c, l->resp, s->payload);
		return;
	}
	l->last_ns = now;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp || !answered_by_gateway(c, tp, now))
		return;
	if (w5_leg_bad(l))
		conn_facts(c, tp);
	emit_answered(c, W5_REC_EXCHANGE, now);
}

#endif
