/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be the header of an HTTP/2 frame: at a first look, and for who follows a conn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "w5_h2.h"

struct row {
	uint8_t h[W5_H2_HDR];
	int valid, plausible;
};

/* length, type, flags, stream */
static const struct row rows[] = {
	{ { 0, 0, 5, W5_H2_DATA, 1, 0, 0, 0, 1 }, 1, 1 },
	{ { 0, 0, 5, W5_H2_DATA, 1, 0, 0, 0, 0 }, 0, 0 },
	{ { 0x10, 0, 0, W5_H2_DATA, 0, 0, 0, 0, 1 }, 1, 0 }, /* 1 MiB, as gRPC negotiates */
	{ { 0, 0, 30, W5_H2_HEADERS, 0x25, 0, 0, 0, 3 }, 1, 1 },
	{ { 0, 0, 0, W5_H2_HEADERS, 4, 0, 0, 0, 3 }, 0, 0 },
	{ { 0, 0, 30, W5_H2_HEADERS, 0xc4, 0, 0, 0, 3 }, 1, 0 }, /* flags nobody defined */
	{ { 0, 0, 5, W5_H2_PRIORITY, 0, 0, 0, 0, 3 }, 1, 1 },
	{ { 0, 0, 4, W5_H2_RST_STREAM, 0, 0, 0, 0, 3 }, 1, 1 },
	{ { 0, 0, 5, W5_H2_RST_STREAM, 0, 0, 0, 0, 3 }, 0, 0 },
	{ { 0, 0, 18, W5_H2_SETTINGS, 0, 0, 0, 0, 0 }, 1, 1 },
	{ { 0, 0, 17, W5_H2_SETTINGS, 0, 0, 0, 0, 0 }, 0, 0 },
	{ { 0, 0, 18, W5_H2_SETTINGS, 0, 0, 0, 0, 1 }, 0, 0 },
	{ { 0, 0, 8, W5_H2_PING, 1, 0, 0, 0, 0 }, 1, 1 },
	{ { 0, 0, 7, W5_H2_GOAWAY, 0, 0, 0, 0, 0 }, 0, 0 },
	{ { 0, 0, 4, W5_H2_WINDOW_UPDATE, 0, 0, 0, 0, 0 }, 1, 1 },
	{ { 0, 0, 4, W5_H2_CONTINUATION, 4, 0, 0, 0, 1 }, 1, 1 },
	{ { 0, 0, 12, 0x10, 0, 0, 0, 0, 0 }, 1, 0 },	  /* PRIORITY_UPDATE, RFC 9218 7.1 */
	{ { 0, 0, 9, 0x0b, 0xff, 0x80, 0, 0, 7 }, 1, 0 }, /* a type to be ignored */
	{ { 0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e, 0x31, 0x20 }, 0, 0 }, /* "HTTP/1.1 " */
};

static void test_headers_of_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("row %zu\n", i);
		assert_int_equal(!!w5_h2_valid(rows[i].h), rows[i].valid);
		assert_int_equal(!!w5_h2_plausible(rows[i].h), rows[i].plausible);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_headers_of_frames) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
