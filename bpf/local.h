/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Failures on this host that leave no packet: a connect that got nowhere, a socket that found no
 * file descriptor, a backend's process that was killed. All run in the context of the process
 * they tell of.
 */
#ifndef BPF_LOCAL_H
#define BPF_LOCAL_H

#include "emit.h"

#define PF_EXITING    0x4 /* include/linux/sched.h */
#define RLIMIT_NOFILE 7	  /* include/uapi/asm-generic/resource.h */

/* The socket goes without having come to SYN_SENT: connect() failed in the routing table, or
 * something forbade it. Its address is what connect() was asked for (ask.bpf.c). */
static __always_inline void on_unsent(struct conn *c, const struct sock *sk)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);
	struct w5_addr to = c->leg.remote;
	__u16 port = c->leg.rport;
	__u32 tgid = t->tgid;
	struct w5_proc *p = bpf_map_lookup_elem(&procs, &tgid);
	__u64 now = bpf_ktime_get_ns();

	c->intends = 0;
	if (!p || tgid != c->leg.tgid)
		return;
	proc_connects(p, sk, t);
	conn_init(c, sk, bpf_get_socket_cookie((void *)sk), W5_ROLE_UPSTREAM);
	conn_queues(c, p);
	c->leg.remote = to;
	c->leg.rport = port;
	if (c->leg.tid == (__u32)t->pid)
		conn_owner(c, t, now);
	if (!end_once(c, W5_END_CONNECT, now))
		return;
	if (tp)
		conn_facts(c, tp);
	c->leg.flags |= W5_F_UNSENT | W5_F_BAD;
	c->route.mark = sk->sk_mark;
	c->route.ifindex = sk->__sk_common.skc_bound_dev_if;
	c->route.uid = sk->sk_uid.val;
	trail_visit(c, t, now);
	emit_unsent(c, now);
}

/* ---- file descriptors ---- */

#define FD_WORDS \
	256 /* of 64 bits: of the second level that is 2^20 descriptors, as many as may be */

/* Are the bits from..to-1 all set? */
static __noinline bool all_set(const unsigned long *map, __u32 from, __u32 to)
{
	for (__u32 i = 0; i < FD_WORDS; i++) {
		__u32 w = from / 64 + i, low = w * 64;
		__u64 bits = 0, want = ~0ull;

		if (low >= to)
			return true;
		if (from > low)
			want &= ~0ull << ((from - low) & 63);
		if (to < low + 64)
			want &= ~0ull >> ((low + 64 - to) & 63);
		bpf_probe_read_kernel(&bits, sizeof(bits), map + w);
		if ((bits & want) != want)
			return false;
	}
	return false;
}

/* Is no descriptor below the limit free? As alloc_fd() looks for one (fs/file.c). */
static __always_inline bool fds_used_up(const struct task_struct *t, __u64 limit)
{
	__u32 next = BPF_CORE_READ(t, files, next_fd), to = limit, low, high;
	const struct fdtable *fdt = BPF_CORE_READ(t, files, fdt);
	const unsigned long *open = BPF_CORE_READ(fdt, open_fds);
	const unsigned long *full = BPF_CORE_READ(fdt, full_fds_bits);

	if (next >= limit)
		return true;
	if (BPF_CORE_READ(fdt, max_fds) < limit)
		return false; /* the table can grow */
	low = (next + 63) & ~63u;
	high = to & ~63u;
	if (low >= high)
		return all_set(open, next, to);
	return all_set(open, next, low) && all_set(full, low / 64, high / 64) &&
	       all_set(open, high, to);
}

static __always_inline void emit_limit(const struct task_struct *t, const struct w5_proc *p,
				       __u16 kind, __u64 limit)
{
	struct w5_trail *tr = trail_of(t);
	struct w5_limit *r = ring_record(sizeof(*r), W5_REC_LIMIT);

	if (!r)
		return;
	r->kind = kind;
	r->tgid = t->tgid;
	r->tid = t->pid;
	r->limit = limit;
	r->used = limit;
	/* As conn_owner() of the socket it did not get. */
	if (tr && tr->tid == (__u32)t->pid && !trail_after(tr, t->pid) &&
	    (p->flags & W5_PROC_QUEUES))
		trail_goes_on(tr, r->h.ts_ns);
	trail_hint(tr, t->pid, W5_ROLE_UPSTREAM, &r->hint_cookie, &r->hint_ns);
	trouble_ns = r->h.ts_ns;
	bpf_ringbuf_submit(r, ring_wake(bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA), true));
}

/* A socket goes that was never bound and never connected. When socket() makes one and finds no
 * descriptor for it, it is let go at once; else what the gateway asked of it was refused. */
static __always_inline void note_unused(const struct sock *sk)
{
	const struct inet_sock *inet = (const struct inet_sock *)sk;
	const struct w5_proc *p;
	struct task_struct *t;
	__u64 limit;
	__u32 tgid;

	if (sk->__sk_common.skc_state != TCP_CLOSE || sk->__sk_common.skc_num ||
	    sk->__sk_common.skc_dport || BPF_CORE_READ(inet, inet_sport))
		return;
	t = bpf_get_current_task_btf();
	tgid = t->tgid;
	p = bpf_map_lookup_elem(&procs, &tgid);
	if (!p)
		return;
	limit = BPF_CORE_READ(t, signal, rlim[RLIMIT_NOFILE].rlim_cur);
	if (fds_used_up(t, limit))
		emit_limit(t, p, W5_LIMIT_FILES, limit);
	else if (proc_is_gateway(p))
		emit_limit(t, p, W5_LIMIT_UNUSED, 0);
}

/* ---- killed processes ---- */

/* A task that dies of a signal closes a conn that was established: whoever is at the other end,
 * a gateway perhaps, sees a FIN or a RST. c: NULL, or its state as a gateway's conn. */
static __always_inline void note_killed(const struct conn *c, const struct sock *sk, int old)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct w5_killed *r;

	if (!(t->flags & PF_EXITING) || !(t->exit_code & 0x7f) || !sock_owned(sk) ||
	    (old != TCP_ESTABLISHED && old != TCP_CLOSE_WAIT) ||
	    (c && c->leg.role == W5_ROLE_UPSTREAM))
		return;
	r = ring_record(sizeof(*r), W5_REC_KILLED);
	if (!r)
		return;
	sock_tuple(sk, &r->local, &r->remote, &r->lport, &r->rport);
	r->netns = sk->__sk_common.skc_net.net->ns.inum;
	r->tgid = t->tgid;
	r->tid = t->pid;
	r->signal = t->exit_code & 0x7f;
	r->oom = BPF_CORE_READ(t, signal, oom_mm) != NULL;
	bpf_probe_read_kernel(r->comm, sizeof(r->comm), t->group_leader->comm);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

#endif
