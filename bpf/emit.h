/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Records of conns: their turns, their ends, their last packets. Healthy ones are short, few and
 * dropped first; failures have room and call user space.
 */
#ifndef BPF_EMIT_H
#define BPF_EMIT_H

#include "conn.h"
#include "once.h"

static __always_inline void conn_header(struct conn *c, __u16 type, __u16 size, __u64 now)
{
	struct w5_leg *l = &c->leg;

	l->h.ts_ns = now;
	l->h.type = type;
	l->h.size = size;
	__sync_fetch_and_add(&l->h.seq, 1); /* a packet may come while a thread reads */
	l->held = c->held;
	l->held_status = c->held_status;
	l->held_ttfb_us = c->held_ttfb_us;
	c->held = 0;
	c->held_ttfb_us = 0;
	c->is_held = 0;
	c->told_ns = now;
}

#define TROUBLE_NS (2 * 1000 * 1000 * 1000ull) /* a retry follows well within this */
#define HOLD_NS	   (100 * 1000 * 1000ull)      /* a screen's frame: nobody sees it earlier */
#define HOLD_MAX   15

static __always_inline bool is_brief(const struct w5_leg *l, __u64 now)
{
	/* A client that has left is told of, whatever it is answered (Go's servers: 200). */
	return l->nr > 1 && trouble_ns + TROUBLE_NS < now && trouble_ns < l->req_ns &&
	       !(l->role == W5_ROLE_DOWNSTREAM && l->fin_in_ns);
}

static __always_inline __u32 ttfb_us(const struct w5_leg *l)
{
	return (l->resp_ns - l->req_ns) / 1000;
}

/* On a conn that is busy and well, a record can stand for several turns of one status. */
static __always_inline bool hold(struct conn *c, __u64 now)
{
	struct w5_leg *l = &c->leg;

	if (c->held >= HOLD_MAX || now - c->told_ns >= HOLD_NS ||
	    (c->held && c->held_status != l->status))
		return false;
	c->held++;
	c->held_status = l->status;
	c->held_ttfb_us += ttfb_us(l);
	c->is_held = 1;
	return true;
}

/* A record that did not get through takes the held turns it stood for with it. */
static __always_inline void lose_record(const struct conn *c, bool rare)
{
	__sync_fetch_and_add(&loss[rare ? W5_LOSS_RING_RARE : W5_LOSS_RING_BULK], 1 + c->leg.held);
}

#define ANSWER_NS (1000 * 1000 * 1000ull)

/* How long a backend keeps conns, the head of an answer may say (Keep-Alive). Of all that are
 * told at length one per second brings it: the bytes are what a record costs. */
static __always_inline bool tells_answer(const struct w5_leg *l, __u64 now)
{
	if (l->role != W5_ROLE_UPSTREAM || l->proto != W5_PROTO_HTTP1 || !l->resp_len ||
	    now - answer_told_ns < ANSWER_NS)
		return false;
	answer_told_ns = now;
	return true;
}

static __always_inline void emit_turn(struct conn *c, __u16 type, bool brief, __u64 now)
{
	__u64 used = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
	__u32 len = c->leg.head_len, size = W5_LEG_BRIEF;

	if (!brief) {
		if (len > W5_HEAD_BULK)
			len = W5_HEAD_BULK;
		size = __builtin_offsetof(struct w5_leg, head) + ((len + 7) & ~7u);
		if (tells_answer(&c->leg, now))
			size = W5_LEG_ANSWER;
	}
	conn_header(c, type, size, now);
	if (used > cfg.bulk_limit ||
	    bpf_ringbuf_output(&ring, &c->leg, size, ring_wake(used, false)))
		lose_record(c, false);
}

/* A healthy turn. What writing to the ring costs is its bytes: cold memory each time. */
static __always_inline void emit_bulk(struct conn *c, __u16 type, __u64 now)
{
	bool brief = is_brief(&c->leg, now);

	if (!brief || !hold(c, now))
		emit_turn(c, type, brief, now);
}

/* Something follows that belongs to a turn not told yet. */
static __always_inline void tell_held(struct conn *c, __u64 now)
{
	__u64 end_ns = c->leg.end_ns;
	__u8 end = c->leg.end;

	if (!c->is_held)
		return;
	c->held--;
	c->held_ttfb_us -= ttfb_us(&c->leg);
	c->leg.end = W5_END_NONE; /* its end is the next record's news */
	c->leg.end_ns = 0;
	emit_turn(c, c->leg.role == W5_ROLE_UPSTREAM ? W5_REC_ATTEMPT : W5_REC_EXCHANGE, false,
		  now);
	c->leg.end = end;
	c->leg.end_ns = end_ns;
}

static __always_inline void emit_full(struct conn *c, __u16 type, __u64 now, bool rare)
{
	__u64 used = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);

	conn_header(c, type, sizeof(c->leg), now);
	if ((!rare && used > cfg.bulk_limit) ||
	    bpf_ringbuf_output(&ring, &c->leg, sizeof(c->leg), ring_wake(used, rare)))
		lose_record(c, rare);
}

/* Copies the conn's flight recorder out. */
static __always_inline void emit_packets(struct conn *c, __u64 now)
{
	__u64 used = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
	struct w5_packets *f = conn_flight(c);

	if (!cfg.slots || !c->packets)
		return;
	/* Where two packets came at once, one of the two counts may be behind: the slot tells the
	 * order. */
	f->total = c->packets - c->packets % cfg.slots + (c->slot < cfg.slots ? c->slot : 0);
	f->slots = cfg.slots;
	f->bytes8 = cfg.slot_bytes / 8;
	f->h.ts_ns = now;
	f->h.cookie = c->leg.h.cookie;
	f->h.seq = ++c->leg.h.seq;
	f->h.type = W5_REC_PACKETS;
	f->h.size = cfg.dump_bytes;
	f->local = c->leg.local;
	f->remote = c->leg.remote;
	f->lport = c->leg.lport;
	f->rport = c->leg.rport;
	f->netns = c->leg.netns;
	f->role = c->leg.role;
	if (used > cfg.dump_limit ||
	    bpf_ringbuf_output(&ring, f, cfg.dump_bytes, ring_wake(used, false)))
		lose(COPY_CUT);
}

/* A failed connect of which no packet tells. */
static __always_inline void emit_unsent(struct conn *c, __u64 now)
{
	__u64 used = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);

	trouble_ns = now;
	conn_header(c, W5_REC_ATTEMPT, sizeof(c->leg), now);
	if (bpf_ringbuf_output(&ring, &c->leg, sizeof(c->leg) + sizeof(c->route),
			       ring_wake(used, true)))
		lose_record(c, true);
}

/* The turn, or the conn, came to its end: at most one terminal record each. */
static __always_inline bool end_once(struct conn *c, __u8 end, __u64 now)
{
	if (c->leg.role == W5_ROLE_DOWNSTREAM && !down_is_gateways(c))
		return false;
	if (__sync_fetch_and_or(&c->ended, ENDED_REPORTED) & ENDED_REPORTED)
		return false;
	c->leg.end = end;
	c->leg.end_ns = now;
	return true;
}

/* The backend ended a conn in or after a response. */
static __always_inline bool is_cut(struct conn *c)
{
	struct w5_leg *l = &c->leg;

	if (!w5_ended_after_answer(l))
		return false;
	if (c->tail != W5_CHUNKED_END)
		l->flags |= W5_F_ENDS_OPEN;
	return ends_short(l);
}

/* Over TLS bytes came back that may be no answer (session tickets): only its texts tell. */
static __always_inline bool may_be_open(const struct conn *c, __u64 now)
{
	const struct w5_leg *l = &c->leg;

	if (!c->texted || l->role != W5_ROLE_UPSTREAM)
		return false;
	return l->end == W5_END_RST_IN || (l->end == W5_END_FIN_IN && now - l->req_ns < TROUBLE_NS);
}

/* A handshake that did not come to its end, for all that is seen: somebody said why. */
static __always_inline bool may_be_broken_off(const struct conn *c)
{
	const struct w5_leg *l = &c->leg;

	return (l->flags & W5_F_HANDSHAKE) && l->role == W5_ROLE_UPSTREAM && !c->aside &&
	       (l->alert_in || l->alert_out);
}

#define GIVEN_UP_NS (90 * 1000 * 1000ull) /* no timer is shorter */

/* A first request over TLS: what seemed to answer it may have been session tickets. */
static __always_inline bool may_be_given_up(const struct w5_leg *l)
{
	return (l->flags & W5_F_TEXT) && l->role == W5_ROLE_UPSTREAM && l->end == W5_END_FIN_OUT &&
	       l->nr <= 2 && l->end_ns - l->last_ns > GIVEN_UP_NS;
}

/* Emits what the end of a turn calls for. A global function: see once.h. */
__weak __noinline int emit_end(struct conn *c, __u64 now)
{
	struct w5_leg *l;
	bool open_turn, cut;

	if (!c)
		return 0;
	l = &c->leg;
	if (c->interim & INTERIM_BLIND)
		l->phase = W5_PHASE_IDLE; /* its answer may have gone by */
	open_turn = l->phase == W5_PHASE_REQUEST;
	if (l->role == W5_ROLE_UPSTREAM && l->phase == W5_PHASE_CONNECT)
		open_turn = true;
	if (l->role == W5_ROLE_UPSTREAM && l->nr <= 1 && l->phase != W5_PHASE_RESPONSE)
		port_facts(l);
	if (open_turn) {
		trouble_ns = now;
		l->flags |= W5_F_BAD;
		emit_full(c, l->role == W5_ROLE_UPSTREAM ? W5_REC_ATTEMPT : W5_REC_EXCHANGE, now,
			  true);
		emit_packets(c, now);
		note_given_up(l);
		return 0;
	}
	/* After a response: harmless mostly, but it tells a cut header or body. */
	cut = is_cut(c);
	if (cut || may_be_open(c, now) || may_be_broken_off(c))
		trouble_ns = now;
	if (may_be_given_up(l))
		note_given_up(l);
	tell_held(c, now);
	emit_full(c, W5_REC_END, now, cut || l->end == W5_END_RST_IN || l->end == W5_END_SK_ERR);
	/* What was open on a conn whose texts user space follows, it alone knows. */
	if (cut || (l->gaps && l->phase == W5_PHASE_RESPONSE) ||
	    (l->end == W5_END_RST_IN && l->phase == W5_PHASE_RESPONSE) ||
	    (c->texted && l->role == W5_ROLE_UPSTREAM && l->end != W5_END_FIN_OUT))
		emit_packets(c, now);
	return 0;
}

/* From now on the conn's messages come as TEXT records: who it is, before the first of them. */
static __always_inline void emit_open(struct conn *c, __u64 now)
{
	const __u32 size = __builtin_offsetof(struct w5_leg, head);
	struct w5_leg *r;

	c->texted = 1;
	c->leg.flags |= W5_F_TEXT;
	tell_held(c, now);
	r = bpf_ringbuf_reserve(&ring, size, 0);
	if (!r) {
		lose(RING_RARE);
		return;
	}
	/* Not through the conn's own header: its end may be told by a packet at the same time. */
	__builtin_memcpy(r, &c->leg, size);
	r->h.ts_ns = now;
	r->h.type = W5_REC_OPEN;
	r->h.size = size;
	r->h.seq = __sync_fetch_and_add(&c->leg.h.seq, 1) + 1;
	r->held = 0;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

#endif
