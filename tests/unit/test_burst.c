/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sample.h"
#include "sink/burst.h"

#define MS 1000000ull

static bool take(struct burst *b, uint64_t id, uint64_t ts_ns, uint16_t port)
{
	struct finding *f = sample_finding();
	bool taken;

	f->id = id;
	f->ts_ns = ts_ns;
	f->attempts[0].leg.rport = port;
	taken = burst_take(b, f);
	finding_unref(f);
	return taken;
}

static uint64_t newest_id(struct burst *b)
{
	struct finding *f = burst_newest(b);
	uint64_t id = f ? f->id : 0;

	finding_unref(f);
	return id;
}

static void test_a_burst_leaves_its_first_samples_and_its_newest(void **state)
{
	struct burst b = { 0 };
	uint64_t taken = 0, last = 0;

	/* a thousand a second for a minute */
	for (uint64_t i = 1; i <= 60000; i++) {
		if (!take(&b, i, i * MS, 8080))
			continue;
		taken++;
		if (taken <= BURST_FIRST)
			assert_int_equal(i, taken);
		else
			assert_true(i >= last + BURST_EVERY_NS / MS);
		last = i;
	}
	assert_int_equal(taken, BURST_FIRST + 5);
	assert_int_equal(b.passed, 60000 - taken - 1);
	assert_int_equal(newest_id(&b), 60000);
	assert_int_equal(newest_id(&b), 0);
	burst_fini(&b);
}

static void test_a_rare_one_is_not_pushed_out_by_a_flood(void **state)
{
	struct burst b = { 0 };

	for (uint64_t i = 1; i <= 5000; i++)
		take(&b, i, i * MS, 8080);
	assert_true(take(&b, 5001, 5001 * MS, 9090));
	assert_false(take(&b, 5002, 5002 * MS, 8080));
	assert_int_equal(newest_id(&b), 5002);
	burst_fini(&b);
}

/* What was held is dropped with its kind, and counted. */
static void test_more_kinds_than_are_told_apart(void **state)
{
	struct burst b = { 0 };
	uint64_t all = 0, taken = 0, held = 0;

	for (uint16_t port = 1; port <= 2 * BURST_KINDS; port++) {
		for (int k = 0; k < BURST_FIRST + 3; k++) {
			all++;
			taken += take(&b, all, all * MS, port);
		}
	}
	assert_int_equal(taken, 2 * BURST_KINDS * BURST_FIRST);
	while (newest_id(&b))
		held++;
	assert_int_equal(held, BURST_KINDS);
	assert_int_equal(taken + held + b.passed, all);
	burst_fini(&b);
}

static void test_what_is_held_is_given_back(void **state)
{
	struct burst b = { 0 };

	for (uint64_t i = 1; i <= BURST_FIRST + 2; i++)
		take(&b, i, i * MS, 8080);
	burst_fini(&b); /* the sanitizer sees a leak */
	assert_int_equal(b.nkinds, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_burst_leaves_its_first_samples_and_its_newest),
		cmocka_unit_test(test_a_rare_one_is_not_pushed_out_by_a_flood),
		cmocka_unit_test(test_more_kinds_than_are_told_apart),
		cmocka_unit_test(test_what_is_held_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
