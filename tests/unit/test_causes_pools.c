/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections in use and idle per upstream; pool-limit, and what only looks like it. */
#include "../lib/explain.h"

static void counted(struct bench *b, double t, unsigned last, uint32_t in_use, uint32_t idle,
		    double oldest)
{
	struct w5_pool p = { .h = { .ts_ns = ms(t), .type = W5_REC_POOL, .size = sizeof(p) },
			     .ip = rec_ip(last),
			     .port = 8080,
			     .tgid = REC_GW,
			     .in_use = in_use,
			     .idle = idle,
			     .oldest_ns = in_use ? ms(oldest) : 0 };

	engine_feed(b->e, &p.h);
}

/* From one time to the other, five times a second. */
static void counted_for(struct bench *b, double from, double to, unsigned last, uint32_t in_use)
{
	for (double t = from; t <= to; t += 200)
		counted(b, t, last, in_use, 0, from - 50);
}

/* A good answer: from now on the upstream is known to serve /shop. */
static void served(struct bench *b, uint64_t cookie, double t, unsigned last)
{
	struct w5_leg d = rec_down(cookie, t, "GET", "/shop/0");
	struct w5_leg up = rec_up(cookie + 1, t + 0.1, "GET", "/shop/0", last, 1);

	rec_answer(&up, t + 5, 200);
	rec_answer(&d, t + 5.1, 200);
	rec_tie(&up, &d);
	feed(b, &up);
	feed(b, &d);
}

static struct finding *answered(struct bench *b, double req, double t, uint16_t status,
				const char *target)
{
	struct w5_leg d = rec_down(D, req, "GET", target);

	rec_answer(&d, t, status);
	feed(b, &d);
	bench_settle(b, t);
	assert_true(b->n >= 1);
	return b->f[b->n - 1];
}

static void expect_pool(const struct finding *f, enum confidence conf, const char *why)
{
	if (f->cause != CAUSE_POOL_LIMIT)
		print_message("%s: %s\n", cause_name(f->cause), f->why);
	assert_string_equal(cause_name(f->cause), "pool-limit");
	assert_string_equal(confidence_name(f->confidence), confidence_name(conf));
	assert_int_equal(f->verdict, VERDICT_GATEWAY_MADE);
	if (!strstr(f->why, why))
		fail_msg("why: %s", f->why);
	assert_true(f->next[0]);
}

static void expect_cause(const struct finding *f, enum cause cause)
{
	if (f->cause != cause)
		print_message("why: %s\n", f->why);
	assert_string_equal(cause_name(f->cause), cause_name(cause));
	assert_int_equal(f->pool.in_use, 0);
}

static const struct engine_upstream *upstream(struct bench *b, unsigned last)
{
	const struct engine_upstream *const *v;
	size_t n = engine_upstreams(b->e, &v);
	struct w5_addr ip = rec_ip(last);

	for (size_t i = 0; i < n; i++)
		if (!memcmp(&v[i]->ip, &ip, sizeof(ip)))
			return v[i];
	return NULL;
}

/* ---- counts ---- */

static void test_counts_per_upstream(void **s)
{
	const struct engine_upstream *u;
	struct bench b;

	bench_open(&b, "nginx");
	counted(&b, 1000, 17, 3, 5, 400);
	u = upstream(&b, 17);
	assert_non_null(u);
	assert_true(u->counted && !u->unwanted);
	assert_int_equal(u->in_use, 3);
	assert_int_equal(u->idle, 5);
	assert_int_equal(u->oldest_ms, 600);
	counted(&b, 2000, 17, 1, 7, 1900);
	assert_int_equal(u->in_use, 1);
	assert_int_equal(u->in_use_max, 3);
	counted(&b, 70000, 17, 2, 0, 69990);
	assert_int_equal(u->in_use_max, 2);
	counted(&b, 71000, 17, 0, 0, 0);
	assert_int_equal(u->in_use + u->idle + u->connecting + u->oldest_ms, 0);
	bench_close(&b);
}

static void test_workers_add_up(void **s)
{
	struct w5_pool p = { .h = { .ts_ns = ms(1000), .type = W5_REC_POOL, .size = sizeof(p) },
			     .ip = rec_ip(17),
			     .port = 8080,
			     .tgid = 3000,
			     .in_use = 4,
			     .connecting = 1,
			     .oldest_ns = ms(100) };
	const struct engine_upstream *u;
	struct bench b;

	bench_open(&b, "nginx");
	rec_gateway(b.e, 3000, REC_GW, "nginx");
	counted(&b, 1000, 17, 2, 1, 700);
	engine_feed(b.e, &p.h);
	u = upstream(&b, 17);
	assert_int_equal(u->in_use, 6);
	assert_int_equal(u->connecting, 1);
	assert_int_equal(u->oldest_ms, 900);
	/* one of the worker's own: of a process that is no gateway nothing is counted */
	p.tgid = 77;
	engine_feed(b.e, &p.h);
	assert_int_equal(u->in_use, 6);
	bench_close(&b);
}

/* ---- pool-limit ---- */

static void test_waited_while_all_were_busy(void **s)
{
	struct bench b;
	struct finding *f;

	bench_open(&b, "haproxy");
	served(&b, 500, 1000, 17);
	counted_for(&b, 1900, 3500, 17, 2);
	f = answered(&b, 2000, 3000, 503, "/shop/1");
	expect_pool(f, LIKELY, "waited 1.00 s in vain for a connection to 10.0.3.17:8080: all 2");
	assert_int_equal(f->pool.in_use, 2);
	assert_non_null(strstr(f->next, "maxconn"));
	assert_true(has_evidence(f, "2 at every count"));
	bench_close(&b);
}

static void test_turned_away_at_once(void **s)
{
	struct bench b;
	struct finding *f;

	bench_open(&b, "nginx");
	served(&b, 500, 1000, 17);
	counted_for(&b, 1900, 3500, 17, 8);
	f = answered(&b, 3000, 3000.2, 502, "/shop/1");
	expect_pool(f, LIKELY, "turned the request away: all 8 connections");
	assert_non_null(strstr(f->next, "max_conns"));
	bench_close(&b);
}

/* Only right after the first ones were taken: it may be, and may not. */
static void test_a_burst_s_first_moment_is_open(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	served(&b, 500, 1000, 17);
	counted(&b, 3010, 17, 2, 0, 2999);
	expect_cause(answered(&b, 3000, 3000.2, 502, "/shop/1"), CAUSE_INSUFFICIENT_EVIDENCE);
	bench_close(&b);
}

/* "No pool was full" needs a count that came later. It is waited for, on a busy host a second. */
static struct finding *counted_later(struct bench *b, double when, unsigned last, uint32_t in_use)
{
	struct w5_leg d = rec_down(D, 3000, "GET", "/shop/1");

	bench_open(b, "nginx");
	served(b, 500, 1000, 17);
	counted(b, 2000, 17, 2, 0, 1900);
	counted(b, 2800, 17, 1, 1, 2700);
	rec_answer(&d, 3000.2, 502);
	feed(b, &d);
	rec_tick(b->e, 3290);
	assert_int_equal(b->n, 0);
	if (last)
		counted(b, when, last, in_use, 0, 2900);
	rec_tick(b->e, when + 100);
	rec_tick(b->e, when + 200);
	assert_int_equal(b->n, 1);
	return b->f[0];
}

static void test_no_limit_without_a_later_count(void **s)
{
	struct bench b;

	expect_cause(counted_later(&b, 3300, 17, 2), CAUSE_INSUFFICIENT_EVIDENCE);
	bench_close(&b);
	expect_cause(counted_later(&b, 3300, 17, 1), CAUSE_GATEWAY_GENERATED);
	bench_close(&b);
	/* another's count is one of all */
	expect_cause(counted_later(&b, 3300, 18, 1), CAUSE_GATEWAY_GENERATED);
	bench_close(&b);
	/* never counted */
	expect_cause(counted_later(&b, 4100, 0, 0), CAUSE_INSUFFICIENT_EVIDENCE);
	bench_close(&b);
}

static struct w5_log line(double t, const char *code)
{
	struct w5_log l = { .h = { .ts_ns = ms(t + 5), .type = W5_REC_LOG, .size = sizeof(l) },
			    .end_ns = ms(t),
			    .precision_us = 1000,
			    .duration_us = 1000000,
			    .group = REC_GW,
			    .status = 503,
			    .cport = 51034,
			    .client = rec_ip(200),
			    .kind = W5_LOG_HAPROXY };

	l.head_len = (uint16_t)snprintf((char *)l.head, sizeof(l.head), "GET /shop/1 HTTP/1.1\r\n");
	snprintf(l.code, sizeof(l.code), "%s", code);
	return l;
}

static struct finding *answered_with_line(struct bench *b, const char *code)
{
	struct w5_leg d = rec_down(D, 2000, "GET", "/shop/1");
	struct w5_log l = line(3000, code), first = { .h = l.h, .kind = W5_LOG_HAPROXY };

	first.h.ts_ns = ms(905); /* the log is followed */
	engine_feed(b->e, &first.h);
	rec_answer(&d, 3000, 503);
	feed(b, &d);
	engine_feed(b->e, &l.h);
	bench_settle(b, 3000);
	assert_int_equal(b->n, 1);
	return b->f[0];
}

static void test_the_log_says_so(void **s)
{
	struct bench b;
	struct finding *f;

	bench_open(&b, "haproxy");
	f = answered_with_line(&b, "sQ--");
	expect_pool(f, CERTAIN, "waited 1.00 s in the gateway's queue");
	assert_string_equal(f->log_code, "sQ--");
	assert_true(has_evidence(f, "log says sQ"));
	bench_close(&b);
	bench_open(&b, "haproxy");
	expect_cause(answered_with_line(&b, "sC--"), CAUSE_INSUFFICIENT_EVIDENCE);
	bench_close(&b);
}

static void test_only_the_log_has_it(void **s)
{
	struct w5_log l = line(3000, "sQ");
	struct bench b;

	bench_open(&b, "haproxy");
	engine_feed(b.e, &l.h);
	rec_tick(b.e, 4000);
	bench_settle(&b, 4000);
	assert_int_equal(b.n, 1);
	expect_pool(b.f[0], CERTAIN, "in the gateway's queue");
	bench_close(&b);
}

/* A health check of the same thread failed meanwhile: not this request's. */
static void test_a_health_check_does_not_explain_a_queue(void **s)
{
	struct w5_leg check = rec_connect(U, 2999.5, 18, 111, 2999.8);
	struct bench b;

	bench_open(&b, "haproxy");
	feed(&b, &check);
	expect_pool(answered_with_line(&b, "sQ"), CERTAIN, "queue");
	bench_close(&b);
}

/* ---- what only looks like it ---- */

static void test_no_plateau(void **s)
{
	struct bench b;

	bench_open(&b, "haproxy");
	served(&b, 500, 1000, 17);
	for (int i = 0; i < 10; i++)
		counted(&b, 1900 + i * 200, 17, i % 3 + 1, 0, 1800);
	expect_cause(answered(&b, 2000, 3000, 503, "/shop/1"), CAUSE_INSUFFICIENT_EVIDENCE);
	bench_close(&b);
}

static void test_had_more_in_use_before(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	served(&b, 500, 1000, 17);
	counted(&b, 1500, 17, 5, 0, 1400);
	counted_for(&b, 1900, 3500, 17, 2);
	expect_cause(answered(&b, 3000, 3000.2, 502, "/shop/1"), CAUSE_GATEWAY_GENERATED);
	bench_close(&b);
}

static void test_nothing_in_use(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	served(&b, 500, 1000, 17);
	counted_for(&b, 1900, 3500, 17, 0);
	expect_cause(answered(&b, 3000, 3000.2, 502, "/shop/1"), CAUSE_GATEWAY_GENERATED);
	bench_close(&b);
}

/* nginx turns away with 502; its 503 is a limit_req or a rule. */
static void test_another_status_is_not_of_the_pool(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	served(&b, 500, 1000, 17);
	counted_for(&b, 1900, 3500, 17, 2);
	expect_cause(answered(&b, 3000, 3000.2, 503, "/shop/1"), CAUSE_GATEWAY_GENERATED);
	bench_close(&b);
}

static void test_another_route(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	served(&b, 500, 1000, 17);
	counted_for(&b, 1900, 3500, 17, 2);
	expect_cause(answered(&b, 3000, 3000.2, 502, "/blog/1"), CAUSE_GATEWAY_GENERATED);
	bench_close(&b);
}

/* One of two servers had room. */
static void test_another_server_was_free(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	served(&b, 500, 1000, 17);
	served(&b, 600, 1100, 18);
	counted_for(&b, 1900, 3500, 17, 2);
	expect_cause(answered(&b, 3000, 3000.2, 502, "/shop/1"), CAUSE_GATEWAY_GENERATED);
	bench_close(&b);
}

/* A failure of the same route just before: marked down, whatever the others do. */
static void test_a_failure_before_is_no_live_upstream(void **s)
{
	struct w5_leg d = rec_down(D + 5, 2500, "GET", "/shop/9");
	struct w5_leg up = rec_connect(U, 2500.1, 18, 111, 2500.3);
	struct bench b;

	bench_open(&b, "nginx");
	served(&b, 500, 1000, 17);
	counted_for(&b, 1900, 2400, 17, 2);
	rec_answer(&d, 2500.5, 502);
	rec_tie(&up, &d);
	feed(&b, &up);
	feed(&b, &d);
	counted_for(&b, 2600, 3500, 17, 2);
	expect_cause(answered(&b, 3000, 3000.2, 502, "/shop/1"), CAUSE_NO_LIVE_UPSTREAM);
	bench_close(&b);
}

/* The connections are taken, but the accept queue of the backend is what fails: an attempt. */
static void test_an_attempt_is_no_pool_limit(void **s)
{
	struct w5_leg up = rec_connect(U, 2000.1, 17, 110, 2999.8);
	struct w5_leg d = rec_down(D, 2000, "GET", "/shop/1");
	struct bench b;

	bench_open(&b, "nginx");
	served(&b, 500, 1000, 17);
	counted_for(&b, 1900, 3500, 17, 2);
	rec_answer(&d, 3000, 504);
	rec_tie(&up, &d);
	feed(&b, &up);
	feed(&b, &d);
	bench_settle(&b, 3000);
	expect_cause(b.f[0], CAUSE_CONN_TIMEOUT_SYN);
	bench_close(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_per_upstream),
		cmocka_unit_test(test_workers_add_up),
		cmocka_unit_test(test_waited_while_all_were_busy),
		cmocka_unit_test(test_turned_away_at_once),
		cmocka_unit_test(test_a_burst_s_first_moment_is_open),
		cmocka_unit_test(test_no_limit_without_a_later_count),
		cmocka_unit_test(test_the_log_says_so),
		cmocka_unit_test(test_only_the_log_has_it),
		cmocka_unit_test(test_a_health_check_does_not_explain_a_queue),
		cmocka_unit_test(test_no_plateau),
		cmocka_unit_test(test_had_more_in_use_before),
		cmocka_unit_test(test_nothing_in_use),
		cmocka_unit_test(test_another_status_is_not_of_the_pool),
		cmocka_unit_test(test_another_route),
		cmocka_unit_test(test_another_server_was_free),
		cmocka_unit_test(test_a_failure_before_is_no_live_upstream),
		cmocka_unit_test(test_an_attempt_is_no_pool_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
