/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Working on a conn's state: make it, ask what it is, take TCP's own facts. Shared by every .bpf.c.
 */
#ifndef BPF_CONN_H
#define BPF_CONN_H

#include "procs.h"
#include "trail.h"
#include "w5_turn.h"

static __always_inline struct conn *conn_of(const struct sock *sk)
{
	return bpf_sk_storage_get(&conns, (void *)sk, NULL, 0);
}

static __always_inline void conn_tuple(struct conn *c, const struct sock *sk)
{
	struct w5_leg *l = &c->leg;

	sock_tuple(sk, &l->local, &l->remote, &l->lport, &l->rport);
}

/* sk: a BTF pointer (tracing) to the same socket. */
static __always_inline void conn_init(struct conn *c, const struct sock *sk, __u64 cookie,
				      __u8 role)
{
	c->leg.h.cookie = cookie;
	c->leg.role = role;
	c->leg.netns = sk->__sk_common.skc_net.net->ns.inum;
	c->leg.cgroup_id = BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id);
	conn_tuple(c, sk);
	__sync_fetch_and_add(&conns_made, 1);
}

/* A socket that was used before, and failed to connect, begins anew. */
static __always_inline void conn_again(struct conn *c)
{
	__builtin_memset(&c->leg, 0, sizeof(c->leg));
	c->ended = 0;
	c->err_latched = 0;
	c->retrans0 = 0;
	c->packets = 0;
	c->slot = 0;
}

/* A downstream conn counts if the process that read from it is a gateway. */
static __always_inline bool down_is_gateways(const struct conn *c)
{
	__u32 tgid = c->leg.tgid;
	const struct w5_proc *p = bpf_map_lookup_elem(&procs, &tgid);

	return p && proc_is_gateway(p);
}

/* ---- TCP's own facts ---- */

/* ack: acknowledgment number of a segment just come in and not yet processed, or snd_una. */
static __always_inline void conn_acked(struct conn *c, __u32 ack)
{
	w5_turn_acked(&c->leg, ack - c->req_seq);
}

static __always_inline void conn_facts(struct conn *c, const struct tcp_sock *tp)
{
	const struct inet_connection_sock *icsk = &tp->inet_conn;
	const struct sock *sk = &icsk->icsk_inet.sk;
	struct w5_leg *l = &c->leg;

	l->srtt_us = tp->srtt_us >> 3;
	l->rto_us = 0;
	l->snd_wnd = tp->snd_wnd;
	l->snd_una = tp->snd_una;
	l->rcv_nxt = tp->rcv_nxt;
	l->retrans = tp->total_retrans - c->retrans0;
	if (icsk->icsk_backoff > l->rto_count)
		l->rto_count = icsk->icsk_backoff;
	l->gaps = !!tp->out_of_order_queue.rb_node;
	l->sacked = tp->sacked_out < 255 ? tp->sacked_out : 255;
	l->tcp_state = sk->__sk_common.skc_state;
	if (sk->sk_err)
		l->err = sk->sk_err;
	else if (!l->err)
		l->err = c->err_latched;
	if (sk->sk_err_soft)
		l->err_soft = sk->sk_err_soft;
	if (l->phase != W5_PHASE_CONNECT) {
		conn_acked(c, tp->snd_una);
		if (!tp->snd_wnd)
			l->flags |= W5_F_ZERO_WND;
	}
}

#endif
