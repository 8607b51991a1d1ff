/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Upstream conns: requests go out, responses come in. */
#ifndef BPF_UP_H
#define BPF_UP_H

#include "tie.h"
#include "turn.h"

/* A conn that is older than us has no handshake whose reads would have tied it: the call that
 * writes its first request does. A goroutine may have waited for the answer since before us. */
static __always_inline void sent_by_thread(struct conn *c, const struct task_struct *t, __u64 now)
{
	conn_owner(c, t, now);
	if ((c->leg.flags & W5_F_OLDER) && c->leg.proto == W5_PROTO_TLS && !c->tls_object) {
		tie(c, t, tls_object_now(t, trail_of(t)), now);
		c->blind = c->tls_object != 0;
	}
}

static __always_inline void up_out(struct __sk_buff *skb, struct bpf_sock *sk, struct conn *c,
				   struct w5_packet *slot, const struct seg *s, __u64 now)
{
	struct w5_leg *l = &c->leg;
	struct tcp_sock *tp;
	__u8 p[W5_HTTP1_PEEK];
	__u16 alert;

	/* Of an idle conn older than us a goodbye is the first that is seen. */
	if ((l->proto == W5_PROTO_TLS || (l->proto == W5_PROTO_NONE && (l->flags & W5_F_OLDER))) &&
	    s->payload <= W5_TLS_ALERT_MAX) {
		peek(skb, s, p);
		alert = w5_tls_alert(p, s->payload);
		if (alert) {
			l->proto = W5_PROTO_TLS;
			w5_note_alert(l, alert, true);
			return; /* gets no answer */
		}
	}
	/* The handshake's last flight gets no answer of its own: the request follows it. */
	if (l->phase == W5_PHASE_REQUEST && (l->flags & W5_F_HANDSHAKE)) {
		peek(skb, s, p);
		if (p[0] == W5_TLS_DATA)
			l->phase = W5_PHASE_IDLE;
	}
	if (l->phase == W5_PHASE_REQUEST) {
		__s32 ahead = s->seq + s->payload - (c->req_seq + l->req_bytes);

		if (ahead > 0) { /* not a retransmit */
			l->req_bytes += ahead;
			l->req_last_ns = l->last_ns = now;
		}
		return;
	}
	if (l->flags & W5_F_UPGRADE)
		return;
	/* A retransmit of the request after its response began: nothing new. */
	if (l->phase == W5_PHASE_RESPONSE && s->seq == c->req_seq)
		return;
	if (!w5_leg_veiled(l) && starts_request(skb, c, slot, s)) {
		begin_request(c, s, now);
	} else {
		peek(skb, s, p);
		if (!begin_opaque(c, s, p, now))
			return;
	}
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return;
	if (l->nr > 1)
		c->retrans0 = tp->total_retrans;
	l->srtt_us = tp->srtt_us >> 3;
	/* A conn opened for this request: the hint from its connect() is the right one, while
	 * the thread has gone on to other requests until the handshake was done. */
	if (l->nr <= 1 && l->open_ns)
		l->flags |= W5_F_HINT_OPEN;
	else if (sock_owned((struct sock *)tp))
		sent_by_thread(c, bpf_get_current_task_btf(), now);
}

static __always_inline void up_in(struct __sk_buff *skb, struct conn *c, struct w5_packet *slot,
				  const struct seg *s, struct tcp_sock *tp, __u64 now)
{
	struct w5_leg *l = &c->leg;
	__s32 fresh = s->seq + s->payload - tp->rcv_nxt;

	if (fresh <= 0)
		return; /* a duplicate */
	l->data_ttl = s->ttl;
	if (l->proto == W5_PROTO_TLS && s->payload <= W5_TLS_ALERT_MAX) {
		__u8 p[W5_HTTP1_PEEK];
		__u16 alert;

		peek(skb, s, p);
		alert = w5_tls_alert(p, s->payload);
		if (alert)
			w5_note_alert(l, alert, false);
		if (alert && !(l->flags & W5_F_HANDSHAKE))
			return; /* no answer to a request: the conn is as idle as before */
	}
	l->last_ns = now;
	if (l->phase == W5_PHASE_RESPONSE) {
		if (l->proto == W5_PROTO_HTTP1)
			keep_tail(skb, c, s);
		l->resp_bytes += s->payload;
		return;
	}
	/* Ahead of a segment still missing: that one will bring the head. */
	if (l->phase != W5_PHASE_REQUEST || (__s32)(s->seq - tp->rcv_nxt) > 0)
		return;
	if (l->proto != W5_PROTO_HTTP1) {
		answer_opaque(skb, c, slot, s, now);
		return;
	}
	if (!follows_interim(c, s))
		return;
	keep_tail(skb, c, s);
	if (!begin_response(skb, c, slot, s, now))
		return;
	if (w5_leg_bad(l))
		conn_facts(c, tp);
	emit_answered(c, W5_REC_ATTEMPT, now);
}

#endif
