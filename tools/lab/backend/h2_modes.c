// SPDX-License-Identifier: BSD-2-Clause
/* The ways an HTTP/2 backend misbehaves, a row each, and what they do with a stream. */
#include "h2.h"

#include <stdio.h>
#include <string.h>

#include "../common/process.h"

#define CUT_MS	  100	/* from a part of the answer to its RST_STREAM */
#define HOLD_MS	  20000 /* nobody waits longer than this */
#define CUT_BYTES 1000	/* promised of a body that is cut */

#define BODY(s) .body = s, .body_len = sizeof(s) - 1

static ssize_t fill_body(nghttp2_session *s, int32_t id, uint8_t *buf, size_t cap, uint32_t *flags,
			 nghttp2_data_source *source, void *arg)
{
	struct stream *st = nghttp2_session_get_stream_user_data(s, id);
	const struct conn *c = arg;
	const char *grpc = c->port->h2->grpc_status;
	size_t n;

	if (!st)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	n = st->body_len - st->body_off;
	n = n < cap ? n : cap;
	if (!n && st->is_cut)
		return NGHTTP2_ERR_DEFERRED; /* the rest never comes */
	memcpy(buf, st->body + st->body_off, n);
	st->body_off += n;
	if (st->body_off < st->body_len || st->is_cut)
		return (ssize_t)n;
	*flags |= NGHTTP2_DATA_FLAG_EOF;
	if (grpc) {
		const nghttp2_nv trailer = header_pair("grpc-status", grpc);

		*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
		nghttp2_submit_trailer(s, id, &trailer, 1);
	}
	return (ssize_t)n;
}

/* Without a body the head ends the stream: what gRPC calls "trailers only". */
static void send_answer(struct conn *c, struct stream *st, size_t promised)
{
	const struct h2_mode *m = c->port->h2;
	nghttp2_data_provider body = { .read_callback = fill_body };
	nghttp2_nv head[6];
	char length[24];
	size_t n = 0;

	snprintf(length, sizeof(length), "%zu", promised);
	head[n++] = header_pair(":status", m->status ? m->status : "200");
	head[n++] = header_pair("server", "lab-backend");
	head[n++] = header_pair("content-type", m->grpc_status ? "application/grpc" : "text/plain");
	if (!m->grpc_status)
		head[n++] = header_pair("content-length", length);
	if (m->grpc_status && !st->body_len) {
		head[n++] = header_pair("grpc-status", m->grpc_status);
		head[n++] = header_pair("grpc-message", m->grpc_message);
	}
	nghttp2_submit_response(c->h2->session, st->id, head, n, st->body_len ? &body : NULL);
}

static enum ending do_answer(struct conn *c, struct stream *st, uint64_t now)
{
	const struct h2_mode *m = c->port->h2;

	if (m->body || m->grpc_status) {
		stream_log(c, st, "say");
		st->body_len = m->body_len;
		memcpy(st->body, m->body ? m->body : "", m->body_len);
	} else {
		st->body_len = (size_t)snprintf(st->body, sizeof(st->body), "ok %s\n", st->request);
	}
	st->is_over = true;
	send_answer(c, st, st->body_len);
	return END_KEEP;
}

static enum ending do_reset(struct conn *c, struct stream *st, uint64_t now)
{
	stream_log(c, st, "rst-stream");
	st->is_over = true;
	nghttp2_submit_rst_stream(c->h2->session, NGHTTP2_FLAG_NONE, st->id, c->port->h2->code);
	return END_KEEP;
}

static enum ending do_cut(struct conn *c, struct stream *st, uint64_t now)
{
	if (st->deeds)
		return do_reset(c, st, now);
	stream_log(c, st, "say");
	st->is_cut = true;
	st->body_len = (size_t)snprintf(st->body, sizeof(st->body), "hello");
	st->due_ns = now + CUT_MS * MS;
	send_answer(c, st, CUT_BYTES);
	return END_KEEP;
}

static enum ending do_hold(struct conn *c, struct stream *st, uint64_t now)
{
	st->due_ns = now + HOLD_MS * MS;
	return st->deeds ? END_RST : END_KEEP;
}

static enum ending do_go_away(struct conn *c, struct stream *st, uint64_t now)
{
	stream_log(c, st, "goaway");
	st->is_over = c->h2->has_gone_away = true;
	nghttp2_submit_goaway(c->h2->session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0);
	return END_FIN;
}

static enum ending do_end(struct conn *c, struct stream *st, uint64_t now)
{
	return c->port->h2->ending;
}

const struct h2_mode h2_modes[] = {
	{ .name = "ok", .deed = do_answer },
	{ .name = "say-502", .deed = do_answer, .status = "502", BODY("bad\n") },
	{ .name = "say-503", .deed = do_answer, .status = "503", BODY("busy\n") },
	{ .name = "say-504", .deed = do_answer, .status = "504", BODY("slow\n") },
	{ .name = "slow", .deed = do_answer, .wait_ms = 2200, BODY("late\n") },
	{ .name = "silent", .deed = do_hold },
	/* "I looked at no stream", so that every request may be sent again; then FIN */
	{ .name = "goaway", .deed = do_go_away },
	{ .name = "goaway-idle", .deed = do_answer, .idle_ms = 200 },
	{ .name = "fin-idle", .deed = do_answer, .idle_ms = 350, .is_mute = true },
	{ .name = "rst-refused", .deed = do_reset, .code = NGHTTP2_REFUSED_STREAM },
	{ .name = "rst-internal", .deed = do_reset, .code = NGHTTP2_INTERNAL_ERROR },
	{ .name = "h2-rst", .deed = do_end, .ending = END_RST },
	{ .name = "h2-fin", .deed = do_end, .ending = END_FIN },
	{ .name = "trunc", .deed = do_cut, .code = NGHTTP2_INTERNAL_ERROR },
	/* an empty message: one byte "not compressed" and a length of four */
	{ .name = "grpc-ok", .deed = do_answer, .grpc_status = "0", BODY("\0\0\0\0\0") },
	{ .name = "grpc-unavailable",
	  .deed = do_answer,
	  .grpc_status = "14",
	  .grpc_message = "backend is down" },
};
const size_t h2_modes_count = sizeof(h2_modes) / sizeof(h2_modes[0]);

const struct h2_mode *h2_mode_find(const char *name)
{
	for (size_t i = 0; i < h2_modes_count; i++)
		if (!strcmp(h2_modes[i].name, name))
			return &h2_modes[i];
	return NULL;
}

const char *h2_mode_name(size_t i)
{
	return i < h2_modes_count ? h2_modes[i].name : NULL;
}
