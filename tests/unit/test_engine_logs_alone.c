/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of the log that the wire has no exchange for: what is told, and what never guessed. */
#include "../lib/rec.h"
#include "log_lines.h"

static void tries(struct w5_log *l, unsigned a, unsigned b)
{
	l->tries[0] = (struct w5_log_try){ .ip = rec_ip(a), .port = 8080, .status = 502 };
	l->ntries = 1;
	if (!b)
		return;
	l->tries[1] = (struct w5_log_try){ .ip = rec_ip(b), .port = 8080, .status = 502 };
	l->ntries = 2;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
