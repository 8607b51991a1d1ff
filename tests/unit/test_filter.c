/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "sink/filter.h"
#include "tui_make.h"

static struct finding *sample(void)
{
	struct finding *f = make_finding(41, 5000000000ull, 502, CAUSE_KEEPALIVE_RACE);

	make_attempt(f, "10.0.3.17", 8080, CAUSE_CONN_REFUSED);
	make_attempt(f, "2001:db8::18", 8081, CAUSE_KEEPALIVE_RACE);
	f->duration_ns = 60400000;
	snprintf(f->request_id, sizeof(f->request_id), "req-9");
	return f;
}

static const struct {
	const char *expr;
	bool want;
} matches[] = {
	{ "", true },
	{ "   ", true },
	{ "status==502", true },
	{ "status == 502", true },
	{ "status!=502", false },
	{ "status>=500 && status<600", true },
	{ "status~^50[24]$", true },
	{ "cause==keepalive-race", true },
	{ "cause==conn-refused", false },
	{ "cause!=conn-refused", true },
	{ "cause~^keep", true },
	{ "cause!~^keep", false },
	{ "upstream~10.0.3.", true },
	{ "upstream==10.0.3.17", true },
	{ "upstream==10.0.3.17:8080", true },
	{ "upstream==10.0.3.17:8081", false },
	{ "upstream==10.0.3.1", false },
	{ "upstream==2001:db8::18", true },
	{ "upstream==[2001:db8::18]", true },
	{ "upstream==[2001:db8::18]:8081", true },
	{ "upstream!=10.0.3.17", false },
	{ "client==198.51.100.4", true },
	{ "path~^/api", true },
	{ "path==/api/items?id=41", true },
	{ "path~\"items.*id=4(1|2)\"", true },
	{ "ms>60 && ms<60.5", true },
	{ "ms>500", false },
	{ "tries==2", true },
	{ "host==shop.example", true },
	{ "method==GET", true },
	{ "verdict==gateway-made", true },
	{ "confidence==certain", true },
	{ "gateway==nginx", true },
	{ "pid==2217 id==41", true },
	{ "request_id==req-9", true },
	{ "items", true },
	{ "ITEMS", true },
	{ "nothing-like-it", false },
	{ "/api shop", true },
	{ "!status==502", false },
	{ "!(status==502 && ms>500)", true },
	{ "status==504 || status==502 && path~api", true },
	{ "(status==504 || status==502) && path~nope", false },
	{ "status==504||path~api", true },
	{ "status==502&&path~api", true },
	{ "path~(api|x)", true },
	{ "((path~(api|x)))", true },
};

static void test_expressions_match_as_written(void **state)
{
	struct finding *f = sample();

	for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
		struct filter_error err = { 0 };
		struct filter *flt = NULL;

		if (filter_parse(&flt, matches[i].expr, &err))
			fail_msg("%s: %s at %zu", matches[i].expr, err.text, err.at);
		if (filter_match(flt, f) != matches[i].want)
			fail_msg("%s: not %d", matches[i].expr, matches[i].want);
		filter_free(flt);
	}
	assert_true(filter_match(NULL, f));
	finding_unref(f);
}

static const struct {
	const char *expr;
	size_t at;
	const char *text;
} errors[] = {
	{ "caus==x", 0, "no such field: caus" },
	{ "status==502 && foo~x", 15, "no such field: foo" },
	{ "status=502", 6, "use == for equal" },
	{ "status==", 8, "a value is missing here" },
	{ "status==5o2", 8, "status is a number" },
	{ "cause==keepalive", 7, "no such cause: keepalive" },
	{ "verdict==bad", 9, "no such verdict: bad" },
	{ "cause>x", 6, "cause is text: use ==, !=, ~ or !~" },
	{ "path~[", 5, NULL },
	{ "(status==502", 0, "this parenthesis is not closed" },
	{ "status==502)", 11, "nothing opened this parenthesis" },
	{ "status==502 &&", 14, "a value is missing here" },
	{ "|| a", 0, "a value is missing here" },
	{ "path==\"x", 6, "this quote is not closed" },
	{ "!", 1, "a value is missing here" },
};

static void test_errors_name_the_character(void **state)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct filter_error err = { 0 };
		struct filter *flt = NULL;

		assert_int_equal(filter_parse(&flt, errors[i].expr, &err), -EINVAL);
		assert_null(flt);
		if (err.at != errors[i].at)
			fail_msg("%s: at %zu (%s)", errors[i].expr, err.at, err.text);
		if (errors[i].text)
			assert_string_equal(err.text, errors[i].text);
	}
}

static void test_size_and_depth_are_bounded(void **state)
{
	char deep[256], wide[4096] = "";
	struct filter_error err;
	struct filter *flt = NULL;

	memset(deep, '(', 200);
	deep[200] = '\0';
	assert_int_equal(filter_parse(&flt, deep, &err), -EINVAL);
	memset(deep, '!', 200);
	assert_int_equal(filter_parse(&flt, deep, &err), -EINVAL);
	for (int i = 0; i < 100; i++)
		memcpy(wide + i * 2, "a ", 3);
	assert_int_equal(filter_parse(&flt, wide, &err), -EINVAL);
	assert_null(flt);
}

static void test_every_field_is_described(void **state)
{
	const char *name, *what;
	size_t n = 0;

	while (filter_field(n, &name, &what)) {
		assert_true(*name && *what);
		n++;
	}
	assert_true(n >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expressions_match_as_written),
		cmocka_unit_test(test_errors_name_the_character),
		cmocka_unit_test(test_size_and_depth_are_bounded),
		cmocka_unit_test(test_every_field_is_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
