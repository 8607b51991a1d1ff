/* SPDX-License-Identifier: BSD-2-Clause */
/* Evidence: the attempt that decided, as its packets and its socket tell. */
#include "engine/evidence.h"

#include <string.h>

#include "engine/codes.h"
#include "engine/tlshello.h"

/* No packet tells of it: what the socket, and the host when asked, do. */
static void say_unsent(struct writer *w, const struct facts *x)
{
	const struct w5_leg *l = x->l;
	const struct w5_limit *p = x->ports;

	if (l->flags & W5_F_UNSENT) {
		say(w, "connect() failed at once: the socket got no port and no SYN was sent");
		if (l->err)
			say(w, "asked for it, the routing table of this process says %s",
			    err_name(l->err).s);
		else
			say(w, "asked for it, the routing table of this process has a route");
		return;
	}
	say(w, "the kernel found no port for the connect: SYN_SENT and back, no SYN was sent");
	if (p && p->used)
		say(w, "%u sockets to this peer (%u in TIME_WAIT), %u ports in %u-%u", p->used,
		    p->waiting, p->limit, p->port_lo, p->port_hi);
}

static void say_connect(struct writer *w, const struct facts *x)
{
	const struct w5_leg *l = x->l;

	if (!x->connecting)
		return;
	if (w5_addr_is_path(&l->remote)) {
		say(w, "connect() to this local socket returned %s, %s before the answer",
		    err_name(l->err).s, dur(l->end_ns, w->f->ts_ns).s);
		return;
	}
	if (!l->lport && !l->syn_sent) {
		say_unsent(w, x);
		return;
	}
	say(w, "%u SYN sent in %s, not established", l->syn_sent, dur(l->open_ns, l->end_ns).s);
	if (l->flags & W5_F_LOCAL_UNREACH || l->busy)
		say(w, "the SYN was still queued here for ARP/ND (%u retransmits refused)",
		    l->busy);
	if (l->rst_in_ns)
		say(w, "RST%s came %s after the SYN, ttl %u",
		    l->rst_flags & W5_TCP_ACK ? "-ACK" : "", dur(l->open_ns, l->rst_in_ns).s,
		    l->rst_ttl);
	if (l->icmp_type) {
		char from[TEXT_ADDR_MAX];

		text_addr(from, sizeof(from), &l->icmp_from);
		say(w, "ICMP type %u code %u from %s", l->icmp_type, l->icmp_code, from);
	}
	if (x->err && w->in->is_capture)
		say(w, "which a kernel reports as %s", err_name(x->err).s);
	else if (x->err)
		say(w, "the kernel reported %s%s", err_name(x->err).s, l->err ? "" : " (soft)");
	else
		say(w, "the gateway gave up after %s", dur(l->open_ns, l->end_ns).s);
}

static void say_opaque(struct writer *w, const struct facts *x)
{
	if (leg_unread(x->l) && !x->l->stream)
		say(w, "answered %s after the request, unread: the connection is older than why502",
		    dur(x->l->req_ns, x->l->resp_ns).s);
	else if (leg_unread(x->l))
		say(w,
		    "answered %s after the request, with a status that refers to what the "
		    "connection said before why502 started",
		    dur(x->l->req_ns, x->l->resp_ns).s);
	else if (leg_opaque(x->l) && !x->handshake)
		say(w, "the connection speaks %s: only times and sizes are known",
		    x->l->proto == W5_PROTO_TLS ? "TLS" : "HTTP/2");
}

static void say_handshake(struct writer *w, const struct facts *x)
{
	const struct w5_leg *l = x->l;
	uint16_t chosen = tls_server_version(l->resp, min_size(l->resp_len, W5_HEAD_RESP));
	char text[160];

	if (!x->handshake)
		return;
	tls_offer_words(text, sizeof(text), l);
	if (text[0])
		say(w, "the gateway's ClientHello offered: %s", text);
	if (chosen)
		say(w, "the backend chose %s %s later", tls_version_name(chosen),
		    dur(l->req_ns, l->resp_ns).s);
	if (!l->resp_bytes && !tls_is_later_flight(l))
		say(w, "%u of %u bytes of the ClientHello acknowledged, no answer", l->req_acked,
		    l->req_bytes);
	if (x->alert) {
		tls_alert_words(text, sizeof(text), x->alert);
		say(w, "%s, sent by the %s", text, x->tls == TLS_ALERT_IN ? "backend" : "gateway");
	}
	if (x->tls == TLS_ALERT_VEILED)
		say(w, "the gateway's last message is an alert by its size, encrypted");
}

static void say_stream(struct writer *w, const struct facts *x)
{
	const struct w5_leg *l = x->l;
	char text[CODE_TEXT_MAX];

	if (!x->stream)
		return;
	if (l->h2_end == W5_H2_GOAWAY_OUT)
		say(w, "the gateway had sent GOAWAY (%s)", h2_error_text(text, l->h2_error));
	else if (l->h2_end)
		say(w, "%s (%s) from the %s %s after the request, on stream %u",
		    frame_name(l->h2_end), h2_error_text(text, l->h2_error),
		    x->by_gateway ? "gateway" : "backend", dur(l->req_ns, l->end_ns).s, l->stream);
	else if (x->overtaken)
		say(w,
		    "the backend's last words, sent before its close_notify, were lost to its RST: "
		    "the gateway had not read them");
	if (l->grpc_status)
		say(w, "grpc-status %u (%s)", l->grpc_status - 1u,
		    grpc_status_text(text, l->grpc_status - 1u));
}

static void say_reuse(struct writer *w, const struct facts *x)
{
	if (x->connecting || !x->l->nr)
		return;
	if (x->reused)
		say(w, "connection reused: request %u on it%s, idle %s before", x->l->nr,
		    x->l->flags & W5_F_OLDER ? " since why502 started" : "",
		    dur(0, x->l->idle_ns).s);
	else if (!x->l->status)
		say(w, "first request on a new connection");
}

static void say_fin_first(struct writer *w, const struct facts *x)
{
	if (x->fin_first)
		say(w, "FIN from the backend %s before our request left",
		    dur(x->l->fin_in_ns, x->l->req_ns).s);
}

static void say_ack(struct writer *w, const struct facts *x)
{
	const struct w5_leg *l = x->l;

	/* A frame ended it: the conn lived, and what of it was acknowledged decides nothing. */
	if (x->connecting || l->status || !l->req_bytes || x->handshake || x->by_frame)
		return;
	say(w, "%u of %u request bytes acknowledged", l->req_acked, l->req_bytes);
	if (l->retrans)
		say(w, "%u segments sent again, %u timeouts in a row", l->retrans, l->rto_count);
}

/* With TLS the one who says goodbye ends it: the other's FIN may be the first on the wire, and
 * its own an RST, because nobody reads the answer. */
static bool said_goodbye(struct writer *w, const struct facts *x, const char *after,
			 const char *asked)
{
	bool in = x->l->end == W5_END_FIN_IN || x->l->end == W5_END_RST_IN;
	const char *word = x->alert ? "alert" : "close_notify";

	if (in && x->peer_fin && x->l->end == W5_END_RST_IN) {
		say(w, "TLS %s from the backend, then its RST, %s after the %s", word, after,
		    asked);
		return true;
	}
	if (in ? !x->by_gateway : !x->peer_fin)
		return false;
	say(w, "the %s ended it first, by a TLS %s; the %s closed at that, %s after the %s",
	    in ? "gateway" : "backend", word, in ? "backend" : "gateway", after, asked);
	return true;
}

static void say_end(struct writer *w, const struct facts *x)
{
	const struct w5_leg *l = x->l;
	uint64_t from = l->req_last_ns && !leg_opaque(l) ? l->req_last_ns : l->req_ns;
	struct span_text t = dur(from, l->end_ns);
	const char *asked = x->handshake ? "ClientHello" : "request";

	if (x->connecting || !l->end || x->by_frame)
		return;
	if (x->handshake && tls_is_later_flight(l))
		asked = "gateway's last message";
	if (said_goodbye(w, x, t.s, asked))
		return;
	if (x->peer_rst)
		say(w, "RST %s ACK %s after the %s, ttl %u%s",
		    l->rst_flags & W5_TCP_ACK ? "with" : "without", t.s, asked, l->rst_ttl,
		    x->ref_ttl && l->rst_ttl == x->ref_ttl ? " as its other packets" : "");
	else if (x->peer_fin)
		say(w, "FIN from the backend %s after the %s", t.s, asked);
	else if (x->by_gateway)
		say(w, "the gateway closed first, with %s, %s after the %s",
		    l->end == W5_END_RST_OUT ? "RST" : "FIN", t.s, asked);
	else
		say(w, "the kernel gave up %s after the %s (%s)", t.s, asked, err_name(x->err).s);
	if (x->ref_ttl && l->rst_ttl && l->rst_ttl != x->ref_ttl)
		say(w, "ttl %u in the backend's other packets", x->ref_ttl);
}

static void say_bytes(struct writer *w, const struct facts *x)
{
	const struct w5_leg *l = x->l;
	char bytes[100];

	if (!l->resp_bytes)
		return;
	if (l->status)
		say(w, "upstream answered %u, %s after the request", l->status,
		    dur(l->req_ns, l->resp_ns).s);
	if ((!x->answered_badly && l->status) || x->stream || leg_unread(l))
		return;
	if (x->handshake && x->resp == RESP_TLS)
		return; /* say_handshake() has read them */
	text_escape(bytes, sizeof(bytes), l->resp, l->resp_len < 24 ? l->resp_len : 24);
	say(w, "%u response bytes came, beginning: %s", l->resp_bytes, bytes);
}

static void say_timer(struct writer *w, const struct facts *x)
{
	static const char *const waits[TIMER_PHASES] = {
		[TIMER_CONNECT] = "to connect",	 [TIMER_HANDSHAKE] = "for the TLS handshake",
		[TIMER_SEND] = "to send",	 [TIMER_ANSWER] = "for an answer",
		[TIMER_BODY] = "for more of it",
	};
	const struct finding_timer *t = &w->f->timer;

	(void)x;
	if (t->seen > 1)
		say(w, "the gateway's timer %s: %s, seen %u times for this upstream",
		    waits[t->phase], dur(0, t->ns).s, t->seen);
	if (t->late_seen)
		say(w, "%u answer%s to such requests came too late: after %s to %s", t->late_seen,
		    t->late_seen == 1 ? "" : "s", dur(0, t->late_shortest_ns).s,
		    dur(0, t->late_longest_ns).s);
}

static void say_missing(struct writer *w, const struct facts *x)
{
	if (x->gap)
		say(w, "later bytes of the response had come, one segment before them had not");
	if (x->l->sacked && !x->acked)
		say(w, "%u later segment%s of the request had been received, the first one had not",
		    x->l->sacked, x->l->sacked == 1 ? "" : "s");
}

/* The gateway did not pass the end on: a client that has it all, as far as it can tell. */
static void say_cut(struct writer *w, const struct facts *x)
{
	const struct w5_leg *d = &w->f->down;

	if (!x->cut || d->end || x->by_gateway)
		return;
	if (!d->h.cookie)
		say(w, "which client got it was not seen");
	else
		say(w, "a second later the gateway had not closed the client's connection%s",
		    head_resp_chunked(x->l) ? ": it may have ended the response as if it were whole"
					    : "");
}

static void say_others(struct writer *w, const struct facts *x)
{
	char up[TEXT_ENDPOINT_MAX];
	size_t n = w->f->nattempts;

	(void)x;
	for (size_t i = 0; i + 1 < n; i++) {
		const struct attempt *a = &w->f->attempts[i];

		text_upstream(up, sizeof(up), &a->leg);
		if (a->doubtful)
			say(w, "also possible: %s, %s", up, cause_name(a->cause));
		else if (a->cause)
			say(w, "attempt %zu failed: %s, %s", i + 1, up, cause_name(a->cause));
	}
}

static void say_killed(struct writer *w, const struct facts *x)
{
	const struct w5_killed *k = x->killed;
	char name[4 * sizeof(k->comm)], signal[CODE_TEXT_MAX];

	if (!k)
		return;
	text_escape(name, sizeof(name), k->comm, strnlen(k->comm, sizeof(k->comm)));
	say(w,
	    "the backend's process %s (pid %u) died of %s%s and its socket was closed, %s before",
	    name, k->tgid, signal_text(signal, k->signal), k->oom ? " (OOM killer)" : "",
	    dur(k->h.ts_ns, x->l->end_ns).s);
}

void say_attempt(struct writer *w, const struct facts *x)
{
	static void (*const says[])(struct writer *, const struct facts *) = {
		say_connect,   say_handshake, say_opaque, say_killed, say_reuse,
		say_fin_first, say_ack,	      say_stream, say_end,    say_bytes,
		say_missing,   say_timer,     say_cut,	  say_others,
	};

	for (size_t i = 0; i < ARRAY_SIZE(says); i++)
		says[i](w, x);
}
