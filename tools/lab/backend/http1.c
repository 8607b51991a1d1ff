// SPDX-License-Identifier: BSD-2-Clause
/* HTTP/1 as far as a backend needs it: where a request ends, whose it is, a good answer. */
#include "backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void target_id(char *out, const char *target, size_t len)
{
	const char *p = len ? memchr(target + 1, '/', len - 1) : NULL, *end = target + len;
	size_t n;

	out[0] = '\0';
	if (!p)
		return;
	p++;
	for (n = 0; p + n < end && n < ID_BYTES - 1; n++)
		if (p[n] == '?' || p[n] == ' ' || p[n] == '\r')
			break;
	memcpy(out, p, n);
	out[n] = '\0';
}

void request_take_id(struct conn *c)
{
	const char *target = memchr(c->buf, '/', c->len);

	target_id(c->id, target, target ? (size_t)(c->buf + c->len - target) : 0);
}

bool is_hello(const struct conn *c)
{
	return c->len > 2 && c->buf[0] == 22 && c->buf[1] == 3; /* handshake, 3.x: RFC 8446 5.1 */
}

static size_t hello_size(const struct conn *c)
{
	size_t size;

	if (c->len < 5)
		return 0;
	size = 5 + (size_t)((uint8_t)c->buf[3] << 8 | (uint8_t)c->buf[4]);
	return c->len >= size ? size : 0;
}

/* Bytes of the first request in buf, head and body; 0 if it is not complete. */
size_t request_size(const struct conn *c)
{
	const char *end = memmem(c->buf, c->len, "\r\n\r\n", 4), *p;
	size_t head, body = 0;

	if (c->port->mode->takes_hello && is_hello(c))
		return hello_size(c);
	if (!end)
		return 0;
	head = (size_t)(end - c->buf) + 4;
	for (p = c->buf; p < end; p++)
		if (*p == '\n' && !strncasecmp(p + 1, "content-length:", 15))
			body = strtoul(p + 16, NULL, 10);
	return c->len >= head + body ? head + body : 0;
}

size_t answer_write(const struct conn *c, char *out, size_t cap)
{
	int n = snprintf(out, cap,
			 "HTTP/1.1 200 OK\r\nServer: lab-backend\r\nContent-Type: text/plain\r\n"
			 "%sContent-Length: %zu\r\n\r\nok %s\n",
			 c->port->mode->keep ? c->port->mode->keep : "", strlen(c->id) + 4, c->id);

	return (size_t)n < cap ? (size_t)n : cap;
}
