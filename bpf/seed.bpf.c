// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Connections older than us: an iterator over every process's files, all network
 * namespaces at once. First pass (W5_SEED_LIST) hands each TCP socket to user space,
 * which finds the candidates; second pass (W5_SEED_ADOPT) gives the established conns
 * of candidates their state, so that the end of one is seen even if its request was not.
 */
#include "conn.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

extern int CONFIG_HZ __kconfig __weak;

/* Age of the last data received, from TCP's own jiffies stamp (low 32 bits). */
static __always_inline __u64 idle_age(const struct tcp_sock *tp)
{
	__u32 age = (__u32)bpf_jiffies64() - tp->inet_conn.icsk_ack.lrcvtime;

	if (!CONFIG_HZ || !tp->bytes_received)
		return 0;
	return (__u64)age * (1000000000ull / CONFIG_HZ);
}

static __always_inline void adopt_older(struct sock *sk, const struct tcp_sock *tp,
					const struct w5_seed *s)
{
	struct w5_port_key key = { .netns = s->netns, .port = s->lport };
	__u32 tgid = s->tgid;
	__u64 now = bpf_ktime_get_ns(), age;
	const struct w5_proc *p;
	struct conn *c;

	if ((s->state != TCP_ESTABLISHED && s->state != TCP_CLOSE_WAIT) || s->rport == W5_DNS_PORT)
		return;
	p = bpf_map_lookup_elem(&procs, &tgid);
	if (!p || bpf_sk_storage_get(&conns, sk, NULL, 0))
		return;
	c = bpf_sk_storage_get(&conns, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!c) {
		lose(MAP_FULL);
		return;
	}
	conn_init(c, sk, s->cookie,
		  bpf_map_lookup_elem(&listen_ports, &key) ? W5_ROLE_DOWNSTREAM : W5_ROLE_UPSTREAM);
	c->leg.tgid = s->tgid;
	conn_queues(c, p);
	c->leg.flags = W5_F_OLDER;
	c->leg.phase = W5_PHASE_IDLE;
	c->retrans0 = tp->total_retrans;
	age = idle_age(tp);
	if (age)
		c->leg.last_ns = now - age;
}

SEC("iter/task_file")
int seed(struct bpf_iter__task_file *ctx)
{
	struct task_struct *t = ctx->task;
	struct file *file = ctx->file;
	struct w5_seed s = {};
	struct socket *sock;
	struct tcp_sock *tp;
	struct sock *sk;

	if (!t || !file)
		return 0;
	sock = bpf_sock_from_file(file);
	if (!sock || !sock->sk)
		return 0;
	sk = sock->sk;
	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	sock_tuple(sk, &s.local, &s.remote, &s.lport, &s.rport);
	s.cookie = bpf_get_socket_cookie(sk);
	s.cgroup_id = BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id);
	s.netns = sk->__sk_common.skc_net.net->ns.inum;
	s.tgid = t->tgid;
	s.ppid = t->real_parent->tgid;
	s.state = sk->__sk_common.skc_state;
	bpf_probe_read_kernel(s.comm, sizeof(s.comm), t->group_leader->comm);
	if (seed_mode == W5_SEED_LIST)
		bpf_seq_write(ctx->meta->seq, &s, sizeof(s));
	else
		adopt_older(sk, tp, &s);
	return 0;
}
