/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS towards the backend: refusals, alerts, certificates, and what only looks like them. */
#include "../lib/explain.h"
#include "../lib/hello.h"
#include "tls_hello.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
