/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How a conn ends where its socket tells, and no packet, or not it alone: closed by the gateway,
 * given up by the kernel, closed by the peer behind lost data.
 */
#ifndef BPF_CLOSED_H
#define BPF_CLOSED_H

#include "emit.h"
#include "neigh.h"

/* The gateway closes its side, in the closing thread's context. */
static __always_inline void on_local_close(struct conn *c, const struct sock *sk, __u8 end)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);
	__u64 now = bpf_ktime_get_ns();

	if (c->leg.role == W5_ROLE_DOWNSTREAM && w5_down_may_wait(&c->leg))
		conn_owner(c, t, now);
	if (!(c->ended & ENDED_LOCAL)) {
		c->ended |= ENDED_LOCAL;
		trail_visit(c, t, now);
	}
	if (c->leg.role == W5_ROLE_DOWNSTREAM && w5_down_may_wait(&c->leg) &&
	    (c->leg.fin_in_ns || c->leg.alert_in) && !w5_down_was_left(&c->leg))
		end = W5_END_FIN_IN; /* the client was the first to leave */
	if (!end_once(c, end, now))
		return;
	if (tp)
		conn_facts(c, tp);
	emit_end(c, now);
}

/* The socket is closed by the kernel: reset by the peer, or given up. */
static __always_inline void on_closed(struct conn *c, const struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);
	__u64 now = bpf_ktime_get_ns();
	__u8 end = W5_END_RST_OUT;

	if (c->leg.phase == W5_PHASE_CONNECT) {
		end = W5_END_CONNECT;
		/* The port was chosen after connect() had begun. A socket that is told of by its
		 * end may have forgotten the rest. */
		if (sk->__sk_common.skc_dport)
			conn_tuple(c, sk);
		else
			c->leg.lport = sk->__sk_common.skc_num;
	} else if (c->leg.rst_in_ns && w5_down_was_left(&c->leg)) {
		end = W5_END_FIN_OUT;
	} else if (c->leg.rst_in_ns) {
		end = W5_END_RST_IN;
	} else if (sk->sk_err) {
		end = W5_END_SK_ERR;
	} else if (sk->sk_lock.owned) {
		/* close() with unread data or SO_LINGER 0: the process aborts the conn */
		on_local_close(c, sk, W5_END_RST_OUT);
		return;
	}
	if (!end_once(c, end, now))
		return;
	if (end == W5_END_CONNECT && sk->sk_lock.owned && !sk->sk_err)
		trail_visit(c, bpf_get_current_task_btf(), now); /* the gateway gave up */
	if (tp)
		conn_facts(c, tp);
	if (end == W5_END_CONNECT && !c->leg.rst_in_ns)
		note_neighbour(c, sk, now);
	emit_end(c, now);
}

static __always_inline void on_peer_closed(struct conn *c, const struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);
	__u64 now = bpf_ktime_get_ns();

	/* Reported from the packet already, but for a FIN that came ahead of lost data. */
	if (c->leg.role == W5_ROLE_DOWNSTREAM && w5_down_may_wait(&c->leg))
		return;
	if (!c->leg.fin_in_ns)
		c->leg.fin_in_ns = now;
	if (!end_once(c, W5_END_FIN_IN, now))
		return;
	if (tp)
		conn_facts(c, tp);
	emit_end(c, now);
}

#endif
