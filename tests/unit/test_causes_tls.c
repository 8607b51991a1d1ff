/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS towards the backend: every way a handshake fails, and what only looks like it. */
#include "../lib/explain.h"
#include "../lib/hello.h"

#define FINISHED 80 /* bytes of ChangeCipherSpec and Finished, TLS 1.3 with SHA-384 */

static const uint16_t both[] = { 0x0304, 0x0303, 0 };

static struct w5_leg hello_of(const char *sni, const char *alpn, const uint16_t *versions)
{
	struct w5_leg l = rec_up(U, 1000.1, "GET", "/", 18, 1);
	struct hello c = hello_client(sni, alpn, versions);

	l.h.type = W5_REC_END;
	l.proto = W5_PROTO_TLS;
	l.flags = W5_F_HANDSHAKE | W5_F_HINT_OPEN;
	l.nr = 0;
	l.rport = 8443;
	memcpy(l.head, c.b, c.len);
	l.head_len = (uint16_t)c.len;
	l.req_bytes = (uint32_t)c.len;
	l.last_ns = l.req_ns;
	rec_acked(&l);
	return l;
}

/* Its ClientHello is sent, and acknowledged. */
static struct w5_leg asked(void)
{
	return hello_of("shop.example", NULL, both);
}

static void answer(struct w5_leg *l, const void *bytes, size_t len, double t)
{
	rec_resp(l, bytes, len, (uint32_t)len);
	l->phase = W5_PHASE_RESPONSE;
	l->resp_ns = l->last_ns = ms(t);
	l->data_ttl = 63;
}

/* ... and the server's first flight is here. */
static struct w5_leg greeted(void)
{
	struct w5_leg l = asked();
	struct hello v = hello_server(0x0304);

	answer(&l, v.b, v.len, 1000.5);
	l.resp_bytes = 1800;
	return l;
}

/* The gateway's next flight, of so many bytes, is sent as well. */
static struct w5_leg second_flight(uint32_t bytes)
{
	struct w5_leg l = asked();

	l.req_ns = l.req_last_ns = l.last_ns = ms(1001);
	l.idle_ns = 400000;
	l.data_ttl = 63;
	l.req_bytes = bytes;
	rec_acked(&l);
	return l;
}

static void alert_from(struct w5_leg *l, unsigned alert)
{
	uint8_t bytes[] = { 0x15, 3, 3, 0, 2, 2, (uint8_t)alert };

	answer(l, bytes, sizeof(bytes), 1000.5);
	l->alert_in = (uint16_t)(0x100 | alert);
	rec_end(l, 1000.6, W5_END_FIN_IN);
}

/* ---- alerts of the backend ---- */

static void refused_with(struct w5_leg l, unsigned alert, const char *why, const char *next)
{
	alert_from(&l, alert);
	expect_by("nginx", l, 502, 1000.7, CAUSE_TLS_HANDSHAKE_FAILED, CERTAIN, why, next);
}

static void test_name_it_does_not_serve(void **s)
{
	(void)s;
	refused_with(asked(), 112,
		     "10.0.3.18:8443 refused the TLS handshake with alert 112 (unrecognized_name) "
		     "(offered: SNI \"shop.example\", TLS 1.2 to 1.3)",
		     "10.0.3.18:8443 rejects SNI \"shop.example\": set a name that it serves "
		     "(proxy_ssl_server_name on, proxy_ssl_name)");
}

static void test_no_name_where_one_is_needed(void **s)
{
	(void)s;
	refused_with(hello_of(NULL, NULL, both), 112, "offered: no SNI, TLS 1.2 to 1.3",
		     "send SNI (proxy_ssl_server_name on");
	refused_with(hello_of(NULL, NULL, both), 40, "alert 40 (handshake_failure)",
		     "send SNI first");
}

static void test_nothing_in_common(void **s)
{
	(void)s;
	refused_with(asked(), 40, "alert 40 (handshake_failure)",
		     "openssl s_client -connect 10.0.3.18:8443 -servername shop.example");
}

static void test_no_common_version(void **s)
{
	static const uint16_t old[] = { 0x0302, 0x0301, 0 };

	(void)s;
	refused_with(hello_of("a.example", NULL, old), 70, "alert 70 (protocol_version)",
		     "share no TLS version (offered: TLS 1.0 to 1.1): align proxy_ssl_protocols");
}

static void test_client_certificate_wanted(void **s)
{
	(void)s;
	refused_with(asked(), 116, "alert 116 (certificate_required)", "proxy_ssl_certificate");
	refused_with(asked(), 48, "alert 48 (unknown_ca)", "client certificate");
}

static void test_no_common_protocol(void **s)
{
	(void)s;
	refused_with(hello_of("a.example", "h2", both), 120, "(no_application_protocol)",
		     "does not speak h2 over TLS");
}

static void test_alert_of_no_advice(void **s)
{
	(void)s;
	refused_with(asked(), 80, "alert 80 (internal_error)", "read the TLS error in the log");
	refused_with(asked(), 200, "alert 200 (offered", NULL);
}

/* A name is the peer's business, and may hold anything. */
static void test_hostile_name(void **s)
{
	(void)s;
	refused_with(hello_of("a\x1b[31m\"b", NULL, both), 112, "SNI \"a\\x1b[31m\"b\"", NULL);
}

static void test_alert_ahead_of_a_reset(void **s)
{
	struct w5_leg l = asked();

	(void)s;
	alert_from(&l, 40);
	l.fin_in_ns = 0;
	rec_end(&l, 1000.6, W5_END_RST_IN);
	expect(l, 502, 1000.7, CAUSE_TLS_HANDSHAKE_FAILED, CERTAIN, "alert 40");
}

/* ---- the gateway's own refusal ---- */

static void test_certificate_not_trusted(void **s)
{
	struct w5_leg l = greeted();
	struct bench b;
	struct finding *f;

	(void)s;
	l.alert_out = 0x100 | 48;
	rec_end(&l, 1001, W5_END_FIN_OUT);
	bench_open(&b, "haproxy");
	f = explain_one(&b, &l, 503, 1001.1);
	assert_int_equal(f->cause, CAUSE_TLS_HANDSHAKE_FAILED);
	assert_non_null(strstr(f->why, "the gateway refused the TLS handshake of 10.0.3.18:8443 "
				       "with alert 48 (unknown_ca)"));
	assert_non_null(strstr(f->next, "ca-file"));
	assert_true(has_evidence(f, "ClientHello offered: SNI \"shop.example\", TLS 1.2 to 1.3"));
	assert_true(has_evidence(f, "the backend chose TLS 1.3 0.400 ms later"));
	assert_true(has_evidence(f, "alert 48 (unknown_ca), sent by the gateway"));
	bench_close(&b);
}

static void test_certificate_expired(void **s)
{
	struct w5_leg l = greeted();

	(void)s;
	l.alert_out = 0x100 | 45;
	rec_end(&l, 1001, W5_END_FIN_OUT);
	expect_by("nginx", l, 502, 1001.1, CAUSE_TLS_HANDSHAKE_FAILED, CERTAIN,
		  "alert 45 (certificate_expired)", "renew the certificate of 10.0.3.18:8443");
}

static void test_refused_with_an_encrypted_alert(void **s)
{
	struct w5_leg l = second_flight(30); /* Go: ChangeCipherSpec, alert */

	(void)s;
	rec_end(&l, 1001.1, W5_END_FIN_OUT);
	expect_by("caddy", l, 502, 1001.2, CAUSE_TLS_HANDSHAKE_FAILED, LIKELY,
		  "with an alert that is encrypted", "tls_trust_pool");
	rec_end(&l, 1001.1, W5_END_FIN_IN); /* the backend was quicker to close */
	expect_by("caddy", l, 502, 1001.2, CAUSE_TLS_HANDSHAKE_FAILED, LIKELY,
		  "with an alert that is encrypted", "tls_trust_pool");
}

static void test_refused_with_an_encrypted_alert_alone(void **s)
{
	struct w5_leg l = greeted();

	(void)s;
	l.alert_out = W5_ALERT;
	rec_end(&l, 1001.1, W5_END_FIN_IN); /* closes at that */
	expect(l, 502, 1001.2, CAUSE_TLS_HANDSHAKE_FAILED, LIKELY, "an alert that is encrypted");
}

static void test_broken_off_without_an_alert(void **s)
{
	struct w5_leg l = greeted();

	(void)s;
	rec_end(&l, 1000.9, W5_END_FIN_OUT);
	expect(l, 502, 1001.2, CAUSE_TLS_HANDSHAKE_FAILED, LIKELY, "broke off the TLS handshake");
}

/* nginx looks at the certificate when the handshake is done. */
static void test_dropped_when_done(void **s)
{
	struct w5_leg l = second_flight(FINISHED);

	(void)s;
	rec_end(&l, 1001.1, W5_END_FIN_OUT);
	expect_by("nginx", l, 502, 1001.2, CAUSE_TLS_HANDSHAKE_FAILED, LIKELY,
		  "as soon as the TLS handshake with 10.0.3.18:8443 was done",
		  "proxy_ssl_trusted_certificate");
}

/* TLS 1.2: the server has the last word, and it is nginx that says goodbye. */
static void test_dropped_when_done_tls12(void **s)
{
	struct w5_leg l = second_flight(93);

	(void)s;
	answer(&l, "\x14\x03\x03\x00\x01\x01\x16", 7, 1001.2);
	l.alert_out = W5_ALERT;
	rec_end(&l, 1001.3, W5_END_FIN_IN);
	expect(l, 502, 1001.4, CAUSE_TLS_HANDSHAKE_FAILED, LIKELY, "as soon as the TLS handshake");
}

/* The same of a gateway that checks its backends: no failure of a request. */
static void test_health_check_is_no_failure(void **s)
{
	struct w5_leg l = second_flight(FINISHED), d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	(void)s;
	rec_end(&l, 1001.1, W5_END_RST_OUT);
	rec_answer(&d, 1001.2, 503);
	rec_hint(&d, U, 1001.1);
	bench_open(&b, "haproxy");
	feed(&b, &l);
	feed(&b, &d);
	bench_settle(&b, 1001.2);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->nattempts, 0);
	bench_close(&b);
}

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
		cmocka_unit_test(test_name_it_does_not_serve),
		cmocka_unit_test(test_no_name_where_one_is_needed),
		cmocka_unit_test(test_nothing_in_common),
		cmocka_unit_test(test_no_common_version),
		cmocka_unit_test(test_client_certificate_wanted),
		cmocka_unit_test(test_no_common_protocol),
		cmocka_unit_test(test_alert_of_no_advice),
		cmocka_unit_test(test_hostile_name),
		cmocka_unit_test(test_alert_ahead_of_a_reset),
		cmocka_unit_test(test_certificate_not_trusted),
		cmocka_unit_test(test_certificate_expired),
		cmocka_unit_test(test_refused_with_an_encrypted_alert),
		cmocka_unit_test(test_refused_with_an_encrypted_alert_alone),
		cmocka_unit_test(test_broken_off_without_an_alert),
		cmocka_unit_test(test_dropped_when_done),
		cmocka_unit_test(test_dropped_when_done_tls12),
		cmocka_unit_test(test_health_check_is_no_failure),
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
