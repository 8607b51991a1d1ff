/* SPDX-License-Identifier: BSD-2-Clause */
/* The log as a second witness: it never doubles what the wire showed. */
#include "../lib/rec.h"
#include "log_lines.h"

#define S (1000.0) /* ms */

/* ---- with a readable wire ---- */

static void once(bool line_first, bool same_client, double late)
{
	struct w5_leg d = wire(1000, 502, "/a"), u = refused(U, 1000, 17);
	struct w5_log l = line_of(1000, 502, "/a");
	struct bench b;

	begin(&b, "nginx");
	rec_tie(&u, &d);
	l.h.ts_ns = ms(1000 + late);
	if (!same_client)
		l.client = rec_ip(77);
	if (line_first)
		feed_line(&b, &l);
	feed(&b, &u);
	feed(&b, &d);
	for (double t = 1010; t < 1000 + late; t += 50)
		rec_tick(b.e, t);
	if (!line_first)
		feed_line(&b, &l);
	settle(&b, 1000 + late);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->down.h.cookie, D);
	assert_int_equal(b.f[0]->sight, SIGHT_WIRE | (same_client && late < 60 ? SIGHT_LOG : 0));
	assert_string_equal(cause_name(b.f[0]->cause), "conn-refused");
	assert_int_equal(engine_counters(b.e)->exchanges, 1);
	assert_int_equal(engine_counters(b.e)->s502, 1);
	assert_int_equal(engine_counters(b.e)->bad, 1);
	bench_close(&b);
}

static void test_what_the_wire_shows_is_not_told_twice(void **s)
{
	once(true, true, 10);
	once(false, true, 10);
	once(false, true, 2000); /* a buffered log */
	once(true, false, 10);	 /* realip: the log has another address */
	once(false, false, 10);
	once(false, false, 2000);
}

static void test_status_that_never_left_is_not_told_twice(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a");
	struct w5_log l = line_of(1001, 502, "/a");
	struct bench b;

	begin(&b, "nginx");
	rec_end(&d, 1001, W5_END_FIN_IN);
	feed(&b, &d);
	feed_line(&b, &l);
	settle(&b, 1001);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_CLIENT);
	bench_close(&b);
}

static void test_each_exchange_takes_one_line(void **s)
{
	struct w5_leg d = wire(1000, 502, "/a"), u = refused(U, 1000, 17);
	struct w5_log other = line_of(1000, 502, "/a"), own = line_of(1000, 502, "/a");
	struct bench b;

	begin(&b, "nginx");
	rec_tie(&u, &d);
	feed(&b, &u);
	feed(&b, &d);
	other.client = rec_ip(77); /* over TLS, at the same moment */
	other.cport = 4444;
	feed_line(&b, &other);
	feed_line(&b, &own);
	settle(&b, 1000);
	assert_int_equal(b.n, 2);
	assert_int_equal(b.f[0]->down.h.cookie, D);
	assert_int_equal(b.f[0]->sight, SIGHT_WIRE | SIGHT_LOG);
	assert_int_equal(b.f[1]->sight, SIGHT_LOG);
	assert_int_equal(b.f[1]->down.rport, 4444);
	bench_close(&b);
}

static void test_other_status_target_or_time_is_another(void **s)
{
	struct w5_leg d = wire(1000, 502, "/a?x=1");
	struct w5_log l[4] = { line_of(1000, 504, "/a?x=1"), line_of(1000, 502, "/a?x=2"),
			       line_of(1200, 502, "/a?x=1"), line_of(1000, 502, "/a") };
	struct bench b;

	begin(&b, "nginx");
	feed(&b, &d);
	for (int i = 0; i < 3; i++)
		feed_line(&b, &l[i]);
	l[3].flags = W5_LOG_PATH; /* this one is the same */
	feed_line(&b, &l[3]);
	settle(&b, 1200);
	assert_int_equal(b.n, 4);
	bench_close(&b);
}

/* ---- whose log ---- */

static void test_gateway_by_its_kind(void **s)
{
	struct w5_log l = line_of(1000, 502, "/a");
	struct bench b;

	begin(&b, "nginx");
	l.group = 0;
	assert_string_equal(alone(&b, &l, 1000)->gateway_name, "nginx");
	bench_close(&b);
	begin(&b, "nginx");
	rec_gateway(b.e, 77, 77, "nginx"); /* two: no telling */
	assert_string_equal(alone(&b, &l, 1000)->gateway_name, "");
	bench_close(&b);
	begin(&b, "nginx");
	rec_gateway(b.e, 77, 77, "nginx");
	l.tgid = 77; /* the line says */
	assert_int_equal(alone(&b, &l, 1000)->gateway_group, 77);
	bench_close(&b);
}

static void test_narrowed_away(void **s)
{
	struct w5_log l = line_of(1000, 502, "/a");
	struct engine_cfg cfg;
	struct bench b;

	engine_cfg_default(&cfg);
	snprintf(cfg.comm, sizeof(cfg.comm), "haproxy");
	bench_open_cfg(&b, "nginx", &cfg);
	feed_line(&b, &l);
	settle(&b, 1000);
	assert_int_equal(b.n, 0);
	assert_int_equal(engine_counters(b.e)->exchanges, 0);
	bench_close(&b);
}

/* ---- counting ---- */

static void healthy(struct bench *b, double t, uint32_t ok, uint32_t missing)
{
	struct w5_log l = { .h = { .ts_ns = ms(t), .type = W5_REC_LOG, .size = sizeof(l) },
			    .group = REC_GW,
			    .kind = W5_LOG_NGINX,
			    .healthy = { [2] = ok, [4] = missing } };

	feed_line(b, &l);
}

static void test_healthy_lines_count_where_the_wire_has_fewer(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	begin(&b, "nginx");
	rec_answer(&d, 1000.5, 200);
	d.held = 9;
	d.held_status = 200;
	feed(&b, &d);
	assert_int_equal(engine_counters(b.e)->exchanges, 10);
	healthy(&b, 1010, 10, 0); /* the same ten */
	for (int i = 0; i < 10; i++)
		rec_tick(b.e, 2000 + i * S);
	assert_int_equal(engine_counters(b.e)->exchanges, 10);
	healthy(&b, 12010, 7, 2);
	for (int i = 0; i < 10; i++)
		rec_tick(b.e, 13000 + i * S);
	assert_int_equal(engine_counters(b.e)->exchanges, 19);
	assert_int_equal(engine_counters(b.e)->status_class[2], 17);
	assert_int_equal(engine_counters(b.e)->status_class[4], 2);
	bench_close(&b);
}

static void test_wire_that_is_late_is_no_surplus(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	begin(&b, "nginx");
	healthy(&b, 1000, 5, 0);
	rec_tick(b.e, 1100);
	rec_tick(b.e, 2100);
	rec_answer(&d, 2200, 200); /* gathered on a busy conn */
	d.held = 4;
	d.held_status = 200;
	feed(&b, &d);
	for (int i = 0; i < 10; i++)
		rec_tick(b.e, 3000 + i * S);
	assert_int_equal(engine_counters(b.e)->exchanges, 5);
	bench_close(&b);
}

static void test_lines_not_understood_are_a_loss(void **s)
{
	struct w5_log l = { .h = { .ts_ns = ms(950), .type = W5_REC_LOG, .size = sizeof(l) },
			    .skipped = 7 };
	struct bench b;

	begin(&b, "nginx");
	feed_line(&b, &l);
	assert_int_equal(engine_counters(b.e)->loss[W5_LOSS_LOG_LINES], 7);
	l.ntries = 200;
	feed_line(&b, &l);
	assert_int_equal(engine_counters(b.e)->bad_records, 1);
	bench_close(&b);
}

static void test_lines_of_before_are_left_out(void **s)
{
	struct w5_log l = line_of(-5000, 502, "/a");
	struct bench b;

	begin(&b, "nginx");
	l.h.ts_ns = ms(1000);
	feed_line(&b, &l);
	settle(&b, 1000);
	assert_int_equal(b.n, 0);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_the_wire_shows_is_not_told_twice),
		cmocka_unit_test(test_status_that_never_left_is_not_told_twice),
		cmocka_unit_test(test_each_exchange_takes_one_line),
		cmocka_unit_test(test_other_status_target_or_time_is_another),
		cmocka_unit_test(test_gateway_by_its_kind),
		cmocka_unit_test(test_narrowed_away),
		cmocka_unit_test(test_healthy_lines_count_where_the_wire_has_fewer),
		cmocka_unit_test(test_wire_that_is_late_is_no_surplus),
		cmocka_unit_test(test_lines_not_understood_are_a_loss),
		cmocka_unit_test(test_lines_of_before_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
