/* SPDX-License-Identifier: BSD-2-Clause */
/* Verdicts and causes that need the whole exchange: which attempt decides, retries, other answers. */
#include "../lib/rec.h"
#include "exchange_legs.h"

static void test_passed_through_after_failures_is_the_last_one(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), up;
	struct bench b;

	bench_open(&b, "nginx");
	refused(&b, &d, U, 1000.1, 17);
	up = rec_up(U + 1, 1000.4, "GET", "/a", 18, 1);
	rec_resp(&up, "HTTP/1.1 503 No\r\n", 17, 100);
	rec_answer(&up, 1002, 503);
	rec_tie(&up, &d);
	feed(&b, &up);
	answer(&b, &d, 1002.1, 503);
	bench_settle(&b, 1002);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_PASSED_THROUGH);
	assert_int_equal(b.f[0]->cause, CAUSE_BACKEND_5XX);
	assert_int_equal(b.f[0]->nattempts, 2);
	assert_int_equal(b.f[0]->attempts[0].cause, CAUSE_CONN_REFUSED);
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_CERTAIN);
	assert_true(b.f[0]->witness & WITNESS_STATUS);
	bench_close(&b);
}

/* A 503 came in, a later try was refused, and the gateway said 502: gateway-made. */
static void test_last_attempt_decides_not_the_5xx_before(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), up;
	struct bench b;

	bench_open(&b, "nginx");
	up = rec_up(U, 1000.1, "GET", "/a", 18, 1);
	rec_answer(&up, 1001, 503);
	rec_tie(&up, &d);
	feed(&b, &up);
	refused(&b, &d, U + 1, 1001.2, 17);
	answer(&b, &d, 1001.5, 502);
	bench_settle(&b, 1002);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_GATEWAY_MADE);
	assert_int_equal(b.f[0]->cause, CAUSE_CONN_REFUSED);
	assert_int_equal(b.f[0]->nattempts, 2);
	bench_close(&b);
}

static void test_retry_recovered(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), up, next;
	struct bench b;

	bench_open(&b, "nginx");
	refused(&b, &d, U, 1000.1, 17);
	up = rec_up(U + 1, 1000.4, "GET", "/a", 18, 1);
	rec_answer(&up, 1002, 200);
	rec_tie(&up, &d);
	feed(&b, &up);
	answer(&b, &d, 1002.1, 200);
	/* The good conn serves another request within the grace. */
	next = rec_up(U + 1, 1003, "GET", "/other", 18, 2);
	rec_answer(&next, 1004, 200);
	feed(&b, &next);
	bench_settle(&b, 1002);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_RECOVERED);
	assert_int_equal(b.f[0]->cause, CAUSE_RETRY_RECOVERED);
	assert_int_equal(b.f[0]->nattempts, 2);
	assert_int_equal(b.f[0]->attempts[0].cause, CAUSE_CONN_REFUSED);
	assert_int_equal(b.f[0]->attempts[1].cause, CAUSE_NONE);
	assert_int_equal(b.f[0]->attempts[1].leg.status, 200);
	assert_non_null(strstr(b.f[0]->why, "10.0.3.17:8080 refuses"));
	assert_int_equal(engine_counters(b.e)->bad, 0);
	assert_int_equal(engine_counters(b.e)->recovered, 1);
	bench_close(&b);
}

/* The failed attempt's record comes after the good answer's. */
static void test_retry_recovered_out_of_order(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), up, bad;
	struct bench b;

	bench_open(&b, "nginx");
	bad = rec_connect(U, 1000.1, 17, 111, 1000.2);
	rec_hint(&bad, D, 1000);
	up = rec_up(U + 1, 1000.3, "GET", "/a", 18, 1);
	rec_answer(&up, 1000.4, 200);
	rec_tie(&up, &d);
	feed(&b, &up);
	answer(&b, &d, 1000.5, 200);
	feed(&b, &bad);
	bench_settle(&b, 1002);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_RECOVERED);
	assert_int_equal(b.f[0]->nattempts, 2);
	bench_close(&b);
}

/* Dual stack: the slower family is dropped while it still connects. No failure. */
static void test_happy_eyeballs_loser_is_no_failure(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), up, v6;
	struct bench b;

	bench_open(&b, "nginx");
	v6 = rec_connect(U, 1000.1, 17, 0, 1300.2);
	v6.remote = (struct w5_addr){ .ip = { 0x20, 0x01, 0x0d, 0xb8 } };
	rec_hint(&v6, D, 1000);
	feed(&b, &v6);
	up = rec_up(U + 1, 1300.1, "GET", "/a", 18, 1);
	rec_answer(&up, 1301, 200);
	rec_tie(&up, &d);
	feed(&b, &up);
	answer(&b, &d, 1302, 200);
	bench_settle(&b, 1302);
	assert_int_equal(b.n, 0);
	bench_close(&b);
}

/* 500 is not in the bad set, but an attempt of it failed. */
static void test_other_5xx_after_a_failed_attempt(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), d2 = rec_down(D + 1, 1010, "GET", "/b"),
		      up;
	struct bench b;

	bench_open(&b, "nginx");
	refused(&b, &d, U, 1000.1, 17);
	answer(&b, &d, 1001, 500);
	up = rec_up(U + 1, 1010.1, "GET", "/b", 18, 1);
	rec_answer(&up, 1011, 500);
	rec_tie(&up, &d2);
	feed(&b, &up);
	answer(&b, &d2, 1012, 500);
	bench_settle(&b, 1012);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->status, 500);
	assert_int_equal(b.f[0]->cause, CAUSE_CONN_REFUSED);
	bench_close(&b);
}

/* nginx passes bytes that are no HTTP on, as HTTP/0.9. */
static void test_not_http_passed_on(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), up;
	struct bench b;

	bench_open(&b, "nginx");
	up = rec_up(U, 1000.1, "GET", "/a", 18, 1);
	rec_resp(&up, "hello", 5, 5);
	rec_answer(&up, 1001, 0);
	up.h.size = sizeof(up);
	up.flags = W5_F_NOT_HTTP;
	rec_tie(&up, &d);
	feed(&b, &up);
	rec_answer(&d, 1001.2, 0);
	d.h.size = sizeof(d);
	d.flags = W5_F_NOT_HTTP;
	feed(&b, &d);
	bench_settle(&b, 1002);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_PASSED_THROUGH);
	assert_int_equal(b.f[0]->cause, CAUSE_NOT_HTTP);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passed_through_after_failures_is_the_last_one),
		cmocka_unit_test(test_last_attempt_decides_not_the_5xx_before),
		cmocka_unit_test(test_retry_recovered),
		cmocka_unit_test(test_retry_recovered_out_of_order),
		cmocka_unit_test(test_happy_eyeballs_loser_is_no_failure),
		cmocka_unit_test(test_other_5xx_after_a_failed_attempt),
		cmocka_unit_test(test_not_http_passed_on),
	};

	return cmocka_run_group_tests_name("causes of exchanges", tests, NULL, NULL);
}
