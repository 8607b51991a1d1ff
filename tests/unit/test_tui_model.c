/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tui/model.h"
#include "tui_make.h"

static struct engine_counters counters = { .now_ns = 60000000000ull, .start_ns = 1 };

static void add(struct model *m, uint64_t id, enum cause cause)
{
	struct finding *f = make_finding(id, 50000000000ull + id, 502, cause);

	make_attempt(f, "10.0.3.17", 8080, cause);
	model_add(m, f);
	finding_unref(f);
}

static void tick(struct model *m, uint64_t lost)
{
	struct model_input in = { .counters = &counters, .lost = lost };

	assert_int_equal(model_tick(m, &in), 0);
}

static struct filter *parse(const char *expr)
{
	struct filter *flt = NULL;

	assert_int_equal(filter_parse(&flt, expr, NULL), 0);
	return flt;
}

static void test_the_newest_are_kept_and_the_rest_counted(void **state)
{
	struct model m;

	assert_int_equal(model_init(&m, 3, false), 0);
	for (uint64_t id = 1; id <= 10; id++)
		add(&m, id, CAUSE_CONN_REFUSED);
	tick(&m, 0);
	assert_int_equal(m.shown.nrows, 3);
	assert_int_equal(m.shown.rows[0]->id, 8);
	assert_int_equal(m.shown.rows[2]->id, 10);
	assert_int_equal(m.evicted, 7);
	assert_int_equal(m.shown.rank.total, 10); /* counts do not forget */
	model_fini(&m);
}

static void test_a_shown_finding_survives_its_eviction(void **state)
{
	struct model m;

	assert_int_equal(model_init(&m, 1, false), 0);
	add(&m, 1, CAUSE_CONN_REFUSED);
	tick(&m, 0);
	add(&m, 2, CAUSE_CONN_REFUSED); /* the screen still points at 1 */
	assert_int_equal(m.shown.rows[0]->id, 1);
	assert_string_equal(m.shown.rows[0]->method, "GET");
	model_fini(&m);
}

static void test_filter_applies_to_old_and_new(void **state)
{
	struct model m;

	assert_int_equal(model_init(&m, 100, false), 0);
	add(&m, 1, CAUSE_CONN_REFUSED);
	add(&m, 2, CAUSE_KEEPALIVE_RACE);
	assert_int_equal(model_set_filter(&m, parse("cause==keepalive-race"), false), 0);
	assert_int_equal(m.shown.nrows, 1);
	add(&m, 3, CAUSE_KEEPALIVE_RACE);
	add(&m, 4, CAUSE_CONN_REFUSED);
	tick(&m, 0);
	assert_int_equal(m.shown.nrows, 2);
	assert_int_equal(m.shown.nkept, 4);
	assert_int_equal(model_set_filter(&m, NULL, false), 0);
	assert_int_equal(m.shown.nrows, 4);
	model_fini(&m);
}

/* Screens that count by rows show what matches; those of a row that was entered all of theirs. */
static void test_filter_narrows_groups_unless_it_is_a_row(void **state)
{
	const struct facet_rank *rank;
	struct model m;

	assert_int_equal(model_init(&m, 100, false), 0);
	rank = &m.shown.facets[FACET_CLIENT];
	add(&m, 1, CAUSE_CONN_REFUSED);
	add(&m, 2, CAUSE_KEEPALIVE_RACE);
	tick(&m, 0);
	assert_int_equal(rank->total, 2);
	assert_int_equal(model_set_filter(&m, parse("cause==keepalive-race"), false), 0);
	assert_int_equal(rank->total, 1);
	add(&m, 3, CAUSE_KEEPALIVE_RACE);
	add(&m, 4, CAUSE_CONN_REFUSED);
	tick(&m, 0);
	assert_int_equal(rank->total, 2);
	model_pause(&m, true);
	add(&m, 5, CAUSE_KEEPALIVE_RACE);
	assert_int_equal(model_set_filter(&m, parse("cause==conn-refused"), false), 0);
	assert_int_equal(rank->total, 2);
	assert_int_equal(model_set_filter(&m, parse("cause==keepalive-race"), false), 0);
	assert_int_equal(rank->total, 2);
	model_pause(&m, false);
	assert_int_equal(rank->total, 3);
	assert_int_equal(model_set_filter(&m, parse("cause==keepalive-race"), true), 0);
	assert_int_equal(rank->total, 5);
	assert_int_equal(m.shown.nrows, 3);
	assert_int_equal(model_set_filter(&m, NULL, false), 0);
	assert_int_equal(rank->total, 5);
	model_fini(&m);
}

static void test_pause_freezes_the_screen_and_keeps_collecting(void **state)
{
	struct model m;

	assert_int_equal(model_init(&m, 100, false), 0);
	add(&m, 1, CAUSE_CONN_REFUSED);
	tick(&m, 0);
	model_pause(&m, true);
	add(&m, 2, CAUSE_CONN_REFUSED);
	add(&m, 3, CAUSE_KEEPALIVE_RACE);
	tick(&m, 7);
	assert_int_equal(m.shown.nrows, 1);
	assert_int_equal(m.shown.rank.total, 1);
	assert_int_equal(m.unseen, 2);
	assert_int_equal(m.lost, 7); /* loss is never hidden */
	assert_int_equal(model_set_filter(&m, parse("status==502"), false), 0);
	assert_int_equal(m.shown.nrows, 1); /* a filter looks at what is shown */
	model_pause(&m, false);
	assert_int_equal(m.shown.nrows, 3);
	assert_int_equal(m.shown.rank.total, 3);
	assert_int_equal(m.unseen, 0);
	model_fini(&m);
}

/* What the ring loses meanwhile is still there for another filter, until the pause ends. */
static void test_a_pause_loses_nothing(void **state)
{
	struct model m;

	assert_int_equal(model_init(&m, 4, false), 0);
	for (uint64_t id = 1; id <= 4; id++)
		add(&m, id, id & 1 ? CAUSE_CONN_REFUSED : CAUSE_KEEPALIVE_RACE);
	tick(&m, 0);
	assert_int_equal(model_pause(&m, true), 0);
	m.dirty = false;
	for (uint64_t id = 5; id <= 14; id++)
		add(&m, id, CAUSE_CONN_REFUSED);
	tick(&m, 0);
	assert_int_equal(m.unseen, 10);
	assert_true(m.dirty); /* the count is on the screen */
	assert_int_equal(model_set_filter(&m, parse("cause==keepalive-race"), false), 0);
	assert_int_equal(m.shown.nrows, 2);
	assert_int_equal(model_set_filter(&m, NULL, false), 0);
	assert_int_equal(m.shown.nrows, 4);
	assert_int_equal(m.shown.rows[0]->id, 1);
	assert_ptr_equal(model_find(&m, 1), m.shown.rows[0]);
	assert_int_equal(model_set_window(&m, GROUP_WINDOW_ALL), 0);
	assert_int_equal(m.shown.rank.total, 4); /* the counts of then, too */
	assert_int_equal(model_pause(&m, false), 0);
	assert_int_equal(m.shown.nrows, 4);
	assert_int_equal(m.shown.rows[0]->id, 11);
	assert_int_equal(m.shown.rank.total, 14);
	model_fini(&m);
}

static void test_a_filter_counts_what_it_leaves(void **state)
{
	struct model m;

	assert_int_equal(model_init(&m, 100, false), 0);
	for (uint64_t id = 1; id <= 9; id++)
		add(&m, id, id % 3 ? CAUSE_CONN_REFUSED : CAUSE_KEEPALIVE_RACE);
	tick(&m, 0);
	assert_false(m.shown.has_why);
	assert_int_equal(model_set_filter(&m, parse("cause==keepalive-race"), true), 0);
	assert_true(m.shown.has_why);
	assert_int_equal(m.shown.why.total, 3);
	assert_int_equal(m.shown.why.n, 1);
	assert_int_equal(m.shown.why.rows[0].cause, CAUSE_KEEPALIVE_RACE);
	assert_int_equal(m.shown.why.rows[0].share, 100);
	assert_int_equal(m.shown.rank.total, 9); /* what is wrong does not change with it */
	add(&m, 10, CAUSE_CONN_REFUSED);
	add(&m, 11, CAUSE_KEEPALIVE_RACE);
	tick(&m, 0);
	assert_int_equal(m.shown.why.total, 4);
	assert_int_equal(model_pause(&m, true), 0);
	add(&m, 12, CAUSE_KEEPALIVE_RACE);
	tick(&m, 0);
	assert_int_equal(m.shown.why.total, 4);
	assert_int_equal(model_pause(&m, false), 0);
	assert_int_equal(m.shown.why.total, 5);
	assert_int_equal(model_set_filter(&m, parse("cause==zero-window"), false), 0);
	assert_true(m.shown.has_why);
	assert_int_equal(m.shown.why.total, 0);
	assert_false(m.shown.why.widened);
	assert_int_equal(model_set_filter(&m, NULL, false), 0);
	assert_false(m.shown.has_why);
	model_fini(&m);
}

static void test_the_window_bounds_the_list(void **state)
{
	struct engine_counters later = counters;
	struct model_input in = { .counters = &later };
	struct model m;

	assert_int_equal(model_init(&m, 100, false), 0);
	add(&m, 1, CAUSE_CONN_REFUSED); /* at 50 s */
	tick(&m, 0);
	for (uint64_t id = 2; id <= 3; id++) {
		struct finding *f =
			make_finding(id, 100000000000ull * id, 502, CAUSE_KEEPALIVE_RACE);

		model_add(&m, f);
		finding_unref(f);
	}
	later.now_ns = 310000000000ull;
	assert_int_equal(model_tick(&m, &in), 0);
	assert_int_equal(m.shown.nrows, 3);
	assert_int_equal(model_set_window(&m, GROUP_WINDOW_MINUTE), 0);
	assert_int_equal(m.shown.nrows, 1);
	assert_int_equal(m.shown.rows[0]->id, 3);
	/* nothing within the window: all of it, as in the WHY panel */
	later.now_ns = 900000000000ull;
	assert_int_equal(model_tick(&m, &in), 0);
	assert_true(m.shown.rank.widened);
	assert_int_equal(m.shown.nrows, 3);
	model_fini(&m);
}

static void test_rows_are_found_by_id(void **state)
{
	struct model m;

	assert_int_equal(model_init(&m, 100, false), 0);
	for (uint64_t id = 10; id <= 50; id += 10)
		add(&m, id, CAUSE_CONN_REFUSED);
	tick(&m, 0);
	assert_int_equal(snapshot_row_of(&m.shown, 10), 0);
	assert_int_equal(snapshot_row_of(&m.shown, 30), 2);
	assert_int_equal(snapshot_row_of(&m.shown, 31), 3);
	assert_int_equal(snapshot_row_of(&m.shown, 51), 5);
	model_fini(&m);
}

static void test_rates_come_from_whole_seconds(void **state)
{
	struct model_input in = { .counters = &counters, .nhistory = 10 };
	struct model m;

	assert_int_equal(model_init(&m, 10, false), 0);
	for (int i = 0; i < 10; i++) {
		in.history[i].exchanges = 1000;
		in.history[i].s502 = i >= 4 ? 10 : 500;
	}
	in.history[9].exchanges = 3; /* this second has just begun */
	assert_int_equal(model_tick(&m, &in), 0);
	assert_true(m.shown.rates.requests == 1000);
	assert_true(m.shown.rates.s502 == 10);
	assert_true(m.shown.rates.share502 == 1);
	model_fini(&m);
}

static void test_upstreams_are_copied_and_bounded(void **state)
{
	static struct engine_upstream one[MODEL_UPSTREAMS_MAX + 5];
	static const struct engine_upstream *list[MODEL_UPSTREAMS_MAX + 5];
	struct model_input in = { .counters = &counters,
				  .upstreams = list,
				  .nupstreams = MODEL_UPSTREAMS_MAX + 5 };
	struct model m;

	for (size_t i = 0; i < MODEL_UPSTREAMS_MAX + 5; i++)
		list[i] = &one[i];
	one[0].requests = 42;
	assert_int_equal(model_init(&m, 10, false), 0);
	assert_int_equal(model_tick(&m, &in), 0);
	one[0].requests = 0;
	assert_int_equal(m.shown.nupstreams, MODEL_UPSTREAMS_MAX);
	assert_int_equal(m.shown.upstreams[0].requests, 42);
	model_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_newest_are_kept_and_the_rest_counted),
		cmocka_unit_test(test_a_shown_finding_survives_its_eviction),
		cmocka_unit_test(test_filter_applies_to_old_and_new),
		cmocka_unit_test(test_filter_narrows_groups_unless_it_is_a_row),
		cmocka_unit_test(test_pause_freezes_the_screen_and_keeps_collecting),
		cmocka_unit_test(test_a_pause_loses_nothing),
		cmocka_unit_test(test_a_filter_counts_what_it_leaves),
		cmocka_unit_test(test_the_window_bounds_the_list),
		cmocka_unit_test(test_rows_are_found_by_id),
		cmocka_unit_test(test_rates_come_from_whole_seconds),
		cmocka_unit_test(test_upstreams_are_copied_and_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
