/* SPDX-License-Identifier: BSD-2-Clause */
/* Stamps of lines. */
#include "log_line.h"
#include "source/logtime.h"

static void test_stamps(void **s)
{
	struct logtime t;

	assert_true(logtime_clf(&t, "22/Nov/2026:07:06:21 -0500", 26));
	assert_int_equal(t.wall_ns, WALL_S * NS_S);
	assert_true(logtime_iso(&t, "2026-11-22T12:06:21.341402Z", 27));
	assert_int_equal(t.wall_ns, WALL_S * NS_S + 341402000);
	assert_int_equal(t.precision_us, 1);
	assert_true(logtime_epoch(&t, "1795349181", 10));
	assert_int_equal(t.precision_us, 1000000);
	assert_false(logtime_epoch(&t, "1795349181.", 11));
	assert_false(logtime_epoch(&t, "99999999999999999999", 20));
	assert_false(logtime_iso(&t, "2026-13-22T12:06:21Z", 20));
	assert_false(logtime_iso(&t, "2026-11-22T12:06:21", 19));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stamps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
