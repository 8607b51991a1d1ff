/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"

static void test_array_grows_when_it_is_full(void **state)
{
	uint16_t *v = NULL;
	size_t cap = 0;

	(void)state;
	for (uint16_t i = 0; i < 100; i++) {
		size_t was = cap;

		assert_int_equal(array_room(v, &cap, i, 3), 0);
		assert_int_equal(cap, i < was ? was : was ? 2 * was : 3);
		v[i] = i;
	}
	for (uint16_t i = 0; i < 100; i++)
		assert_int_equal(v[i], i);
	free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_array_grows_when_it_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
