// SPDX-License-Identifier: BSD-2-Clause
/*
 * HTTP/2 requests and answers: libnghttp2 keeps the conn's state, a lane has one stream at a
 * time. Bytes of an answer are those of its HEADERS frames and of its DATA. What the server says
 * in its GOAWAY that it never looked at is asked again on another conn, as every client does.
 */
#include "load.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

#include "../common/frames.h"

#define TRIES_MAX    3
#define WINDOW_BYTES (1 << 20)

struct h2 {
	nghttp2_session *session;
	bool is_checked, has_goaway;
	int32_t last_stream; /* of the GOAWAY */
	struct frames out;
};

static struct lane *lane_of(nghttp2_session *s, int32_t stream)
{
	return nghttp2_session_get_stream_user_data(s, stream);
}

static int on_header(nghttp2_session *s, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
		     void *arg)
{
	struct lane *l = lane_of(s, frame->hd.stream_id);

	if (l && name_len == 7 && !memcmp(name, ":status", 7))
		l->status = atoi((const char *)value); /* libnghttp2 ends values with a NUL */
	return 0;
}

static int on_frame(nghttp2_session *s, const nghttp2_frame *frame, void *arg)
{
	struct conn *c = arg;
	struct lane *l = lane_of(s, frame->hd.stream_id);

	if (frame->hd.type == NGHTTP2_GOAWAY) {
		c->is_ending = c->h2->has_goaway = true;
		c->h2->last_stream = frame->goaway.last_stream_id;
	}
	if (!l || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS)
		l->got += frame->hd.length;
	if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		l->has_end = true;
	return 0;
}

static int on_data(nghttp2_session *s, uint8_t flags, int32_t stream, const uint8_t *data,
		   size_t len, void *arg)
{
	struct lane *l = lane_of(s, stream);

	if (l)
		l->got += len;
	return 0;
}

static int on_stream_close(nghttp2_session *s, int32_t stream, uint32_t error, void *arg)
{
	struct conn *c = arg;
	struct lane *l = lane_of(s, stream);

	if (!l)
		return 0; /* we left */
	if (c->h2->has_goaway && stream > c->h2->last_stream && !c->is_own &&
	    l->tries++ < TRIES_MAX)
		l->state = LANE_RETRY;
	else
		lane_done(l, l->has_end, NULL);
	return 0;
}

static ssize_t fill_body(nghttp2_session *s, int32_t stream, uint8_t *buf, size_t cap,
			 uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	struct lane *l = lane_of(s, stream);
	size_t n;

	if (!l)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	n = l->body_left < cap ? l->body_left : cap;
	memset(buf, 0, n);
	l->body_left -= n;
	if (!l->body_left)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

/* As browsers do: a frame type that is to be ignored, with an undefined flag (RFC 9113 4.1). */
#define IGNORED_TYPE 0x0b

static ssize_t on_pack(nghttp2_session *s, uint8_t *buf, size_t len, const nghttp2_frame *frame,
		       void *arg)
{
	static const char payload[] = "to be ignored";

	(void)s;
	(void)frame;
	(void)arg;
	if (len < sizeof(payload))
		return NGHTTP2_ERR_CANCEL;
	memcpy(buf, payload, sizeof(payload));
	return sizeof(payload);
}

static int session_new(nghttp2_session **out, struct conn *c)
{
	nghttp2_session_callbacks *cb;
	int err = nghttp2_session_callbacks_new(&cb);

	if (err)
		return err;
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
	nghttp2_session_callbacks_set_pack_extension_callback(cb, on_pack);
	err = nghttp2_session_client_new(out, cb, c);
	nghttp2_session_callbacks_del(cb);
	return err;
}

static int h2_open(struct conn *c)
{
	static const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES },
	};
	struct h2 *h = malloc(sizeof(*h));

	if (!h)
		return -ENOMEM;
	memset(h, 0, offsetof(struct h2, out) + offsetof(struct frames, buf));
	if (session_new(&h->session, c)) {
		free(h);
		return -ENOMEM;
	}
	nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings, 2);
	nghttp2_submit_extension(h->session, IGNORED_TYPE, 0x80, 0, NULL);
	c->h2 = h;
	return 0;
}

static bool h2_push(struct conn *c)
{
	struct h2 *h = c->h2;
	int err = link_handshake(&c->link);

	if (!err && !h->is_checked && !link_speaks(&c->link, "h2"))
		return false;
	h->is_checked = !err;
	if (!err)
		err = frames_push(&h->out, h->session, &c->link);
	conn_blocked(c, err == -EAGAIN || err == -ENOTCONN);
	return !err || c->is_blocked;
}

static void h2_close(struct conn *c)
{
	if (c->h2->is_checked) {
		nghttp2_session_terminate_session(c->h2->session, NGHTTP2_NO_ERROR);
		h2_push(c);
	}
	nghttp2_session_del(c->h2->session);
	free(c->h2);
	c->h2 = NULL;
}

static void h2_request(struct lane *l)
{
	struct conn *c = l->conn;
	nghttp2_data_provider body = { .read_callback = fill_body };
	char target[160], length[24];

	lane_target(l, target, sizeof(target));
	snprintf(length, sizeof(length), "%zu", l->body);
	const nghttp2_nv head[] = {
		header_pair(":method", l->body ? "POST" : "GET"),
		header_pair(":scheme", c->link.ssl ? "https" : "http"),
		header_pair(":authority", c->load->host),
		header_pair(":path", target),
		header_pair("user-agent", "lab-load"),
		header_pair("content-length", length),
	};
	l->has_end = false;
	l->stream = nghttp2_submit_request(c->h2->session, NULL, head, l->body ? 6 : 5,
					   l->body ? &body : NULL, l);
	if (l->stream < 0) /* out of memory or of stream ids */
		c->is_ending = true;
}

static void h2_abort(struct lane *l)
{
	nghttp2_session *s = l->conn->h2->session;

	if (l->stream < 0)
		return;
	nghttp2_session_set_stream_user_data(s, l->stream, NULL);
	nghttp2_submit_rst_stream(s, NGHTTP2_FLAG_NONE, l->stream, NGHTTP2_CANCEL);
	h2_push(l->conn);
}

static void h2_readable(struct conn *c)
{
	uint8_t buf[65536];
	ssize_t n;

	for (;;) {
		n = link_recv(&c->link, buf, sizeof(buf));
		if (n == -EAGAIN || n == -EINTR)
			break;
		if (n > 0)
			n = nghttp2_session_mem_recv(c->h2->session, buf, (size_t)n);
		if (n <= 0) {
			conn_broken(c);
			return;
		}
	}
	if (!h2_push(c))
		conn_broken(c);
}

const struct proto proto_h2 = {
	.alpn = "h2",
	.open = h2_open,
	.request = h2_request,
	.push = h2_push,
	.readable = h2_readable,
	.abort = h2_abort,
	.close = h2_close,
};
