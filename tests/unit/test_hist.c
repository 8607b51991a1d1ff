/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hist.h"

static const struct hist none;

static void test_an_empty_one_has_no_quantile(void **state)
{
	assert_int_equal(hist_quantile(&none, &none, 0.5), 0);
}

static void test_small_values_are_exact(void **state)
{
	for (uint64_t v = 0; v < 8; v++) {
		struct hist h = { 0 };

		hist_add(&h, v);
		assert_int_equal(hist_quantile(&h, &none, 0.5), v);
	}
}

/* Every value, at each power of two and on both sides of it, within a sixteenth. */
static void test_a_quantile_is_near_the_value(void **state)
{
	for (unsigned bit = 0; bit < HIST_MAX_BITS; bit++) {
		for (int step = -1; step <= 9; step++) {
			uint64_t v = (1ull << bit) + (uint64_t)step * ((1ull << bit) / 9), got;
			struct hist h = { 0 };

			hist_add(&h, v);
			got = hist_quantile(&h, &none, 0.99);
			if (v >> HIST_MAX_BITS)
				continue;
			assert_true(got >= v - v / 16 - 1 && got <= v + v / 16 + 1);
		}
	}
}

static void test_quantiles_of_a_known_distribution(void **state)
{
	struct hist h = { 0 };

	for (uint64_t v = 1; v <= 10000; v++)
		hist_add(&h, v);
	assert_in_range(hist_quantile(&h, &none, 0.5), 4680, 5320);
	assert_in_range(hist_quantile(&h, &none, 0.9), 8430, 9570);
	assert_in_range(hist_quantile(&h, &none, 0.99), 9280, 10520);
	assert_in_range(hist_quantile(&h, &none, 1), 9370, 10630);
	assert_in_range(hist_quantile(&h, &none, 0), 1, 1);
}

static void test_two_are_asked_as_one(void **state)
{
	struct hist slow = { 0 }, fast = { 0 };

	for (int i = 0; i < 90; i++)
		hist_add(&fast, 100);
	for (int i = 0; i < 10; i++)
		hist_add(&slow, 100000);
	assert_in_range(hist_quantile(&fast, &slow, 0.89), 94, 106);
	assert_in_range(hist_quantile(&fast, &slow, 0.91), 94000, 106000);
}

/* A mean hides its extremes: what comes from one is counted apart. */
static void test_sums_count_at_their_mean_and_as_rough(void **state)
{
	struct hist h = { 0 };

	hist_add_sum(&h, 16000, 16);
	hist_add_sum(&h, 50, 1); /* one alone is known exactly */
	hist_add_sum(&h, 0, 0);
	assert_int_equal(h.n, 17);
	assert_int_equal(h.rough, 16);
	assert_in_range(hist_quantile(&h, &none, 0.5), 937, 1063);
}

static void test_what_is_too_large_counts_as_the_largest(void **state)
{
	struct hist h = { 0 };

	hist_add(&h, UINT64_MAX);
	hist_add_sum(&h, UINT64_MAX, 3);
	assert_true(hist_quantile(&h, &none, 0.5) >> (HIST_MAX_BITS - 1));
	for (int i = 0; i < 3; i++)
		hist_add_sum(&h, 0, UINT32_MAX); /* full, not over */
	assert_int_equal(hist_quantile(&h, &none, 0.5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_one_has_no_quantile),
		cmocka_unit_test(test_small_values_are_exact),
		cmocka_unit_test(test_a_quantile_is_near_the_value),
		cmocka_unit_test(test_quantiles_of_a_known_distribution),
		cmocka_unit_test(test_two_are_asked_as_one),
		cmocka_unit_test(test_sums_count_at_their_mean_and_as_rough),
		cmocka_unit_test(test_what_is_too_large_counts_as_the_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
