/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tui/canvas.h"

static void row_text(const struct canvas *c, int y, char *out)
{
	for (int x = 0; x < c->cols; x++)
		out += canvas_utf8(canvas_at(c, y, x)->ch, out);
}

static void expect_row(const struct canvas *c, int y, const char *want)
{
	char got[512];

	row_text(c, y, got);
	assert_string_equal(got, want);
}

static void test_text_is_clipped_with_an_ellipsis(void **state)
{
	struct canvas c;

	assert_int_equal(canvas_init(&c, 10, 3, false), 0);
	assert_int_equal(canvas_text(&c, 0, 0, 10, STYLE_NORMAL, "0123456789"), 10);
	assert_int_equal(canvas_text(&c, 1, 0, 5, STYLE_NORMAL, "0123456789"), 5);
	assert_int_equal(canvas_text(&c, 2, 7, 10, STYLE_NORMAL, "0123456789"), 3);
	expect_row(&c, 0, "0123456789");
	expect_row(&c, 1, "0123…     ");
	expect_row(&c, 2, "       01…");
	canvas_fini(&c);
}

static void test_nothing_is_drawn_outside(void **state)
{
	struct canvas c;

	assert_int_equal(canvas_init(&c, 4, 2, false), 0);
	canvas_text(&c, -1, 0, 4, STYLE_NORMAL, "xxxx");
	canvas_text(&c, 2, 0, 4, STYLE_NORMAL, "xxxx");
	canvas_text(&c, 0, -2, 4, STYLE_NORMAL, "xxyy");
	canvas_text(&c, 1, 9, 4, STYLE_NORMAL, "xxxx");
	canvas_fill(&c, 1, -5, 100, STYLE_DIM, '.');
	canvas_box(&c, 0, 0, 9, 9, "far too large");
	canvas_restyle(&c, 0, -3, 50, STYLE_BAD);
	assert_null(canvas_at(&c, 2, 0));
	assert_null(canvas_at(&c, 0, 4));
	canvas_fini(&c);
}

static void test_wire_bytes_cannot_reach_the_terminal(void **state)
{
	struct canvas c;

	assert_int_equal(canvas_init(&c, 40, 1, false), 0);
	canvas_wire(&c, 0, 0, 40, STYLE_NORMAL, "a\x1b[2J\xe6\x97\xa5\x07\xff");
	expect_row(&c, 0, "a\\x1b[2J\\xe6\\x97\\xa5\\x07\\xff            ");
	/* even if somebody forgets: what is not known to be one column wide is not drawn */
	canvas_text(&c, 0, 0, 40, STYLE_NORMAL, "\x1b\xe6\x97\xa5\xcc\x81\x80!");
	for (int x = 0; x < 40; x++)
		assert_true(canvas_at(&c, 0, x)->ch >= 0x20 && canvas_at(&c, 0, x)->ch < 0x7f);
	canvas_fini(&c);
}

static void test_ascii_stands_in_for_every_symbol(void **state)
{
	struct canvas c;

	assert_int_equal(canvas_init(&c, 12, 3, true), 0);
	canvas_box(&c, 0, 0, 3, 12, "WHY");
	canvas_text(&c, 1, 1, 10, STYLE_NORMAL, "◄─►●↑↓·✕▁█");
	expect_row(&c, 0, "+ WHY -----+");
	expect_row(&c, 1, "|<->*^v.X_#|");
	canvas_fini(&c);
}

static void test_wrap_breaks_at_blanks(void **state)
{
	const char *s = "one two  three-is-very-long four";
	char line[64];

	assert_true(canvas_wrap(&s, 8, line, sizeof(line)));
	assert_string_equal(line, "one two");
	assert_true(canvas_wrap(&s, 8, line, sizeof(line)));
	assert_string_equal(line, "three-is");
	assert_true(canvas_wrap(&s, 8, line, sizeof(line)));
	assert_string_equal(line, "-very-lo");
	assert_true(canvas_wrap(&s, 8, line, sizeof(line)));
	assert_string_equal(line, "ng four");
	assert_false(canvas_wrap(&s, 8, line, sizeof(line)));
}

static void test_wrap_keeps_a_number_and_its_unit_together(void **state)
{
	static const char *const texts[] = { "took (1.50 s) more", "after 200 ms in all",
					     "saw it 41 bytes on" };
	static const char *const lines[][2] = { { "took", "(1.50 s)" },
						{ "after", "200 ms in" },
						{ "saw it", "41 bytes" } };
	const char *s = "at 10 min. and", *plain = "in 10 minutes x";
	char line[64];

	for (size_t i = 0; i < 3; i++) {
		const char *t = texts[i];

		for (int k = 0; k < 2; k++) {
			assert_true(canvas_wrap(&t, 10, line, sizeof(line)));
			assert_string_equal(line, lines[i][k]);
		}
	}
	assert_true(canvas_wrap(&s, 5, line, sizeof(line)));
	assert_string_equal(line, "at");
	assert_true(canvas_wrap(&plain, 5, line, sizeof(line)));
	assert_string_equal(line, "in 10"); /* a word, not a unit */
}

static void test_right_aligned_text_ends_at_the_edge(void **state)
{
	struct canvas c;

	assert_int_equal(canvas_init(&c, 8, 2, false), 0);
	canvas_right(&c, 0, 1, 6, STYLE_NORMAL, "↑12");
	canvas_right(&c, 1, 1, 6, STYLE_NORMAL, "123456789");
	expect_row(&c, 0, "    ↑12 ");
	expect_row(&c, 1, " 12345… ");
	canvas_fini(&c);
}

static void test_sizes_are_checked(void **state)
{
	struct canvas c;

	assert_true(canvas_init(&c, 0, 5, false) < 0);
	assert_true(canvas_init(&c, 5, -1, false) < 0);
	assert_true(canvas_init(&c, 100000, 100000, false) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_clipped_with_an_ellipsis),
		cmocka_unit_test(test_nothing_is_drawn_outside),
		cmocka_unit_test(test_wire_bytes_cannot_reach_the_terminal),
		cmocka_unit_test(test_ascii_stands_in_for_every_symbol),
		cmocka_unit_test(test_wrap_breaks_at_blanks),
		cmocka_unit_test(test_wrap_keeps_a_number_and_its_unit_together),
		cmocka_unit_test(test_right_aligned_text_ends_at_the_edge),
		cmocka_unit_test(test_sizes_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
