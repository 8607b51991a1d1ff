/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A socket's addresses, and who holds it. */
#ifndef BPF_SOCK_H
#define BPF_SOCK_H

#include "maps.h"

#define AF_INET	 2
#define AF_INET6 10

static __always_inline void addr_v4(struct w5_addr *a, __be32 ip)
{
	__builtin_memset(a->ip, 0, 10);
	a->ip[10] = 0xff;
	a->ip[11] = 0xff;
	__builtin_memcpy(&a->ip[12], &ip, 4);
}

static __always_inline bool addr_equal(const struct w5_addr *a, const struct w5_addr *b)
{
	const __u32 *x = (const __u32 *)a->ip, *y = (const __u32 *)b->ip;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3];
}

/* Addresses from the socket itself. The local port comes from skc_num, or from
 * inet_sport where the port has been given back already. */
static __always_inline void sock_tuple(const struct sock *sk, struct w5_addr *local,
				       struct w5_addr *remote, __u16 *lport, __u16 *rport)
{
	const struct inet_sock *inet = (const struct inet_sock *)sk;

	if (sk->__sk_common.skc_family == AF_INET) {
		addr_v4(local, sk->__sk_common.skc_rcv_saddr);
		addr_v4(remote, sk->__sk_common.skc_daddr);
	} else {
		bpf_core_read(local, sizeof(*local), &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(remote, sizeof(*remote), &sk->__sk_common.skc_v6_daddr);
	}
	*rport = bpf_ntohs(sk->__sk_common.skc_dport);
	*lport = sk->__sk_common.skc_num;
	if (!*lport)
		*lport = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
}

/*
 * True if the running task holds this socket's lock: then it, and no interrupt that
 * happened to come while it ran, is at work on the socket (softirq work on an owned
 * socket waits in the backlog).
 */
static __always_inline bool sock_owned(const struct sock *sk)
{
	return sk->sk_lock.owned;
}

#endif
