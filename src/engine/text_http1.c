/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP/1 turns out of texts. In: the starts of chunks that look like a request or a status
 * line; a body may look so, too. One turn at a time, as in bpf/turn.h: what is pipelined
 * counts to the turn before.
 */
#include "engine/texts.h"

#include <string.h>

#include "w5_http1.h"

/* A shorter farewell asks for nothing; a request is longer (TLS record, method, Host). */
#define REQUEST_MIN 90

static void take_head(struct w5_leg *l, const struct w5_text *t)
{
	size_t n = min_size(t->len, W5_HEAD_REQ);

	memcpy(l->head, t->data, n);
	l->head_len = (uint16_t)n;
	l->req_bytes = t->total > t->len ? t->total : t->len;
	if (l->req_bytes > n)
		l->flags |= W5_F_REQ_CUT;
}

static void on_request(struct engine *e, struct text_conn *tc, const struct w5_text *t,
		       const struct text_at *at)
{
	struct w5_leg *l = &tc->leg;

	/* An end that came before it was of the turn before. */
	if (tc->end && tc->end->end_ns < at->ts_ns)
		texts_end_early(e, tc);
	if (l->flags & W5_F_UPGRADE)
		return;
	/* The first answer of a conn that is older than us may go by unread. */
	if (l->phase == W5_PHASE_REQUEST && (l->flags & W5_F_OLDER) && !tc->has_seq[!t->dir])
		tc->missed[!t->dir] = true;
	if (l->phase == W5_PHASE_REQUEST && !tc->missed[!t->dir]) {
		l->req_bytes += t->total;
		l->req_last_ns = l->last_ns = at->ts_ns;
		return;
	}
	tc->missed[0] = tc->missed[1] = false;
	turn_begin(l, at);
	l->proto = W5_PROTO_HTTP1;
	take_head(l, t);
}

static void on_response(struct engine *e, struct text_conn *tc, const struct w5_text *t,
			const struct text_at *at, uint16_t status)
{
	struct w5_leg *l = &tc->leg;
	size_t n = min_size(t->len, W5_HEAD_RESP), skip = 0;
	uint32_t total;

	if (l->phase == W5_PHASE_RESPONSE) {
		l->last_ns = at->ts_ns; /* a body that looks like it */
		return;
	}
	if (l->phase == W5_PHASE_IDLE)
		l->flags |= W5_F_NO_REQ | W5_F_TEXT;
	if (!status)
		l->flags |= W5_F_NOT_HTTP;
	total = t->total > t->len ? t->total : t->len;
	if (w5_http1_is_interim(status)) { /* the final one may follow in the same read */
		uint8_t after_lf = 0;

		l->flags |= W5_F_INTERIM;
		l->last_ns = at->ts_ns;
		skip = w5_http1_header_size(t->data, (uint32_t)n, &after_lf);
		status = skip && n - skip >= W5_HTTP1_PEEK ? w5_http1_status(t->data + skip) : 0;
		if (!status || w5_http1_is_interim(status))
			return;
	}
	memcpy(l->resp, t->data + skip, n - skip);
	l->resp_len = (uint16_t)(n - skip);
	l->resp_bytes = total - (uint32_t)skip;
	l->status = status;
	l->proto = W5_PROTO_HTTP1;
	turn_tell(e, l, at);
	/* What was held back for this answer. */
	texts_end_early(e, tc);
}

void http1_text(struct engine *e, struct text_conn *tc, const struct w5_text *t)
{
	struct text_at at = text_at_of(t);
	uint8_t p[W5_HTTP1_PEEK] = { 0 };
	bool is_request;
	uint16_t status;

	memcpy(p, t->data, min_size(t->len, sizeof(p)));
	is_request = w5_http1_is_request(p);
	status = is_request ? 0 : w5_http1_status(p);
	/* An answer that is none follows a request. */
	if (!is_request && !status &&
	    (tc->leg.phase != W5_PHASE_REQUEST || t->dir == text_request_dir(&tc->leg)))
		return;
	if (!tc->leg.role)
		tc->leg.role = is_request == (t->dir == W5_TEXT_IN) ? W5_ROLE_DOWNSTREAM
								    : W5_ROLE_UPSTREAM;
	/* What looks like a request and comes from the server is a body. */
	if (is_request != (t->dir == text_request_dir(&tc->leg)))
		return;
	if (is_request)
		on_request(e, tc, t, &at);
	else
		on_response(e, tc, t, &at, status);
}

/* Something went out after the last answer, and no text tells what. */
static bool asked_unseen(const struct text_conn *tc, const struct w5_leg *end)
{
	const struct w5_leg *l = &tc->leg;

	return end->role == W5_ROLE_UPSTREAM && end->phase == W5_PHASE_REQUEST &&
	       (tc->missed[0] || tc->missed[1] || !l->nr) && end->req_ns > l->resp_ns &&
	       end->req_bytes > REQUEST_MIN;
}

void http1_end(struct engine *e, struct text_conn *tc, struct w5_leg *end)
{
	struct w5_leg *l = &tc->leg;
	bool is_open = l->phase == W5_PHASE_REQUEST;
	struct conn *c;

	if (!is_open && asked_unseen(tc, end)) {
		on_attempt(e, end);
		return;
	}
	if (l->phase == W5_PHASE_IDLE) { /* nothing was asked, or nothing was seen of it */
		on_end(e, end);
		return;
	}
	/* How much of its body came cannot be told then. */
	if (!is_open && l->role == W5_ROLE_UPSTREAM && !turn_is_same(l, end)) {
		c = conns_find(e, tc->cookie);
		if (c)
			conns_close(e, c);
		return;
	}
	turn_take_end(l, end);
	if (is_open)
		turn_tell_failed(e, l);
	else
		on_end(e, l);
	l->phase = W5_PHASE_RESPONSE;
	l->end = W5_END_NONE;
}
