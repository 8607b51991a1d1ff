// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * connect() as it begins: where a gateway wants to go. When the routing table or a rule of the
 * host stops it, the socket changes no state and no packet leaves; its end (tcp.bpf.c) then finds
 * the address here. Runs once per connect() of the watched cgroups. Never forbids anything: both
 * programs always return 1.
 */
#include "conn.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline void ask(struct bpf_sock_addr *ctx, const struct w5_addr *to)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tgid = id >> 32;
	struct bpf_sock *sk = ctx->sk;
	struct conn *c;

	if (ctx->protocol != IPPROTO_TCP || !sk || tgid == cfg.self_tgid ||
	    ctx->user_port == bpf_htons(W5_DNS_PORT) || !bpf_map_lookup_elem(&procs, &tgid))
		return;
	c = bpf_sk_storage_get(&conns, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!c) {
		lose(MAP_FULL);
		return;
	}
	if (c->leg.h.cookie)
		conn_again(c);
	c->intends = 1;
	c->leg.role = W5_ROLE_UPSTREAM;
	c->leg.phase = W5_PHASE_CONNECT;
	c->leg.open_ns = bpf_ktime_get_ns();
	c->leg.remote = *to;
	c->leg.rport = bpf_ntohs(ctx->user_port);
	c->leg.tgid = tgid;
	c->leg.tid = id;
	c->leg.flags = W5_F_TID_EXACT;
}

SEC("cgroup/connect4")
int connect_v4(struct bpf_sock_addr *ctx)
{
	struct w5_addr to;

	addr_v4(&to, ctx->user_ip4);
	ask(ctx, &to);
	return 1;
}

SEC("cgroup/connect6")
int connect_v6(struct bpf_sock_addr *ctx)
{
	__u32 word[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };
	struct w5_addr to;

	__builtin_memcpy(&to, word, sizeof(to));
	ask(ctx, &to);
	return 1;
}
