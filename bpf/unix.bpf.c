// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * connect() to a local socket, where it fails: the errno is in no socket and in no packet, only in
 * what the call returns. Watching that puts every task of the host on the slower way into the
 * kernel (40 ns per call measured), so user space attaches this for a while only, when a gateway
 * fails without any attempt that can be seen.
 */
#include "conn.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#if defined(__TARGET_ARCH_x86)
#define NR_CONNECT    42
#define CALL_NR(regs) BPF_CORE_READ(regs, orig_ax)
#elif defined(__TARGET_ARCH_arm64)
#define NR_CONNECT    203
#define CALL_NR(regs) BPF_CORE_READ(regs, syscallno)
#endif

#define AF_UNIX	  1
#define SUN_PATH  2 /* offsetof(struct sockaddr_un, sun_path) */
#define ERRNO_MAX 4095

#ifdef NR_CONNECT
static __always_inline void hint(struct w5_unix *r, const struct task_struct *t,
				 const struct w5_proc *p)
{
	struct w5_trail *tr = trail_of(t);

	r->after = trail_after(tr, t->pid);
	if (tr && tr->tid == (__u32)t->pid && !r->after && (p->flags & W5_PROC_QUEUES))
		trail_goes_on(tr, r->h.ts_ns);
	trail_hint(tr, t->pid, W5_ROLE_UPSTREAM, &r->hint_cookie, &r->hint_ns);
}

static __always_inline void tell(const void *addr, __u32 len, int err)
{
	struct task_struct *t = bpf_get_current_task_btf();
	__u32 tgid = t->tgid;
	const struct w5_proc *p = bpf_map_lookup_elem(&procs, &tgid);
	__u16 family = 0;
	struct w5_unix *r;

	if (!p || tgid == cfg.self_tgid || len <= SUN_PATH ||
	    bpf_probe_read_user(&family, sizeof(family), addr) || family != AF_UNIX)
		return;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		lose(RING_RARE);
		return;
	}
	__builtin_memset(r, 0, sizeof(*r));
	len -= SUN_PATH;
	if (len > W5_UNIX_PATH)
		len = W5_UNIX_PATH;
	bpf_probe_read_user(r->path, len, addr + SUN_PATH);
	r->len = len;
	r->h.ts_ns = bpf_ktime_get_ns();
	r->h.type = W5_REC_UNIX;
	r->h.size = sizeof(*r);
	r->tgid = tgid;
	r->tid = t->pid;
	r->err = err;
	hint(r, t, p);
	trouble_ns = r->h.ts_ns;
	bpf_ringbuf_submit(r, ring_wake(bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA), true));
}
#endif

SEC("tp_btf/sys_exit")
int BPF_PROG(unix_connect, struct pt_regs *regs, long ret)
{
#ifdef NR_CONNECT
	if (ret < 0 && ret >= -ERRNO_MAX && CALL_NR(regs) == NR_CONNECT)
		tell((const void *)PT_REGS_PARM2_CORE(regs), PT_REGS_PARM3_CORE(regs), -ret);
#endif
	return 0;
}
