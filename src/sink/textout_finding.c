/* SPDX-License-Identifier: BSD-2-Clause */
/* One finding as text: request and cause, its attempts, why and what to do next. */
#include "sink/textout_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

/* Wire bytes, made harmless for a terminal. */
void textout_wire(struct buf *b, const char *s)
{
	char text[4 * (W5_HEAD_REQ + 1)];

	text_escape(text, sizeof(text), s, strlen(s));
	buf_str(b, text);
}

void textout_duration(struct buf *b, uint64_t ns)
{
	char text[16];

	text_duration(text, sizeof(text), ns);
	buf_str(b, text);
}

void textout_endpoint(struct buf *b, const struct w5_addr *a, uint16_t port)
{
	char text[TEXT_ENDPOINT_MAX];

	text_endpoint(text, sizeof(text), a, port);
	buf_str(b, text);
}

/* What stands in place of a status. */
static const char *no_status(const struct finding *f)
{
	if (f->verdict == VERDICT_CLIENT)
		return "aborted";
	if (finding_unread(f))
		return "unread";
	return f->down.resp_bytes ? "no status" : "silent";
}

/* A log need not have the address, nor the port. */
static void put_client(struct buf *b, const struct finding *f)
{
	char text[TEXT_ADDR_MAX];

	if (!finding_has_client(f))
		return;
	buf_str(b, "  from ");
	if (f->down.rport || f->sight != SIGHT_LOG) {
		textout_endpoint(b, &f->down.remote, f->down.rport);
		return;
	}
	text_addr(text, sizeof(text), &f->down.remote);
	buf_str(b, text);
}

/* 12:06:21.341  502 POST shop.example/api/cart  from 198.51.100.4:51034  after 0.402 ms ... */
static void put_headline(struct buf *b, const struct finding *f)
{
	char time[TEXT_TIME_MAX], status[16];

	text_time_of_day(time, sizeof(time), f->wall_ns);
	if (f->status)
		snprintf(status, sizeof(status), "%u", f->status);
	else
		snprintf(status, sizeof(status), "%s", no_status(f));
	buf_printf(b, "%s  %s ", time, status);
	if (*f->method) {
		textout_wire(b, f->method);
		buf_str(b, " ");
		textout_wire(b, f->host);
		textout_wire(b, f->target);
	} else {
		buf_str(b, "(request not seen)");
	}
	put_client(b, f);
	if (f->req_ns) {
		buf_str(b, "  after ");
		textout_duration(b, f->duration_ns);
	}
	if (*f->gateway_name) {
		buf_str(b, "  by ");
		textout_wire(b, f->gateway_name);
		if (f->down.tgid)
			buf_printf(b, "[%u]", f->down.tgid);
	}
	buf_str(b, "\n");
}

static void put_verdict(struct buf *b, const struct finding *f)
{
	buf_printf(b, "  %s (%s), %s, finding %llu", cause_name(f->cause),
		   confidence_name(f->confidence), verdict_name(f->verdict),
		   (unsigned long long)f->id);
	if (f->sight != SIGHT_WIRE)
		buf_printf(b, ", status seen by %s", sight_name(f->sight));
	if (f->linked_id)
		buf_printf(b, ", follows from finding %llu", (unsigned long long)f->linked_id);
	if (f->lost)
		buf_printf(b, ", %llu records lost around it", (unsigned long long)f->lost);
	buf_str(b, "\n");
}

/* Since when the conn was there for this request. */
static void put_conn(struct buf *b, const struct w5_leg *l)
{
	if (l->end == W5_END_CONNECT || l->phase == W5_PHASE_CONNECT) {
		if (w5_addr_is_path(&l->remote))
			buf_str(b, "connect");
		else if (!l->lport && !l->syn_sent)
			buf_str(b, "connect, no packet left");
		else
			buf_printf(b, "connect, %u SYN%s", l->syn_sent, text_plural(l->syn_sent));
		return;
	}
	if (l->nr > 1)
		buf_printf(b, "reused %u time%s%s", l->nr - 1, text_plural(l->nr - 1),
			   l->flags & W5_F_OLDER ? " or more" : "");
	else
		buf_str(b, l->flags & W5_F_OLDER ? "older connection" : "new connection");
	if (l->idle_ns) {
		buf_str(b, ", idle ");
		textout_duration(b, l->idle_ns);
	}
	if (l->req_bytes && !l->resp_bytes)
		buf_str(b, l->req_acked >= l->req_bytes ? ", request acknowledged"
							: ", request not acknowledged");
}

static void put_conn_end(struct buf *b, const struct w5_leg *l)
{
	static const char *const says[] = {
		[W5_END_NONE] = "",
		[W5_END_FIN_IN] = "backend closed (FIN)",
		[W5_END_RST_IN] = "backend reset (RST)",
		[W5_END_FIN_OUT] = "gateway closed",
		[W5_END_RST_OUT] = "gateway reset",
		[W5_END_SK_ERR] = "kernel gave up",
		[W5_END_CONNECT] = "failed",
	};
	uint64_t from_ns = l->nr > 1 || l->req_ns ? l->req_ns : l->open_ns;
	char err[32];

	_Static_assert(ARRAY_SIZE(says) == W5_END_MAX, "every end has its words");
	if (l->status) {
		buf_printf(b, ", answered %u", l->status);
		if (l->req_ns && l->resp_ns >= l->req_ns) {
			buf_str(b, " after ");
			textout_duration(b, l->resp_ns - l->req_ns);
		}
	}
	if (l->retrans)
		buf_printf(b, ", %u retransmit%s", l->retrans, text_plural(l->retrans));
	if (l->end == W5_END_NONE || l->end >= W5_END_MAX)
		return;
	buf_printf(b, ", %s", says[l->end]);
	if (l->err && (l->end == W5_END_CONNECT || l->end == W5_END_SK_ERR)) {
		text_errno(err, sizeof(err), l->err);
		buf_printf(b, " with %s", err);
	}
	if (from_ns && l->end_ns >= from_ns && !w5_addr_is_path(&l->remote)) {
		buf_str(b, " after ");
		textout_duration(b, l->end_ns - from_ns);
	}
}

static void put_attempts(struct buf *b, const struct finding *f)
{
	for (size_t i = 0; i < f->nattempts; i++) {
		const struct attempt *a = &f->attempts[i];
		char upstream[TEXT_ENDPOINT_MAX];

		buf_printf(b, "  %s %zu  ", a->doubtful ? "maybe" : "try", i + 1);
		text_upstream(upstream, sizeof(upstream), &a->leg);
		buf_str(b, upstream);
		buf_str(b, "  ");
		put_conn(b, &a->leg);
		put_conn_end(b, &a->leg);
		if (a->cause != CAUSE_NONE && a->cause != f->cause)
			buf_printf(b, ": %s", cause_name(a->cause));
		buf_str(b, "\n");
	}
}

/* Where the cause is not certain, the reader weighs the facts. */
static void put_evidence(struct buf *b, const struct finding *f)
{
	for (size_t i = 0; i < min_size(f->nevidence, FINDING_EVIDENCE_MAX); i++) {
		buf_str(b, "  fact ");
		buf_str(b, f->evidence[i]); /* escaped by the engine */
		buf_str(b, "\n");
	}
}

static bool has_packets(const struct finding *f)
{
	for (size_t i = 0; i < f->nattempts; i++) {
		if (f->attempts[i].flight)
			return true;
	}
	return f->flight;
}

void textout_finding(struct printout *p, const struct finding *f, const char *pcap_path)
{
	struct buf *b = &p->out;

	put_headline(b, f);
	put_verdict(b, f);
	put_attempts(b, f);
	if (f->confidence != CONFIDENCE_CERTAIN)
		put_evidence(b, f);
	if (*f->why) {
		buf_str(b, "  WHY  ");
		buf_str(b, f->why); /* escaped by the engine */
		buf_str(b, "\n");
	}
	if (*f->next) {
		buf_str(b, "  NEXT ");
		buf_str(b, f->next); /* escaped by the engine */
		buf_str(b, "\n");
	}
	if (pcap_path) {
		buf_str(b, "  PCAP ");
		textout_wire(b, pcap_path);
		buf_str(b, "\n");
	} else if (p->pcap && pcap_is_wanted(f) && !has_packets(f)) {
		buf_str(b, "  PCAP no packets were kept of this exchange\n");
	}
	buf_str(b, "\n");
}
