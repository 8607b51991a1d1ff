/* SPDX-License-Identifier: BSD-2-Clause */
/* One function per kind of event; each says only what its record holds. */
#include "sink/event_text.h"

#include <stdio.h>
#include <string.h>

#include "base/phrase.h"
#include "base/text.h"
#include "base/util.h"
#include "engine/codes.h"
#include "engine/head.h"
#include "engine/tlshello.h"

/* " 0.290 ms after the request" */
static void put_after(struct phrase *w, uint64_t from_ns, uint64_t to_ns, const char *what)
{
	char text[16];

	if (!from_ns || to_ns < from_ns)
		return;
	text_duration(text, sizeof(text), to_ns - from_ns);
	phrase_put(w, " %s after %s", text, what);
}

static void put_errno(struct phrase *w, const struct w5_leg *l)
{
	unsigned err = l->err ? l->err : l->err_soft;
	char text[32];

	if (!err)
		return;
	text_errno(text, sizeof(text), err);
	phrase_put(w, " (%s)", text);
}

static const char *peer(const struct w5_leg *l)
{
	return l->role == W5_ROLE_UPSTREAM ? "backend" : "client";
}

/* Where in its turn the conn was. */
static void put_state(struct phrase *w, const struct w5_leg *l, uint64_t ts_ns)
{
	if (l->flags & W5_F_HANDSHAKE)
		phrase_put(w, " in the TLS handshake");
	else if (l->resp_ns && l->resp_bytes)
		put_after(w, l->resp_ns, ts_ns, "the answer began");
	else if (l->req_ns)
		put_after(w, l->req_ns, ts_ns, "the request");
	else
		put_after(w, l->open_ns, ts_ns, "the connect");
}

static void put_ttl(struct phrase *w, const struct w5_leg *l)
{
	if (l->rst_ttl)
		phrase_put(w, ", ttl %u", l->rst_ttl);
}

static void say_refused(struct phrase *w, const struct w5_leg *l, uint64_t ts_ns)
{
	phrase_put(w, "RST");
	put_after(w, l->open_ns, ts_ns, "the SYN");
	put_ttl(w, l);
	put_errno(w, l);
}

static void say_unreachable(struct phrase *w, const struct w5_leg *l, uint64_t ts_ns)
{
	char from[TEXT_ADDR_MAX];

	if (l->icmp_type && !(l->flags & W5_F_LOCAL_UNREACH)) {
		text_addr(from, sizeof(from), &l->icmp_from);
		phrase_put(w, "ICMP type %u code %u from %s", l->icmp_type, l->icmp_code, from);
	} else if (l->flags & W5_F_LOCAL_UNREACH) {
		phrase_put(w, "the next hop does not answer ARP or ND");
	} else {
		phrase_put(w, "no way there");
	}
	put_after(w, l->open_ns, ts_ns, "the SYN");
	put_errno(w, l);
}

static void say_connect(struct phrase *w, const struct w5_leg *l, uint64_t ts_ns)
{
	char took[16];

	phrase_put(w, "no answer to %u SYN%s", l->syn_sent, text_plural(l->syn_sent));
	if (l->open_ns && ts_ns >= l->open_ns) {
		text_duration(took, sizeof(took), ts_ns - l->open_ns);
		phrase_put(w, " in %s", took);
	}
	if (l->err || l->err_soft)
		put_errno(w, l);
	else
		phrase_put(w, ", the gateway stopped waiting");
}

static void say_connect_failed(struct phrase *w, const struct w5_leg *l, uint64_t ts_ns)
{
	phrase_put(w, "connect failed");
	put_after(w, l->open_ns, ts_ns, "it began");
	put_errno(w, l);
}

static void say_alert(struct phrase *w, const struct w5_leg *l, uint64_t ts_ns)
{
	bool in = l->alert_in & 0xff;
	unsigned alert = (in ? l->alert_in : l->alert_out) & 0xff;
	const char *name = tls_alert_name(alert);

	if (name)
		phrase_put(w, "%s", name);
	else
		phrase_put(w, "alert %u", alert);
	phrase_put(w, " from the %s", in ? peer(l) : "gateway");
}

/* When, first: the end may not fit on the screen. */
static void say_reset_in(struct phrase *w, const struct w5_leg *l, uint64_t ts_ns)
{
	phrase_put(w, l->role == W5_ROLE_UPSTREAM ? "RST" : "RST of the client");
	put_state(w, l, ts_ns);
	put_ttl(w, l);
	if (l->rst_flags && !(l->rst_flags & W5_TCP_ACK))
		phrase_put(w, ", no ACK");
}

static void say_reset_out(struct phrase *w, const struct w5_leg *l, uint64_t ts_ns)
{
	phrase_put(w, "RST sent to the %s", peer(l));
	put_state(w, l, ts_ns);
}

static void say_stream_reset(struct phrase *w, const struct w5_leg *l, uint64_t ts_ns)
{
	bool is_reset = l->h2_end == W5_H2_RST_IN || l->h2_end == W5_H2_RST_OUT;
	bool in = l->h2_end == W5_H2_RST_IN || l->h2_end == W5_H2_GOAWAY_IN;
	char code[CODE_TEXT_MAX];

	phrase_put(w, "%s %s", is_reset ? "RST_STREAM" : "GOAWAY",
		   h2_error_text(code, l->h2_error));
	phrase_put(w, " from the %s", in ? peer(l) : "gateway");
	put_after(w, l->req_ns, ts_ns, "the request");
}

static void say_timeout(struct phrase *w, const struct w5_leg *l, uint64_t ts_ns)
{
	phrase_put(w, "the kernel gave up");
	put_errno(w, l);
	if (l->retrans)
		phrase_put(w, ", %u sent again", l->retrans);
	put_state(w, l, ts_ns);
}

static void say_closed_early(struct phrase *w, const struct w5_leg *l, uint64_t ts_ns)
{
	if (l->flags & W5_F_HANDSHAKE) {
		phrase_put(w, "FIN in the TLS handshake");
		return;
	}
	phrase_put(w, "FIN");
	put_after(w, l->req_ns, ts_ns, "the request");
	phrase_put(w, " and no answer, request %s",
		   l->req_acked >= l->req_bytes ? "ACKed" : "not ACKed");
}

static void say_gave_up(struct phrase *w, const struct w5_leg *l, uint64_t ts_ns)
{
	char took[16];

	phrase_put(w, "no answer%s", l->flags & W5_F_HANDSHAKE ? " in the TLS handshake" : "");
	if (l->req_ns && ts_ns >= l->req_ns) {
		text_duration(took, sizeof(took), ts_ns - l->req_ns);
		phrase_put(w, " in %s", took);
	}
	phrase_put(w, ", then the gateway closed");
	if (l->req_acked < l->req_bytes)
		phrase_put(w, ", request not ACKed");
}

static void say_client_left(struct phrase *w, const struct w5_leg *l, uint64_t ts_ns)
{
	phrase_put(w, "FIN from the client");
	put_after(w, l->req_ns, ts_ns, "its request");
}

static void say_retransmit(struct phrase *w, const struct w5_leg *l, uint64_t ts_ns)
{
	char text[16];

	phrase_put(w, "%u segment%s sent again", l->retrans, text_plural(l->retrans));
	if (l->rto_count)
		phrase_put(w, ", %u RTO%s in a row", l->rto_count, text_plural(l->rto_count));
	if (l->rto_us) {
		text_duration(text, sizeof(text), l->rto_us * 1000ull);
		phrase_put(w, ", rto %s", text);
	}
	if (l->srtt_us) {
		text_duration(text, sizeof(text), l->srtt_us * 1000ull);
		phrase_put(w, ", srtt %s", text);
	}
}

static void say_zero_window(struct phrase *w, const struct w5_leg *l, uint64_t ts_ns)
{
	phrase_put(w, "the %s's receive window was 0 at the end", peer(l));
}

static void (*const sayers[EVENT_MAX])(struct phrase *w, const struct w5_leg *l, uint64_t ts_ns) = {
	[EVENT_REFUSED] = say_refused,	       [EVENT_UNREACHABLE] = say_unreachable,
	[EVENT_CONNECT_TIMEOUT] = say_connect, [EVENT_CONNECT_FAILED] = say_connect_failed,
	[EVENT_TLS_ALERT] = say_alert,	       [EVENT_STREAM_RESET] = say_stream_reset,
	[EVENT_RESET_IN] = say_reset_in,       [EVENT_RESET_OUT] = say_reset_out,
	[EVENT_TIMEOUT] = say_timeout,	       [EVENT_CLOSED_EARLY] = say_closed_early,
	[EVENT_GAVE_UP] = say_gave_up,	       [EVENT_CLIENT_LEFT] = say_client_left,
	[EVENT_RETRANSMIT] = say_retransmit,   [EVENT_ZERO_WINDOW] = say_zero_window,
};

void event_text(char *out, size_t cap, const struct engine_event *ev)
{
	struct phrase w = phrase_begin(out, cap);

	if (ev->kind < EVENT_MAX && sayers[ev->kind])
		sayers[ev->kind](&w, &ev->leg, ev->ts_ns);
}

static void put_span(struct phrase *w, struct span s, const char *after)
{
	char text[160];

	if (!s.p)
		return;
	text_escape(text, sizeof(text), s.p, s.len);
	phrase_put(w, "%s%s", text, after);
}

void event_context(char *out, size_t cap, const struct engine_event *ev)
{
	const struct w5_leg *l = &ev->leg;
	struct phrase w = phrase_begin(out, cap);
	char idle[16];
	struct head h;

	if (!(l->flags & W5_F_HANDSHAKE) && head_parse(&h, l)) {
		put_span(&w, h.method, " ");
		put_span(&w, h.host, "");
		put_span(&w, h.target, "");
	}
	if (l->nr > 1)
		phrase_item(&w, ", ", "request %u of its connection", l->nr);
	if (l->idle_ns) {
		text_duration(idle, sizeof(idle), l->idle_ns);
		phrase_item(&w, ", ", "idle %s before", idle);
	}
	if (l->status)
		phrase_item(&w, ", ", "answered %u", l->status);
}
