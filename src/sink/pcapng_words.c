/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The comments of a pcapng file. Bytes from the wire are escaped, so that neither a line nor
 * a key can come from them: a line of keys begins with "why502.", the others never do.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "sink/ladder.h"
#include "sink/names.h"
#include "sink/pcapng.h"

#define ESCAPED_MAX (4 * W5_HEAD_REQ + 1)

static void put_wire(struct buf *b, const void *bytes, size_t len)
{
	char text[ESCAPED_MAX];

	text_escape(text, sizeof(text), bytes, len);
	buf_str(b, text);
}

static void put_key(struct buf *b, const char *key, const char *value)
{
	if (!*value)
		return;
	buf_printf(b, "why502.%s=", key);
	put_wire(b, value, strlen(value));
	buf_str(b, "\n");
}

static void put_endpoint(struct buf *b, const char *key, const struct w5_addr *a, uint16_t port)
{
	char text[TEXT_ENDPOINT_MAX];

	text_endpoint(text, sizeof(text), a, port);
	put_key(b, key, text);
}

/* A sentence of the engine's: ASCII already, with wire bytes escaped. */
static void put_sentence(struct buf *b, const char *head, const char *s)
{
	if (!*s)
		return;
	buf_str(b, head);
	for (; *s; s++)
		buf_put(b, *s >= ' ' && *s <= '~' ? s : "?", 1);
	buf_str(b, "\n");
}

static void put_head_line(struct buf *b, const struct finding *f)
{
	char text[TEXT_ENDPOINT_MAX], took[16];

	buf_printf(b, "why502 finding %" PRIu64 ": ", f->id);
	put_wire(b, f->method[0] ? f->method : "a request",
		 strlen(f->method[0] ? f->method : "a request"));
	if (f->target[0]) {
		buf_str(b, " ");
		put_wire(b, f->target, strlen(f->target));
	}
	if (finding_has_client(f)) {
		text_endpoint(text, sizeof(text), &f->down.remote, f->down.rport);
		buf_printf(b, " of client %s", text);
	}
	if (f->status)
		buf_printf(b, " got %u", f->status);
	else
		buf_str(b, " got no answer");
	if (f->req_ns) {
		text_duration(took, sizeof(took), f->duration_ns);
		buf_printf(b, " after %s", took);
	}
	buf_printf(b, " (%s)\n", verdict_name(f->verdict));
}

static void put_witnesses(struct buf *b, const struct finding *f)
{
	const char *sep = "why502.witness=";

	for (unsigned int bit = 0; bit < WITNESS_COUNT; bit++) {
		if (!(f->witness & 1u << bit))
			continue;
		buf_printf(b, "%s%s", sep, witness_name(bit));
		sep = ",";
	}
	if (*sep == ',')
		buf_str(b, "\n");
}

static void put_keys(struct buf *b, const struct finding *f)
{
	const struct attempt *last = finding_last_attempt(f);
	char ts[TEXT_TIME_MAX];

	text_time_utc(ts, sizeof(ts), f->wall_ns);
	buf_printf(b, "why502.finding=%" PRIu64 "\n", f->id);
	put_key(b, "ts", ts);
	if (f->status)
		buf_printf(b, "why502.status=%u\n", f->status);
	put_key(b, "verdict", verdict_name(f->verdict));
	put_key(b, "cause", cause_name(f->cause));
	put_key(b, "confidence", confidence_name(f->confidence));
	put_key(b, "proxy_status", cause_proxy_status(f->cause));
	put_key(b, "gateway", f->gateway_name);
	if (f->down.tgid)
		buf_printf(b, "why502.pid=%u\n", f->down.tgid);
	if (finding_has_client(f))
		put_endpoint(b, "client", &f->down.remote, f->down.rport);
	put_key(b, "method", f->method);
	put_key(b, "target", f->target);
	put_key(b, "host", f->host);
	put_key(b, "request_id", f->request_id);
	buf_printf(b, "why502.attempts=%zu\n", f->nattempts);
	if (last) {
		put_endpoint(b, "upstream", &last->leg.remote, last->leg.rport);
		put_key(b, "end", end_name(last->leg.end));
	}
	put_witnesses(b, f);
	buf_printf(b, "why502.lost=%" PRIu64, f->lost);
}

void pcapng_finding_words(struct buf *b, const struct finding *f)
{
	put_head_line(b, f);
	buf_printf(b, "%s (%s)", cause_name(f->cause), confidence_name(f->confidence));
	put_sentence(b, ": ", f->why[0] ? f->why : cause_brief(f->cause));
	for (size_t i = 0; i < min_size(f->nevidence, FINDING_EVIDENCE_MAX); i++)
		put_sentence(b, "evidence: ", f->evidence[i]);
	put_sentence(b, "next: ", f->next);
	put_keys(b, f);
}

/* ---- packets ---- */

static const char *const events[] = {
	[LADDER_SYN] = "syn",	      [LADDER_SYNACK] = "syn-ack",  [LADDER_FIN] = "fin",
	[LADDER_RST] = "rst",	      [LADDER_REQUEST] = "request", [LADDER_RESPONSE] = "response",
	[LADDER_DATA] = "data",	      [LADDER_ACK] = "ack",	    [LADDER_HELLO] = "tls-hello",
	[LADDER_ALERT] = "tls-alert", [LADDER_FRAME] = "h2-frame",  [LADDER_ERROR] = "error",
};
_Static_assert(ARRAY_SIZE(events) == LADDER_ERROR + 1, "every event has its word");

static const char *sender(const struct ladder_row *r)
{
	bool is_gateways = (r->lane == LADDER_BACKEND) == r->to_right;

	return is_gateways ? "gateway" : r->lane == LADDER_BACKEND ? "backend" : "client";
}

static void put_reuse(struct buf *b, const struct w5_leg *leg)
{
	char idle[16];

	if (leg->nr > 1 && !(leg->flags & W5_F_OLDER))
		buf_printf(b, ", reused #%u", leg->nr - 1);
	else if (leg->nr > 1 || leg->flags & W5_F_OLDER)
		buf_str(b, ", reused (older than this tool)");
	if (leg->idle_ns) {
		text_duration(idle, sizeof(idle), leg->idle_ns);
		buf_printf(b, ", idle %s", idle);
	}
}

static void put_meaning(struct buf *b, const struct finding *f, const struct ladder_row *r)
{
	const struct w5_leg *leg = r->lane == LADDER_BACKEND ? &f->attempts[r->attempt].leg : NULL;

	/* what opened the conn opened it for this request, too */
	if (r->is_other && r->what != LADDER_SYN && r->what != LADDER_SYNACK)
		buf_str(b, "another request's: ");
	if (r->what == LADDER_REQUEST || r->what == LADDER_RESPONSE)
		buf_printf(b, "%s ", events[r->what]);
	/* labels are escaped where they are made */
	buf_printf(b, "%s of the %s", r->label, sender(r));
	if (leg && r->what == LADDER_REQUEST && !r->is_other)
		put_reuse(b, leg);
	if (leg && f->nattempts > 1)
		buf_printf(b, ", attempt %zu of %zu", r->attempt + 1, f->nattempts);
	if (r->note[0])
		buf_printf(b, ", %s", r->note);
	if (r->is_decisive)
		buf_str(b, ": decided this finding");
}

/* Words without blanks, so one line takes them all. */
static void put_packet_keys(struct buf *b, const struct finding *f, const struct ladder_row *r)
{
	const struct attempt *a = r->lane == LADDER_BACKEND ? &f->attempts[r->attempt] : NULL;
	char upstream[TEXT_ENDPOINT_MAX];

	buf_printf(b, "\nwhy502.finding=%" PRIu64 " why502.cause=%s why502.confidence=%s", f->id,
		   cause_name(f->cause), confidence_name(f->confidence));
	if (f->status)
		buf_printf(b, " why502.status=%u", f->status);
	buf_printf(b, " why502.role=%s why502.event=%s why502.from=%s why502.rel_ms=%.6f",
		   a ? "backend" : "client", events[r->what], sender(r), (double)r->rel_ns / 1e6);
	if (a) {
		text_upstream(upstream, sizeof(upstream), &a->leg);
		buf_printf(b, " why502.attempt=%zu why502.upstream=%s", r->attempt + 1, upstream);
		if (a->cause != CAUSE_NONE)
			buf_printf(b, " why502.attempt_cause=%s", cause_name(a->cause));
	}
	if (r->is_retransmit)
		buf_str(b, " why502.retransmit=1");
	if (r->is_other)
		buf_str(b, " why502.other=1");
	if (r->is_decisive)
		buf_str(b, " why502.decided=1");
}

void pcapng_packet_words(struct buf *b, const struct finding *f, const struct ladder_row *r)
{
	put_meaning(b, f, r);
	put_packet_keys(b, f, r);
}

void pcapng_iface_name(char out[PCAPNG_IFACE_MAX], const struct finding *f,
		       const struct w5_packets *p, size_t attempt)
{
	char where[TEXT_ENDPOINT_MAX], who[4 * sizeof(f->gateway_name)];

	if (attempt != SIZE_MAX) {
		text_endpoint(where, sizeof(where), &p->remote, p->rport);
		snprintf(out, PCAPNG_IFACE_MAX, "backend side %s", where);
		return;
	}
	text_endpoint(where, sizeof(where), &p->local, p->lport);
	text_escape(who, sizeof(who), f->gateway_name, strlen(f->gateway_name));
	if (f->down.tgid)
		snprintf(out, PCAPNG_IFACE_MAX, "client side %s %s/%u", where, who, f->down.tgid);
	else
		snprintf(out, PCAPNG_IFACE_MAX, "client side %s%s%s", where, who[0] ? " " : "",
			 who);
}
