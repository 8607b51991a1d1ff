/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink/facet.h"
#include "sink/filter.h"
#include "tui_make.h"

#define SECOND 1000000000ull
#define NOW    (5000 * SECOND)

struct fixture {
	struct facet_table table;
	struct facet_rank rank;
	struct finding *f; /* the next one to count */
	uint64_t next_id;
};

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	facet_rank_fini(&x->rank);
	facet_table_fini(&x->table);
	free(x);
	return 0;
}

static void open_facet(struct fixture *x, enum facet facet)
{
	assert_int_equal(facet_table_init(&x->table, facet), 0);
}

static struct finding *next(struct fixture *x, uint64_t ts, enum cause cause)
{
	x->f = make_finding(++x->next_id, ts, 502, cause);
	return x->f;
}

static void count(struct fixture *x)
{
	facet_table_add(&x->table, x->f);
	finding_unref(x->f);
}

static void add_target(struct fixture *x, uint64_t ts, const char *target)
{
	snprintf(next(x, ts, CAUSE_CONN_REFUSED)->target, sizeof(x->f->target), "%s", target);
	count(x);
}

static void add_client(struct fixture *x, const char *ip)
{
	make_addr(&next(x, NOW, CAUSE_CONN_REFUSED)->down.remote, ip);
	count(x);
}

static void rank(struct fixture *x, enum group_window w)
{
	assert_int_equal(facet_rank_make(&x->rank, &x->table, NOW, w), 0);
}

static void test_endpoints_are_host_and_folded_path(void **state)
{
	struct fixture *x = *state;

	open_facet(x, FACET_ENDPOINT);
	for (int i = 0; i < 9; i++) {
		char target[32];

		snprintf(target, sizeof(target), "/users/%d?page=%d", i, i);
		add_target(x, NOW - SECOND, target);
	}
	add_target(x, NOW - SECOND, "/api/cart");
	snprintf(next(x, NOW, CAUSE_CONN_REFUSED)->host, sizeof(x->f->host), "SHOP.example.:80");
	snprintf(x->f->target, sizeof(x->f->target), "/users/77");
	count(x);
	next(x, NOW, CAUSE_CONN_REFUSED)->target[0] = '\0';
	count(x);
	rank(x, GROUP_WINDOW_FIVE);
	assert_int_equal(x->rank.n, 3);
	assert_int_equal(x->rank.total, 12);
	assert_int_equal(x->rank.rows[0].count, 10);
	assert_string_equal(x->rank.rows[0].label, "shop.example/users/{id}");
}

static void test_causes_and_times_are_of_the_group(void **state)
{
	struct fixture *x = *state;

	open_facet(x, FACET_ENDPOINT);
	for (int i = 0; i < 4; i++) {
		next(x, NOW - (uint64_t)(40 - i) * SECOND,
		     i ? CAUSE_BACKEND_SLOW : CAUSE_CONN_REFUSED);
		count(x);
	}
	rank(x, GROUP_WINDOW_FIVE);
	assert_int_equal(x->rank.n, 1);
	assert_int_equal(x->rank.rows[0].cause, CAUSE_BACKEND_SLOW);
	assert_int_equal(x->rank.rows[0].cause_share, 75);
	assert_int_equal(x->rank.rows[0].last_wall_ns - x->rank.rows[0].first_wall_ns, 3 * SECOND);
	assert_true(x->rank.rows[0].rate > 0.099 && x->rank.rows[0].rate < 0.101);
}

static void test_top_cause_is_of_the_window(void **state)
{
	struct fixture *x = *state;

	open_facet(x, FACET_ENDPOINT);
	for (int i = 0; i < 9; i++) {
		next(x, NOW - 200 * SECOND, CAUSE_CONN_REFUSED);
		count(x);
	}
	next(x, NOW - SECOND, CAUSE_BACKEND_SLOW);
	count(x);
	rank(x, GROUP_WINDOW_MINUTE);
	assert_int_equal(x->rank.rows[0].count, 1);
	assert_int_equal(x->rank.rows[0].cause, CAUSE_BACKEND_SLOW);
	rank(x, GROUP_WINDOW_FIVE);
	assert_int_equal(x->rank.rows[0].cause, CAUSE_CONN_REFUSED);
	assert_int_equal(x->rank.rows[0].cause_share, 90);
}

static void test_clients_are_networks(void **state)
{
	struct fixture *x = *state;
	char text[FACET_LABEL_MAX];

	open_facet(x, FACET_CLIENT);
	add_client(x, "203.0.113.1");
	add_client(x, "203.0.113.2");
	add_client(x, "203.0.113.3");
	add_client(x, "2001:db8:5:1::7");
	add_client(x, "2001:db8:5:1:9::7");
	rank(x, GROUP_WINDOW_FIVE);
	assert_int_equal(x->rank.n, 2);
	facet_row_text(text, sizeof(text), FACET_CLIENT, &x->rank.rows[0]);
	assert_string_equal(text, "203.0.113.0/24");
	facet_row_text(text, sizeof(text), FACET_CLIENT, &x->rank.rows[1]);
	assert_string_equal(text, "2001:db8:5:1::/64");
}

static void test_one_address_that_dominates_is_named(void **state)
{
	struct fixture *x = *state;
	char text[FACET_LABEL_MAX];

	open_facet(x, FACET_CLIENT);
	for (int i = 0; i < 10; i++)
		add_client(x, i % 10 ? "203.0.113.9" : "203.0.113.1");
	rank(x, GROUP_WINDOW_FIVE);
	facet_row_text(text, sizeof(text), FACET_CLIENT, &x->rank.rows[0]);
	assert_string_equal(text, "203.0.113.9");
	for (int i = 0; i < 10; i++)
		add_client(x, "203.0.113.1");
	rank(x, GROUP_WINDOW_FIVE);
	facet_row_text(text, sizeof(text), FACET_CLIENT, &x->rank.rows[0]);
	assert_string_equal(text, "203.0.113.0/24");
}

static void test_gateway_processes_are_apart(void **state)
{
	struct fixture *x = *state;

	open_facet(x, FACET_GATEWAY);
	for (uint32_t i = 0; i < 3; i++) {
		next(x, NOW, CAUSE_CONN_REFUSED)->gateway_group = 2210;
		x->f->down.tgid = i < 2 ? 2211 : 2212;
		count(x);
	}
	next(x, NOW, CAUSE_CONN_REFUSED)->gateway_group = 2217;
	count(x);
	rank(x, GROUP_WINDOW_FIVE);
	assert_int_equal(x->rank.n, 3);
	assert_string_equal(x->rank.rows[0].label, "nginx/2210 worker 2211");
	assert_string_equal(x->rank.rows[2].label, "nginx/2217");
}

static void test_others_keep_what_was_folded(void **state)
{
	struct fixture *x = *state;
	char target[32];

	open_facet(x, FACET_ENDPOINT);
	add_target(x, NOW - 100 * SECOND, "/oldest");
	add_target(x, NOW - 90 * SECOND, "/oldest");
	for (int i = 0; i < FACET_GROUPS; i++) {
		snprintf(target, sizeof(target), "/p%c%c", 'a' + i / 26, 'a' + i % 26);
		add_target(x, NOW - SECOND, target);
	}
	rank(x, GROUP_WINDOW_FIVE);
	assert_int_equal(x->rank.n, FACET_GROUPS);
	assert_int_equal(x->rank.folded, 1);
	assert_int_equal(x->rank.others, 2);
	assert_int_equal(x->rank.total, FACET_GROUPS + 2);
	rank(x, GROUP_WINDOW_MINUTE);
	assert_int_equal(x->rank.others, 0);
}

static void test_recovered_ones_do_not_count(void **state)
{
	struct fixture *x = *state;

	open_facet(x, FACET_ENDPOINT);
	next(x, NOW, CAUSE_RETRY_RECOVERED)->verdict = VERDICT_RECOVERED;
	count(x);
	rank(x, GROUP_WINDOW_ALL);
	assert_int_equal(x->rank.n, 0);
	assert_int_equal(x->rank.total, 0);
}

static void test_the_filter_of_a_row_lists_it(void **state)
{
	static const char *const targets[] = { "/users/7?x=\"y\"", "/we\"ird \\ one/%22", "/a b" };
	struct fixture *x = *state;
	char expr[256];

	for (int facet = 0; facet < FACET_MAX; facet++) {
		for (size_t i = 0; i < 3; i++) {
			struct filter *flt = NULL;
			struct finding *f = next(x, NOW, CAUSE_CONN_REFUSED);

			open_facet(x, (enum facet)facet);
			snprintf(f->target, sizeof(f->target), "%s", targets[i]);
			facet_table_add(&x->table, f);
			rank(x, GROUP_WINDOW_ALL);
			facet_row_filter(expr, sizeof(expr), (enum facet)facet, &x->rank.rows[0]);
			assert_int_equal(filter_parse(&flt, expr, NULL), 0);
			assert_true(filter_match(flt, f));
			snprintf(f->target, sizeof(f->target), "/other");
			make_addr(&f->down.remote, "192.0.2.1");
			f->down.tgid = 9;
			assert_false(filter_match(flt, f));
			filter_free(flt);
			finding_unref(f);
			facet_table_fini(&x->table);
		}
	}
}

static void test_longest_labels_fit_a_filter(void **state)
{
	struct fixture *x = *state;
	char expr[256];

	open_facet(x, FACET_ENDPOINT);
	next(x, NOW, CAUSE_CONN_REFUSED);
	memset(x->f->host, '\x80', sizeof(x->f->host) - 1);
	memset(x->f->target, '\x80', sizeof(x->f->target) - 1);
	x->f->target[0] = '/';
	for (size_t i = 9; i < sizeof(x->f->target) - 1; i += 9)
		x->f->target[i] = '/';
	count(x);
	rank(x, GROUP_WINDOW_ALL);
	assert_true(strlen(x->rank.rows[0].label) < FACET_LABEL_MAX - 1);
	facet_row_filter(expr, sizeof(expr), FACET_ENDPOINT, &x->rank.rows[0]);
	assert_int_equal(expr[strlen(expr) - 1], '"');
	assert_string_equal(expr + strlen(expr) - 4, "...\"");
}

#define test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_endpoints_are_host_and_folded_path),
		test(test_causes_and_times_are_of_the_group),
		test(test_top_cause_is_of_the_window),
		test(test_clients_are_networks),
		test(test_one_address_that_dominates_is_named),
		test(test_gateway_processes_are_apart),
		test(test_others_keep_what_was_folded),
		test(test_recovered_ones_do_not_count),
		test(test_the_filter_of_a_row_lists_it),
		test(test_longest_labels_fit_a_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
