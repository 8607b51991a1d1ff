/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a backend sends on a conn that its gateway has closed: it meets no socket, but a reset. */
#ifndef BPF_LATE_H
#define BPF_LATE_H

#include "ring.h"
#include "sock.h"
#include "w5_http1.h"

/* A segment that gets a reset, read from its headers: IPv4 or IPv6, as at a TCP socket. */
struct refused {
	struct pair_key pair;
	__u32 bytes;
	__u8 start[W5_HTTP1_PEEK];
};

static __always_inline bool read_refused(const struct sk_buff *skb, struct refused *r)
{
	void *ip = (void *)BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header), *th;
	__u8 h[40] = {}, t[16] = {};
	__u32 off, len;

	if (bpf_probe_read_kernel(h, 20, ip))
		return false;
	if (h[0] >> 4 == 4) {
		__be32 from, to;

		__builtin_memcpy(&from, h + 12, 4);
		__builtin_memcpy(&to, h + 16, 4);
		addr_v4(&r->pair.from, from);
		addr_v4(&r->pair.to, to);
		off = (h[0] & 15) * 4;
		len = h[2] << 8 | h[3];
	} else {
		bpf_probe_read_kernel(h, 40, ip);
		__builtin_memcpy(&r->pair.from, h + 8, 16);
		__builtin_memcpy(&r->pair.to, h + 24, 16);
		off = 40;
		len = 40 + (h[4] << 8 | h[5]);
	}
	th = ip + off;
	if (bpf_probe_read_kernel(t, sizeof(t), th))
		return false;
	r->pair.sport = t[0] << 8 | t[1];
	r->pair.dport = t[2] << 8 | t[3];
	off += (t[12] >> 4) * 4;
	r->bytes = len > off ? len - off : 0;
	/* Payload in page fragments is out of reach here. */
	if (r->bytes >= W5_HTTP1_PEEK && !BPF_CORE_READ(skb, data_len))
		bpf_probe_read_kernel(r->start, W5_HTTP1_PEEK, ip + off);
	return r->bytes != 0;
}

/* The answer the gateway had given up. Resets are few: nobody else pays for this. */
static __always_inline void late_answer(const struct sk_buff *skb)
{
	struct refused refused = {};
	struct w5_late r = {};
	struct given_up *v;

	if (!read_refused(skb, &refused))
		return;
	v = bpf_map_lookup_elem(&gave_up, &refused.pair);
	if (!v)
		return;
	r.h.ts_ns = bpf_ktime_get_ns();
	r.h.cookie = v->cookie;
	r.h.type = W5_REC_LATE;
	r.h.size = sizeof(r);
	r.local = refused.pair.to;
	r.remote = refused.pair.from;
	r.lport = refused.pair.dport;
	r.rport = refused.pair.sport;
	r.netns = v->netns;
	r.req_ns = v->req_ns;
	r.req_last_ns = v->req_last_ns;
	r.closed_ns = v->closed_ns;
	r.bytes = refused.bytes;
	r.status = w5_http1_status(refused.start);
	if (bpf_map_delete_elem(&gave_up, &refused.pair))
		return; /* somebody else has told it */
	if (bpf_ringbuf_output(&ring, &r, sizeof(r), 0))
		lose(RING_BULK);
}

#endif
