/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is asked once in a conn's life, when something ends. Global functions: the verifier looks
 * at each once, not once for every way that leads to it.
 */
#ifndef BPF_ONCE_H
#define BPF_ONCE_H

#include "maps.h"
#include "w5_http1.h"

/* ---- did a response end before it was whole? ---- */

/* At the first byte of a header line; only these two headers have these letters there. */
static __always_inline bool is_length_line(const __u8 *p)
{
	return (p[0] | 0x20) == 'c' && p[7] == '-' && (p[8] | 0x20) == 'l' &&
	       (p[13] | 0x20) == 'h' && p[14] == ':';
}

static __always_inline bool is_coding_line(const __u8 *p)
{
	return (p[0] | 0x20) == 't' && p[8] == '-' && (p[9] | 0x20) == 'e' &&
	       (p[16] | 0x20) == 'g' && p[17] == ':';
}

#define LENGTH_LINE  15 /* bytes of "Content-Length:" */
#define LENGTH_TEXT  12 /* a blank, and the digits of any length that fits 32 bits */
#define LINES_WITHIN (W5_HEAD_RESP - LENGTH_LINE - LENGTH_TEXT - 1)

static __always_inline __u64 length_of(const __u8 *p)
{
	__u64 value = 0;

	for (int i = 0; i < LENGTH_TEXT; i++) {
		if (p[i] == ' ' && !i)
			continue;
		if (p[i] < '0' || p[i] > '9')
			break;
		value = value * 10 + (p[i] - '0');
	}
	return value;
}

/* The packets of one that did are worth keeping; what it means, user space works out
 * (engine/head.c). HEAD, 204 and 304 have no body. */
__weak __noinline int ends_short(const struct w5_leg *l)
{
	bool no_body, is_chunked = false;
	__u64 value = 0;
	__u32 end = 0;

	if (!l)
		return 0;
	for (__u32 i = 12; i < LINES_WITHIN; i++) {
		if (l->resp[i] != '\n')
			continue;
		if (i + 2 > l->resp_len)
			break;
		if (l->resp[i + 1] == '\r') {
			end = i + 3;
			break;
		}
		if (is_length_line(&l->resp[i + 1]))
			value = length_of(&l->resp[i + 1 + LENGTH_LINE]);
		else if (is_coding_line(&l->resp[i + 1]))
			is_chunked = true;
	}
	if (!end && l->resp_bytes <= l->resp_len)
		return 1; /* in the header */
	no_body = l->status == 204 || l->status == 304 || (l->head[0] == 'H' && l->head[1] == 'E');
	if (no_body)
		return 0;
	if (is_chunked)
		return !!(l->flags & W5_F_ENDS_OPEN);
	return l->resp_bytes < end + value;
}

/* Bytes of an interim response that is kept in resp[]; 0 = its end is not there. */
__weak __noinline int interim_size(const struct w5_leg *l)
{
	if (!l)
		return 0;
	for (int i = 12; i + 3 < W5_HEAD_RESP - W5_HTTP1_PEEK; i++)
		if (l->resp[i] == '\r' && l->resp[i + 1] == '\n' && l->resp[i + 2] == '\r' &&
		    l->resp[i + 3] == '\n')
			return i + 4;
	return 0;
}

/* ---- what else is known of the port that an attempt failed at ---- */

__weak __noinline int port_facts(struct w5_leg *l)
{
	struct pair_key pair = {};
	__u64 *when;

	if (!l)
		return 0;
	pair.from = l->local;
	pair.to = l->remote;
	pair.sport = l->lport;
	pair.dport = l->rport;
	when = bpf_map_lookup_elem(&queue_full, &pair);
	if (when && *when >= l->open_ns)
		l->flags |= W5_F_QUEUE_FULL;
	return 0;
}

/* A SYN once more: has the port let others in meanwhile? */
__weak __noinline int syn_again(struct w5_leg *l)
{
	struct peer_key peer = {};
	__u64 *when;

	if (!l || l->phase != W5_PHASE_CONNECT)
		return 0;
	peer.ip = l->remote;
	peer.netns = l->netns;
	peer.port = l->rport;
	when = bpf_map_lookup_elem(&established, &peer);
	l->estab_ns = when ? *when : 0;
	return 0;
}

/* ---- a turn that the gateway gave up, and its answer after all ---- */

__weak __noinline int note_given_up(const struct w5_leg *l)
{
	struct pair_key pair = {};
	struct given_up v = {};

	if (!l || l->role != W5_ROLE_UPSTREAM || l->phase != W5_PHASE_REQUEST ||
	    l->end != W5_END_FIN_OUT)
		return 0;
	pair.from = l->remote;
	pair.to = l->local;
	pair.sport = l->rport;
	pair.dport = l->lport;
	v.cookie = l->h.cookie;
	v.req_ns = l->req_ns;
	v.req_last_ns = l->req_last_ns;
	v.closed_ns = l->end_ns;
	v.netns = l->netns;
	bpf_map_update_elem(&gave_up, &pair, &v, BPF_ANY);
	return 0;
}

#endif
