/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <arpa/inet.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/text.h"

#define check_escape(fn, in, want)                                      \
	do {                                                            \
		char out_[256];                                         \
		size_t n_ = fn(out_, sizeof(out_), in, sizeof(in) - 1); \
		assert_string_equal(out_, want);                        \
		assert_int_equal(n_, strlen(want));                     \
	} while (0)

static void test_escape_shows_every_byte(void **state)
{
	check_escape(text_escape, "GET /a?b=c", "GET /a?b=c");
	check_escape(text_escape, "a\0b\x1b[31m\\\xff\x7f", "a\\x00b\\x1b[31m\\x5c\\xff\\x7f");
	check_escape(text_escape, "", "");
}

static void test_escape_never_cuts_an_escape(void **state)
{
	char out[16];

	for (size_t cap = 1; cap <= sizeof(out); cap++) {
		size_t n = text_escape(out, cap, "\x01\x02\x03\x04", 4);

		assert_int_equal(n % 4, 0);
		assert_int_equal(n, (cap - 1) / 4 * 4);
		assert_int_equal(strlen(out), n);
	}
}

static void test_json_escapes_and_repairs(void **state)
{
	check_escape(text_json, "say \"hi\\\"", "say \\\"hi\\\\\\\"");
	check_escape(text_json, "\x00\n\x1f\x7f", "\\u0000\\u000a\\u001f\\u007f");
	check_escape(text_json, "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x98\x80",
		     "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x98\x80");
	check_escape(text_json, "\xc2\x9b", "\\u009b"); /* CSI as one character */
	check_escape(text_json,
		     "\xff"
		     "a",
		     "\\ufffda");
	check_escape(text_json, "\xc0\xaf", "\\ufffd\\ufffd");		  /* overlong */
	check_escape(text_json, "\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"); /* surrogate */
	check_escape(text_json, "\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd");
	check_escape(text_json, "\xe6\x97", "\\ufffd\\ufffd"); /* cut at the end */
}

/* Whatever the bytes and the room, a JSON parser takes the result. */
static void test_json_is_always_a_json_string(void **state)
{
	unsigned char in[24];

	srand(502);
	for (int round = 0; round < 20000; round++) {
		char out[64], doc[80];
		size_t cap = 1 + (size_t)rand() % sizeof(out);
		size_t len = (size_t)rand() % sizeof(in);
		json_error_t err;
		json_t *v;

		for (size_t i = 0; i < len; i++)
			in[i] = (unsigned char)(rand() % 3 ? 0x80 + rand() % 128 : rand());
		assert_true(text_json(out, cap, in, len) < cap);
		snprintf(doc, sizeof(doc), "[\"%s\"]", out);
		v = json_loads(doc, JSON_ALLOW_NUL, &err);
		if (!v)
			fail_msg("%s: %s", err.text, doc);
		json_decref(v);
	}
}

static struct w5_addr addr(const char *s)
{
	struct w5_addr a = { .ip = { [10] = 0xff, [11] = 0xff } };

	if (strchr(s, ':'))
		assert_int_equal(inet_pton(AF_INET6, s, a.ip), 1);
	else
		assert_int_equal(inet_pton(AF_INET, s, a.ip + 12), 1);
	return a;
}

static void test_addresses(void **state)
{
	struct w5_addr v4 = addr("10.0.3.18"), v6 = addr("2001:db8::1");
	struct w5_addr longest = addr("2001:1db8:1111:2222:3333:4444:5555:6666");
	char out[TEXT_ENDPOINT_MAX];

	assert_int_equal(text_addr(out, sizeof(out), &v4), strlen("10.0.3.18"));
	assert_string_equal(out, "10.0.3.18");
	text_addr(out, sizeof(out), &v6);
	assert_string_equal(out, "2001:db8::1");
	text_endpoint(out, sizeof(out), &v4, 8080);
	assert_string_equal(out, "10.0.3.18:8080");
	text_endpoint(out, sizeof(out), &v6, 80);
	assert_string_equal(out, "[2001:db8::1]:80");
	text_endpoint(out, sizeof(out), &longest, 65535);
	assert_string_equal(out, "[2001:1db8:1111:2222:3333:4444:5555:6666]:65535");
	assert_int_equal(text_endpoint(out, 5, &v4, 8080), 4);
	assert_string_equal(out, "10.0");
}

static void test_times(void **state)
{
	char out[TEXT_TIME_MAX];

	text_time_utc(out, sizeof(out), 1795349181341402999ull);
	assert_string_equal(out, "2026-11-22T12:06:21.341402Z");
	assert_int_equal(text_time_utc(out, sizeof(out), 0), 27);
	assert_string_equal(out, "1970-01-01T00:00:00.000000Z");
	text_time_utc(out, sizeof(out), UINT64_MAX);
	setenv("TZ", "UTC-1", 1);
	tzset();
	text_time_of_day(out, sizeof(out), 1795349181341402999ull);
	assert_string_equal(out, "13:06:21.341");
}

static void test_durations(void **state)
{
	static const struct {
		uint64_t ns;
		const char *want;
	} rows[] = {
		{ 0, "0.000 ms" },
		{ 402000, "0.402 ms" },
		{ 1299999, "1.299 ms" },
		{ 60400000, "60.40 ms" },
		{ 999999999, "999.9 ms" },
		{ 1000000000, "1.00 s" },
		{ 60004100000, "60.0 s" },
		{ 59999999999, "59.9 s" },
		{ 179900000000, "179.9 s" },
		{ 180000000000, "3 min" },
		{ 7200000000000, "120 min" },
		{ 36000000000000, "10 h" },
		{ UINT64_MAX, "213503 d" },
	};
	char out[32];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(text_duration(out, sizeof(out), rows[i].ns) <= 9);
		assert_string_equal(out, rows[i].want);
	}
}

static void test_counts(void **state)
{
	static const struct {
		uint64_t n;
		const char *want;
	} rows[] = {
		{ 0, "0" },
		{ 41, "41" },
		{ 999, "999" },
		{ 1000, "1.0k" },
		{ 4199, "4.1k" },
		{ 41999, "41k" },
		{ 999999, "999k" },
		{ 12345678, "12M" },
		{ 5000000000, "5.0G" },
		{ UINT64_MAX, "18E" },
	};
	char out[32];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text_count(out, sizeof(out), rows[i].n);
		assert_string_equal(out, rows[i].want);
	}
}

static void test_errno_by_name(void **state)
{
	char out[24], small[5];

	assert_int_equal(text_errno(out, sizeof(out), 113), strlen("EHOSTUNREACH"));
	assert_string_equal(out, "EHOSTUNREACH");
	text_errno(out, sizeof(out), 60000);
	assert_string_equal(out, "60000");
	text_errno(small, sizeof(small), 113);
	assert_string_equal(small, "EHOS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errno_by_name),
		cmocka_unit_test(test_escape_shows_every_byte),
		cmocka_unit_test(test_escape_never_cuts_an_escape),
		cmocka_unit_test(test_json_escapes_and_repairs),
		cmocka_unit_test(test_json_is_always_a_json_string),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
