/* SPDX-License-Identifier: BSD-2-Clause */
/* The log as a second witness: it never doubles what the wire showed, and never guesses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../lib/rec.h"

#define D 100
#define U 200
#define S (1000.0) /* ms */

/* A line of nginx that ended at t (ms), read 20 ms after. */
static struct w5_log line_of(double t, uint16_t status, const char *target)
{
	struct w5_log l = { .h = { .ts_ns = ms(t + 20), .type = W5_REC_LOG, .size = sizeof(l) },
			    .end_ns = ms(t),
			    .precision_us = 1000,
			    .duration_us = 500,
			    .group = REC_GW,
			    .status = status,
			    .client = rec_ip(200),
			    .cport = 51034,
			    .kind = W5_LOG_NGINX };
	int n = snprintf((char *)l.head, sizeof(l.head), "GET %s HTTP/2.0\r\n", target);

	l.head_len = (uint16_t)n;
	return l;
}

static void tries(struct w5_log *l, unsigned a, unsigned b)
{
	l->tries[0] = (struct w5_log_try){ .ip = rec_ip(a), .port = 8080, .status = 502 };
	l->ntries = 1;
	if (!b)
		return;
	l->tries[1] = (struct w5_log_try){ .ip = rec_ip(b), .port = 8080, .status = 502 };
	l->ntries = 2;
}

static void feed_line(struct bench *b, const struct w5_log *l)
{
	engine_feed(b->e, &l->h);
}

/* A log is followed from now on. */
static void begin(struct bench *b, const char *comm)
{
	struct w5_log l = { .h = { .ts_ns = ms(905), .type = W5_REC_LOG, .size = sizeof(l) },
			    .kind = W5_LOG_NGINX };

	bench_open(b, comm);
	feed_line(b, &l);
}

static void settle(struct bench *b, double t)
{
	for (int i = 0; i < 10; i++)
		rec_tick(b->e, t + 100 * i);
	bench_settle(b, t + 1000);
}

static struct w5_leg refused(uint64_t cookie, double t, unsigned last)
{
	return rec_connect(cookie, t - 0.3, last, 111, t - 0.1);
}

static struct w5_leg wire(double t, uint16_t status, const char *target)
{
	struct w5_leg d = rec_down(D, t - 0.5, "GET", target);

	rec_answer(&d, t, status);
	return d;
}

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

/* ---- where it cannot be read ---- */

static const struct finding *alone(struct bench *b, struct w5_log *l, double t)
{
	feed_line(b, l);
	settle(b, t);
	assert_int_equal(b->n, 1);
	assert_int_equal(b->f[0]->sight, SIGHT_LOG);
	assert_int_equal(engine_counters(b->e)->s502, l->status == 502);
	assert_int_equal(engine_counters(b->e)->exchanges, 1);
	return b->f[0];
}

static void test_refused_by_the_upstream_that_the_line_names(void **s)
{
	struct w5_leg u = refused(U, 1000, 17), other = refused(U + 1, 1000.05, 18);
	struct w5_log l = line_of(1000, 502, "/a");
	const struct finding *f;
	struct bench b;

	begin(&b, "nginx");
	tries(&l, 17, 0);
	rec_hint(&u, 9000, 999.5); /* a conn that is not read */
	rec_hint(&other, 9001, 999.5);
	feed(&b, &u);
	feed(&b, &other);
	f = alone(&b, &l, 1000);
	assert_int_equal(f->nattempts, 1);
	assert_int_equal(f->attempts[0].leg.h.cookie, U);
	assert_string_equal(cause_name(f->cause), "conn-refused");
	assert_int_equal(f->verdict, VERDICT_GATEWAY_MADE);
	assert_int_equal(f->confidence, CONFIDENCE_CERTAIN);
	assert_int_equal(f->witness & WITNESS_UPSTREAM, WITNESS_UPSTREAM);
	assert_string_equal(f->target, "/a");
	assert_int_equal(f->down.rport, 51034);
	assert_string_equal(f->gateway_name, "nginx");
	assert_int_equal(f->ts_ns, ms(1000));
	bench_close(&b);
}

static void test_by_target_where_the_line_names_none(void **s)
{
	struct w5_leg u, other;
	struct w5_log l = line_of(1000, 502, "/a");
	const struct finding *f;
	struct bench b;

	begin(&b, "nginx");
	u = rec_up(U, 999.6, "GET", "/a", 17, 1);
	rec_end(&u, 999.9, W5_END_FIN_IN);
	rec_acked(&u);
	other = rec_up(U + 1, 999.6, "GET", "/other", 18, 1);
	rec_end(&other, 999.9, W5_END_RST_IN);
	feed(&b, &u);
	feed(&b, &other);
	f = alone(&b, &l, 1000);
	assert_int_equal(f->nattempts, 1);
	assert_int_equal(f->attempts[0].leg.h.cookie, U);
	assert_string_equal(cause_name(f->cause), "closed-before-response");
	assert_int_equal(f->confidence, CONFIDENCE_CERTAIN);
	bench_close(&b);
}

static void test_passed_through(void **s)
{
	struct w5_log l = line_of(1000, 502, "/a");
	const struct finding *f;
	struct w5_leg u;
	struct bench b;

	begin(&b, "nginx");
	tries(&l, 17, 0);
	l.duration_us = 400000; /* a long body */
	u = rec_up(U, 700, "GET", "/a", 17, 1);
	rec_answer(&u, 710, 502);
	feed(&b, &u);
	f = alone(&b, &l, 1000);
	assert_int_equal(f->verdict, VERDICT_PASSED_THROUGH);
	assert_int_equal(f->attempts[0].leg.h.cookie, U);
	bench_close(&b);
}

static void test_retries_in_the_order_of_the_line(void **s)
{
	struct w5_leg a = refused(U, 999.7, 17), c = refused(U + 1, 999.95, 18);
	struct w5_log l = line_of(1000, 502, "/a");
	const struct finding *f;
	struct bench b;

	begin(&b, "nginx");
	tries(&l, 17, 18);
	l.duration_us = 800;
	feed(&b, &c);
	feed(&b, &a);
	f = alone(&b, &l, 1000);
	assert_int_equal(f->nattempts, 2);
	assert_int_equal(f->attempts[0].leg.h.cookie, U);
	assert_int_equal(f->attempts[1].leg.h.cookie, U + 1);
	assert_int_equal(f->confidence, CONFIDENCE_CERTAIN);
	bench_close(&b);
}

/* A clock of whole seconds, and two failures of different kinds in it. */
static void test_whole_seconds_are_never_guessed(void **s)
{
	struct w5_leg u1, u2;
	struct w5_log l = line_of(1000, 502, "/a");
	const struct finding *f;
	struct bench b;

	begin(&b, "nginx");
	l.precision_us = 1000000;
	l.h.ts_ns = ms(2010);
	tries(&l, 17, 0);
	u1 = refused(U, 1200, 17);
	u2 = rec_up(U + 1, 1700, "GET", "/b", 17, 1);
	rec_end(&u2, 1701, W5_END_RST_IN);
	rec_acked(&u2);
	u2.rst_flags = W5_TCP_RST | W5_TCP_ACK;
	u2.head_len = 0; /* over TLS as well: no target */
	u2.proto = W5_PROTO_TLS;
	feed(&b, &u1);
	feed(&b, &u2);
	l.duration_us = 100000;
	f = alone(&b, &l, 2010);
	assert_int_equal(f->confidence, CONFIDENCE_AMBIGUOUS);
	assert_int_equal(f->nattempts, 2);
	assert_true(f->attempts[0].doubtful);
	bench_close(&b);
}

/* The same, but one alone in that second: nothing else fits. */
static void test_whole_seconds_with_one_candidate(void **s)
{
	struct w5_leg u = refused(U, 1200, 17);
	struct w5_log l = line_of(1000, 502, "/a");
	const struct finding *f;
	struct bench b;

	begin(&b, "nginx");
	l.precision_us = 1000000;
	l.h.ts_ns = ms(2010);
	tries(&l, 17, 0);
	feed(&b, &u);
	f = alone(&b, &l, 2010);
	assert_int_equal(f->confidence, CONFIDENCE_CERTAIN);
	assert_int_equal(f->ts_ns, ms(1199.9)); /* when its last attempt ended */
	assert_int_equal(f->precision_ns, 1000000000);
	bench_close(&b);
}

static void test_the_nearer_one_by_a_fine_clock(void **s)
{
	struct w5_leg u1 = refused(U, 999.9, 17), u2 = refused(U + 1, 975, 17);
	struct w5_log l = line_of(1000, 502, "/a");
	const struct finding *f;
	struct bench b;

	begin(&b, "nginx");
	tries(&l, 17, 0);
	l.duration_us = 100000;
	feed(&b, &u2);
	feed(&b, &u1);
	f = alone(&b, &l, 1000);
	assert_int_equal(f->nattempts, 1);
	assert_int_equal(f->attempts[0].leg.h.cookie, U);
	bench_close(&b);
}

/* An attempt whose client can be read is that client's. */
static void test_attempt_of_a_readable_client_is_left_alone(void **s)
{
	struct w5_leg d = rec_down(D, 999, "GET", "/plain"), u = refused(U, 1000, 17);
	struct w5_log l = line_of(1000, 502, "/a");
	struct bench b;

	begin(&b, "nginx");
	tries(&l, 17, 0);
	rec_answer(&d, 999.2, 200);
	feed(&b, &d);
	rec_hint(&u, D, 999.5);
	feed(&b, &u);
	feed_line(&b, &l);
	settle(&b, 1000);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->nattempts, 0);
	assert_int_equal(b.f[0]->verdict, VERDICT_UNKNOWN);
	bench_close(&b);
}

static void test_nothing_tried(void **s)
{
	struct w5_log l = line_of(1000, 502, "/a");
	const struct finding *f;
	struct bench b;

	begin(&b, "nginx");
	l.flags = W5_LOG_UNTRIED;
	f = alone(&b, &l, 1000);
	assert_string_equal(cause_name(f->cause), "gateway-generated");
	assert_int_equal(f->confidence, CONFIDENCE_LIKELY);
	bench_close(&b);
	begin(&b, "nginx");
	l.flags = 0;
	f = alone(&b, &l, 1000);
	assert_int_equal(f->verdict, VERDICT_UNKNOWN);
	bench_close(&b);
}

static void test_no_server_could_be_selected(void **s)
{
	struct w5_leg u = refused(U, 1000, 17); /* of another request */
	struct w5_log l = line_of(1000, 502, "/a");
	const struct finding *f;
	struct bench b;

	begin(&b, "nginx");
	l.flags = W5_LOG_UNTRIED;
	snprintf(l.code, sizeof(l.code), "backends");
	feed(&b, &u);
	f = alone(&b, &l, 1000);
	assert_int_equal(f->nattempts, 0);
	assert_string_equal(cause_name(f->cause), "no-live-upstream");
	assert_int_equal(f->confidence, CONFIDENCE_LIKELY);
	assert_string_equal(f->log_code, "backends");
	bench_close(&b);
}

/* The head of an answer came, then nothing, and the gateway's timer ran out. The line has the
 * path alone. */
static void test_answer_that_the_gateway_gave_up(void **s)
{
	struct w5_log l = line_of(2500, 504, "/a");
	const struct finding *f;
	struct w5_leg u, done;
	struct bench b;

	begin(&b, "nginx");
	tries(&l, 17, 0);
	l.duration_us = 1501000;
	l.flags = W5_LOG_PATH;
	u = rec_up(U, 1000, "GET", "/a?x=1", 17, 1);
	rec_answer(&u, 1000.2, 200);
	rec_resp(&u, "HTTP/1.1 200 OK\r\nX-Part: 1", 26, 26);
	feed(&b, &u);
	done = rec_up(U + 1, 2400, "GET", "/b", 17, 1); /* healthy, and not kept alive */
	rec_answer(&done, 2400.2, 200);
	feed(&b, &done);
	u.h.type = done.h.type = W5_REC_END;
	rec_end(&u, 2500, W5_END_FIN_OUT);
	rec_end(&done, 2499, W5_END_FIN_OUT);
	feed(&b, &done);
	feed(&b, &u);
	f = alone(&b, &l, 2500);
	assert_int_equal(f->nattempts, 1);
	assert_int_equal(f->attempts[0].leg.h.cookie, U);
	assert_string_equal(cause_name(f->cause), "gateway-timeout-local");
	bench_close(&b);
}

/* A connect names no target; a healthy answer of the same target that is just over must not take
 * its place. */
static void test_healthy_answer_explains_nothing(void **s)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	struct w5_leg u = refused(U, 1000, 17), done;
	struct w5_log l = line_of(1000, 503, "/a");
	const struct finding *f;
	struct bench b;

	begin(&b, "apache2");
	feed(&b, &u);
	done = rec_up(U + 1, 999.6, "GET", "/a", 18, 1);
	rec_answer(&done, 999.8, 200);
	rec_resp(&done, ok, sizeof(ok) - 1, sizeof(ok) - 1);
	feed(&b, &done);
	done.h.type = W5_REC_END;
	rec_end(&done, 999.9, W5_END_FIN_IN);
	feed(&b, &done);
	l.kind = W5_LOG_APACHE;
	f = alone(&b, &l, 1000);
	assert_int_equal(f->nattempts, 1);
	assert_int_equal(f->attempts[0].leg.h.cookie, U);
	assert_int_equal(f->confidence, CONFIDENCE_LIKELY);
	bench_close(&b);
}

static void test_client_known_by_its_port_alone(void **s)
{
	struct w5_leg d = wire(1000, 502, "/a");
	struct w5_log l = line_of(1000, 502, "/a");
	struct bench b;

	begin(&b, "nginx");
	memset(&l.client, 0, sizeof(l.client));
	feed(&b, &d);
	feed_line(&b, &l);
	settle(&b, 1000);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->sight, SIGHT_WIRE | SIGHT_LOG);
	bench_close(&b);
}

static void test_lost_records_make_it_unsure(void **s)
{
	struct w5_leg u = refused(U, 1000, 17);
	struct w5_log l = line_of(1000, 502, "/a");
	const struct finding *f;
	struct bench b;

	begin(&b, "nginx");
	tries(&l, 17, 0);
	feed(&b, &u);
	rec_lost(b.e, 1005, W5_LOSS_RING_RARE, 3);
	f = alone(&b, &l, 1000);
	assert_int_equal(f->lost, 3);
	assert_int_not_equal(f->confidence, CONFIDENCE_CERTAIN);
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
		cmocka_unit_test(test_refused_by_the_upstream_that_the_line_names),
		cmocka_unit_test(test_by_target_where_the_line_names_none),
		cmocka_unit_test(test_passed_through),
		cmocka_unit_test(test_retries_in_the_order_of_the_line),
		cmocka_unit_test(test_whole_seconds_are_never_guessed),
		cmocka_unit_test(test_whole_seconds_with_one_candidate),
		cmocka_unit_test(test_the_nearer_one_by_a_fine_clock),
		cmocka_unit_test(test_attempt_of_a_readable_client_is_left_alone),
		cmocka_unit_test(test_nothing_tried),
		cmocka_unit_test(test_no_server_could_be_selected),
		cmocka_unit_test(test_answer_that_the_gateway_gave_up),
		cmocka_unit_test(test_healthy_answer_explains_nothing),
		cmocka_unit_test(test_client_known_by_its_port_alone),
		cmocka_unit_test(test_lost_records_make_it_unsure),
		cmocka_unit_test(test_gateway_by_its_kind),
		cmocka_unit_test(test_narrowed_away),
		cmocka_unit_test(test_healthy_lines_count_where_the_wire_has_fewer),
		cmocka_unit_test(test_wire_that_is_late_is_no_surplus),
		cmocka_unit_test(test_lines_not_understood_are_a_loss),
		cmocka_unit_test(test_lines_of_before_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
