/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Causes of an HTTP/2 stream that a frame ended (RFC 9113 5.4, 6.4, 6.8). What ended with
 * its conn is judged by what TCP did: rules_silent.c.
 */
#include "engine/codes.h"
#include "engine/rules.h"

static bool unanswered(const struct facts *f)
{
	return f->stream && !f->l->status && !f->opaque_answer;
}

/* Its headers had come; its end never did. */
static bool cut_short(const struct facts *f)
{
	bool by_peer = f->stream_reset || f->went_away || f->peer_fin || f->peer_rst;

	return f->stream && f->l->status && by_peer && (f->cut || f->answered_badly);
}

static bool refused(const struct facts *f)
{
	return unanswered(f) && f->stream_reset && f->l->h2_error == H2_REFUSED_STREAM;
}

static bool reset(const struct facts *f)
{
	return unanswered(f) && f->stream_reset;
}

static bool went_away(const struct facts *f)
{
	return unanswered(f) && f->went_away;
}

/* A GOAWAY, or an answer: nobody knows. */
static bool overtaken(const struct facts *f)
{
	return unanswered(f) && f->overtaken && !f->by_frame;
}

/* The gateway's timer. Of one stream's bytes no ACK is known, only of its conn's. */
static bool slow(const struct facts *f)
{
	return unanswered(f) && f->by_gateway && f->elapsed_ns >= TIMER_MIN_NS &&
	       f->l->h2_end == W5_H2_RST_OUT && !f->l->retrans;
}

/* An answer to gRPC that is none to HTTP: 200, and the error in its trailers. */
static bool grpc_error(const struct facts *f)
{
	return f->stream && f->l->grpc_status > 1 && f->answered_badly && f->l->status < 500;
}

static const struct rule rows[] = {
	{ .cause = CAUSE_TRUNCATED_BODY, .at_best = CERTAIN, .test = cut_short },
	{ .cause = CAUSE_H2_REFUSED_STREAM, .at_best = CERTAIN, .test = refused },
	{ .cause = CAUSE_H2_STREAM_RESET, .at_best = CERTAIN, .test = reset },
	{ .cause = CAUSE_H2_GOAWAY, .at_best = CERTAIN, .test = went_away },
	{ .cause = CAUSE_INSUFFICIENT_EVIDENCE, .at_best = LIKELY, .test = overtaken },
	{ .cause = CAUSE_BACKEND_SLOW, .at_best = CERTAIN, .test = slow },
	{ .cause = CAUSE_BACKEND_5XX, .at_best = LIKELY, .test = grpc_error },
};

const struct rule_table rules_h2 = { .rows = rows, .n = ARRAY_SIZE(rows) };
