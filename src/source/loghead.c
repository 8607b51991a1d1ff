/* SPDX-License-Identifier: BSD-2-Clause */
/* A line's request as the head of an HTTP/1 message, its bytes as the client sent them. */
#include <string.h>

#include "source/logfmt_impl.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* n hexadecimal digits at s, or -1. */
static int hex_at(const char *s, const char *end, int n)
{
	int v = 0;

	if (end - s < n)
		return -1;
	for (int i = 0; i < n; i++) {
		if (hex(s[i]) < 0)
			return -1;
		v = v * 16 + hex(s[i]);
	}
	return v;
}

struct cursor {
	const char *s, *end;
	char escape;
};

/* The next byte as the client sent it. */
static char next_byte(struct cursor *c)
{
	char b = *c->s++;
	int v = -1, digits = 2;

	if (b != c->escape || c->s == c->end)
		return b;
	if (c->escape == '#') {
		v = hex_at(c->s, c->end, 2);
		c->s += v >= 0 ? 2 : 0;
		return v >= 0 ? (char)v : b;
	}
	b = *c->s++;
	if (b == 'x' || b == 'u') {
		digits = b == 'x' ? 2 : 4;
		v = hex_at(c->s, c->end, digits);
		c->s += v >= 0 ? digits : 0;
		return v >= 0 && v < 256 ? (char)v : '?';
	}
	return b == 'n' ? '\n' : b == 't' ? '\t' : b == 'r' ? '\r' : b;
}

/* Never a line or a blank that the request did not have: a head is read by its blanks. */
static void put_span(struct w5_log *out, struct log_span s, char escape)
{
	struct cursor c = { .s = s.p, .end = s.p + s.len, .escape = escape };

	while (c.s < c.end && out->head_len < sizeof(out->head)) {
		uint8_t b = (uint8_t)next_byte(&c);

		out->head[out->head_len++] = b <= ' ' || b == 0x7f ? '?' : b;
	}
}

static void put_text(struct w5_log *out, const char *s)
{
	while (*s && out->head_len < sizeof(out->head))
		out->head[out->head_len++] = (uint8_t)*s++;
}

static void put_field(struct w5_log *out, const char *name, struct log_span value, char escape)
{
	if (!log_given(value))
		return;
	put_text(out, name);
	put_span(out, value, escape);
	put_text(out, "\r\n");
}

static bool is_method(struct log_span s)
{
	if (!s.p || !s.len || s.len > 16)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if ((s.p[i] < 'A' || s.p[i] > 'Z') && s.p[i] != '-' && s.p[i] != '_')
			return false;
	}
	return s.p[0] >= 'A';
}

void log_set_head(struct w5_log *out, const struct log_head *h)
{
	out->head_len = 0;
	if (!is_method(h->method) || !log_given(h->target))
		return;
	put_span(out, h->method, h->escape);
	put_text(out, " ");
	put_span(out, h->target, h->escape);
	if (log_given(h->query)) {
		if (*h->query.p != '?')
			put_text(out, "?");
		put_span(out, h->query, h->escape);
	}
	put_text(out, " ");
	if (log_given(h->proto))
		put_span(out, h->proto, h->escape);
	else
		put_text(out, "HTTP/1.1");
	put_text(out, "\r\n");
	put_field(out, "Host: ", h->host, h->escape);
	put_field(out, "X-Request-Id: ", h->id, h->escape);
}

/* METHOD target HTTP/1.1: nginx's target may hold blanks that its client should not have sent. */
static void split_request(struct log_head *h, struct log_span r)
{
	const char *end = r.p + r.len, *a = memchr(r.p, ' ', r.len), *b;

	if (!a)
		return;
	b = memrchr(a + 1, ' ', (size_t)(end - a - 1));
	if (!b || end - b < 6 || memcmp(b + 1, "HTTP/", 5))
		b = end;
	else
		h->proto = (struct log_span){ .p = b + 1, .len = (size_t)(end - b - 1) };
	h->method = (struct log_span){ .p = r.p, .len = (size_t)(a - r.p) };
	h->target = (struct log_span){ .p = a + 1, .len = (size_t)(b - a - 1) };
}

void log_take_head(struct w5_log *out, const struct logfmt *f, const struct log_values *v)
{
	struct log_head h = { .host = v->v[LOG_HOST],
			      .id = v->v[LOG_ID],
			      .escape = f->kind == W5_LOG_HAPROXY ? '#' : '\\' };

	if (v->v[LOG_REQUEST].p)
		split_request(&h, v->v[LOG_REQUEST]);
	if (!h.method.p) {
		h.method = v->v[LOG_METHOD];
		h.target = v->v[LOG_TARGET];
	}
	if (!h.target.p) {
		h.target = v->v[LOG_PATH];
		h.query = v->v[LOG_QUERY];
		/* nginx's $uri is decoded and rewritten, Apache's %U is decoded. */
		out->flags |= W5_LOG_PATH;
	}
	log_set_head(out, &h);
}
