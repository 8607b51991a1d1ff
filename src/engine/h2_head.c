/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Header fields of HTTP/2 (RFC 9113 8.3) and the few others that explain something, written
 * into a leg as HTTP/1 would have them, so that head.c reads both.
 */
#include "engine/h2.h"

#include <string.h>

#include "base/mask.h"

static bool is_name(const struct hpack_field *f, const char *name)
{
	return f->name_len == strlen(name) && !memcmp(f->name, name, f->name_len);
}

/* Up to three digits; 0 if it is something else. */
static uint16_t small_number(const struct hpack_field *f, bool *ok)
{
	uint16_t n = 0;

	*ok = f->value_len >= 1 && f->value_len <= 3;
	for (size_t i = 0; *ok && i < f->value_len; i++) {
		*ok = f->value[i] >= '0' && f->value[i] <= '9';
		n = (uint16_t)(n * 10 + (f->value[i] - '0'));
	}
	return *ok ? n : 0;
}

/* The first one counts. Line ends would end the line made of it; HTTP/2 forbids them. */
static void keep(struct h2_head *h, struct span *s, const struct hpack_field *f, size_t max)
{
	size_t n = min_size(f->value_len, max);
	char *to = h->room + h->used;

	if (s->p)
		return;
	if (n > sizeof(h->room) - h->used)
		n = sizeof(h->room) - h->used;
	if (n < f->value_len && s != &h->agent)
		h->is_cut = true;
	for (size_t i = 0; i < n; i++)
		to[i] = f->value[i] == '\r' || f->value[i] == '\n' ? '?' : (char)f->value[i];
	*s = (struct span){ .p = (const uint8_t *)to, .len = n };
	h->used += n;
}

static void take_status(struct h2_head *h, const struct hpack_field *f)
{
	bool ok;

	h->has_status = true;
	h->status = small_number(f, &ok);
	h->is_no_status = ok && h->status < 100;
}

static void take_grpc(struct h2_head *h, const struct hpack_field *f)
{
	bool ok;
	uint16_t n = small_number(f, &ok);

	if (ok)
		h->grpc_status = (uint16_t)(1 + n);
}

static const struct {
	const char *name;
	size_t span, max;
	void (*take)(struct h2_head *h, const struct hpack_field *f);
} fields[] = {
	{ .name = ":status", .take = take_status },
	{ .name = "grpc-status", .take = take_grpc },
	{ .name = ":method", .span = offsetof(struct h2_head, method), .max = 17 },
	{ .name = ":path", .span = offsetof(struct h2_head, path), .max = W5_HEAD_REQ },
	{ .name = ":authority", .span = offsetof(struct h2_head, authority), .max = 128 },
	{ .name = "host", .span = offsetof(struct h2_head, authority), .max = 128 },
	{ .name = "x-request-id", .span = offsetof(struct h2_head, request_id), .max = 128 },
	{ .name = "traceparent", .span = offsetof(struct h2_head, traceparent), .max = 64 },
	{ .name = "content-length", .span = offsetof(struct h2_head, length), .max = 20 },
	{ .name = "server", .span = offsetof(struct h2_head, server), .max = 64 },
	{ .name = "user-agent", .span = offsetof(struct h2_head, agent), .max = 128 },
};

bool h2_head_reads(const struct hpack_field *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (is_name(f, fields[i].name))
			return true;
	}
	return false;
}

void h2_head_field(void *self, const struct hpack_field *f)
{
	struct h2_head *h = self;
	bool is_first = !h->nfields++;

	if (!f->name_len) {
		h->has_unknown = true;
		/* A response begins with its status (RFC 9113 8.3.2), the only pseudo-field it has. */
		if (is_first && f->value_len == HPACK_UNKNOWN_LEN)
			h->status_ref = (uint16_t)(1 + (f->value[0] << 8 | f->value[1]));
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!is_name(f, fields[i].name))
			continue;
		if (fields[i].take)
			fields[i].take(h, f);
		else
			keep(h, (struct span *)((char *)h + fields[i].span), f, fields[i].max);
		return;
	}
}

static void mask_span(struct h2_head *h, struct span s, const struct mask *m)
{
	if (s.p)
		mask_target(m, (uint8_t *)h->room + ((const char *)s.p - h->room), s.len);
}

void h2_head_mask(struct h2_head *h, const struct mask *m)
{
	mask_span(h, h->path, m);
	mask_span(h, h->authority, m);
}

struct line {
	uint8_t *to;
	size_t len, cap;
	bool cut;
};

static void put(struct line *w, const void *p, size_t n)
{
	if (n > w->cap - w->len) {
		n = w->cap - w->len;
		w->cut = true;
	}
	if (n)
		memcpy(w->to + w->len, p, n);
	w->len += n;
}

static void put_field(struct line *w, const char *name, struct span value)
{
	if (!value.p)
		return;
	put(w, name, strlen(name));
	put(w, value.p, value.len);
	put(w, "\r\n", 2);
}

struct span h2_head_target(const struct h2_head *h)
{
	static const char connect[] = "CONNECT";
	bool has_no_path = h->method.len == sizeof(connect) - 1 &&
			   !memcmp(h->method.p, connect, sizeof(connect) - 1);

	if (!h->method.len)
		return (struct span){ 0 };
	return has_no_path && !h->path.p ? h->authority : h->path;
}

void h2_head_request(struct w5_leg *l, const struct h2_head *h)
{
	struct line w = { .to = l->head, .cap = W5_HEAD_REQ };
	struct span target = h2_head_target(h);

	l->req_bytes = h->bytes;
	if (!target.len)
		return;
	put(&w, h->method.p, h->method.len);
	put(&w, " ", 1);
	put(&w, target.p, target.len);
	put(&w, " HTTP/2\r\n", 9);
	/* Ids first: what a long authority pushes out is the authority. */
	put_field(&w, "X-Request-Id: ", h->request_id);
	put_field(&w, "Host: ", h->authority);
	put_field(&w, "traceparent: ", h->traceparent);
	/* Of no use but to a report: left out where it would cut something. */
	if (h->agent.len + sizeof("User-Agent: \r\n\r\n") <= w.cap - w.len)
		put_field(&w, "User-Agent: ", h->agent);
	put(&w, "\r\n", 2);
	l->head_len = (uint16_t)w.len;
	if (w.cut || h->is_cut)
		l->flags |= W5_F_REQ_CUT;
}

void h2_head_response(struct w5_leg *l, const struct h2_head *h)
{
	struct line w = { .to = l->resp, .cap = W5_HEAD_RESP };
	char status[8] = { (char)('0' + h->status / 100 % 10), (char)('0' + h->status / 10 % 10),
			   (char)('0' + h->status % 10), '\r', '\n' };

	put(&w, "HTTP/2 ", 7);
	put(&w, status, 5);
	put_field(&w, "Server: ", h->server);
	put_field(&w, "Content-Length: ", h->length);
	put(&w, "\r\n", 2);
	l->resp_len = (uint16_t)w.len;
	l->resp_bytes = h->bytes > w.len ? h->bytes : (uint32_t)w.len;
	l->status = h->status;
	l->grpc_status = h->grpc_status;
}
