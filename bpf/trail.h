/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The trail of a gateway's thread: which conn it worked on last, which requests it has read and
 * not yet gone on with, whether it has just let go of a failed attempt. What a thread does on an
 * upstream conn takes its hints from here. Only in the thread's own context.
 */
#ifndef BPF_TRAIL_H
#define BPF_TRAIL_H

#include "maps.h"
#include "w5_turn.h"

/* A request read longer ago waits for something else than the thread's turn. */
#define ASKED_NS (50 * 1000 * 1000ull)

static __always_inline struct w5_trail *trail_of(const struct task_struct *t)
{
	__u32 slot = (__u32)t->pid % W5_TRAIL_SLOTS;

	return bpf_map_lookup_elem(&trails, &slot);
}

static __always_inline void trail_claim(struct w5_trail *tr, __u32 tid)
{
	if (tr->tid == tid)
		return;
	tr->tid = tid;
	tr->down = tr->up = 0;
	tr->down_ns = tr->up_ns = 0;
	tr->tls = tr->tls_bad = 0;
	tr->after = tr->paused = 0;
	tr->nasked = tr->ngone = 0;
}

/* Where the thread of this trail came from, as a conn of that role sees it. */
static __always_inline void trail_hint(const struct w5_trail *tr, __u32 tid, __u8 role,
				       __u64 *cookie, __u64 *ns)
{
	bool known = tr && tr->tid == tid;

	if (role == W5_ROLE_UPSTREAM) {
		*cookie = known ? tr->down : 0;
		*ns = known ? tr->down_ns : 0;
	} else {
		*cookie = known ? tr->up : 0;
		*ns = known ? tr->up_ns : 0;
	}
}

/* Whoever asks is the thread's next step on an upstream, and there is only one. */
static __always_inline __u8 trail_after(struct w5_trail *tr, __u32 tid)
{
	__u8 after = tr && tr->tid == tid ? tr->after : 0;

	if (after)
		tr->after = 0;
	return after;
}

/* ---- pauses ---- */

static __always_inline __u32 peer_mark(const struct w5_leg *l)
{
	const __u32 *ip = (const __u32 *)l->remote.ip;

	return (ip[0] ^ ip[1] ^ ip[2] ^ ip[3] ^ ((__u32)l->rport << 16)) | 1;
}

/*
 * HAProxy waits before it connects to a peer again that has refused, and does so at once when its
 * own timer ended the try: is_due() in src/engine/tries.c.
 */
static __always_inline __u32 paused_peer(const struct w5_leg *l)
{
	bool connecting = l->phase == W5_PHASE_CONNECT || (l->flags & W5_F_HANDSHAKE);

	return connecting && !w5_up_timed_out(l) && !l->err_soft ? peer_mark(l) : 0;
}

/* As trail_after(). What follows a failure that a pause follows is for another request, and due by
 * its timer or by the thread's queue. */
static __always_inline __u8 trail_connects(struct w5_trail *tr, __u32 tid, const struct conn *c)
{
	__u8 after = trail_after(tr, tid);

	return after && c->queues && tr->paused == peer_mark(&c->leg) ? 0 : after;
}

/* ---- requests waiting for the thread's turn ---- */

/* It has read a request of this client. */
static __always_inline void trail_asked(const struct task_struct *t, __u64 cookie, __u32 stream,
					__u64 now)
{
	struct w5_trail *tr;
	__u32 slot;

	if (!have_queues)
		return;
	tr = trail_of(t);
	if (!tr)
		return;
	trail_claim(tr, t->pid);
	if (tr->nasked - tr->ngone >= W5_ASKED)
		tr->ngone++;
	slot = tr->nasked++ & (W5_ASKED - 1);
	tr->asked[slot] = cookie;
	tr->asked_stream[slot] = stream;
	tr->asked_ns[slot] = now;
}

/* It has answered one: if it was still waiting, then without asking an upstream. */
static __always_inline void trail_answered(const struct task_struct *t, __u64 cookie, __u32 stream)
{
	struct w5_trail *tr;

	if (!have_queues)
		return;
	tr = trail_of(t);
	if (!tr || tr->tid != (__u32)t->pid)
		return;
	for (__u32 i = 0; i < W5_ASKED; i++) {
		__u32 n = tr->ngone + i, slot = n & (W5_ASKED - 1);

		if ((__s32)(tr->nasked - n) <= 0)
			return;
		if (tr->asked[slot] == cookie && tr->asked_stream[slot] == stream)
			tr->asked_ns[slot] = 0;
	}
}

/*
 * It goes to an upstream. A thread that reads several requests first goes on with them in the
 * order it read them: this is for the oldest that waits. For none: it tries again after a pause,
 * or looks after the upstream's health.
 */
static __always_inline void trail_goes_on(struct w5_trail *tr, __u64 now)
{
	if (!tr->nasked)
		return; /* nothing that it reads can be seen */
	tr->down = tr->down_ns = 0;
	for (__u32 i = 0; i < W5_ASKED && tr->ngone != tr->nasked; i++) {
		__u32 slot = tr->ngone++ & (W5_ASKED - 1);

		if (now - tr->asked_ns[slot] >= ASKED_NS)
			continue;
		tr->down = tr->asked[slot];
		tr->down_ns = tr->asked_ns[slot];
		return;
	}
}

/* c was opened by this process. */
static __always_inline void conn_queues(struct conn *c, const struct w5_proc *p)
{
	c->queues = !!(p->flags & W5_PROC_QUEUES);
	if (c->queues)
		have_queues = 1;
}

/* ---- visits ---- */

/* An upstream conn that has ended without the answer it was opened, or asked, for. */
static __always_inline bool has_failed(const struct conn *c)
{
	const struct w5_leg *l = &c->leg;

	return l->role == W5_ROLE_UPSTREAM && c->ended &&
	       (l->phase == W5_PHASE_CONNECT || l->phase == W5_PHASE_REQUEST ||
		(l->flags & W5_F_HANDSHAKE));
}

/* The current thread works on c now. Going back to an upstream conn puts the downstream
 * conn it serves back on the trail, so that a retry points at the right exchange. */
static __always_inline void trail_visit(const struct conn *c, const struct task_struct *t,
					__u64 now)
{
	struct w5_trail *tr = trail_of(t);

	if (!tr || c->aside)
		return;
	trail_claim(tr, t->pid);
	tr->after = has_failed(c) ? W5_AFTER(c->leg.h.cookie) : 0;
	tr->paused = tr->after && c->queues ? paused_peer(&c->leg) : 0;
	if (c->leg.role == W5_ROLE_DOWNSTREAM) {
		tr->down = c->leg.h.cookie;
		tr->down_ns = now;
		return;
	}
	tr->up = c->leg.h.cookie;
	tr->up_ns = now;
	if (c->leg.hint_cookie) {
		tr->down = c->leg.hint_cookie;
		tr->down_ns = now;
	}
}

/* Owner and hint of the turn, in the context of the gateway thread. */
static __always_inline void conn_owner(struct conn *c, const struct task_struct *t, __u64 now)
{
	struct w5_trail *tr = trail_of(t);

	c->leg.tgid = t->tgid;
	c->leg.tid = t->pid;
	c->leg.flags |= W5_F_TID_EXACT;
	if (c->aside)
		return;
	c->leg.after = trail_connects(tr, t->pid, c);
	if (c->leg.role == W5_ROLE_DOWNSTREAM)
		trail_answered(t, c->leg.h.cookie, 0);
	else if (tr && c->queues && !c->leg.after && tr->tid == (__u32)t->pid)
		trail_goes_on(tr, now);
	trail_hint(tr, t->pid, c->leg.role, &c->leg.hint_cookie, &c->leg.hint_ns);
}

#endif
