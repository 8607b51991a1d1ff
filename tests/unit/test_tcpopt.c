/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/tcpopt.h"

/* Its own block of memory, so that a byte too far is seen. */
static void expect(const void *opt, size_t len, uint32_t base, const char *want)
{
	uint8_t *copy = malloc(len ? len : 1);
	char text[160];

	assert_non_null(copy);
	memcpy(copy, opt, len);
	tcpopt_text(text, sizeof(text), copy, len, base);
	assert_string_equal(text, want);
	for (size_t n = 0; n < len; n++) { /* cut anywhere */
		free(copy);
		copy = malloc(n ? n : 1);
		assert_non_null(copy);
		memcpy(copy, opt, n);
		tcpopt_text(text, sizeof(text), copy, n, base);
	}
	free(copy);
}

static void test_a_syn(void **state)
{
	expect("\2\4\5\xb4\4\2\10\12\0\0\4\xd2\0\0\0\0\1\3\3\7", 20, 0,
	       "mss 1460, sack-ok, ts 1234 echo 0, ws 7");
}

static void test_sack_blocks_are_relative(void **state)
{
	expect("\1\1\5\22\0\0\3\xe8\0\0\4\0\0\0\7\xd0\0\0\7\xd1", 20, 1000,
	       "sack 0-24, sack 1000-1001");
}

static void test_hostile_bytes(void **state)
{
	expect("", 0, 0, "");
	expect("\1\1\1\0\2\4", 6, 0, "");
	expect("\2", 1, 0, "cut");
	expect("\2\1", 2, 0, "cut");
	expect("\2\0\5\xb4", 4, 0, "cut");
	expect("\2\50\5\xb4", 4, 0, "cut");
	expect("\2\3\5\376\4aa\42\2", 9, 0, "option 254, fast open");
	expect("\5\2\5\11aaaaaaa\10\2", 13, 0, "");
}

static void test_a_short_buffer(void **state)
{
	char text[8];

	assert_int_equal(tcpopt_text(text, sizeof(text), (const uint8_t *)"\2\4\5\xb4\4\2", 6, 0),
			 7);
	assert_string_equal(text, "mss 146");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_syn),
		cmocka_unit_test(test_sack_blocks_are_relative),
		cmocka_unit_test(test_hostile_bytes),
		cmocka_unit_test(test_a_short_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
