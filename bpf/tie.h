/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which socket a TLS library's object works on: the one that its thread reads from, or writes to,
 * while it is in a call with that object.
 */
#ifndef BPF_TIE_H
#define BPF_TIE_H

#include "emit.h"
#include "goregs.h"

static __always_inline bool is_tied(const struct conn *c, const struct task_struct *t)
{
	return c->tls_object && c->tls_tgid == (__u32)t->tgid;
}

/* The object whose call the thread is in; 0 = none. */
static __always_inline __u64 tls_object_of(const struct task_struct *t, const struct w5_trail *tr)
{
	return tr && tr->tid == (__u32)t->pid ? tr->tls : 0;
}

/* The TLS object whose call works on a socket now: of the thread, or of its goroutine. */
static __always_inline __u64 tls_object_now(const struct task_struct *t, const struct w5_trail *tr)
{
	struct w5_call_key key = { .tgid = t->tgid, .kind = W5_CALL_GO };
	__u64 object = tls_object_of(t, tr);
	const struct w5_proc *p;
	const struct call *call;
	struct pt_regs *regs;

	if (object || !go_probed ||
	    !bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return object;
	p = bpf_map_lookup_elem(&procs, &key.tgid);
	if (!p || !(p->flags & W5_PROC_GO))
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs((struct task_struct *)t);
	key.who = GO_G(regs);
	call = bpf_map_lookup_elem(&calls, &key);
	return call ? call->object : 0;
}

/* For good: an object keeps its socket. */
static __always_inline void tie(struct conn *c, const struct task_struct *t, __u64 object,
				__u64 now)
{
	struct w5_tls_key key = { .object = object, .tgid = t->tgid };
	struct text_stream new = {};

	if (!object)
		return;
	new.cookie = c->leg.h.cookie;
	new.role = c->leg.role;
	new.older = c->texted || (c->leg.flags & W5_F_OLDER); /* else it begins with a handshake */
	if (bpf_map_update_elem(&texts, &key, &new, BPF_ANY)) {
		lose(MAP_FULL);
		return;
	}
	c->tls_object = object;
	c->tls_tgid = key.tgid;
	c->leg.proto = W5_PROTO_TLS;
	if (!c->texted)
		emit_open(c, now);
}

#endif
