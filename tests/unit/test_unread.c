/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP/2 conns older than us: statuses that refer to header fields sent before. */
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

#define REF_BAD	 0x80 | 62 /* newest entry of the dynamic table (RFC 7541 2.3.3) */
#define REF_GOOD 0x80 | 63

static struct wire down_older(struct bench *b)
{
	struct w5_leg l = rec_conn(D, W5_ROLE_DOWNSTREAM, 990);
	struct wire w;

	l.flags |= W5_F_OLDER;
	feed(b, &l);
	w = wire_of(b, D);
	w.flags = W5_TEXT_OLDER;
	return w;
}

/* The whole answer is one reference. */
static void respond(struct wire *w, double t, uint8_t dir, uint32_t stream, uint8_t ref)
{
	struct frame f;

	frame_begin(&f, W5_H2_HEADERS, H2_WHOLE | H2_LAST, stream);
	frame_put(&f, &ref, 1);
	wire_frame(w, t, dir, &f);
}

/* A request whose backend answered with that status, which the gateway passed on. */
static void passed(struct bench *b, struct wire *d, double t, uint32_t stream, const char *target,
		   uint16_t status, uint8_t ref)
{
	struct w5_leg up = rec_up(U, t + .2, "GET", target, 18, stream);

	wire_request(d, t, IN, stream, "GET", target);
	rec_hint(&up, D, t + .1);
	rec_answer(&up, t + 1, status);
	feed(b, &up);
	wire_hint(d, U, t + 1);
	respond(d, t + 1.2, OUT, stream, ref);
}

/* One whose backend reset. */
static void failed(struct bench *b, struct wire *d, double t, uint32_t stream, uint8_t ref)
{
	struct w5_leg up = rec_up(U + stream, t + .2, "GET", "/dead", 19, 1);

	wire_request(d, t, IN, stream, "GET", "/dead");
	rec_hint(&up, D, t + .1);
	rec_acked(&up);
	rec_end(&up, t + 1, W5_END_RST_IN);
	feed(b, &up);
	wire_hint(d, U + stream, t + 1.1);
	respond(d, t + 1.2, OUT, stream, ref);
}

static void test_what_was_passed_on_is_the_status(void **s)
{
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_older(&b);
	passed(&b, &d, 1000, 1, "/a", 502, REF_BAD);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->status, 502);
	assert_int_equal(b.f[0]->cause, CAUSE_BACKEND_5XX);
	assert_int_equal(b.f[0]->verdict, VERDICT_PASSED_THROUGH);
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_LIKELY);
	assert_int_equal(engine_counters(b.e)->s502, 1);
	assert_int_equal(engine_counters(b.e)->undecoded, 0);
	bench_close(&b);
}

static void logged(struct bench *b, double t, double end, const char *target, uint16_t status)
{
	struct w5_log l = { .h = { .ts_ns = ms(t), .type = W5_REC_LOG, .size = sizeof(l) },
			    .end_ns = ms(end),
			    .precision_us = 1000,
			    .duration_us = 1000,
			    .group = REC_GW,
			    .status = status,
			    .cport = 51034,
			    .client = rec_ip(200),
			    .kind = W5_LOG_NGINX };

	l.head_len =
		(uint16_t)snprintf((char *)l.head, sizeof(l.head), "GET %s HTTP/2.0\r\n", target);
	engine_feed(b->e, &l.h);
}

/* An exchange whose line comes so long after its answer (ms); < 0: before it. */
static void lone(struct bench *b, struct wire *d, double t, uint32_t stream, double line)
{
	wire_request(d, t, IN, stream, "GET", "/lone");
	if (line < 0)
		logged(b, t + 1 + line, t + 1, "/lone", 503);
	respond(d, t + 1, OUT, stream, REF_BAD);
	if (line > 100) /* when its grace is over */
		rec_tick(b->e, t + line - 1);
	if (line >= 0)
		logged(b, t + 1 + line, t + 1, "/lone", 503);
}

static void in_the_log(double line, bool is_its_own)
{
	struct wire d;
	struct bench b;

	bench_open(&b, "nginx");
	d = down_older(&b);
	logged(&b, 1000, 1000, "/followed", 0);
	lone(&b, &d, 2000, 1, line);
	lone(&b, &d, 3000, 3, line);
	/* Two have told; this one has no line. */
	wire_request(&d, 4000, IN, 5, "GET", "/later");
	respond(&d, 4001, OUT, 5, REF_BAD);
	rec_tick(b.e, 4400);
	bench_settle(&b, 4800);
	assert_int_equal(b.n, is_its_own ? 3 : 2);
	for (size_t i = 0; i < b.n; i++) {
		assert_string_equal(b.f[i]->target, i == 2 ? "/later" : "/lone");
		assert_int_equal(b.f[i]->status, 503);
		assert_int_equal(b.f[i]->sight == SIGHT_LOG, !is_its_own);
	}
	bench_close(&b);
}

static void test_the_log_tells_the_status(void **s)
{
	(void)s;
	in_the_log(-0.1, true);
	in_the_log(20, true);
	/* Too late to be the exchange's: told of its line, once. */
	in_the_log(300, false);
}

static void test_a_failure_is_told_without_its_status(void **s)
{
	const struct finding *f;
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_older(&b);
	failed(&b, &d, 1000, 1, REF_BAD);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	f = b.f[0];
	assert_int_equal(f->status, 0);
	assert_true(finding_unread(f));
	assert_int_equal(f->cause, CAUSE_RESET_BEFORE_RESPONSE);
	assert_int_equal(f->verdict, VERDICT_GATEWAY_MADE);
	assert_int_equal(f->confidence, CONFIDENCE_LIKELY);
	assert_int_equal(engine_counters(b.e)->silent, 0);
	bench_close(&b);
}

/* Twice the same makes it known, for all that follows on this conn. */
static void test_a_status_is_learned(void **s)
{
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_older(&b);
	passed(&b, &d, 1000, 1, "/a", 503, REF_BAD);
	passed(&b, &d, 1100, 3, "/b", 503, REF_BAD);
	rec_tick(b.e, 1400);
	assert_int_equal(b.n, 2);
	failed(&b, &d, 1500, 5, REF_BAD);
	bench_settle(&b, 1600);
	assert_int_equal(b.n, 3);
	assert_int_equal(b.f[2]->status, 503);
	assert_int_equal(b.f[2]->cause, CAUSE_RESET_BEFORE_RESPONSE);
	assert_int_equal(b.f[2]->confidence, CONFIDENCE_CERTAIN);
	bench_close(&b);
}

/* A redirect refers to what was sent before as well: no failure, and counted as what it is. */
static void test_a_good_status_is_no_finding(void **s)
{
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_older(&b);
	passed(&b, &d, 1000, 1, "/a", 302, REF_GOOD);
	passed(&b, &d, 1100, 3, "/b", 302, REF_GOOD);
	rec_tick(b.e, 1400);
	passed(&b, &d, 1500, 5, "/c", 302, REF_GOOD);
	bench_settle(&b, 1600);
	assert_int_equal(b.n, 0);
	assert_int_equal(engine_counters(b.e)->status_class[3], 3);
	assert_int_equal(engine_counters(b.e)->undecoded, 0);
	bench_close(&b);
}

/* A retry that was answered with a status known by then is told like any other. */
static void test_a_retry_with_a_learned_status(void **s)
{
	struct w5_leg bad, good;
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_older(&b);
	passed(&b, &d, 1000, 1, "/a", 302, REF_GOOD);
	passed(&b, &d, 1100, 3, "/b", 302, REF_GOOD);
	rec_tick(b.e, 1400);
	wire_request(&d, 1500, IN, 5, "GET", "/c");
	bad = rec_up(U + 1, 1500.2, "GET", "/c", 19, 1);
	rec_hint(&bad, D, 1500.1);
	rec_acked(&bad);
	rec_end(&bad, 1500.4, W5_END_RST_IN);
	feed(&b, &bad);
	good = rec_up(U, 1500.6, "GET", "/c", 18, 9);
	rec_hint(&good, D, 1500.5);
	rec_answer(&good, 1501, 302);
	feed(&b, &good);
	wire_hint(&d, U, 1501.1);
	respond(&d, 1501.2, OUT, 5, REF_GOOD);
	bench_settle(&b, 1600);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->cause, CAUSE_RETRY_RECOVERED);
	assert_int_equal(b.f[0]->status, 302);
	bench_close(&b);
}

/* 200 is written out by everybody: that the backend said so is not what the client got. */
static void test_a_static_status_is_not_learned(void **s)
{
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_older(&b);
	passed(&b, &d, 1000, 1, "/a", 200, REF_BAD);
	passed(&b, &d, 1100, 3, "/b", 200, REF_BAD);
	bench_settle(&b, 1200);
	assert_int_equal(b.n, 0);
	assert_int_equal(engine_counters(b.e)->undecoded, 2);
	bench_close(&b);
}

/* Nothing was tried, and nothing tells what it was: counted. */
static void test_without_an_attempt_it_is_counted(void **s)
{
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_older(&b);
	wire_request(&d, 1000, IN, 1, "GET", "/a");
	respond(&d, 1000.2, OUT, 1, REF_BAD);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 0);
	assert_int_equal(engine_counters(b.e)->undecoded, 1);
	assert_int_equal(engine_counters(b.e)->exchanges, 1);
	bench_close(&b);
}

/* The backend's answer cannot be read, the gateway's can. */
static void test_an_upstream_stream_that_cannot_be_read(void **s)
{
	struct w5_leg o, d = rec_down(D, 1000, "GET", "/a");
	const struct finding *f;
	struct wire u;
	struct bench b;

	(void)s;
	bench_open(&b, "haproxy");
	o = rec_conn(U, W5_ROLE_UPSTREAM, 990);
	o.flags |= W5_F_OLDER;
	feed(&b, &o);
	u = wire_of(&b, U);
	u.flags = W5_TEXT_OLDER;
	wire_hint(&u, D, 1000.1);
	wire_request(&u, 1000.2, OUT, 5, "GET", "/a");
	respond(&u, 1000.6, IN, 5, REF_BAD);
	rec_answer(&d, 1000.8, 502);
	rec_hint(&d, U, 1000.7);
	feed(&b, &d);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	f = b.f[0];
	assert_int_equal(f->cause, CAUSE_BACKEND_5XX);
	assert_int_equal(f->verdict, VERDICT_PASSED_THROUGH);
	assert_int_equal(f->confidence, CONFIDENCE_LIKELY);
	assert_int_equal(f->attempts[0].leg.stream, 5);
	bench_close(&b);
}

/* Its conns to an upstream are older than us and encrypted: "nothing was tried" is not known. */
static void test_nothing_seen_is_not_nothing_tried(void **s)
{
	struct w5_pool p = { .h = { .ts_ns = ms(950), .type = W5_REC_POOL, .size = sizeof(p) },
			     .ip = rec_ip(18),
			     .port = 8443,
			     .tgid = REC_GW,
			     .idle = 1,
			     .older = 1 };
	struct bench b;

	(void)s;
	for (int older = 0; older < 2; older++) {
		struct w5_leg d = rec_down(D, 1300, "GET", "/a");

		bench_open(&b, "haproxy");
		p.older = (uint16_t)older;
		engine_feed(b.e, &p.h);
		rec_answer(&d, 1300.4, 502);
		feed(&b, &d);
		bench_settle(&b, 1400);
		assert_int_equal(b.n, 1);
		assert_int_equal(b.f[0]->cause,
				 older ? CAUSE_INSUFFICIENT_EVIDENCE : CAUSE_GATEWAY_GENERATED);
		bench_close(&b);
	}
}

/* A pooled conn that was older than us is known by the time it had been idle, also where the call
 * that writes the request is the first that is seen of it. */
static void test_an_older_conn_was_idle_before_its_first_text(void **s)
{
	struct w5_leg o = rec_conn(U, W5_ROLE_UPSTREAM, 990), end,
		      d = rec_down(D, 1000, "POST", "/a");
	struct wire u;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	o.flags |= W5_F_OLDER;
	o.open_ns = 0;
	o.phase = W5_PHASE_REQUEST;
	o.nr = 1;
	o.req_ns = o.last_ns = ms(1000.2);
	o.idle_ns = ms(1000.2) - ms(600);
	o.h.ts_ns = ms(1000.2);
	o.req_bytes = 166;
	feed(&b, &o);
	u = wire_of(&b, U);
	u.flags = W5_TEXT_OLDER;
	wire_hint(&u, D, 1000.1);
	wire_line(&u, 1000.15, OUT, "POST /a HTTP/1.1\r\nHost: shop.example\r\n\r\n");
	end = o;
	end.h.type = W5_REC_ATTEMPT;
	end.h.size = sizeof(end);
	rec_end(&end, 1000.4, W5_END_RST_IN);
	end.rst_flags = W5_TCP_RST;
	end.rst_ttl = 63;
	feed(&b, &end);
	rec_answer(&d, 1000.5, 502);
	rec_hint(&d, U, 1000.45);
	feed(&b, &d);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->cause, CAUSE_KEEPALIVE_RACE);
	assert_int_equal((b.f[0]->attempts[0].leg.idle_ns + 500000) / 1000000, 400);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_passed_on_is_the_status),
		cmocka_unit_test(test_the_log_tells_the_status),
		cmocka_unit_test(test_a_failure_is_told_without_its_status),
		cmocka_unit_test(test_a_status_is_learned),
		cmocka_unit_test(test_a_good_status_is_no_finding),
		cmocka_unit_test(test_a_retry_with_a_learned_status),
		cmocka_unit_test(test_a_static_status_is_not_learned),
		cmocka_unit_test(test_without_an_attempt_it_is_counted),
		cmocka_unit_test(test_an_upstream_stream_that_cannot_be_read),
		cmocka_unit_test(test_nothing_seen_is_not_nothing_tried),
		cmocka_unit_test(test_an_older_conn_was_idle_before_its_first_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
