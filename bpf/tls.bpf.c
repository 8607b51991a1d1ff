// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Plain text of libssl's conns (OpenSSL 1.1 and 3, LibreSSL, BoringSSL: these functions have
 * the same arguments everywhere). src/kernel/tls.c attaches them to the files that gateways map.
 */
#include "call.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* SSL_read(ssl, buf, num): number of bytes, or <= 0 */
SEC("uprobe")
int BPF_KPROBE(ssl_read_enter, __u64 ssl, __u64 buf, int num)
{
	call_begin(0, ssl, buf, num < 0 ? 0 : num, 0, false);
	return 0;
}

SEC("uretprobe")
int BPF_KRETPROBE(ssl_read_exit, int n)
{
	call_end(0, W5_TEXT_IN, n, false);
	return 0;
}

/* SSL_read_ex(ssl, buf, num, &bytes): 1 = read; SSL_read_early_data() as well */
SEC("uprobe")
int BPF_KPROBE(ssl_read_ex_enter, __u64 ssl, __u64 buf, __u64 num, __u64 bytes)
{
	call_begin(0, ssl, buf, num, bytes, false);
	return 0;
}

SEC("uretprobe")
int BPF_KRETPROBE(ssl_read_ex_exit, int ok)
{
	call_end(0, W5_TEXT_IN, ok == 1, true);
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(ssl_write_enter, __u64 ssl, __u64 buf, int num)
{
	call_begin(0, ssl, buf, num < 0 ? 0 : num, 0, true);
	return 0;
}

SEC("uretprobe")
int BPF_KRETPROBE(ssl_write_exit, int n)
{
	call_end(0, W5_TEXT_OUT, n, false);
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(ssl_write_ex_enter, __u64 ssl, __u64 buf, __u64 num, __u64 bytes)
{
	call_begin(0, ssl, buf, num, bytes, true);
	return 0;
}

SEC("uretprobe")
int BPF_KRETPROBE(ssl_write_ex_exit, int ok)
{
	call_end(0, W5_TEXT_OUT, ok == 1, true);
	return 0;
}

/* SSL_do_handshake, SSL_accept, SSL_connect: they read the socket first, which ties it. */
SEC("uprobe")
int BPF_KPROBE(ssl_shake_enter, __u64 ssl)
{
	const struct call *outer = call_now(0);

	if (!outer || outer->object != ssl) /* BoringSSL's first read calls it */
		call_begin(0, ssl, 0, 0, 0, false);
	return 0;
}

SEC("uretprobe")
int BPF_KRETPROBE(ssl_shake_exit)
{
	const struct call *c = call_now(0);

	if (c && !c->buf)
		call_end(0, W5_TEXT_IN, 0, false);
	return 0;
}
