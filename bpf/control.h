/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Segments that are not data: SYN-ACK, RST, FIN. */
#ifndef BPF_CONTROL_H
#define BPF_CONTROL_H

#include "emit.h"
#include "packet.h"

static __always_inline void syn_in(struct __sk_buff *skb, struct conn *c, const struct seg *s)
{
	__u8 opt[4] = {};

	if (c->leg.phase != W5_PHASE_CONNECT) {
		c->leg.dup_synack++;
		return;
	}
	c->leg.synack_ttl = s->ttl;
	/* MSS is the first option in every SYN-ACK that Linux, BSD or Windows make. */
	if (s->off >= s->hdr + 24u && !bpf_skb_load_bytes(skb, s->hdr + 20, opt, 4) &&
	    opt[0] == 2 && opt[1] == 4)
		c->leg.synack_mss = opt[2] << 8 | opt[3];
}

static __always_inline void rst_in(struct conn *c, const struct seg *s, const struct tcp_sock *tp,
				   __u64 now)
{
	struct w5_leg *l = &c->leg;
	__u64 when = now;
	__u8 end = W5_END_RST_IN;

	if (c->ended & ENDED_REPORTED)
		return;
	l->rst_in_ns = now;
	l->rst_ttl = s->ttl;
	l->rst_flags = s->flags;
	l->rst_win = s->win;
	l->rst_ipid = s->ipid;
	l->rst_seq = s->seq;
	l->rst_ack = s->ack;
	/* While connecting: reported when the state changes, with the errno. Not exactly in
	 * sequence: the kernel may refuse it (RFC 5961 3.2); if not, the state changes too. */
	if (l->phase == W5_PHASE_CONNECT || s->seq != tp->rcv_nxt)
		return;
	if (s->flags & W5_TCP_ACK)
		conn_acked(c, s->ack);
	/* A FIN that waits behind what the thread has yet to take came first all the same. */
	if (l->fin_in_ns && l->role == W5_ROLE_UPSTREAM) {
		end = W5_END_FIN_IN;
		when = l->fin_in_ns;
	}
	if (w5_down_was_left(l))
		end = W5_END_FIN_OUT;
	if (!end_once(c, end, when))
		return;
	conn_facts(c, tp);
	emit_end(c, now);
}

static __always_inline void fin_in(struct conn *c, const struct seg *s, const struct tcp_sock *tp,
				   __u64 now)
{
	struct w5_leg *l = &c->leg;

	if (l->fin_in_ns)
		return;
	l->fin_in_ns = now;
	l->fin_ttl = s->ttl;
	l->fin_flags = s->flags;
	/* A client may close its sending side and still wait: the gateway decides. */
	if (l->role == W5_ROLE_DOWNSTREAM && (l->phase == W5_PHASE_REQUEST || w5_leg_veiled(l)))
		return;
	/* Ahead of data still missing: it counts when the state changes (closed.h). */
	if (l->phase == W5_PHASE_CONNECT || (__s32)(s->seq - tp->rcv_nxt) > 0)
		return;
	conn_acked(c, s->ack);
	if (!end_once(c, W5_END_FIN_IN, now))
		return;
	conn_facts(c, tp);
	emit_end(c, now);
}

#endif
