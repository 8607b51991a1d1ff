// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Packets of the watched cgroups' sockets, from the IP header up: message heads,
 * the turns of each conn, RST and FIN with their TTL, the flight recorder.
 * Never drops anything: both programs always return 1.
 *
 * This is the path every packet pays. A pure ACK leaves after the header parse, a
 * conn that is not a gateway's after one storage look-up.
 */
#include "control.h"
#include "dns.h"
#include "down.h"
#include "frames.h"
#include "notice.h"
#include "up.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* May this packet begin a message that down.h or up.h reads into head[] or resp[]? */
static __always_inline bool reads_payload(const struct w5_leg *l, const struct seg *s, bool out)
{
	bool is_open = l->phase == W5_PHASE_REQUEST;

	if (!s->payload || (l->flags & W5_F_UPGRADE) || w5_leg_veiled(l))
		return false;
	if (l->role == W5_ROLE_DOWNSTREAM)
		return !out && !is_open;
	return out != is_open;
}

static __always_inline void received(struct __sk_buff *skb, struct bpf_sock *sk, struct conn *c,
				     struct w5_packet *slot, const struct seg *s, __u64 now)
{
	struct tcp_sock *tp;

	if (s->payload && c->leg.role == W5_ROLE_DOWNSTREAM)
		down_in(skb, c, slot, s, now);
	if (s->flags & W5_TCP_SYN)
		syn_in(skb, c, s);
	if (c->leg.role == W5_ROLE_DOWNSTREAM && !(s->flags & (W5_TCP_FIN | W5_TCP_RST)))
		return;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return;
	if (s->payload && c->leg.role == W5_ROLE_UPSTREAM)
		up_in(skb, c, slot, s, tp, now);
	if (s->flags & W5_TCP_RST)
		rst_in(c, s, tp, now);
	else if (s->flags & W5_TCP_FIN)
		fin_in(c, s, tp, now);
}

static __always_inline int on_packet(struct __sk_buff *skb, bool out)
{
	struct bpf_sock *sk = skb->sk;
	struct w5_packet *slot;
	struct conn *c;
	struct seg s;
	__u64 now;

	if (!sk)
		return 1;
	if (!parse(skb, &s)) {
		dns_packet(skb, out);
		return 1;
	}
	if (!s.payload && !(s.flags & (W5_TCP_SYN | W5_TCP_FIN | W5_TCP_RST)))
		return 1; /* a pure ACK */
	c = bpf_sk_storage_get(&conns, sk, NULL, 0);
	if (!c) {
		if (!out && sk->state == BPF_TCP_LISTEN) {
			note_full(skb, sk, &s);
			if (s.payload)
				stash_first(skb, &s);
			return 1;
		}
		c = notice(skb, sk, &s, out);
	}
	if (!c || (c->dead && !wakes(skb, c, &s, out)))
		return 1;
	c->watched = 1;
	now = packet_time(skb, out);
	slot = keep_packet(skb, c, &s, out, reads_payload(&c->leg, &s, out), now);
	if (!out && s.payload && c->leg.proto == W5_PROTO_H2)
		h2_packet(skb, sk, c, &s, false, now);
	if (!out) {
		received(skb, sk, c, slot, &s, now);
		return 1;
	}
	if (s.flags & W5_TCP_SYN) {
		if (c->leg.syn_sent++)
			syn_again(&c->leg);
		c->leg.lport = bpf_ntohs(s.sport);
	}
	if (s.payload) {
		if (c->leg.role == W5_ROLE_DOWNSTREAM)
			down_out(skb, sk, c, slot, &s, now);
		else
			up_out(skb, sk, c, slot, &s, now);
		if (c->leg.proto == W5_PROTO_H2)
			h2_packet(skb, sk, c, &s, true, now);
	}
	if ((s.flags & W5_TCP_FIN) && !c->leg.fin_out_ns)
		c->leg.fin_out_ns = now;
	if ((s.flags & W5_TCP_RST) && !c->leg.rst_out_ns)
		c->leg.rst_out_ns = now;
	return 1;
}

SEC("cgroup_skb/ingress")
int packet_in(struct __sk_buff *skb)
{
	return on_packet(skb, false);
}

SEC("cgroup_skb/egress")
int packet_out(struct __sk_buff *skb)
{
	return on_packet(skb, true);
}
