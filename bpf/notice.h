/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Packets of sockets without state: is there a conn worth one? And of listeners, whose conns have
 * no socket of their own yet.
 */
#ifndef BPF_NOTICE_H
#define BPF_NOTICE_H

#include "emit.h"
#include "look.h"
#include "packet.h"

/* The listener saw data: the handshake's last ACK brought the request along, or the bare
 * ACK was lost or deferred. The child takes it from here (on_accepted()). */
static __always_inline void stash_first(struct __sk_buff *skb, const struct seg *s)
{
	__u32 zero = 0, n = s->payload;
	struct stash *st = bpf_map_lookup_elem(&stashes, &zero);

	if (!st)
		return;
	st->ts_ns = bpf_ktime_get_ns();
	st->seq = s->seq;
	st->sport = s->sport;
	st->dport = s->dport;
	st->payload = n;
	st->ttl = s->ttl;
	if (n > W5_HEAD_REQ)
		n = W5_HEAD_REQ;
	st->len = n;
	if (n)
		load_some(skb, s->off, st->head, n, W5_HEAD_REQ);
}

/* A segment that wants to become a conn, and there is no room for it (sk_acceptq_is_full()). */
static __always_inline void note_full(struct __sk_buff *skb, struct bpf_sock *sk,
				      const struct seg *s)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct pair_key key = { .sport = bpf_ntohs(s->sport), .dport = bpf_ntohs(s->dport) };
	const struct sock *lsk = (const struct sock *)tp;
	__be32 from = 0, to = 0;
	__u64 now;

	if (!tp || lsk->sk_ack_backlog <= lsk->sk_max_ack_backlog)
		return;
	if (skb->protocol == ETH_P_IP_BE) {
		bpf_skb_load_bytes(skb, 12, &from, 4);
		bpf_skb_load_bytes(skb, 16, &to, 4);
		addr_v4(&key.from, from);
		addr_v4(&key.to, to);
	} else {
		bpf_skb_load_bytes(skb, 8, &key.from, 16);
		bpf_skb_load_bytes(skb, 24, &key.to, 16);
	}
	now = bpf_ktime_get_ns();
	bpf_map_update_elem(&queue_full, &key, &now, BPF_ANY);
}

/* Makes the state of a conn first noticed by a message head. */
static __always_inline struct conn *adopt(struct __sk_buff *skb, struct bpf_sock *sk, __u8 role)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct conn *c;

	if (!tp)
		return NULL;
	c = bpf_sk_storage_get(&conns, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!c) {
		lose(MAP_FULL);
		return NULL;
	}
	conn_init(c, (struct sock *)tp, bpf_get_socket_cookie(skb), role);
	c->leg.phase = W5_PHASE_IDLE;
	c->retrans0 = tp->total_retrans;
	return c;
}

/* A conn without state: worth one if a message head says so. */
static __always_inline struct conn *notice(struct __sk_buff *skb, struct bpf_sock *sk,
					   const struct seg *s, bool out)
{
	__u8 p[W5_HTTP1_PEEK];
	struct tcp_sock *tp;
	struct w5_proc *proc;
	struct task_struct *t;
	struct conn *c;
	int kind;

	if (s->flags & (W5_TCP_SYN | W5_TCP_RST) || !s->payload)
		return NULL;
	peek(skb, s, p);
	kind = look((const struct peeked *)p);
	if (!(kind & LOOK_REQUEST)) {
		if (out)
			return NULL;
		if (kind & LOOK_HELLO) {
			c = adopt(skb, sk, W5_ROLE_DOWNSTREAM);
			if (c)
				c->leg.proto = W5_PROTO_TLS;
			return c;
		}
		if (!(kind & LOOK_PREFACE))
			return NULL;
		if (!have_loop())
			__sync_fetch_and_add(&h2_conns, 1);
		c = adopt(skb, sk, W5_ROLE_DOWNSTREAM);
		if (c)
			c->leg.proto = W5_PROTO_H2;
		return c;
	}
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return NULL;
	if (!out) {
		c = adopt(skb, sk, W5_ROLE_DOWNSTREAM);
		/* bytes_received counts what came before this segment. */
		if (c && tp->bytes_received)
			c->leg.flags |= W5_F_OLDER;
		return c;
	}
	if (!sock_owned((struct sock *)tp))
		return NULL;
	t = bpf_get_current_task_btf();
	proc = proc_current(t, (struct sock *)tp);
	if (!proc || t->tgid == (int)cfg.self_tgid)
		return NULL;
	proc_connects(proc, (struct sock *)tp, t);
	c = adopt(skb, sk, W5_ROLE_UPSTREAM);
	if (c) {
		c->leg.flags |= W5_F_OLDER;
		conn_queues(c, proc);
	}
	return c;
}

/* A client's conn that was older than us, and in the midst of an answer, asks again. */
static __always_inline bool wakes(struct __sk_buff *skb, struct conn *c, const struct seg *s,
				  bool out)
{
	__u8 p[W5_HTTP1_PEEK];

	if (out || !s->payload || c->leg.role != W5_ROLE_DOWNSTREAM || !(c->leg.flags & W5_F_OLDER))
		return false;
	peek(skb, s, p);
	c->dead = !(look((const struct peeked *)p) & LOOK_REQUEST);
	return !c->dead;
}

#endif
