/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Collects rows from packets (ladder_packet.c) and legs, sorts them by time, and adds
 * what the reader needs between them: gaps, the start of each attempt, the decisive
 * mark. Works in the caller's struct ladder only.
 */
#include "sink/ladder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "engine/codes.h"
#include "sink/ladder_impl.h"

/* A silence worth a line of its own. */
#define GAP_NS 500000000ull

struct ladder_row *ladder_push(struct ladder *l)
{
	if (l->n == LADDER_ROWS_MAX) {
		l->cut++;
		return NULL;
	}
	l->rows[l->n] = (struct ladder_row){ 0 };
	return &l->rows[l->n++];
}

static bool has_packet(const struct ladder *l, const struct ladder_row *m)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct ladder_row *r = &l->rows[i];

		/* the hook that noted the moment and the one that kept the packet run within
		 * microseconds; a FIN may ride on data */
		if (r->kind == LADDER_PACKET && !r->is_minor && r->lane == m->lane &&
		    r->attempt == m->attempt && r->to_right == m->to_right &&
		    (r->what == m->what || (m->what == LADDER_FIN && r->tcp_flags & W5_TCP_FIN)))
			return true;
	}
	return false;
}

static void push_moment(struct ladder *l, const struct leg_side *side, uint64_t ts_ns,
			enum ladder_what what, bool from_gateway, const char *label)
{
	struct ladder_row row = {
		.ts_ns = ts_ns,
		.kind = LADDER_MOMENT,
		.lane = side->lane,
		.attempt = side->attempt,
		.what = what,
		.to_right = (side->lane == LADDER_BACKEND) == from_gateway,
	};
	struct ladder_row *slot;

	if (!ts_ns || has_packet(l, &row))
		return;
	slot = ladder_push(l);
	if (!slot)
		return;
	*slot = row;
	snprintf(slot->label, sizeof(slot->label), "%s", label);
}

static void push_opening(struct ladder *l, const struct leg_side *side)
{
	const struct w5_leg *leg = side->leg;
	bool out = side->lane == LADDER_BACKEND;
	char label[LADDER_LABEL_MAX];

	if (leg->nr > 1)
		return; /* it was opened for an earlier request */
	if (!out) {
		push_moment(l, side, leg->open_ns, LADDER_SYN, false, "connected");
		return;
	}
	if (w5_addr_is_path(&leg->remote))
		snprintf(label, sizeof(label), "connect() failed");
	else if (leg->phase == W5_PHASE_CONNECT && !leg->lport && !leg->syn_sent)
		snprintf(label, sizeof(label), "connect() failed, no SYN sent");
	else if (leg->syn_sent > 1)
		snprintf(label, sizeof(label), "SYN, sent %u times", leg->syn_sent);
	else
		snprintf(label, sizeof(label), "SYN");
	push_moment(l, side, leg->open_ns, LADDER_SYN, true, label);
	if (leg->synack_ttl)
		snprintf(label, sizeof(label), "SYN-ACK ttl %u", leg->synack_ttl);
	else
		snprintf(label, sizeof(label), "SYN-ACK");
	if (leg->end != W5_END_CONNECT)
		push_moment(l, side, leg->estab_ns, LADDER_SYNACK, false, label);
}

/* A leg that ended in its handshake has a ClientHello for a head; req_ns is that of its last
 * flight. */
static void push_handshake(struct ladder *l, const struct leg_side *side)
{
	const struct w5_leg *leg = side->leg;
	enum ladder_what what = LADDER_DATA;
	char label[LADDER_LABEL_MAX] = "TLS handshake goes on";

	if (!leg->idle_ns && !ladder_tls(label, sizeof(label), leg->head,
					 min_size(leg->head_len, W5_HEAD_REQ), &what))
		snprintf(label, sizeof(label), "ClientHello");
	push_moment(l, side, leg->req_ns, what, true, label);
	what = LADDER_RESPONSE;
	if (!ladder_tls(label, sizeof(label), leg->resp, min_size(leg->resp_len, W5_HEAD_RESP),
			&what))
		ladder_first_line(label, sizeof(label), leg->resp,
				  min_size(leg->resp_len, W5_HEAD_RESP));
	push_moment(l, side, leg->resp_ns, what, false, label[0] ? label : "answer");
}

static void push_messages(struct ladder *l, const struct leg_side *side, const struct finding *f)
{
	const struct w5_leg *leg = side->leg;
	bool up = side->lane == LADDER_BACKEND;
	char label[LADDER_LABEL_MAX];

	if (up && leg->flags & W5_F_HANDSHAKE) {
		push_handshake(l, side);
		return;
	}
	ladder_first_line(label, sizeof(label), leg->head, min_size(leg->head_len, W5_HEAD_REQ));
	if (!label[0] && !up && f->method[0])
		snprintf(label, sizeof(label), "%.16s (head not kept)", f->method);
	push_moment(l, side, leg->req_ns, LADDER_REQUEST, up, label[0] ? label : "request");
	ladder_first_line(label, sizeof(label), leg->resp, min_size(leg->resp_len, W5_HEAD_RESP));
	if (!label[0] && leg->status)
		snprintf(label, sizeof(label), "%u", leg->status);
	push_moment(l, side, leg->resp_ns, LADDER_RESPONSE, !up, label[0] ? label : "response");
}

static void rst_label(char *out, size_t cap, const struct w5_leg *leg)
{
	const char *name = leg->rst_flags & W5_TCP_ACK ? "RST-ACK" : "RST (no ACK)";

	if (!leg->rst_ttl)
		snprintf(out, cap, "%s", leg->rst_flags ? name : "RST");
	else
		snprintf(out, cap, "%s ttl %u", name, leg->rst_ttl);
}

/* The stream's end, which is not its conn's. */
static void push_frame(struct ladder *l, const struct leg_side *side)
{
	const struct w5_leg *leg = side->leg;
	bool is_reset = leg->h2_end == W5_H2_RST_IN || leg->h2_end == W5_H2_RST_OUT;
	bool out = leg->h2_end == W5_H2_RST_OUT || leg->h2_end == W5_H2_GOAWAY_OUT;
	char label[LADDER_LABEL_MAX], code[CODE_TEXT_MAX];

	if (!leg->h2_end)
		return;
	snprintf(label, sizeof(label), "%s, %s", is_reset ? "RST_STREAM" : "GOAWAY",
		 h2_error_text(code, leg->h2_error));
	push_moment(l, side, leg->end_ns, LADDER_FRAME, out, label);
}

/* The gateway's own end is noted when it closes, the packet only when it leaves: a record made
 * in between has the first alone. */
static uint64_t closed_ns(const struct w5_leg *leg, unsigned end, uint64_t packet_ns)
{
	return packet_ns || leg->end != end || leg->h2_end ? packet_ns : leg->end_ns;
}

static void push_closing(struct ladder *l, const struct leg_side *side)
{
	const struct w5_leg *leg = side->leg;
	char label[LADDER_LABEL_MAX];

	push_frame(l, side);
	push_moment(l, side, leg->fin_in_ns, LADDER_FIN, false, "FIN");
	push_moment(l, side, closed_ns(leg, W5_END_FIN_OUT, leg->fin_out_ns), LADDER_FIN, true,
		    "FIN");
	rst_label(label, sizeof(label), leg);
	push_moment(l, side, leg->rst_in_ns, LADDER_RST, false, label);
	push_moment(l, side, closed_ns(leg, W5_END_RST_OUT, leg->rst_out_ns), LADDER_RST, true,
		    "RST");
}

/* What no packet shows: the kernel, or the gateway itself, ended the attempt. */
static void push_error(struct ladder *l, const struct leg_side *side)
{
	const struct w5_leg *leg = side->leg;
	const char *err = leg->err	  ? strerrorname_np(leg->err)
			  : leg->err_soft ? strerrorname_np(leg->err_soft)
					  : NULL;
	struct ladder_row *r;

	if (side->lane != LADDER_BACKEND || !leg->end_ns ||
	    (leg->end != W5_END_SK_ERR && leg->end != W5_END_CONNECT))
		return;
	r = ladder_push(l);
	if (!r)
		return;
	r->ts_ns = leg->end_ns;
	r->kind = LADDER_MOMENT;
	r->lane = LADDER_GATEWAY;
	r->attempt = side->attempt;
	r->what = LADDER_ERROR;
	if (leg->end == W5_END_SK_ERR)
		snprintf(r->label, sizeof(r->label), "kernel gave up: %s",
			 err ? err : "no error code");
	else
		snprintf(r->label, sizeof(r->label), "connect: %s",
			 err ? err : "gateway stopped waiting");
}

static void add_side(struct ladder *l, const struct finding *f, const struct leg_side *side,
		     const struct flight *flight, bool all)
{
	if (flight)
		ladder_add_packets(l, side, &flight->p, all);
	push_opening(l, side);
	push_messages(l, side, f);
	push_closing(l, side);
	push_error(l, side);
}

static int by_time(const void *a, const void *b)
{
	const struct ladder_row *x = a, *y = b;

	if (x->ts_ns != y->ts_ns)
		return x->ts_ns < y->ts_ns ? -1 : 1;
	/* noted in one instant: the client's leg first, then as seen from the gateway */
	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	return x->attempt < y->attempt ? -1 : x->attempt > y->attempt;
}

/* Gaps and attempt headings go between the rows: built into a second list. */
static void weave(struct ladder *to, const struct ladder *from, const struct finding *f)
{
	size_t current = SIZE_MAX;
	uint64_t last = 0;

	to->n = 0;
	to->cut = from->cut;
	for (size_t i = 0; i < from->n; i++) {
		const struct ladder_row *r = &from->rows[i];
		struct ladder_row *extra;

		if (last && r->ts_ns - last >= GAP_NS && (extra = ladder_push(to))) {
			extra->kind = LADDER_GAP;
			extra->ts_ns = last;
			snprintf(extra->label, sizeof(extra->label), "%.3f s",
				 (double)(r->ts_ns - last) / 1e9);
		}
		if (r->lane != LADDER_CLIENT && r->attempt != current &&
		    (extra = ladder_push(to))) {
			extra->kind = LADDER_ATTEMPT;
			extra->ts_ns = r->ts_ns;
			extra->attempt = r->attempt;
			ladder_attempt_text(extra->label, sizeof(extra->label), f, r->attempt);
			current = r->attempt;
		}
		extra = ladder_push(to);
		if (extra)
			*extra = *r;
		last = r->ts_ns;
	}
}

void ladder_build(struct ladder *out, const struct finding *f, bool all)
{
	struct leg_side side = { .lane = LADDER_CLIENT, .leg = &f->down, .done_ns = f->ts_ns };
	w5_auto(freep) struct ladder *l = calloc(1, sizeof(*l));
	uint64_t zero = f->req_ns ? f->req_ns : f->ts_ns;

	*out = (struct ladder){ 0 };
	if (!l) {
		out->cut = 1;
		return;
	}
	add_side(l, f, &side, f->flight, all);
	for (size_t i = 0; i < f->nattempts; i++) {
		side = (struct leg_side){
			.lane = LADDER_BACKEND,
			.attempt = i,
			.leg = &f->attempts[i].leg,
			.done_ns = f->attempts[i].leg.resp_ns,
		};
		add_side(l, f, &side, f->attempts[i].flight, all);
	}
	qsort(l->rows, l->n, sizeof(l->rows[0]), by_time);
	ladder_mark(l, f);
	weave(out, l, f);
	for (size_t i = 0; i < out->n; i++)
		out->rows[i].rel_ns = (int64_t)(out->rows[i].ts_ns - zero);
}

/* ", 3 sent again, RTO 1.60 s" */
static void again_text(char *out, size_t cap, const struct w5_leg *leg)
{
	char rto[16];

	if (!leg->retrans)
		return;
	text_duration(rto, sizeof(rto), leg->rto_us * 1000ull);
	snprintf(out, cap, ", %u sent again%s%s", leg->retrans, leg->rto_us ? ", RTO " : "",
		 leg->rto_us ? rto : "");
}

void ladder_attempt_text(char *out, size_t cap, const struct finding *f, size_t attempt)
{
	const struct w5_leg *leg = &f->attempts[attempt].leg;
	char where[TEXT_ENDPOINT_MAX], idle[24] = "", reuse[48] = "", port[24] = "", again[64] = "";

	text_upstream(where, sizeof(where), leg);
	if (leg->idle_ns >= 1000000000ull)
		snprintf(idle, sizeof(idle), "%.3f s", (double)leg->idle_ns / 1e9);
	else if (leg->idle_ns)
		text_duration(idle, sizeof(idle), leg->idle_ns);
	again_text(again, sizeof(again), leg);
	if (leg->nr > 1 && !(leg->flags & W5_F_OLDER))
		snprintf(reuse, sizeof(reuse), ", reused #%u", leg->nr - 1);
	else if (leg->nr > 1 || leg->flags & W5_F_OLDER)
		snprintf(reuse, sizeof(reuse), ", reused (older than this tool)");
	if (leg->lport)
		snprintf(port, sizeof(port), " from port %u", leg->lport);
	snprintf(out, cap, "%s%s%s%s%s%s%s", where, port, reuse, idle[0] ? ", idle " : "", idle,
		 again, f->attempts[attempt].doubtful ? ", doubtful" : "");
}
