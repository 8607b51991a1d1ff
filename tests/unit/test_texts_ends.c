/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP/1 in plain text: what the kernel says of the ends of its turns. */
#include "../lib/rec_text.h"
#include "text_conns.h"

/* Session tickets had come before the reset, so that it waits for texts: the answer of the retry
 * overtakes the very first failure that there is. */
static void test_recovered_while_the_end_waits(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/cart"), good, l;
	struct wire u;
	struct bench b;

	(void)s;
	bench_open(&b, "caddy");
	u = up_open(&b, 1000.2);
	wire_hint(&u, D, 1000.2);
	wire_get(&u, 1001, OUT, "/cart");
	l = up_end(1000.2, 1001.01, 1001.2, W5_END_RST_IN);
	l.phase = W5_PHASE_RESPONSE;
	l.resp_ns = ms(1001.1);
	l.resp_bytes = 478;
	rec_acked(&l);
	feed(&b, &l);
	good = rec_up(U + 1, 1002, "GET", "/cart", 19, 1);
	rec_hint(&good, D, 1001.5);
	rec_answer(&good, 1002.5, 200);
	feed(&b, &good);
	rec_hint(&d, U + 1, 1002.6);
	rec_answer(&d, 1002.7, 200);
	feed(&b, &d);
	d = rec_down(D, 1020, "GET", "/next");
	d.nr = 2;
	rec_answer(&d, 1020.5, 200);
	feed(&b, &d);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_RECOVERED);
	assert_string_equal(b.f[0]->target, "/cart");
	assert_int_equal(b.f[0]->status, 200);
	bench_close(&b);
}

/* A 502 to the client; the backend had reset the conn after it took the request. */
static void test_reset_explains_502(void **s)
{
	const struct attempt *a;
	struct wire d, u;
	struct w5_leg l;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b, 999);
	wire_get(&d, 1000, IN, "/cart");
	u = up_open(&b, 1000.2);
	wire_hint(&u, D, 1000.2);
	wire_get(&u, 1001, OUT, "/cart");
	l = up_end(1000.2, 1001.01, 1020, W5_END_RST_IN);
	rec_acked(&l);
	feed(&b, &l);
	wire_hint(&d, U, 1020.1);
	wire_status(&d, 1020.2, OUT, 502);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "reset-before-response");
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_CERTAIN);
	assert_string_equal(b.f[0]->target, "/cart");
	assert_string_equal(b.f[0]->host, "shop.example");
	assert_int_equal(b.f[0]->down.rport, 51034);
	assert_int_equal(b.f[0]->nattempts, 1);
	a = &b.f[0]->attempts[0];
	assert_int_equal(a->leg.rport, 8443);
	assert_int_equal(a->leg.nr, 1);
	assert_int_equal(a->leg.end, W5_END_RST_IN);
	assert_int_equal(a->leg.rst_ttl, 63);
	assert_true(b.f[0]->witness & WITNESS_TARGET);
	assert_true(b.f[0]->witness & WITNESS_TRAIL);
	assert_int_equal(engine_counters(b.e)->conns_up, 0);
	bench_close(&b);
}

/* The request's text is written down when the call is over: the reset may be seen first. */
static void test_end_before_its_request_is_read(void **s)
{
	struct wire d, u;
	struct w5_leg l;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b, 999);
	wire_get(&d, 1000, IN, "/cart");
	u = up_open(&b, 1000.2);
	l = up_end(1000.2, 1001.01, 1001.2, W5_END_RST_IN);
	feed(&b, &l);
	wire_hint(&u, D, 1000.2);
	wire_get(&u, 1001, OUT, "/cart");
	wire_hint(&d, U, 1001.3);
	wire_status(&d, 1001.4, OUT, 502);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->nattempts, 1);
	assert_int_equal(b.f[0]->attempts[0].leg.end, W5_END_RST_IN);
	assert_int_equal(b.f[0]->verdict, VERDICT_GATEWAY_MADE);
	bench_close(&b);
}

/* Response and FIN come together; the gateway's thread reads them a little later. */
static void test_answer_read_after_the_end(void **s)
{
	const struct engine_upstream *const *ups;
	struct wire u;
	struct w5_leg l;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	u = up_open(&b, 999);
	wire_get(&u, 1000, OUT, "/a");
	l = up_end_with(999, 1000.01, 1002, 400, 1002, W5_END_FIN_IN);
	feed(&b, &l);
	wire_status(&u, 1002.3, IN, 200);
	bench_settle(&b, 1100);
	assert_int_equal(engine_upstreams(b.e, &ups), 1);
	assert_int_equal(ups[0]->requests, 1);
	assert_int_equal(ups[0]->failures, 0);
	assert_int_equal(ups[0]->open, 0);
	bench_close(&b);
}

/* Session tickets are bytes after the request, and no answer to it. */
static void test_bytes_without_an_answer(void **s)
{
	struct wire d, u;
	struct w5_leg l;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b, 999);
	wire_get(&d, 1000, IN, "/a");
	u = up_open(&b, 1000.1);
	wire_get(&u, 1001, OUT, "/a");
	l = up_end_with(1000.1, 1001.01, 1001.5, 510, 1030, W5_END_FIN_IN);
	rec_acked(&l);
	feed(&b, &l);
	wire_hint(&d, U, 1030.1);
	wire_status(&d, 1030.2, OUT, 502);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "closed-before-response");
	assert_int_equal(b.f[0]->attempts[0].leg.resp_bytes, 0);
	bench_close(&b);
}

static void test_closed_without_a_byte(void **s)
{
	struct w5_leg end = rec_conn_end(D, W5_ROLE_DOWNSTREAM, 999, 1005, W5_END_FIN_OUT);
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "haproxy");
	d = down_open(&b, 999);
	wire_get(&d, 1000, IN, "/a");
	feed(&b, &end);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->status, 0);
	assert_int_equal(engine_counters(b.e)->silent, 1);
	assert_int_equal(engine_counters(b.e)->conns_down, 0);
	bench_close(&b);
}

static void test_client_left(void **s)
{
	struct w5_leg end = rec_conn_end(D, W5_ROLE_DOWNSTREAM, 999, 1005, W5_END_RST_IN);
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b, 999);
	wire_get(&d, 1000, IN, "/a");
	feed(&b, &end);
	bench_settle(&b, 1100);
	assert_int_equal(engine_counters(b.e)->client_aborts, 1);
	assert_int_equal(engine_counters(b.e)->bad, 0);
	bench_close(&b);
}

static void test_end_after_the_answer_is_no_failure(void **s)
{
	struct w5_leg end = rec_conn_end(D, W5_ROLE_DOWNSTREAM, 999, 1050, W5_END_FIN_OUT);
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b, 999);
	wire_get(&d, 1000, IN, "/a");
	wire_status(&d, 1001, OUT, 200);
	feed(&b, &end);
	bench_settle(&b, 1100);
	assert_int_equal(engine_counters(b.e)->exchanges, 1);
	assert_int_equal(engine_counters(b.e)->silent, 0);
	assert_int_equal(b.n, 0);
	bench_close(&b);
}

/* Fewer bytes on the wire than the Content-Length alone, then a reset; the gateway cuts too. */
static void test_body_cut_short(void **s)
{
	struct w5_leg end = rec_conn_end(D, W5_ROLE_DOWNSTREAM, 999, 1010, W5_END_FIN_OUT), l;
	struct wire d, u;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b, 999);
	wire_get(&d, 1000, IN, "/a");
	u = up_open(&b, 1000.1);
	wire_get(&u, 1001, OUT, "/a");
	wire_line(&u, 1002, IN, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc");
	wire_hint(&d, U, 1002);
	wire_line(&d, 1003, OUT, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc");
	l = up_end_with(1000.1, 1001.01, 1002, 70, 1009, W5_END_RST_IN);
	feed(&b, &l);
	rec_tick(b.e, 1009.5); /* the reset waits for texts; the client's end comes later */
	rec_hint(&end, U, 1009.1);
	end.h.ts_ns = end.end_ns = end.fin_out_ns = ms(1045);
	rec_tick(b.e, 1044);
	feed(&b, &end);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "truncated-body");
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recovered_while_the_end_waits),
		cmocka_unit_test(test_reset_explains_502),
		cmocka_unit_test(test_end_before_its_request_is_read),
		cmocka_unit_test(test_answer_read_after_the_end),
		cmocka_unit_test(test_bytes_without_an_answer),
		cmocka_unit_test(test_closed_without_a_byte),
		cmocka_unit_test(test_client_left),
		cmocka_unit_test(test_end_after_the_answer_is_no_failure),
		cmocka_unit_test(test_body_cut_short),
	};

	return cmocka_run_group_tests_name("texts_ends", tests, NULL, NULL);
}
