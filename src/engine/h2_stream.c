/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams of HTTP/2 (RFC 9113 5.1): each is one turn. A request's headers make it, the
 * response's headers tell it, END_STREAM, RST_STREAM, GOAWAY or the conn's end let it go.
 */
#include "engine/h2.h"

#include <string.h>

static void request_done(struct engine *e, struct h2_stream *s, uint64_t now_ns)
{
	s->leg.req_last_ns = now_ns;
	if (s->leg.role == W5_ROLE_DOWNSTREAM)
		trail_add_body(e, s);
}

/* ---- requests ---- */

static void take_request(struct engine *e, struct h2_stream *s, const struct h2_head *h)
{
	struct head line;

	h2_head_request(&s->leg, h);
	if (!s->leg.head_len)
		e->c.undecoded++;
	else if (head_parse_line(&line, &s->leg))
		s->key = head_target_key(&line);
}

static void on_request(struct engine *e, struct text_conn *tc, uint32_t id, const struct h2_head *h,
		       const struct text_at *at)
{
	struct h2_stream *s = h2_stream_find(e, tc, id);

	if (s) { /* trailers */
		request_done(e, s, at->ts_ns);
		return;
	}
	if (id <= tc->h2->last_id)
		return;
	if (!h->method.len) { /* trailers of a request before us, or one we cannot read */
		e->c.undecoded += h->has_unknown;
		return;
	}
	turn_begin(&tc->leg, at);
	s = h2_stream_new(e, tc, id);
	if (!s)
		return;
	if (!tc->h2->first_id)
		tc->h2->first_id = id;
	take_request(e, s, h);
}

/* ---- responses ---- */

/* It is an answer, but of what kind cannot be read. The exchange's own end of it may tell (and the
 * gateway's client was told something, too: explain.c). False: nothing can be made of it. */
static bool take_unread(struct engine *e, struct h2_stream *s, const struct h2_head *h)
{
	struct w5_leg *l = &s->leg;

	if (l->role == W5_ROLE_DOWNSTREAM && !h->status_ref)
		return false;
	l->resp_bytes = h->bytes;
	l->status_ref = h->status_ref;
	if (h->status_ref)
		l->status = h2_status_of(e, l->conn_cookie, h->status_ref, H2_AGREED);
	return true;
}

/* An answer to a request that was before us, or missed; NULL: to one that is done with. */
static struct h2_stream *unasked(struct engine *e, struct text_conn *tc, uint32_t id)
{
	struct h2 *h2 = tc->h2;
	struct h2_stream *s;

	if (!(id & 1) || (h2->first_id && id >= h2->first_id && id <= h2->last_id))
		return NULL;
	s = h2_stream_new(e, tc, id);
	if (!s)
		return NULL;
	s->leg.flags = (tc->leg.flags & W5_F_OLDER) | W5_F_NO_REQ | W5_F_TEXT;
	s->leg.req_ns = s->leg.req_last_ns = 0;
	s->leg.req_bytes = 0;
	s->leg.head_len = 0;
	s->leg.hint_cookie = 0;
	return s;
}

/* grpc-status comes in the trailers, when the turn has been told. */
static void late_grpc(struct engine *e, const struct h2_stream *s)
{
	struct conn *c = conns_find(e, s->leg.h.cookie);
	struct list *n;

	if (!c)
		return;
	c->last.leg.grpc_status = s->leg.grpc_status;
	list_for_each(n, &c->atts)
		list_entry(n, struct att, by_conn)->turn.leg.grpc_status = s->leg.grpc_status;
	if (s->leg.grpc_status == 1) /* OK */
		return;
	list_for_each(n, &e->pendings) {
		struct pending *p = list_entry(n, struct pending, node);

		if (p->leg.h.cookie == s->leg.h.cookie)
			p->leg.grpc_status = s->leg.grpc_status;
		if (p->good.leg.h.cookie == s->leg.h.cookie)
			p->good.leg.grpc_status = s->leg.grpc_status;
	}
}

static void on_trailers(struct engine *e, struct h2_stream *s, const struct h2_head *h)
{
	if (!h->grpc_status)
		return;
	s->leg.grpc_status = h->grpc_status;
	late_grpc(e, s);
}

static void on_response(struct engine *e, struct text_conn *tc, uint32_t id,
			const struct h2_head *h, bool is_last, const struct text_at *at)
{
	struct h2_stream *s = h2_stream_find(e, tc, id);

	if (!s)
		s = unasked(e, tc, id);
	if (!s)
		return;
	if (s->is_told) {
		on_trailers(e, s, h);
	} else if (!h->status && !h->is_no_status) {
		if (!take_unread(e, s, h)) {
			e->c.undecoded++;
			h2_stream_free(e, s);
			return;
		}
		s->is_told = true;
		turn_tell(e, &s->leg, at);
	} else if (h->status < 200 && !h->is_no_status) {
		s->leg.flags |= W5_F_INTERIM;
		return;
	} else {
		h2_head_response(&s->leg, h);
		if (h->is_no_status) {
			s->leg.status = 0;
			s->leg.flags |= W5_F_NOT_HTTP;
		}
		s->is_told = true;
		turn_tell(e, &s->leg, at);
	}
	if (is_last)
		h2_stream_finish(e, s, at->ts_ns);
}

/*
 * A request whose headers left before its conn, older than us, was known (mod_ssl writes to the
 * socket when its call of the library is over): the frames behind them name its stream.
 */
#define UNSEEN_NS (10 * NS_PER_MS)

static struct h2_stream *asked_unseen(struct engine *e, struct text_conn *tc, uint32_t id,
				      const struct text_at *at)
{
	const struct w5_leg *conn = &tc->leg;
	struct h2_stream *s;

	if (conn->role != W5_ROLE_UPSTREAM || !(conn->flags & W5_F_OLDER) || conn->nr ||
	    tc->h2->last_id || !(id & 1) || !conn->req_ns || at->ts_ns > conn->req_ns + UNSEEN_NS)
		return NULL;
	s = h2_stream_new(e, tc, id);
	if (!s)
		return NULL;
	s->leg.nr = 1;
	s->leg.phase = W5_PHASE_REQUEST;
	s->leg.flags |= W5_F_TEXT;
	s->leg.resp_ns = 0;
	s->leg.resp_bytes = 0;
	return s;
}

/* ---- frames ---- */

/* Who asks on this conn, if no OPEN record says so: pseudo-fields tell. */
static void learn_role(struct w5_leg *l, const struct h2_head *h, uint8_t dir)
{
	bool asks = h->method.len != 0;

	if (l->role || (!asks && !h->has_status))
		return;
	l->role = asks == (dir == W5_TEXT_IN) ? W5_ROLE_DOWNSTREAM : W5_ROLE_UPSTREAM;
}

void h2_on_head(struct engine *e, struct text_conn *tc, uint32_t stream, const struct h2_head *h,
		bool is_last, const struct text_at *at)
{
	tc->h2->busy_ns = at->ts_ns;
	learn_role(&tc->leg, h, at->dir);
	if (!stream || !tc->leg.role) {
		e->c.undecoded++;
		return;
	}
	if (at->dir == text_request_dir(&tc->leg))
		on_request(e, tc, stream, h, at);
	else
		on_response(e, tc, stream, h, is_last, at);
}

void h2_on_last(struct engine *e, struct text_conn *tc, uint32_t stream, const struct text_at *at)
{
	struct h2_stream *s = h2_stream_find(e, tc, stream);

	tc->h2->busy_ns = at->ts_ns;
	if (!s && at->dir == W5_TEXT_OUT)
		s = asked_unseen(e, tc, stream, at);
	if (!s)
		return;
	if (at->dir == text_request_dir(&tc->leg)) {
		request_done(e, s, at->ts_ns);
	} else if (s->is_told) {
		h2_stream_finish(e, s, at->ts_ns);
	} else if (s->leg.role == W5_ROLE_UPSTREAM) { /* its headers made no sense: an answer */
		s->leg.resp_bytes = W5_H2_HDR;
		s->is_told = true;
		turn_tell(e, &s->leg, at);
		h2_stream_finish(e, s, at->ts_ns);
	} else {
		e->c.undecoded++;
		h2_stream_free(e, s);
	}
}

/* One frame ended it before its response was complete. */
static void end_by_frame(struct engine *e, struct h2_stream *s, uint8_t how, uint32_t error,
			 const struct text_at *at)
{
	struct w5_leg *l = &s->leg;

	l->h2_end = how;
	l->h2_error = error;
	l->end = at->dir == W5_TEXT_IN ? W5_END_FIN_IN : W5_END_FIN_OUT;
	l->end_ns = l->last_ns = l->h.ts_ns = at->ts_ns;
	if (l->role == W5_ROLE_UPSTREAM) {
		l->req_acked = l->req_bytes; /* a frame of its stream came back, or none was due */
	} else if (at->dir == W5_TEXT_OUT) {
		l->hint_cookie = at->hint_cookie;
		l->hint_ns = at->hint_ns;
		l->tgid = at->tgid;
		l->tid = at->tid;
	}
	if (s->is_told)
		on_end(e, l);
	else
		turn_tell_failed(e, l);
	h2_stream_finish(e, s, at->ts_ns);
}

/* What the gateway writes when the backend has reset the conn reaches nobody. */
static bool is_too_late(const struct text_conn *tc, const struct text_at *at)
{
	return tc->leg.role == W5_ROLE_UPSTREAM && at->dir == W5_TEXT_OUT && tc->end &&
	       tc->end->end == W5_END_RST_IN && tc->end->end_ns <= at->ts_ns;
}

void h2_on_reset(struct engine *e, struct text_conn *tc, uint32_t stream, uint32_t error,
		 const struct text_at *at)
{
	struct h2_stream *s = h2_stream_find(e, tc, stream);

	tc->h2->busy_ns = at->ts_ns;
	if (!s && at->dir == W5_TEXT_IN)
		s = asked_unseen(e, tc, stream, at);
	if (s && !is_too_late(tc, at))
		end_by_frame(e, s, at->dir == W5_TEXT_IN ? W5_H2_RST_IN : W5_H2_RST_OUT, error, at);
}

void h2_on_goaway(struct engine *e, struct text_conn *tc, uint32_t last, uint32_t error,
		  const struct text_at *at)
{
	uint8_t how = at->dir == W5_TEXT_IN ? W5_H2_GOAWAY_IN : W5_H2_GOAWAY_OUT;
	struct list *n, *next;

	if (!tc->h2->goodbye_ns[at->dir])
		tc->h2->goodbye_ns[at->dir] = at->ts_ns;
	if (error) {
		tc->h2->goaway = how;
		tc->h2->goaway_error = error;
	}
	/* It names streams of whoever it is sent to: only the side that is asked ends any. */
	if (at->dir == text_request_dir(&tc->leg))
		return;
	if (!tc->h2->has_goaway || last < tc->h2->served)
		tc->h2->served = last;
	tc->h2->has_goaway = true;
	list_for_each_safe(n, next, &tc->h2->open) {
		struct h2_stream *s = list_entry(n, struct h2_stream, by_conn);

		if (s->id > last && !s->is_told)
			end_by_frame(e, s, how, error, at);
	}
}

/* Since it was asked for its conn has said something that could not be read: an answer, perhaps. */
static bool may_be_answered(const struct h2_stream *s)
{
	return s->tc->unread_ns && s->leg.req_ns <= s->tc->unread_ns;
}

void h2_streams_end(struct engine *e, struct text_conn *tc, const struct w5_leg *end)
{
	struct h2 *h2 = tc->h2;

	while (!list_empty(&h2->open)) {
		struct h2_stream *s = list_entry(list_first(&h2->open), struct h2_stream, by_conn);

		s->leg.h2_end = h2->goaway;
		s->leg.h2_error = h2->goaway_error;
		/* Asked for when that was on its way. */
		if (h2->has_goaway && s->id > h2->served)
			s->leg.h2_end = tc->leg.role == W5_ROLE_UPSTREAM ? W5_H2_GOAWAY_IN
									 : W5_H2_GOAWAY_OUT;
		turn_take_end(&s->leg, end);
		if (s->is_told)
			on_end(e, &s->leg);
		else if (!may_be_answered(s))
			turn_tell_failed(e, &s->leg);
		h2_stream_finish(e, s, end->end_ns);
	}
}
