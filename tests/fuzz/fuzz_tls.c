/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader of TLS bytes: nothing beyond the end is read, what it hands out lies within the
 * bytes given, and a shorter piece of the same bytes never tells something else, only less.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/tlshello.h"

#define expect(c)                \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

/* The bytes on the heap, just long enough: a read beyond them is seen. */
static uint8_t *copy_of(const uint8_t *p, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	if (len)
		memcpy(copy, p, len);
	return copy;
}

static void expect_within(struct span s, const uint8_t *p, size_t len)
{
	expect(!s.p || (s.len && s.p >= p && s.p + s.len <= p + len));
}

static bool same_span(struct span a, struct span b)
{
	return a.len == b.len && !memcmp(a.p, b.p, a.len);
}

/* Of a ClientHello whose extensions appear once, as they must (RFC 8446 4.2), a piece tells the
 * same or less. Twice: the last one counts, and a piece may not have it. */
static void expect_less(const struct tls_hello *all, const struct tls_hello *part)
{
	expect(part->total == all->total);
	expect(!part->sni.p || all->sni.p);
	expect(!part->alpn.p || all->alpn.p);
	expect(!part->versions_known || part->whole || all->versions_known);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t half = size / 2;
	uint8_t *all = copy_of(data, size), *part = copy_of(data, half);
	struct tls_hello a, p;
	bool is_hello = tls_hello_parse(&a, all, size), has_part = tls_hello_parse(&p, part, half);
	uint16_t alert = tls_alert_in_clear(all, size), early = tls_alert_in_clear(part, half);

	if (is_hello) {
		expect_within(a.sni, all, size);
		expect_within(a.alpn, all, size);
		expect(a.oldest <= a.newest);
		expect(!tls_server_version(all, size));
		if (has_part)
			expect_less(&a, &p);
		if (has_part && p.sni.p && a.sni.p && p.sni.p - part == a.sni.p - all)
			expect(same_span(p.sni, a.sni));
	} else {
		expect(!has_part);
	}
	expect(!alert || (alert & 0xff00) == 0x100);
	expect(!early || early == alert);
	expect(tls_version_name((uint16_t)size));
	free(all);
	free(part);
	return 0;
}
