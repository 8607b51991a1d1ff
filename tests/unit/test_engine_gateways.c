/* SPDX-License-Identifier: BSD-2-Clause */
/* Gateways that are not nginx: doubtful trails, tries in a row, answers nobody waits for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../lib/rec.h"

static const struct finding *only(const struct bench *b)
{
	assert_int_equal(b->n, 1);
	return b->f[0];
}

static void assert_cause(const struct finding *f, const char *want)
{
	assert_string_equal(cause_name(f->cause), want);
}

/* HAProxy: a silent backend, a client that leaves, the answer when its timer ends. */
static void late_answer(struct bench *b, bool reset)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), u = rec_up(U, 1000.1, "GET", "/a", 17, 1);

	bench_open(b, "haproxy");
	rec_tie(&u, &d);
	rec_acked(&u);
	d.fin_in_ns = ms(1300);
	rec_answer(&d, 2500, 504);
	feed(b, &d);
	rec_end(&u, 2500.1, W5_END_RST_OUT);
	feed(b, &u);
	d.h.type = W5_REC_END;
	rec_end(&d, 2500.2, reset ? W5_END_RST_IN : W5_END_FIN_OUT);
	feed(b, &d);
	bench_settle(b, 2501);
}

static void test_nobody_read_the_answer(void **s)
{
	struct bench b;

	late_answer(&b, true);
	assert_cause(only(&b), "client-abort");
	assert_int_equal(b.f[0]->verdict, VERDICT_CLIENT);
	assert_int_equal(b.f[0]->nattempts, 1);
	bench_close(&b);
}

/* shutdown(SHUT_WR) is a FIN too, but then the answer is read. */
static void test_half_closed_client_is_answered(void **s)
{
	struct bench b;

	late_answer(&b, false);
	assert_cause(only(&b), "backend-slow");
	bench_close(&b);
}

/* Apache answers 502 when the rest of a header does not come within its timeout. */
static void header_of(struct bench *b, double closed)
{
	static const char part[] = "HTTP/1.1 200 OK\r\nContent-Le";
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), u = rec_up(U, 1000.1, "GET", "/a", 17, 1);

	bench_open(b, "apache2");
	rec_tie(&u, &d);
	rec_answer(&u, 1000.2, 200);
	rec_resp(&u, part, sizeof(part) - 1, sizeof(part) - 1);
	feed(b, &u);
	rec_answer(&d, closed + 0.1, 502);
	feed(b, &d);
	u.h.type = W5_REC_END;
	rec_end(&u, closed, W5_END_FIN_OUT);
	feed(b, &u);
	bench_settle(b, closed + 1);
}

static void test_timer_behind_a_502(void **s)
{
	struct bench b;

	header_of(&b, 3000.2);
	assert_cause(only(&b), "gateway-timeout-local");
	bench_close(&b);
}

static void test_no_timer_when_it_closed_at_once(void **s)
{
	struct bench b;

	header_of(&b, 1000.3);
	assert_cause(only(&b), "insufficient-evidence");
	bench_close(&b);
}

/* HAProxy connects again after a second; its thread has worked for others by then. */
static void test_second_try_with_a_strangers_hint(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"),
		      a = rec_connect(U, 1000.05, 17, 111, 1000.1),
		      r = rec_connect(U + 1, 2000.1, 17, 111, 2000.15);
	struct bench b;

	bench_open(&b, "haproxy");
	rec_hint(&a, D, 1000);
	rec_hint(&r, D + 77, 1998);
	feed(&b, &a);
	feed(&b, &r);
	rec_answer(&d, 2000.2, 503);
	feed(&b, &d);
	bench_settle(&b, 2001);
	assert_cause(only(&b), "conn-refused");
	assert_int_equal(b.f[0]->nattempts, 2);
	assert_int_equal(b.f[0]->attempts[1].leg.h.cookie, U + 1);
	bench_close(&b);
}

/* The first try took another's turn, the second is nobody's: end and answer give them away. */
static void test_both_tries_with_a_strangers_hint(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"),
		      a = rec_connect(U, 1000.05, 17, 0, 2200.1),
		      r = rec_connect(U + 1, 2200.15, 17, 0, 3400.2);
	struct bench b;

	bench_open(&b, "haproxy");
	rec_hint(&a, D + 77, 1000.02);
	rec_hint(&r, 0, 0);
	feed(&b, &a);
	feed(&b, &r);
	rec_answer(&d, 3400.3, 503);
	feed(&b, &d);
	bench_settle(&b, 3401);
	assert_cause(only(&b), "conn-timeout-syn");
	assert_int_equal(b.f[0]->nattempts, 2);
	assert_true(b.f[0]->confidence > CONFIDENCE_CERTAIN);
	bench_close(&b);
}

/* The connect that its thread came from when it answered was in another's turn; its own was
 * nobody's, because its request is older than we are. */
static void test_an_older_request_has_no_turn(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), d2 = rec_down(D + 1, 1000.3, "GET", "/b"),
		      own = rec_connect(U, 1000.1, 17, 111, 1000.2),
		      other = rec_connect(U + 1, 1000.4, 17, 111, 1000.45);
	struct bench b;

	bench_open(&b, "haproxy");
	d.head_len = d.req_bytes = 0;
	d.req_ns = d.req_last_ns = d.open_ns = 0;
	d.flags |= W5_F_OLDER;
	rec_hint(&other, D + 1, 1000.3);
	feed(&b, &own);
	feed(&b, &other);
	rec_answer(&d, 1000.5, 503);
	rec_hint(&d, U + 1, 1000.45);
	feed(&b, &d);
	rec_answer(&d2, 1000.6, 503);
	rec_hint(&d2, U + 1, 1000.45);
	feed(&b, &d2);
	bench_settle(&b, 1001);
	assert_int_equal(b.n, 2);
	for (size_t i = 0; i < b.n; i++) {
		assert_cause(b.f[i], "conn-refused");
		assert_int_equal(b.f[i]->nattempts, 1);
		assert_int_equal(b.f[i]->attempts[0].leg.h.cookie, U + i);
	}
	bench_close(&b);
}

/* A health check long after the request was read is not its attempt. */
static void test_health_check_is_not_an_attempt(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), check;
	struct bench b;

	bench_open(&b, "haproxy");
	check = rec_connect(U, 1100, 18, 111, 1100.05);
	rec_hint(&check, D, 1000);
	feed(&b, &check);
	rec_answer(&d, 1100.1, 503);
	rec_hint(&d, U, 1100.05);
	feed(&b, &d);
	bench_settle(&b, 1101);
	assert_int_equal(only(&b)->nattempts, 0);
	assert_cause(b.f[0], "insufficient-evidence");
	bench_close(&b);
}

/* Another's connect in the middle of an attempt that names the request. */
static void test_a_connect_meanwhile_is_anothers(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), u = rec_up(U, 1000.1, "GET", "/a", 17, 1),
		      c = rec_connect(U + 1, 1000.2, 18, 111, 2500);
	struct bench b;

	bench_open(&b, "haproxy");
	rec_tie(&u, &d);
	rec_acked(&u);
	rec_hint(&c, D, 1000);
	feed(&b, &c);
	rec_answer(&d, 2500.05, 504);
	rec_hint(&d, U + 1, 2500);
	feed(&b, &d);
	rec_end(&u, 2500.1, W5_END_RST_OUT);
	feed(&b, &u);
	bench_settle(&b, 2501);
	assert_cause(only(&b), "backend-slow");
	assert_int_equal(b.f[0]->nattempts, 1);
	bench_close(&b);
}

/* A thread of Go goes on with what it read; one of HAProxy may send for somebody else. */
static size_t refused_then_answered(const char *comm, struct bench *b)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"),
		      a = rec_connect(U, 1000.1, 17, 111, 1000.15),
		      u = rec_up(U + 1, 1000.3, "GET", "/a", 18, 3);

	bench_open(b, comm);
	rec_hint(&a, D, 1000);
	feed(b, &a);
	rec_hint(&u, D, 1000.2);
	rec_answer(&u, 1000.4, 200);
	feed(b, &u);
	rec_answer(&d, 1000.5, 200);
	rec_hint(&d, U + 1, 1000.4);
	feed(b, &d);
	bench_settle(b, 1001);
	return b->n;
}

static void test_recovered_on_another_peer(void **s)
{
	struct bench b;

	assert_int_equal(refused_then_answered("caddy", &b), 1);
	assert_cause(b.f[0], "retry-recovered");
	assert_int_equal(b.f[0]->nattempts, 2);
	assert_int_equal(b.f[0]->attempts[0].leg.h.cookie, U);
	assert_int_equal(b.f[0]->attempts[1].leg.h.cookie, U + 1);
	bench_close(&b);
	assert_int_equal(refused_then_answered("haproxy", &b), 0);
	bench_close(&b);
}

/* HAProxy: its thread had just let go of the failed connect when it sent the request elsewhere. */
static size_t let_go_then_sent(struct bench *b, uint64_t hint, uint8_t after)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"),
		      a = rec_connect(U, 1000.1, 17, 111, 1000.15),
		      u = rec_up(U + 1, 1000.3, "GET", "/a", 18, 3);

	bench_open(b, "haproxy");
	rec_hint(&a, hint, 1000);
	feed(b, &a);
	rec_hint(&u, hint, 1000.2);
	u.after = after;
	rec_answer(&u, 1000.4, 200);
	feed(b, &u);
	rec_answer(&d, 1000.5, 200);
	rec_hint(&d, U + 1, 1000.4);
	feed(b, &d);
	bench_settle(b, 1001);
	return b->n;
}

static void test_recovered_after_letting_go(void **s)
{
	struct bench b;

	assert_int_equal(let_go_then_sent(&b, D, W5_AFTER(U)), 1);
	assert_cause(b.f[0], "retry-recovered");
	assert_int_equal(b.f[0]->nattempts, 2);
	assert_int_equal(b.f[0]->attempts[0].leg.h.cookie, U);
	bench_close(&b);
	/* It was the turn of another's request: that one waits for its pause to be over. */
	assert_int_equal(let_go_then_sent(&b, D + 77, W5_AFTER(U)), 0);
	bench_close(&b);
	/* It was another conn that the thread let go of. */
	assert_int_equal(let_go_then_sent(&b, D, W5_AFTER(U + 1)), 0);
	bench_close(&b);
}

/* Two that fail at the same time in one thread: whose turn it was tells them apart. */
static void test_each_connect_in_its_turn(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), d2 = rec_down(D + 1, 1000, "GET", "/b"),
		      a = rec_connect(U, 1020, 17, 111, 1020.1),
		      a2 = rec_connect(U + 1, 1020.05, 18, 111, 1020.1);
	struct bench b;

	bench_open(&b, "haproxy");
	rec_hint(&a, D, 1000);
	rec_hint(&a2, D + 1, 1000);
	feed(&b, &a);
	feed(&b, &a2);
	rec_answer(&d2, 1020.3, 503);
	feed(&b, &d2);
	rec_answer(&d, 1020.4, 503);
	feed(&b, &d);
	bench_settle(&b, 1021);
	assert_int_equal(b.n, 2);
	assert_int_equal(b.f[0]->attempts[0].leg.h.cookie, U + 1);
	assert_int_equal(b.f[1]->attempts[0].leg.h.cookie, U);
	bench_close(&b);
}

/* A failure while the request was served, and no sign whose: not "made by its rules". */
static void test_failure_meanwhile_leaves_it_open(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"),
		      a = rec_connect(U, 1000.1, 17, 111, 1000.15);
	struct bench b;

	bench_open(&b, "caddy");
	a.tid = REC_GW + 1;
	rec_hint(&a, D + 77, 1000.05);
	feed(&b, &a);
	rec_answer(&d, 1000.4, 502);
	feed(&b, &d);
	bench_settle(&b, 1001);
	assert_cause(only(&b), "insufficient-evidence");
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_read_the_answer),
		cmocka_unit_test(test_half_closed_client_is_answered),
		cmocka_unit_test(test_timer_behind_a_502),
		cmocka_unit_test(test_no_timer_when_it_closed_at_once),
		cmocka_unit_test(test_second_try_with_a_strangers_hint),
		cmocka_unit_test(test_both_tries_with_a_strangers_hint),
		cmocka_unit_test(test_an_older_request_has_no_turn),
		cmocka_unit_test(test_health_check_is_not_an_attempt),
		cmocka_unit_test(test_a_connect_meanwhile_is_anothers),
		cmocka_unit_test(test_recovered_on_another_peer),
		cmocka_unit_test(test_recovered_after_letting_go),
		cmocka_unit_test(test_each_connect_in_its_turn),
		cmocka_unit_test(test_failure_meanwhile_leaves_it_open),
	};

	return cmocka_run_group_tests_name("gateways", tests, NULL, NULL);
}
