/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A call into a TLS library, from its entry to its return: the buffer is known at the one, how
 * much of it counts at the other. Between them a read of a socket ties the library's object to
 * that socket (tie(), tcp.bpf.c). Shared by tls.bpf.c and go.bpf.c.
 */
#ifndef BPF_CALL_H
#define BPF_CALL_H

#include "text.h"

/* Probes sit in a file that other programs map as well: only gateways count. */
static __always_inline bool task_is_gateway(void)
{
	const struct task_struct *t = bpf_get_current_task_btf();
	__u32 tgid = t->tgid;
	const struct w5_proc *p = bpf_map_lookup_elem(&procs, &tgid);

	if (!p) { /* a worker just forked */
		tgid = t->real_parent->tgid;
		p = bpf_map_lookup_elem(&procs, &tgid);
	}
	return p && proc_is_gateway(p);
}

static __always_inline struct w5_trail *trail_now(void)
{
	return trail_of(bpf_get_current_task_btf());
}

/* who: 0 = this thread, else the goroutine. */
static __always_inline void call_key(struct w5_call_key *key, __u64 who)
{
	__u64 id = bpf_get_current_pid_tgid();

	key->who = who ? who : (__u32)id;
	key->tgid = id >> 32;
	key->kind = who ? W5_CALL_GO : W5_CALL_LIBSSL;
}

/* The handshake of a first Read or Write runs inside it: their call must survive it. */
static __always_inline struct call *call_now(__u64 who)
{
	struct w5_call_key key;

	call_key(&key, who);
	return bpf_map_lookup_elem(&calls, &key);
}

/* Does this call write an error to a client? Then the packets of it are worth keeping. */
static __always_inline bool writes_error(const struct call *c)
{
	struct peeked p;

	if (c->len < sizeof(p) || bpf_probe_read_user(&p, sizeof(p), (void *)c->buf))
		return false;
	return look(&p) & LOOK_ERROR;
}

static __always_inline struct text_stream *call_stream(const struct call *c)
{
	struct w5_tls_key key = { .object = c->object, .tgid = bpf_get_current_pid_tgid() >> 32 };

	return bpf_map_lookup_elem(&texts, &key);
}

/* n bytes of the call's buffer are the next of that direction. */
static __always_inline void call_text(const struct call *c, struct text_stream *t, __u8 dir,
				      __s64 n)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct w5_trail *tr = trail_now();
	struct chunk k = { .t = t, .base = c->buf, .dir = dir, .tgid = id >> 32, .tid = id };

	if (n <= 0 || n > (1 << 30))
		return;
	k.n = n;
	k.ts_ns = c->ts_ns ? c->ts_ns : bpf_ktime_get_ns();
	k.d = dir == W5_TEXT_OUT ? &t->dir[W5_TEXT_OUT] : &t->dir[W5_TEXT_IN];
	k.cookie = t->cookie;
	k.rare = dir == W5_TEXT_OUT && tr && tr->tid == k.tid && tr->tls_bad == c->object;
	trail_hint(tr, k.tid, t->role, &k.hint_cookie, &k.hint_ns);
	if (dir == W5_TEXT_OUT)
		k.after = trail_after(tr, k.tid);
	text_chunk(&k, false);
}

/* n: bytes of the buffer that count, <= 0: none. */
static __always_inline void call_end(__u64 who, __u8 dir, __s64 n, bool n_at_lenp)
{
	struct w5_trail *tr = trail_now();
	struct text_stream *t;
	struct w5_call_key key;
	__u64 len = 0;
	struct call *c;

	call_key(&key, who);
	if (tr && !who && tr->tid == (__u32)key.who)
		tr->tls = 0;
	c = bpf_map_lookup_elem(&calls, &key);
	if (!c || !c->object)
		return;
	if (n_at_lenp && n > 0) {
		bpf_probe_read_user(&len, sizeof(len), (void *)c->lenp);
		n = len;
	}
	if (n > (__s64)c->len)
		n = c->len;
	t = n > 0 ? call_stream(c) : NULL;
	if (t)
		call_text(c, t, dir, n);
	c->object = 0;
}

/*
 * The answer to a request may be on its way before the call that wrote it returns. HTTP/1 has no
 * state that a write refused (and tried again) could spoil: its heads are told before they go.
 */
static __always_inline void head_early(struct call *c)
{
	struct text_stream *t = call_stream(c);

	if (!t || t->proto == W5_PROTO_H2)
		return;
	call_text(c, t, W5_TEXT_OUT, c->len);
	c->object = 0;
}

/* buf, len: what is written, or where is read to; lenp: where the library puts the number of
 * bytes, 0 if it returns it. */
static __always_inline void call_begin(__u64 who, __u64 object, __u64 buf, __u64 len, __u64 lenp,
				       bool is_write)
{
	struct call new = { .object = object, .buf = buf, .len = len, .lenp = lenp }, *c;
	struct w5_call_key key;
	struct w5_trail *tr;
	bool is_bad;

	if (!task_is_gateway())
		return;
	call_key(&key, who);
	if (is_write)
		new.ts_ns = bpf_ktime_get_ns();
	tr = trail_now();
	is_bad = is_write && writes_error(&new);
	if (is_bad)
		trouble_ns = new.ts_ns;
	if (tr && (!who || is_bad)) {
		trail_claim(tr, bpf_get_current_pid_tgid());
		tr->tls_bad = is_bad ? object : 0;
	}
	if (tr && !who)
		tr->tls = object;
	if (is_write && !who)
		head_early(&new);
	c = bpf_map_lookup_elem(&calls, &key);
	if (c)
		*c = new;
	else
		bpf_map_update_elem(&calls, &key, &new, BPF_ANY);
}

#endif
