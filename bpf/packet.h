/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One packet as the cgroup hooks see it: its headers, the first bytes of its payload,
 * its place in the flight recorder. Knows nothing of conns' turns.
 */
#ifndef BPF_PACKET_H
#define BPF_PACKET_H

#include "conn.h"
#include "w5_http1.h"

#define ETH_P_IP_BE   bpf_htons(0x0800)
#define ETH_P_IPV6_BE bpf_htons(0x86dd)

struct seg {
	__u32 off;     /* of the payload */
	__u32 payload; /* bytes */
	__u32 seq, ack;
	__u16 win, ipid;
	__u16 sport, dport;   /* network order */
	__u8 flags, ttl, hdr; /* hdr: length of the IP header */
	__u8 pad;
};

/* Headers are in the linear part: the stack has pulled them (in) or just written them (out). */
static __always_inline bool parse(struct __sk_buff *skb, struct seg *s)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct tcphdr *th;
	__u32 off;

	if (skb->protocol == ETH_P_IP_BE) {
		struct iphdr *ip = data;

		if ((void *)(ip + 1) > end || ip->protocol != IPPROTO_TCP)
			return false;
		off = ip->ihl * 4;
		s->ttl = ip->ttl;
		s->ipid = bpf_ntohs(ip->id);
	} else if (skb->protocol == ETH_P_IPV6_BE) {
		struct ipv6hdr *ip6 = data;

		/* Extension headers before TCP do not occur on connections between hosts. */
		if ((void *)(ip6 + 1) > end || ip6->nexthdr != IPPROTO_TCP)
			return false;
		off = sizeof(*ip6);
		s->ttl = ip6->hop_limit;
		s->ipid = 0;
	} else {
		return false;
	}
	th = data + off;
	if ((void *)(th + 1) > end)
		return false;
	s->hdr = off;
	s->flags = ((__u8 *)th)[13];
	s->off = off + th->doff * 4;
	/* Not the IP length: it is 0 or cut in big GSO packets. */
	s->payload = skb->len > s->off ? skb->len - s->off : 0;
	s->seq = bpf_ntohl(th->seq);
	s->ack = bpf_ntohl(th->ack_seq);
	s->win = bpf_ntohs(th->window);
	s->sport = th->source;
	s->dport = th->dest;
	return true;
}

/* Egress packets carry the time TCP sent them (CLOCK_MONOTONIC, by pacing perhaps a little
 * ahead); reading the clock costs as much as all the rest of a small packet. */
static __always_inline __u64 packet_time(struct __sk_buff *skb, bool out)
{
	__u64 t = out ? skb->tstamp : 0;

	return t ? t : bpf_ktime_get_ns();
}

/* As a 64-bit product: of a 32-bit one the verifier of 6.1 forgets what bounds it. */
static __always_inline __u64 times(__u64 a, __u64 b)
{
	asm("%0 *= %1" : "+r"(a) : "r"(b));
	return a;
}

/*
 * The flight recorder's slot for this packet; NULL if it is off. Reaching into the payload
 * is what costs (page fragments): where the caller reads it anyway, only the headers are
 * copied here and keep_payload() adds the rest from what was read.
 */
static __always_inline struct w5_packet *keep_packet(struct __sk_buff *skb, struct conn *c,
						     const struct seg *s, bool out,
						     bool headers_only, __u64 now)
{
	struct w5_packet *p;
	__u32 n = skb->len, slot = c->slot;

	if (!cfg.slots)
		return NULL;
	if (slot >= cfg.slots)
		slot = 0;
	c->slot = slot + 1;
	c->packets++;
	/* The numbers are constants to the verifier: it knows that this stays inside. */
	p = (void *)conn_flight(c)->pkt + times(slot, cfg.slot_stride);
	p->ts_ns = now;
	p->len = n;
	p->out = out;
	if (headers_only && cfg.slot_bytes == W5_PKT_BYTES)
		n = s->off;
	if (n > cfg.slot_bytes)
		n = cfg.slot_bytes;
	if (n < 20)
		return p;
	p->cap = n;
	bpf_skb_load_bytes(skb, 0, p->data, n);
	return p;
}

/*
 * Copies n bytes, 1 <= n <= size, a power of two. Verifiers before 6.8 learn nothing from
 * "if (n)", so that the lower bound has to come from arithmetic: (n - 1) masked, plus one.
 * Remove when the oldest supported kernel is >= 6.8.
 */
static __always_inline void load_some(struct __sk_buff *skb, __u32 off, void *dst, __u32 n,
				      __u32 size)
{
	n--;
	asm volatile("" : "+r"(n)); /* or clang, knowing that n fits, leaves the mask out */
	bpf_skb_load_bytes(skb, off, dst, (n & (size - 1)) + 1);
}

static __always_inline void peek(struct __sk_buff *skb, const struct seg *s, __u8 p[W5_HTTP1_PEEK])
{
	if (s->payload >= W5_HTTP1_PEEK) {
		bpf_skb_load_bytes(skb, s->off, p, W5_HTTP1_PEEK);
		return;
	}
	__builtin_memset(p, 0, W5_HTTP1_PEEK);
	if (s->payload)
		load_some(skb, s->off, p, s->payload, W5_HTTP1_PEEK);
}

/* The last bytes of a response are kept as they come, see struct conn. A segment ahead of a lost
 * one counts; the lost one, when it comes, does not. */
static __always_inline void keep_tail(struct __sk_buff *skb, struct conn *c, const struct seg *s)
{
	__u32 end = s->seq + s->payload, be = 0;
	__u8 byte;

	if (c->leg.resp_bytes && (__s32)(end - c->tail_seq) <= 0)
		return;
	c->tail_seq = end;
	if (s->payload >= 4) {
		bpf_skb_load_bytes(skb, s->off + s->payload - 4, &be, 4);
		c->tail = bpf_ntohl(be);
		return;
	}
#pragma unroll
	for (__u32 i = 0; i < 3; i++) {
		if (i < s->payload && !bpf_skb_load_bytes(skb, s->off + i, &byte, 1))
			c->tail = c->tail << 8 | byte;
	}
}

static __always_inline void copy_words(__u8 *dst, const __u8 *src, __u32 n)
{
#pragma unroll
	for (__u32 i = 0; i < n; i += 4)
		*(__u32 *)(dst + i) = *(const __u32 *)(src + i);
}

/* payload: its first bytes, at least 72 readable. Room is for 72 behind IPv4's usual 52
 * bytes of headers, for 56 behind IPv6's 72. */
static __always_inline void keep_payload(struct w5_packet *slot, const struct seg *s,
					 const __u8 *payload)
{
	__u32 off = s->off, n = s->payload;

	/* Of other sizes keep_packet() has taken all. */
	if (!slot || cfg.slot_bytes != W5_PKT_BYTES)
		return;
	asm volatile("" : "+r"(off)); /* as in peek_slot() */
	if (off <= W5_PKT_BYTES - 72) {
		copy_words(slot->data + off, payload, 72);
		slot->cap = off + (n < 72 ? n : 72);
	} else if (off <= W5_PKT_BYTES - 56) {
		copy_words(slot->data + off, payload, 56);
		slot->cap = off + (n < 56 ? n : 56);
	}
}

/* Where the payload starts in the slot, if at least a peek's worth of it is there. */
static __always_inline const __u8 *peek_slot(const struct w5_packet *slot, const struct seg *s)
{
	__u32 off = s->off;

	if (!slot || s->payload < W5_HTTP1_PEEK)
		return NULL;
	/* Verifiers before 6.3 bound the register that was tested, not the spilled copy the
	 * address would otherwise be made from. */
	asm volatile("" : "+r"(off));
	if (off > cfg.slot_bytes - W5_HTTP1_PEEK)
		return NULL;
	return slot->data + off;
}

/* Reads the payload's start as a request head would be: if it is one, it is in place. */
static __always_inline bool starts_request(struct __sk_buff *skb, struct conn *c,
					   struct w5_packet *slot, const struct seg *s)
{
	struct w5_leg *l = &c->leg;
	__u32 n = s->payload;
	__u8 p[W5_HTTP1_PEEK];

	/* The rest of an upload whose answer came early must not take its head's place. */
	if (l->phase == W5_PHASE_RESPONSE && l->req_bytes > W5_HEAD_REQ) {
		peek(skb, s, p);
		if (!w5_http1_is_request(p))
			return false;
	}
	if (n > W5_HEAD_REQ)
		n = W5_HEAD_REQ;
	if (n < W5_HTTP1_PEEK)
		__builtin_memset(l->head, 0, W5_HTTP1_PEEK);
	load_some(skb, s->off, l->head, n, W5_HEAD_REQ);
	keep_payload(slot, s, l->head);
	if (!w5_http1_is_request(l->head)) {
		l->head_len = 0;
		return false;
	}
	return true;
}

#endif
