/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tui/history.h"

static struct history h;

static int empty(void **state)
{
	memset(&h, 0, sizeof(h));
	return 0;
}

static void test_up_and_down_go_through_it(void **state)
{
	assert_true(history_add(&h, "a"));
	assert_true(history_add(&h, "b"));
	history_begin(&h);
	assert_string_equal(history_move(&h, true, "typed"), "b");
	assert_string_equal(history_move(&h, true, "b"), "a");
	assert_null(history_move(&h, true, "a"));
	assert_string_equal(history_move(&h, false, "a"), "b");
	assert_string_equal(history_move(&h, false, "b"), "typed");
	assert_null(history_move(&h, false, "typed"));
}

static void test_the_same_again_and_nothing_are_not_kept(void **state)
{
	assert_true(history_add(&h, "a"));
	assert_false(history_add(&h, "a"));
	assert_false(history_add(&h, ""));
	assert_true(history_add(&h, "b"));
	assert_true(history_add(&h, "a"));
	assert_int_equal(h.n, 3);
}

static void test_the_oldest_gives_way(void **state)
{
	char line[16];

	for (int i = 0; i < HISTORY_MAX + 7; i++) {
		snprintf(line, sizeof(line), "%d", i);
		history_add(&h, line);
	}
	history_begin(&h);
	for (int i = HISTORY_MAX + 6; i >= 7; i--) {
		snprintf(line, sizeof(line), "%d", i);
		assert_string_equal(history_move(&h, true, ""), line);
	}
	assert_null(history_move(&h, true, ""));
}

static void test_a_file_is_not_trusted(void **state)
{
	char text[1024];

	snprintf(text, sizeof(text), "a\n\n\x1b[31mred\n%0300d\nb\nno end", 7);
	history_load(&h, text);
	assert_int_equal(h.n, 3);
	history_begin(&h);
	assert_string_equal(history_move(&h, true, ""), "no end");
	assert_string_equal(history_move(&h, true, ""), "b");
	assert_string_equal(history_move(&h, true, ""), "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_up_and_down_go_through_it, empty),
		cmocka_unit_test_setup(test_the_same_again_and_nothing_are_not_kept, empty),
		cmocka_unit_test_setup(test_the_oldest_gives_way, empty),
		cmocka_unit_test_setup(test_a_file_is_not_trusted, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
