/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink/group.h"
#include "tui_make.h"

#define SECOND 1000000000ull
#define NOW    (5000 * SECOND)

struct fixture {
	struct group_table table;
	struct group_rank rank;
	struct group_verdict verdict;
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

	group_rank_fini(&x->rank);
	group_table_fini(&x->table);
	free(x);
	return 0;
}

static void add(struct fixture *x, uint64_t ts, enum cause cause, const char *ip)
{
	struct finding *f = make_finding(++x->next_id, ts, 502, cause);

	if (ip)
		make_attempt(f, ip, 8080, cause);
	group_table_add(&x->table, f);
	finding_unref(f);
}

static void rank(struct fixture *x, enum group_window w)
{
	group_rank_fini(&x->rank);
	group_rank_make(&x->rank, &x->table, NOW, w);
	group_verdict_make(&x->verdict, &x->rank);
}

static void test_groups_are_ranked_by_share(void **state)
{
	struct fixture *x = *state;

	add(x, NOW - SECOND, CAUSE_KEEPALIVE_RACE, "10.0.3.18");
	for (int i = 0; i < 3; i++)
		add(x, NOW - SECOND, CAUSE_CONN_REFUSED, "10.0.3.17");
	rank(x, GROUP_WINDOW_FIVE);
	assert_int_equal(x->rank.n, 2);
	assert_int_equal(x->rank.total, 4);
	assert_int_equal(x->rank.rows[0].cause, CAUSE_CONN_REFUSED);
	assert_int_equal(x->rank.rows[0].share, 75);
	assert_int_equal(x->rank.rows[1].share, 25);
	assert_int_equal(x->rank.rows[0].newest->id, 4);
}

static void test_recovered_and_aborted_do_not_count(void **state)
{
	struct fixture *x = *state;
	struct finding *f = make_finding(1, NOW, 200, CAUSE_RETRY_RECOVERED);

	f->verdict = VERDICT_RECOVERED;
	assert_false(group_is_bad(f));
	group_table_add(&x->table, f);
	f->verdict = VERDICT_CLIENT;
	f->cause = CAUSE_CLIENT_ABORT;
	assert_false(group_is_bad(f));
	group_table_add(&x->table, f);
	finding_unref(f);
	rank(x, GROUP_WINDOW_ALL);
	assert_int_equal(x->rank.total, 0);
	assert_int_equal(x->rank.n, 0);
	assert_false(group_verdict_make(&x->verdict, &x->rank));
}

static void test_window_leaves_out_what_is_older(void **state)
{
	struct fixture *x = *state;

	for (int i = 0; i < 9; i++)
		add(x, NOW - 200 * SECOND, CAUSE_CONN_REFUSED, "10.0.3.17");
	add(x, NOW - 10 * SECOND, CAUSE_KEEPALIVE_RACE, "10.0.3.18");
	rank(x, GROUP_WINDOW_MINUTE);
	assert_int_equal(x->rank.total, 1);
	assert_int_equal(x->rank.rows[0].cause, CAUSE_KEEPALIVE_RACE);
	rank(x, GROUP_WINDOW_FIVE);
	assert_int_equal(x->rank.total, 10);
	assert_int_equal(x->rank.rows[0].cause, CAUSE_CONN_REFUSED);
}

static void test_empty_window_is_widened_and_says_so(void **state)
{
	struct fixture *x = *state;

	add(x, NOW - 900 * SECOND, CAUSE_CONN_REFUSED, "10.0.3.17");
	rank(x, GROUP_WINDOW_FIVE);
	assert_true(x->rank.widened);
	assert_int_equal(x->rank.window, GROUP_WINDOW_ALL);
	assert_int_equal(x->rank.total, 1);
	assert_int_equal(x->rank.rows[0].trend, TREND_OVER);
}

static void test_trend_compares_half_minutes(void **state)
{
	struct fixture *x = *state;

	for (int i = 17; i <= 20; i++) {
		char ip[32];

		snprintf(ip, sizeof(ip), "10.0.3.%d", i);
		add(x, NOW - 200 * SECOND, CAUSE_CONN_REFUSED, ip);
	}
	for (int i = 0; i < 20; i++) {
		add(x, NOW - (i < 5 ? 40 : 5) * SECOND, CAUSE_CONN_REFUSED, "10.0.3.17");
		add(x, NOW - (i < 15 ? 40 : 5) * SECOND, CAUSE_CONN_REFUSED, "10.0.3.18");
		add(x, NOW - (i % 2 ? 40 : 5) * SECOND, CAUSE_CONN_REFUSED, "10.0.3.19");
		add(x, NOW - 40 * SECOND, CAUSE_CONN_REFUSED, "10.0.3.20");
	}
	rank(x, GROUP_WINDOW_FIVE);
	for (size_t i = 0; i < x->rank.n; i++) {
		const enum group_trend want[] = { TREND_UP, TREND_DOWN, TREND_STEADY, TREND_OVER };

		assert_int_equal(x->rank.rows[i].trend, want[x->rank.rows[i].ip.ip[15] - 17]);
	}
}

static void test_one_pair_is_named(void **state)
{
	struct fixture *x = *state;

	for (int i = 0; i < 94; i++)
		add(x, NOW - SECOND, CAUSE_CONN_REFUSED, "10.0.3.17");
	for (int i = 0; i < 6; i++)
		add(x, NOW - SECOND, CAUSE_KEEPALIVE_RACE, "10.0.3.18");
	rank(x, GROUP_WINDOW_FIVE);
	assert_int_equal(x->verdict.dominance, DOMINANCE_PAIR);
	assert_string_equal(x->verdict.text,
			    "10.0.3.17:8080 refuses connections (nothing listens): "
			    "94% of 100 bad exchanges");
	assert_int_equal(x->verdict.example->cause, CAUSE_CONN_REFUSED);
}

static void test_one_cause_everywhere_is_named(void **state)
{
	static const char *const ips[] = { "10.0.3.17", "10.0.3.18", "10.0.3.19" };
	struct fixture *x = *state;

	for (int i = 0; i < 30; i++)
		add(x, NOW - SECOND, CAUSE_CONN_TIMEOUT_SYN, ips[i % 3]);
	rank(x, GROUP_WINDOW_FIVE);
	assert_int_equal(x->verdict.dominance, DOMINANCE_CAUSE);
	assert_string_equal(x->verdict.text, "3 upstreams, the same failure (conn-timeout-syn): "
					     "all 30 bad exchanges");
}

static void test_one_upstream_with_many_causes_is_named(void **state)
{
	static const enum cause causes[] = { CAUSE_CONN_REFUSED, CAUSE_KEEPALIVE_RACE,
					     CAUSE_TRUNCATED_HEADER };
	struct fixture *x = *state;

	for (int i = 0; i < 30; i++)
		add(x, NOW - SECOND, causes[i % 3], "10.0.3.17");
	rank(x, GROUP_WINDOW_FIVE);
	assert_int_equal(x->verdict.dominance, DOMINANCE_UPSTREAM);
	assert_string_equal(x->verdict.text,
			    "10.0.3.17:8080 fails in 3 ways: all 30 bad exchanges");
}

static void test_no_reason_is_invented(void **state)
{
	struct fixture *x = *state;

	add(x, NOW - SECOND, CAUSE_CONN_REFUSED, "10.0.3.17");
	add(x, NOW - SECOND, CAUSE_KEEPALIVE_RACE, "10.0.3.18");
	add(x, NOW - SECOND, CAUSE_NO_LIVE_UPSTREAM, NULL);
	rank(x, GROUP_WINDOW_FIVE);
	assert_int_equal(x->verdict.dominance, DOMINANCE_NONE);
	assert_string_equal(x->verdict.text,
			    "no single reason: 3 kinds of failure, the largest 33%");
}

static void test_too_many_groups_are_counted_together(void **state)
{
	struct fixture *x = *state;
	char ip[32];

	for (int i = 0; i < GROUP_MAX + 50; i++) {
		snprintf(ip, sizeof(ip), "10.1.%d.%d", i / 200, i % 200 + 1);
		add(x, NOW - SECOND, CAUSE_CONN_REFUSED, ip);
	}
	rank(x, GROUP_WINDOW_ALL);
	assert_int_equal(x->rank.n, GROUP_MAX);
	assert_int_equal(x->rank.total, GROUP_MAX + 50);
	assert_int_equal(x->table.rest.total, 50);
}

static void test_late_findings_count_in_their_own_time(void **state)
{
	struct fixture *x = *state;

	add(x, NOW, CAUSE_CONN_REFUSED, "10.0.3.17");
	add(x, NOW - 100 * SECOND, CAUSE_CONN_REFUSED, "10.0.3.17");
	add(x, NOW - 4000 * SECOND, CAUSE_CONN_REFUSED, "10.0.3.17");
	rank(x, GROUP_WINDOW_MINUTE);
	assert_int_equal(x->rank.total, 1);
	rank(x, GROUP_WINDOW_FIVE);
	assert_int_equal(x->rank.total, 2);
	rank(x, GROUP_WINDOW_ALL);
	assert_int_equal(x->rank.total, 3);
}

/* ---- siblings ---- */

static struct engine_upstream upstream(const char *ip, unsigned port)
{
	struct engine_upstream u = { .port = (uint16_t)port,
				     .groups = { 2210 },
				     .hosts = { 7 },
				     .routes = { 8 },
				     .last_answer_ns = NOW - 2 * SECOND };

	make_addr(&u.ip, ip);
	return u;
}

static void verdict(struct fixture *x, const struct engine_upstream *v, size_t n)
{
	rank(x, GROUP_WINDOW_FIVE);
	group_verdict_siblings(&x->verdict, &x->rank, v, n, 1700000000000000000ull);
}

static void test_one_bad_backend_stands_out(void **state)
{
	struct fixture *x = *state;
	struct engine_upstream v[8];

	for (int i = 0; i < 8; i++) {
		char ip[32];

		snprintf(ip, sizeof(ip), "10.0.3.%d", 17 + i);
		v[i] = upstream(ip, 8080);
	}
	v[6].groups[0] = 2211;			   /* another gateway's */
	v[7].last_answer_ns = NOW - 1000 * SECOND; /* nobody knows whether it works */
	for (int i = 0; i < 37; i++)
		add(x, NOW - 3 * SECOND, CAUSE_CONN_REFUSED, "10.0.3.17");
	verdict(x, v, 8);
	assert_string_equal(x->verdict.text, "all 37 failures are 10.0.3.17:8080 (conn-refused); "
					     "its 5 siblings have none");
	assert_int_equal(x->verdict.example->cause, CAUSE_CONN_REFUSED);
	v[2].last_fail_ns = NOW - 2 * SECOND; /* recovered by a retry */
	verdict(x, v, 8);
	assert_string_equal(x->verdict.text, "all 37 failures are 10.0.3.17:8080 (conn-refused); "
					     "4 of its 5 siblings have none");
	add(x, NOW - SECOND, CAUSE_BACKEND_SLOW, "10.0.3.17");
	verdict(x, v, 2);
	assert_string_equal(x->verdict.text,
			    "all 38 failures are 10.0.3.17:8080; its sibling has none");
}

static void test_siblings_serve_the_same(void **state)
{
	struct engine_upstream v[2] = { upstream("10.0.3.17", 8080), upstream("10.0.3.18", 8080) };
	struct group_siblings s;

#define siblings() (group_siblings_find(&s, v, 2, &v[0].ip, 8080, NOW - 3 * SECOND), (int)s.n)
	assert_int_equal(siblings(), 1);
	v[1].port = 9090; /* the same route on another port */
	assert_int_equal(siblings(), 1);
	v[1].routes[0] = 9; /* another route there */
	assert_int_equal(siblings(), 0);
	v[1].port = 8080; /* another route, the same Host and port */
	assert_int_equal(siblings(), 1);
	v[1].hosts[0] = 10;
	assert_int_equal(siblings(), 0);
	v[0].routes[0] = v[0].hosts[0] = 0; /* it never got a request: the port must do */
	assert_int_equal(siblings(), 1);
	v[1].port = 9090;
	assert_int_equal(siblings(), 0);
	v[1].port = 8080;
	v[1].unwanted = true;
	assert_int_equal(siblings(), 0);
}

static void test_failures_elsewhere_are_no_bad_backend(void **state)
{
	struct fixture *x = *state;
	struct engine_upstream v[2] = { upstream("10.0.3.17", 8080), upstream("10.0.3.18", 8080) };
	char before[256];

	for (int i = 0; i < 20; i++)
		add(x, NOW - 3 * SECOND, CAUSE_CONN_REFUSED, "10.0.3.17");
	add(x, NOW - SECOND, CAUSE_NO_LIVE_UPSTREAM, NULL);
	rank(x, GROUP_WINDOW_FIVE);
	snprintf(before, sizeof(before), "%s", x->verdict.text);
	verdict(x, v, 2);
	assert_string_equal(x->verdict.text, before);
}

#define test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_groups_are_ranked_by_share),
		test(test_recovered_and_aborted_do_not_count),
		test(test_window_leaves_out_what_is_older),
		test(test_empty_window_is_widened_and_says_so),
		test(test_trend_compares_half_minutes),
		test(test_one_pair_is_named),
		test(test_one_cause_everywhere_is_named),
		test(test_one_upstream_with_many_causes_is_named),
		test(test_no_reason_is_invented),
		test(test_too_many_groups_are_counted_together),
		test(test_late_findings_count_in_their_own_time),
		test(test_one_bad_backend_stands_out),
		test(test_siblings_serve_the_same),
		test(test_failures_elsewhere_are_no_bad_backend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
