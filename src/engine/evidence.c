/* SPDX-License-Identifier: BSD-2-Clause */
/* The facts behind a finding as sentences, each where it applies: their order, and the client's. */
#include "engine/evidence.h"

#include <stdarg.h>

#include "engine/codes.h"

void say(struct writer *w, const char *fmt, ...)
{
	va_list ap;

	if (w->f->nevidence == FINDING_EVIDENCE_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(w->f->evidence[w->f->nevidence++], sizeof(w->f->evidence[0]), fmt, ap);
	va_end(ap);
}

/* A client's stream ends as its conn would: by the peer, or by the gateway. */
static bool say_down_stream(struct writer *w, const struct w5_leg *d)
{
	bool by_client = d->h2_end == W5_H2_RST_IN || d->h2_end == W5_H2_GOAWAY_IN;
	char code[CODE_TEXT_MAX];

	if (!d->h2_end || d->status)
		return d->h2_end != W5_H2_NONE;
	h2_error_text(code, d->h2_error);
	if (by_client)
		say(w, "%s (%s) from the client %s after its request", frame_name(d->h2_end), code,
		    dur(d->req_ns, d->end_ns).s);
	else
		say(w, "the client got no byte: the gateway sent %s (%s) %s after the request",
		    frame_name(d->h2_end), code, dur(d->req_ns, d->end_ns).s);
	return true;
}

static void say_half_close(struct writer *w, const struct w5_leg *d)
{
	if (say_down_stream(w, d))
		return;
	if (d->status && d->fin_in_ns && d->fin_in_ns < d->resp_ns)
		say(w, "the client had closed its side %s before the answer",
		    dur(d->fin_in_ns, d->resp_ns).s);
	if (!d->status && d->end == W5_END_FIN_IN)
		say(w, "%s from the client %s after its request",
		    d->alert_in ? "TLS close_notify" : "FIN", dur(d->req_ns, d->end_ns).s);
	if (!d->status && d->end == W5_END_RST_IN)
		say(w, "RST from the client %s after its request", dur(d->req_ns, d->end_ns).s);
	if (!d->status && (d->end == W5_END_FIN_OUT || d->end == W5_END_RST_OUT))
		say(w, "the client got no byte: the gateway sent %s %s after the request",
		    d->end == W5_END_FIN_OUT ? "FIN" : "RST", dur(d->req_ns, d->end_ns).s);
}

void sentence_evidence(struct finding *f, const struct sentence_input *in)
{
	struct writer w = { .f = f, .in = in };

	say_log(&w);
	if (finding_unread(f))
		say(&w, "the client was answered; its HTTP/2 connection is older than why502, and "
			"the status refers to what it said before");
	say_half_close(&w, &f->down);
	say_around(&w);
	if (f->lost)
		say(&w, "%llu records were lost in this window", (unsigned long long)f->lost);
	if (in->facts)
		say_attempt(&w, in->facts);
	say_host(&w);
}
