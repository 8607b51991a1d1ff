/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sink/filter.h"
#include "sink/filter_complete.h"
#include "tui_make.h"

static struct finding *findings[3];

static int make(void **state)
{
	for (int i = 0; i < 3; i++) {
		findings[i] = make_finding(i + 1, 5000000000ull, i ? 504 : 502,
					   i ? CAUSE_BACKEND_SLOW : CAUSE_KEEPALIVE_RACE);
		make_attempt(findings[i], i ? "10.0.3.18" : "10.0.3.17", 8080, CAUSE_NONE);
		snprintf(findings[i]->target, sizeof(findings[i]->target), "/a b%d", i % 2);
	}
	snprintf(findings[2]->host, sizeof(findings[2]->host), "e\x1bvil");
	return 0;
}

static int drop(void **state)
{
	for (int i = 0; i < 3; i++)
		finding_unref(findings[i]);
	return 0;
}

/* `|` is the cursor; want: candidates, each in brackets; "..." at the end: there are more. */
static const struct {
	const char *expr;
	size_t from;
	const char *want;
} cases[] = {
	{ "|", 0, "[status][cause][upstream]..." },
	{ "st|", 0, "[status]" },
	{ "c|", 0, "[cause][client][confidence][cgroup]" },
	{ "status|", 6, "[==][!=][~][!~][>]..." },
	{ "status |", 7, "[==][!=]..." },
	{ "status=|", 6, "[==]" },
	{ "status!|", 6, "[!=][!~]" },
	{ "status==|", 8, "[504][502]" },
	{ "status== |", 9, "[504][502]" },
	{ "status==50|", 8, "[504][502]" },
	{ "status==502|", 8, "[502]" },
	{ "status==502 |", 12, "[&& ][|| ]" },
	{ "status==502 && |", 15, "[status][cause]..." },
	{ "status==502&&cau|", 13, "[cause]" },
	{ "!(ca|", 2, "[cause]" },
	{ "(status==502) |", 14, "[&& ][|| ]" },
	{ "cause==|", 7, "[backend-slow][keepalive-race]..." },
	{ "cause==keepalive-r|", 7, "[keepalive-race]" },
	{ "verdict==g|", 9, "[gateway-made]" },
	{ "upstream~10.|", 9, "[10.0.3.18:8080][10.0.3.17:8080]" },
	{ "upstream in (10.0.3.17:8080, |", 29, "[10.0.3.18:8080][10.0.3.17:8080]" },
	{ "upstream in (10.0.3.17:8080) |", 29, "[&& ][|| ]" },
	{ "path==|", 6, "[\"/a b0\"][\"/a b1\"]" },
	{ "path==\"/a|", 7, "[/a b0\"][/a b1\"]" },
	{ "path==\"/a b1\" |", 14, "[&& ][|| ]" },
	{ "host==|", 6, "[shop.example]" }, /* what cannot be typed is not offered */
	{ "ms>|", 3, "" },
	{ "header|", 0, "[header.]" },
	{ "header.|", 7, "[==][!=]..." },
	{ "word |", 5, "[&& ][|| ]" },
	{ "nosuch==|", 8, "" },
	{ "a=|", 2, "" },
	{ ")|", 1, "" },
	{ "status in (502 && |", 18, "" },
	{ "status==502 && |cause==x", 15, "[status][cause]..." },
};

static void test_what_can_stand_there(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *bar = strchr(cases[i].expr, '|'), *more = strstr(cases[i].want, "...");
		static struct filter_completion c;
		char expr[128], got[8192] = "";
		size_t n = 0;

		snprintf(expr, sizeof(expr), "%.*s%s", (int)(bar - cases[i].expr), cases[i].expr,
			 bar + 1);
		filter_complete(&c, expr, (size_t)(bar - cases[i].expr), findings, 3);
		for (size_t k = 0; k < c.n; k++)
			n += (size_t)snprintf(got + n, sizeof(got) - n, "[%s]", c.text[k]);
		if (more ? strncmp(got, cases[i].want, (size_t)(more - cases[i].want))
			 : strcmp(got, cases[i].want))
			fail_msg("%s: %s", cases[i].expr, got);
		if (c.n && c.from != cases[i].from)
			fail_msg("%s: from %zu", cases[i].expr, c.from);
	}
}

/* What is offered is right: an expression made of it alone can be parsed. */
static void test_what_is_offered_parses(void **state)
{
	static struct filter_completion names, values;
	char expr[256];

	filter_complete(&names, "", 0, findings, 3);
	assert_true(names.n > 20);
	for (size_t i = 0; i < names.n; i++) {
		int len = snprintf(expr, sizeof(expr), "%s%s==", names.text[i],
				   strchr(names.text[i], '.') ? "accept" : "");

		filter_complete(&values, expr, (size_t)len, findings, 3);
		for (size_t k = 0; k < values.n; k++) {
			struct filter_error err = { 0 };
			struct filter *flt = NULL;

			snprintf(expr + len, sizeof(expr) - (size_t)len, "%s", values.text[k]);
			if (filter_parse(&flt, expr, &err))
				fail_msg("%s: %s", expr, err.text);
			filter_free(flt);
		}
	}
}

static void test_common_prefix(void **state)
{
	static struct filter_completion c;

	filter_complete(&c, "upstream==1", 11, findings, 3);
	assert_int_equal(c.n, 2);
	assert_int_equal(filter_completion_common(&c), strlen("10.0.3.1"));
	filter_complete(&c, "upstream==x", 11, findings, 3);
	assert_int_equal(c.n, 0);
	assert_int_equal(filter_completion_common(&c), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_can_stand_there),
		cmocka_unit_test(test_what_is_offered_parses),
		cmocka_unit_test(test_common_prefix),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
