/* SPDX-License-Identifier: BSD-2-Clause */
/* Legs made of texts: begun, answered, ended as bpf/turn.h does for plain HTTP/1. */
#include "engine/texts.h"

#include <string.h>

/* What a TLS record adds to the bytes it carries, at least, and how many it carries at most
 * (RFC 8446 5.2): header, type, tag. */
#define RECORD_OVERHEAD 22u
#define RECORD_BYTES	16384u
/* The kernel's turn began this much after ours: bytes have come in between. Ours begins with the
 * call that writes it; where it is read from packets, with the same packet. */
#define LATER_TURN_NS	NS_PER_MS

void turn_begin(struct w5_leg *l, const struct text_at *at)
{
	bool first = !l->nr && !(l->flags & W5_F_OLDER);
	uint16_t exact = l->flags & W5_F_TID_EXACT;

	w5_turn_begin(l, at->ts_ns, 0);
	l->flags |= exact | W5_F_TEXT;
	if (first)
		l->idle_ns = 0; /* what came before was the handshake */
	/* As in bpf/up.h: what a conn was opened for is known from its connect(). */
	if (first && l->role == W5_ROLE_UPSTREAM && l->open_ns) {
		l->flags |= W5_F_HINT_OPEN;
		return;
	}
	l->hint_cookie = at->hint_cookie;
	l->hint_ns = at->hint_ns;
	l->after = at->after;
	l->tgid = at->tgid;
	l->tid = at->tid;
	l->flags |= W5_F_TID_EXACT;
}

static void hand_on(struct engine *e, struct w5_leg *l, uint64_t ts_ns)
{
	bool up = l->role == W5_ROLE_UPSTREAM;

	l->h = (struct w5_hdr){
		.ts_ns = ts_ns,
		.cookie = l->h.cookie,
		.type = up ? W5_REC_ATTEMPT : W5_REC_EXCHANGE,
		.size = sizeof(*l),
	};
	if (up)
		on_attempt(e, l);
	else
		on_exchange(e, l);
}

void turn_tell(struct engine *e, struct w5_leg *l, const struct text_at *at)
{
	l->resp_ns = l->last_ns = at->ts_ns;
	l->phase = W5_PHASE_RESPONSE;
	if (l->role == W5_ROLE_UPSTREAM) {
		l->req_acked = l->req_bytes;
	} else {
		l->hint_cookie = at->hint_cookie;
		l->hint_ns = at->hint_ns;
		l->tgid = at->tgid;
		l->tid = at->tid;
		l->flags |= W5_F_TID_EXACT;
	}
	if (!l->tgid)
		l->tgid = at->tgid;
	if (w5_leg_bad(l))
		l->flags |= W5_F_BAD;
	if (l->status == 101)
		l->flags |= W5_F_UPGRADE;
	hand_on(e, l, at->ts_ns);
}

void turn_tell_failed(struct engine *e, struct w5_leg *l)
{
	l->flags |= W5_F_BAD;
	hand_on(e, l, l->h.ts_ns);
}

/* The most plain bytes that so many of TLS can have carried. */
static uint32_t plain_bytes(uint32_t n)
{
	uint32_t records = n / (RECORD_BYTES + RECORD_OVERHEAD) + 1;

	return n > records * RECORD_OVERHEAD ? n - records * RECORD_OVERHEAD : 0;
}

bool turn_is_same(const struct w5_leg *turn, const struct w5_leg *end)
{
	return end->req_ns <= turn->req_ns + LATER_TURN_NS &&
	       end->req_ns + LATER_TURN_NS >= turn->req_ns;
}

/* Sizes: what the kernel counted on the wire of the same turn. A stream shares its conn. */
static void take_sizes(struct w5_leg *m, const struct w5_leg *turn, const struct w5_leg *end)
{
	bool up = turn->role == W5_ROLE_UPSTREAM;
	bool later = end->req_ns > turn->req_ns + (end->proto == W5_PROTO_TLS ? LATER_TURN_NS : 0);

	if (turn->phase == W5_PHASE_RESPONSE) {
		m->resp_bytes = turn->resp_bytes;
		if (up && !turn->stream && turn_is_same(turn, end) &&
		    plain_bytes(end->resp_bytes) > m->resp_bytes)
			m->resp_bytes = plain_bytes(end->resp_bytes);
		m->req_bytes = turn->req_bytes;
		m->req_acked = turn->req_acked;
		return;
	}
	/* Bytes came that were no answer (session tickets, settings). */
	m->resp_bytes = 0;
	if (!up || later || !end->req_bytes) {
		m->req_bytes = m->req_acked = turn->req_bytes;
		/* Settings that cross with a conn's first request acknowledge nothing. */
		if (up && end->req_bytes && !end->req_acked && turn->nr <= 1 &&
		    turn_is_same(turn, end))
			m->req_acked = 0;
		return;
	}
	if (m->req_acked && m->req_acked + FAREWELL_BYTES >= m->req_bytes)
		m->req_acked = m->req_bytes;
}

static void take_words(struct w5_leg *m, const struct w5_leg *turn)
{
	memcpy(m->head, turn->head, sizeof(m->head));
	memcpy(m->resp, turn->resp, sizeof(m->resp));
	m->head_len = turn->head_len;
	m->resp_len = turn->resp_len;
	m->status = turn->status;
	m->grpc_status = turn->grpc_status;
	m->conn_cookie = turn->conn_cookie;
	m->stream = turn->stream;
	m->h2_end = turn->h2_end;
	m->h2_error = turn->h2_error;
	m->proto = turn->proto;
}

void turn_take_end(struct w5_leg *turn, const struct w5_leg *end)
{
	const uint16_t kept = W5_F_LOCAL_UNREACH | W5_F_ZERO_WND;
	struct w5_leg m = *end;

	m.h.cookie = turn->h.cookie;
	m.h.seq = 0;
	m.h.size = sizeof(m);
	m.held = 0;
	m.held_ttfb_us = 0;
	m.req_ns = turn->req_ns;
	m.req_last_ns = turn->req_last_ns;
	m.resp_ns = turn->resp_ns;
	m.idle_ns = turn->idle_ns;
	m.nr = turn->nr;
	m.role = turn->role;
	m.phase = turn->phase;
	m.flags = turn->flags | (end->flags & kept);
	take_sizes(&m, turn, end);
	take_words(&m, turn);
	/* The thread that closed knows best whom it had asked; the one that asked, for whom. */
	if (turn->role == W5_ROLE_UPSTREAM || end->hint_ns < turn->req_ns) {
		m.hint_cookie = turn->hint_cookie;
		m.hint_ns = turn->hint_ns;
		m.after = turn->after;
		m.tgid = turn->tgid ? turn->tgid : end->tgid;
		m.tid = turn->tid ? turn->tid : end->tid;
	}
	if (!end->rport && !end->lport) {
		m.local = turn->local;
		m.remote = turn->remote;
		m.lport = turn->lport;
		m.rport = turn->rport;
		m.netns = turn->netns;
	}
	if (!m.open_ns)
		m.open_ns = turn->open_ns;
	*turn = m;
}
