/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Names that gateways ask for: queries out, answers in, over UDP port 53. A packet that is not
 * TCP and has another port leaves after its header.
 *
 * A query's process is the current one: the egress hook is passed in the call that sends, before
 * neighbour and queue (only asynchronous IPsec comes from elsewhere; there the socket's cgroup is
 * most likely not that of whoever was interrupted). What comes in goes by the socket's storage.
 */
#ifndef BPF_DNS_H
#define BPF_DNS_H

#include "packet.h"

struct dgram {
	__u32 off;	   /* of the payload */
	__u16 near, far;   /* ports, network order: the gateway's, the other side's */
	struct w5_addr ip; /* the other side's */
};

static __always_inline bool parse_udp(struct __sk_buff *skb, bool out, struct dgram *d)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct udphdr *uh;
	__u32 off;

	if (skb->protocol == ETH_P_IP_BE) {
		struct iphdr *ip = data;

		if ((void *)(ip + 1) > end || ip->protocol != IPPROTO_UDP)
			return false;
		off = ip->ihl * 4;
		uh = data + off;
		if ((void *)(uh + 1) > end)
			return false;
		d->far = out ? uh->dest : uh->source;
		if (d->far != bpf_htons(W5_DNS_PORT))
			return false;
		addr_v4(&d->ip, out ? ip->daddr : ip->saddr);
	} else {
		struct ipv6hdr *ip6 = data;

		if (skb->protocol != ETH_P_IPV6_BE || (void *)(ip6 + 1) > end ||
		    ip6->nexthdr != IPPROTO_UDP)
			return false;
		off = sizeof(*ip6);
		uh = data + off;
		if ((void *)(uh + 1) > end)
			return false;
		d->far = out ? uh->dest : uh->source;
		if (d->far != bpf_htons(W5_DNS_PORT))
			return false;
		__builtin_memcpy(d->ip.ip, out ? &ip6->daddr : &ip6->saddr, 16);
	}
	d->near = out ? uh->source : uh->dest;
	d->off = off + sizeof(*uh);
	return true;
}

/* The gateway process that sends this packet, or NULL. */
static __always_inline struct task_struct *dns_asker(struct __sk_buff *skb)
{
	struct task_struct *t = bpf_get_current_task_btf();
	__u32 tgid = t->tgid, ppid = t->real_parent->tgid;
	const struct w5_proc *p = bpf_map_lookup_elem(&procs, &tgid);

	if (!p) /* a worker not seen at work yet */
		p = bpf_map_lookup_elem(&procs, &ppid);
	if (!p || !proc_is_gateway(p) || tgid == cfg.self_tgid ||
	    BPF_CORE_READ(t, cgroups, dfl_cgrp, kn, id) != bpf_skb_cgroup_id(skb))
		return NULL;
	return t;
}

static __always_inline struct w5_dns *dns_record(__u8 kind, __u64 cookie, const struct dns_sock *ds)
{
	struct w5_dns *r = NULL;

	if (bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) <= cfg.bulk_limit)
		r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		lose(RING_BULK);
		return NULL;
	}
	__builtin_memset(r, 0, sizeof(*r));
	r->h.ts_ns = bpf_ktime_get_ns();
	r->h.cookie = cookie;
	r->h.type = W5_REC_DNS;
	r->h.size = sizeof(*r);
	r->kind = kind;
	r->server = ds->server;
	r->lport = ds->lport;
	r->tgid = ds->tgid;
	r->tid = ds->tid;
	return r;
}

static __always_inline struct dns_sock *dns_query_sock(struct __sk_buff *skb, const struct dgram *d,
						       const struct task_struct *t)
{
	struct bpf_sock *sk = skb->sk;
	struct dns_sock *ds;

	if (!sk)
		return NULL;
	ds = bpf_sk_storage_get(&dns_socks, sk, NULL, t ? BPF_SK_STORAGE_GET_F_CREATE : 0);
	if (!ds) {
		if (t)
			lose(MAP_FULL);
		return NULL;
	}
	ds->server = d->ip;
	ds->lport = bpf_ntohs(d->near);
	ds->tgid = t ? t->tgid : ds->tgid;
	ds->tid = t ? t->pid : 0;
	return ds;
}

/* Not inlined: it lies beside the way every TCP packet goes. */
static __noinline int dns_packet(struct __sk_buff *skb, bool out)
{
	struct bpf_sock *sk = skb->sk;
	struct task_struct *t = NULL;
	struct dns_sock *ds;
	struct w5_dns *r;
	struct dgram d;
	__u32 n;

	if (!sk || !parse_udp(skb, out, &d) || skb->len <= d.off)
		return 0;
	if (out) {
		t = dns_asker(skb);
		ds = dns_query_sock(skb, &d, t);
	} else {
		ds = bpf_sk_storage_get(&dns_socks, sk, NULL, 0);
	}
	if (!ds)
		return 0;
	r = dns_record(out ? W5_DNS_QUERY : W5_DNS_ANSWER, bpf_get_socket_cookie(skb), ds);
	if (!r)
		return 0;
	r->server = d.ip;
	n = skb->len - d.off;
	r->total = n;
	if (n > W5_DNS_BYTES)
		n = W5_DNS_BYTES;
	r->len = n;
	load_some(skb, d.off, r->data, n, W5_DNS_BYTES);
	if (t)
		trail_hint(trail_of(t), t->pid, W5_ROLE_UPSTREAM, &r->hint_cookie, &r->hint_ns);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

/* ICMP in place of an answer: nothing listens there, or there is no way. */
static __always_inline void dns_error(const struct sock *sk)
{
	struct dns_sock *ds = bpf_sk_storage_get(&dns_socks, (void *)sk, NULL, 0);
	struct w5_dns *r;

	if (!ds || !sk->sk_err)
		return;
	r = dns_record(W5_DNS_ERROR, bpf_get_socket_cookie((void *)sk), ds);
	if (!r)
		return;
	r->err = sk->sk_err;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

#endif
