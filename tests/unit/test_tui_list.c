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

#include "tui/ui.h"
#include "tui_make.h"

enum { COL_TIME, COL_ID, COL_CLIENT, COL_HOST, COL_REQUEST, COL_ST, COL_MS };

static struct engine_counters counters = { .now_ns = 60000000000ull, .start_ns = 1 };

struct fixture {
	struct model m;
	struct ui ui;
	struct list *l;
};

static void add(struct fixture *x, uint64_t id, uint64_t ms)
{
	struct finding *f = make_finding(id, 50000000000ull + id, 502, CAUSE_CONN_REFUSED);

	f->duration_ns = ms * 1000000;
	make_attempt(f, "10.0.3.17", 8080, CAUSE_CONN_REFUSED);
	model_add(&x->m, f);
	finding_unref(f);
}

static void tick(struct fixture *x)
{
	struct model_input in = { .counters = &counters };

	assert_int_equal(model_tick(&x->m, &in), 0);
	ui_sync(&x->ui, &x->m);
}

static void setup(struct fixture *x, size_t max)
{
	memset(x, 0, sizeof(*x));
	assert_int_equal(model_init(&x->m, max, false), 0);
	ui_init(&x->ui, 80, 24, 0xf);
	x->l = &x->ui.lists[VIEW_MAIN];
}

static void teardown(struct fixture *x)
{
	ui_fini(&x->ui);
	model_fini(&x->m);
}

static uint64_t id_at(struct fixture *x, size_t i)
{
	const struct finding *f = list_row(x->l, &exchanges_list, &x->m, i);

	return f ? f->id : 0;
}

static uint64_t id_here(struct fixture *x)
{
	return id_at(x, x->l->row);
}

static void test_a_list_follows_the_newest_until_the_cursor_moves(void **state)
{
	struct fixture x;

	setup(&x, 100);
	for (uint64_t id = 1; id <= 5; id++)
		add(&x, id, id);
	tick(&x);
	assert_int_equal(id_here(&x), 5);
	add(&x, 6, 1);
	tick(&x);
	assert_int_equal(id_here(&x), 6);
	ui_do(&x.ui, &x.m, ACTION_UP);
	add(&x, 7, 1);
	tick(&x);
	assert_int_equal(id_here(&x), 5);
	ui_do(&x.ui, &x.m, ACTION_END);
	add(&x, 8, 1);
	tick(&x);
	assert_int_equal(id_here(&x), 8);
	teardown(&x);
}

static void test_sorting_keeps_the_cursor_on_its_row(void **state)
{
	static const uint64_t ms[] = { 30, 10, 50, 20, 40 };
	static const uint64_t by_ms[] = { 3, 5, 1, 4, 2 };
	struct fixture x;

	setup(&x, 100);
	for (uint64_t id = 1; id <= 5; id++)
		add(&x, id, ms[id - 1]);
	tick(&x);
	list_go(x.l, &exchanges_list, &x.m, 1);
	list_sort_by(x.l, &exchanges_list, COL_MS);
	ui_sync(&x.ui, &x.m);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(id_at(&x, i), by_ms[i]);
	assert_int_equal(id_here(&x), 2);
	ui_do(&x.ui, &x.m, ACTION_INVERT);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(id_at(&x, i), by_ms[4 - i]);
	assert_int_equal(id_here(&x), 2);
	add(&x, 6, 15); /* comes into its place */
	tick(&x);
	assert_int_equal(id_at(&x, 1), 6);
	assert_int_equal(id_here(&x), 2);
	teardown(&x);
}

static void test_newest_first_follows_at_the_top(void **state)
{
	struct fixture x;

	setup(&x, 100);
	for (uint64_t id = 1; id <= 4; id++)
		add(&x, id, id);
	tick(&x);
	ui_do(&x.ui, &x.m, ACTION_INVERT);
	assert_int_equal(id_at(&x, 0), 4);
	assert_int_equal(x.l->row, 0);
	add(&x, 5, 1);
	tick(&x);
	assert_int_equal(id_at(&x, 0), 5);
	assert_int_equal(id_here(&x), 5);
	ui_do(&x.ui, &x.m, ACTION_DOWN);
	add(&x, 6, 1);
	tick(&x);
	assert_int_equal(id_here(&x), 4);
	teardown(&x);
}

static void test_the_cursor_goes_to_a_neighbour_when_its_row_is_gone(void **state)
{
	struct fixture x;

	setup(&x, 4);
	for (uint64_t id = 1; id <= 4; id++)
		add(&x, id, id);
	tick(&x);
	ui_do(&x.ui, &x.m, ACTION_HOME);
	for (uint64_t id = 5; id <= 6; id++)
		add(&x, id, id);
	tick(&x);
	assert_int_equal(id_here(&x), 3);
	list_sort_by(x.l, &exchanges_list, COL_MS);
	ui_sync(&x.ui, &x.m);
	for (uint64_t id = 7; id <= 16; id++)
		add(&x, id, id);
	tick(&x);
	assert_true(id_here(&x) >= 13); /* all that it knew are gone */
	teardown(&x);
}

static void test_a_long_list_is_sorted_in_part_and_says_so(void **state)
{
	size_t n = LIST_SORT_MAX + 7;
	char text[128];
	struct fixture x;

	setup(&x, n);
	for (uint64_t id = 1; id <= n; id++)
		add(&x, id, n - id + 1);
	tick(&x);
	assert_int_equal(x.l->n, n);
	list_sort_by(x.l, &exchanges_list, COL_MS);
	ui_sync(&x.ui, &x.m);
	assert_int_equal(x.l->n, LIST_SORT_MAX);
	assert_int_equal(id_at(&x, 0), 8); /* slowest of the newest */
	list_say(text, sizeof(text), x.l, &exchanges_list);
	assert_non_null(strstr(text, "of the newest"));
	teardown(&x);
}

static void test_narrow_pages_leave_out_what_matters_least(void **state)
{
	int w[LIST_COLUMNS_MAX];
	struct fixture x;

	setup(&x, 10);
	for (int cols = UI_MIN_COLS; cols <= 400; cols++) {
		int used = 1;

		list_widths(w, x.l, &exchanges_list, &x.m, cols);
		for (size_t i = 0; i < exchanges_list.ncolumns; i++)
			used += w[i] ? w[i] + 1 : 0;
		assert_true(used - 1 <= cols);
		assert_true(w[COL_TIME] && w[COL_REQUEST] && w[COL_ST]);
	}
	list_widths(w, x.l, &exchanges_list, &x.m, 80);
	assert_true(w[COL_MS] && !w[COL_CLIENT] && !w[COL_HOST]);
	list_widths(w, x.l, &exchanges_list, &x.m, 400);
	assert_true(w[COL_CLIENT] && w[COL_HOST] && !w[COL_ID]);
	teardown(&x);
}

static void test_a_column_chosen_by_hand_stays_longer(void **state)
{
	int w[LIST_COLUMNS_MAX];
	struct fixture x;

	setup(&x, 10);
	list_toggle_column(x.l, &exchanges_list, COL_ID);
	list_widths(w, x.l, &exchanges_list, &x.m, 80);
	assert_true(w[COL_ID] && !w[COL_CLIENT]);
	list_toggle_column(x.l, &exchanges_list, COL_ID);
	list_widths(w, x.l, &exchanges_list, &x.m, 80);
	assert_false(w[COL_ID]);
	/* one always remains */
	for (size_t i = 0; i < exchanges_list.ncolumns; i++)
		if (!(x.l->off & 1u << i))
			list_toggle_column(x.l, &exchanges_list, i);
	list_widths(w, x.l, &exchanges_list, &x.m, 80);
	assert_true(w[12] > 0 || w[13] > 0 || w[11] > 0);
	teardown(&x);
}

static void test_every_column_sorts_and_says_what_it_is(void **state)
{
	struct fixture x;

	setup(&x, 10);
	for (uint64_t id = 1; id <= 3; id++)
		add(&x, id, id);
	tick(&x);
	for (size_t v = 0; v < VIEW_MAX; v++) {
		const struct list_ops *ops;

		x.ui.stack[0] = (enum view_id)v;
		ops = ui_list_ops(&x.ui);
		for (size_t i = 0; ops && i < ops->ncolumns; i++) {
			assert_true(ops->columns[i].title && ops->columns[i].help);
			assert_true(ops->columns[i].min && ops->columns[i].want);
			assert_non_null(ops->columns[i].compare);
		}
	}
	x.ui.stack[0] = VIEW_MAIN;
	for (size_t i = 0; i < exchanges_list.ncolumns; i++) {
		list_sort_by(x.l, &exchanges_list, i);
		ui_sync(&x.ui, &x.m);
		assert_int_equal(x.l->sort, i);
		assert_int_equal(x.l->n, 3);
	}
	teardown(&x);
}

static void test_a_selection_outlives_the_list(void **state)
{
	struct selection s = { 0 };
	struct fixture x;

	setup(&x, 2);
	for (uint64_t id = 1; id <= 2; id++)
		add(&x, id, id);
	tick(&x);
	assert_int_equal(selection_add(&s, x.m.shown.rows[1]), 0);
	assert_int_equal(selection_add(&s, x.m.shown.rows[0]), 0);
	assert_int_equal(selection_add(&s, x.m.shown.rows[0]), 0);
	for (uint64_t id = 3; id <= 9; id++)
		add(&x, id, id);
	tick(&x);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.f[0]->id, 1);
	assert_int_equal(s.f[1]->id, 2);
	assert_true(selection_has(&s, 2));
	assert_false(selection_has(&s, 3));
	assert_int_equal(selection_toggle(&s, s.f[1]), 0);
	assert_false(selection_has(&s, 2));
	selection_clear(&s);
	assert_int_equal(s.n, 0);
	teardown(&x);
}

static void test_a_selection_is_bounded(void **state)
{
	struct selection s = { 0 };
	struct fixture x;

	setup(&x, SELECTION_MAX + 1);
	for (uint64_t id = 1; id <= SELECTION_MAX + 1; id++)
		add(&x, id, 1);
	tick(&x);
	for (size_t i = 0; i < SELECTION_MAX; i++)
		assert_int_equal(selection_add(&s, x.m.shown.rows[i]), 0);
	assert_int_equal(selection_add(&s, x.m.shown.rows[SELECTION_MAX]), -ENOSPC);
	selection_clear(&s);
	teardown(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_list_follows_the_newest_until_the_cursor_moves),
		cmocka_unit_test(test_sorting_keeps_the_cursor_on_its_row),
		cmocka_unit_test(test_newest_first_follows_at_the_top),
		cmocka_unit_test(test_the_cursor_goes_to_a_neighbour_when_its_row_is_gone),
		cmocka_unit_test(test_a_long_list_is_sorted_in_part_and_says_so),
		cmocka_unit_test(test_narrow_pages_leave_out_what_matters_least),
		cmocka_unit_test(test_a_column_chosen_by_hand_stays_longer),
		cmocka_unit_test(test_every_column_sorts_and_says_what_it_is),
		cmocka_unit_test(test_a_selection_outlives_the_list),
		cmocka_unit_test(test_a_selection_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
