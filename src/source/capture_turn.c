/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns of a gateway's end of a conn, from its bytes in order: the rules of bpf/turn.h,
 * bpf/down.h and bpf/up.h.
 */
#include <string.h>

#include "base/util.h"
#include "source/capture_impl.h"
#include "w5_h2.h"
#include "w5_http1.h"

static void peek(uint8_t p[W5_HTTP1_PEEK], const struct seg *s)
{
	memset(p, 0, W5_HTTP1_PEEK);
	if (s->cap)
		memcpy(p, s->data, min_size(s->cap, W5_HTTP1_PEEK));
}

static void tell_answered(struct capture *c, struct side *d, uint16_t type, uint64_t ts_ns)
{
	side_facts(d);
	list_remove(&d->node);
	if (type == W5_REC_EXCHANGE)
		owner_answered(c, d, ts_ns);
	else if (w5_leg_bad(&d->leg)) /* it may try another backend */
		owner_hears(d, ts_ns);
	if (w5_leg_bad(&d->leg))
		d->leg.flags |= W5_F_BAD;
	tell_turn(c, d, type, ts_ns);
	if (w5_leg_bad(&d->leg))
		tell_packets(c, d, ts_ns);
}

/* ---- requests and responses (bpf/turn.h) ---- */

static void begin_turn(struct side *d, const struct seg *s)
{
	struct w5_leg *l = &d->leg;

	w5_turn_begin(l, s->ts_ns, s->payload);
	d->req_seq = s->seq;
	d->reported = false;
	d->is_interim = d->is_blind = false;
	d->late_ns = 0;
	if (l->nr > 1)
		d->sent_again0 = d->sent_again;
}

static bool begin_request(struct side *d, const struct seg *s)
{
	struct w5_leg *l = &d->leg;
	uint8_t p[W5_HTTP1_PEEK];

	peek(p, s);
	if (!w5_http1_is_request(p))
		return false;
	begin_turn(d, s);
	l->proto = W5_PROTO_HTTP1;
	l->head_len = (uint16_t)min_size(s->cap, W5_HEAD_REQ);
	memset(l->head, 0, sizeof(l->head));
	memcpy(l->head, s->data, l->head_len);
	if (s->payload > l->head_len)
		l->flags |= W5_F_REQ_CUT;
	return true;
}

static bool is_tls(const uint8_t p[W5_HTTP1_PEEK])
{
	return p[0] >= W5_TLS_CCS && p[0] <= W5_TLS_DATA && p[1] == 3;
}

/* ---- downstream ---- */

static void down_veiled(struct capture *c, struct side *d, const struct seg *s, bool out)
{
	struct w5_leg *l = &d->leg;
	uint8_t p[W5_HTTP1_PEEK];
	uint16_t alert;

	l->last_ns = s->ts_ns;
	peek(p, s);
	if (out && !d->is_unread && (l->proto == W5_PROTO_H2 || p[0] == W5_TLS_DATA)) {
		d->is_unread = true; /* an answer, perhaps, and nobody reads it */
		*(l->proto == W5_PROTO_H2 ? &c->h2_conns : &c->tls_conns) += 1;
	}
	alert = l->proto == W5_PROTO_TLS ? w5_tls_alert(p, s->payload) : 0;
	if (!alert)
		return;
	w5_note_alert(l, alert, out);
	if (!out && !l->fin_in_ns && l->alert_in)
		l->fin_in_ns = s->ts_ns;
}

/* An accepted conn whose messages cannot be read. */
static bool veil(struct side *d, const struct seg *s)
{
	struct w5_leg *l = &d->leg;
	uint8_t p[W5_HTTP1_PEEK];

	peek(p, s);
	if (is_tls(p))
		l->proto = W5_PROTO_TLS;
	else if (w5_http1_is_h2_preface(p) ||
		 ((l->flags & W5_F_OLDER) && s->payload >= W5_H2_HDR && w5_h2_plausible(p)))
		l->proto = W5_PROTO_H2;
	return w5_leg_veiled(l);
}

static void down_in(struct capture *c, struct side *d, const struct seg *s)
{
	struct w5_leg *l = &d->leg;

	if (w5_leg_veiled(l)) {
		down_veiled(c, d, s, false);
		return;
	}
	if (l->phase == W5_PHASE_REQUEST) {
		l->req_bytes += s->payload;
		l->req_last_ns = l->last_ns = s->ts_ns;
		if (d->waits_ns)
			d->waits_ns = s->ts_ns;
		return;
	}
	if (l->flags & W5_F_UPGRADE)
		return;
	if (begin_request(d, s)) {
		d->target = capture_target_key(l->head, l->head_len);
		d->route = capture_route_key(l->head, l->head_len);
		d->waits_ns = s->ts_ns;
		list_move_back(&c->asked, &d->node);
		return;
	}
	if (l->phase == W5_PHASE_RESPONSE) { /* the body of a request answered early */
		l->req_bytes += s->payload;
		l->last_ns = s->ts_ns;
	} else if (!l->nr) {
		veil(d, s);
	}
}

static void down_out(struct capture *c, struct side *d, const struct seg *s)
{
	struct w5_leg *l = &d->leg;

	if (w5_leg_veiled(l)) {
		down_veiled(c, d, s, true);
		return;
	}
	if (l->phase == W5_PHASE_RESPONSE) {
		l->resp_bytes += s->payload;
		l->last_ns = s->ts_ns;
		return;
	}
	if (l->phase == W5_PHASE_IDLE)
		l->flags |= W5_F_NO_REQ;
	if (!answer_begin(c, d, s))
		return;
	if ((l->flags & W5_F_NO_REQ) && !l->status) {
		l->phase = W5_PHASE_IDLE;
		l->flags &= W5_F_OLDER;
		l->resp_bytes = 0;
		l->resp_len = 0;
		/* the middle of a long answer looks like this, too */
		if (!veil(d, s) && !(l->flags & W5_F_OLDER))
			d->is_deaf = true;
		return;
	}
	l->last_ns = s->ts_ns;
	tell_answered(c, d, W5_REC_EXCHANGE, s->ts_ns);
}

/* ---- upstream ---- */

/* Not an HTTP/1 request: what is encrypted, or HTTP/2, is followed by its directions. */
static bool begin_opaque(struct side *d, const struct seg *s, const uint8_t p[W5_HTTP1_PEEK])
{
	struct w5_leg *l = &d->leg;
	uint16_t hello = 0, was_handshake = l->flags & W5_F_HANDSHAKE;

	if (l->proto == W5_PROTO_HTTP1)
		return false; /* the rest of a request whose answer has begun */
	if (l->proto == W5_PROTO_NONE) {
		if (w5_is_client_hello(p)) {
			l->proto = W5_PROTO_TLS;
			hello = (uint16_t)min_size(s->cap, W5_HEAD_REQ);
			memset(l->head, 0, sizeof(l->head));
			memcpy(l->head, s->data, hello);
		} else if ((l->flags & W5_F_OLDER) && p[0] == W5_TLS_DATA && p[1] == 3) {
			l->proto = W5_PROTO_TLS;
		} else if (w5_http1_is_h2_preface(p) ||
			   ((l->flags & W5_F_OLDER) && s->payload >= W5_H2_HDR &&
			    w5_h2_plausible(p))) {
			l->proto = W5_PROTO_H2;
		} else {
			l->proto = W5_PROTO_OTHER;
		}
	}
	if (l->proto == W5_PROTO_OTHER)
		return false;
	if (was_handshake && !hello)
		hello = l->head_len;
	begin_turn(d, s);
	if (l->proto == W5_PROTO_TLS && (p[0] == W5_TLS_HANDSHAKE || p[0] == W5_TLS_CCS)) {
		l->flags |= W5_F_HANDSHAKE;
		l->head_len = hello; /* head[] keeps the ClientHello: who was asked for */
		l->nr--;	     /* requests are counted, not flights */
	}
	return true;
}

static void up_out(struct capture *c, struct side *d, const struct seg *s)
{
	struct w5_leg *l = &d->leg;
	uint8_t p[W5_HTTP1_PEEK];
	uint16_t alert;
	bool may_part;

	peek(p, s);
	/* Of an idle conn older than the capture a goodbye is the first that is seen. */
	may_part = l->proto == W5_PROTO_TLS ||
		   (l->proto == W5_PROTO_NONE && (l->flags & W5_F_OLDER));
	alert = may_part ? w5_tls_alert(p, s->payload) : 0;
	if (alert) {
		l->proto = W5_PROTO_TLS;
		w5_note_alert(l, alert, true);
		return; /* gets no answer */
	}
	/* The handshake's last flight gets no answer of its own: the request follows it. */
	if (l->phase == W5_PHASE_REQUEST && (l->flags & W5_F_HANDSHAKE) && p[0] == W5_TLS_DATA)
		l->phase = W5_PHASE_IDLE;
	if (l->phase == W5_PHASE_REQUEST) {
		int32_t ahead = (int32_t)(s->seq + s->payload - (d->req_seq + l->req_bytes));

		if (ahead > 0) {
			l->req_bytes += (uint32_t)ahead;
			l->req_last_ns = l->last_ns = s->ts_ns;
		}
		return;
	}
	if (l->flags & W5_F_UPGRADE)
		return;
	if ((w5_leg_veiled(l) || !begin_request(d, s)) && !begin_opaque(d, s, p))
		return;
	l->srtt_us = d->t->srtt_us;
	owner_of_request(c, d, s->ts_ns);
}

/* The gateway has given up: what comes now meets no socket, most likely, but a reset. */
static void note_late(struct side *d, const struct seg *s)
{
	uint8_t p[W5_HTTP1_PEEK];

	if (d->late_ns)
		return;
	peek(p, s);
	d->late_ns = s->ts_ns;
	d->late_bytes = s->payload;
	d->late_status = w5_http1_status(p);
}

static void up_in(struct capture *c, struct side *d, const struct seg *s)
{
	struct w5_leg *l = &d->leg;

	l->data_ttl = s->ttl;
	if (l->proto == W5_PROTO_TLS) {
		uint8_t p[W5_HTTP1_PEEK];
		uint16_t alert;

		peek(p, s);
		alert = w5_tls_alert(p, s->payload);
		if (alert)
			w5_note_alert(l, alert, false);
		if (alert && !(l->flags & W5_F_HANDSHAKE))
			return; /* no answer to a request: the conn is as idle as before */
	}
	l->last_ns = s->ts_ns;
	if (l->phase == W5_PHASE_RESPONSE) {
		answer_tail(d, s);
		l->resp_bytes += s->payload;
		return;
	}
	if (l->phase != W5_PHASE_REQUEST)
		return;
	if (l->end == W5_END_FIN_OUT) {
		note_late(d, s);
		return;
	}
	if (l->proto == W5_PROTO_HTTP1) {
		answer_tail(d, s);
		if (answer_begin(c, d, s))
			tell_answered(c, d, W5_REC_ATTEMPT, s->ts_ns);
		return;
	}
	l->resp_bytes += s->payload;
	answer_keep(l, s);
	l->resp_ns = s->ts_ns;
	l->phase = W5_PHASE_RESPONSE;
	if (!(l->flags & W5_F_HANDSHAKE))
		tell_turn(c, d, W5_REC_ATTEMPT, s->ts_ns);
}

void side_data(struct capture *c, struct side *d, const struct seg *s, bool out)
{
	if (d->is_deaf)
		return;
	if (d->leg.role == W5_ROLE_DOWNSTREAM)
		(out ? down_out : down_in)(c, d, s);
	else
		(out ? up_out : up_in)(c, d, s);
}
