/* SPDX-License-Identifier: BSD-2-Clause */
/* Causes of TLS handshakes that stalled, broke off, or met no TLS. */
#include "../lib/explain.h"
#include "../lib/hello.h"
#include "tls_hello.h"

/* ---- silence, and closing without a word ---- */

static void test_hello_not_answered(void **s)
{
	struct w5_leg l = asked();

	(void)s;
	rec_end(&l, 5000.1, W5_END_FIN_OUT);
	expect_by("nginx", l, 504, 5000.2, CAUSE_TLS_HANDSHAKE_FAILED, LIKELY,
		  "10.0.3.18:8443 did not answer the ClientHello; the gateway gave up after 4.0",
		  "speaks TLS on this port and still accepts");
}

static void test_hello_lost_on_the_way(void **s)
{
	struct w5_leg l = asked();

	(void)s;
	l.req_acked = 0;
	l.retrans = 5;
	l.rto_count = 5;
	rec_end(&l, 5000.1, W5_END_FIN_OUT);
	expect(l, 504, 5000.2, CAUSE_PATH_LOSS, LIKELY, NULL);
}

static void test_hello_reset_by_the_way(void **s)
{
	struct w5_leg l = asked();

	(void)s;
	rec_end(&l, 1000.3, W5_END_RST_IN);
	l.rst_ttl = 250;
	expect(l, 502, 1000.4, CAUSE_MIDDLEBOX_RESET, LIKELY, "TTL 250, but 63");
}

static void test_closed_at_the_hello(void **s)
{
	struct w5_leg l = asked();

	(void)s;
	rec_end(&l, 1000.4, W5_END_FIN_IN);
	expect_by("nginx", l, 502, 1000.5, CAUSE_TLS_HANDSHAKE_FAILED, LIKELY,
		  "10.0.3.18:8443 closed the connection 0.300 ms after the ClientHello, without a "
		  "TLS answer",
		  "PROXY protocol");
	l = asked();
	rec_end(&l, 1000.4, W5_END_RST_IN);
	l.rst_flags = W5_TCP_RST | W5_TCP_ACK;
	expect(l, 502, 1000.5, CAUSE_TLS_HANDSHAKE_FAILED, LIKELY, "reset the connection");
}

/* It had closed before it could see what is spoken. */
static void test_closed_before_the_hello(void **s)
{
	struct w5_leg l = asked();

	(void)s;
	l.req_acked = 0;
	rec_end(&l, 1000.4, W5_END_RST_IN);
	l.fin_in_ns = ms(1000.05);
	expect(l, 502, 1000.5, CAUSE_CLOSED_BEFORE_RESPONSE, CERTAIN, NULL);
}

static void test_no_socket_for_the_hello(void **s)
{
	struct w5_leg l = asked();

	(void)s;
	l.req_acked = 0;
	rec_end(&l, 1000.4, W5_END_RST_IN);
	l.rst_flags = W5_TCP_RST;
	expect(l, 502, 1000.5, CAUSE_ACCEPT_QUEUE_OVERFLOW, LIKELY, NULL);
}

static void test_closed_after_its_answer(void **s)
{
	struct w5_leg l = second_flight(FINISHED);

	(void)s;
	rec_end(&l, 1001.3, W5_END_FIN_IN);
	expect(l, 502, 1001.4, CAUSE_TLS_HANDSHAKE_FAILED, LIKELY,
	       "closed the connection 0.300 ms after the gateway's last message");
	l = greeted();
	rec_end(&l, 1001.3, W5_END_RST_IN);
	expect(l, 502, 1001.4, CAUSE_TLS_HANDSHAKE_FAILED, LIKELY, "in the middle of the TLS");
}

static void test_stalled_in_the_middle(void **s)
{
	struct w5_leg l = greeted();

	(void)s;
	rec_end(&l, 5000.5, W5_END_FIN_OUT);
	expect_by("nginx", l, 504, 5000.6, CAUSE_TLS_HANDSHAKE_FAILED, LIKELY,
		  "fell silent in the middle of the TLS handshake", "MTU");
}

/* After the handshake: the gateway's timer ran out, it said goodbye, and the backend's FIN was
 * there before its own. */
static void test_goodbye_before_the_fin(void **s)
{
	struct w5_leg l = asked();

	(void)s;
	l.h.type = W5_REC_ATTEMPT;
	l.flags = 0;
	l.nr = 1;
	l.alert_out = W5_ALERT;
	rec_end(&l, 2500.1, W5_END_FIN_IN);
	expect(l, 504, 2500.2, CAUSE_BACKEND_SLOW, CERTAIN, "sent no byte in 1.50 s");
	l.alert_out = 0;
	l.alert_in = W5_ALERT;
	expect(l, 502, 2500.2, CAUSE_CLOSED_BEFORE_RESPONSE, CERTAIN, NULL);
	l.fin_in_ns = 0;
	rec_end(&l, 2500.1, W5_END_FIN_OUT); /* the other way round */
	expect(l, 502, 2500.2, CAUSE_CLOSED_BEFORE_RESPONSE, CERTAIN, NULL);
	rec_end(&l, 2500.1, W5_END_RST_IN); /* our own goodbye was not read */
	expect(l, 502, 2500.2, CAUSE_CLOSED_BEFORE_RESPONSE, CERTAIN, NULL);
	l.alert_in = 0;
	expect(l, 502, 2500.2, CAUSE_RESET_BEFORE_RESPONSE, CERTAIN, NULL);
}

/* An idle conn that was never used is closed: nobody waited for it. */
static void test_idle_conn_closed_after_the_handshake(void **s)
{
	struct w5_leg l = second_flight(FINISHED), d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	(void)s;
	answer(&l, "\x17\x03\x03\x00\xea\x9c", 6, 1001.2); /* session tickets */
	rec_end(&l, 1010, W5_END_FIN_IN);
	rec_answer(&d, 1010.1, 502);
	bench_open(&b, "haproxy");
	feed(&b, &l);
	feed(&b, &d);
	bench_settle(&b, 1010.2);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->nattempts, 0);
	bench_close(&b);
}

static void test_client_left_during_the_handshake(void **s)
{
	struct w5_leg l = asked(), d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	(void)s;
	rec_end(&l, 2000.1, W5_END_FIN_OUT);
	rec_end(&d, 2000, W5_END_FIN_IN);
	rec_tie(&l, &d);
	bench_open(&b, "nginx");
	feed(&b, &d);
	feed(&b, &l);
	bench_settle(&b, 2001);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->cause, CAUSE_CLIENT_ABORT);
	bench_close(&b);
}

/* ---- one side speaks TLS, the other does not ---- */

static void test_answered_in_plain_http(void **s)
{
	static const char text[] = "HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n";
	struct w5_leg l = asked();

	(void)s;
	answer(&l, text, sizeof(text) - 1, 1000.5);
	rec_end(&l, 1000.6, W5_END_FIN_OUT);
	expect_by("nginx", l, 502, 1000.7, CAUSE_TLS_PLAINTEXT_MISMATCH, CERTAIN,
		  "the gateway spoke TLS to 10.0.3.18:8443, which answered in plain HTTP: "
		  "HTTP/1.1 400 Bad Request",
		  "http:// or https:// in proxy_pass");
}

static void test_answered_in_something_else(void **s)
{
	struct w5_leg l = asked();

	(void)s;
	answer(&l, "SSH-2.0-OpenSSH_9.2\r\n", 21, 1000.5);
	rec_end(&l, 1000.6, W5_END_FIN_OUT);
	expect(l, 502, 1000.7, CAUSE_TLS_PLAINTEXT_MISMATCH, CERTAIN,
	       "in plain bytes: SSH-2.0-OpenSSH_9.2");
}

static struct w5_leg plain(const char *bytes, size_t len, uint16_t status)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);

	rec_resp(&l, bytes, len, (uint32_t)len);
	rec_answer(&l, 1001, status);
	l.h.size = sizeof(l);
	return l;
}

static void test_plain_http_answered_in_tls(void **s)
{
	(void)s;
	expect_by("haproxy", plain("\x15\x03\x01\x00\x02\x02\x46", 7, 0), 502, 1001.1,
		  CAUSE_TLS_PLAINTEXT_MISMATCH, CERTAIN, "which answered in TLS",
		  "TLS is what it speaks (ssl on the server line)");
}

static void test_told_that_the_port_speaks_tls(void **s)
{
	static const char nginx[] = "HTTP/1.1 400 Bad Request\r\n\r\n<html><head><title>400 The "
				    "plain HTTP request was sent to HTTPS port</title>";
	static const char other[] = "HTTP/1.1 400 Bad Request\r\n\r\nno such cart";
	struct w5_leg l = plain(other, sizeof(other) - 1, 400);
	struct bench b;

	(void)s;
	expect(plain(nginx, sizeof(nginx) - 1, 400), 502, 1001.1, CAUSE_TLS_PLAINTEXT_MISMATCH,
	       CERTAIN, "answered 400: it speaks TLS on this port");
	bench_open(&b, "nginx");
	assert_int_not_equal(explain_one(&b, &l, 502, 1001.1)->cause, CAUSE_TLS_PLAINTEXT_MISMATCH);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hello_not_answered),
		cmocka_unit_test(test_hello_lost_on_the_way),
		cmocka_unit_test(test_hello_reset_by_the_way),
		cmocka_unit_test(test_closed_at_the_hello),
		cmocka_unit_test(test_closed_before_the_hello),
		cmocka_unit_test(test_no_socket_for_the_hello),
		cmocka_unit_test(test_closed_after_its_answer),
		cmocka_unit_test(test_stalled_in_the_middle),
		cmocka_unit_test(test_goodbye_before_the_fin),
		cmocka_unit_test(test_idle_conn_closed_after_the_handshake),
		cmocka_unit_test(test_client_left_during_the_handshake),
		cmocka_unit_test(test_answered_in_plain_http),
		cmocka_unit_test(test_answered_in_something_else),
		cmocka_unit_test(test_plain_http_answered_in_tls),
		cmocka_unit_test(test_told_that_the_port_speaks_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
