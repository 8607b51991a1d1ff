/* SPDX-License-Identifier: BSD-2-Clause */
/* Causes of attempts that got no byte of an answer, one test each, and what only looks like them. */
#include "../lib/explain.h"

/* ---- no byte of a response ---- */

static struct w5_leg reused(double idle_ms)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 42);

	l.idle_ns = (uint64_t)(idle_ms * 1e6);
	l.open_ns = ms(0);
	return l;
}

static void test_race_fin_before_request(void **s)
{
	struct w5_leg l = reused(60004);

	rec_end(&l, 1000.4, W5_END_RST_IN);
	l.fin_in_ns = ms(1000.1) - 219000;
	expect(l, 502, 1000.5, CAUSE_KEEPALIVE_RACE, CERTAIN, "0.219 ms before");
}

/* What is said both ways on a new conn that cannot be read is no pool's idle time; and the FIN may
 * be the answer to a request that went before these bytes. */
static void test_chatter_of_an_unread_conn_is_no_reuse(void **s)
{
	struct w5_leg l = reused(0.125);

	(void)s;
	l.proto = W5_PROTO_TLS;
	rec_end(&l, 1000.4, W5_END_FIN_IN);
	l.fin_in_ns = ms(1000.1) - 80000;
	expect(l, 502, 1000.5, CAUSE_INSUFFICIENT_EVIDENCE, LIKELY, NULL);
}

static void test_race_reset_without_ack(void **s)
{
	struct w5_leg l = reused(3000);

	rec_end(&l, 1000.3, W5_END_RST_IN);
	l.rst_flags = W5_TCP_RST;
	expect(l, 502, 1000.4, CAUSE_KEEPALIVE_RACE, CERTAIN, "idle for 3.0");
}

static void test_race_crossing_fin(void **s)
{
	struct w5_leg l = reused(5000);

	rec_end(&l, 1000.2, W5_END_FIN_IN);
	expect(l, 502, 1000.4, CAUSE_KEEPALIVE_RACE, CERTAIN, NULL);
}

static void test_race_on_a_conn_older_than_us(void **s)
{
	struct w5_leg l = reused(5000);

	l.nr = 1;
	l.flags = W5_F_OLDER;
	l.open_ns = 0;
	rec_end(&l, 1000.3, W5_END_RST_IN);
	l.rst_flags = W5_TCP_RST;
	expect(l, 502, 1000.4, CAUSE_KEEPALIVE_RACE, CERTAIN, NULL);
}

static void test_long_idle_and_no_fin_is_stale(void **s)
{
	struct w5_leg l = reused(400e3);

	rec_end(&l, 1000.3, W5_END_RST_IN);
	l.rst_flags = W5_TCP_RST;
	expect(l, 502, 1000.4, CAUSE_STALE_CONNECTION_RESET, LIKELY, "6 min");
}

static void test_other_ttl_is_a_middlebox(void **s)
{
	struct w5_leg l = reused(3000);

	rec_end(&l, 1000.3, W5_END_RST_IN);
	l.rst_flags = W5_TCP_RST;
	l.rst_ttl = 64;
	expect(l, 502, 1000.4, CAUSE_MIDDLEBOX_RESET, LIKELY, "TTL 64, but 63");
}

static void test_acked_and_closed_after_idle_is_closed_on_request(void **s)
{
	struct w5_leg l = reused(3000);

	rec_end(&l, 1000.3, W5_END_RST_IN);
	l.rst_flags = W5_TCP_RST | W5_TCP_ACK;
	rec_acked(&l);
	expect(l, 502, 1000.4, CAUSE_KEEPALIVE_CLOSED_ON_REQUEST, LIKELY, "request 42");
}

/* The backend had the first of its segments, and closed at that. */
static void test_a_part_acked_and_closed_is_closed_on_request(void **s)
{
	struct w5_leg l = reused(60);

	rec_end(&l, 1000.3, W5_END_RST_IN);
	l.rst_flags = W5_TCP_RST | W5_TCP_ACK;
	l.req_acked = l.req_bytes - 25;
	expect(l, 502, 1000.4, CAUSE_KEEPALIVE_CLOSED_ON_REQUEST, LIKELY, "request 42");
}

/* Of several segments the last may have met a socket that the first had closed. */
static void in_parts(double reset, enum cause want, const char *why)
{
	struct w5_leg l = reused(60);

	l.req_last_ns = l.req_ns + 50000;
	rec_end(&l, reset, W5_END_RST_IN);
	l.rst_flags = W5_TCP_RST;
	expect(l, 502, 1000.6, want, LIKELY, why);
}

static void test_race_of_a_request_in_parts_is_likely(void **s)
{
	/* in a round trip from the first one on */
	in_parts(1000.25, CAUSE_KEEPALIVE_RACE, "idle");
	/* the first one's answer would have been here before */
	in_parts(1000.4, CAUSE_INSUFFICIENT_EVIDENCE, NULL);
}

/* On a busy host a close at the request comes later. */
static void test_a_reset_soon_after_reuse_is_likely(void **s)
{
	struct w5_leg l = reused(15);

	rec_end(&l, 1012, W5_END_RST_IN);
	l.rst_flags = W5_TCP_RST | W5_TCP_ACK;
	rec_acked(&l);
	expect(l, 502, 1012.4, CAUSE_RESET_BEFORE_RESPONSE, LIKELY, "took the request and reset");
}

/* It had the request for a while: no conn that was about to close anyway. */
static void test_reused_conn_that_dies_later_is_a_reset(void **s)
{
	struct w5_leg l = reused(15);

	rec_end(&l, 1030.3, W5_END_RST_IN);
	l.rst_flags = W5_TCP_RST | W5_TCP_ACK;
	rec_acked(&l);
	expect(l, 502, 1030.4, CAUSE_RESET_BEFORE_RESPONSE, CERTAIN, "took the request and reset");
}

/* The backend dies of first requests as well: reuse has nothing to do with it. */
static void test_backend_that_dies_of_any_request(void **s)
{
	struct w5_leg fresh = rec_up(U + 1, 950, "GET", "/x", 18, 1), l = reused(15);
	struct bench b;

	bench_open(&b, "nginx");
	rec_end(&fresh, 950.2, W5_END_RST_IN);
	fresh.rst_flags = W5_TCP_RST | W5_TCP_ACK;
	rec_acked(&fresh);
	rec_hint(&fresh, 777, 949);
	feed(&b, &fresh);
	rec_end(&l, 1000.3, W5_END_RST_IN);
	l.rst_flags = W5_TCP_RST | W5_TCP_ACK;
	rec_acked(&l);
	assert_int_equal(explain_one(&b, &l, 502, 1000.4)->cause, CAUSE_RESET_BEFORE_RESPONSE);
	bench_close(&b);
}

static void test_reset_before_response(void **s)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);

	rec_end(&l, 1200.1, W5_END_RST_IN);
	l.rst_flags = W5_TCP_RST | W5_TCP_ACK;
	rec_acked(&l);
	expect(l, 502, 1200.2, CAUSE_RESET_BEFORE_RESPONSE, CERTAIN, "200.0 ms later");
}

static void test_closed_before_response(void **s)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);

	rec_end(&l, 1030.1, W5_END_FIN_IN);
	rec_acked(&l);
	expect(l, 502, 1030.2, CAUSE_CLOSED_BEFORE_RESPONSE, CERTAIN, NULL);
}

static void test_accepted_and_closed_at_once(void **s)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);

	rec_end(&l, 1000.3, W5_END_RST_IN);
	l.rst_flags = W5_TCP_RST;
	l.fin_in_ns = ms(1000.05);
	expect(l, 502, 1000.4, CAUSE_CLOSED_BEFORE_RESPONSE, CERTAIN, "before the request came");
}

static void test_zero_window(void **s)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);

	l.req_bytes = 900000;
	l.req_acked = 60000;
	l.flags = W5_F_ZERO_WND;
	rec_end(&l, 6000, W5_END_FIN_OUT);
	expect(l, 504, 6000.1, CAUSE_ZERO_WINDOW, CERTAIN, "60000 of 900000");
}

static void test_stale_blackhole(void **s)
{
	struct w5_leg l = reused(350e3);

	rec_end(&l, 6000, W5_END_FIN_OUT);
	l.retrans = 5;
	l.rto_count = 5;
	expect(l, 504, 6000.1, CAUSE_STALE_CONNECTION_BLACKHOLE, LIKELY, NULL);
}

/* Some of it got through, then nothing more. */
static void test_path_loss(void **s)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);

	rec_end(&l, 6000, W5_END_FIN_OUT);
	l.req_acked = 10;
	l.retrans = 5;
	l.rto_count = 5;
	expect(l, 504, 6000.1, CAUSE_PATH_LOSS, CERTAIN, "5 more times");
}

/* Nothing but the handshake: a full accept queue would look the same. */
static void test_path_loss_from_the_start_is_likely_only(void **s)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);

	rec_end(&l, 6000, W5_END_SK_ERR);
	l.err = 110;
	l.retrans = 3;
	l.rto_count = 3;
	expect(l, 502, 6000.1, CAUSE_PATH_LOSS, LIKELY, NULL);
}

/* The same facts beside a conn that was taken in and left without an answer. */
static void test_nobody_accepts(void **s)
{
	struct w5_leg other = rec_up(U + 1, 1000.1, "GET", "/x", 18, 1);
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);
	struct bench b;

	bench_open(&b, "nginx");
	rec_acked(&other);
	rec_end(&other, 2500, W5_END_FIN_OUT);
	rec_hint(&other, 777, 1000);
	feed(&b, &other);
	rec_end(&l, 2500, W5_END_FIN_OUT);
	l.retrans = l.rto_count = 3;
	assert_int_equal(explain_one(&b, &l, 504, 2500.1)->cause, CAUSE_ACCEPT_QUEUE_OVERFLOW);
	bench_close(&b);
}

static void test_pmtu_blackhole(void **s)
{
	struct w5_leg ok = rec_up(U + 1, 2000, "GET", "/x", 18, 1);
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);
	struct bench b;

	bench_open(&b, "nginx");
	rec_answer(&ok, 2001, 200);
	rec_hint(&ok, 777, 1999);
	feed(&b, &ok);
	l.req_bytes = 20000;
	l.synack_mss = 1460;
	l.retrans = l.rto_count = 5;
	rec_end(&l, 6000, W5_END_FIN_OUT);
	assert_int_equal(explain_one(&b, &l, 504, 6000.1)->cause, CAUSE_PMTU_BLACKHOLE);
	bench_close(&b);
}

static void test_backend_slow(void **s)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);

	rec_end(&l, 2500.1, W5_END_FIN_OUT);
	rec_acked(&l);
	expect(l, 504, 2500.2, CAUSE_BACKEND_SLOW, CERTAIN, "sent no byte in 1.50");
}

/* ---- conns that cannot be read ---- */

static void test_backend_5xx(void **s)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);

	rec_resp(&l, "HTTP/1.1 502 Bad Gateway\r\n", 26, 300);
	rec_answer(&l, 1001, 502);
	expect(l, 502, 1001.1, CAUSE_BACKEND_5XX, CERTAIN, "answered 502 itself");
}

static void test_partial_header_then_silence(void **s)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);

	rec_acked(&l);
	rec_resp(&l, "HTTP/1", 6, 6);
	rec_end(&l, 3000, W5_END_FIN_OUT);
	expect(l, 504, 3000.1, CAUSE_GATEWAY_TIMEOUT_LOCAL, CERTAIN, NULL);
}

/* Facts that fit no row: the gateway closed at once, for reasons of its own. */
static void test_nothing_fits(void **s)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);

	rec_acked(&l);
	rec_end(&l, 1000.2, W5_END_FIN_OUT);
	expect(l, 502, 1000.3, CAUSE_INSUFFICIENT_EVIDENCE, LIKELY, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_race_fin_before_request),
		cmocka_unit_test(test_chatter_of_an_unread_conn_is_no_reuse),
		cmocka_unit_test(test_race_reset_without_ack),
		cmocka_unit_test(test_race_crossing_fin),
		cmocka_unit_test(test_race_on_a_conn_older_than_us),
		cmocka_unit_test(test_long_idle_and_no_fin_is_stale),
		cmocka_unit_test(test_other_ttl_is_a_middlebox),
		cmocka_unit_test(test_acked_and_closed_after_idle_is_closed_on_request),
		cmocka_unit_test(test_a_part_acked_and_closed_is_closed_on_request),
		cmocka_unit_test(test_race_of_a_request_in_parts_is_likely),
		cmocka_unit_test(test_a_reset_soon_after_reuse_is_likely),
		cmocka_unit_test(test_reused_conn_that_dies_later_is_a_reset),
		cmocka_unit_test(test_backend_that_dies_of_any_request),
		cmocka_unit_test(test_reset_before_response),
		cmocka_unit_test(test_closed_before_response),
		cmocka_unit_test(test_accepted_and_closed_at_once),
		cmocka_unit_test(test_zero_window),
		cmocka_unit_test(test_stale_blackhole),
		cmocka_unit_test(test_path_loss),
		cmocka_unit_test(test_path_loss_from_the_start_is_likely_only),
		cmocka_unit_test(test_nobody_accepts),
		cmocka_unit_test(test_pmtu_blackhole),
		cmocka_unit_test(test_backend_slow),
		cmocka_unit_test(test_backend_5xx),
		cmocka_unit_test(test_partial_header_then_silence),
		cmocka_unit_test(test_nothing_fits),
	};

	return cmocka_run_group_tests_name("causes of silent attempts", tests, NULL, NULL);
}
