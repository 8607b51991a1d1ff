// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * TCP's life: connects and how they fail, the gateway's own closes, retransmits,
 * socket errors, resets and their reasons, and the thread behind each conn.
 * Everything hangs on the socket; `current` counts only where noted.
 */
#include "dns.h"
#include "goregs.h"
#include "local.h"
#include "tie.h"
#include "w5_http1.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define SO_EE_ORIGIN_ICMP  2 /* include/uapi/linux/errqueue.h */
#define SO_EE_ORIGIN_ICMP6 3
#define NUD_FAILED	   0x20			  /* include/uapi/linux/neighbour.h */
#define RECENT_NS	   (100 * 1000 * 1000ull) /* from a failed neighbour to its sockets: softirq time */

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

SEC("tp_btf/neigh_timer_handler")
int BPF_PROG(neighbour_timer, struct neighbour *n, int err)
{
	struct neigh_key key = {};
	__u64 now;

	if (!(n->nud_state & NUD_FAILED))
		return 0;
	key.netns = n->dev->nd_net.net->ns.inum;
	if (n->tbl->key_len == 4) {
		__be32 ip = 0;

		bpf_probe_read_kernel(&ip, sizeof(ip), n->primary_key);
		addr_v4(&key.ip, ip);
	} else if (n->tbl->key_len == 16) {
		bpf_probe_read_kernel(&key.ip, sizeof(key.ip), n->primary_key);
	} else {
		return 0;
	}
	now = bpf_ktime_get_ns();
	bpf_map_update_elem(&neigh_failed, &key, &now, BPF_ANY);
	return 0;
}

static __always_inline struct conn *conn_of(const struct sock *sk)
{
	return bpf_sk_storage_get(&conns, (void *)sk, NULL, 0);
}

/*
 * HAProxy sets TCP_QUICKACK to 0 before it connects where it has nothing to send: for its TCP
 * health checks (since 2.2), and nothing else but with tcp-smart-connect. Then its connects look
 * like checks, and are not told apart.
 */
static __always_inline bool is_health_check(const struct sock *sk)
{
	const struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);

	return tp && tp->inet_conn.icsk_ack.pingpong;
}

/* connect(): runs in the connecting thread, before a port is chosen or a packet sent. */
static __always_inline void on_connect(const struct sock *sk)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct w5_proc *p = proc_current(t, sk);
	struct conn *c;
	__u64 now;

	if (!p || t->tgid == (int)cfg.self_tgid)
		return;
	if (sk->__sk_common.skc_dport == bpf_htons(W5_DNS_PORT))
		return; /* a question for a name, no request */
	proc_connects(p, sk, t);
	c = bpf_sk_storage_get(&conns, (void *)sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!c) {
		lose(MAP_FULL);
		return;
	}
	if (c->leg.h.cookie)
		conn_again(c);
	c->intends = 0;
	now = bpf_ktime_get_ns();
	conn_init(c, sk, bpf_get_socket_cookie((void *)sk), W5_ROLE_UPSTREAM);
	c->leg.phase = W5_PHASE_CONNECT;
	c->leg.open_ns = now;
	conn_queues(c, p);
	c->aside = c->queues && is_health_check(sk);
	conn_owner(c, t, now);
}

static __always_inline void on_established(const struct sock *sk)
{
	struct conn *c = conn_of(sk);
	struct peer_key key = {};

	if (!c || c->leg.phase != W5_PHASE_CONNECT)
		return;
	c->leg.estab_ns = bpf_ktime_get_ns();
	c->leg.phase = W5_PHASE_IDLE;
	conn_tuple(c, sk);
	key.ip = c->leg.remote;
	key.netns = c->leg.netns;
	key.port = c->leg.rport;
	bpf_map_update_elem(&established, &key, &c->leg.estab_ns, BPF_ANY);
}

/*
 * An accepted conn is there. Most get state when their first request shows up; one whose
 * request came with the handshake's last segment has had that segment seen on the listener.
 */
static __always_inline void on_accepted(const struct sock *sk)
{
	__u32 zero = 0, n;
	struct stash *st = bpf_map_lookup_elem(&stashes, &zero);
	struct w5_leg *l;
	struct conn *c;

	if (!st || !st->payload)
		return;
	if (st->sport != sk->__sk_common.skc_dport ||
	    bpf_ntohs(st->dport) != sk->__sk_common.skc_num) {
		st->payload = 0;
		return;
	}
	c = bpf_sk_storage_get(&conns, (void *)sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!c) {
		lose(MAP_FULL);
		return;
	}
	conn_init(c, sk, bpf_get_socket_cookie((void *)sk), W5_ROLE_DOWNSTREAM);
	l = &c->leg;
	l->phase = W5_PHASE_REQUEST;
	l->proto = W5_PROTO_HTTP1;
	l->open_ns = l->estab_ns = l->req_ns = l->req_last_ns = l->last_ns = st->ts_ns;
	l->nr = 1;
	l->req_bytes = st->payload;
	c->req_seq = st->seq;
	n = st->len;
	if (n > W5_HEAD_REQ)
		n = W5_HEAD_REQ;
	l->head_len = n;
	if (st->payload > W5_HEAD_REQ)
		l->flags |= W5_F_REQ_CUT;
	bpf_probe_read_kernel(l->head, W5_HEAD_REQ, st->head);
	st->payload = 0;
	if (l->head[0] >= 'A' && l->head[0] <= 'Z' && !w5_http1_is_h2_preface(l->head))
		return;
	l->phase = W5_PHASE_IDLE;
	l->nr = 0;
	l->req_ns = l->req_last_ns = 0;
	l->req_bytes = 0;
	l->head_len = 0;
	l->flags = 0;
	l->proto = W5_PROTO_TLS;
	if (w5_http1_is_h2_preface(l->head)) {
		l->proto = W5_PROTO_H2;
		l->flags = W5_F_OLDER; /* these bytes are not followed: no more is known of it */
	} else if (!w5_is_client_hello(l->head)) {
		c->dead = 1; /* no HTTP at all */
	}
}

/* A client that closes its sending side may still wait for an answer. */
static __always_inline bool down_may_wait(const struct w5_leg *l)
{
	return l->phase == W5_PHASE_REQUEST || leg_veiled(l);
}

/* The gateway closes its side, in the closing thread's context. */
static __always_inline void on_local_close(struct conn *c, const struct sock *sk, __u8 end)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);
	__u64 now = bpf_ktime_get_ns();

	if (c->leg.role == W5_ROLE_DOWNSTREAM && down_may_wait(&c->leg))
		conn_owner(c, t, now);
	if (!(c->ended & ENDED_LOCAL)) {
		c->ended |= ENDED_LOCAL;
		trail_visit(c, t, now);
	}
	if (c->leg.role == W5_ROLE_DOWNSTREAM && down_may_wait(&c->leg) &&
	    (c->leg.fin_in_ns || c->leg.alert_in) && !down_was_left(&c->leg))
		end = W5_END_FIN_IN; /* the client was the first to leave */
	if (!end_once(c, end, now))
		return;
	if (tp)
		conn_facts(c, tp);
	emit_end(c, now);
}

/* The socket is closed by the kernel: reset by the peer, or given up. */
static __always_inline void on_closed(struct conn *c, const struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);
	__u64 now = bpf_ktime_get_ns();
	__u8 end = W5_END_RST_OUT;

	if (c->leg.phase == W5_PHASE_CONNECT) {
		end = W5_END_CONNECT;
		conn_tuple(c, sk);
	} else if (c->leg.rst_in_ns && down_was_left(&c->leg)) {
		end = W5_END_FIN_OUT;
	} else if (c->leg.rst_in_ns) {
		end = W5_END_RST_IN;
	} else if (sk->sk_err) {
		end = W5_END_SK_ERR;
	} else if (sk->sk_lock.owned) {
		/* close() with unread data or SO_LINGER 0: the process aborts the conn */
		on_local_close(c, sk, W5_END_RST_OUT);
		return;
	}
	if (!end_once(c, end, now))
		return;
	if (end == W5_END_CONNECT && sk->sk_lock.owned && !sk->sk_err)
		trail_visit(c, bpf_get_current_task_btf(), now); /* the gateway gave up */
	if (tp)
		conn_facts(c, tp);
	if (end == W5_END_CONNECT && !c->leg.rst_in_ns)
		note_neighbour(c, sk, now);
	emit_end(c, now);
}

static __always_inline void on_peer_closed(struct conn *c, const struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);
	__u64 now = bpf_ktime_get_ns();

	/* Reported from the packet already, but for a FIN that came ahead of lost data. */
	if (c->leg.role == W5_ROLE_DOWNSTREAM && down_may_wait(&c->leg))
		return;
	if (!c->leg.fin_in_ns)
		c->leg.fin_in_ns = now;
	if (!end_once(c, W5_END_FIN_IN, now))
		return;
	if (tp)
		conn_facts(c, tp);
	emit_end(c, now);
}

static __always_inline void on_listen(const struct sock *sk)
{
	struct task_struct *t = bpf_get_current_task_btf();
	__u32 tgid = t->tgid, ppid = t->real_parent->tgid;
	struct w5_proc new = { .flags = W5_PROC_CANDIDATE, .group = tgid };
	struct w5_proc *parent = bpf_map_lookup_elem(&procs, &ppid);

	if (parent)
		new.group = parent->group;
	bpf_map_update_elem(&procs, &tgid, &new, BPF_NOEXIST);
	tell_process(sk, t, sk->__sk_common.skc_num);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(set_state, const struct sock *sk, int old, int new)
{
	struct conn *c;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (new == TCP_SYN_SENT) {
		on_connect(sk);
		return 0;
	}
	if (new == TCP_ESTABLISHED) {
		if (old == TCP_SYN_RECV)
			on_accepted(sk);
		else
			on_established(sk);
		return 0;
	}
	if (new == TCP_LISTEN) {
		on_listen(sk);
		return 0;
	}
	if (old == TCP_LISTEN || new == TCP_SYN_RECV)
		return 0;
	c = conn_of(sk);
	note_killed(c, sk, old);
	if (!c || c->dead || c->intends)
		return 0;
	switch (new) {
	case TCP_FIN_WAIT1:
	case TCP_LAST_ACK: on_local_close(c, sk, W5_END_FIN_OUT); break;
	case TCP_CLOSE_WAIT: on_peer_closed(c, sk); break;
	case TCP_CLOSE: on_closed(c, sk); break;
	}
	return 0;
}

/* A socket already closed by the peer's RST or a failed connect is let go by its thread:
 * the moment the gateway turns from it to its next step. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(destroy_sock, struct sock *sk)
{
	struct conn *c = conn_of(sk);

	if (!c) {
		note_unused(sk);
		return 0;
	}
	if (c->dead)
		return 0;
	if (c->intends) {
		on_unsent(c, sk);
		return 0;
	}
	if (c->tls_object) {
		struct w5_tls_key key = { .object = c->tls_object, .tgid = c->tls_tgid };
		struct text_stream *ts = bpf_map_lookup_elem(&texts, &key);

		if (ts && ts->cookie == c->leg.h.cookie)
			bpf_map_delete_elem(&texts, &key);
	}
	if (!(c->ended & ENDED_LOCAL))
		trail_visit(c, bpf_get_current_task_btf(), bpf_ktime_get_ns());
	return 0;
}

/* The TLS object whose call reads this socket: of the thread, or of its goroutine. */
static __always_inline __u64 tls_object_now(const struct task_struct *t, const struct w5_trail *tr)
{
	struct w5_call_key key = { .tgid = t->tgid, .kind = W5_CALL_GO };
	__u64 object = tls_object_of(t, tr);
	const struct w5_proc *p;
	const struct call *call;
	struct pt_regs *regs;

	if (object || !go_probed ||
	    !bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return object;
	p = bpf_map_lookup_elem(&procs, &key.tgid);
	if (!p || !(p->flags & W5_PROC_GO))
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs((struct task_struct *)t);
	key.who = GO_G(regs);
	call = bpf_map_lookup_elem(&calls, &key);
	return call ? call->object : 0;
}

/* Of what the thread has read now, which are requests that no one has read before? */
static __always_inline void read_requests(struct conn *c, const struct task_struct *t)
{
	if (c->leg.role != W5_ROLE_DOWNSTREAM)
		return;
	if (c->leg.proto == W5_PROTO_HTTP1 && c->leg.phase == W5_PHASE_REQUEST && !c->asked) {
		c->asked = 1;
		trail_asked(t, c->leg.h.cookie, 0, c->leg.last_ns);
	}
	for (int i = 0; i < W5_ASKED && c->text.heads; i++) {
		c->text.heads--;
		trail_asked(t, c->leg.h.cookie, 0, c->leg.last_ns);
	}
}

/* A thread has read from the socket (fires in tcp_recvmsg, in its context). */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(socket_read, struct sock *sk)
{
	struct task_struct *t;
	struct conn *c;

	/* Every read of every TCP socket of the host comes by here: nearly all leave at once. */
	if (!sk->sk_bpf_storage)
		return 0;
	c = conn_of(sk);
	if (!c || c->dead)
		return 0;
	t = bpf_get_current_task_btf();
	if (c->leg.role == W5_ROLE_DOWNSTREAM) {
		c->leg.tgid = t->tgid;
		c->leg.tid = t->pid;
	}
	trail_visit(c, t, c->leg.last_ns);
	read_requests(c, t);
	if (c->watched && (c->leg.proto == W5_PROTO_TLS || c->leg.proto == W5_PROTO_NONE) &&
	    !is_tied(c, t))
		tie(c, t, tls_object_now(t, trail_of(t)), c->leg.last_ns);
	return 0;
}

static __always_inline int on_retransmit(const struct sock *sk, int err)
{
	struct conn *c = conn_of(sk);
	struct tcp_sock *tp;

	if (!c)
		return 0;
	if (err == -16 /* EBUSY: the first copy has not left this host */)
		c->leg.busy++;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (tp && tp->inet_conn.icsk_backoff > c->leg.rto_count)
		c->leg.rto_count = tp->inet_conn.icsk_backoff;
	return 0;
}

/* Two arguments until 6.15. Remove when the oldest supported kernel has three. */
SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(retransmit, const struct sock *sk, const struct sk_buff *skb)
{
	return on_retransmit(sk, 0);
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(retransmit_err, const struct sock *sk, const struct sk_buff *skb, int err)
{
	return on_retransmit(sk, err);
}

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

/* The kernel refused or aborted on the gateway's behalf, with its reason (6.10+). */
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(send_reset_reason, const struct sock *sk, const struct sk_buff *skb, int reason)
{
	struct conn *c = sk ? conn_of(sk) : NULL;

	if (c)
		c->leg.reason = reason;
	else if (skb)
		late_answer(skb);
	return 0;
}

/*
 * The ICMP message at the end of the socket's error queue: its errno, type, code and who
 * sent it. While connect() holds the socket, the kernel reports before it stores any error,
 * and the application's SO_ERROR takes it away: the queue is the one lasting witness.
 */
static __always_inline int icmp_error(struct conn *c, const struct sock *sk)
{
	struct sk_buff *skb = (struct sk_buff *)sk->sk_error_queue.prev;
	struct sock_exterr_skb *e;
	struct w5_leg *l = &c->leg;
	void *ip;
	__u8 origin;

	if (!sk->sk_error_queue.qlen)
		return 0;
	e = (void *)skb + bpf_core_field_offset(struct sk_buff, cb);
	origin = BPF_CORE_READ(e, ee.ee_origin);
	ip = (void *)BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header);
	if (origin == SO_EE_ORIGIN_ICMP) {
		__be32 from = 0;

		bpf_probe_read_kernel(&from, sizeof(from), ip + 12);
		addr_v4(&l->icmp_from, from);
	} else if (origin == SO_EE_ORIGIN_ICMP6) {
		bpf_probe_read_kernel(&l->icmp_from, sizeof(l->icmp_from), ip + 8);
	} else {
		return 0;
	}
	l->icmp_type = BPF_CORE_READ(e, ee.ee_type);
	l->icmp_code = BPF_CORE_READ(e, ee.ee_code);
	sock_tuple(sk, &l->local, &l->remote, &l->lport, &l->rport);
	if (addr_equal(&l->icmp_from, &l->local))
		l->flags |= W5_F_LOCAL_UNREACH;
	return BPF_CORE_READ(e, ee.ee_errno);
}

/* Keeps the error that an application's SO_ERROR would take away. */
SEC("tp_btf/inet_sk_error_report")
int BPF_PROG(error_report, const struct sock *sk)
{
	struct conn *c;
	int err;

	if (sk->sk_protocol == IPPROTO_UDP) {
		dns_error(sk);
		return 0;
	}
	c = conn_of(sk);
	if (!c)
		return 0;
	err = icmp_error(c, sk);
	if (!err)
		err = sk->sk_err ?: sk->sk_err_soft;
	if (err)
		c->err_latched = err;
	return 0;
}
