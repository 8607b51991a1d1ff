/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP/1 in plain text of encrypted conns: its turns, and what the kernel says of their ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../lib/rec_text.h"

#define D   100
#define U   200
#define IN  W5_TEXT_IN
#define OUT W5_TEXT_OUT

static struct wire down_open(struct bench *b, double t)
{
	return wire_open(b, D, W5_ROLE_DOWNSTREAM, t);
}

static struct wire up_open(struct bench *b, double t)
{
	struct w5_leg l = rec_conn(U, W5_ROLE_UPSTREAM, t);

	rec_hint(&l, D, t);
	feed(b, &l);
	return wire_of(b, U);
}

/* The kernel's view of a request on the wire that nothing answered. */
static struct w5_leg up_end(double open, double req, double t, int end)
{
	struct w5_leg l = rec_conn_end(U, W5_ROLE_UPSTREAM, open, t, end);

	l.h.type = W5_REC_ATTEMPT;
	l.phase = W5_PHASE_REQUEST;
	l.req_ns = l.req_last_ns = ms(req);
	l.req_bytes = 150;
	return l;
}

static void test_healthy_turns_are_counted(void **s)
{
	const struct engine_upstream *const *ups;
	const struct engine_counters *c;
	struct wire d, u;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b, 999);
	u = up_open(&b, 999.5);
	for (int i = 0; i < 3; i++) {
		double t = 1000 + i * 10;

		wire_get(&d, t, IN, "/a");
		wire_hint(&u, D, t);
		wire_get(&u, t + 1, OUT, "/a");
		wire_status(&u, t + 2, IN, 200);
		wire_hint(&d, U, t + 2);
		wire_status(&d, t + 3, OUT, i == 2 ? 404 : 200);
	}
	bench_settle(&b, 1100);
	c = engine_counters(b.e);
	assert_int_equal(c->exchanges, 3);
	assert_int_equal(c->attempts, 3);
	assert_int_equal(c->status_class[2], 2);
	assert_int_equal(c->status_class[4], 1);
	assert_int_equal(c->conns_down, 1);
	assert_int_equal(c->conns_up, 1);
	assert_int_equal(c->bad_records, 0);
	assert_int_equal(engine_lost(b.e), 0);
	assert_int_equal(engine_upstreams(b.e, &ups), 1);
	assert_int_equal(ups[0]->requests, 3);
	assert_int_equal(ups[0]->reused, 2);
	assert_int_equal(ups[0]->connects, 1);
	assert_int_equal(ups[0]->open, 1);
	assert_int_equal(b.n, 0);
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
	l = up_end(999, 1000.01, 1002, W5_END_FIN_IN);
	l.h.type = W5_REC_END;
	l.phase = W5_PHASE_RESPONSE;
	l.resp_ns = ms(1002);
	l.resp_bytes = 400;
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
	l = up_end(1000.1, 1001.01, 1030, W5_END_FIN_IN);
	l.h.type = W5_REC_END;
	l.phase = W5_PHASE_RESPONSE;
	l.resp_ns = ms(1001.5);
	l.resp_bytes = 510;
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

static void test_backend_502_is_passed_through(void **s)
{
	struct wire d, u;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b, 999);
	wire_get(&d, 1000, IN, "/a");
	u = up_open(&b, 1000.1);
	wire_get(&u, 1001, OUT, "/a");
	wire_status(&u, 1002, IN, 502);
	wire_hint(&d, U, 1002);
	wire_status(&d, 1003, OUT, 502);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_PASSED_THROUGH);
	assert_string_equal(cause_name(b.f[0]->cause), "backend-5xx");
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_CERTAIN);
	bench_close(&b);
}

/* Plain upstreams behind an encrypted client: the usual case. */
static void test_plain_attempt_of_an_encrypted_client(void **s)
{
	struct w5_leg u;
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b, 999);
	wire_get(&d, 1000, IN, "/a");
	u = rec_connect(U, 1000.2, 17, 111, 1000.4);
	rec_hint(&u, D, 1000);
	feed(&b, &u);
	wire_hint(&d, U, 1000.5);
	wire_status(&d, 1000.6, OUT, 502);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "conn-refused");
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_CERTAIN);
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
	l = up_end(1000.1, 1001.01, 1009, W5_END_RST_IN);
	l.h.type = W5_REC_END;
	l.phase = W5_PHASE_RESPONSE;
	l.resp_ns = ms(1002);
	l.resp_bytes = 70;
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

static void test_interim_and_bodies_are_not_answers(void **s)
{
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b, 999);
	wire_get(&d, 1000, IN, "/a");
	wire_line(&d, 1001, OUT, "HTTP/1.1 100 Continue\r\n\r\n");
	wire_get(&d, 1001.5, IN, "/looks-like-one"); /* the body it asked for */
	wire_status(&d, 1002, OUT, 200);
	wire_status(&d, 1003, OUT, 502); /* a page about statuses */
	wire_get(&d, 1004, OUT, "/a");	 /* a server does not ask */
	bench_settle(&b, 1100);
	assert_int_equal(engine_counters(b.e)->exchanges, 1);
	assert_int_equal(engine_counters(b.e)->s502, 0);
	bench_close(&b);
}

/* What is lost leaves a hole: the next request begins a new turn, and nothing is certain. */
static void test_lost_answer(void **s)
{
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b, 999);
	wire_get(&d, 1000, IN, "/a");
	d.seq[OUT]++;
	wire_get(&d, 1010, IN, "/b");
	wire_status(&d, 1011, OUT, 502);
	bench_settle(&b, 1100);
	assert_int_equal(engine_counters(b.e)->loss[W5_LOSS_SEQ_HOLE], 1);
	bench_close(&b);
}

/* OPEN was lost: who asks is told by the direction of the first request. */
static void test_without_open(void **s)
{
	struct wire d, u;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = wire_of(&b, D);
	u = wire_of(&b, U);
	wire_get(&d, 1000, IN, "/a");
	wire_hint(&u, D, 1000);
	wire_get(&u, 1001, OUT, "/a");
	wire_status(&u, 1002, IN, 503);
	wire_hint(&d, U, 1002);
	wire_status(&d, 1003, OUT, 503);
	bench_settle(&b, 1100);
	assert_int_equal(engine_counters(b.e)->exchanges, 1);
	assert_int_equal(engine_counters(b.e)->attempts, 1);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_PASSED_THROUGH);
	bench_close(&b);
}

/* Bytes of an encrypted conn, answered: texts tell better. */
static void test_kernel_turns_of_texted_conns_are_ignored(void **s)
{
	struct w5_leg l = up_end(999, 1000, 1001, W5_END_NONE);
	struct wire u;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	u = up_open(&b, 999);
	wire_get(&u, 1000, OUT, "/a");
	l.end_ns = 0;
	l.phase = W5_PHASE_RESPONSE;
	l.resp_ns = ms(1001);
	l.resp_bytes = 400;
	feed(&b, &l);
	wire_status(&u, 1001.2, IN, 200);
	bench_settle(&b, 1100);
	assert_int_equal(engine_counters(b.e)->attempts, 1);
	bench_close(&b);
}

/* The peer closed the idle conn just before it was used: its FIN was here first. */
static void test_keepalive_race(void **s)
{
	struct w5_leg fin, rst;
	struct wire d, u;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b, 899);
	u = up_open(&b, 899);
	wire_get(&u, 900, OUT, "/a");
	wire_status(&u, 901, IN, 200);
	fin = rec_conn_end(U, W5_ROLE_UPSTREAM, 899, 1000.5, W5_END_FIN_IN);
	fin.req_ns = ms(900);
	fin.resp_ns = ms(901);
	feed(&b, &fin);
	wire_get(&d, 1000.4, IN, "/b");
	wire_hint(&u, D, 1000.4);
	wire_get(&u, 1000.6, OUT, "/b");
	rst = up_end(899, 1000.61, 1000.8, W5_END_RST_IN);
	rst.nr = 2;
	rst.fin_in_ns = ms(1000.5);
	feed(&b, &rst);
	wire_hint(&d, U, 1000.9);
	wire_status(&d, 1001, OUT, 502);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "keepalive-race");
	assert_int_equal(b.f[0]->attempts[0].leg.nr, 2);
	bench_close(&b);
}

/* Handshakes that fail are the kernel's to tell, as without texts. */
static void test_handshake_failure_passes(void **s)
{
	struct w5_leg l = up_end(1000.1, 1000.2, 1001, W5_END_FIN_IN);
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b, 999);
	wire_get(&d, 1000, IN, "/a");
	up_open(&b, 1000.1);
	l.nr = 0;
	l.flags |= W5_F_HANDSHAKE;
	rec_acked(&l);
	rec_hint(&l, D, 1000.1);
	feed(&b, &l);
	wire_hint(&d, U, 1001);
	wire_status(&d, 1001.1, OUT, 502);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "tls-handshake-failed");
	bench_close(&b);
}

static void test_hostile_texts(void **s)
{
	struct w5_text t = {
		.h = { .ts_ns = ms(1000), .cookie = D, .type = W5_REC_TEXT, .size = sizeof(t) },
		.len = 100,
		.kind = W5_TEXT_HTTP1
	};
	struct wire w;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	engine_feed(b.e, &t.h); /* says more than it has */
	t.len = 0;
	t.dir = 7;
	engine_feed(b.e, &t.h);
	t.dir = 0;
	t.h.cookie = 0;
	engine_feed(b.e, &t.h);
	assert_int_equal(engine_counters(b.e)->bad_records, 3);
	w = wire_of(&b, D);
	wire_line(&w, 1001, IN, "");
	wire_line(&w, 1001, IN, "G");
	wire_line(&w, 1001, OUT, "HTTP/1.1 2");
	bench_settle(&b, 1100);
	assert_int_equal(engine_counters(b.e)->exchanges, 0);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_healthy_turns_are_counted),
		cmocka_unit_test(test_reset_explains_502),
		cmocka_unit_test(test_end_before_its_request_is_read),
		cmocka_unit_test(test_answer_read_after_the_end),
		cmocka_unit_test(test_bytes_without_an_answer),
		cmocka_unit_test(test_backend_502_is_passed_through),
		cmocka_unit_test(test_plain_attempt_of_an_encrypted_client),
		cmocka_unit_test(test_closed_without_a_byte),
		cmocka_unit_test(test_client_left),
		cmocka_unit_test(test_end_after_the_answer_is_no_failure),
		cmocka_unit_test(test_body_cut_short),
		cmocka_unit_test(test_interim_and_bodies_are_not_answers),
		cmocka_unit_test(test_lost_answer),
		cmocka_unit_test(test_without_open),
		cmocka_unit_test(test_kernel_turns_of_texted_conns_are_ignored),
		cmocka_unit_test(test_keepalive_race),
		cmocka_unit_test(test_handshake_failure_passes),
		cmocka_unit_test(test_hostile_texts),
	};

	return cmocka_run_group_tests_name("texts", tests, NULL, NULL);
}
