/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tui/fmt.h"

static void test_two_digits_where_no_more_are_known(void **state)
{
	static const struct {
		uint64_t us;
		const char *text;
	} rows[] = {
		{ 1, "0.001 ms" },    { 62, "0.062 ms" },	{ 99, "0.099 ms" },
		{ 100, "0.10 ms" },   { 994, "0.99 ms" },	{ 996, "1.0 ms" },
		{ 3170, "3.2 ms" },   { 9949, "9.9 ms" },	{ 9951, "10 ms" },
		{ 29690, "30 ms" },   { 99400, "99 ms" },	{ 99600, "100 ms" },
		{ 137000, "140 ms" }, { 994000, "990 ms" },	{ 996000, "1.0 s" },
		{ 60004000, "60 s" }, { 3600000000, "3600 s" },
	};
	char text[24];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fmt_about(text, sizeof(text), rows[i].us);
		assert_string_equal(text, rows[i].text);
	}
}

static void test_milliseconds_fit_six_columns(void **state)
{
	char text[24];

	for (uint64_t ns = 1; ns < 100000000000000ull; ns = ns * 3 / 2 + 1) {
		fmt_ms(text, sizeof(text), ns);
		assert_true(strlen(text) <= 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_digits_where_no_more_are_known),
		cmocka_unit_test(test_milliseconds_fit_six_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
