/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The process table: who listens, who connects, who is a gateway by both. */
#ifndef BPF_PROCS_H
#define BPF_PROCS_H

#include "ring.h"
#include "sock.h"

/* Tells user space of a process: port > 0 listens there, 0 = it connects. */
static __always_inline void tell_process(const struct sock *sk, const struct task_struct *t,
					 __u16 port)
{
	struct w5_listen *r = ring_record(sizeof(*r), W5_REC_LISTEN);

	if (!r)
		return;
	r->cgroup_id = BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id);
	r->tgid = t->tgid;
	r->tid = t->pid;
	r->netns = sk->__sk_common.skc_net.net->ns.inum;
	r->port = port;
	bpf_probe_read_kernel(r->comm, sizeof(r->comm), t->comm);
	bpf_ringbuf_submit(r, BPF_RB_FORCE_WAKEUP);
}

/* The entry of the current process, at work on sk; a worker forked since we looked inherits
 * its parent's, and user space is told of it. */
static __always_inline struct w5_proc *proc_current(const struct task_struct *t,
						    const struct sock *sk)
{
	__u32 tgid = t->tgid, ppid;
	struct w5_proc *p = bpf_map_lookup_elem(&procs, &tgid), *parent, child;

	if (p)
		return p;
	ppid = t->real_parent->tgid;
	parent = bpf_map_lookup_elem(&procs, &ppid);
	if (!parent)
		return NULL;
	child.flags = parent->flags;
	child.group = parent->group;
	bpf_map_update_elem(&procs, &tgid, &child, BPF_NOEXIST);
	if (child.flags & W5_PROC_GATEWAY)
		tell_process(sk, t, 0);
	return bpf_map_lookup_elem(&procs, &tgid);
}

static __always_inline bool proc_is_gateway(const struct w5_proc *p)
{
	__u32 group = p->group;
	const struct w5_proc *g;

	if (p->flags & W5_PROC_GATEWAY)
		return true;
	g = bpf_map_lookup_elem(&procs, &group);
	return g && (g->flags & W5_PROC_GATEWAY);
}

/* A candidate connects: it is a gateway, and so is its group. */
static __always_inline void proc_connects(struct w5_proc *p, const struct sock *sk,
					  const struct task_struct *t)
{
	__u32 group = p->group;
	struct w5_proc *g;

	if (p->flags & W5_PROC_GATEWAY)
		return;
	p->flags |= W5_PROC_GATEWAY;
	g = bpf_map_lookup_elem(&procs, &group);
	if (g)
		g->flags |= W5_PROC_GATEWAY;
	tell_process(sk, t, 0);
}

#endif
