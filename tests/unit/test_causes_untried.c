/* SPDX-License-Identifier: BSD-2-Clause */
/* Causes of exchanges that nobody tried, or of which too little is known. */
#include "../lib/rec.h"
#include "exchange_legs.h"

static void test_three_retries_then_no_live_upstream(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/shop/1"), d2;
	struct finding *f;
	struct bench b;

	bench_open(&b, "nginx");
	for (unsigned i = 0; i < 3; i++)
		refused(&b, &d, U + i, 1000.1 + i * 0.3, 17 + i);
	answer(&b, &d, 1001, 502);
	rec_tick(b.e, 1500);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->nattempts, 3);
	assert_int_equal(finding_last_attempt(b.f[0])->leg.remote.ip[15], 19);
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_CERTAIN);

	d2 = rec_down(D + 1, 2000, "GET", "/shop/2");
	rec_hint(&d2, U + 2, 1000.9);
	answer(&b, &d2, 2000.1, 502);
	bench_settle(&b, 2000);
	assert_int_equal(b.n, 2);
	f = b.f[1];
	assert_string_equal(cause_name(f->cause), "no-live-upstream");
	assert_int_equal(f->confidence, CONFIDENCE_CERTAIN);
	assert_int_equal(f->linked_id, b.f[0]->id);
	assert_int_equal(f->nattempts, 0);
	assert_non_null(strstr(f->why, "conn-refused"));
	assert_non_null(strstr(f->next, "finding 1"));
	bench_close(&b);
}

static void test_failures_of_long_ago_do_not_explain(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/shop/1"), d2;
	struct bench b;

	bench_open(&b, "nginx");
	refused(&b, &d, U, 1000.1, 17);
	answer(&b, &d, 1001, 502);
	d2 = rec_down(D + 1, 12000, "GET", "/shop/2");
	answer(&b, &d2, 12000.1, 502);
	bench_settle(&b, 12000);
	assert_int_equal(b.n, 2);
	assert_string_equal(cause_name(b.f[1]->cause), "gateway-generated");
	assert_int_equal(b.f[1]->confidence, CONFIDENCE_LIKELY);
	bench_close(&b);
}

/* Apache keeps a failed balancer member out for 60 s. */
static void test_hold_down_depends_on_the_gateway(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/shop/1"), d2;
	struct bench b;

	bench_open(&b, "apache2");
	refused(&b, &d, U, 1000.1, 17);
	answer(&b, &d, 1001, 503);
	d2 = rec_down(D + 1, 12000, "GET", "/shop/2");
	answer(&b, &d2, 12000.1, 503);
	bench_settle(&b, 12000);
	assert_string_equal(cause_name(b.f[1]->cause), "no-live-upstream");
	bench_close(&b);
}

static void untried(const char *host, const char *target, uint16_t status, enum cause want,
		    enum confidence conf)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/shop/1"), d2;
	struct bench b;

	bench_open(&b, "nginx");
	refused(&b, &d, U, 1000.1, 17);
	answer(&b, &d, 1001, 502);
	d2 = rec_down(D + 1, 2000, "GET", target);
	rec_head(&d2, "GET", target, host, NULL);
	answer(&b, &d2, 2000.1, status);
	bench_settle(&b, 2000);
	assert_int_equal(b.n, 2);
	assert_string_equal(cause_name(b.f[1]->cause), cause_name(want));
	assert_int_equal(b.f[1]->confidence, conf);
	bench_close(&b);
}

/* How near the earlier failure is decides how much it explains. */
static void test_untried_beside_a_failure(void **s)
{
	untried("shop.example", "/shop/2", 502, CAUSE_NO_LIVE_UPSTREAM, CONFIDENCE_CERTAIN);
	untried("shop.example", "/other", 502, CAUSE_NO_LIVE_UPSTREAM, CONFIDENCE_LIKELY);
	untried("blog.example", "/other", 502, CAUSE_INSUFFICIENT_EVIDENCE, CONFIDENCE_LIKELY);
	/* nginx says 502 when no upstream is alive; its own 503 comes from limits or rules. */
	untried("shop.example", "/shop/2", 503, CAUSE_GATEWAY_GENERATED, CONFIDENCE_LIKELY);
}

static void test_generated_without_any_failure(void **s)
{
	struct w5_leg d = rec_down(D, 3000, "GET", "/maintenance");
	struct bench b;

	bench_open(&b, "nginx");
	answer(&b, &d, 3000.1, 503);
	bench_settle(&b, 3000);
	assert_int_equal(b.f[0]->cause, CAUSE_GATEWAY_GENERATED);
	assert_int_equal(b.f[0]->verdict, VERDICT_GATEWAY_MADE);
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_LIKELY);
	bench_close(&b);
}

static void test_nothing_tried_but_it_waited(void **s)
{
	struct w5_leg d = rec_down(D, 3000, "GET", "/dns");
	struct bench b;

	bench_open(&b, "nginx");
	answer(&b, &d, 5000, 502);
	bench_settle(&b, 5000);
	assert_int_equal(b.f[0]->cause, CAUSE_INSUFFICIENT_EVIDENCE);
	assert_int_equal(b.f[0]->verdict, VERDICT_UNKNOWN);
	bench_close(&b);
}

static void test_too_young_to_know(void **s)
{
	struct w5_leg d = rec_down(D, 100, "GET", "/x");
	struct bench b;

	bench_open(&b, "nginx");
	answer(&b, &d, 901, 502);
	d = rec_down(D + 1, 950, "GET", "/x");
	d.flags = W5_F_NO_REQ;
	d.req_ns = d.req_last_ns = d.head_len = 0;
	answer(&b, &d, 960, 502);
	bench_settle(&b, 1000);
	assert_int_equal(b.n, 2);
	assert_int_equal(b.f[0]->cause, CAUSE_INSUFFICIENT_EVIDENCE);
	assert_string_equal(b.f[0]->why, "why502 had just started: attempts may have been missed");
	assert_int_equal(b.f[1]->cause, CAUSE_INSUFFICIENT_EVIDENCE);
	assert_string_equal(b.f[1]->why, "the request of this answer was not seen");
	bench_close(&b);
}

/* Nothing is said about what the gateway did before we could look. */
static void test_under_way_when_we_started(void **s)
{
	struct w5_leg d = rec_down(D, 900, "GET", "/x");
	struct bench b;

	bench_open(&b, "nginx");
	d.flags = W5_F_OLDER | W5_F_NO_REQ;
	d.open_ns = d.req_ns = d.req_last_ns = d.head_len = 0;
	answer(&b, &d, 2900, 504);
	d = rec_down(D + 1, 900, "GET", "/x");
	d.req_ns = d.req_last_ns = REC_T0 - 1000000;
	answer(&b, &d, 2950, 504);
	bench_settle(&b, 3000);
	assert_int_equal(b.n, 2);
	for (size_t i = 0; i < b.n; i++) {
		assert_int_equal(b.f[i]->cause, CAUSE_INSUFFICIENT_EVIDENCE);
		assert_int_equal(b.f[i]->verdict, VERDICT_UNKNOWN);
		assert_string_equal(b.f[i]->why, "the request was under way when why502 started");
		for (size_t k = 0; k < b.f[i]->nevidence; k++)
			assert_null(strstr(b.f[i]->evidence[k], "belongs"));
	}
	bench_close(&b);
}

static void test_loss_is_never_certain(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	bench_open(&b, "nginx");
	rec_tick(b.e, 999);
	refused(&b, &d, U, 1000.1, 17);
	answer(&b, &d, 1001, 502);
	rec_lost(b.e, 1010, W5_LOSS_RING_BULK, 7);
	bench_settle(&b, 1010);
	assert_int_equal(b.f[0]->cause, CAUSE_CONN_REFUSED);
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_LIKELY);
	assert_int_equal(b.f[0]->lost, 7);
	assert_int_equal(engine_lost(b.e), 7);
	bench_close(&b);
}

static void test_loss_and_no_attempt_is_unknown(void **s)
{
	struct w5_leg d = rec_down(D, 3000, "GET", "/a");
	struct bench b;

	bench_open(&b, "nginx");
	rec_tick(b.e, 2999);
	answer(&b, &d, 3000.1, 502);
	rec_lost(b.e, 3010, W5_LOSS_RING_RARE, 1);
	bench_settle(&b, 3010);
	assert_int_equal(b.f[0]->cause, CAUSE_INSUFFICIENT_EVIDENCE);
	bench_close(&b);
}

static void test_loss_elsewhere_in_time_is_no_doubt(void **s)
{
	struct w5_leg d = rec_down(D, 2000, "GET", "/a");
	struct bench b;

	bench_open(&b, "nginx");
	rec_lost(b.e, 950, W5_LOSS_RING_BULK, 7);
	rec_tick(b.e, 1500);
	refused(&b, &d, U, 2000.1, 17);
	answer(&b, &d, 2001, 502);
	bench_settle(&b, 2010);
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_CERTAIN);
	bench_close(&b);
}

static void test_sequence_hole_is_never_certain(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	bench_open(&b, "nginx");
	d.h.seq = 4;
	answer(&b, &d, 1000.5, 200);
	d = rec_down(D, 1001, "GET", "/a");
	d.h.seq = 6;
	refused(&b, &d, U, 1001.1, 17);
	answer(&b, &d, 1002, 502);
	bench_settle(&b, 1010);
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_LIKELY);
	assert_int_equal(b.f[0]->lost, 1);
	assert_int_equal(engine_counters(b.e)->loss[W5_LOSS_SEQ_HOLE], 1);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three_retries_then_no_live_upstream),
		cmocka_unit_test(test_failures_of_long_ago_do_not_explain),
		cmocka_unit_test(test_hold_down_depends_on_the_gateway),
		cmocka_unit_test(test_untried_beside_a_failure),
		cmocka_unit_test(test_generated_without_any_failure),
		cmocka_unit_test(test_nothing_tried_but_it_waited),
		cmocka_unit_test(test_too_young_to_know),
		cmocka_unit_test(test_under_way_when_we_started),
		cmocka_unit_test(test_loss_is_never_certain),
		cmocka_unit_test(test_loss_and_no_attempt_is_unknown),
		cmocka_unit_test(test_loss_elsewhere_in_time_is_no_doubt),
		cmocka_unit_test(test_sequence_hole_is_never_certain),
	};

	return cmocka_run_group_tests_name("causes_untried", tests, NULL, NULL);
}
