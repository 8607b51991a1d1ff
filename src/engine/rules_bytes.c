/* SPDX-License-Identifier: BSD-2-Clause */
/* Causes where bytes came: cut or malformed headers, bodies that ended short. */
#include "engine/rules.h"

/* The smallest header buffer of a gateway (nginx proxy_buffer_size on 4 kB pages). */
#define HEADER_BUFFER_MIN 4096

/* ---- some bytes of a response ---- */

static bool unusable(const struct facts *f)
{
	return !f->connecting && f->l->resp_bytes && !leg_opaque(f->l) && !f->opaque_answer &&
	       (!f->l->status || f->answered_badly);
}

static bool not_http(const struct facts *f)
{
	return unusable(f) && !leg_opaque(f->l) && !f->l->status &&
	       (f->resp == RESP_OTHER || f->resp == RESP_TLS);
}

static bool early_response(const struct facts *f)
{
	return unusable(f) && f->l->status >= 400 && (f->peer_rst || f->peer_fin) &&
	       (f->l->req_acked < f->l->req_bytes || head_req_short(f->l));
}

static bool truncated_certain(const struct facts *f)
{
	return unusable(f) && (f->peer_fin || f->peer_rst) &&
	       (f->resp == RESP_STARTED || f->resp == RESP_HEADER) &&
	       f->l->resp_bytes <= f->l->resp_len;
}

static bool invalid_header(const struct facts *f)
{
	return unusable(f) && f->resp == RESP_BAD_HEADER;
}

/* Its status line is there and no status: "HTTP/1.1 abc". */
static bool invalid_status(const struct facts *f)
{
	return unusable(f) && !f->l->status && f->resp != RESP_STARTED && f->resp != RESP_EMPTY;
}

static bool header_too_big(const struct facts *f)
{
	return unusable(f) && f->l->status && f->resp == RESP_HEADER &&
	       f->l->resp_bytes >= HEADER_BUFFER_MIN && f->d->status != 504 && !f->peer_rst;
}

static bool truncated_likely(const struct facts *f)
{
	return unusable(f) && (f->peer_fin || f->peer_rst) && f->resp == RESP_HEADER &&
	       f->l->resp_bytes < HEADER_BUFFER_MIN;
}

/* ---- a body that ended short ---- */

static bool cut_by_peer(const struct facts *f)
{
	return f->cut && (f->peer_fin || f->peer_rst);
}

static bool pmtu_blackhole_cut(const struct facts *f)
{
	return f->cut && f->gap && f->l->end_ns >= f->l->last_ns + TIMER_MIN_NS;
}

static bool cut_by_timer(const struct facts *f)
{
	return f->cut && f->by_gateway && f->l->end_ns >= f->l->last_ns + TIMER_MIN_NS;
}

static const struct rule rows[] = {
	{ .cause = CAUSE_TRUNCATED_BODY, .at_best = CERTAIN, .test = cut_by_peer },
	{ .cause = CAUSE_PMTU_BLACKHOLE, .at_best = LIKELY, .test = pmtu_blackhole_cut },
	/* Slow, or the rest was lost on the way: from here both look like this. */
	{ .cause = CAUSE_GATEWAY_TIMEOUT_LOCAL, .at_best = LIKELY, .test = cut_by_timer },
	{ .cause = CAUSE_NOT_HTTP, .at_best = CERTAIN, .test = not_http },
	{ .cause = CAUSE_EARLY_RESPONSE_RESET, .at_best = LIKELY, .test = early_response },
	{ .cause = CAUSE_TRUNCATED_HEADER, .at_best = CERTAIN, .test = truncated_certain },
	{ .cause = CAUSE_INVALID_HEADER, .at_best = CERTAIN, .test = invalid_header },
	{ .cause = CAUSE_INVALID_HEADER, .at_best = LIKELY, .test = invalid_status },
	{ .cause = CAUSE_HEADER_TOO_BIG, .at_best = LIKELY, .test = header_too_big },
	{ .cause = CAUSE_TRUNCATED_HEADER, .at_best = LIKELY, .test = truncated_likely },
};

const struct rule_table rules_bytes = { .rows = rows, .n = ARRAY_SIZE(rows) };
