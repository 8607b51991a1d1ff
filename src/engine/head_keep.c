/* SPDX-License-Identifier: BSD-2-Clause */
/* Connection and Keep-Alive: see head.h. */
#include "engine/head.h"

#include <string.h>

#define TIMEOUT_MAX_S 86400u /* who says more means "for ever" */
#define NUMBER_MAX    1000000000u

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* The next element of a list (RFC 9110 5.6.1), without the blanks around it; s loses it. */
static struct span next_element(struct span *s)
{
	const uint8_t *p = s->p, *end = s->p + s->len, *stop = memchr(p, ',', s->len);

	*s = (struct span){ .p = stop ? stop + 1 : end,
			    .len = stop ? (size_t)(end - stop - 1) : 0 };
	stop = stop ? stop : end;
	while (p < stop && is_blank(*p))
		p++;
	while (stop > p && is_blank(stop[-1]))
		stop--;
	return (struct span){ .p = p, .len = (size_t)(stop - p) };
}

/* "name=123": digits to the end, or it says nothing. */
static bool number_of(struct span e, const char *name, uint32_t *out)
{
	size_t n = strlen(name);
	uint32_t v = 0;

	if (e.len < n + 2 || e.p[n] != '=' || !span_is((struct span){ .p = e.p, .len = n }, name))
		return false;
	for (size_t i = n + 1; i < e.len; i++) {
		if (e.p[i] < '0' || e.p[i] > '9')
			return false;
		if (v < NUMBER_MAX)
			v = v * 10 + (uint32_t)(e.p[i] - '0');
	}
	*out = v;
	return true;
}

static void take_keep_alive(struct keep_alive *out, struct span list)
{
	uint32_t v;

	while (list.len) {
		struct span e = next_element(&list);

		if (number_of(e, "timeout", &v) && v <= TIMEOUT_MAX_S)
			out->timeout_ms = v * 1000;
		else if (number_of(e, "max", &v))
			out->max = v;
	}
}

static bool has_token(struct span list, const char *token)
{
	while (list.len) {
		if (span_is(next_element(&list), token))
			return true;
	}
	return false;
}

/* Where the fields of a message begin; NULL if its first line is not all there. */
static const uint8_t *fields_of(const uint8_t *p, size_t len)
{
	const uint8_t *nl = memchr(p, '\n', len);

	return nl ? nl + 1 : NULL;
}

static size_t kept_len(uint16_t len, size_t cap)
{
	return len < cap ? len : cap;
}

bool head_keep_alive(struct keep_alive *out, const struct w5_leg *l)
{
	size_t len = kept_len(l->resp_len, W5_HEAD_RESP);
	const uint8_t *p = fields_of(l->resp, len);
	struct span name, value;

	*out = (struct keep_alive){ 0 };
	if (!p || memcmp(l->resp, "HTTP/", 5))
		return false;
	while (head_next_field(&p, l->resp + len, &name, &value)) {
		if (span_is(name, "keep-alive"))
			take_keep_alive(out, value);
	}
	return out->timeout_ms || out->max;
}

static bool says_close(const uint8_t *from, size_t len)
{
	const uint8_t *p = fields_of(from, len);
	struct span name, value;

	while (p && head_next_field(&p, from + len, &name, &value)) {
		if (span_is(name, "connection") && has_token(value, "close"))
			return true;
	}
	return false;
}

bool head_says_close(const struct w5_leg *l)
{
	return says_close(l->head, kept_len(l->head_len, W5_HEAD_REQ)) ||
	       says_close(l->resp, kept_len(l->resp_len, W5_HEAD_RESP));
}
