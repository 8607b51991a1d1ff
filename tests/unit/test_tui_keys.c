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

#include "tui/keys.h"

static void test_every_action_can_be_reached(void **state)
{
	for (int a = 1; a < ACTION_MAX; a++) {
		const char *keys = action_keys((enum action)a);
		size_t len = strcspn(keys, " ");

		assert_true(len > 0);
		assert_true(*action_help((enum action)a) && *action_name((enum action)a));
		assert_int_equal(action_of_key(key_by_name(keys, len)), a);
	}
}

static void test_no_key_means_two_things(void **state)
{
	for (int a = 1; a < ACTION_MAX; a++) {
		const char *p = action_keys((enum action)a);

		while (*p) {
			size_t len = strcspn(p, " ");
			int key = key_by_name(p, len);

			if (key == KEY_W5_NONE)
				fail_msg("%s: unknown key %.*s", action_name((enum action)a),
					 (int)len, p);
			if (action_of_key(key) != (enum action)a)
				fail_msg("%.*s belongs to %s and %s", (int)len, p,
					 action_name((enum action)a),
					 action_name(action_of_key(key)));
			p += len + (p[len] == ' ');
		}
	}
}

static void test_scripts_name_keys(void **state)
{
	const char *s = "a<Down><F2><C-l><lt>/x\n<PgUp>";
	const int want[] = { 'a', KEY_W5_DOWN, KEY_W5_F0 + 2, 12,	   '<',
			     '/', 'x',	       KEY_W5_ENTER,  KEY_W5_PGUP, KEY_W5_NONE };

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_int_equal(key_script_next(&s), want[i]);
	s = "<Click:12,7><WheelDown:0,4095>";
	assert_int_equal(key_script_next(&s), mouse_key(MOUSE_CLICK, 7, 12));
	assert_int_equal(key_script_next(&s), mouse_key(MOUSE_WHEEL_DOWN, 4095, 0));
	s = "<Click:12>";
	assert_int_equal(key_script_next(&s), -EINVAL);
	s = "<Click:1,4096>";
	assert_int_equal(key_script_next(&s), -EINVAL);
	s = "<NoSuchKey>";
	assert_int_equal(key_script_next(&s), -EINVAL);
	s = "<Down";
	assert_int_equal(key_script_next(&s), -EINVAL);
	assert_int_equal(key_by_name("F13", 3), KEY_W5_NONE);
}

static void test_a_mouse_key_keeps_what_it_says(void **state)
{
	int key = mouse_key(MOUSE_WHEEL_DOWN, 4095, 123);

	assert_int_equal(mouse_what(key), MOUSE_WHEEL_DOWN);
	assert_int_equal(mouse_y(key), 4095);
	assert_int_equal(mouse_x(key), 123);
	assert_int_equal(action_of_key(key), ACTION_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_action_can_be_reached),
		cmocka_unit_test(test_no_key_means_two_things),
		cmocka_unit_test(test_scripts_name_keys),
		cmocka_unit_test(test_a_mouse_key_keeps_what_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
