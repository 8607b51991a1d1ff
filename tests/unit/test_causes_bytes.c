/* SPDX-License-Identifier: BSD-2-Clause */
/* Causes of attempts whose answer was wrong, cut, or in another language. */
#include "../lib/explain.h"

/* ---- some bytes ---- */

static void test_truncated_in_the_status_line(void **s)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);

	rec_acked(&l);
	rec_resp(&l, "HTTP/1.1 2", 10, 10);
	rec_end(&l, 1010, W5_END_FIN_IN);
	expect(l, 502, 1010.1, CAUSE_TRUNCATED_HEADER, CERTAIN, "10 bytes, then FIN");
}

/* The attempt was reported when its status came; END tells the rest. */
static void truncated_after_status(uint32_t total, int end, enum cause cause, enum confidence conf)
{
	static const char bytes[] = "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Le";
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), l = rec_up(U, 1000.1, "GET", "/a", 18, 1);
	struct bench b;

	bench_open(&b, "nginx");
	rec_resp(&l, bytes, sizeof(bytes) - 1, total);
	rec_answer(&l, 1001, 200);
	rec_answer(&d, 1102, 502);
	rec_hint(&l, D, 1000);
	rec_hint(&d, U, 1101.5);
	feed(&b, &l);
	l.h.type = W5_REC_END;
	rec_end(&l, 1101, end);
	feed(&b, &l);
	feed(&b, &d);
	bench_settle(&b, 1102);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), cause_name(cause));
	assert_int_equal(b.f[0]->confidence, conf);
	assert_int_equal(b.f[0]->attempts[0].leg.status, 200);
	bench_close(&b);
}

static void test_truncated_header(void **s)
{
	truncated_after_status(38, W5_END_FIN_IN, CAUSE_TRUNCATED_HEADER, CERTAIN);
	truncated_after_status(38, W5_END_RST_IN, CAUSE_TRUNCATED_HEADER, CERTAIN);
	truncated_after_status(600, W5_END_FIN_IN, CAUSE_TRUNCATED_HEADER, LIKELY);
	truncated_after_status(20000, W5_END_FIN_OUT, CAUSE_HEADER_TOO_BIG, LIKELY);
}

static void test_invalid_header(void **s)
{
	static const char bytes[] = "HTTP/1.1 200 OK\r\nX-Bad Name: 1\r\nContent-Length: 0\r\n\r\n";
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), l = rec_up(U, 1000.1, "GET", "/a", 18, 1);
	struct bench b;

	bench_open(&b, "nginx");
	rec_resp(&l, bytes, sizeof(bytes) - 1, sizeof(bytes) - 1);
	rec_answer(&l, 1001, 200);
	rec_answer(&d, 1001.1, 502);
	rec_hint(&l, D, 1000);
	rec_hint(&d, U, 1001.05);
	feed(&b, &l);
	feed(&b, &d);
	l.h.type = W5_REC_END;
	rec_end(&l, 1001.2, W5_END_FIN_OUT);
	feed(&b, &l);
	bench_settle(&b, 1102);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "invalid-header");
	bench_close(&b);
}

static void test_not_http(void **s)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);

	rec_resp(&l, "SSH-2.0-OpenSSH\r\n", 17, 17);
	rec_answer(&l, 1001, 0);
	l.h.size = sizeof(l);
	l.flags = W5_F_NOT_HTTP;
	expect(l, 502, 1001.1, CAUSE_NOT_HTTP, CERTAIN, "SSH-2.0");
}

static void test_plain_http_to_a_tls_port(void **s)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);

	rec_resp(&l, "\x15\x03\x01\x00\x02\x02\x46", 7, 7);
	rec_answer(&l, 1001, 0);
	l.h.size = sizeof(l);
	expect(l, 502, 1001.1, CAUSE_TLS_PLAINTEXT_MISMATCH, CERTAIN, NULL);
}

/* ---- conns that cannot be read ---- */

static struct w5_leg tls(uint16_t flags)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);

	l.proto = W5_PROTO_TLS;
	l.head_len = 0;
	l.flags = flags;
	rec_acked(&l);
	return l;
}

static void test_tls_alert(void **s)
{
	struct w5_leg l = tls(W5_F_HANDSHAKE);

	rec_resp(&l, "\x15\x03\x03\x00\x02\x02\x28", 7, 7);
	l.h.type = W5_REC_END;
	l.phase = W5_PHASE_RESPONSE;
	l.resp_ns = ms(1000.5);
	rec_end(&l, 1000.6, W5_END_FIN_IN);
	expect(l, 502, 1000.7, CAUSE_TLS_HANDSHAKE_FAILED, CERTAIN, "alert 40");
}

static void test_tls_answered_in_plain_http(void **s)
{
	struct w5_leg l = tls(W5_F_HANDSHAKE);

	rec_resp(&l, "HTTP/1.1 400 Bad Request\r\n", 26, 200);
	l.h.type = W5_REC_END;
	l.phase = W5_PHASE_RESPONSE;
	l.resp_ns = ms(1000.5);
	rec_end(&l, 1000.6, W5_END_FIN_OUT);
	expect(l, 502, 1000.7, CAUSE_TLS_PLAINTEXT_MISMATCH, CERTAIN, "plain HTTP");
}

static void test_reset_on_an_encrypted_conn(void **s)
{
	struct w5_leg l = tls(0);

	rec_end(&l, 1200.1, W5_END_RST_IN);
	l.rst_flags = W5_TCP_RST | W5_TCP_ACK;
	expect(l, 502, 1200.2, CAUSE_RESET_BEFORE_RESPONSE, CERTAIN, NULL);
}

static void test_slow_on_an_encrypted_conn(void **s)
{
	struct w5_leg l = tls(0);

	rec_end(&l, 2500.1, W5_END_FIN_OUT);
	expect(l, 504, 2500.2, CAUSE_BACKEND_SLOW, CERTAIN, NULL);
}

/* The status is not to be read, but the gateway kept the conn: it looks passed on. */
static void test_answer_on_an_encrypted_conn(void **s)
{
	struct w5_leg l = tls(0);

	l.phase = W5_PHASE_RESPONSE;
	l.resp_bytes = 300;
	l.h.ts_ns = l.resp_ns = ms(1003);
	l.h.size = W5_LEG_BULK;
	expect(l, 502, 1003.1, CAUSE_BACKEND_5XX, LIKELY, "cannot be read (TLS)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated_in_the_status_line),
		cmocka_unit_test(test_truncated_header),
		cmocka_unit_test(test_invalid_header),
		cmocka_unit_test(test_not_http),
		cmocka_unit_test(test_plain_http_to_a_tls_port),
		cmocka_unit_test(test_tls_alert),
		cmocka_unit_test(test_tls_answered_in_plain_http),
		cmocka_unit_test(test_reset_on_an_encrypted_conn),
		cmocka_unit_test(test_slow_on_an_encrypted_conn),
		cmocka_unit_test(test_answer_on_an_encrypted_conn),
	};

	return cmocka_run_group_tests_name("causes_bytes", tests, NULL, NULL);
}
