/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Next hops that cannot be resolved (ARP, ND): noted, and looked up when a connect fails.
 */
#ifndef BPF_NEIGH_H
#define BPF_NEIGH_H

#include "conn.h"

#define NUD_FAILED 0x20			  /* include/uapi/linux/neighbour.h */
#define RECENT_NS  (100 * 1000 * 1000ull) /* from a failed neighbour to its sockets: softirq time */

/* The address the next packet to this peer is sent to on the link. */
static __always_inline void next_hop(const struct sock *sk, struct w5_addr *a)
{
	struct dst_entry *dst = sk->sk_dst_cache;

	if (sk->__sk_common.skc_family == AF_INET) {
		struct rtable *rt = (struct rtable *)dst;

		if (dst && BPF_CORE_READ(rt, rt_gw_family) == AF_INET)
			addr_v4(a, BPF_CORE_READ(rt, rt_gw4));
		else
			addr_v4(a, sk->__sk_common.skc_daddr);
		return;
	}
	bpf_core_read(a, sizeof(*a), &sk->__sk_common.skc_v6_daddr);
	if (dst) {
		struct rt6_info *rt6 = (struct rt6_info *)dst;
		struct w5_addr gw;

		bpf_core_read(&gw, sizeof(gw), &rt6->rt6i_gateway);
		if (*(__u64 *)gw.ip || *(__u64 *)(gw.ip + 8))
			*a = gw;
	}
}

static __always_inline void note_neighbour(struct conn *c, const struct sock *sk, __u64 now)
{
	struct neigh_key key = { .netns = c->leg.netns };
	__u64 *when;

	next_hop(sk, &key.ip);
	when = bpf_map_lookup_elem(&neigh_failed, &key);
	/* Just now, or at some time since this connect began: then no SYN has left. */
	if (when && (now - *when < RECENT_NS || *when > c->leg.open_ns))
		c->leg.flags |= W5_F_LOCAL_UNREACH;
}

/* The neighbour's timer has run out. */
static __always_inline void on_neighbour(const struct neighbour *n)
{
	struct neigh_key key = {};
	__u64 now;

	if (!(n->nud_state & NUD_FAILED))
		return;
	key.netns = n->dev->nd_net.net->ns.inum;
	if (n->tbl->key_len == 4) {
		__be32 ip = 0;

		bpf_probe_read_kernel(&ip, sizeof(ip), n->primary_key);
		addr_v4(&key.ip, ip);
	} else if (n->tbl->key_len == 16) {
		bpf_probe_read_kernel(&key.ip, sizeof(key.ip), n->primary_key);
	} else {
		return;
	}
	now = bpf_ktime_get_ns();
	bpf_map_update_elem(&neigh_failed, &key, &now, BPF_ANY);
}

#endif
