/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS messages for tests, laid out as RFC 8446 4.1.2 and 4.1.3 say. */
#ifndef TESTS_LIB_HELLO_H
#define TESTS_LIB_HELLO_H

#include <stdint.h>
#include <string.h>

#define HELLO_MAX 512

struct hello {
	size_t len;
	uint8_t b[HELLO_MAX];
};

static inline void hello_put(struct hello *h, const void *p, size_t n)
{
	memcpy(h->b + h->len, p, n);
	h->len += n;
}

static inline void hello_u8(struct hello *h, unsigned v)
{
	h->b[h->len++] = (uint8_t)v;
}

static inline void hello_u16(struct hello *h, unsigned v)
{
	hello_u8(h, v >> 8);
	hello_u8(h, v);
}

static inline void hello_fill16(struct hello *h, size_t at)
{
	size_t n = h->len - at - 2;

	h->b[at] = (uint8_t)(n >> 8);
	h->b[at + 1] = (uint8_t)n;
}

static inline void hello_begin(struct hello *h, unsigned type, unsigned legacy)
{
	memset(h, 0, sizeof(*h));
	hello_put(h, "\x16\x03\x01\0\0", 5);
	hello_u8(h, type);
	hello_put(h, "\0\0\0", 3);
	hello_u16(h, legacy);
	h->len += 32; /* random */
	hello_u8(h, 32);
	h->len += 32; /* session id */
}

static inline void hello_finish(struct hello *h)
{
	hello_fill16(h, 3);
	h->b[7] = (uint8_t)((h->len - 9) >> 8);
	h->b[8] = (uint8_t)(h->len - 9);
}

/* sni and alpn may be NULL; versions ends with 0, NULL = no such extension. */
static inline struct hello hello_client(const char *sni, const char *alpn, const uint16_t *versions)
{
	struct hello h;
	size_t all, n;

	hello_begin(&h, 1, 0x0303);
	hello_u16(&h, 4);
	hello_put(&h, "\x13\x01\xc0\x2f", 4);
	hello_put(&h, "\x01\0", 2);
	all = h.len;
	h.len += 2;
	if (sni) {
		n = strlen(sni);
		hello_u16(&h, 0);
		hello_u16(&h, (unsigned)n + 5);
		hello_u16(&h, (unsigned)n + 3);
		hello_u8(&h, 0);
		hello_u16(&h, (unsigned)n);
		hello_put(&h, sni, n);
	}
	if (alpn) {
		n = strlen(alpn);
		hello_u16(&h, 16);
		hello_u16(&h, (unsigned)n + 3);
		hello_u16(&h, (unsigned)n + 1);
		hello_u8(&h, (unsigned)n);
		hello_put(&h, alpn, n);
	}
	for (n = 0; versions && versions[n]; n++)
		;
	if (n) {
		hello_u16(&h, 43);
		hello_u16(&h, (unsigned)n * 2 + 1);
		hello_u8(&h, (unsigned)n * 2);
		for (size_t i = 0; i < n; i++)
			hello_u16(&h, versions[i]);
	}
	hello_fill16(&h, all);
	hello_finish(&h);
	return h;
}

static inline struct hello hello_server(unsigned chosen)
{
	struct hello h;

	hello_begin(&h, 2, 0x0303);
	hello_put(&h, "\x13\x01\0", 3);
	if (chosen == 0x0304)
		hello_put(&h, "\0\x06\0\x2b\0\x02\x03\x04", 8);
	hello_finish(&h);
	return h;
}

#endif
