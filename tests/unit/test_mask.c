/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mask.h"
#include "base/util.h"

static const uint8_t key[MASK_KEY_BYTES] = "sixteen bytes ok";

static struct mask make(void)
{
	struct mask m;

	mask_init(&m, key);
	return m;
}

struct row {
	const char *in, *want; /* '#' where it must be masked */
};

static void check(const struct row *r, bool is_head)
{
	struct mask m = make();
	char p[512];
	size_t n = strlen(r->in);

	assert_int_equal(strlen(r->want), n);
	memcpy(p, r->in, n + 1);
	if (is_head)
		mask_head(&m, (uint8_t *)p, n);
	else
		mask_target(&m, (uint8_t *)p, n);
	assert_int_equal(strlen(p), n);
	for (size_t i = 0; i < n; i++) {
		bool first = r->want[i] == '#' && (!i || r->want[i - 1] != '#');

		if (r->want[i] != '#')
			assert_int_equal(p[i], r->want[i]);
		else if (first)
			assert_int_equal(p[i], '*');
		else
			assert_non_null(strchr("0123456789abcdef", p[i]));
	}
}

static void test_tokens_in_targets_are_masked(void **state)
{
	static const struct row rows[] = {
		{ "/a?token=s3cr3t", "/a?token=######" },
		{ "/a?x=1&access_token=s3cr3t&y=2", "/a?x=1&access_token=######&y=2" },
		{ "/a?X-Amz-Signature=0aff&z=1", "/a?X-Amz-Signature=####&z=1" },
		{ "/a?key=k;b=1", "/a?key=#####" },
		{ "/a?sort_key=name&error_code=7", "/a?sort_key=name&error_code=7" },
		{ "/a?monkey=1&keyword=x&codec=av1", "/a?monkey=1&keyword=x&codec=av1" },
		{ "/a?to%6ben=s3cr3t", "/a?to%6ben=######" },
		{ "/a?%54OKEN=s3cr3t#x", "/a?%54OKEN=########" },
		{ "/a?user[password]=pw", "/a?user[password]=##" },
		{ "/a?apikey%3Dx", "/a?apikey%3D#" },
		{ "/r?to=https%3A%2F%2Fx%2F%3Fcode%3Dabc%26b%3D1&c=2",
		  "/r?to=https%3A%2F%2Fx%2F%3Fcode%3D###%26b%3D1&c=2" },
		{ "/p;jsessionid=ABCD?x=1", "/p;jsessionid=####?x=1" },
		{ "/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.c2ln/x",
		  "/t/##################################/x" },
		{ "/t/keyJar/heyJude", "/t/keyJar/heyJude" },
		{ "http://joe:pw@shop.example/a", "http://######@shop.example/a" },
		{ "http://shop.example:8080/a@b", "http://shop.example:8080/a@b" },
		{ "http://joe:pass", "http://########" },
		{ "joe:pw@shop.example:443", "######@shop.example:443" },
		{ "shop.example:443", "shop.example:443" },
		{ "/a?token=&b=1", "/a?token=&b=1" },
		{ "/a?token==x", "/a?token=##" },
		{ "/a?token", "/a?token" },
		{ "/a?token=\x7f\xff", "/a?token=##" },
		{ "*", "*" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check(&rows[i], false);
}

static void test_secret_fields_are_masked_and_others_stay(void **state)
{
	static const struct row rows[] = {
		{ "GET / HTTP/1.1\r\nauthorization: Bearer abc\r\nHost: x\r\n\r\n",
		  "GET / HTTP/1.1\r\nauthorization: Bearer ###\r\nHost: x\r\n\r\n" },
		{ "GET / HTTP/1.1\r\nPROXY-AUTHORIZATION:Basic Zm9v\r\n\r\n",
		  "GET / HTTP/1.1\r\nPROXY-AUTHORIZATION:Basic ####\r\n\r\n" },
		{ "GET / HTTP/1.1\r\nCookie: a=1; b=2\r\nX-Api-Key:  k\r\n",
		  "GET / HTTP/1.1\r\nCookie: ########\r\nX-Api-Key:  #\r\n" },
		{ "HTTP/1.1 302 Found\r\nSet-Cookie: sid=1; Path=/\r\nLocation: /cb?code=77\r\n",
		  "HTTP/1.1 302 Found\r\nSet-Cookie: #############\r\nLocation: /cb?code=##\r\n" },
		{ "GET / HTTP/1.1\nCookie: a\n  b=2\nHost: y\n\n",
		  "GET / HTTP/1.1\nCookie: #\n  ###\nHost: y\n\n" },
		{ "GET / HTTP/1.1\r\nCookie: half", "GET / HTTP/1.1\r\nCookie: ####" },
		{ "GET / HTTP/1.1\r\nReferer: https://u:p@h/x?sig=9\r\n",
		  "GET / HTTP/1.1\r\nReferer: https://###@h/x?sig=#\r\n" },
		{ "GET /?pw=a HTTP/1.1\r\nX-Auth-Token : t\r\n",
		  "GET /?pw=# HTTP/1.1\r\nX-Auth-Token : #\r\n" },
		{ "GET / HTTP/1.1\r\nUser-Agent: curl/8 token=z\r\n",
		  "GET / HTTP/1.1\r\nUser-Agent: curl/8 token=#\r\n" },
		{ "GET / HTTP/1.1\r\nX-Request-Id: a1b2\r\nSec-WebSocket-Key: k\r\n",
		  "GET / HTTP/1.1\r\nX-Request-Id: a1b2\r\nSec-WebSocket-Key: k\r\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check(&rows[i], true);
}

static void test_the_head_ends_at_its_empty_line(void **state)
{
	char p[] = "POST /l HTTP/1.1\r\nContent-Length: 5\r\n\r\ntoken=abc";
	struct mask m = make();
	size_t n = strlen(p);

	assert_int_equal(mask_head(&m, (uint8_t *)p, n), n - 9);
	assert_string_equal(p + n - 9, "token=abc");
	assert_int_equal(mask_head(&m, (uint8_t *)p, 20), 20);
	assert_int_equal(mask_head(&m, (uint8_t *)p, 0), 0);
}

/* Two records of one request keep different numbers of bytes. */
static void test_a_cut_value_reads_as_the_whole_one_as_far_as_it_goes(void **state)
{
	static const char whole[] = "GET /a/b?x=1&token=0123456789abcdefghijklmnop&y=2 HTTP/1.1\r\n"
				    "Cookie: one=1; two=2\r\n\r\n";
	struct mask m = make();
	char full[sizeof(whole)];

	memcpy(full, whole, sizeof(whole));
	mask_head(&m, (uint8_t *)full, strlen(full));
	assert_null(strstr(full, "01234567"));
	for (size_t n = 0; n < strlen(whole); n++) {
		char cut[sizeof(whole)];

		memcpy(cut, whole, sizeof(whole));
		mask_head(&m, (uint8_t *)cut, n);
		assert_memory_equal(cut, full, n);
	}
}

static void test_equal_values_read_equal_and_others_do_not(void **state)
{
	char a[] = "/x?token=alpha-1", b[] = "/other?y=1&api_key=alpha-1", c[] = "/x?token=alpha-2";
	struct mask m = make(), other;

	mask_target(&m, (uint8_t *)a, strlen(a));
	mask_target(&m, (uint8_t *)b, strlen(b));
	mask_target(&m, (uint8_t *)c, strlen(c));
	assert_string_equal(strchr(a, '*'), strchr(b, '*'));
	assert_memory_equal(a, c, strlen(a) - 1); /* they begin the same */
	/* One digit can be the same by chance; under sixteen keys it is not. */
	for (int i = 0, differ = 0; i < 16; i++) {
		uint8_t k[MASK_KEY_BYTES] = { (uint8_t)i };
		char d[] = "/x?token=alpha-1", e[] = "/x?token=alpha-2";

		mask_init(&other, k);
		mask_target(&other, (uint8_t *)d, strlen(d));
		mask_target(&other, (uint8_t *)e, strlen(e));
		differ += strcmp(d, e) != 0;
		if (i == 15)
			assert_true(differ > 8);
	}
}

static void test_another_key_gives_other_digits(void **state)
{
	char a[] = "/x?token=alpha-beta-gamma-delta", b[sizeof(a)];
	uint8_t k[MASK_KEY_BYTES] = { 1 };
	struct mask m = make(), other;

	memcpy(b, a, sizeof(a));
	mask_init(&other, k);
	mask_target(&m, (uint8_t *)a, strlen(a));
	mask_target(&other, (uint8_t *)b, strlen(b));
	assert_string_not_equal(a, b);
}

static void test_off_touches_nothing(void **state)
{
	char a[] = "/x?token=alpha";
	struct mask m = make();

	m.off = true;
	mask_target(&m, (uint8_t *)a, strlen(a));
	assert_string_equal(a, "/x?token=alpha");
	assert_int_equal(mask_head(&m, (uint8_t *)a, strlen(a)), strlen(a));
	assert_string_equal(a, "/x?token=alpha");
}

static void test_names(void **state)
{
	static const char *const params[] = { "token",	 "ACCESS-TOKEN", "id_token",
					      "api.key", "jwt",		 "client_secret",
					      "passwd",	 "session",	 "auth" };
	static const char *const open[] = { "page", "q", "keys", "codes", "author", "tokens", "" };
	static const char *const fields[] = { "Authorization", "set-cookie", "X-API-Key",
					      "X-Vault-Token", "X-Goog-Api-Key" };

	for (size_t i = 0; i < ARRAY_SIZE(params); i++)
		assert_true(mask_is_secret_param(params[i], strlen(params[i])));
	for (size_t i = 0; i < ARRAY_SIZE(open); i++) {
		assert_false(mask_is_secret_param(open[i], strlen(open[i])));
		assert_false(mask_is_secret_field(open[i], strlen(open[i])));
	}
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		assert_true(mask_is_secret_field(fields[i], strlen(fields[i])));
	/* Of a name of any length the end counts. */
	assert_true(mask_is_secret_param("a_very_long_name_of_a_parameter_for_some_token", 46));
	assert_false(mask_is_secret_param("a_very_long_name_that_ends_in_another_code", 42));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens_in_targets_are_masked),
		cmocka_unit_test(test_secret_fields_are_masked_and_others_stay),
		cmocka_unit_test(test_the_head_ends_at_its_empty_line),
		cmocka_unit_test(test_a_cut_value_reads_as_the_whole_one_as_far_as_it_goes),
		cmocka_unit_test(test_equal_values_read_equal_and_others_do_not),
		cmocka_unit_test(test_another_key_gives_other_digits),
		cmocka_unit_test(test_off_touches_nothing),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
