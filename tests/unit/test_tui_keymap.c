/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tui/keymap.h"

static void test_a_key_bound_means_that_and_no_other(void **state)
{
	struct keymap k = { .n = 0 };
	char keys[KEYMAP_TEXT_MAX];

	assert_int_equal(keymap_action(&k, 's'), ACTION_SAVE);
	assert_int_equal(keymap_bind(&k, 's', ACTION_QUIT), 0);
	assert_int_equal(keymap_bind(&k, 19, ACTION_SAVE), 0);
	assert_int_equal(keymap_action(&k, 's'), ACTION_QUIT);
	assert_int_equal(keymap_action(&k, 19), ACTION_SAVE);
	assert_int_equal(keymap_action(&k, 'u'), ACTION_UPSTREAMS);
	keymap_keys(keys, sizeof(keys), &k, ACTION_SAVE);
	assert_string_equal(keys, "C-s F2");
	keymap_keys(keys, sizeof(keys), &k, ACTION_QUIT);
	assert_string_equal(keys, "s Q");
	keymap_key(keys, sizeof(keys), &k, ACTION_SAVE, "s");
	assert_string_equal(keys, "C-s");
	keymap_key(keys, sizeof(keys), &k, ACTION_UPSTREAMS, "u");
	assert_string_equal(keys, "u");
	/* once more is instead */
	assert_int_equal(keymap_bind(&k, 's', ACTION_NONE), 0);
	assert_int_equal(k.n, 2);
	assert_int_equal(keymap_action(&k, 's'), ACTION_NONE);
}

static void test_an_action_may_lose_all_its_keys(void **state)
{
	struct keymap k = { .n = 0 };
	char keys[KEYMAP_TEXT_MAX] = "x";

	keymap_bind(&k, 'u', ACTION_NONE);
	keymap_keys(keys, sizeof(keys), &k, ACTION_UPSTREAMS);
	assert_string_equal(keys, "");
	keymap_key(keys, sizeof(keys), &k, ACTION_UPSTREAMS, "u");
	assert_string_equal(keys, "");
}

static void test_it_is_bounded(void **state)
{
	struct keymap k = { .n = 0 };

	for (int i = 0; i < KEYMAP_MAX; i++)
		assert_int_equal(keymap_bind(&k, 33 + i, ACTION_SAVE), 0);
	assert_int_equal(keymap_bind(&k, 200, ACTION_SAVE), -ENOSPC);
	assert_int_equal(keymap_bind(&k, 33, ACTION_QUIT), 0);
}

/* Every key has a name that names it again. */
static void test_names_lead_back(void **state)
{
	char name[16];

	for (int key = 1; key <= KEY_W5_F12; key++) {
		key_text(name, sizeof(name), key);
		if (strcmp(name, "?") && key_by_name(name, strlen(name)) != key)
			fail_msg("%d is %s, and that is %d", key, name,
				 key_by_name(name, strlen(name)));
	}
	for (int a = 0; a < ACTION_MAX; a++)
		assert_int_equal(action_by_name(action_name((enum action)a),
						strlen(action_name((enum action)a))),
				 a);
	assert_int_equal(action_by_name("", 0), ACTION_MAX);
	assert_int_equal(action_by_name("savex", 5), ACTION_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_key_bound_means_that_and_no_other),
		cmocka_unit_test(test_an_action_may_lose_all_its_keys),
		cmocka_unit_test(test_it_is_bounded),
		cmocka_unit_test(test_names_lead_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
