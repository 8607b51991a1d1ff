// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * connect() to a local socket: its errno is in no socket and in no packet, only in what the call
 * returns. Three ways to it, the best that the kernel has (src/kernel/feature.c):
 *
 *   follow  the cgroup hook has the calling thread come by us on its way out of this one call
 *           (task work, Linux 6.18): every result, and nothing else of the host pays for it
 *   begin   the cgroup hook alone (6.7): tells user space that such a connect begins, so that
 *           it attaches exit in time for the next ones
 *   exit    the exit of every system call of the host (80 ns each), so only for a while
 *
 * Never forbids anything: the hooks always return 1.
 */
#define BPF_NO_KFUNC_PROTOTYPES /* newer vmlinux.h has its own, which differ */
#include "conn.h"
#include "w5_service.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#if defined(__TARGET_ARCH_x86)
#define NR_CONNECT    42
#define CALL_NR(regs) BPF_CORE_READ(regs, orig_ax)
#elif defined(__TARGET_ARCH_arm64)
#define NR_CONNECT    203
#define CALL_NR(regs) BPF_CORE_READ(regs, syscallno)
#else
#define NR_CONNECT    -1L /* no result will be known */
#define CALL_NR(regs) 0L
#endif

#define AF_UNIX	    1
#define SOCK_STREAM 1
#define SOCK_SEQ    5
#define SUN_PATH    2 /* offsetof(struct sockaddr_un, sun_path) */
#define ERRNO_MAX   4095
#define EINTR	    4
#define EISCONN	    106
#define ERESTARTSYS 512 /* and above: the call is made again, or ends as EINTR */

/* Set by user space while exit is attached. */
volatile __u32 unix_watched;
/* Such connects so far: a socket of this kind has no cookie that every way could read. */
__u64 unix_made;

/* A gateway's process; NULL: any other. */
static __always_inline const struct w5_proc *gateway_proc(const struct task_struct *t)
{
	__u32 tgid = t->tgid;
	const struct w5_proc *p = bpf_map_lookup_elem(&procs, &tgid);

	return p && tgid != cfg.self_tgid && proc_is_gateway(p) ? p : NULL;
}

/* Whose connect it is, and for which request. What becomes of it is not known yet. */
static __always_inline void begin(struct w5_unix *r, const struct task_struct *t,
				  const struct w5_proc *p)
{
	struct w5_trail *tr = trail_of(t);

	r->h.ts_ns = bpf_ktime_get_ns();
	r->h.cookie = W5_UNIX_COOKIE | __sync_fetch_and_add(&unix_made, 1);
	r->h.type = W5_REC_UNIX_OPEN;
	r->h.size = sizeof(*r);
	r->tgid = t->tgid;
	r->tid = t->pid;
	r->after = trail_after(tr, t->pid);
	if (tr && tr->tid == (__u32)t->pid && !r->after && (p->flags & W5_PROC_QUEUES))
		trail_goes_on(tr, r->h.ts_ns);
	trail_hint(tr, t->pid, W5_ROLE_UPSTREAM, &r->hint_cookie, &r->hint_ns);
}

/* As trail_visit() does for a conn that failed: what the thread does next may be its retry. */
static __always_inline void let_go(const struct w5_unix *r)
{
	struct w5_trail *tr = bpf_map_lookup_elem(&trails, &(__u32){ r->tid % W5_TRAIL_SLOTS });

	if (!tr || tr->tid != r->tid)
		return;
	tr->after = W5_AFTER(r->h.cookie);
	tr->paused = 0;
	if (r->hint_cookie) {
		tr->down = r->hint_cookie;
		tr->down_ns = r->h.ts_ns;
	}
}

/* False: it was interrupted, or there was nothing to do. In the thread's own context. */
static __always_inline bool end(struct w5_unix *r, long ret)
{
	if (ret == -EINTR || ret == -EISCONN || ret <= -ERESTARTSYS)
		return false;
	r->h.ts_ns = bpf_ktime_get_ns();
	r->h.type = ret < 0 ? W5_REC_UNIX : W5_REC_UNIX_OPEN;
	r->err = ret < 0 ? -ret : 0;
	r->watched = ret >= 0;
	if (ret < 0)
		let_go(r);
	return true;
}

static __always_inline void emit(struct w5_unix *r)
{
	__u64 used = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
	bool rare = r->err || !r->watched;

	if (r->err)
		trouble_ns = r->h.ts_ns;
	if (!rare && used > cfg.bulk_limit)
		lose(RING_BULK);
	else if (bpf_ringbuf_output(&ring, r, sizeof(*r), ring_wake(used, rare)))
		lose(RING_RARE);
}

/* ---- the hook ---- */

/* What the program's context is inside the kernel; the length is there from 6.7 on. */
struct bpf_sock_addr_kern___unix {
	struct sockaddr *uaddr;
	__u32 uaddrlen;
} __attribute__((preserve_access_index));

/* Takes the address where it goes to a socket that can be an upstream's. */
static __always_inline bool take_kernel(struct w5_unix *r, struct bpf_sock_addr *ctx)
{
	const struct bpf_sock_addr_kern___unix *kern = (const void *)ctx;
	__u32 type = ctx->type, len = BPF_CORE_READ(kern, uaddrlen);
	const char *addr = (const char *)BPF_CORE_READ(kern, uaddr);

	if ((type != SOCK_STREAM && type != SOCK_SEQ) || len <= SUN_PATH)
		return false;
	len -= SUN_PATH;
	if (len > W5_UNIX_PATH)
		len = W5_UNIX_PATH;
	r->len = len;
	return !bpf_probe_read_kernel(r->path, len, addr + SUN_PATH) && !w5_is_service(r->path);
}

SEC("cgroup/connect4") /* libbpf before 1.3 has no name for it: src/kernel/closer.c */
int unix_begin(struct bpf_sock_addr *ctx)
{
	const struct task_struct *t = bpf_get_current_task_btf();
	const struct w5_proc *p = unix_watched ? NULL : gateway_proc(t);
	struct w5_unix r = {};

	if (p && take_kernel(&r, ctx)) {
		begin(&r, t, p);
		emit(&r);
	}
	return 1;
}

/* A connect under way in a thread. LRU: threads come and go. */
struct unix_call {
	struct bpf_task_work work;
	struct w5_unix r;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, W5_UNIX_CALLS);
	__type(key, __u32);
	__type(value, struct unix_call);
} unix_calls SEC(".maps");

/* In 6.18 with one argument more, which the verifier sets: by the name _impl. The later kernels have
 * that name, too, but nothing behind it. */
typedef int (*unix_call_fn)(struct bpf_map *map, void *key, void *value);
extern int bpf_task_work_schedule_resume(struct task_struct *task, struct bpf_task_work *tw,
					 void *map__map, unix_call_fn callback) __ksym __weak;
extern int bpf_task_work_schedule_resume_impl(struct task_struct *task, struct bpf_task_work *tw,
					      void *map__map, unix_call_fn callback,
					      void *aux__prog) __ksym __weak;

/* On its way out of the call: the result is where the program will find it. */
static int unix_returns(struct bpf_map *map, void *key, void *value)
{
	struct task_struct *t = bpf_get_current_task_btf();
	const struct pt_regs *regs = (const void *)bpf_task_pt_regs(t);
	struct unix_call *c = value;
	long ret = PT_REGS_RC_CORE(regs);

	if (CALL_NR(regs) != NR_CONNECT || (__u32)t->pid != c->r.tid || end(&c->r, ret))
		emit(&c->r);
	return 0;
}

static __always_inline struct unix_call *call_of(__u32 tid)
{
	struct unix_call *c = bpf_map_lookup_elem(&unix_calls, &tid);

	if (!c) {
		struct unix_call none = {};

		bpf_map_update_elem(&unix_calls, &tid, &none, BPF_NOEXIST);
		c = bpf_map_lookup_elem(&unix_calls, &tid);
	}
	return c;
}

static __always_inline void follow(struct bpf_sock_addr *ctx, bool impl)
{
	struct task_struct *t = bpf_get_current_task_btf();
	const struct pt_regs *regs = (const void *)bpf_task_pt_regs(t);
	const struct w5_proc *p = gateway_proc(t);
	struct unix_call *c = p ? call_of(t->pid) : NULL;
	int err = -1;

	if (!c) {
		if (p)
			lose(MAP_FULL);
		return;
	}
	__builtin_memset(&c->r, 0, sizeof(c->r));
	if (!take_kernel(&c->r, ctx))
		return;
	begin(&c->r, t, p);
	/* Where another call connects (io_uring), its result is none of a connect. */
	if (CALL_NR(regs) == NR_CONNECT)
		err = impl ? bpf_task_work_schedule_resume_impl(t, &c->work, &unix_calls,
								unix_returns, NULL)
			   : bpf_task_work_schedule_resume(t, &c->work, &unix_calls, unix_returns);
	if (err)
		emit(&c->r);
}

SEC("cgroup/connect4")
int unix_follow(struct bpf_sock_addr *ctx)
{
	follow(ctx, false);
	return 1;
}

SEC("cgroup/connect4")
int unix_follow_impl(struct bpf_sock_addr *ctx)
{
	follow(ctx, true);
	return 1;
}

/* ---- the exit of system calls ---- */

/* Of the socket behind fd: can it be an upstream's? */
static __always_inline bool is_stream(const struct task_struct *t, __u32 fd)
{
	const struct fdtable *fdt = BPF_CORE_READ(t, files, fdt);
	struct file **files = BPF_CORE_READ(fdt, fd);
	const struct socket *sock;
	struct file *f = NULL;
	__u16 type;

	if (fd >= BPF_CORE_READ(fdt, max_fds) || bpf_probe_read_kernel(&f, sizeof(f), files + fd) ||
	    !f)
		return false;
	sock = BPF_CORE_READ(f, private_data);
	type = BPF_CORE_READ(sock, type);
	return BPF_CORE_READ(sock, ops, family) == AF_UNIX &&
	       (type == SOCK_STREAM || type == SOCK_SEQ);
}

static __always_inline void tell(const struct pt_regs *regs, long ret)
{
	const void *addr = (const void *)PT_REGS_PARM2_CORE(regs);
	const struct task_struct *t = bpf_get_current_task_btf();
	const struct w5_proc *p = gateway_proc(t);
	__u32 len = PT_REGS_PARM3_CORE(regs);
	struct w5_unix r = {};
	__u16 family = 0;

	if (!p || len <= SUN_PATH || bpf_probe_read_user(&family, sizeof(family), addr) ||
	    family != AF_UNIX || !is_stream(t, PT_REGS_PARM1_CORE(regs)))
		return;
	len -= SUN_PATH;
	if (len > W5_UNIX_PATH)
		len = W5_UNIX_PATH;
	r.len = len;
	if (bpf_probe_read_user(r.path, len, addr + SUN_PATH) || w5_is_service(r.path))
		return;
	begin(&r, t, p);
	if (end(&r, ret))
		emit(&r);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(unix_exit, struct pt_regs *regs, long ret)
{
	if (ret <= 0 && ret >= -ERRNO_MAX && CALL_NR(regs) == NR_CONNECT)
		tell(regs, ret);
	return 0;
}
