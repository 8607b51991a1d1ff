// SPDX-License-Identifier: BSD-2-Clause
/* The gateway's timer, learned by repetition, and answers that came after it. */
#include "../lib/explain.h"
#include "../lib/rec_text.h"

/* A slow backend: asked at t, given up after `waited` ms. Returns its finding. */
static struct finding *slow(struct bench *b, unsigned n, double t, double waited, unsigned upstream,
			    const char *target)
{
	struct w5_leg d = rec_down(D + n, t, "GET", target),
		      up = rec_up(U + n, t + 0.1, "GET", target, upstream, 1);

	rec_acked(&up);
	rec_end(&up, t + 0.1 + waited, W5_END_FIN_OUT);
	rec_answer(&d, t + 0.2 + waited, 504);
	rec_tie(&up, &d);
	feed(b, &up);
	feed(b, &d);
	rec_tick(b->e, t + waited + 100);
	assert_true(b->n > 0);
	return b->f[b->n - 1];
}

static void late(struct bench *b, unsigned n, double t, double closed, double came, uint16_t status)
{
	struct w5_late r = { .h = { .ts_ns = ms(t + 0.1 + came),
				    .cookie = U + n,
				    .type = W5_REC_LATE,
				    .size = sizeof(r) },
			     .remote = rec_ip(18),
			     .rport = 8080,
			     .req_ns = ms(t + 0.1),
			     .req_last_ns = ms(t + 0.1),
			     .closed_ns = ms(t + 0.1 + closed),
			     .bytes = 120,
			     .status = status };

	engine_feed(b->e, &r.h);
}

static void test_the_same_wait_again_and_again_is_a_timer(void **s)
{
	static const double waits[] = { 5000, 5012, 5003, 5058 }; /* late, never early */
	struct finding *f = NULL;
	struct bench b;

	bench_open(&b, "nginx");
	for (unsigned i = 0; i < 4; i++) {
		f = slow(&b, i, 1000 + 6000 * i, waits[i], 18, "/a/1");
		assert_int_equal(f->timer.seen, i + 1);
	}
	assert_int_equal(f->timer.ns, 5000ull * 1000000);
	assert_int_equal(f->timer.phase, TIMER_ANSWER);
	assert_true(has_evidence(f, "the gateway's timer for an answer: 5.00 s, seen 4 times"));
	assert_int_equal(f->timer.late_seen, 0);
	/* Another wait, another upstream: other timers. */
	assert_int_equal(slow(&b, 10, 30000, 5200, 18, "/a/1")->timer.seen, 1);
	assert_int_equal(slow(&b, 11, 40000, 5000, 19, "/a/1")->timer.seen, 1);
	assert_int_equal(slow(&b, 12, 50000, 5001, 18, "/b/1")->timer.seen, 5);
	bench_close(&b);
}

static void test_an_end_that_is_no_timer_teaches_nothing(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"),
		      up = rec_up(U, 1000.1, "GET", "/a", 18, 1);
	struct bench b;

	rec_acked(&up);
	rec_end(&up, 6000, W5_END_FIN_IN);
	bench_open(&b, "nginx");
	assert_int_equal(explain_one(&b, &up, 502, 6000.1)->timer.seen, 0);
	(void)d;
	bench_close(&b);
}

static void test_a_connect_has_a_timer_of_its_own(void **s)
{
	struct w5_leg up = rec_connect(U, 1000.1, 18, 0, 2200.1);
	struct bench b;
	struct finding *f;

	up.syn_sent = 2;
	bench_open(&b, "nginx");
	f = explain_one(&b, &up, 504, 2200.2);
	assert_int_equal(f->cause, CAUSE_CONN_TIMEOUT_SYN);
	assert_int_equal(f->timer.seen, 1);
	assert_int_equal(f->timer.phase, TIMER_CONNECT);
	bench_close(&b);
}

static void test_both_times_are_told_when_the_answer_came_too_late(void **s)
{
	struct bench b;
	struct finding *f;

	bench_open(&b, "nginx");
	slow(&b, 1, 1000, 5000, 18, "/a/1");
	late(&b, 1, 1000, 5000, 8000, 200);
	f = slow(&b, 2, 20000, 5001, 18, "/a/2");
	assert_int_equal(f->timer.late_seen, 1);
	assert_int_equal(f->timer.late_longest_ns, 8000ull * 1000000);
	assert_true(
		strstr(f->next, "answers such requests after 8.00 s, the gateway waits 5.00 s"));
	assert_true(has_evidence(f, "1 answer to such requests came too late: after 8.00 s"));
	/* Of another route nothing is known. */
	assert_int_equal(slow(&b, 3, 40000, 5000, 18, "/b/1")->timer.late_seen, 0);
	bench_close(&b);
}

/* An answer whose start could not be read, or one that came in the last moment. */
static void test_a_late_answer_is_known_by_its_time(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	slow(&b, 1, 1000, 5000, 18, "/a/1");
	late(&b, 1, 1000, 5000, 8000, 0);
	assert_int_equal(slow(&b, 2, 20000, 5001, 18, "/a/2")->timer.late_seen, 1);
	late(&b, 2, 20000, 5001, 5050, 200);
	assert_int_equal(slow(&b, 3, 30000, 5001, 18, "/a/2")->timer.late_seen, 2);
	bench_close(&b);
}

/* The answer to the gateway's FIN, another turn of the conn, or times that cannot be: no answer. */
static void test_what_came_late_and_was_no_answer(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	slow(&b, 1, 1000, 5000, 18, "/a/1");
	late(&b, 1, 1000, 5000, 5100, 0);
	late(&b, 1, 1000.5, 5000, 8000, 200);
	late(&b, 1, 1000, -1, 8000, 200);
	late(&b, 9, 1000, 5000, 8000, 200);
	assert_int_equal(slow(&b, 2, 20000, 5001, 18, "/a/2")->timer.late_seen, 0);
	bench_close(&b);
}

/* More places than are kept: no end of memory, and the newest are known. */
static void test_the_tables_are_bounded(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	for (unsigned i = 0; i < 700; i++) {
		struct w5_leg d = rec_down(D + i, 1000 + i, "GET", "/a"),
			      up = rec_up(U + 1000 + i, 1000.1 + i, "GET", "/a", 18, 1);

		up.rport = (uint16_t)(2000 + i);
		rec_acked(&up);
		rec_end(&up, 6000 + i, W5_END_FIN_OUT);
		rec_answer(&d, 6000.1 + i, 504);
		rec_tie(&up, &d);
		feed(&b, &up);
		feed(&b, &d);
	}
	bench_settle(&b, 8000);
	assert_int_equal(b.n, 700);
	assert_int_equal(b.f[699]->timer.seen, 1);
	bench_close(&b);
}

/* Over TLS the request is known by its text, a little before its packet. */
static void test_a_late_answer_over_tls(void **s)
{
	struct wire d, u;
	struct w5_leg l;
	struct bench b;

	for (unsigned answered = 0; answered < 2; answered++) {
		bench_open(&b, "nginx");
		d = wire_open(&b, D, W5_ROLE_DOWNSTREAM, 990);
		u = wire_open(&b, U, W5_ROLE_UPSTREAM, 999);
		wire_get(&d, 999.9, IN, "/a/1");
		wire_hint(&u, D, 999.9);
		wire_get(&u, 1000, OUT, "/a/1");
		if (answered)
			wire_status(&u, 1010, IN, 200);
		l = rec_conn(U, W5_ROLE_UPSTREAM, 999);
		l.remote = rec_ip(18);
		l.h.type = W5_REC_END;
		l.phase = W5_PHASE_RESPONSE; /* session tickets */
		l.nr = 1;
		l.req_ns = l.req_last_ns = ms(1000.1);
		l.resp_ns = l.last_ns = ms(1000.5);
		l.req_bytes = l.req_acked = 200;
		l.resp_bytes = 300;
		rec_end(&l, 6000.1, W5_END_FIN_OUT);
		feed(&b, &l);
		wire_status(&d, 6000.2, OUT, answered ? 200 : 504);
		bench_settle(&b, 7000);
		late(&b, 0, 1000, 5000, 8000, 0);
		assert_int_equal(slow(&b, 2, 20000, 5001, 18, "/a/2")->timer.late_seen, !answered);
		bench_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_wait_again_and_again_is_a_timer),
		cmocka_unit_test(test_an_end_that_is_no_timer_teaches_nothing),
		cmocka_unit_test(test_a_connect_has_a_timer_of_its_own),
		cmocka_unit_test(test_both_times_are_told_when_the_answer_came_too_late),
		cmocka_unit_test(test_a_late_answer_is_known_by_its_time),
		cmocka_unit_test(test_what_came_late_and_was_no_answer),
		cmocka_unit_test(test_a_late_answer_over_tls),
		cmocka_unit_test(test_the_tables_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
