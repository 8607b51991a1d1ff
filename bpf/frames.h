/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Cleartext HTTP/2: its frames, from packets in order. */
#ifndef BPF_FRAMES_H
#define BPF_FRAMES_H

#include "emit.h"
#include "packet.h"
#include "text.h"

static __always_inline void h2_packet(struct __sk_buff *skb, struct bpf_sock *sk, struct conn *c,
				      const struct seg *s, bool out, __u64 now)
{
	struct text_stream *t = &c->text;
	struct text_dir *d = out ? &t->dir[W5_TEXT_OUT] : &t->dir[W5_TEXT_IN];
	struct chunk k = { .t = t, .d = d, .skb = skb, .base = s->off, .n = s->payload };
	struct w5_leg *l = &c->leg;
	struct tcp_sock *tp;
	__s32 behind;

	if (!have_loop())
		return;
	if (!c->texted) {
		emit_open(c, now);
		t->cookie = l->h.cookie;
		t->proto = W5_PROTO_H2;
		t->role = l->role;
		t->older = !!(l->flags & W5_F_OLDER);
	}
	behind = d->begun ? (__s32)(d->next - s->seq) : 0;
	if (behind < 0) { /* one before it is missing, or comes later: too late for us */
		lose_frames(&k);
		behind = 0;
	}
	if ((__u32)behind >= s->payload)
		return; /* a retransmit */
	d->begun = 1;
	d->next = s->seq + s->payload;
	k.base += (__u32)behind;
	k.n -= (__u32)behind;
	k.dir = out ? W5_TEXT_OUT : W5_TEXT_IN;
	k.ts_ns = now;
	k.cookie = l->h.cookie;
	k.tgid = l->tgid;
	k.tid = l->tid;
	tp = out ? bpf_skc_to_tcp_sock(sk) : NULL;
	if (tp && sock_owned((struct sock *)tp)) {
		struct task_struct *task = bpf_get_current_task_btf();

		k.tgid = task->tgid;
		k.tid = task->pid;
		struct w5_trail *tr = trail_of(task);

		trail_hint(tr, task->pid, l->role, &k.hint_cookie, &k.hint_ns);
		k.after = trail_after(tr, task->pid);
	}
	if ((text_chunk(&k, true) & LOOK_ERROR) && out && l->role == W5_ROLE_DOWNSTREAM)
		emit_packets(c, now);
}

#endif
