/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a TLS handshake ended, from its last turn: the ClientHello and what it met, or a
 * later flight of the gateway. What is encrypted is told by size and direction alone.
 */
#include "engine/rules.h"
#include "engine/tlshello.h"

/* The shortest flight with a Finished: TLS 1.2, ChaCha20, after its ChangeCipherSpec. With an
 * encrypted alert in its place it has at most 37 (AES-GCM; TLS 1.3: 30). */
#define FINISHED_MIN 40

#define CCS	  0x14 /* record types */
#define HANDSHAKE 0x16
#define DATA	  0x17

#define NEW_SESSION_TICKET 4

static uint16_t alert_in_resp(const struct w5_leg *l)
{
	return tls_alert_in_clear(l->resp, min_size(l->resp_len, W5_HEAD_RESP));
}

/* close_notify says goodbye, not why. */
static uint16_t telling(uint16_t alert)
{
	return alert & 0xff ? alert : 0;
}

bool tls_is_later_flight(const struct w5_leg *l)
{
	return l->idle_ns != 0; /* bytes had come before it: the ClientHello is the first */
}

/* The server's last words of a handshake, or what comes after it. */
static bool server_is_done(const struct w5_leg *l)
{
	if (l->resp_len < TLS_RECORD_HDR + 1 || l->resp[1] != 3)
		return false;
	return l->resp[0] == CCS || l->resp[0] == DATA ||
	       (l->resp[0] == HANDSHAKE && l->resp[TLS_RECORD_HDR] == NEW_SESSION_TICKET);
}

bool tls_handshake_done(const struct w5_leg *l)
{
	uint64_t end = l->end_ns ? l->end_ns : l->h.ts_ns;

	if (!tls_is_later_flight(l) || telling(l->alert_in) || telling(l->alert_out) ||
	    telling(alert_in_resp(l)))
		return false;
	if (l->resp_bytes)
		return server_is_done(l);
	/* TLS 1.3: the gateway's Finished is the last word. One that waits wants an answer. */
	return leg_closed_by_gateway(l) && l->req_bytes >= FINISHED_MIN &&
	       end < l->last_ns + TIMER_MIN_NS;
}

/* The gateway's last flight is one, after a ChangeCipherSpec. */
static bool is_veiled_alert(const struct w5_leg *l)
{
	return tls_is_later_flight(l) && !l->resp_bytes && l->req_bytes < FINISHED_MIN;
}

static enum tls_end by_gateway(const struct facts *f)
{
	const struct w5_leg *l = f->l;

	if (tls_handshake_done(l))
		return TLS_DROPPED;
	if (!tls_is_later_flight(l) && !l->resp_bytes)
		return TLS_SILENCE;
	if (l->alert_out || is_veiled_alert(l))
		return TLS_ALERT_VEILED;
	return l->end_ns >= l->last_ns + TIMER_MIN_NS ? TLS_STALLED : TLS_BROKEN_OFF;
}

static enum tls_end by_peer(const struct facts *f)
{
	if (tls_handshake_done(f->l))
		return TLS_NOT; /* an idle conn that was closed */
	if (is_veiled_alert(f->l))
		return TLS_ALERT_VEILED; /* and the peer closed at that */
	return tls_is_later_flight(f->l) || f->l->resp_bytes ? TLS_CLOSED_LATER : TLS_CLOSED;
}

void facts_of_tls(struct facts *f)
{
	const struct w5_leg *l = f->l;
	uint16_t in = telling(l->alert_in), out = telling(l->alert_out);

	f->handshake = (l->flags & W5_F_HANDSHAKE) && l->proto == W5_PROTO_TLS && !f->connecting;
	if (!f->handshake || !l->end)
		return;
	if (!in)
		in = telling(alert_in_resp(l));
	f->alert = in ? in : out;
	if (f->alert)
		f->tls = in ? TLS_ALERT_IN : TLS_ALERT_OUT;
	else if (f->by_gateway)
		f->tls = by_gateway(f);
	else if (f->peer_fin || f->peer_rst)
		f->tls = by_peer(f);
}
