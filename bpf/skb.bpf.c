// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Packets of the watched cgroups' sockets, from the IP header up: message heads,
 * the turns of each conn, RST and FIN with their TTL, the flight recorder.
 * Never drops anything: both programs always return 1.
 *
 * This is the path every packet pays. A pure ACK leaves after the header parse, a
 * conn that is not a gateway's after one storage look-up.
 */
#include "dns.h"
#include "text.h"
#include "tie.h"
#include "turn.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

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

/* ---- cleartext HTTP/2: its frames, from packets in order ---- */

static __always_inline void h2_packet(struct __sk_buff *skb, struct bpf_sock *sk, struct conn *c,
				      const struct seg *s, bool out, __u64 now)
{
	struct text_stream *t = &c->text;
	struct text_dir *d = out ? &t->dir[W5_TEXT_OUT] : &t->dir[W5_TEXT_IN];
	struct chunk k = { .t = t, .d = d, .skb = skb, .base = s->off, .n = s->payload };
	struct w5_leg *l = &c->leg;
	struct tcp_sock *tp;
	__s32 behind;

	if (!have_loop())
		return;
	if (!c->texted) {
		emit_open(c, now);
		t->cookie = l->h.cookie;
		t->proto = W5_PROTO_H2;
		t->role = l->role;
		t->older = !!(l->flags & W5_F_OLDER);
	}
	behind = d->begun ? (__s32)(d->next - s->seq) : 0;
	if (behind < 0) { /* one before it is missing, or comes later: too late for us */
		lose_frames(&k);
		behind = 0;
	}
	if ((__u32)behind >= s->payload)
		return; /* a retransmit */
	d->begun = 1;
	d->next = s->seq + s->payload;
	k.base += (__u32)behind;
	k.n -= (__u32)behind;
	k.dir = out ? W5_TEXT_OUT : W5_TEXT_IN;
	k.ts_ns = now;
	k.cookie = l->h.cookie;
	k.tgid = l->tgid;
	k.tid = l->tid;
	tp = out ? bpf_skc_to_tcp_sock(sk) : NULL;
	if (tp && sock_owned((struct sock *)tp)) {
		struct task_struct *task = bpf_get_current_task_btf();

		k.tgid = task->tgid;
		k.tid = task->pid;
		struct w5_trail *tr = trail_of(task);

		trail_hint(tr, task->pid, l->role, &k.hint_cookie, &k.hint_ns);
		k.after = trail_after(tr, task->pid);
	}
	if ((text_chunk(&k, true) & LOOK_ERROR) && out && l->role == W5_ROLE_DOWNSTREAM)
		emit_packets(c, now);
}

/* ---- downstream: requests come in, responses go out ---- */

/* An accepted conn that cannot be read from its packets; its end is told all the same. */
static __always_inline bool is_veiled(struct conn *c, const __u8 *p, __u32 n)
{
	int kind = look((const struct peeked *)p);

	if (kind & LOOK_TLS)
		c->leg.proto = W5_PROTO_TLS;
	else if ((kind & LOOK_PREFACE) ||
		 ((c->leg.flags & W5_F_OLDER) && n >= W5_H2_HDR && (kind & LOOK_FRAME)))
		c->leg.proto = W5_PROTO_H2;
	return leg_veiled(&c->leg);
}

/* Who of the two leaves: with TLS the first goodbye tells, not the first FIN. */
static __always_inline void down_alert(struct __sk_buff *skb, struct w5_leg *l, const struct seg *s,
				       bool out, __u64 now)
{
	__u8 p[W5_HTTP1_PEEK];
	__u16 alert;

	if (l->proto != W5_PROTO_TLS || s->payload > TLS_ALERT_MAX)
		return;
	peek(skb, s, p);
	alert = tls_alert(p, s->payload);
	if (!alert)
		return;
	note_alert(l, alert, out);
	if (!out && !l->fin_in_ns && l->alert_in)
		l->fin_in_ns = now; /* it may follow with a RST, and no FIN at all */
}

static __always_inline void down_in(struct __sk_buff *skb, struct conn *c, struct w5_packet *slot,
				    const struct seg *s, __u64 now)
{
	struct w5_leg *l = &c->leg;

	if (leg_veiled(l)) {
		l->last_ns = now;
		down_alert(skb, l, s, false, now);
		return;
	}
	if (l->phase == W5_PHASE_REQUEST) {
		/* More of the request, or pipelined ones, which the turn's answer closes. */
		l->req_bytes += s->payload;
		l->req_last_ns = l->last_ns = now;
		return;
	}
	/* The request once more, after its response began: nothing new. */
	if ((l->flags & W5_F_UPGRADE) || (l->nr && s->seq == c->req_seq))
		return;
	if (starts_request(skb, c, slot, s)) {
		begin_request(c, s, now);
		return;
	}
	if (l->phase == W5_PHASE_RESPONSE) { /* the body of a request answered early */
		l->req_bytes += s->payload;
		l->last_ns = now;
	} else if (!l->nr) {
		is_veiled(c, l->head, s->payload);
	}
}

/* The process that answers is a gateway's. Looked up once per conn and process. */
static __always_inline bool answered_by_gateway(struct conn *c, const struct tcp_sock *tp,
						__u64 now)
{
	struct task_struct *t;
	struct w5_proc *p;

	if (!sock_owned((struct sock *)tp)) /* sent from softirq: whoever read the request */
		return down_is_gateways(c);
	t = bpf_get_current_task_btf();
	conn_owner(c, t, now);
	if (c->gateway_tgid == (__u32)t->tgid)
		return true;
	p = proc_current(t, (struct sock *)tp);
	if (!p || !proc_is_gateway(p))
		return false; /* a server without upstreams */
	c->gateway_tgid = t->tgid;
	return true;
}

/* What matters is in the texts. An error among them calls for the packets, too. */
static __always_inline void veiled_out(struct __sk_buff *skb, struct bpf_sock *sk, struct conn *c,
				       const struct seg *s, __u64 now)
{
	struct w5_leg *l = &c->leg;
	struct tcp_sock *tp;
	struct w5_trail *tr;
	__u8 p[W5_HTTP1_PEEK];

	l->last_ns = now;
	if (l->proto == W5_PROTO_H2)
		return; /* h2_packet() */
	down_alert(skb, l, s, true, now);
	if (!c->texted) {
		if (c->unread)
			return;
		peek(skb, s, p);
		if (p[0] != TLS_DATA)
			return;
		c->unread = 1; /* an answer, perhaps, and nobody reads it */
		if (down_is_gateways(c))
			__sync_fetch_and_add(&tls_conns, 1);
		return;
	}
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp || !sock_owned((struct sock *)tp))
		return;
	tr = trail_of(bpf_get_current_task_btf());
	if (tr)
		tr->after = 0;
	if (!tr || !tr->tls_bad || tr->tls_bad != c->tls_object)
		return;
	tr->tls_bad = 0;
	conn_facts(c, tp);
	emit_packets(c, now);
}

static __always_inline void down_out(struct __sk_buff *skb, struct bpf_sock *sk, struct conn *c,
				     struct w5_packet *slot, const struct seg *s, __u64 now)
{
	struct w5_leg *l = &c->leg;
	struct tcp_sock *tp;

	if (leg_veiled(l)) {
		veiled_out(skb, sk, c, s, now);
		return;
	}
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
		/* Older than us, and not speaking HTTP/1; or in the midst of a long answer. */
		l->phase = W5_PHASE_IDLE;
		l->flags &= W5_F_OLDER;
		c->dead = !is_veiled(c, l->resp, s->payload);
		return;
	}
	l->last_ns = now;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp || !answered_by_gateway(c, tp, now))
		return;
	if (is_bad(l))
		conn_facts(c, tp);
	emit_answered(c, W5_REC_EXCHANGE, now);
}

/* ---- upstream: requests go out, responses come in ---- */

/* A conn that is older than us has no handshake whose reads would have tied it: the call that
 * writes its first request does. */
static __always_inline void sent_by_thread(struct conn *c, const struct task_struct *t, __u64 now)
{
	conn_owner(c, t, now);
	if ((c->leg.flags & W5_F_OLDER) && c->leg.proto == W5_PROTO_TLS && !c->tls_object)
		tie(c, t, tls_object_of(t, trail_of(t)), now);
}

static __always_inline void up_out(struct __sk_buff *skb, struct bpf_sock *sk, struct conn *c,
				   struct w5_packet *slot, const struct seg *s, __u64 now)
{
	struct w5_leg *l = &c->leg;
	struct tcp_sock *tp;
	__u8 p[W5_HTTP1_PEEK];
	__u16 alert;

	/* Of an idle conn older than us a goodbye is the first that is seen. */
	if ((l->proto == W5_PROTO_TLS || (l->proto == W5_PROTO_NONE && (l->flags & W5_F_OLDER))) &&
	    s->payload <= TLS_ALERT_MAX) {
		peek(skb, s, p);
		alert = tls_alert(p, s->payload);
		if (alert) {
			l->proto = W5_PROTO_TLS;
			note_alert(l, alert, true);
			return; /* gets no answer */
		}
	}
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
	if (!leg_veiled(l) && starts_request(skb, c, slot, s)) {
		begin_request(c, s, now);
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
	/* A conn opened for this request: the hint from its connect() is the right one, while
	 * the thread has gone on to other requests until the handshake was done. */
	if (l->nr <= 1 && l->open_ns)
		l->flags |= W5_F_HINT_OPEN;
	else if (sock_owned((struct sock *)tp))
		sent_by_thread(c, bpf_get_current_task_btf(), now);
}

static __always_inline void up_in(struct __sk_buff *skb, struct conn *c, struct w5_packet *slot,
				  const struct seg *s, struct tcp_sock *tp, __u64 now)
{
	struct w5_leg *l = &c->leg;
	__s32 fresh = s->seq + s->payload - tp->rcv_nxt;

	if (fresh <= 0)
		return; /* a duplicate */
	l->data_ttl = s->ttl;
	if (l->proto == W5_PROTO_TLS && s->payload <= TLS_ALERT_MAX) {
		__u8 p[W5_HTTP1_PEEK];
		__u16 alert;

		peek(skb, s, p);
		alert = tls_alert(p, s->payload);
		if (alert)
			note_alert(l, alert, false);
		if (alert && !(l->flags & W5_F_HANDSHAKE))
			return; /* no answer to a request: the conn is as idle as before */
	}
	l->last_ns = now;
	if (l->phase == W5_PHASE_RESPONSE) {
		if (l->proto == W5_PROTO_HTTP1)
			keep_tail(skb, c, s);
		l->resp_bytes += s->payload;
		return;
	}
	/* Ahead of a segment still missing: that one will bring the head. */
	if (l->phase != W5_PHASE_REQUEST || (__s32)(s->seq - tp->rcv_nxt) > 0)
		return;
	if (l->proto != W5_PROTO_HTTP1) {
		answer_opaque(skb, c, slot, s, now);
		return;
	}
	keep_tail(skb, c, s);
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
	__u64 when = now;
	__u8 end = W5_END_RST_IN;

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
	/* A FIN that waits behind what the thread has yet to take came first all the same. */
	if (l->fin_in_ns && l->role == W5_ROLE_UPSTREAM) {
		end = W5_END_FIN_IN;
		when = l->fin_in_ns;
	}
	if (down_was_left(l))
		end = W5_END_FIN_OUT;
	if (!end_once(c, end, when))
		return;
	conn_facts(c, tp);
	emit_end(c, now);
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
	if (l->role == W5_ROLE_DOWNSTREAM && (l->phase == W5_PHASE_REQUEST || leg_veiled(l)))
		return;
	/* Ahead of data still missing: it counts when the state changes (tcp.bpf.c). */
	if (l->phase == W5_PHASE_CONNECT || (__s32)(s->seq - tp->rcv_nxt) > 0)
		return;
	conn_acked(c, s->ack);
	if (!end_once(c, W5_END_FIN_IN, now))
		return;
	conn_facts(c, tp);
	emit_end(c, now);
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
		load_some(skb, s->off, st->head, n, W5_HEAD_REQ);
}

/* A segment that wants to become a conn, and there is no room for it (sk_acceptq_is_full()). */
static __always_inline void note_full(struct __sk_buff *skb, struct bpf_sock *sk,
				      const struct seg *s)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct pair_key key = { .sport = bpf_ntohs(s->sport), .dport = bpf_ntohs(s->dport) };
	const struct sock *lsk = (const struct sock *)tp;
	__be32 from = 0, to = 0;
	__u64 now;

	if (!tp || lsk->sk_ack_backlog <= lsk->sk_max_ack_backlog)
		return;
	if (skb->protocol == ETH_P_IP_BE) {
		bpf_skb_load_bytes(skb, 12, &from, 4);
		bpf_skb_load_bytes(skb, 16, &to, 4);
		addr_v4(&key.from, from);
		addr_v4(&key.to, to);
	} else {
		bpf_skb_load_bytes(skb, 8, &key.from, 16);
		bpf_skb_load_bytes(skb, 24, &key.to, 16);
	}
	now = bpf_ktime_get_ns();
	bpf_map_update_elem(&queue_full, &key, &now, BPF_ANY);
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
	int kind;

	if (s->flags & (W5_TCP_SYN | W5_TCP_RST) || !s->payload)
		return NULL;
	peek(skb, s, p);
	kind = look((const struct peeked *)p);
	if (!(kind & LOOK_REQUEST)) {
		if (out)
			return NULL;
		if (kind & LOOK_HELLO) {
			c = adopt(skb, sk, W5_ROLE_DOWNSTREAM);
			if (c)
				c->leg.proto = W5_PROTO_TLS;
			return c;
		}
		if (!(kind & LOOK_PREFACE))
			return NULL;
		if (!have_loop())
			__sync_fetch_and_add(&h2_conns, 1);
		c = adopt(skb, sk, W5_ROLE_DOWNSTREAM);
		if (c)
			c->leg.proto = W5_PROTO_H2;
		return c;
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
	if (c) {
		c->leg.flags |= W5_F_OLDER;
		conn_queues(c, proc);
	}
	return c;
}

/* A client's conn that was older than us, and in the midst of an answer, asks again. */
static __always_inline bool wakes(struct __sk_buff *skb, struct conn *c, const struct seg *s,
				  bool out)
{
	__u8 p[W5_HTTP1_PEEK];

	if (out || !s->payload || c->leg.role != W5_ROLE_DOWNSTREAM || !(c->leg.flags & W5_F_OLDER))
		return false;
	peek(skb, s, p);
	c->dead = !(look((const struct peeked *)p) & LOOK_REQUEST);
	return !c->dead;
}

/* May this packet begin a message that the legs below read into head[] or resp[]? */
static __always_inline bool reads_payload(const struct w5_leg *l, const struct seg *s, bool out)
{
	bool is_open = l->phase == W5_PHASE_REQUEST;

	if (!s->payload || (l->flags & W5_F_UPGRADE) || leg_veiled(l))
		return false;
	if (l->role == W5_ROLE_DOWNSTREAM)
		return !out && !is_open;
	return out != is_open;
}

static __always_inline int on_packet(struct __sk_buff *skb, bool out)
{
	struct bpf_sock *sk = skb->sk;
	struct w5_packet *slot;
	struct tcp_sock *tp;
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
	if (out) {
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
