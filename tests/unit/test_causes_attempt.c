/* SPDX-License-Identifier: BSD-2-Clause */
/* One test per cause that one attempt's facts decide, and its look-alikes. */
#include "../lib/explain.h"

/* ---- connect ---- */

static void test_conn_refused(void **s)
{
	expect(rec_connect(U, 1000.1, 17, 111, 1000.3), 502, 1000.4, CAUSE_CONN_REFUSED, CERTAIN,
	       "10.0.3.17:8080 refused the connection 0.200 ms after the SYN");
}

static void test_refused_without_rst_is_a_firewall(void **s)
{
	struct w5_leg l = rec_connect(U, 1000.1, 17, 111, 1000.3);

	l.rst_in_ns = 0;
	l.rst_flags = l.rst_ttl = 0;
	expect(l, 502, 1000.4, CAUSE_CONN_REFUSED_FIREWALL, LIKELY, "ICMP");
}

static void test_refused_with_another_ttl_is_a_firewall(void **s)
{
	struct w5_leg ok = rec_up(U + 1, 950, "GET", "/x", 17, 1);
	struct w5_leg l = rec_connect(U, 1000.1, 17, 111, 1000.3);
	struct bench b;

	bench_open(&b, "nginx");
	rec_answer(&ok, 951, 200);
	feed(&b, &ok);
	l.rst_ttl = 64;
	assert_int_equal(explain_one(&b, &l, 502, 1000.4)->cause, CAUSE_CONN_REFUSED_FIREWALL);
	assert_non_null(strstr(b.f[0]->why, "TTL 64, but 63"));
	bench_close(&b);
}

static void test_conn_timeout_when_the_gateway_gives_up(void **s)
{
	struct w5_leg l = rec_connect(U, 1000.1, 17, 0, 5000.1);

	l.syn_sent = 4;
	expect(l, 504, 5000.2, CAUSE_CONN_TIMEOUT_SYN, CERTAIN,
	       "did not answer 4 connection attempts (SYN) in 4.0");
}

static void test_conn_timeout_by_the_kernel(void **s)
{
	struct w5_leg l = rec_connect(U, 1000.1, 17, 110, 131000);

	l.syn_sent = 7;
	expect(l, 504, 131000.1, CAUSE_CONN_TIMEOUT_SYN, CERTAIN, NULL);
}

static void test_host_unreachable_local(void **s)
{
	struct w5_leg l = rec_connect(U, 1000.1, 99, 113, 4070);

	l.busy = 2;
	l.syn_sent = 3;
	l.flags = W5_F_LOCAL_UNREACH;
	expect(l, 502, 4070.1, CAUSE_HOST_UNREACHABLE_LOCAL, CERTAIN, "ARP");
}

static void test_syn_still_queued_is_local_even_if_the_gateway_gives_up(void **s)
{
	struct w5_leg l = rec_connect(U, 1000.1, 99, 0, 2500);

	l.busy = 1;
	l.syn_sent = 2;
	expect(l, 504, 2500.1, CAUSE_HOST_UNREACHABLE_LOCAL, CERTAIN, NULL);
}

static void test_host_unreachable_icmp(void **s)
{
	expect(rec_connect(U, 1000.1, 99, 113, 1001), 502, 1001.1, CAUSE_HOST_UNREACHABLE_ICMP,
	       CERTAIN, "EHOSTUNREACH");
}

static void test_the_router_that_reported_it_is_named(void **s)
{
	struct w5_leg l = rec_connect(U, 1000.1, 99, 113, 1001);

	l.icmp_from = rec_ip(1);
	l.icmp_type = 3;
	l.icmp_code = 13;
	expect(l, 502, 1001.1, CAUSE_HOST_UNREACHABLE_ICMP, CERTAIN,
	       "10.0.3.1 reported 10.0.3.99:8080 unreachable (ICMP type 3 code 13)");
}

/* What to do depends on whether it could not, or was told not to. */
static void next_of_icmp(uint8_t type, uint8_t code, const char *want)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), l = rec_connect(U, 1000.1, 99, 113, 1001);
	struct bench b;
	bool has_name = false;

	bench_open(&b, "nginx");
	l.icmp_from = rec_ip(1);
	l.icmp_type = type;
	l.icmp_code = code;
	rec_tie(&l, &d);
	feed(&b, &l);
	rec_answer(&d, 1001.1, 502);
	feed(&b, &d);
	bench_settle(&b, 1002);
	assert_int_equal(b.n, 1);
	assert_string_equal(b.f[0]->next, want);
	for (size_t i = 0; i < b.f[0]->nevidence; i++) {
		assert_null(strstr(b.f[0]->evidence[i], "errno"));
		has_name |= !!strstr(b.f[0]->evidence[i], "the kernel reported EHOSTUNREACH");
	}
	assert_true(has_name);
	bench_close(&b);
}

static void test_a_router_that_forbids_is_no_broken_route(void **s)
{
	next_of_icmp(3, 1, "fix the route or host behind 10.0.3.1");
	next_of_icmp(3, 9, "10.0.3.1 forbids this: check its firewall");
	next_of_icmp(3, 10, "10.0.3.1 forbids this: check its firewall");
	next_of_icmp(3, 13, "10.0.3.1 forbids this: check its firewall");
	next_of_icmp(1, 1, "10.0.3.1 forbids this: check its firewall");
	next_of_icmp(1, 3, "fix the route or host behind 10.0.3.1");
	next_of_icmp(0, 0, "fix the route or host behind the router that reported it");
}

/* The code is in sk_err_soft if the message came while connect() held the socket. */
static void test_host_unreachable_icmp_soft(void **s)
{
	struct w5_leg l = rec_connect(U, 1000.1, 99, 0, 1001);

	l.err_soft = 113;
	expect(l, 502, 1001.1, CAUSE_HOST_UNREACHABLE_ICMP, CERTAIN, NULL);
}

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
		cmocka_unit_test(test_conn_refused),
		cmocka_unit_test(test_refused_without_rst_is_a_firewall),
		cmocka_unit_test(test_refused_with_another_ttl_is_a_firewall),
		cmocka_unit_test(test_conn_timeout_when_the_gateway_gives_up),
		cmocka_unit_test(test_conn_timeout_by_the_kernel),
		cmocka_unit_test(test_host_unreachable_local),
		cmocka_unit_test(test_syn_still_queued_is_local_even_if_the_gateway_gives_up),
		cmocka_unit_test(test_host_unreachable_icmp),
		cmocka_unit_test(test_the_router_that_reported_it_is_named),
		cmocka_unit_test(test_a_router_that_forbids_is_no_broken_route),
		cmocka_unit_test(test_host_unreachable_icmp_soft),
		cmocka_unit_test(test_race_fin_before_request),
		cmocka_unit_test(test_race_reset_without_ack),
		cmocka_unit_test(test_race_crossing_fin),
		cmocka_unit_test(test_race_on_a_conn_older_than_us),
		cmocka_unit_test(test_long_idle_and_no_fin_is_stale),
		cmocka_unit_test(test_other_ttl_is_a_middlebox),
		cmocka_unit_test(test_acked_and_closed_after_idle_is_closed_on_request),
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
		cmocka_unit_test(test_backend_5xx),
		cmocka_unit_test(test_partial_header_then_silence),
		cmocka_unit_test(test_nothing_fits),
	};

	return cmocka_run_group_tests_name("causes of one attempt", tests, NULL, NULL);
}
