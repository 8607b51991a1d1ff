// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Processes that inherit listening sockets and never call listen() themselves: the master of a
 * daemon, whose first process ends at once, workers, the next version's master. A child has its
 * parent's entry in the process table from its first moment; user space looks at what it has
 * become (a helper's entry is taken back), and frees the entries of the dead.
 */
#include "conn.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Without a call of user space: by the next tick a CGI program is no copy of its parent any more. */
static __always_inline void tell_forked(const struct task_struct *parent,
					const struct task_struct *child)
{
	struct w5_listen *r = ring_record(sizeof(*r), W5_REC_LISTEN);

	if (!r)
		return;
	r->flags = W5_LISTEN_FORKED;
	r->cgroup_id = BPF_CORE_READ(child, cgroups, dfl_cgrp, kn, id);
	r->tgid = child->tgid;
	r->tid = parent->tgid;
	r->netns = BPF_CORE_READ(child, nsproxy, net_ns, ns.inum);
	bpf_probe_read_kernel(r->comm, sizeof(r->comm), child->comm);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_forked, struct task_struct *parent, struct task_struct *child)
{
	__u32 ptgid = parent->tgid, tgid = child->tgid;
	const struct w5_proc *p;
	struct w5_proc copy;

	if (ptgid == tgid) /* a thread */
		return 0;
	p = bpf_map_lookup_elem(&procs, &ptgid);
	if (!p)
		return 0;
	copy = *p;
	bpf_map_update_elem(&procs, &tgid, &copy, BPF_ANY);
	tell_forked(parent, child);
	return 0;
}
