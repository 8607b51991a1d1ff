/* SPDX-License-Identifier: BSD-2-Clause */
/* Causes of exchanges whose client left, or was left without an answer. */
#include "../lib/rec.h"
#include "exchange_legs.h"

static void test_client_abort(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/slow"), up;
	struct bench b;

	bench_open(&b, "nginx");
	up = rec_up(U, 1000.1, "GET", "/slow", 18, 1);
	rec_acked(&up);
	rec_end(&up, 2000.1, W5_END_FIN_OUT);
	rec_hint(&up, D, 1000);
	feed(&b, &up);
	rec_end(&d, 2000, W5_END_FIN_IN);
	d.fin_out_ns = ms(2000.2);
	d.h.ts_ns = ms(2000.2);
	rec_hint(&d, U, 2000.1);
	feed(&b, &d);
	bench_settle(&b, 2000);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_CLIENT);
	assert_int_equal(b.f[0]->cause, CAUSE_CLIENT_ABORT);
	assert_int_equal(b.f[0]->nattempts, 1);
	assert_int_equal(b.f[0]->attempts[0].cause, CAUSE_CLIENT_ABORT);
	assert_non_null(strstr(b.f[0]->why, "1.00 s after its request"));
	assert_int_equal(engine_counters(b.e)->client_aborts, 1);
	assert_int_equal(engine_counters(b.e)->bad, 0);
	bench_close(&b);
}

/* A client may close its sending side and still get its answer. */
static void test_half_close_is_no_abort(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	bench_open(&b, "nginx");
	d.fin_in_ns = ms(1000.05);
	refused(&b, &d, U, 1000.1, 17);
	answer(&b, &d, 1000.4, 502);
	bench_settle(&b, 1001);
	assert_int_equal(b.f[0]->cause, CAUSE_CONN_REFUSED);
	assert_non_null(strstr(b.f[0]->evidence[0], "client had closed its side"));
	bench_close(&b);
}

/* HAProxy and Apache hide the keep-alive race: no byte, only a FIN. */
static void test_silent_close_has_the_attempts_cause(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), up;
	struct bench b;

	bench_open(&b, "haproxy");
	up = rec_up(U, 1000.1, "GET", "/a", 18, 9);
	rec_end(&up, 1000.3, W5_END_RST_IN);
	up.rst_flags = W5_TCP_RST;
	feed(&b, &up);
	rec_end(&d, 1000.4, W5_END_FIN_OUT);
	feed(&b, &d);
	bench_settle(&b, 1001);
	assert_int_equal(b.f[0]->verdict, VERDICT_SILENT);
	assert_int_equal(b.f[0]->cause, CAUSE_KEEPALIVE_RACE);
	assert_int_equal(b.f[0]->status, 0);
	assert_int_equal(engine_counters(b.e)->silent, 1);
	assert_int_equal(engine_counters(b.e)->bad, 1);
	bench_close(&b);
}

/* Written and closed in one go: the close is seen first, then the answer. */
static void test_answer_right_after_a_silent_close(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	bench_open(&b, "haproxy");
	rec_end(&d, 1000.4, W5_END_FIN_OUT);
	feed(&b, &d);
	rec_answer(&d, 1000.41, 200);
	feed(&b, &d);
	bench_settle(&b, 1001);
	assert_int_equal(b.n, 0);
	assert_int_equal(engine_counters(b.e)->exchanges, 1);
	assert_int_equal(engine_counters(b.e)->silent, 0);
	assert_int_equal(engine_counters(b.e)->status_class[2], 1);
	bench_close(&b);
}

/* Sent when the handshake was done: by then the thread had read from another client. */
static void test_hint_of_a_new_conn_is_no_proof(void **s)
{
	struct w5_leg other = rec_down(D + 1, 1000, "GET", "/other"),
		      d = rec_down(D, 1000, "GET", "/a");
	struct w5_leg up = rec_up(U, 1000.1, "GET", "/a", 18, 1);
	struct bench b;

	bench_open(&b, "nginx");
	rec_end(&up, 1000.3, W5_END_RST_IN);
	rec_acked(&up);
	rec_hint(&up, D + 1, 1000.05);
	feed(&b, &up);
	answer(&b, &other, 1000.35, 200);
	rec_hint(&d, U, 1000.3);
	answer(&b, &d, 1000.4, 502);
	bench_settle(&b, 1001);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->down.h.cookie, D);
	assert_int_equal(b.f[0]->cause, CAUSE_RESET_BEFORE_RESPONSE);
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_CERTAIN);
	bench_close(&b);
}

static void test_gateway_closed_the_idle_client_conn(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	bench_open(&b, "nginx");
	rec_end(&d, 1000.4, W5_END_RST_OUT);
	d.fin_out_ns = ms(999.9);
	feed(&b, &d);
	bench_settle(&b, 1001);
	assert_int_equal(b.f[0]->verdict, VERDICT_SILENT);
	assert_int_equal(b.f[0]->cause, CAUSE_GATEWAY_TIMEOUT_LOCAL);
	bench_close(&b);
}

/* The backend's FIN on an idle keep-alive conn is normal. */
static void test_idle_close_is_no_failure(void **s)
{
	struct w5_leg up = rec_up(U, 1000.1, "GET", "/a", 18, 1),
		      d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	bench_open(&b, "nginx");
	rec_answer(&up, 1001, 200);
	rec_tie(&up, &d);
	feed(&b, &up);
	answer(&b, &d, 1001.2, 200);
	up.h.type = W5_REC_END;
	rec_end(&up, 6001, W5_END_FIN_IN);
	feed(&b, &up);
	bench_settle(&b, 7000);
	assert_int_equal(b.n, 0);
	assert_int_equal(engine_counters(b.e)->conns_up, 0);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client_abort),
		cmocka_unit_test(test_half_close_is_no_abort),
		cmocka_unit_test(test_silent_close_has_the_attempts_cause),
		cmocka_unit_test(test_answer_right_after_a_silent_close),
		cmocka_unit_test(test_hint_of_a_new_conn_is_no_proof),
		cmocka_unit_test(test_gateway_closed_the_idle_client_conn),
		cmocka_unit_test(test_idle_close_is_no_failure),
	};

	return cmocka_run_group_tests_name("causes_client", tests, NULL, NULL);
}
