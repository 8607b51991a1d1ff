/* SPDX-License-Identifier: BSD-2-Clause */
/* Verdicts and causes that need the whole exchange: retries, nothing tried, client, loss. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../lib/rec.h"

#define D 100
#define U 200

static void refused(struct bench *b, struct w5_leg *d, uint64_t cookie, double open, unsigned last)
{
	struct w5_leg l = rec_connect(cookie, open, last, 111, open + 0.2);

	rec_tie(&l, d);
	feed(b, &l);
}

static void answer(struct bench *b, struct w5_leg *d, double t, uint16_t status)
{
	rec_answer(d, t, status);
	feed(b, d);
}

static void test_passed_through_after_failures_is_the_last_one(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), up;
	struct bench b;

	bench_open(&b, "nginx");
	refused(&b, &d, U, 1000.1, 17);
	up = rec_up(U + 1, 1000.4, "GET", "/a", 18, 1);
	rec_resp(&up, "HTTP/1.1 503 No\r\n", 17, 100);
	rec_answer(&up, 1002, 503);
	rec_tie(&up, &d);
	feed(&b, &up);
	answer(&b, &d, 1002.1, 503);
	bench_settle(&b, 1002);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_PASSED_THROUGH);
	assert_int_equal(b.f[0]->cause, CAUSE_BACKEND_5XX);
	assert_int_equal(b.f[0]->nattempts, 2);
	assert_int_equal(b.f[0]->attempts[0].cause, CAUSE_CONN_REFUSED);
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_CERTAIN);
	assert_true(b.f[0]->witness & WITNESS_STATUS);
	bench_close(&b);
}

/* A 503 came in, a later try was refused, and the gateway said 502: gateway-made. */
static void test_last_attempt_decides_not_the_5xx_before(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), up;
	struct bench b;

	bench_open(&b, "nginx");
	up = rec_up(U, 1000.1, "GET", "/a", 18, 1);
	rec_answer(&up, 1001, 503);
	rec_tie(&up, &d);
	feed(&b, &up);
	refused(&b, &d, U + 1, 1001.2, 17);
	answer(&b, &d, 1001.5, 502);
	bench_settle(&b, 1002);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_GATEWAY_MADE);
	assert_int_equal(b.f[0]->cause, CAUSE_CONN_REFUSED);
	assert_int_equal(b.f[0]->nattempts, 2);
	bench_close(&b);
}

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

static void test_client_abort(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/slow"), up;
	struct bench b;

	bench_open(&b, "nginx");
	up = rec_up(U, 1000.1, "GET", "/slow", 18, 1);
	rec_acked(&up);
	rec_end(&up, 2000.1, W5_END_FIN_OUT);
	rec_hint(&up, D, 1000);
	feed(&b, &up);
	rec_end(&d, 2000, W5_END_FIN_IN);
	d.fin_out_ns = ms(2000.2);
	d.h.ts_ns = ms(2000.2);
	rec_hint(&d, U, 2000.1);
	feed(&b, &d);
	bench_settle(&b, 2000);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_CLIENT);
	assert_int_equal(b.f[0]->cause, CAUSE_CLIENT_ABORT);
	assert_int_equal(b.f[0]->nattempts, 1);
	assert_int_equal(b.f[0]->attempts[0].cause, CAUSE_CLIENT_ABORT);
	assert_non_null(strstr(b.f[0]->why, "1.00 s after its request"));
	assert_int_equal(engine_counters(b.e)->client_aborts, 1);
	assert_int_equal(engine_counters(b.e)->bad, 0);
	bench_close(&b);
}

/* A client may close its sending side and still get its answer. */
static void test_half_close_is_no_abort(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	bench_open(&b, "nginx");
	d.fin_in_ns = ms(1000.05);
	refused(&b, &d, U, 1000.1, 17);
	answer(&b, &d, 1000.4, 502);
	bench_settle(&b, 1001);
	assert_int_equal(b.f[0]->cause, CAUSE_CONN_REFUSED);
	assert_non_null(strstr(b.f[0]->evidence[0], "client had closed its side"));
	bench_close(&b);
}

/* HAProxy and Apache hide the keep-alive race: no byte, only a FIN. */
static void test_silent_close_has_the_attempts_cause(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), up;
	struct bench b;

	bench_open(&b, "haproxy");
	up = rec_up(U, 1000.1, "GET", "/a", 18, 9);
	rec_end(&up, 1000.3, W5_END_RST_IN);
	up.rst_flags = W5_TCP_RST;
	feed(&b, &up);
	rec_end(&d, 1000.4, W5_END_FIN_OUT);
	feed(&b, &d);
	bench_settle(&b, 1001);
	assert_int_equal(b.f[0]->verdict, VERDICT_SILENT);
	assert_int_equal(b.f[0]->cause, CAUSE_KEEPALIVE_RACE);
	assert_int_equal(b.f[0]->status, 0);
	assert_int_equal(engine_counters(b.e)->silent, 1);
	assert_int_equal(engine_counters(b.e)->bad, 1);
	bench_close(&b);
}

/* Written and closed in one go: the close is seen first, then the answer. */
static void test_answer_right_after_a_silent_close(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	bench_open(&b, "haproxy");
	rec_end(&d, 1000.4, W5_END_FIN_OUT);
	feed(&b, &d);
	rec_answer(&d, 1000.41, 200);
	feed(&b, &d);
	bench_settle(&b, 1001);
	assert_int_equal(b.n, 0);
	assert_int_equal(engine_counters(b.e)->exchanges, 1);
	assert_int_equal(engine_counters(b.e)->silent, 0);
	assert_int_equal(engine_counters(b.e)->status_class[2], 1);
	bench_close(&b);
}

/* Sent when the handshake was done: by then the thread had read from another client. */
static void test_hint_of_a_new_conn_is_no_proof(void **s)
{
	struct w5_leg other = rec_down(D + 1, 1000, "GET", "/other"),
		      d = rec_down(D, 1000, "GET", "/a");
	struct w5_leg up = rec_up(U, 1000.1, "GET", "/a", 18, 1);
	struct bench b;

	bench_open(&b, "nginx");
	rec_end(&up, 1000.3, W5_END_RST_IN);
	rec_acked(&up);
	rec_hint(&up, D + 1, 1000.05);
	feed(&b, &up);
	answer(&b, &other, 1000.35, 200);
	rec_hint(&d, U, 1000.3);
	answer(&b, &d, 1000.4, 502);
	bench_settle(&b, 1001);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->down.h.cookie, D);
	assert_int_equal(b.f[0]->cause, CAUSE_RESET_BEFORE_RESPONSE);
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_CERTAIN);
	bench_close(&b);
}

static void test_gateway_closed_the_idle_client_conn(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	bench_open(&b, "nginx");
	rec_end(&d, 1000.4, W5_END_RST_OUT);
	d.fin_out_ns = ms(999.9);
	feed(&b, &d);
	bench_settle(&b, 1001);
	assert_int_equal(b.f[0]->verdict, VERDICT_SILENT);
	assert_int_equal(b.f[0]->cause, CAUSE_GATEWAY_TIMEOUT_LOCAL);
	bench_close(&b);
}

static void test_retry_recovered(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), up, next;
	struct bench b;

	bench_open(&b, "nginx");
	refused(&b, &d, U, 1000.1, 17);
	up = rec_up(U + 1, 1000.4, "GET", "/a", 18, 1);
	rec_answer(&up, 1002, 200);
	rec_tie(&up, &d);
	feed(&b, &up);
	answer(&b, &d, 1002.1, 200);
	/* The good conn serves another request within the grace. */
	next = rec_up(U + 1, 1003, "GET", "/other", 18, 2);
	rec_answer(&next, 1004, 200);
	feed(&b, &next);
	bench_settle(&b, 1002);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_RECOVERED);
	assert_int_equal(b.f[0]->cause, CAUSE_RETRY_RECOVERED);
	assert_int_equal(b.f[0]->nattempts, 2);
	assert_int_equal(b.f[0]->attempts[0].cause, CAUSE_CONN_REFUSED);
	assert_int_equal(b.f[0]->attempts[1].cause, CAUSE_NONE);
	assert_int_equal(b.f[0]->attempts[1].leg.status, 200);
	assert_non_null(strstr(b.f[0]->why, "10.0.3.17:8080 refuses"));
	assert_int_equal(engine_counters(b.e)->bad, 0);
	assert_int_equal(engine_counters(b.e)->recovered, 1);
	bench_close(&b);
}

/* The failed attempt's record comes after the good answer's. */
static void test_retry_recovered_out_of_order(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), up, bad;
	struct bench b;

	bench_open(&b, "nginx");
	bad = rec_connect(U, 1000.1, 17, 111, 1000.2);
	rec_hint(&bad, D, 1000);
	up = rec_up(U + 1, 1000.3, "GET", "/a", 18, 1);
	rec_answer(&up, 1000.4, 200);
	rec_tie(&up, &d);
	feed(&b, &up);
	answer(&b, &d, 1000.5, 200);
	feed(&b, &bad);
	bench_settle(&b, 1002);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_RECOVERED);
	assert_int_equal(b.f[0]->nattempts, 2);
	bench_close(&b);
}

/* Dual stack: the slower family is dropped while it still connects. No failure. */
static void test_happy_eyeballs_loser_is_no_failure(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), up, v6;
	struct bench b;

	bench_open(&b, "nginx");
	v6 = rec_connect(U, 1000.1, 17, 0, 1300.2);
	v6.remote = (struct w5_addr){ .ip = { 0x20, 0x01, 0x0d, 0xb8 } };
	rec_hint(&v6, D, 1000);
	feed(&b, &v6);
	up = rec_up(U + 1, 1300.1, "GET", "/a", 18, 1);
	rec_answer(&up, 1301, 200);
	rec_tie(&up, &d);
	feed(&b, &up);
	answer(&b, &d, 1302, 200);
	bench_settle(&b, 1302);
	assert_int_equal(b.n, 0);
	bench_close(&b);
}

/* 500 is not in the bad set, but an attempt of it failed. */
static void test_other_5xx_after_a_failed_attempt(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), d2 = rec_down(D + 1, 1010, "GET", "/b"),
		      up;
	struct bench b;

	bench_open(&b, "nginx");
	refused(&b, &d, U, 1000.1, 17);
	answer(&b, &d, 1001, 500);
	up = rec_up(U + 1, 1010.1, "GET", "/b", 18, 1);
	rec_answer(&up, 1011, 500);
	rec_tie(&up, &d2);
	feed(&b, &up);
	answer(&b, &d2, 1012, 500);
	bench_settle(&b, 1012);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->status, 500);
	assert_int_equal(b.f[0]->cause, CAUSE_CONN_REFUSED);
	bench_close(&b);
}

/* nginx passes bytes that are no HTTP on, as HTTP/0.9. */
static void test_not_http_passed_on(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), up;
	struct bench b;

	bench_open(&b, "nginx");
	up = rec_up(U, 1000.1, "GET", "/a", 18, 1);
	rec_resp(&up, "hello", 5, 5);
	rec_answer(&up, 1001, 0);
	up.h.size = sizeof(up);
	up.flags = W5_F_NOT_HTTP;
	rec_tie(&up, &d);
	feed(&b, &up);
	rec_answer(&d, 1001.2, 0);
	d.h.size = sizeof(d);
	d.flags = W5_F_NOT_HTTP;
	feed(&b, &d);
	bench_settle(&b, 1002);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_PASSED_THROUGH);
	assert_int_equal(b.f[0]->cause, CAUSE_NOT_HTTP);
	bench_close(&b);
}

static uint16_t cut_flags; /* of the upstream's end */

/* 200 passed on, then the backend closed before the body's end and the gateway did so, too. */
static void cut_of(uint32_t pid, const char *head, const char *method, uint32_t total, int up_end,
		   int down_end, size_t want)
{
	struct engine_cfg cfg;
	struct w5_leg d = rec_down(D, 1000, method, "/a"), up;
	struct bench b;

	engine_cfg_default(&cfg);
	cfg.pid = pid;
	bench_open_cfg(&b, "nginx", &cfg);
	up = rec_up(U, 1000.1, method, "/a", 18, 1);
	rec_resp(&up, head, strlen(head), total);
	rec_answer(&up, 1001, 200);
	rec_tie(&up, &d);
	feed(&b, &up);
	rec_answer(&d, 1001.2, 200);
	feed(&b, &d);
	up.h.type = d.h.type = W5_REC_END;
	rec_end(&up, 1300, up_end);
	up.flags |= cut_flags;
	rec_end(&d, 1300.1, down_end);
	feed(&b, &up);
	feed(&b, &d);
	bench_settle(&b, 1302);
	assert_int_equal(b.n, want);
	if (want) {
		assert_int_equal(b.f[0]->cause, CAUSE_TRUNCATED_BODY);
		assert_int_equal(b.f[0]->verdict, VERDICT_PASSED_THROUGH);
		assert_int_equal(b.f[0]->status, 200);
		assert_int_equal(b.f[0]->nattempts, 1);
	}
	bench_close(&b);
}

static void cut(const char *head, const char *method, uint32_t total, int up_end, int down_end,
		size_t want)
{
	cut_of(0, head, method, total, up_end, down_end, want);
}

static void test_truncated_body(void **s)
{
	static const char h[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"; /* 41 bytes */

	cut(h, "GET", 46, W5_END_FIN_IN, W5_END_FIN_OUT, 1);
	cut(h, "GET", 46, W5_END_RST_IN, W5_END_FIN_OUT, 1);
	cut(h, "GET", 1040, W5_END_RST_IN, W5_END_FIN_OUT, 1);
	cut(h, "GET", 1041, W5_END_FIN_IN, W5_END_FIN_OUT, 0);
	cut(h, "HEAD", 41, W5_END_FIN_IN, W5_END_FIN_OUT, 0);
	/* Of a gateway nobody asked for. */
	cut_of(REC_GW, h, "GET", 46, W5_END_FIN_IN, W5_END_FIN_OUT, 1);
	cut_of(1, h, "GET", 46, W5_END_FIN_IN, W5_END_FIN_OUT, 0);
	/* The client left: its end came first. */
	cut(h, "GET", 46, W5_END_FIN_OUT, W5_END_FIN_IN, 0);
}

/* Chunked: short if the last bytes are known and are no end; whatever they are, HEAD has none. */
static void test_truncated_chunked_body(void **s)
{
	static const char h[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	static const char gzip[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked \r\n\r\n";
	static const char other[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n";
	static const char both[] = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n";
	static const char none[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";

	cut_flags = W5_F_ENDS_OPEN;
	cut(h, "GET", 57, W5_END_FIN_IN, W5_END_FIN_OUT, 1);
	cut(h, "GET", 57, W5_END_RST_IN, W5_END_RST_OUT, 1);
	cut(gzip, "GET", 99, W5_END_FIN_IN, W5_END_FIN_OUT, 1);
	cut(both, "GET", 99, W5_END_FIN_IN, W5_END_FIN_OUT, 1);
	cut(other, "GET", 99, W5_END_FIN_IN, W5_END_FIN_OUT, 0);
	cut(none, "GET", 57, W5_END_FIN_IN, W5_END_FIN_OUT, 0);
	cut(h, "HEAD", 48, W5_END_FIN_IN, W5_END_FIN_OUT, 0);
	cut_flags = 0;
	cut(h, "GET", 57, W5_END_FIN_IN, W5_END_FIN_OUT, 0);
	cut(both, "GET", 60, W5_END_FIN_IN, W5_END_FIN_OUT, 0);
}

struct cut_case {
	const char *gateway;
	double up_end, down_end; /* 0 = never */
	bool by_gateway, known;	 /* who ends the upstream conn; the client's is seen */
	size_t want;
};

static struct finding *cut_case(struct bench *b, const struct cut_case *x)
{
	static const char h[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"),
		      up = rec_up(U, 1000.1, "GET", "/a", 18, 1);

	bench_open(b, x->gateway);
	rec_resp(&up, h, strlen(h), 57);
	rec_answer(&up, 1001, 200);
	rec_tie(&up, &d);
	feed(b, &up);
	rec_answer(&d, 1001.2, 200);
	if (x->known)
		feed(b, &d);
	up.h.type = d.h.type = W5_REC_END;
	rec_end(&up, x->up_end, x->by_gateway ? W5_END_FIN_OUT : W5_END_FIN_IN);
	up.flags |= W5_F_ENDS_OPEN;
	if (x->down_end)
		rec_end(&d, x->down_end, W5_END_FIN_OUT);
	if (x->down_end && x->down_end < x->up_end)
		feed(b, &d);
	feed(b, &up);
	if (x->down_end > x->up_end)
		feed(b, &d);
	rec_tick(b->e, x->up_end + 900);
	assert_int_equal(b->n, x->down_end ? x->want : 0);
	rec_tick(b->e, x->up_end + 1100);
	rec_tick(b->e, x->up_end + 1200);
	assert_int_equal(b->n, x->want);
	engine_finish(b->e);
	assert_int_equal(b->n, x->want);
	return b->n ? b->f[0] : NULL;
}

/* The client's conn may be told to have ended before the upstream's is, or live on. */
static void test_cut_body_and_its_client(void **s)
{
	static const struct cut_case cases[] = {
		{ "nginx", 1300, 1300.1, false, true, 1 },
		{ "nginx", 1300.9, 1300.1, false, true, 1 },
		{ "nginx", 1300, 0, false, true, 1 },
		{ "caddy", 1300, 0, false, true, 1 },
		{ "caddy", 1300, 0, false, false, 1 },
		{ "nginx", 1300, 0, true, true, 0 }, /* the gateway's doing: its client left */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench b;
		struct finding *f = cut_case(&b, &cases[i]);

		if (f) {
			assert_int_equal(f->cause, CAUSE_TRUNCATED_BODY);
			assert_int_equal(f->verdict, VERDICT_PASSED_THROUGH);
			assert_int_equal(f->status, 200);
			assert_int_equal(f->nattempts, 1);
			assert_string_equal(f->target, "/a");
			assert_true(strstr(f->why, "without the last chunk"));
			assert_int_equal(finding_has_client(f), cases[i].known);
			assert_int_equal(f->confidence,
					 cases[i].known ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
		}
		bench_close(&b);
	}
}

/* Another client asked for the same, and its conn was closed after a whole answer. */
static void test_cut_body_is_not_anothers(void **s)
{
	static const char h[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
	struct w5_leg up = rec_up(U, 1000.1, "GET", "/a", 18, 1),
		      d = rec_down(D, 1000, "GET", "/a"),
		      other = rec_down(D + 1, 1000, "GET", "/a");
	struct bench b;

	bench_open(&b, "nginx");
	rec_resp(&up, h, strlen(h), 46);
	rec_answer(&up, 1001, 200);
	rec_tie(&up, &d);
	rec_answer(&d, 1001.2, 200);
	rec_answer(&other, 1001.2, 200);
	feed(&b, &up);
	feed(&b, &d);
	feed(&b, &other);
	up.h.type = d.h.type = other.h.type = W5_REC_END;
	rec_end(&up, 1300, W5_END_FIN_IN);
	rec_end(&other, 1300.1, W5_END_FIN_OUT);
	rec_end(&d, 1300.3, W5_END_FIN_OUT);
	feed(&b, &up);
	feed(&b, &other);
	feed(&b, &d);
	bench_settle(&b, 1302);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->down.h.cookie, D);
	bench_close(&b);
}

/* The backend's FIN on an idle keep-alive conn is normal. */
static void test_idle_close_is_no_failure(void **s)
{
	struct w5_leg up = rec_up(U, 1000.1, "GET", "/a", 18, 1),
		      d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	bench_open(&b, "nginx");
	rec_answer(&up, 1001, 200);
	rec_tie(&up, &d);
	feed(&b, &up);
	answer(&b, &d, 1001.2, 200);
	up.h.type = W5_REC_END;
	rec_end(&up, 6001, W5_END_FIN_IN);
	feed(&b, &up);
	bench_settle(&b, 7000);
	assert_int_equal(b.n, 0);
	assert_int_equal(engine_counters(b.e)->conns_up, 0);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passed_through_after_failures_is_the_last_one),
		cmocka_unit_test(test_last_attempt_decides_not_the_5xx_before),
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
		cmocka_unit_test(test_client_abort),
		cmocka_unit_test(test_half_close_is_no_abort),
		cmocka_unit_test(test_silent_close_has_the_attempts_cause),
		cmocka_unit_test(test_answer_right_after_a_silent_close),
		cmocka_unit_test(test_hint_of_a_new_conn_is_no_proof),
		cmocka_unit_test(test_gateway_closed_the_idle_client_conn),
		cmocka_unit_test(test_retry_recovered),
		cmocka_unit_test(test_retry_recovered_out_of_order),
		cmocka_unit_test(test_happy_eyeballs_loser_is_no_failure),
		cmocka_unit_test(test_other_5xx_after_a_failed_attempt),
		cmocka_unit_test(test_not_http_passed_on),
		cmocka_unit_test(test_truncated_body),
		cmocka_unit_test(test_truncated_chunked_body),
		cmocka_unit_test(test_cut_body_and_its_client),
		cmocka_unit_test(test_cut_body_is_not_anothers),
		cmocka_unit_test(test_idle_close_is_no_failure),
	};

	return cmocka_run_group_tests_name("causes of exchanges", tests, NULL, NULL);
}
