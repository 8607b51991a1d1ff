/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP/1 in plain text of encrypted conns: its turns. */
#include "../lib/rec_text.h"
#include "text_conns.h"

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

/* An answer that is read by a call that began before us: the kernel tells of its bytes alone. */
static void answered_unread(struct bench *b, double req, double resp)
{
	struct w5_leg l = up_end_with(0, req, resp, 150, 0, W5_END_NONE);

	l.h.type = W5_REC_ATTEMPT;
	l.h.ts_ns = ms(resp);
	l.flags |= W5_F_OLDER;
	l.open_ns = l.end_ns = 0;
	feed(b, &l);
}

/* A conn older than us whose first request is read, and whose first answer is not. */
static struct wire older_open(struct bench *b, double t)
{
	struct w5_leg l = rec_conn(U, W5_ROLE_UPSTREAM, t);
	struct wire w = wire_of(b, U);

	l.flags |= W5_F_OLDER;
	l.open_ns = 0;
	feed(b, &l);
	w.flags = W5_TEXT_OLDER;
	return w;
}

/* late: the text of the request comes when it has been answered. */
static void first_answer(bool late, uint16_t status)
{
	struct wire d, u;
	struct bench b;

	bench_open(&b, "caddy");
	d = down_open(&b, 999);
	wire_get(&d, 1000, IN, "/a");
	u = older_open(&b, 1001);
	wire_hint(&u, D, 1000);
	if (late)
		answered_unread(&b, 1001, 1002);
	wire_get(&u, 1001, OUT, "/a");
	if (!late)
		answered_unread(&b, 1001, 1002);
	wire_hint(&d, U, 1002);
	wire_status(&d, 1003, OUT, status);
	/* The next one is a turn of its own. */
	wire_get(&d, 1010, IN, "/b");
	wire_hint(&u, D, 1010);
	wire_get(&u, 1011, OUT, "/b");
	wire_status(&u, 1012, IN, 503);
	wire_status(&d, 1013, OUT, 503);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1 + (status >= 500));
	for (size_t i = 0; i < b.n; i++) {
		assert_string_equal(cause_name(b.f[i]->cause), "backend-5xx");
		assert_int_equal(b.f[i]->nattempts, 1);
	}
	if (status >= 500) {
		assert_int_equal(b.f[0]->verdict, VERDICT_PASSED_THROUGH);
		assert_int_equal(b.f[0]->confidence, CONFIDENCE_LIKELY);
		assert_non_null(strstr(b.f[0]->why, "TLS connection older than why502"));
		assert_null(strstr(b.f[0]->why, "HTTP/2"));
		for (size_t i = 0; i < b.f[0]->nevidence; i++)
			assert_null(strstr(b.f[0]->evidence[i], "beginning"));
	}
	assert_int_equal(b.f[b.n - 1]->confidence, CONFIDENCE_CERTAIN);
	assert_int_equal(b.f[b.n - 1]->attempts[0].leg.status, 503);
	bench_close(&b);
}

static void test_first_answer_of_an_older_conn(void **s)
{
	(void)s;
	first_answer(false, 502);
	first_answer(true, 502);
	first_answer(false, 200);
}

/* The same without a word of the answer's bytes: nothing is made up of it. */
static void test_first_answer_that_nobody_saw(void **s)
{
	struct wire d, u;
	struct bench b;

	(void)s;
	bench_open(&b, "caddy");
	d = down_open(&b, 999);
	wire_get(&d, 1000, IN, "/a");
	u = older_open(&b, 1001);
	wire_hint(&u, D, 1000);
	wire_get(&u, 1001, OUT, "/a");
	wire_status(&d, 1003, OUT, 200);
	wire_get(&d, 1010, IN, "/b");
	wire_hint(&u, D, 1010);
	wire_get(&u, 1011, OUT, "/b");
	wire_status(&u, 1012, IN, 503);
	wire_status(&d, 1013, OUT, 503);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "backend-5xx");
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
		cmocka_unit_test(test_backend_502_is_passed_through),
		cmocka_unit_test(test_first_answer_of_an_older_conn),
		cmocka_unit_test(test_first_answer_that_nobody_saw),
		cmocka_unit_test(test_plain_attempt_of_an_encrypted_client),
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
