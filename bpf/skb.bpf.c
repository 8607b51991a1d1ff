// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Packets of the watched cgroups' sockets, from the IP header up: message heads,
 * the turns of each conn, RST and FIN with their TTL, the flight recorder.
 * Never drops anything: both programs always return 1.
 *
 * This is the path every packet pays. A pure ACK leaves after the header parse, a
 * conn that is not a gateway's after one storage look-up.
 */
#include "conn.h"
#include "w5_http1.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

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

/* The flight recorder's slot for this packet, filled; NULL if it is off. */
static __always_inline struct w5_packet *keep_packet(struct __sk_buff *skb, struct conn *c,
						     bool out, __u64 now)
{
	struct w5_packet *p;
	__u32 n = skb->len;

	if (!cfg.recorder)
		return NULL;
	p = &c->flight.pkt[c->flight.total % W5_PKT_SLOTS];
	c->flight.total++;
	p->ts_ns = now;
	p->len = n;
	p->out = out;
	if (n > W5_PKT_BYTES)
		n = W5_PKT_BYTES;
	if (n < 20)
		return p;
	p->cap = n;
	bpf_skb_load_bytes(skb, 0, p->data, n);
	return p;
}

static __always_inline void peek(struct __sk_buff *skb, const struct seg *s, __u8 p[W5_HTTP1_PEEK])
{
	if (s->payload >= W5_HTTP1_PEEK) {
		bpf_skb_load_bytes(skb, s->off, p, W5_HTTP1_PEEK);
		return;
	}
	__builtin_memset(p, 0, W5_HTTP1_PEEK);
	if (s->payload)
		bpf_skb_load_bytes(skb, s->off, p, s->payload & (W5_HTTP1_PEEK - 1));
}

/* Where the payload starts in the slot, if at least a peek's worth of it is there. */
static __always_inline const __u8 *peek_slot(const struct w5_packet *slot, const struct seg *s)
{
	if (!slot || s->payload < W5_HTTP1_PEEK || s->off > W5_PKT_BYTES - W5_HTTP1_PEEK)
		return NULL;
	return slot->data + s->off;
}

static __always_inline bool starts_request(struct __sk_buff *skb, const struct w5_packet *slot,
					   const struct seg *s)
{
	const __u8 *kept = peek_slot(slot, s);
	__u8 p[W5_HTTP1_PEEK];

	if (kept)
		return w5_http1_is_request(kept);
	peek(skb, s, p);
	return w5_http1_is_request(p);
}

/* Bytes that ask for an answer: a new turn begins. */
static __always_inline void begin_turn(struct conn *c, const struct seg *s, __u64 now)
{
	struct w5_leg *l = &c->leg;

	if (l->last_ns)
		l->idle_ns = now - l->last_ns;
	l->nr++;
	l->req_ns = l->req_last_ns = l->last_ns = now;
	l->req_bytes = s->payload;
	l->req_acked = 0;
	l->resp_ns = 0;
	l->resp_bytes = 0;
	l->resp_len = 0;
	l->status = 0;
	l->end = W5_END_NONE;
	l->end_ns = 0;
	l->phase = W5_PHASE_REQUEST;
	l->flags &= W5_F_OLDER;
	l->rto_count = 0;
	if (l->nr > 1)
		l->busy = 0;
	c->req_seq = s->seq;
	c->ended = 0;
	l->head_len = 0;
}

static __always_inline void begin_request(struct __sk_buff *skb, struct conn *c,
					  const struct seg *s, __u64 now)
{
	struct w5_leg *l = &c->leg;
	__u32 n = s->payload;

	begin_turn(c, s, now);
	l->proto = W5_PROTO_HTTP1;
	if (n > W5_HEAD_REQ)
		n = W5_HEAD_REQ;
	l->head_len = n;
	if (s->payload > W5_HEAD_REQ)
		l->flags |= W5_F_REQ_CUT;
	if (n)
		bpf_skb_load_bytes(skb, s->off, l->head, n);
}

/* The start of the response is kept where it may be needed to explain something. */
static __always_inline bool keep_response(struct __sk_buff *skb, struct w5_leg *l,
					  const struct seg *s)
{
	__u32 have = l->resp_len, n = s->payload;

	/* The rest of a status line that was cut: only bytes that fill it up to the peek. */
	if (have > W5_HTTP1_PEEK)
		have = 0;
	if (n > W5_HEAD_RESP - W5_HTTP1_PEEK)
		n = W5_HEAD_RESP - W5_HTTP1_PEEK;
	if (!n)
		return false;
	bpf_skb_load_bytes(skb, s->off, &l->resp[have], n);
	l->resp_len = have + n;
	return true;
}

/*
 * The first bytes of a response, perhaps in several segments. Returns true once the final
 * (not 1xx) status line, or something that is none, has come.
 */
static __always_inline bool begin_response(struct __sk_buff *skb, struct conn *c,
					   const struct w5_packet *slot, const struct seg *s,
					   __u64 now)
{
	struct w5_leg *l = &c->leg;
	const __u8 *kept = l->resp_len ? NULL : peek_slot(slot, s);
	__u8 p[W5_HTTP1_PEEK];

	l->resp_bytes += s->payload;
	l->status = kept ? w5_http1_status(kept) : 0;
	/* A healthy answer going to the client explains nothing: not worth the copy. */
	if (l->role == W5_ROLE_UPSTREAM || !l->status || l->status >= 500) {
		if (!keep_response(skb, l, s))
			return false;
		if (l->resp_len < 12 && l->resp[0] == 'H')
			return false;
		__builtin_memcpy(p, l->resp, sizeof(p));
		l->status = w5_http1_status(p);
	}
	if (l->status >= 100 && l->status < 200 && l->status != 101) {
		l->flags |= W5_F_INTERIM;
		l->status = 0;
		l->resp_len = 0;
		l->resp_bytes = 0;
		return false;
	}
	if (!l->status)
		l->flags |= W5_F_NOT_HTTP;
	if (l->status == 101)
		l->flags |= W5_F_UPGRADE;
	l->resp_ns = now;
	l->phase = W5_PHASE_RESPONSE;
	return true;
}

static __always_inline bool is_bad(const struct w5_leg *l)
{
	return l->status >= 500 || (l->flags & W5_F_NOT_HTTP);
}

static __always_inline void emit_answered(struct conn *c, __u16 type, __u64 now)
{
	if (!is_bad(&c->leg)) {
		emit_bulk(c, type, now);
		return;
	}
	c->leg.flags |= W5_F_BAD;
	emit_full(c, type, now, true);
	emit_packets(c, now);
}

/* Makes the state of a conn first noticed by a message head. */
static __always_inline struct conn *adopt(struct __sk_buff *skb, struct bpf_sock *sk, __u8 role)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct conn *c;

	if (!tp)
		return NULL;
	c = bpf_sk_storage_get(&conns, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!c) {
		lose(MAP_FULL);
		return NULL;
	}
	conn_init(c, (struct sock *)tp, bpf_get_socket_cookie(skb), role);
	c->leg.phase = W5_PHASE_IDLE;
	c->retrans0 = tp->total_retrans;
	return c;
}

/* ---- downstream: requests come in, responses go out ---- */

static __always_inline void down_in(struct __sk_buff *skb, struct conn *c,
				    const struct w5_packet *slot, const struct seg *s, __u64 now)
{
	struct w5_leg *l = &c->leg;

	if (l->phase == W5_PHASE_REQUEST) {
		/* More of the request, or pipelined ones, which the turn's answer closes. */
		l->req_bytes += s->payload;
		l->req_last_ns = l->last_ns = now;
		return;
	}
	/* The request once more, after its response began: nothing new. */
	if ((l->flags & W5_F_UPGRADE) || (l->nr && s->seq == c->req_seq))
		return;
	if (starts_request(skb, slot, s)) {
		begin_request(skb, c, s, now);
		return;
	}
	if (l->phase == W5_PHASE_RESPONSE) { /* the body of a request answered early */
		l->req_bytes += s->payload;
		l->last_ns = now;
	}
}

/* The process that answers is a gateway's. Looked up once per conn and process. */
static __always_inline bool answered_by_gateway(struct conn *c, const struct tcp_sock *tp)
{
	struct task_struct *t;
	struct w5_proc *p;

	if (!sock_owned((struct sock *)tp)) /* sent from softirq: whoever read the request */
		return down_is_gateways(c);
	t = bpf_get_current_task_btf();
	conn_owner(c, t);
	if (c->gateway_tgid == (__u32)t->tgid)
		return true;
	p = proc_current(t, (struct sock *)tp);
	if (!p || !proc_is_gateway(p))
		return false; /* a server without upstreams */
	c->gateway_tgid = t->tgid;
	return true;
}

static __always_inline void down_out(struct __sk_buff *skb, struct bpf_sock *sk, struct conn *c,
				     const struct w5_packet *slot, const struct seg *s, __u64 now)
{
	struct w5_leg *l = &c->leg;
	struct tcp_sock *tp;

	if (l->phase == W5_PHASE_RESPONSE) {
		l->resp_bytes += s->payload;
		l->last_ns = now;
		return;
	}
	if (l->phase == W5_PHASE_IDLE)
		l->flags |= W5_F_NO_REQ;
	if (!begin_response(skb, c, slot, s, now))
		return;
	if ((l->flags & W5_F_NO_REQ) && !l->status) {
		c->dead = 1; /* older than us, and not speaking HTTP/1 */
		return;
	}
	l->last_ns = now;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp || !answered_by_gateway(c, tp))
		return;
	if (is_bad(l))
		conn_facts(c, tp);
	emit_answered(c, W5_REC_EXCHANGE, now);
}

/* ---- upstream: requests go out, responses come in ---- */

#define TLS_HANDSHAKE 0x16 /* record types, RFC 8446 B.1 */
#define TLS_CCS	      0x14
#define TLS_DATA      0x17

/* Not an HTTP/1 request. What is encrypted, or HTTP/2, is followed by its directions: the
 * end of such a conn in the middle of a turn is still worth telling. */
static __always_inline bool begin_opaque(struct conn *c, const struct seg *s,
					 const __u8 p[W5_HTTP1_PEEK], __u64 now)
{
	struct w5_leg *l = &c->leg;

	if (l->proto == W5_PROTO_HTTP1)
		return false; /* the rest of a request whose answer has begun */
	if (l->proto == W5_PROTO_NONE) {
		if (w5_is_client_hello(p) ||
		    ((l->flags & W5_F_OLDER) && p[0] == TLS_DATA && p[1] == 3))
			l->proto = W5_PROTO_TLS;
		else if (w5_http1_is_h2_preface(p))
			l->proto = W5_PROTO_H2;
		else
			l->proto = W5_PROTO_OTHER;
	}
	if (l->proto == W5_PROTO_OTHER)
		return false;
	begin_turn(c, s, now);
	if (l->proto == W5_PROTO_TLS && (p[0] == TLS_HANDSHAKE || p[0] == TLS_CCS)) {
		l->flags |= W5_F_HANDSHAKE;
		l->nr--; /* requests are counted, not flights */
	}
	return true;
}

/* Bytes came back on a conn we cannot read. */
static __always_inline void answer_opaque(struct __sk_buff *skb, struct conn *c,
					  const struct seg *s, __u64 now)
{
	struct w5_leg *l = &c->leg;

	l->resp_bytes += s->payload;
	keep_response(skb, l, s);
	l->resp_ns = now;
	l->phase = W5_PHASE_RESPONSE;
	if (!(l->flags & W5_F_HANDSHAKE))
		emit_bulk(c, W5_REC_ATTEMPT, now);
}

static __always_inline void up_out(struct __sk_buff *skb, struct bpf_sock *sk, struct conn *c,
				   const struct w5_packet *slot, const struct seg *s, __u64 now)
{
	struct w5_leg *l = &c->leg;
	struct tcp_sock *tp;
	__u8 p[W5_HTTP1_PEEK];

	/* The handshake's last flight gets no answer of its own: the request follows it. */
	if (l->phase == W5_PHASE_REQUEST && (l->flags & W5_F_HANDSHAKE)) {
		peek(skb, s, p);
		if (p[0] == TLS_DATA)
			l->phase = W5_PHASE_IDLE;
	}
	if (l->phase == W5_PHASE_REQUEST) {
		__s32 ahead = s->seq + s->payload - (c->req_seq + l->req_bytes);

		if (ahead > 0) { /* not a retransmit */
			l->req_bytes += ahead;
			l->req_last_ns = l->last_ns = now;
		}
		return;
	}
	if (l->flags & W5_F_UPGRADE)
		return;
	/* A retransmit of the request after its response began: nothing new. */
	if (l->phase == W5_PHASE_RESPONSE && s->seq == c->req_seq)
		return;
	if (starts_request(skb, slot, s)) {
		begin_request(skb, c, s, now);
	} else {
		peek(skb, s, p);
		if (!begin_opaque(c, s, p, now))
			return;
	}
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return;
	if (l->nr > 1)
		c->retrans0 = tp->total_retrans;
	l->srtt_us = tp->srtt_us >> 3;
	if (sock_owned((struct sock *)tp))
		conn_owner(c, bpf_get_current_task_btf());
}

static __always_inline void up_in(struct __sk_buff *skb, struct conn *c,
				  const struct w5_packet *slot, const struct seg *s,
				  struct tcp_sock *tp, __u64 now)
{
	struct w5_leg *l = &c->leg;
	__s32 fresh = s->seq + s->payload - tp->rcv_nxt;

	if (fresh <= 0)
		return; /* a duplicate */
	l->data_ttl = s->ttl;
	l->last_ns = now;
	if (l->phase == W5_PHASE_RESPONSE) {
		l->resp_bytes += s->payload;
		return;
	}
	/* Ahead of a segment still missing: that one will bring the head. */
	if (l->phase != W5_PHASE_REQUEST || (__s32)(s->seq - tp->rcv_nxt) > 0)
		return;
	if (l->proto != W5_PROTO_HTTP1) {
		answer_opaque(skb, c, s, now);
		return;
	}
	if (!begin_response(skb, c, slot, s, now))
		return;
	if (is_bad(l))
		conn_facts(c, tp);
	emit_answered(c, W5_REC_ATTEMPT, now);
}

/* ---- segments that are not data ---- */

static __always_inline void syn_in(struct __sk_buff *skb, struct conn *c, const struct seg *s)
{
	__u8 opt[4] = {};

	if (c->leg.phase != W5_PHASE_CONNECT) {
		c->leg.dup_synack++;
		return;
	}
	c->leg.synack_ttl = s->ttl;
	/* MSS is the first option in every SYN-ACK that Linux, BSD or Windows make. */
	if (s->off >= s->hdr + 24u && !bpf_skb_load_bytes(skb, s->hdr + 20, opt, 4) &&
	    opt[0] == 2 && opt[1] == 4)
		c->leg.synack_mss = opt[2] << 8 | opt[3];
}

static __always_inline void rst_in(struct conn *c, const struct seg *s, const struct tcp_sock *tp,
				   __u64 now)
{
	struct w5_leg *l = &c->leg;

	if (c->ended & ENDED_REPORTED)
		return;
	l->rst_in_ns = now;
	l->rst_ttl = s->ttl;
	l->rst_flags = s->flags;
	l->rst_win = s->win;
	l->rst_ipid = s->ipid;
	l->rst_seq = s->seq;
	l->rst_ack = s->ack;
	/* While connecting: reported when the state changes, with the errno. Not exactly in
	 * sequence: the kernel may refuse it (RFC 5961 3.2); if not, the state changes too. */
	if (l->phase == W5_PHASE_CONNECT || s->seq != tp->rcv_nxt)
		return;
	if (s->flags & W5_TCP_ACK)
		conn_acked(c, s->ack);
	if (!end_once(c, W5_END_RST_IN, now))
		return;
	conn_facts(c, tp);
	emit_end(c, now);
}

static __always_inline bool head_is_whole(const struct w5_leg *l)
{
	/* Looked at only where a short response was followed by FIN. */
	if (l->resp_bytes > l->resp_len)
		return true; /* longer than what is kept: user space decides */
	for (int i = 0; i + 3 < W5_HEAD_RESP - W5_HTTP1_PEEK; i++)
		if (l->resp[i] == '\r' && l->resp[i + 1] == '\n' && l->resp[i + 2] == '\r' &&
		    l->resp[i + 3] == '\n')
			return true;
	return false;
}

static __always_inline void fin_in(struct conn *c, const struct seg *s, const struct tcp_sock *tp,
				   __u64 now)
{
	struct w5_leg *l = &c->leg;

	if (l->fin_in_ns)
		return;
	l->fin_in_ns = now;
	l->fin_ttl = s->ttl;
	l->fin_flags = s->flags;
	/* A client may close its sending side and still wait: the gateway decides. */
	if (l->role == W5_ROLE_DOWNSTREAM && l->phase == W5_PHASE_REQUEST)
		return;
	/* Ahead of data still missing: it counts when the state changes (tcp.bpf.c). */
	if (l->phase == W5_PHASE_CONNECT || (__s32)(s->seq - tp->rcv_nxt) > 0)
		return;
	conn_acked(c, s->ack);
	if (!end_once(c, W5_END_FIN_IN, now))
		return;
	conn_facts(c, tp);
	emit_end(c, now);
	if (l->role == W5_ROLE_UPSTREAM && l->phase == W5_PHASE_RESPONSE && !head_is_whole(l))
		emit_packets(c, now);
}

/* The listener saw data: the handshake's last ACK brought the request along, or the bare
 * ACK was lost or deferred. The child takes it from here (tcp.bpf.c, on_accepted). */
static __always_inline void stash_first(struct __sk_buff *skb, const struct seg *s)
{
	__u32 zero = 0, n = s->payload;
	struct stash *st = bpf_map_lookup_elem(&stashes, &zero);

	if (!st)
		return;
	st->ts_ns = bpf_ktime_get_ns();
	st->seq = s->seq;
	st->sport = s->sport;
	st->dport = s->dport;
	st->payload = n;
	st->ttl = s->ttl;
	if (n > W5_HEAD_REQ)
		n = W5_HEAD_REQ;
	st->len = n;
	if (n)
		bpf_skb_load_bytes(skb, s->off, st->head, n);
}

/* A conn without state: worth one if a message head says so. */
static __always_inline struct conn *notice(struct __sk_buff *skb, struct bpf_sock *sk,
					   const struct seg *s, bool out)
{
	__u8 p[W5_HTTP1_PEEK];
	struct tcp_sock *tp;
	struct w5_proc *proc;
	struct task_struct *t;
	struct conn *c;

	if (s->flags & (W5_TCP_SYN | W5_TCP_RST) || !s->payload)
		return NULL;
	peek(skb, s, p);
	if (!w5_http1_is_request(p)) {
		if (!out && w5_is_client_hello(p))
			__sync_fetch_and_add(&tls_conns, 1);
		else if (!out && w5_http1_is_h2_preface(p))
			__sync_fetch_and_add(&h2_conns, 1);
		return NULL;
	}
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return NULL;
	if (!out) {
		c = adopt(skb, sk, W5_ROLE_DOWNSTREAM);
		/* bytes_received counts what came before this segment. */
		if (c && tp->bytes_received)
			c->leg.flags |= W5_F_OLDER;
		return c;
	}
	if (!sock_owned((struct sock *)tp))
		return NULL;
	t = bpf_get_current_task_btf();
	proc = proc_current(t, (struct sock *)tp);
	if (!proc || t->tgid == (int)cfg.self_tgid)
		return NULL;
	proc_connects(proc, (struct sock *)tp, t);
	c = adopt(skb, sk, W5_ROLE_UPSTREAM);
	if (c)
		c->leg.flags |= W5_F_OLDER;
	return c;
}

static __always_inline int on_packet(struct __sk_buff *skb, bool out)
{
	struct bpf_sock *sk = skb->sk;
	struct w5_packet *slot;
	struct tcp_sock *tp;
	struct conn *c;
	struct seg s;
	__u64 now;

	if (!sk || !parse(skb, &s))
		return 1;
	if (!s.payload && !(s.flags & (W5_TCP_SYN | W5_TCP_FIN | W5_TCP_RST)))
		return 1; /* a pure ACK */
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return 1;
	c = bpf_sk_storage_get(&conns, sk, NULL, 0);
	if (!c) {
		if (!out && s.payload && sk->state == BPF_TCP_LISTEN) {
			stash_first(skb, &s);
			return 1;
		}
		c = notice(skb, sk, &s, out);
	}
	if (!c || c->dead)
		return 1;
	now = packet_time(skb, out);
	slot = keep_packet(skb, c, out, now);
	if (out) {
		if (s.flags & W5_TCP_SYN) {
			c->leg.syn_sent++;
			c->leg.lport = bpf_ntohs(s.sport);
		}
		if (s.payload) {
			if (c->leg.role == W5_ROLE_DOWNSTREAM)
				down_out(skb, sk, c, slot, &s, now);
			else
				up_out(skb, sk, c, slot, &s, now);
		}
		if ((s.flags & W5_TCP_FIN) && !c->leg.fin_out_ns)
			c->leg.fin_out_ns = now;
		if ((s.flags & W5_TCP_RST) && !c->leg.rst_out_ns)
			c->leg.rst_out_ns = now;
		return 1;
	}
	if (s.payload && c->leg.role == W5_ROLE_DOWNSTREAM)
		down_in(skb, c, slot, &s, now);
	if (s.flags & W5_TCP_SYN)
		syn_in(skb, c, &s);
	if (c->leg.role == W5_ROLE_DOWNSTREAM && !(s.flags & (W5_TCP_FIN | W5_TCP_RST)))
		return 1;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 1;
	if (s.payload && c->leg.role == W5_ROLE_UPSTREAM)
		up_in(skb, c, slot, &s, tp, now);
	if (s.flags & W5_TCP_RST)
		rst_in(c, &s, tp, now);
	else if (s.flags & W5_TCP_FIN)
		fin_in(c, &s, tp, now);
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
