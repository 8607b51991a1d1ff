/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "sink/pathname.h"

static void expect(const char *target, const char *want)
{
	char out[PATHNAME_MAX];
	size_t n = pathname_fold(out, sizeof(out), target);

	if (strcmp(out, want))
		fail_msg("%s -> %s, not %s", target, out, want);
	assert_int_equal(n, strlen(out));
}

static void test_words_stay(void **state)
{
	static const char *const same[] = {
		"/",
		"/api/cart",
		"/api/v2/items",
		"/facade/decade",
		"/utf8/sha256/mp3",
		"/a/",
		"/.well-known/acme-challenge",
		"/pkg.v1.UserService/GetUserAccountDetailsByName",
		"/GetV2UserInfoByIdV1",
		"/how-to-read-a-ladder",
		"/~alice/",
		"*",
		"example.com:443",
		"/index.html",
		"/x--y-/z",
	};

	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		expect(same[i], same[i]);
}

static void test_what_names_one_thing_is_folded(void **state)
{
	static const struct {
		const char *target, *want;
	} rows[] = {
		{ "/users/42", "/users/{id}" },
		{ "/users/42/orders/7/", "/users/{id}/orders/{id}/" },
		{ "/u/550e8400-e29b-41d4-a716-446655440000", "/u/{id}" },
		{ "/u/550E8400-E29B-41D4-A716-446655440000.json", "/u/{id}.json" },
		{ "/u/abcdefab-abcd-abcd-abcd-abcdefabcdef", "/u/{id}" },
		{ "/commit/3f2a9c1b", "/commit/{id}" },
		{ "/commit/deadbeefdeadbeefdeadbeefdeadbeefdeadbeef", "/commit/{id}" },
		{ "/day/2026-11-22", "/day/{id}" },
		{ "/at/2026-11-22T12:06:21", "/at/{id}" },
		{ "/at/20261122T120621Z/x", "/at/{id}/x" },
		{ "/item-12345", "/item-{id}" },
		{ "/order12345", "/order{id}" },
		{ "/p/12345.jpg", "/p/{id}.jpg" },
		{ "/static/app.3f2a9c1b7d.js", "/static/app.{id}.js" },
		{ "/n/V1StGXR8_Z5jdHi6B-myT", "/n/V1StGXR8_Z5jdHi6B-myT" },
		{ "/n/V1StGXR8Z5jdHi6B2myT", "/n/{id}" },
		{ "/k/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/k/{id}" },
		{ "/t/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc-def_1",
		  "/t/{id}" },
		{ "/10.0.3.17/status", "/{id}/status" },
		{ "/-1", "/-{id}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect(rows[i].target, rows[i].want);
}

static void test_query_fragment_and_parameters_go(void **state)
{
	expect("/video/play?id=7", "/video/play");
	expect("/a#b?c", "/a");
	expect("/?x", "/");
	expect("/cart;jsessionid=1A2B3C/pay", "/cart/pay");
	expect("http://shop.example/a/7", "/a/{id}");
	expect("http://shop.example", "/");
	expect("/a?u=http://x/b", "/a");
}

static void test_one_spelling_for_one_path(void **state)
{
	expect("/%41pi/%7Euser", "/Api/~user");
	expect("//a///b", "/a/b");
	expect("/a%2Fb", "/a/b");
	expect("/a%2fb%20c", "/a/b%20c");
	expect("/%34%32", "/{id}");
	expect("/50%", "/50%");
	expect("/%zz", "/%zz");
}

static void test_hostile_bytes_are_escaped(void **state)
{
	expect("/pay\x1b[31m\xe6\x97\xa5\x07", "/pay%1B[31m%E6%97%A5%07");
	expect("/a\"b\\c d", "/a%22b%5Cc%20d");
	expect("/%00%0a%22", "/%00%0A%22");
	expect("", "");
}

static void test_long_and_deep_paths_end(void **state)
{
	char target[2000] = "/", out[PATHNAME_MAX];
	size_t n;

	memset(target + 1, 'w', 39);
	expect(target, target);
	memset(target + 1, 'w', 1500);
	expect(target, "/{id}");
	for (size_t i = 0; i < 600; i++)
		memcpy(target + 3 * i, "/ab", 4);
	n = pathname_fold(out, sizeof(out), target);
	assert_string_equal(out, "/ab/ab/ab/ab/ab/ab/ab/ab/ab/ab/ab/ab/...");
	assert_int_equal(n, strlen(out));
	for (size_t i = 0; i < 60; i++)
		memcpy(target + 21 * i,
		       "/\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"
		       "\x80\x80\x80\x80\x80\x80",
		       22);
	for (size_t cap = 8; cap < sizeof(out); cap++) {
		n = pathname_fold(out, cap, target);
		assert_true(n < cap);
		assert_string_equal(out + n - 3, "...");
		/* no half of an escape */
		assert_true(out[n - 4] == '/' || (n >= 6 && !memcmp(out + n - 6, "%80", 3)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_stay),
		cmocka_unit_test(test_what_names_one_thing_is_folded),
		cmocka_unit_test(test_query_fragment_and_parameters_go),
		cmocka_unit_test(test_one_spelling_for_one_path),
		cmocka_unit_test(test_hostile_bytes_are_escaped),
		cmocka_unit_test(test_long_and_deep_paths_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
