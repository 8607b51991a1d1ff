// SPDX-License-Identifier: BSD-2-Clause
/*
 * HTTP/2 conns: libnghttp2 keeps their state, requests become streams of ours, and when a
 * stream is due the deed of the port's row is done.
 */
#include "h2.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "../common/process.h"

#define GOODBYE_MS 1000 /* from a graceful GOAWAY to FIN, if the gateway does not close */

/* Log lines tell the id and number of a conn: those of its request for the moment. */
static void stream_name(struct conn *c, const struct stream *st)
{
	memcpy(c->id, st->request, sizeof(c->id));
	c->nr = st->nr;
}

void stream_log(struct conn *c, const struct stream *st, const char *event)
{
	unsigned nr = c->nr;

	stream_name(c, st);
	log_line(c, event);
	c->id[0] = '\0';
	c->nr = nr;
}

/* ---- requests ------------------------------------------------------------------------ */

static int on_begin(nghttp2_session *s, const nghttp2_frame *frame, void *arg)
{
	struct stream *st, **end;
	struct conn *c = arg;

	if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	st = calloc(1, sizeof(*st));
	if (!st)
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	st->id = frame->hd.stream_id;
	for (end = &c->h2->streams; *end;) /* deeds are done in the order of requests */
		end = &(*end)->next;
	*end = st;
	c->h2->idle_ns = 0;
	return nghttp2_session_set_stream_user_data(s, st->id, st);
}

static int on_header(nghttp2_session *s, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
		     void *arg)
{
	struct stream *st = nghttp2_session_get_stream_user_data(s, frame->hd.stream_id);

	if (st && name_len == 5 && !memcmp(name, ":path", 5))
		target_id(st->request, (const char *)value, value_len);
	return 0;
}

static int on_frame(nghttp2_session *s, const nghttp2_frame *frame, void *arg)
{
	struct stream *st = nghttp2_session_get_stream_user_data(s, frame->hd.stream_id);
	struct conn *c = arg;

	if (!st || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) ||
	    (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
		return 0;
	st->nr = ++c->nr;
	stream_log(c, st, "request");
	st->due_ns = now_ns(CLOCK_MONOTONIC) + c->port->h2->wait_ms * MS;
	return 0;
}

static int on_stream_close(nghttp2_session *s, int32_t id, uint32_t error, void *arg)
{
	struct stream *st = nghttp2_session_get_stream_user_data(s, id), **p;
	struct conn *c = arg;
	struct h2 *h = c->h2;

	if (!st)
		return 0;
	if (!st->is_over)
		stream_log(c, st, h->has_gone_away ? "goaway" : "peer-reset-stream");
	for (p = &h->streams; *p != st;)
		p = &(*p)->next;
	*p = st->next;
	free(st);
	if (!h->streams && c->port->h2->idle_ms)
		h->idle_ns = now_ns(CLOCK_MONOTONIC) + c->port->h2->idle_ms * MS;
	return 0;
}

static int session_new(nghttp2_session **out, struct conn *c)
{
	nghttp2_session_callbacks *cb;
	int err = nghttp2_session_callbacks_new(&cb);

	if (err)
		return err;
	nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin);
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
	err = nghttp2_session_server_new(out, cb, c);
	nghttp2_session_callbacks_del(cb);
	return err;
}

bool h2_open(struct conn *c)
{
	const nghttp2_settings_entry max = { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 128 };
	struct h2 *h = malloc(sizeof(*h));

	if (!h)
		return false;
	memset(h, 0, offsetof(struct h2, out) + offsetof(struct frames, buf));
	if (session_new(&h->session, c)) {
		free(h);
		return false;
	}
	nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, &max, 1);
	c->h2 = h;
	return true;
}

void h2_free(struct conn *c)
{
	struct stream *st;

	if (!c->h2)
		return;
	nghttp2_session_del(c->h2->session);
	while ((st = c->h2->streams)) {
		c->h2->streams = st->next;
		free(st);
	}
	free(c->h2);
	c->h2 = NULL;
}

/* ---- deeds --------------------------------------------------------------------------- */

/* Returns false when the conn is gone. */
static bool h2_push(struct conn *c)
{
	int err = frames_push(&c->h2->out, c->h2->session, &c->link);

	if (err && err != -EAGAIN) {
		log_line(c, "send-failed");
		conn_free(c);
		return false;
	}
	conn_watch(c, EPOLLIN | (err && c->link.wants_room ? EPOLLOUT : 0));
	return true;
}

static void h2_end(struct conn *c, enum ending how)
{
	frames_push(&c->h2->out, c->h2->session, &c->link);
	conn_end(c, how);
}

/* The conn is idle for too long: says so if it does, and closes if the gateway does not. */
static bool h2_go_away(struct conn *c, uint64_t now)
{
	struct h2 *h = c->h2;

	if (h->has_gone_away || c->port->h2->is_mute) {
		h2_end(c, END_FIN);
		return false;
	}
	log_line(c, "goaway");
	h->has_gone_away = true;
	h->idle_ns = now + GOODBYE_MS * MS;
	nghttp2_submit_goaway(h->session, NGHTTP2_FLAG_NONE,
			      nghttp2_session_get_last_proc_stream_id(h->session), NGHTTP2_NO_ERROR,
			      NULL, 0);
	return true;
}

void h2_due(struct conn *c, uint64_t now)
{
	struct h2 *h = c->h2;
	enum ending how;

	/* Deeds only leave frames behind: streams are closed when these are sent. */
	for (struct stream *st = h->streams; st; st = st->next) {
		if (!st->due_ns || st->due_ns > now)
			continue;
		st->due_ns = 0;
		how = c->port->h2->deed(c, st, now);
		st->deeds++;
		if (how != END_KEEP) {
			stream_name(c, st);
			st->is_over = true;
			h2_end(c, how);
			return;
		}
	}
	if (h->idle_ns && h->idle_ns <= now && !h2_go_away(c, now))
		return;
	if (!h2_push(c))
		return;
	c->due_ns = h->idle_ns;
	for (struct stream *st = h->streams; st; st = st->next)
		if (st->due_ns && (!c->due_ns || st->due_ns < c->due_ns))
			c->due_ns = st->due_ns;
}

void h2_on_event(struct conn *c)
{
	ssize_t n;

	for (;;) {
		n = link_recv(&c->link, c->buf, sizeof(c->buf));
		if (n == -EAGAIN)
			break;
		if (n <= 0) {
			log_line(c, n ? "peer-reset" : "peer-closed");
			conn_free(c);
			return;
		}
		n = nghttp2_session_mem_recv(c->h2->session, (uint8_t *)c->buf, (size_t)n);
		if (n < 0) {
			log_line(c, "not-h2");
			conn_free(c);
			return;
		}
	}
	h2_due(c, now_ns(CLOCK_MONOTONIC));
}
