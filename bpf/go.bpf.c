// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Plain text of Go's crypto/tls. src/kernel/goprobe.c attaches the _enter programs behind the
 * stack check of (*Conn).Write, Read, clientHandshake and serverHandshake, the _exit programs to
 * each of their RET instructions: Go moves its stacks and walks them, so a return probe would
 * crash it. A call is known by its goroutine, which may return on another thread than it came on.
 */
#include "call.h"
#include "goregs.h"

/* The socket hooks look for goroutines in processes that call us. Said here, with the call that
 * needs it: user space would be late for the first one. */
static __always_inline void mark_process(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct w5_proc *p = bpf_map_lookup_elem(&procs, &tgid);

	if (!go_probed)
		go_probed = 1;
	if (p && !(p->flags & W5_PROC_GO))
		__sync_fetch_and_or(&p->flags, W5_PROC_GO);
}

static __always_inline bool is_tied(__u64 object)
{
	struct w5_tls_key key = { .object = object, .tgid = bpf_get_current_pid_tgid() >> 32 };

	return bpf_map_lookup_elem(&texts, &key) != NULL;
}

/* (c *Conn) Write(b []byte) (int, error) */
SEC("uprobe")
int go_write_enter(struct pt_regs *ctx)
{
	__u64 g = GO_G(ctx), c = GO_ARG1(ctx), len = GO_ARG3(ctx);

	mark_process();
	call_begin(g, c, GO_ARG2(ctx), len, 0, true);
	/* Told before it is sent: another goroutine reads the answer, and may be faster than our
	 * return. Only the conn's very first write may have to wait for its socket. */
	if (is_tied(c))
		call_end(g, W5_TEXT_OUT, len, false);
	return 0;
}

SEC("uprobe")
int go_write_exit(struct pt_regs *ctx)
{
	call_end(GO_G(ctx), W5_TEXT_OUT, GO_RES1(ctx), false);
	return 0;
}

/* (c *Conn) Read(b []byte) (int, error) */
SEC("uprobe")
int go_read_enter(struct pt_regs *ctx)
{
	mark_process();
	call_begin(GO_G(ctx), GO_ARG1(ctx), GO_ARG2(ctx), GO_ARG3(ctx), 0, false);
	return 0;
}

SEC("uprobe")
int go_read_exit(struct pt_regs *ctx)
{
	call_end(GO_G(ctx), W5_TEXT_IN, GO_RES1(ctx), false);
	return 0;
}

/* (c *Conn) clientHandshake(context.Context) error, serverHandshake: they read the socket. */
SEC("uprobe")
int go_shake_enter(struct pt_regs *ctx)
{
	__u64 g = GO_G(ctx), conn = GO_ARG1(ctx);
	const struct call *outer;

	barrier_var(conn); /* or clang merges two reads of ctx into one through a pointer */
	outer = call_now(g);
	mark_process();
	if (!outer || outer->object != conn)
		call_begin(g, conn, 0, 0, 0, false);
	return 0;
}

SEC("uprobe")
int go_shake_exit(struct pt_regs *ctx)
{
	__u64 g = GO_G(ctx);
	const struct call *c = call_now(g);

	if (c && !c->buf)
		call_end(g, W5_TEXT_IN, 0, false);
	return 0;
}
