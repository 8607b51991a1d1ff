/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which packet decided, and what about the packets is remarkable: facts only (TTLs,
 * acknowledgement numbers, order), the conclusion is the engine's.
 */
#include "sink/ladder_impl.h"

#include <stdio.h>
#include <string.h>

#include "base/packet.h"
#include "base/text.h"
#include "base/util.h"

/* Per cause, what to look for in the deciding leg, best first. */
enum mark_dir { MARK_IN, MARK_OUT, MARK_ANY };

struct mark_rule {
	enum ladder_what what;
	enum mark_dir dir; /* seen from the gateway */
	bool last;	   /* the last such row, else the first */
	bool client;	   /* on the client's side */
};

#define RULES_MAX 4

static const struct {
	enum cause cause;
	struct mark_rule rules[RULES_MAX];
	size_t n;
} by_cause[] = {
	{ CAUSE_CONN_REFUSED,
	  { { LADDER_RST, MARK_IN, true, false }, { LADDER_ERROR, MARK_ANY, true, false } },
	  2 },
	{ CAUSE_CONN_REFUSED_FIREWALL,
	  { { LADDER_RST, MARK_IN, true, false }, { LADDER_ERROR, MARK_ANY, true, false } },
	  2 },
	{ CAUSE_CONN_TIMEOUT_SYN,
	  { { LADDER_ERROR, MARK_ANY, true, false }, { LADDER_SYN, MARK_OUT, true, false } },
	  2 },
	{ CAUSE_KEEPALIVE_RACE,
	  { { LADDER_FIN, MARK_IN, false, false }, { LADDER_RST, MARK_IN, false, false } },
	  2 },
	{ CAUSE_BACKEND_5XX, { { LADDER_RESPONSE, MARK_IN, true, false } }, 1 },
	{ CAUSE_BACKEND_SLOW,
	  { { LADDER_FRAME, MARK_OUT, false, false },
	    { LADDER_FIN, MARK_OUT, false, false },
	    { LADDER_RST, MARK_OUT, false, false },
	    { LADDER_REQUEST, MARK_OUT, true, false } },
	  4 },
	{ CAUSE_GATEWAY_TIMEOUT_LOCAL,
	  { { LADDER_FRAME, MARK_OUT, false, false },
	    { LADDER_FIN, MARK_OUT, false, false },
	    { LADDER_RST, MARK_OUT, false, false },
	    { LADDER_REQUEST, MARK_OUT, true, false } },
	  4 },
	{ CAUSE_TLS_HANDSHAKE_FAILED, { { LADDER_ALERT, MARK_ANY, true, false } }, 1 },
	{ CAUSE_TLS_PLAINTEXT_MISMATCH,
	  { { LADDER_RESPONSE, MARK_IN, true, false }, { LADDER_ALERT, MARK_IN, true, false } },
	  2 },
	{ CAUSE_H2_STREAM_RESET, { { LADDER_FRAME, MARK_IN, true, false } }, 1 },
	{ CAUSE_H2_REFUSED_STREAM, { { LADDER_FRAME, MARK_IN, true, false } }, 1 },
	{ CAUSE_H2_GOAWAY, { { LADDER_FRAME, MARK_IN, true, false } }, 1 },
	{ CAUSE_TRUNCATED_BODY, { { LADDER_FRAME, MARK_IN, true, false } }, 1 },
	{ CAUSE_CLIENT_ABORT,
	  { { LADDER_FRAME, MARK_IN, false, true },
	    { LADDER_RST, MARK_IN, false, true },
	    { LADDER_FIN, MARK_IN, false, true } },
	  3 },
};

/* For every other cause, by how the attempt ended. */
static const struct {
	struct mark_rule rules[RULES_MAX];
	size_t n;
} by_end[W5_END_MAX] = {
	[W5_END_FIN_IN] = { { { LADDER_FIN, MARK_IN, false, false } }, 1 },
	[W5_END_RST_IN] = { { { LADDER_RST, MARK_IN, false, false } }, 1 },
	[W5_END_FIN_OUT] = { { { LADDER_FIN, MARK_OUT, false, false } }, 1 },
	[W5_END_RST_OUT] = { { { LADDER_RST, MARK_OUT, false, false } }, 1 },
	[W5_END_SK_ERR] = { { { LADDER_ERROR, MARK_ANY, true, false } }, 1 },
	[W5_END_CONNECT] = { { { LADDER_ERROR, MARK_ANY, true, false } }, 1 },
};

static bool fits(const struct ladder_row *r, const struct mark_rule *rule, size_t attempt)
{
	bool is_client = r->lane == LADDER_CLIENT, from_gateway = is_client != r->to_right;

	if (is_client != rule->client || (!is_client && r->attempt != attempt) || r->is_other)
		return false;
	/* a FIN may ride on the last data */
	if (r->what != rule->what &&
	    !(rule->what == LADDER_FIN && r->tcp_flags & W5_TCP_FIN && r->what != LADDER_RST))
		return false;
	return rule->dir == MARK_ANY || from_gateway == (rule->dir == MARK_OUT);
}

static struct ladder_row *find(struct ladder *l, const struct mark_rule *rule, size_t attempt)
{
	struct ladder_row *found = NULL;

	for (size_t i = 0; i < l->n; i++) {
		if (!fits(&l->rows[i], rule, attempt))
			continue;
		found = &l->rows[i];
		if (!rule->last)
			break;
	}
	return found;
}

static bool mark_first(struct ladder *l, const struct mark_rule *rules, size_t n, size_t attempt)
{
	for (size_t i = 0; i < n; i++) {
		struct ladder_row *r = find(l, &rules[i], attempt);

		if (r) {
			r->is_decisive = true;
			return true;
		}
	}
	return false;
}

static void mark_decisive(struct ladder *l, const struct finding *f)
{
	size_t last = f->nattempts ? f->nattempts - 1 : 0;
	unsigned end = f->nattempts ? f->attempts[last].leg.end : W5_END_NONE;
	/* a recovered exchange is about the attempt that failed, not the one that worked */
	enum cause cause = f->cause;

	for (size_t i = 0; f->verdict == VERDICT_RECOVERED && i < f->nattempts; i++) {
		if (f->attempts[i].cause != CAUSE_NONE) {
			last = i;
			end = f->attempts[i].leg.end;
			cause = f->attempts[i].cause;
			break;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(by_cause); i++)
		if (by_cause[i].cause == cause &&
		    mark_first(l, by_cause[i].rules, by_cause[i].n, last))
			return;
	if (end < W5_END_MAX)
		mark_first(l, by_end[end].rules, by_end[end].n, last);
}

static const struct ladder_row *request_of(const struct ladder *l, size_t attempt)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->rows[i].lane == LADDER_BACKEND && l->rows[i].attempt == attempt &&
		    l->rows[i].what == LADDER_REQUEST && !l->rows[i].is_minor)
			return &l->rows[i];
	return NULL;
}

static void note_end(struct ladder_row *r, const struct ladder_row *req, const struct w5_leg *leg)
{
	uint8_t known_ttl = leg->synack_ttl ? leg->synack_ttl : leg->data_ttl;
	const char *of = leg->synack_ttl ? "SYN-ACK" : "its data";
	const char *acked = "";
	char ttl[32] = "";

	/* only from the packets themselves: both numbers were seen on the wire */
	if (req && req->kind == LADDER_PACKET && r->kind == LADDER_PACKET &&
	    r->tcp_flags & W5_TCP_ACK)
		acked = packet_seq_cmp(r->ack, req->seq) <= 0 ? "does not ACK our request"
							      : "request ACKed";
	if (req && r->what == LADDER_FIN && r->ts_ns < req->ts_ns)
		acked = "before our request";
	if (r->what == LADDER_RST && r->ttl && known_ttl && r->ttl == known_ttl)
		snprintf(ttl, sizeof(ttl), "same ttl as %s", of);
	else if (r->what == LADDER_RST && r->ttl && known_ttl)
		snprintf(ttl, sizeof(ttl), "%s had ttl %u", of, known_ttl);
	snprintf(r->note, sizeof(r->note), "%s%s%s", acked, acked[0] && ttl[0] ? ", " : "", ttl);
}

/* How long after the copy before it: the timeout, as it was in effect. */
static void note_again(struct ladder *l, size_t i)
{
	struct ladder_row *r = &l->rows[i];
	char span[16];

	snprintf(r->note, sizeof(r->note), "sent again");
	for (size_t k = i; k-- > 0;) {
		const struct ladder_row *old = &l->rows[k];

		if (old->lane != r->lane || old->attempt != r->attempt ||
		    old->to_right != r->to_right || old->seq != r->seq || old->what != r->what)
			continue;
		text_duration(span, sizeof(span), r->ts_ns - old->ts_ns);
		snprintf(r->note, sizeof(r->note), "sent again, %s later", span);
		return;
	}
}

void ladder_mark(struct ladder *l, const struct finding *f)
{
	mark_decisive(l, f);
	for (size_t i = 0; i < l->n; i++) {
		struct ladder_row *r = &l->rows[i];

		if (r->lane == LADDER_BACKEND && !r->to_right &&
		    (r->what == LADDER_FIN || r->what == LADDER_RST) && r->attempt < f->nattempts)
			note_end(r, request_of(l, r->attempt), &f->attempts[r->attempt].leg);
		if (r->is_retransmit && !r->note[0])
			note_again(l, i);
	}
}
