/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is asked once in a conn's life, when something ends. Global functions: the verifier looks
 * at each once, not once for every way that leads to it.
 */
#ifndef BPF_ONCE_H
#define BPF_ONCE_H

#include "maps.h"
#include "w5_response.h"

/* Did a response end before it was whole? Then its packets are worth keeping. */
__weak __noinline int ends_short(const struct w5_leg *l)
{
	return l ? w5_ends_short(l) : 0;
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

	if (!l || l->role != W5_ROLE_UPSTREAM || l->end != W5_END_FIN_OUT ||
	    (l->phase != W5_PHASE_REQUEST && !(l->flags & W5_F_TEXT)))
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
