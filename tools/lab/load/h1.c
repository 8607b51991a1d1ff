// SPDX-License-Identifier: BSD-2-Clause
/* HTTP/1.1 requests and answers on a conn of one lane. */
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../common/process.h"

#define LONG_BODY 65536

static const char filler[65536];

static int h1_open(struct conn *c)
{
	return 0;
}

static void h1_request(struct lane *l)
{
	struct conn *c = l->conn;
	struct h1 *h = &c->h1;
	char target[160];

	h->out_off = h->head_len = h->body_got = h->body_want = 0;
	h->chunk_left = h->line_len = 0;
	h->head_done = h->chunked = h->close = h->in_trailer = false;
	lane_target(l, target, sizeof(target));
	h->out_len = (size_t)snprintf(h->out, sizeof(h->out),
				      "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: lab-load\r\n",
				      l->body ? "POST" : "GET", target, c->load->host);
	h->out_len += (size_t)snprintf(h->out + h->out_len, sizeof(h->out) - h->out_len,
				       l->body ? "Content-Length: %zu\r\n\r\n" : "\r\n", l->body);
}

static bool h1_push(struct conn *c)
{
	struct lane *l = c->lanes;
	struct h1 *h = &c->h1;
	ssize_t n = 1;

	while (n > 0 && (h->out_off < h->out_len || l->body_left)) {
		if (h->out_off < h->out_len)
			n = link_send(&c->link, h->out + h->out_off, h->out_len - h->out_off,
				      l->body_left > 0);
		else
			n = link_send(&c->link, filler,
				      l->body_left < sizeof(filler) ? l->body_left : sizeof(filler),
				      false);
		if (n <= 0)
			break;
		if (h->out_off < h->out_len)
			h->out_off += (size_t)n;
		else
			l->body_left -= (size_t)n;
	}
	conn_blocked(c, n == -EAGAIN || n == -ENOTCONN);
	return c->is_blocked || n > 0;
}

static void parse_head(struct lane *l, struct h1 *h, size_t size)
{
	char *p = h->head, *end = h->head + size;

	h->head_done = true;
	h->body_want = SIZE_MAX;
	l->status = size > 12 && !strncmp(p, "HTTP/1.", 7) ? atoi(p + 9) : 9;
	for (; p < end && (p = memchr(p, '\n', (size_t)(end - p)));) {
		p++;
		if (!strncasecmp(p, "content-length:", 15))
			h->body_want = strtoul(p + 15, NULL, 10);
		else if (!strncasecmp(p, "transfer-encoding: chunked", 26))
			h->chunked = true;
		else if (!strncasecmp(p, "connection: close", 17))
			h->close = true;
	}
	if (h->chunked)
		h->body_want = SIZE_MAX;
}

/* Goes through a chunked body, true at its end: RFC 9112 7.1. */
static bool chunks_take(struct h1 *h, const char *p, size_t len)
{
	const char *end = p + len;
	size_t n;

	while (p < end) {
		if (h->chunk_left) {
			n = (size_t)(end - p) < h->chunk_left ? (size_t)(end - p) : h->chunk_left;
			h->chunk_left -= n;
			p += n;
			continue;
		}
		if (*p != '\n' && *p != '\r' && h->line_len < sizeof(h->line) - 1)
			h->line[h->line_len++] = *p;
		if (*p++ != '\n')
			continue;
		h->line[h->line_len] = '\0';
		if (h->in_trailer && !h->line_len)
			return true;
		if (!h->in_trailer && h->line_len) { /* an empty one ends the chunk before */
			h->chunk_left = strtoul(h->line, NULL, 16);
			h->in_trailer = !h->chunk_left;
		}
		h->line_len = 0;
	}
	return false;
}

static bool take_body(struct h1 *h, const char *data, size_t len)
{
	h->body_got += len;
	return h->chunked ? chunks_take(h, data, len) : h->body_got >= h->body_want;
}

/* Of the final response: an interim one before it (100) is dropped. */
static const char *head_end(struct h1 *h)
{
	const char *end;

	while ((end = memmem(h->head, h->head_len, "\r\n\r\n", 4)) && h->head[9] == '1' &&
	       strncmp(h->head + 9, "101", 3)) {
		h->head_len -= (size_t)(end + 4 - h->head);
		memmove(h->head, end + 4, h->head_len);
		h->head[h->head_len] = '\0';
	}
	return end;
}

/* Returns true when the response is complete. */
static bool take(struct lane *l, struct h1 *h, const char *data, size_t len)
{
	const char *end;
	size_t n, size;

	l->got += len;
	if (!h->head_done) {
		n = sizeof(h->head) - 1 - h->head_len;
		n = n < len ? n : len;
		memcpy(h->head + h->head_len, data, n);
		h->head_len += n;
		h->head[h->head_len] = '\0';
		if (strncmp(h->head, "HTTP/1.", h->head_len < 7 ? h->head_len : 7)) {
			/* Not HTTP/1: no length to wait for, and nginx may keep the conn open. */
			l->status = 9;
			l->due_ns = now_ns(CLOCK_MONOTONIC) + 500 * MS;
			return false;
		}
		end = head_end(h);
		if (!end)
			return false;
		size = (size_t)(end - h->head) + 4;
		parse_head(l, h, size);
		if (take_body(h, h->head + size, h->head_len - size))
			return true;
		data += n;
		len -= n;
	}
	return take_body(h, data, len);
}

static void h1_readable(struct conn *c)
{
	struct lane *l = c->lanes;
	struct h1 *h = &c->h1;
	char buf[65536];
	ssize_t n;

	for (;;) {
		n = link_recv(&c->link, buf, sizeof(buf));
		if (n == -EAGAIN || n == -EINTR)
			return;
		if (n <= 0)
			break;
		if (l->state != LANE_WAITING)
			continue; /* nothing was asked */
		if (take(l, h, buf, (size_t)n)) {
			/* nginx may close on a long body it refused, though it did not say so */
			c->is_ending = h->close || c->is_blocked ||
				       (l->body > LONG_BODY && l->status >= 400);
			lane_done(l, true, NULL);
			return;
		}
	}
	c->is_ending = true;
	if (l->state == LANE_WAITING && h->head_done && h->body_want == SIZE_MAX && !h->chunked &&
	    !n)
		lane_done(l, true, NULL); /* an answer that ends with its conn */
	else
		conn_broken(c);
}

static void h1_abort(struct lane *l)
{
	l->conn->is_ending = true; /* nothing less than closing makes a server stop */
}

static void h1_close(struct conn *c)
{
}

const struct proto proto_h1 = {
	.alpn = "http/1.1",
	.open = h1_open,
	.request = h1_request,
	.push = h1_push,
	.readable = h1_readable,
	.abort = h1_abort,
	.close = h1_close,
};
