/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose attempt is it: simultaneous failures, with and without each witness. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../lib/rec.h"

static const struct finding *of_conn(const struct bench *b, uint64_t cookie)
{
	for (size_t i = 0; i < b->n; i++) {
		if (b->f[i]->down.h.cookie == cookie)
			return b->f[i];
	}
	fail_msg("no finding of conn %llu", (unsigned long long)cookie);
	return NULL;
}

static void expect_one(const struct bench *b, uint64_t down, uint64_t up, enum cause cause)
{
	const struct finding *f = of_conn(b, down);

	assert_int_equal(f->nattempts, 1);
	assert_int_equal(f->attempts[0].leg.h.cookie, up);
	assert_string_equal(cause_name(f->cause), cause_name(cause));
}

/* Two failures at once on one nginx worker: the trail tells them apart. */
static void test_same_thread_by_trail(void **s)
{
	struct w5_leg d1 = rec_down(D, 1000, "GET", "/same"),
		      d2 = rec_down(D + 1, 1000.01, "GET", "/same");
	struct w5_leg u1 = rec_connect(U, 1000.1, 17, 111, 1000.3), u2;
	struct bench b;

	bench_open(&b, "nginx");
	u2 = rec_up(U + 1, 1000.12, "GET", "/same", 18, 1);
	rec_end(&u2, 1000.31, W5_END_RST_IN);
	u2.rst_flags = W5_TCP_RST | W5_TCP_ACK;
	rec_acked(&u2);
	rec_tie(&u1, &d1);
	rec_tie(&u2, &d2);
	feed(&b, &u2);
	feed(&b, &u1);
	rec_answer(&d1, 1000.4, 502);
	rec_answer(&d2, 1000.4, 502);
	feed(&b, &d1);
	feed(&b, &d2);
	bench_settle(&b, 1001);
	assert_int_equal(b.n, 2);
	expect_one(&b, D, U, CAUSE_CONN_REFUSED);
	expect_one(&b, D + 1, U + 1, CAUSE_RESET_BEFORE_RESPONSE);
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_CERTAIN);
	assert_int_equal(b.f[1]->confidence, CONFIDENCE_CERTAIN);
	bench_close(&b);
}

static void two_by_target(const char *comm, bool wrong_hints)
{
	struct w5_leg d1 = rec_down(D, 1000, "GET", "/one"),
		      d2 = rec_down(D + 1, 1000, "GET", "/two");
	struct w5_leg u1 = rec_up(U, 1000.1, "GET", "/one", 17, 1),
		      u2 = rec_up(U + 1, 1000.1, "GET", "/two", 18, 1);
	struct bench b;

	bench_open(&b, comm);
	rec_end(&u1, 1010, W5_END_FIN_IN);
	rec_end(&u2, 1010, W5_END_RST_IN);
	u2.rst_flags = W5_TCP_RST | W5_TCP_ACK;
	rec_acked(&u1);
	rec_acked(&u2);
	rec_answer(&d1, 1010.1, 502);
	rec_answer(&d2, 1010.1, 502);
	if (wrong_hints) {
		rec_tie(&u1, &d2);
		rec_tie(&u2, &d1);
	}
	feed(&b, &d2);
	feed(&b, &u1);
	feed(&b, &d1);
	feed(&b, &u2);
	bench_settle(&b, 1011);
	assert_int_equal(b.n, 2);
	expect_one(&b, D, U, CAUSE_CLOSED_BEFORE_RESPONSE);
	expect_one(&b, D + 1, U + 1, CAUSE_RESET_BEFORE_RESPONSE);
	bench_close(&b);
}

static void test_same_thread_by_target(void **s)
{
	two_by_target("nginx", false);
	two_by_target("envoy", false);
}

/* Where the trail may point elsewhere, the target outweighs it. */
static void test_target_outweighs_an_inexact_trail(void **s)
{
	two_by_target("haproxy", true);
}

/* The exchange whose answer follows at once is the one; each failure serves one exchange. */
static void test_same_target_by_time(void **s)
{
	struct w5_leg d1 = rec_down(D, 1000, "GET", "/"), d2 = rec_down(D + 1, 1000, "GET", "/");
	struct w5_leg u1 = rec_up(U, 1000.1, "GET", "/", 17, 1),
		      u2 = rec_up(U + 1, 1000.1, "GET", "/", 18, 1);
	struct bench b;

	bench_open(&b, "envoy");
	rec_end(&u1, 1010, W5_END_FIN_IN);
	rec_end(&u2, 1030, W5_END_RST_IN);
	u2.rst_flags = W5_TCP_RST | W5_TCP_ACK;
	rec_acked(&u1);
	rec_acked(&u2);
	rec_answer(&d2, 1010.1, 502);
	rec_answer(&d1, 1030.1, 502);
	feed(&b, &u1);
	feed(&b, &d2);
	feed(&b, &u2);
	feed(&b, &d1);
	bench_settle(&b, 1011);
	assert_int_equal(b.n, 2);
	expect_one(&b, D + 1, U, CAUSE_CLOSED_BEFORE_RESPONSE);
	expect_one(&b, D, U + 1, CAUSE_RESET_BEFORE_RESPONSE);
	bench_close(&b);
}

static void same_everything(bool same_story, enum confidence want)
{
	struct w5_leg d1 = rec_down(D, 1000, "GET", "/"), d2 = rec_down(D + 1, 1000, "GET", "/");
	struct w5_leg u1 = rec_up(U, 1000.1, "GET", "/", 17, 1);
	struct w5_leg u2 = rec_up(U + 1, 1000.1, "GET", "/", same_story ? 17 : 18, 1);
	struct bench b;

	bench_open(&b, "envoy");
	rec_end(&u1, 1010, W5_END_FIN_IN);
	rec_end(&u2, 1010, same_story ? W5_END_FIN_IN : W5_END_RST_IN);
	u2.rst_flags = W5_TCP_RST | W5_TCP_ACK;
	rec_acked(&u1);
	rec_acked(&u2);
	rec_answer(&d1, 1010.1, 502);
	rec_answer(&d2, 1010.1, 502);
	feed(&b, &u1);
	feed(&b, &u2);
	feed(&b, &d1);
	feed(&b, &d2);
	bench_settle(&b, 1011);
	assert_int_equal(b.n, 2);
	assert_int_equal(b.f[0]->confidence, want);
	assert_int_equal(b.f[1]->confidence, want);
	if (same_story) {
		assert_int_equal(b.f[0]->nattempts, 1);
		assert_int_not_equal(b.f[0]->attempts[0].leg.h.cookie,
				     b.f[1]->attempts[0].leg.h.cookie);
	} else {
		assert_int_equal(b.f[0]->nattempts, 2);
		assert_true(b.f[0]->attempts[0].doubtful);
		assert_true(b.f[0]->attempts[1].doubtful);
		assert_int_not_equal(finding_last_attempt(b.f[0])->leg.h.cookie,
				     finding_last_attempt(b.f[1])->leg.h.cookie);
	}
	bench_close(&b);
}

static void test_two_that_fit_equally_are_ambiguous(void **s)
{
	same_everything(false, CONFIDENCE_AMBIGUOUS);
}

static void test_two_with_one_story_are_likely(void **s)
{
	same_everything(true, CONFIDENCE_LIKELY);
}

static void test_attempt_after_its_exchange(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), u = rec_up(U, 1000.1, "GET", "/a", 17, 1);
	struct bench b;

	bench_open(&b, "nginx");
	rec_answer(&d, 2500.1, 504);
	feed(&b, &d);
	rec_acked(&u);
	rec_end(&u, 2500.2, W5_END_FIN_OUT);
	rec_hint(&u, D, 1000);
	feed(&b, &u);
	bench_settle(&b, 2501);
	assert_int_equal(b.n, 1);
	expect_one(&b, D, U, CAUSE_BACKEND_SLOW);
	bench_close(&b);
}

/* A failure that came after the answer left cannot be its reason. */
static void test_later_failure_is_not_the_reason(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), u = rec_up(U, 1000.1, "GET", "/a", 17, 1);
	struct bench b;

	bench_open(&b, "nginx");
	rec_answer(&d, 1001, 502);
	feed(&b, &d);
	rec_end(&u, 1020, W5_END_RST_IN);
	rec_hint(&u, D, 1000);
	feed(&b, &u);
	bench_settle(&b, 1030);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->nattempts, 0);
	bench_close(&b);
}

/* Another worker's failure with the same target is not ours. */
static void test_other_process_is_not_ours(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), u = rec_up(U, 1000.1, "GET", "/a", 17, 1);
	struct bench b;

	bench_open(&b, "nginx");
	rec_gateway(b.e, REC_GW + 1, REC_GW, "nginx");
	u.tgid = u.tid = REC_GW + 1;
	rec_end(&u, 1000.3, W5_END_RST_IN);
	feed(&b, &u);
	rec_answer(&d, 1000.4, 502);
	feed(&b, &d);
	bench_settle(&b, 1030);
	assert_int_equal(b.f[0]->nattempts, 0);
	assert_int_equal(b.f[0]->gateway_group, REC_GW);
	bench_close(&b);
}

static void test_request_id_joins_rewritten_targets(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/api/v1/cart"),
		      u = rec_up(U, 1000.1, "GET", "/x", 17, 1);
	struct bench b;

	bench_open(&b, "envoy");
	rec_head(&d, "GET", "/api/v1/cart", "shop.example", "X-Request-ID: 0a1b2c3d4e5f\r\n");
	rec_head(&u, "GET", "/x", "be", "x-request-id: 0a1b2c3d4e5f\r\n");
	rec_end(&u, 1000.3, W5_END_FIN_IN);
	rec_acked(&u);
	feed(&b, &u);
	rec_answer(&d, 1000.4, 502);
	feed(&b, &d);
	bench_settle(&b, 1030);
	expect_one(&b, D, U, CAUSE_CLOSED_BEFORE_RESPONSE);
	assert_true(b.f[0]->witness & WITNESS_REQUEST_ID);
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_CERTAIN);
	assert_string_equal(b.f[0]->request_id, "0a1b2c3d4e5f");
	bench_close(&b);
}

/* nginx with a rewriting proxy_pass: trail against a different target. */
static void test_rewritten_target_by_trail(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/shop/cart"),
		      u = rec_up(U, 1000.1, "GET", "/v2/basket", 17, 1);
	struct bench b;

	bench_open(&b, "nginx");
	rec_end(&u, 1000.3, W5_END_FIN_IN);
	rec_acked(&u);
	rec_tie(&u, &d);
	feed(&b, &u);
	rec_answer(&d, 1000.4, 502);
	feed(&b, &d);
	bench_settle(&b, 1030);
	expect_one(&b, D, U, CAUSE_CLOSED_BEFORE_RESPONSE);
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_CERTAIN);
	bench_close(&b);
}

/* An answer without any try must not take the failure of another client's request. */
static void test_no_live_does_not_steal(void **s)
{
	struct w5_leg d1 = rec_down(D, 1000, "GET", "/"), d2 = rec_down(D + 1, 1000.05, "GET", "/");
	struct w5_leg u = rec_connect(U, 1000.1, 17, 111, 1000.2);
	struct bench b;

	bench_open(&b, "nginx");
	rec_tie(&u, &d1);
	feed(&b, &u);
	rec_answer(&d1, 1000.3, 502);
	rec_hint(&d2, U, 1000.3);
	rec_answer(&d2, 1000.31, 502);
	feed(&b, &d1);
	feed(&b, &d2);
	bench_settle(&b, 1030);
	expect_one(&b, D, U, CAUSE_CONN_REFUSED);
	assert_int_equal(of_conn(&b, D + 1)->nattempts, 0);
	assert_string_equal(cause_name(of_conn(&b, D + 1)->cause), "no-live-upstream");
	assert_int_equal(of_conn(&b, D + 1)->linked_id, of_conn(&b, D)->id);
	bench_close(&b);
}

/* HAProxy: three retries, one second apart, on the same server. No head, thread alone. */
static void test_haproxy_retries(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	bench_open(&b, "haproxy");
	for (int i = 0; i < 4; i++) {
		struct w5_leg u = rec_connect(U + i, 1000.1 + i * 1000, 17, 111, 1000.3 + i * 1000);

		rec_hint(&u, D, 1000);
		feed(&b, &u);
		rec_tick(b.e, 1001 + i * 1000);
	}
	rec_answer(&d, 4000.4, 503);
	rec_hint(&d, U + 3, 4000.3);
	feed(&b, &d);
	bench_settle(&b, 4001);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->nattempts, 4);
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_LIKELY);
	assert_string_equal(cause_name(b.f[0]->cause), "conn-refused");
	bench_close(&b);
}

/* A thousand at once, all alike but for the trail: every one gets its own. */
static void test_a_thousand_at_once(void **s)
{
	const int n = 1000;
	struct bench b;

	bench_open(&b, "nginx");
	for (int i = 0; i < n; i++) {
		struct w5_leg d = rec_down(D + 10000 + i, 1000 + i * 0.01, "GET", "/");
		struct w5_leg u = rec_connect(U + 20000 + i, 1000.1 + i * 0.01, 1 + i % 200, 111,
					      1000.3 + i * 0.01);

		rec_tie(&u, &d);
		feed(&b, &u);
		rec_answer(&d, 1000.4 + i * 0.01, 502);
		feed(&b, &d);
	}
	bench_settle(&b, 1100);
	assert_int_equal(b.n, n);
	for (int i = 0; i < n; i++) {
		assert_int_equal(b.f[i]->nattempts, 1);
		assert_int_equal(b.f[i]->down.h.cookie - D - 10000,
				 b.f[i]->attempts[0].leg.h.cookie - U - 20000);
		assert_int_equal(b.f[i]->confidence, CONFIDENCE_CERTAIN);
	}
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_thread_by_trail),
		cmocka_unit_test(test_same_thread_by_target),
		cmocka_unit_test(test_target_outweighs_an_inexact_trail),
		cmocka_unit_test(test_same_target_by_time),
		cmocka_unit_test(test_two_that_fit_equally_are_ambiguous),
		cmocka_unit_test(test_two_with_one_story_are_likely),
		cmocka_unit_test(test_attempt_after_its_exchange),
		cmocka_unit_test(test_later_failure_is_not_the_reason),
		cmocka_unit_test(test_other_process_is_not_ours),
		cmocka_unit_test(test_request_id_joins_rewritten_targets),
		cmocka_unit_test(test_rewritten_target_by_trail),
		cmocka_unit_test(test_no_live_does_not_steal),
		cmocka_unit_test(test_haproxy_retries),
		cmocka_unit_test(test_a_thousand_at_once),
	};

	return cmocka_run_group_tests_name("correlation", tests, NULL, NULL);
}
