/* SPDX-License-Identifier: BSD-2-Clause */
/* What the engine counts: turns, times to the first byte, connects; and what that costs. */
#include <time.h>

#include "../lib/rec.h"
#include "engine_turns.h"

static void test_counters_and_views(void **s)
{
	const struct engine_upstream *const *ups;
	const struct engine_gateway *gws;
	const struct engine_counters *c;
	struct engine_second h[60];
	struct w5_leg d, u;
	struct bench b;

	bench_open(&b, "nginx");
	for (uint32_t i = 0; i < 10; i++)
		healthy(&b, 1000 + i * 10, D, U, i + 1);
	d = rec_down(D, 2000, "GET", "/a");
	d.nr = 11;
	u = rec_connect(U + 1, 2000.1, 17, 111, 2000.3);
	rec_tie(&u, &d);
	feed(&b, &u);
	rec_answer(&d, 2000.4, 502);
	feed(&b, &d);
	bench_settle(&b, 2500);
	c = engine_counters(b.e);
	assert_int_equal(c->exchanges, 11);
	assert_int_equal(c->attempts, 11);
	assert_int_equal(c->status_class[2], 10);
	assert_int_equal(c->status_class[5], 1);
	assert_int_equal(c->s502, 1);
	assert_int_equal(c->bad, 1);
	assert_int_equal(c->conns_down, 1);
	assert_int_equal(c->conns_up, 1);
	assert_int_equal(c->bad_records, 0);
	assert_int_equal(engine_lost(b.e), 0);
	assert_string_equal(c->host, "gw-03");

	assert_int_equal(engine_upstreams(b.e, &ups), 2);
	assert_int_equal(ups[0]->ip.ip[15], 17);
	assert_int_equal(ups[0]->connects, 1);
	assert_int_equal(ups[0]->connect_failures, 1);
	assert_int_equal(ups[0]->failures, 1);
	assert_int_equal(ups[0]->open, 0);
	assert_int_equal(ups[1]->connects, 1);
	assert_int_equal(ups[1]->requests, 10);
	assert_int_equal(ups[1]->reused, 9);
	assert_int_equal(ups[1]->open, 1);
	assert_int_equal(ups[1]->ttfb_count, 10);
	assert_int_equal(ups[1]->ttfb_us_sum, 20000);

	assert_int_equal(engine_gateways(b.e, &gws), 1);
	assert_string_equal(gws[0].name, "nginx");
	assert_int_equal(gws[0].nprocs, 1);
	assert_int_equal(gws[0].exchanges, 11);
	assert_int_equal(gws[0].bad, 1);

	assert_int_equal(engine_history(b.e, h, 60), 3);
	assert_int_equal(h[0].exchanges, 0);
	assert_int_equal(h[1].exchanges, 10);
	assert_int_equal(h[2].exchanges, 1);
	assert_int_equal(h[2].s502, 1);
	assert_int_equal(b.f[0]->wall_ns - c->wall_offset_ns, b.f[0]->ts_ns);
	assert_string_equal(b.f[0]->gateway_cgroup, "/system.slice/nginx.service");
	bench_close(&b);
}

/* One brief record stands for several turns; what it leaves out is known from the first. */
static void test_held_turns_are_counted(void **s)
{
	const struct engine_upstream *const *ups;
	const struct engine_counters *c;
	struct w5_leg d, u;
	struct bench b;

	bench_open(&b, "nginx");
	healthy(&b, 1000, D, U, 1);
	d = rec_down(D, 1050, "GET", "/a");
	u = rec_up(U, 1050.1, "GET", "/a", 18, 17);
	d.nr = 17;
	rec_answer(&u, 1052.1, 200);
	rec_answer(&d, 1052.2, 200);
	d.held = u.held = 15;
	d.held_status = u.held_status = 304;
	u.held_ttfb_us = 15000;
	d.h.size = u.h.size = W5_LEG_BRIEF;
	feed(&b, &u);
	feed(&b, &d);
	bench_settle(&b, 1500);
	c = engine_counters(b.e);
	assert_int_equal(c->exchanges, 17);
	assert_int_equal(c->attempts, 17);
	assert_int_equal(c->status_class[2], 2);
	assert_int_equal(c->status_class[3], 15);
	assert_int_equal(c->bad_records, 0);
	assert_int_equal(engine_upstreams(b.e, &ups), 1);
	assert_int_equal(ups[0]->ip.ip[15], 18);
	assert_int_equal(ups[0]->requests, 17);
	assert_int_equal(ups[0]->reused, 16);
	assert_int_equal(ups[0]->ttfb_count, 17);
	assert_int_equal(ups[0]->ttfb_us_sum, 15000 + 2 * 2000);
	bench_close(&b);
	(void)s;
}

/* Gathered turns count at their mean, and the quantiles say so. */
static void test_time_to_first_byte_has_quantiles_that_age(void **state)
{
	const struct engine_upstream *const *ups;
	struct w5_leg u;
	struct bench b;

	bench_open(&b, "nginx");
	for (uint32_t i = 1; i <= 100; i++) {
		u = rec_up(U, 1000 + i, "GET", "/a", 18, i);
		rec_answer(&u, 1000 + i + (i > 95 ? 400 : 2), 200);
		feed(&b, &u);
	}
	rec_tick(b.e, 3000);
	assert_int_equal(engine_upstreams(b.e, &ups), 1);
	assert_in_range(ups[0]->ttfb_us[0], 1875, 2125);
	assert_in_range(ups[0]->ttfb_us[1], 1875, 2125);
	assert_in_range(ups[0]->ttfb_us[2], 375000, 425000);
	assert_false(ups[0]->ttfb_is_rough);
	u = rec_up(U, 3000, "GET", "/a", 18, 117);
	u.held = 16;
	u.held_ttfb_us = 16 * 2000;
	rec_answer(&u, 3002, 200);
	feed(&b, &u);
	rec_tick(b.e, 3100);
	engine_upstreams(b.e, &ups);
	assert_true(ups[0]->ttfb_is_rough);
	/* a span later they still count, two later no more; the sums stay */
	rec_tick(b.e, 299000);
	engine_upstreams(b.e, &ups);
	assert_true(ups[0]->ttfb_us[0]);
	rec_tick(b.e, 901000);
	engine_upstreams(b.e, &ups);
	assert_int_equal(ups[0]->ttfb_us[0], 0);
	assert_int_equal(ups[0]->ttfb_us[2], 0);
	assert_int_equal(ups[0]->ttfb_count, 117);
	bench_close(&b);
}

static void test_connects_have_a_rate(void **state)
{
	const struct engine_upstream *const *ups;
	struct bench b;

	bench_open(&b, "nginx");
	for (uint32_t i = 0; i < 50; i++) {
		struct w5_leg u = rec_connect(U + i, 6000 + i * 80, 17, 111, 6000 + i * 80 + 0.2);

		feed(&b, &u);
	}
	rec_tick(b.e, 10500);
	engine_upstreams(b.e, &ups);
	assert_int_equal(ups[0]->connects, 50);
	assert_true(ups[0]->connects_per_s == 10); /* of seconds 5 to 9, of which one was idle */
	rec_tick(b.e, 20500);
	engine_upstreams(b.e, &ups);
	assert_true(ups[0]->connects_per_s == 0);
	bench_close(&b);
}

static void test_healthy_records_are_cheap(void **s)
{
	enum { CONNS = 512, ROUNDS = 200 };
	static struct w5_leg d[CONNS], u[CONNS];
	struct timespec from, to;
	struct bench b;
	double ns;

	bench_open(&b, "nginx");
	for (int i = 0; i < CONNS; i++) {
		char target[64];

		snprintf(target, sizeof(target), "/api/v1/items/%d", i % 100);
		d[i] = rec_down(10000 + i, 1000, "GET", target);
		u[i] = rec_up(50000 + i, 1000.1, "GET", target, 1 + i % 8, 2);
		rec_answer(&u[i], 1001, 200);
		rec_answer(&d[i], 1001.1, 200);
		rec_tie(&u[i], &d[i]);
	}
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (uint32_t r = 0; r < ROUNDS; r++) {
		for (int i = 0; i < CONNS; i++) {
			d[i].h.seq = u[i].h.seq = r;
			d[i].nr = u[i].nr = r + 1;
			feed(&b, &u[i]);
			feed(&b, &d[i]);
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	ns = ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
	     (2.0 * CONNS * ROUNDS);
	print_message("# %.0f ns per healthy record: %.1f %% of a core at 40,000 records/s\n", ns,
		      ns * 40000 / 1e7);
	assert_int_equal(b.n, 0);
	assert_true(ns < 20000);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counters_and_views),
		cmocka_unit_test(test_held_turns_are_counted),
		cmocka_unit_test(test_time_to_first_byte_has_quantiles_that_age),
		cmocka_unit_test(test_connects_have_a_rate),
		cmocka_unit_test(test_healthy_records_are_cheap),
	};

	return cmocka_run_group_tests_name("engine_counts", tests, NULL, NULL);
}
