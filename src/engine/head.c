/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading message heads: see head.h. Every access is checked against the span. */
#include "engine/head.h"

#include <string.h>

#include "base/hash.h"

/* A bulk record keeps W5_HEAD_BULK bytes of the head, a full one more: compare what both have,
 * which is a method of at most 15 bytes less. */
#define TARGET_KEY_BYTES (W5_HEAD_BULK - 16)

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool span_eq(struct span a, struct span b)
{
	return a.p && b.p && a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

bool span_is(struct span s, const char *text)
{
	size_t n = strlen(text);

	return s.p && s.len == n && strncasecmp((const char *)s.p, text, n) == 0;
}

/* "http://host/path" -> "/path"; the authority becomes the host. */
static void strip_authority(struct head *h)
{
	static const char *const schemes[] = { "http://", "https://" };
	size_t i, n;

	for (i = 0; i < 2; i++) {
		n = strlen(schemes[i]);
		if (h->target.len <= n || strncasecmp((const char *)h->target.p, schemes[i], n))
			continue;
		const uint8_t *from = h->target.p + n, *end = h->target.p + h->target.len;
		const uint8_t *slash = memchr(from, '/', (size_t)(end - from));

		if (!slash)
			return;
		h->host = (struct span){ .p = from, .len = (size_t)(slash - from) };
		h->target = (struct span){ .p = slash, .len = (size_t)(end - slash) };
		return;
	}
}

bool head_parse_line(struct head *h, const struct w5_leg *l)
{
	size_t len = min_size(l->head_len, W5_HEAD_REQ);
	const uint8_t *p = l->head, *end = p + len, *sp, *stop;

	memset(h, 0, sizeof(*h));
	if (!len || p[0] < 'A' || p[0] > 'Z')
		return false;
	sp = memchr(p, ' ', min_size(len, 18));
	if (!sp || sp == p || sp + 1 >= end)
		return false;
	h->method = (struct span){ .p = p, .len = (size_t)(sp - p) };
	stop = ++sp;
	while (stop < end && *stop != ' ' && *stop != '\r' && *stop != '\n')
		stop++;
	h->target_cut = stop == end;
	h->target = (struct span){ .p = sp, .len = (size_t)(stop - sp) };
	if (!h->target.len)
		return false;
	if (sp[0] != '/')
		strip_authority(h);
	return true;
}

static void take_field(struct head *h, struct span name, struct span value)
{
	if (span_is(name, "host") && !h->host.p)
		h->host = value;
	else if (span_is(name, "x-request-id"))
		h->request_id = value;
	else if (span_is(name, "traceparent") && !h->request_id.p)
		h->request_id = value;
}

bool head_next_field(const uint8_t **p, const uint8_t *end, struct span *name, struct span *value)
{
	while (*p < end) {
		const uint8_t *line = *p, *nl = memchr(line, '\n', (size_t)(end - line));
		const uint8_t *e, *v, *colon;

		if (!nl)
			return false;
		e = nl > line && nl[-1] == '\r' ? nl - 1 : nl;
		if (e == line)
			return false;
		*p = nl + 1;
		colon = memchr(line, ':', (size_t)(e - line));
		if (!colon)
			continue;
		v = colon + 1;
		while (v < e && (*v == ' ' || *v == '\t'))
			v++;
		while (e > v && (e[-1] == ' ' || e[-1] == '\t'))
			e--;
		*name = (struct span){ .p = line, .len = (size_t)(colon - line) };
		*value = (struct span){ .p = v, .len = (size_t)(e - v) };
		return true;
	}
	return false;
}

static void parse_fields(struct head *h, const uint8_t *p, const uint8_t *end)
{
	struct span name, value;

	while (head_next_field(&p, end, &name, &value))
		take_field(h, name, value);
}

struct span head_field(const struct w5_leg *l, const char *name)
{
	const uint8_t *end = l->head + min_size(l->head_len, W5_HEAD_REQ);
	const uint8_t *p = memchr(l->head, '\n', (size_t)(end - l->head));
	struct span have, value;

	if (!p || *l->head < 'A' || *l->head > 'Z')
		return (struct span){ 0 };
	for (p++; head_next_field(&p, end, &have, &value);) {
		if (span_is(have, name))
			return value;
	}
	return (struct span){ 0 };
}

bool head_parse(struct head *h, const struct w5_leg *l)
{
	size_t len = min_size(l->head_len, W5_HEAD_REQ);
	const uint8_t *nl;

	if (!head_parse_line(h, l))
		return false;
	nl = memchr(l->head, '\n', len);
	if (nl)
		parse_fields(h, nl + 1, l->head + len);
	return true;
}

uint64_t head_target_key(const struct head *h)
{
	uint64_t k;

	if (!h->target.p)
		return 0;
	k = hash_bytes(h->target.p, min_size(h->target.len, TARGET_KEY_BYTES), 0x502);
	return k ? k : 1;
}

struct route head_route(const struct head *h)
{
	struct route r = { 0 };
	size_t n = 1;

	if (h->host.len)
		r.host = hash_bytes(h->host.p, h->host.len, 0x504) | 1;
	if (!h->target.p)
		return r;
	while (n < h->target.len && h->target.p[n] != '/' && h->target.p[n] != '?')
		n++;
	r.path = hash_bytes(h->target.p, n, r.host) | 1;
	r.bare = hash_bytes(h->target.p, n, 0) | 1;
	return r;
}

static bool ends_with(struct span a, struct span b)
{
	return b.len > 1 && a.len > b.len && memcmp(a.p + a.len - b.len, b.p, b.len) == 0;
}

bool head_target_rewritten(const struct head *a, const struct head *b)
{
	if (!a->target.p || !b->target.p || a->target_cut || b->target_cut)
		return false;
	/* "/" ends every directory: no witness. */
	return ends_with(a->target, b->target) || ends_with(b->target, a->target);
}

/* version "-" trace-id "-" parent-id "-" flags (W3C Trace Context 3.2) */
static struct span trace_id(struct span s)
{
	if (s.p && s.len == 55 && s.p[2] == '-' && s.p[35] == '-')
		return (struct span){ .p = s.p + 3, .len = 32 };
	return s;
}

bool head_same_id(const struct head *a, const struct head *b)
{
	return a->request_id.len >= 8 && span_eq(trace_id(a->request_id), trace_id(b->request_id));
}

void span_copy(char *out, size_t cap, struct span s)
{
	size_t n = s.p ? min_size(s.len, cap - 1) : 0;

	for (size_t i = 0; i < n; i++)
		out[i] = s.p[i] ? (char)s.p[i] : '?';
	out[n] = '\0';
}

/* ---- responses ---- */

static bool is_tchar(uint8_t c) /* RFC 9110 5.6.2 */
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* One whole header line without its end. */
static bool line_is_bad(const uint8_t *p, size_t len)
{
	const uint8_t *colon = memchr(p, ':', len);

	if (memchr(p, '\0', len))
		return true;
	if (!colon || colon == p)
		return true;
	for (; p < colon; p++) {
		if (!is_tchar(*p))
			return true;
	}
	return false;
}

/* Header lines after the status line; *head_end gets the header's length if it ends here. */
static enum resp_kind walk_lines(const uint8_t *from, size_t len, size_t *head_end)
{
	const uint8_t *p = memchr(from, '\n', len), *end = from + len;

	if (!p)
		return RESP_HEADER;
	p++;
	while (p < end) {
		const uint8_t *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n;

		if (!nl) {
			/* A NUL is wrong even in a line that is not all here. */
			return memchr(p, '\0', (size_t)(end - p)) ? RESP_BAD_HEADER : RESP_HEADER;
		}
		n = (size_t)(nl - p);
		if (n && p[n - 1] == '\r')
			n--;
		if (!n) {
			*head_end = (size_t)(nl + 1 - from);
			return RESP_COMPLETE;
		}
		if (p[0] != ' ' && p[0] != '\t' && line_is_bad(p, n))
			return RESP_BAD_HEADER;
		p = nl + 1;
	}
	return RESP_HEADER;
}

static size_t resp_len(const struct w5_leg *l)
{
	return min_size(min_size(l->resp_len, W5_HEAD_RESP), l->resp_bytes);
}

enum resp_kind head_resp_kind(const struct w5_leg *l)
{
	static const char http[] = "HTTP/1.";
	size_t len = resp_len(l), unused;

	if (!len)
		return RESP_EMPTY;
	if (len >= 3 && l->resp[0] >= 0x14 && l->resp[0] <= 0x17 && l->resp[1] == 3)
		return RESP_TLS;
	if (memcmp(l->resp, http, min_size(len, sizeof(http) - 1)))
		return RESP_OTHER;
	if (len < 12)
		return RESP_STARTED;
	return walk_lines(l->resp, len, &unused);
}

/* What the kept bytes of a header say of the body behind it. */
struct body {
	size_t head_end; /* 0 if it is not in them */
	uint64_t length;
	bool has_length, is_chunked;
};

/* p: a line without its LF. */
static bool line_is(const uint8_t *p, const uint8_t *nl, const char *name, const uint8_t **value)
{
	size_t n = strlen(name);

	if ((size_t)(nl - p) <= n || strncasecmp((const char *)p, name, n))
		return false;
	for (p += n; p < nl && (*p == ' ' || *p == '\t'); p++)
		;
	*value = p;
	return true;
}

/* Chunked is always the last of several codings (RFC 9112 6.1). */
static bool ends_chunked(const uint8_t *v, const uint8_t *nl)
{
	static const char name[] = "chunked";
	size_t n = sizeof(name) - 1;

	while (nl > v && (nl[-1] == '\r' || nl[-1] == ' ' || nl[-1] == '\t'))
		nl--;
	return (size_t)(nl - v) >= n && !strncasecmp((const char *)nl - n, name, n);
}

/* Whole lines only. */
static struct body body_of(const uint8_t *from, size_t len)
{
	const uint8_t *p = from, *end = from + len, *nl, *v;
	struct body b = { 0 };

	while ((nl = memchr(p, '\n', (size_t)(end - p)))) {
		if (nl - p <= 1) {
			b.head_end = (size_t)(nl + 1 - from);
			break;
		}
		if (line_is(p, nl, "content-length:", &v)) {
			b.has_length = true;
			for (b.length = 0; v < nl && *v >= '0' && *v <= '9'; v++) {
				if (b.length < (1ull << 50))
					b.length = b.length * 10 + (uint64_t)(*v - '0');
			}
		} else if (line_is(p, nl, "transfer-encoding:", &v)) {
			b.is_chunked = ends_chunked(v, nl);
		}
		p = nl + 1;
	}
	return b;
}

bool head_resp_chunked(const struct w5_leg *l)
{
	return body_of(l->resp, resp_len(l)).is_chunked;
}

bool head_resp_short(const struct w5_leg *l)
{
	struct body b;

	if (l->stream) /* it ends where its END_STREAM is; only one that did not is told to end */
		return l->status >= 200 && l->end;
	if (l->status < 200 || l->status == 204 || l->status == 304 ||
	    (l->head_len >= 5 && !memcmp(l->head, "HEAD ", 5)))
		return false;
	b = body_of(l->resp, resp_len(l));
	if (b.is_chunked) /* overrides a length (RFC 9112 6.3) */
		return l->flags & W5_F_ENDS_OPEN;
	return b.has_length && l->resp_bytes < b.head_end + b.length;
}

bool head_req_short(const struct w5_leg *l)
{
	struct body b = body_of(l->head, min_size(l->head_len, W5_HEAD_REQ));

	return b.has_length && l->req_bytes < b.head_end + b.length;
}
