// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * How many conns each gateway process has to each upstream, and what they do: an iterator over
 * the conns' own storage, read by user space about once a second. It writes a few bytes per
 * upstream conn and changes nothing.
 */
#include "conn.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define STREAMING_NS (100 * 1000 * 1000ull) /* a response whose bytes came so lately goes on */

static __always_inline __u8 state_of(const struct conn *c, const struct sock *sk, __u64 now)
{
	const struct w5_leg *l = &c->leg;

	switch (sk->__sk_common.skc_state) {
	case TCP_SYN_SENT: return W5_POOL_CONNECTING;
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT: break;
	default: return W5_POOL_NONE; /* closed, or about to be */
	}
	if (l->phase == W5_PHASE_REQUEST)
		return l->flags & W5_F_HANDSHAKE ? W5_POOL_CONNECTING : W5_POOL_WAITING;
	if (l->phase == W5_PHASE_RESPONSE && !(l->flags & W5_F_HANDSHAKE) &&
	    l->last_ns + STREAMING_NS > now)
		return W5_POOL_ANSWERING;
	return W5_POOL_IDLE;
}

SEC("iter/bpf_sk_storage_map")
int pool(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	const struct conn *c = ctx->value;
	struct sock *sk = ctx->sk;
	struct w5_pool_conn r = {};

	if (!c || !sk || c->leg.role != W5_ROLE_UPSTREAM || c->dead)
		return 0;
	r.state = state_of(c, sk, bpf_ktime_get_ns());
	if (r.state == W5_POOL_NONE)
		return 0;
	r.ip = c->leg.remote;
	r.port = c->leg.rport;
	r.tgid = c->leg.tgid;
	r.older = (c->leg.flags & W5_F_OLDER) && !c->texted && w5_leg_veiled(&c->leg);
	if (c->leg.phase == W5_PHASE_REQUEST)
		r.req_ns = c->leg.req_ns;
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
