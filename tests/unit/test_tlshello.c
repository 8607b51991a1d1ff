/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of ClientHello, ServerHello and alert bytes: whole, cut anywhere, and wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../lib/hello.h"
#include "engine/codes.h"
#include "engine/tlshello.h"

/* OpenSSL 3.0's own, as the kernel side keeps it: 256 of 318 bytes, so its list of versions,
 * two bytes further on, is not there. */
static const uint8_t openssl[] = {
	0x16, 0x03, 0x01, 0x01, 0x39, 0x01, 0x00, 0x01, 0x35, 0x03, 0x03, 0x01, 0x7b, 0x19, 0x7b,
	0x3b, 0x4d, 0xc1, 0xe1, 0xae, 0xce, 0x42, 0xa9, 0xf7, 0xee, 0x31, 0x7a, 0x5b, 0xfa, 0x90,
	0x26, 0x1f, 0xa3, 0xf2, 0x8f, 0xba, 0x7e, 0xb1, 0x54, 0x52, 0xaa, 0xdf, 0x20, 0x20, 0x6a,
	0x5e, 0x50, 0x10, 0x5a, 0xbd, 0x58, 0xcf, 0x72, 0xe2, 0xf6, 0xd5, 0x87, 0x9b, 0x6b, 0x0a,
	0x27, 0x2b, 0xd6, 0xd1, 0x0d, 0x7e, 0xcb, 0x4f, 0x89, 0xf8, 0x5e, 0xe6, 0xf3, 0x66, 0xd0,
	0x7e, 0x00, 0x3e, 0x13, 0x02, 0x13, 0x03, 0x13, 0x01, 0xc0, 0x2c, 0xc0, 0x30, 0x00, 0x9f,
	0xcc, 0xa9, 0xcc, 0xa8, 0xcc, 0xaa, 0xc0, 0x2b, 0xc0, 0x2f, 0x00, 0x9e, 0xc0, 0x24, 0xc0,
	0x28, 0x00, 0x6b, 0xc0, 0x23, 0xc0, 0x27, 0x00, 0x67, 0xc0, 0x0a, 0xc0, 0x14, 0x00, 0x39,
	0xc0, 0x09, 0xc0, 0x13, 0x00, 0x33, 0x00, 0x9d, 0x00, 0x9c, 0x00, 0x3d, 0x00, 0x3c, 0x00,
	0x35, 0x00, 0x2f, 0x00, 0xff, 0x01, 0x00, 0x00, 0xae, 0x00, 0x00, 0x00, 0x11, 0x00, 0x0f,
	0x00, 0x00, 0x0c, 0x73, 0x68, 0x6f, 0x70, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65,
	0x00, 0x0b, 0x00, 0x04, 0x03, 0x00, 0x01, 0x02, 0x00, 0x0a, 0x00, 0x16, 0x00, 0x14, 0x00,
	0x1d, 0x00, 0x17, 0x00, 0x1e, 0x00, 0x19, 0x00, 0x18, 0x01, 0x00, 0x01, 0x01, 0x01, 0x02,
	0x01, 0x03, 0x01, 0x04, 0x00, 0x23, 0x00, 0x00, 0x00, 0x16, 0x00, 0x00, 0x00, 0x17, 0x00,
	0x00, 0x00, 0x0d, 0x00, 0x2a, 0x00, 0x28, 0x04, 0x03, 0x05, 0x03, 0x06, 0x03, 0x08, 0x07,
	0x08, 0x08, 0x08, 0x09, 0x08, 0x0a, 0x08, 0x0b, 0x08, 0x04, 0x08, 0x05, 0x08, 0x06, 0x04,
	0x01, 0x05, 0x01, 0x06, 0x01, 0x03, 0x03, 0x03, 0x01, 0x03, 0x02, 0x04, 0x02, 0x05, 0x02,
	0x06,
};

static const uint16_t both[] = { 0x0304, 0x0303, 0 };

static void assert_span(struct span s, const char *want)
{
	assert_int_equal(s.len, strlen(want));
	assert_memory_equal(s.p, want, s.len);
}

static void test_what_openssl_sends(void **s)
{
	struct tls_hello h;

	(void)s;
	assert_true(tls_hello_parse(&h, openssl, sizeof(openssl)));
	assert_span(h.sni, "shop.example");
	assert_int_equal(h.total, 318);
	assert_false(h.whole);
	assert_false(h.versions_known);
	assert_int_equal(h.newest, 0x0303);
	assert_null(h.alpn.p);
}

static void test_a_whole_hello(void **s)
{
	struct hello c = hello_client("a.example", "h2", both);
	struct tls_hello h;

	(void)s;
	assert_true(tls_hello_parse(&h, c.b, c.len));
	assert_span(h.sni, "a.example");
	assert_span(h.alpn, "h2");
	assert_true(h.whole);
	assert_true(h.versions_known);
	assert_int_equal(h.newest, 0x0304);
	assert_int_equal(h.oldest, 0x0303);
	assert_int_equal(h.total, c.len);
}

static void test_no_name_is_known_only_of_a_whole_hello(void **s)
{
	struct hello c = hello_client(NULL, "http/1.1", both);
	struct tls_hello h;

	(void)s;
	assert_true(tls_hello_parse(&h, c.b, c.len));
	assert_null(h.sni.p);
	assert_true(h.whole);
	assert_true(tls_hello_parse(&h, c.b, c.len - 1));
	assert_null(h.sni.p);
	assert_false(h.whole);
}

static void test_versions_of_old_clients(void **s)
{
	struct hello c = hello_client("a.example", NULL, NULL);
	struct tls_hello h;

	(void)s;
	assert_true(tls_hello_parse(&h, c.b, c.len));
	assert_true(h.versions_known); /* no such extension: the legacy field holds */
	assert_int_equal(h.newest, 0x0303);
	hello_begin(&c, 1, 0x0301);
	hello_put(&c, "\0\x02\0\x2f\x01\0", 6); /* no extensions at all */
	hello_finish(&c);
	assert_true(tls_hello_parse(&h, c.b, c.len));
	assert_true(h.whole && h.versions_known);
	assert_int_equal(h.newest, 0x0301);
}

static void test_reserved_versions_are_not_offered(void **s)
{
	static const uint16_t versions[] = { 0x7a7a, 0x0304, 0 };
	struct hello c = hello_client(NULL, NULL, versions);
	struct tls_hello h;

	(void)s;
	assert_true(tls_hello_parse(&h, c.b, c.len));
	assert_int_equal(h.newest, 0x0304);
	assert_int_equal(h.oldest, 0x0304);
}

/* A prefix tells less, never something else. On the heap: a read beyond it is seen. */
static void cut(const uint8_t *p, size_t len, const char *sni)
{
	struct tls_hello h;

	for (size_t n = 0; n <= len; n++) {
		uint8_t *copy = malloc(n ? n : 1);

		memcpy(copy, p, n);
		if (tls_hello_parse(&h, copy, n)) {
			if (h.sni.p)
				assert_span(h.sni, sni);
			assert_int_equal(h.whole, n == len && h.whole);
		} else {
			assert_true(n < 11);
		}
		tls_server_version(copy, n);
		tls_alert_in_clear(copy, n);
		free(copy);
	}
}

static void test_cut_anywhere(void **s)
{
	struct hello c = hello_client("a.example", "h2", both), v = hello_server(0x0304);

	(void)s;
	cut(c.b, c.len, "a.example");
	cut(openssl, sizeof(openssl), "shop.example");
	for (size_t n = 0; n <= v.len; n++) {
		uint16_t version = tls_server_version(v.b, n);

		assert_true(n == v.len ? version == 0x0304 : !version || version == 0x0303);
	}
}

static void test_lengths_that_lie(void **s)
{
	struct hello c = hello_client("a.example", "h2", both);
	struct tls_hello h;

	(void)s;
	for (size_t i = 0; i < c.len; i++) {
		struct hello bad = c;
		uint8_t *copy = malloc(c.len);

		bad.b[i] = 0xff;
		memcpy(copy, bad.b, c.len);
		if (tls_hello_parse(&h, copy, c.len) && h.sni.p)
			assert_true(h.sni.p >= copy && h.sni.p + h.sni.len <= copy + c.len);
		free(copy);
	}
}

static void test_what_is_no_client_hello(void **s)
{
	struct hello v = hello_server(0x0303);
	struct tls_hello h;

	(void)s;
	assert_false(tls_hello_parse(&h, (const uint8_t *)"GET / HTTP/1.1\r\n", 16));
	assert_false(tls_hello_parse(&h, v.b, v.len));
	assert_int_equal(tls_server_version(openssl, sizeof(openssl)), 0);
}

static void test_version_the_server_chose(void **s)
{
	struct hello v = hello_server(0x0304);

	(void)s;
	assert_int_equal(tls_server_version(v.b, v.len), 0x0304);
	v = hello_server(0x0303);
	assert_int_equal(tls_server_version(v.b, v.len), 0x0303);
}

static void test_alerts(void **s)
{
	static const uint8_t plain[] = { 0x15, 3, 3, 0, 2, 2, 112 };
	static const uint8_t veiled[] = { 0x15, 3, 3, 0, 26, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
					  0,	0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	struct hello v = hello_server(0x0303);

	(void)s;
	assert_int_equal(tls_alert_in_clear(plain, sizeof(plain)), 0x100 | 112);
	assert_int_equal(tls_alert_in_clear(plain, sizeof(plain) - 1), 0);
	assert_int_equal(tls_alert_in_clear(veiled, sizeof(veiled)), 0);
	hello_put(&v, plain, sizeof(plain)); /* after a ServerHello */
	assert_int_equal(tls_alert_in_clear(v.b, v.len), 0x100 | 112);
	assert_int_equal(tls_alert_in_clear((const uint8_t *)"HTTP/1.1 400", 12), 0);
}

static void test_names(void **s)
{
	char text[CODE_TEXT_MAX];

	(void)s;
	assert_string_equal(tls_alert_name(40), "handshake_failure");
	assert_string_equal(tls_alert_name(116), "certificate_required");
	assert_null(tls_alert_name(200));
	assert_string_equal(tls_version_name(0x0304), "TLS 1.3");
	assert_string_equal(tls_version_name(0x0300), "SSL 3.0");
	assert_string_equal(tls_version_name(0x0a0a), "an unknown version");
	assert_string_equal(h2_error_text(text, 7), "REFUSED_STREAM");
	assert_string_equal(h2_error_text(text, 0xd), "HTTP_1_1_REQUIRED");
	assert_string_equal(h2_error_text(text, 0xffffffff), "0xffffffff");
	assert_string_equal(grpc_status_text(text, 0), "OK");
	assert_string_equal(grpc_status_text(text, 14), "UNAVAILABLE");
	assert_string_equal(grpc_status_text(text, 16), "UNAUTHENTICATED");
	assert_string_equal(grpc_status_text(text, 17), "17");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_openssl_sends),
		cmocka_unit_test(test_a_whole_hello),
		cmocka_unit_test(test_no_name_is_known_only_of_a_whole_hello),
		cmocka_unit_test(test_versions_of_old_clients),
		cmocka_unit_test(test_reserved_versions_are_not_offered),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_lengths_that_lie),
		cmocka_unit_test(test_what_is_no_client_hello),
		cmocka_unit_test(test_version_the_server_chose),
		cmocka_unit_test(test_alerts),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
