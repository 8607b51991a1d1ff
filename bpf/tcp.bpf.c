// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * TCP's life: connects and how they fail, the gateway's own closes, retransmits,
 * socket errors, resets and their reasons, and the thread behind each conn.
 * Everything hangs on the socket; `current` counts only where noted.
 */
#include "closed.h"
#include "dns.h"
#include "late.h"
#include "local.h"
#include "opened.h"
#include "tie.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define SO_EE_ORIGIN_ICMP  2 /* include/uapi/linux/errqueue.h */
#define SO_EE_ORIGIN_ICMP6 3

SEC("tp_btf/neigh_timer_handler")
int BPF_PROG(neighbour_timer, struct neighbour *n, int err)
{
	on_neighbour(n);
	return 0;
}

static __always_inline void on_listen(const struct sock *sk)
{
	struct task_struct *t = bpf_get_current_task_btf();
	__u32 tgid = t->tgid, ppid = t->real_parent->tgid;
	struct w5_proc new = { .flags = W5_PROC_CANDIDATE, .group = tgid };
	struct w5_proc *parent = bpf_map_lookup_elem(&procs, &ppid);

	if (parent)
		new.group = parent->group;
	bpf_map_update_elem(&procs, &tgid, &new, BPF_NOEXIST);
	tell_process(sk, t, sk->__sk_common.skc_num);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(set_state, const struct sock *sk, int old, int new)
{
	struct conn *c;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (new == TCP_SYN_SENT) {
		on_connect(sk);
		return 0;
	}
	if (new == TCP_ESTABLISHED) {
		if (old == TCP_SYN_RECV)
			on_accepted(sk);
		else
			on_established(sk);
		return 0;
	}
	if (new == TCP_LISTEN) {
		on_listen(sk);
		return 0;
	}
	if (old == TCP_LISTEN || new == TCP_SYN_RECV)
		return 0;
	c = conn_of(sk);
	note_killed(c, sk, old);
	if (!c || c->dead || c->intends)
		return 0;
	switch (new) {
	case TCP_FIN_WAIT1:
	case TCP_LAST_ACK: on_local_close(c, sk, W5_END_FIN_OUT); break;
	case TCP_CLOSE_WAIT: on_peer_closed(c, sk); break;
	case TCP_CLOSE: on_closed(c, sk); break;
	}
	return 0;
}

/* A socket already closed by the peer's RST or a failed connect is let go by its thread:
 * the moment the gateway turns from it to its next step. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(destroy_sock, struct sock *sk)
{
	struct conn *c = conn_of(sk);

	if (!c) {
		note_unused(sk);
		return 0;
	}
	if (c->dead)
		return 0;
	if (c->intends) {
		on_unsent(c, sk);
		return 0;
	}
	if (c->tls_object) {
		struct w5_tls_key key = { .object = c->tls_object, .tgid = c->tls_tgid };
		struct text_stream *ts = bpf_map_lookup_elem(&texts, &key);

		if (ts && ts->cookie == c->leg.h.cookie)
			bpf_map_delete_elem(&texts, &key);
	}
	/* A change of state that comes while a program like set_state is at work on this CPU (a
	 * softirq that fails several connects at once) is not told to it. */
	if (c->leg.phase == W5_PHASE_CONNECT && !(c->ended & ENDED_REPORTED))
		on_closed(c, sk);
	if (!(c->ended & ENDED_LOCAL))
		trail_visit(c, bpf_get_current_task_btf(), bpf_ktime_get_ns());
	return 0;
}

/* Of what the thread has read now, which are requests that no one has read before? */
static __always_inline void read_requests(struct conn *c, const struct task_struct *t)
{
	if (c->leg.role != W5_ROLE_DOWNSTREAM)
		return;
	if (c->leg.proto == W5_PROTO_HTTP1 && c->leg.phase == W5_PHASE_REQUEST && !c->asked) {
		c->asked = 1;
		trail_asked(t, c->leg.h.cookie, 0, c->leg.last_ns);
	}
	for (int i = 0; i < W5_ASKED && c->text.heads; i++) {
		c->text.heads--;
		trail_asked(t, c->leg.h.cookie, 0, c->leg.last_ns);
	}
}

/* Its answer is here, and no text will tell of it when the call that reads it began before us. */
static __always_inline void read_blindly(struct conn *c, const struct task_struct *t)
{
	if (c->leg.role != W5_ROLE_UPSTREAM || c->leg.phase != W5_PHASE_RESPONSE)
		return;
	c->blind = 0;
	if (!tls_object_now(t, trail_of(t)))
		emit_turn(c, W5_REC_ATTEMPT, false, bpf_ktime_get_ns());
}

/* A thread has read from the socket (fires in tcp_recvmsg, in its context). */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(socket_read, struct sock *sk)
{
	struct task_struct *t;
	struct conn *c;

	/* Every read of every TCP socket of the host comes by here: nearly all leave at once. */
	if (!sk->sk_bpf_storage)
		return 0;
	c = conn_of(sk);
	if (!c || c->dead)
		return 0;
	t = bpf_get_current_task_btf();
	if (c->leg.role == W5_ROLE_DOWNSTREAM) {
		c->leg.tgid = t->tgid;
		c->leg.tid = t->pid;
	}
	trail_visit(c, t, c->leg.last_ns);
	read_requests(c, t);
	if (c->blind)
		read_blindly(c, t);
	if (c->watched && (c->leg.proto == W5_PROTO_TLS || c->leg.proto == W5_PROTO_NONE) &&
	    !is_tied(c, t))
		tie(c, t, tls_object_now(t, trail_of(t)), c->leg.last_ns);
	return 0;
}

static __always_inline int on_retransmit(const struct sock *sk, int err)
{
	struct conn *c = conn_of(sk);
	struct tcp_sock *tp;

	if (!c)
		return 0;
	if (err == -16 /* EBUSY: the first copy has not left this host */)
		c->leg.busy++;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (tp && tp->inet_conn.icsk_backoff > c->leg.rto_count)
		c->leg.rto_count = tp->inet_conn.icsk_backoff;
	return 0;
}

/* Two arguments until 6.15. Remove when the oldest supported kernel has three. */
SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(retransmit, const struct sock *sk, const struct sk_buff *skb)
{
	return on_retransmit(sk, 0);
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(retransmit_err, const struct sock *sk, const struct sk_buff *skb, int err)
{
	return on_retransmit(sk, err);
}

/* The kernel refused or aborted on the gateway's behalf, with its reason (6.10+). */
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(send_reset_reason, const struct sock *sk, const struct sk_buff *skb, int reason)
{
	struct conn *c = sk ? conn_of(sk) : NULL;

	if (c)
		c->leg.reason = reason;
	else if (skb)
		late_answer(skb);
	return 0;
}

/*
 * The ICMP message at the end of the socket's error queue: its errno, type, code and who
 * sent it. While connect() holds the socket, the kernel reports before it stores any error,
 * and the application's SO_ERROR takes it away: the queue is the one lasting witness.
 */
static __always_inline int icmp_error(struct conn *c, const struct sock *sk)
{
	struct sk_buff *skb = (struct sk_buff *)sk->sk_error_queue.prev;
	struct sock_exterr_skb *e;
	struct w5_leg *l = &c->leg;
	void *ip;
	__u8 origin;

	if (!sk->sk_error_queue.qlen)
		return 0;
	e = (void *)skb + bpf_core_field_offset(struct sk_buff, cb);
	origin = BPF_CORE_READ(e, ee.ee_origin);
	ip = (void *)BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header);
	if (origin == SO_EE_ORIGIN_ICMP) {
		__be32 from = 0;

		bpf_probe_read_kernel(&from, sizeof(from), ip + 12);
		addr_v4(&l->icmp_from, from);
	} else if (origin == SO_EE_ORIGIN_ICMP6) {
		bpf_probe_read_kernel(&l->icmp_from, sizeof(l->icmp_from), ip + 8);
	} else {
		return 0;
	}
	l->icmp_type = BPF_CORE_READ(e, ee.ee_type);
	l->icmp_code = BPF_CORE_READ(e, ee.ee_code);
	sock_tuple(sk, &l->local, &l->remote, &l->lport, &l->rport);
	if (addr_equal(&l->icmp_from, &l->local))
		l->flags |= W5_F_LOCAL_UNREACH;
	return BPF_CORE_READ(e, ee.ee_errno);
}

/* Keeps the error that an application's SO_ERROR would take away. */
SEC("tp_btf/inet_sk_error_report")
int BPF_PROG(error_report, const struct sock *sk)
{
	struct conn *c;
	int err;

	if (sk->sk_protocol == IPPROTO_UDP) {
		dns_error(sk);
		return 0;
	}
	c = conn_of(sk);
	if (!c)
		return 0;
	err = icmp_error(c, sk);
	if (!err)
		err = sk->sk_err ?: sk->sk_err_soft;
	if (err)
		c->err_latched = err;
	return 0;
}
