/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's limits beside findings: said where they bear on it, and never as its cause. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../lib/rec_host.h"
#include "sink/hostrows.h"

static struct bench b;

static int setup(void **state)
{
	bench_open(&b, "nginx");
	return 0;
}

static int teardown(void **state)
{
	bench_close(&b);
	return 0;
}

/* A refused connect to 10.0.3.17 that the client sees as 502, at t. */
static const struct finding *refused(double t)
{
	struct w5_leg d = rec_down(D, t, "GET", "/a"),
		      u = rec_connect(U, t + 0.1, 17, 111, t + 0.3);

	rec_answer(&d, t + 0.5, 502);
	rec_tie(&u, &d);
	feed(&b, &u);
	feed(&b, &d);
	bench_settle(&b, t + 1);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "conn-refused");
	return b.f[0];
}

/* A 502 for which nothing was tried. */
static const struct finding *untried(double t)
{
	struct w5_leg d = rec_down(D, t, "GET", "/a");

	rec_answer(&d, t + 0.5, 502);
	feed(&b, &d);
	bench_settle(&b, t + 1);
	assert_int_equal(b.n, 1);
	return b.f[0];
}

/* The i-th sentence about the host; NULL if there are fewer. */
static const char *said(const struct finding *f, size_t nr)
{
	for (size_t i = 0; i < f->nevidence; i++)
		if (!strncmp(f->evidence[i], "host: ", 6) && !nr--)
			return f->evidence[i];
	return NULL;
}

static void test_far_from_every_limit_nothing_is_said(void **state)
{
	struct w5_host r = rec_host(950);

	feed_host(&b, &r);
	assert_null(said(refused(2000), 0));
}

static void test_files_near_their_limit(void **state)
{
	struct w5_host r = rec_host(950);
	const struct finding *f;

	r.v[W5_HOST_FILES] = 1021;
	feed_host(&b, &r);
	f = untried(2000);
	assert_string_equal(said(f, 0),
			    "host: the gateway has 1021 of 1024 files open (process 2217)");
	assert_int_not_equal(f->cause, CAUSE_FD_LIMIT); /* support, never a cause */
	assert_null(said(f, 1));
}

static void test_files_do_not_explain_an_answer_of_the_backend(void **state)
{
	struct w5_leg d = rec_down(D, 2000, "GET", "/a"), u = rec_up(U, 2000.1, "GET", "/a", 17, 1);
	struct w5_host r = rec_host(950);

	r.v[W5_HOST_FILES] = 1024;
	feed_host(&b, &r);
	rec_answer(&u, 2001, 502);
	rec_answer(&d, 2002, 502);
	rec_tie(&u, &d);
	feed(&b, &u);
	feed(&b, &d);
	bench_settle(&b, 2003);
	assert_int_equal(b.f[0]->verdict, VERDICT_PASSED_THROUGH);
	assert_null(said(b.f[0], 0));
}

static void test_ports_of_that_upstream_only(void **state)
{
	struct w5_host r = rec_host(950);

	rec_host_port(&r, 18, 28232);
	rec_host_port(&r, 17, 28001);
	feed_host(&b, &r);
	assert_string_equal(said(refused(2000), 0),
			    "host: 28001 of 28232 local ports are in use towards 10.0.3.17:8080");
}

static void test_ports_elsewhere_are_not_said(void **state)
{
	struct w5_host r = rec_host(950);

	rec_host_port(&r, 18, 28232);
	feed_host(&b, &r);
	assert_null(said(refused(2000), 0));
}

static void test_drops_of_the_gateways_listener(void **state)
{
	struct w5_host r = rec_host(950);

	r.listeners[0].drops = 5;
	feed_host(&b, &r);
	r = rec_host(3999);
	r.listeners[0].drops = 17;
	r.listeners[0].queue = 512;
	feed_host(&b, &r);
	assert_string_equal(
		said(refused(4000), 0),
		"host: the listener of *:80 (the gateway) dropped 12 connection attempts "
		"in the 2 s before (accept queue: 512 of 511)");
}

static void test_old_drops_are_not_said(void **state)
{
	struct w5_host r = rec_host(950);

	feed_host(&b, &r);
	r = rec_host(1100);
	r.listeners[0].drops = 12;
	feed_host(&b, &r);
	assert_null(said(refused(5000), 0));
}

static void test_growth_from_before_the_first_sample_is_not_known(void **state)
{
	struct w5_host r = rec_host(1999);

	r.listeners[0].drops = 12;
	r.v[W5_HOST_SOFTNET_DROPS] = 9;
	feed_host(&b, &r);
	assert_null(said(refused(2000), 0));
}

static void test_conntrack_full(void **state)
{
	struct w5_host r = rec_host(950);

	feed_host(&b, &r);
	r = rec_host(3999);
	r.v[W5_HOST_CONNTRACK] = 262144;
	r.v[W5_HOST_CONNTRACK_DROPS] = 40;
	feed_host(&b, &r);
	assert_string_equal(
		said(refused(4000), 0),
		"host: 262144 of 262144 connections are tracked (conntrack), 40 packets "
		"dropped in the 2 s before");
}

static void test_pressure_only_where_time_ran_out(void **state)
{
	struct w5_leg d = rec_down(D, 2000, "GET", "/a"), u = rec_up(U, 2000.1, "GET", "/a", 17, 1);
	struct w5_host r = rec_host(950);

	r.v[W5_HOST_OWN_CPU] = 9713;
	feed_host(&b, &r);
	rec_acked(&u);
	rec_tie(&u, &d);
	rec_end(&u, 7000, W5_END_FIN_OUT);
	rec_answer(&d, 7000.2, 504);
	feed(&b, &u);
	feed(&b, &d);
	bench_settle(&b, 7001);
	assert_int_equal(b.n, 1);
	assert_string_equal(said(b.f[0], 0),
			    "host: tasks of the gateway's cgroup waited for the CPU "
			    "in 97% of the last 10 s");
}

static void test_pressure_is_no_reason_for_a_refusal(void **state)
{
	struct w5_host r = rec_host(950);

	r.v[W5_HOST_OWN_CPU] = r.v[W5_HOST_CPU] = 9713;
	feed_host(&b, &r);
	assert_null(said(refused(2000), 0));
}

static void test_unknown_numbers_say_nothing(void **state)
{
	struct w5_host r = rec_host(950);

	for (int i = 0; i < W5_HOST_VALUE_MAX; i++)
		r.v[i] = W5_HOST_UNKNOWN;
	rec_host_port(&r, 17, 28232);
	feed_host(&b, &r);
	assert_null(said(refused(2000), 0));
}

static void test_at_most_two_lines(void **state)
{
	struct w5_host r = rec_host(950);

	feed_host(&b, &r);
	r = rec_host(3999);
	r.v[W5_HOST_FILES] = 1024;
	r.v[W5_HOST_CONNTRACK] = 262144;
	r.listeners[0].drops = 3;
	rec_host_port(&r, 17, 28232);
	feed_host(&b, &r);
	refused(4000);
	assert_non_null(said(b.f[0], 1));
	assert_null(said(b.f[0], 2));
}

static void test_an_unknown_gateway_and_hostile_counts_are_ignored(void **state)
{
	struct w5_host r = rec_host(950);
	struct engine_host h;

	r.group = 99;
	feed_host(&b, &r);
	assert_int_equal(engine_hosts(b.e, &h, 1), 0);
	r = rec_host(950);
	r.v[W5_HOST_FILES] = 1ull << 63;
	feed_host(&b, &r);
	assert_int_equal(engine_hosts(b.e, &h, 1), 1);
	assert_int_equal(h.now.v[W5_HOST_FILES], W5_HOST_UNKNOWN);
	r.nports = 500;
	feed_host(&b, &r);
	assert_int_equal(engine_counters(b.e)->bad_records, 1);
	assert_int_equal(h.now.nports, 0);
}

static const struct host_row *row_of(struct host_row *rows, size_t n, const char *what)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(rows[i].what, what))
			return &rows[i];
	fail_msg("no row about %s", what);
	return NULL;
}

static void test_rows_and_rates(void **state)
{
	struct host_row rows[HOST_ROWS_MAX], worst;
	struct w5_host r = rec_host(950);
	const struct host_row *row;
	struct engine_host h;
	size_t n;

	feed_host(&b, &r);
	assert_int_equal(engine_hosts(b.e, &h, 1), 1);
	assert_false(host_worst(&worst, &h));
	r = rec_host(3000);
	r.v[W5_HOST_FILES] = 870;
	r.v[W5_HOST_LISTEN_OVERFLOWS] = 10;
	r.listeners[0].drops = 10;
	rec_host_port(&r, 17, 14116);
	feed_host(&b, &r);
	rec_tick(b.e, 5950);
	assert_int_equal(engine_hosts(b.e, &h, 1), 1);
	n = host_rows(rows, HOST_ROWS_MAX, &h);
	row = row_of(rows, n, "accept queue *:80");
	assert_int_equal(row->level, HOST_BAD);
	assert_true(row->rate > 1.99 && row->rate < 2.01);
	assert_ptr_equal(row, &rows[0]); /* trouble first */
	row = row_of(rows, n, "open files");
	assert_int_equal(row->level, HOST_WARN);
	assert_int_equal(row->percent, 84);
	row = row_of(rows, n, "local ports to 10.0.3.17:8080");
	assert_int_equal(row->level, HOST_OK);
	assert_int_equal(row->percent, 50);
	assert_true(host_worst(&worst, &h));
	assert_string_equal(worst.what, "accept queue *:80");
	rec_tick(b.e, 9000); /* nothing changed since: no record comes, and the rate is 0 again */
	engine_hosts(b.e, &h, 1);
	n = host_rows(rows, HOST_ROWS_MAX, &h);
	assert_int_equal(row_of(rows, n, "accept queue *:80")->level, HOST_OK);
}

static void test_every_row_says_what_it_means_and_what_to_do(void **state)
{
	struct host_row rows[HOST_ROWS_MAX];
	struct w5_host r = rec_host(950);
	struct engine_host h;
	size_t n;

	for (unsigned i = 0; i < W5_HOST_PORTS; i++)
		rec_host_port(&r, 17 + i, 1);
	for (int i = 1; i < W5_HOST_LISTENERS; i++)
		r.listeners[r.nlisteners++] = r.listeners[0];
	feed_host(&b, &r);
	engine_hosts(b.e, &h, 1);
	n = host_rows(rows, HOST_ROWS_MAX, &h);
	assert_true(n > 20 && n < HOST_ROWS_MAX); /* and none was left out */
	for (size_t i = 0; i < n; i++) {
		assert_true(rows[i].means && strlen(rows[i].means) > 20);
		assert_true(rows[i].todo && strlen(rows[i].todo) > 20);
		assert_true(rows[i].now[0]);
	}
}

#define test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_far_from_every_limit_nothing_is_said),
		test(test_files_near_their_limit),
		test(test_files_do_not_explain_an_answer_of_the_backend),
		test(test_ports_of_that_upstream_only),
		test(test_ports_elsewhere_are_not_said),
		test(test_drops_of_the_gateways_listener),
		test(test_old_drops_are_not_said),
		test(test_growth_from_before_the_first_sample_is_not_known),
		test(test_conntrack_full),
		test(test_pressure_only_where_time_ran_out),
		test(test_pressure_is_no_reason_for_a_refusal),
		test(test_unknown_numbers_say_nothing),
		test(test_at_most_two_lines),
		test(test_an_unknown_gateway_and_hostile_counts_are_ignored),
		test(test_rows_and_rates),
		test(test_every_row_says_what_it_means_and_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
