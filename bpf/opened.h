/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How a conn comes to be: connected, accepted. From the state changes of its socket. */
#ifndef BPF_OPENED_H
#define BPF_OPENED_H

#include "conn.h"
#include "w5_http1.h"

/*
 * HAProxy sets TCP_QUICKACK to 0 before it connects where it has nothing to send: for its TCP
 * health checks (since 2.2), and nothing else but with tcp-smart-connect. Then its connects look
 * like checks, and are not told apart.
 */
static __always_inline bool is_health_check(const struct sock *sk)
{
	const struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);

	return tp && tp->inet_conn.icsk_ack.pingpong;
}

/* connect(): runs in the connecting thread, before a port is chosen or a packet sent. */
static __always_inline void on_connect(const struct sock *sk)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct w5_proc *p = proc_current(t, sk);
	struct conn *c;
	__u64 now;

	if (!p || t->tgid == (int)cfg.self_tgid)
		return;
	if (sk->__sk_common.skc_dport == bpf_htons(W5_DNS_PORT))
		return; /* a question for a name, no request */
	proc_connects(p, sk, t);
	c = bpf_sk_storage_get(&conns, (void *)sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!c) {
		lose(MAP_FULL);
		return;
	}
	if (c->leg.h.cookie)
		conn_again(c);
	c->intends = 0;
	now = bpf_ktime_get_ns();
	conn_init(c, sk, bpf_get_socket_cookie((void *)sk), W5_ROLE_UPSTREAM);
	c->leg.phase = W5_PHASE_CONNECT;
	c->leg.open_ns = now;
	conn_queues(c, p);
	c->aside = c->queues && is_health_check(sk);
	conn_owner(c, t, now);
}

static __always_inline void on_established(const struct sock *sk)
{
	struct conn *c = conn_of(sk);
	struct peer_key key = {};

	if (!c || c->leg.phase != W5_PHASE_CONNECT)
		return;
	c->leg.estab_ns = bpf_ktime_get_ns();
	c->leg.phase = W5_PHASE_IDLE;
	conn_tuple(c, sk);
	key.ip = c->leg.remote;
	key.netns = c->leg.netns;
	key.port = c->leg.rport;
	bpf_map_update_elem(&established, &key, &c->leg.estab_ns, BPF_ANY);
}

/*
 * An accepted conn is there. Most get state when their first request shows up; one whose
 * request came with the handshake's last segment has had that segment seen on the listener.
 */
static __always_inline void on_accepted(const struct sock *sk)
{
	__u32 zero = 0, n;
	struct stash *st = bpf_map_lookup_elem(&stashes, &zero);
	struct w5_leg *l;
	struct conn *c;

	if (!st || !st->payload)
		return;
	if (st->sport != sk->__sk_common.skc_dport ||
	    bpf_ntohs(st->dport) != sk->__sk_common.skc_num) {
		st->payload = 0;
		return;
	}
	c = bpf_sk_storage_get(&conns, (void *)sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!c) {
		lose(MAP_FULL);
		return;
	}
	conn_init(c, sk, bpf_get_socket_cookie((void *)sk), W5_ROLE_DOWNSTREAM);
	l = &c->leg;
	l->phase = W5_PHASE_REQUEST;
	l->proto = W5_PROTO_HTTP1;
	l->open_ns = l->estab_ns = l->req_ns = l->req_last_ns = l->last_ns = st->ts_ns;
	l->nr = 1;
	l->req_bytes = st->payload;
	c->req_seq = st->seq;
	n = st->len;
	if (n > W5_HEAD_REQ)
		n = W5_HEAD_REQ;
	l->head_len = n;
	if (st->payload > W5_HEAD_REQ)
		l->flags |= W5_F_REQ_CUT;
	bpf_probe_read_kernel(l->head, W5_HEAD_REQ, st->head);
	st->payload = 0;
	if (l->head[0] >= 'A' && l->head[0] <= 'Z' && !w5_http1_is_h2_preface(l->head))
		return;
	l->phase = W5_PHASE_IDLE;
	l->nr = 0;
	l->req_ns = l->req_last_ns = 0;
	l->req_bytes = 0;
	l->head_len = 0;
	l->flags = 0;
	l->proto = W5_PROTO_TLS;
	if (w5_http1_is_h2_preface(l->head)) {
		l->proto = W5_PROTO_H2;
		l->flags = W5_F_OLDER; /* these bytes are not followed: no more is known of it */
	} else if (!w5_is_client_hello(l->head)) {
		c->dead = 1; /* no HTTP at all */
	}
}

#endif
