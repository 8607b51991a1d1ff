/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "w5_http1.h"

struct row {
	const char *bytes;
	int want;
};

/* As the kernel side does: at most the peek, the rest 0. On the heap, so that
 * AddressSanitizer sees a read beyond it. */
static w5_u8 *peek(const char *bytes, size_t len)
{
	w5_u8 *p = calloc(1, W5_HTTP1_PEEK);

	memcpy(p, bytes, len < W5_HTTP1_PEEK ? len : W5_HTTP1_PEEK);
	return p;
}

#define walk(fn, rows)                                                                       \
	for (size_t i_ = 0; i_ < sizeof(rows) / sizeof((rows)[0]); i_++) {                   \
		w5_u8 *p_ = peek((rows)[i_].bytes, strlen((rows)[i_].bytes));                \
		int got_ = fn(p_);                                                           \
                                                                                             \
		if (got_ != (rows)[i_].want)                                                 \
			fail_msg("%s: %d, not %d", (rows)[i_].bytes, got_, (rows)[i_].want); \
		free(p_);                                                                    \
	}

static void test_requests_are_recognised(void **state)
{
	static const struct row rows[] = {
		{ "GET / HTTP/1.1\r\n", 1 },
		{ "POST /api/cart HTTP/1.1\r\n", 1 },
		{ "OPTIONS * HTTP/1.1\r\n", 1 },
		{ "GET http://a/ HTTP/1.1", 1 },
		{ "GET HTTP://a/", 1 },
		{ "CONNECT a.example:443 HTTP/1.1", 1 },
		{ "PROPFIND /x", 1 },
		{ "M-SEARCH *", 1 },
		{ "BCOPY /", 1 },
		{ "MKWORKSPACE /", 1 },	   /* 11 */
		{ "ABCDEFGHIJKLMN /", 1 }, /* 14: the longest that fits */
	};

	walk(w5_http1_is_request, rows);
}

static void test_other_bytes_are_no_request(void **state)
{
	static const struct row rows[] = {
		{ "", 0 },
		{ "GET", 0 },
		{ "GET ", 0 },
		{ "GET  /", 0 },
		{ "get / HTTP/1.1", 0 },
		{ "GE /", 0 },
		{ "HTTP/1.1 200 OK", 0 },
		{ "GET\t/", 0 },
		{ "GET x HTTP/1.1", 0 },
		{ "G@T /", 0 },
		{ " GET /", 0 },
		{ "\r\nGET /", 0 },
		{ "\x16\x03\x01", 0 },
		{ "SSH-2.0-OpenSSH", 0 },
		{ "CONNECT \x01", 0 },
		{ "ABCDEFGHIJKLMNO /", 0 }, /* 15 */
		{ "EHLO mail.example", 0 },
	};

	walk(w5_http1_is_request, rows);
}

static void test_status_is_read(void **state)
{
	static const struct row rows[] = {
		{ "HTTP/1.1 200 OK\r\n", 200 },	  { "HTTP/1.0 502 Bad Gateway", 502 },
		{ "HTTP/1.1 100 Continue", 100 }, { "HTTP/1.1 999", 999 },
		{ "HTTP/1.1 504\r\n", 504 },
	};

	walk(w5_http1_status, rows);
}

static void test_what_is_no_status_line_reads_as_0(void **state)
{
	static const struct row rows[] = {
		{ "", 0 },
		{ "HTTP/1.1", 0 },
		{ "HTTP/1.1 20", 0 },
		{ "HTTP/1.1 2x0", 0 },
		{ "HTTP/1.1 099", 0 },
		{ "HTTP/2.0 200", 0 },
		{ "HTTP/1.1  200", 0 },
		{ "http/1.1 200", 0 },
		{ "hello, world!", 0 },
		{ "\x15\x03\x01", 0 },
		{ "ICY 200 OK", 0 },
		{ "HTTP/1.1 \xb2\xb0\xb0", 0 },
	};

	walk(w5_http1_status, rows);
}

/* The preface has the shape of a request, and must not pass for one. */
static void test_h2_preface(void **state)
{
	static const struct row rows[] = {
		{ "PRI * HTTP/2.0\r\n\r\nSM", 1 },
		{ "PRI * HTTP/1.1\r\n", 0 },
		{ "PRI /", 0 },
	};
	w5_u8 *p = peek("PRI * HTTP/2.0\r\n", 16);

	walk(w5_http1_is_h2_preface, rows);
	assert_int_equal(w5_http1_is_request(p), 0);
	free(p);
}

/* A message cut by the segment's end is no longer one, or it is the same one. */
static void test_prefixes_never_read_as_something_else(void **state)
{
	static const char req[] = "CONNECT a:1 HTTP/1.1", resp[] = "HTTP/1.1 502 Bad";

	for (size_t len = 0; len < sizeof(req); len++) {
		w5_u8 *p = peek(req, len);

		assert_int_equal(w5_http1_is_request(p), len >= 9);
		assert_int_equal(w5_http1_status(p), 0);
		free(p);
	}
	for (size_t len = 0; len < sizeof(resp); len++) {
		w5_u8 *p = peek(resp, len);

		assert_int_equal(w5_http1_status(p), len >= 12 ? 502 : 0);
		assert_int_equal(w5_http1_is_request(p), 0);
		free(p);
	}
}

static void test_a_header_ends_at_its_empty_line(void **state)
{
	static const char head[] = "HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 200 OK";
	static const char lf[] = "HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK";

	(void)state;
	for (size_t cut = 0; cut <= 31; cut++) { /* as a whole, and in two pieces */
		w5_u8 after_lf = 0, *p = malloc(cut ? cut : 1);

		memcpy(p, head, cut);
		assert_int_equal(w5_http1_header_size(p, (w5_u32)cut, &after_lf),
				 cut == 31 ? 31 : 0);
		if (cut < 31)
			assert_int_equal(w5_http1_header_size((const w5_u8 *)head + cut,
							      (w5_u32)(sizeof(head) - cut),
							      &after_lf),
					 31 - cut);
		free(p);
	}
	w5_u8 after_lf = 0;

	assert_int_equal(w5_http1_header_size((const w5_u8 *)lf, sizeof(lf) - 1, &after_lf), 23);
}

static void test_interim_is_all_of_1xx_but_101(void **state)
{
	(void)state;
	assert_true(w5_http1_is_interim(100) && w5_http1_is_interim(103));
	assert_false(w5_http1_is_interim(101) || w5_http1_is_interim(0) ||
		     w5_http1_is_interim(200));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_are_recognised),
		cmocka_unit_test(test_other_bytes_are_no_request),
		cmocka_unit_test(test_status_is_read),
		cmocka_unit_test(test_what_is_no_status_line_reads_as_0),
		cmocka_unit_test(test_h2_preface),
		cmocka_unit_test(test_a_header_ends_at_its_empty_line),
		cmocka_unit_test(test_interim_is_all_of_1xx_but_101),
		cmocka_unit_test(test_prefixes_never_read_as_something_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
