/* SPDX-License-Identifier: BSD-2-Clause */
/* Keep-alive races before they happen: who closes idle conns, and after how long. */
#include "idle_upstream.h"
#include "sink/warnings.h"

/* A conn that serves two requests, both answered with resp (NULL: a plain one), and is closed
 * age_ms after the last byte of the second. */
static void conn_says(struct bench *b, uint64_t cookie, double t, double age_ms, uint8_t end,
		      const char *resp)
{
	struct w5_leg u = rec_up(cookie, t, "GET", "/a", 17, 1);

	rec_answer(&u, t + 1, 200);
	feed(b, &u);
	u = rec_up(cookie, t + 10, "GET", "/a", 17, 2);
	rec_answer(&u, t + 11, 200);
	u.last_ns = ms(t + 12);
	feed(b, &u);
	u.h.type = W5_REC_END;
	rec_end(&u, t + 12 + age_ms, end);
	if (resp) {
		u.resp_len = (uint16_t)strlen(resp);
		u.resp_bytes = u.resp_len;
		memcpy(u.resp, resp, u.resp_len);
	}
	feed(b, &u);
}

static void conn_closed(struct bench *b, uint64_t cookie, double t, double age_ms, uint8_t end)
{
	conn_says(b, cookie, t, age_ms, end, NULL);
}

static void test_backend_closes_first(void **s)
{
	struct warnings w = { .n = 0 };
	char text[WARNING_TEXT_MAX];
	struct bench b;

	bench_open(&b, "nginx");
	conn_closed(&b, U, 1000, 5003, W5_END_FIN_IN);
	conn_closed(&b, U + 1, 9000, 5001, W5_END_FIN_IN);
	assert_false(only_upstream(&b)->race_ahead);
	conn_closed(&b, U + 2, 17000, 5004, W5_END_FIN_IN);
	assert_true(only_upstream(&b)->race_ahead);
	assert_int_equal(only_upstream(&b)->idle_backend_ms, 5001);
	assert_ptr_equal(warnings_next(&w, b.e), only_upstream(&b));
	assert_null(warnings_next(&w, b.e)); /* once */
	warning_text(text, only_upstream(&b));
	assert_non_null(strstr(text, "after 5.00 s (seen 3 times), the gateway keeps them longer"));
	bench_close(&b);
}

static void test_gateway_closes_first(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	for (unsigned i = 0; i < 4; i++)
		conn_closed(&b, U + i, 1000 + 8000 * i, 4000, W5_END_FIN_OUT);
	assert_int_equal(only_upstream(&b)->idle_gateway_ms, 4000);
	assert_false(only_upstream(&b)->race_ahead);
	bench_close(&b);
}

/* Both have been seen to close: the longer time of the gateway decides. */
static void test_both_times_are_told(void **s)
{
	char text[WARNING_TEXT_MAX];
	struct bench b;

	bench_open(&b, "nginx");
	for (unsigned i = 0; i < 3; i++) {
		conn_closed(&b, U + 2 * i, 1000 + 9000 * i, 5000, W5_END_FIN_IN);
		conn_closed(&b, U + 2 * i + 1, 1000 + 9000 * i, 6000, W5_END_FIN_OUT);
	}
	assert_true(only_upstream(&b)->race_ahead);
	warning_text(text, only_upstream(&b));
	assert_non_null(strstr(text, "the gateway keeps them for 6.00 s"));
	bench_close(&b);
}

static void test_no_timer_no_warning(void **s)
{
	static const double ages[] = { 900, 5000, 2000, 14000, 300 };
	struct bench b;

	bench_open(&b, "nginx");
	for (unsigned i = 0; i < 5; i++)
		conn_closed(&b, U + i, 1000 + 20000 * i, ages[i], W5_END_FIN_IN);
	assert_false(only_upstream(&b)->race_ahead); /* restarts, failures: each time another age */
	bench_close(&b);
	bench_open(&b, "nginx");
	for (unsigned i = 0; i < 5; i++)
		conn_closed(&b, U + i, 1000 + 20000 * i, 20, W5_END_FIN_IN);
	assert_false(only_upstream(&b)->race_ahead); /* it was never meant to be kept */
	bench_close(&b);
}

/* ---- many at one time ---- */

/* At t all the idle conns are closed at once, within some milliseconds. */
static void all_closed(struct bench *b, uint64_t cookie, double t, const double *ages, size_t n)
{
	for (size_t i = 0; i < n; i++)
		conn_closed(b, cookie + i, t + (double)i - ages[i] - 12, ages[i], W5_END_FIN_IN);
}

static void test_a_restart_is_no_timer(void **s)
{
	static const double ages[] = { 9000, 7400, 300, 5100, 5000, 2600, 800, 8100 };
	static const double alike[] = { 5000, 5001, 5002, 5003, 5004, 5000, 5001, 5002 };
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	for (unsigned i = 0; i < 4; i++)
		all_closed(&b, U + 10 * i, 20000 + 60000 * i, ages, 8);
	assert_int_equal(only_upstream(&b)->idle_backend_ms, 0);
	assert_false(only_upstream(&b)->race_ahead);
	bench_close(&b);
	/* nor is one behind a burst of requests, after which all had the same age */
	bench_open(&b, "nginx");
	all_closed(&b, U, 20000, alike, 8);
	assert_int_equal(only_upstream(&b)->idle_backend_ms, 0);
	assert_false(only_upstream(&b)->race_ahead);
	bench_close(&b);
}

static void test_a_restart_hides_no_timer(void **s)
{
	static const double ages[] = { 4000, 300, 2000, 800 };
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	for (unsigned i = 0; i < 3; i++)
		conn_closed(&b, U + i, 1000 + 8000 * i, 5000 + i, W5_END_FIN_IN);
	all_closed(&b, U + 10, 60000, ages, 4);
	assert_int_equal(only_upstream(&b)->idle_backend_ms, 5000);
	assert_int_equal(only_upstream(&b)->idle_closed, 3); /* of the timer, not of the restart */
	bench_close(&b);
}

static void test_conns_of_a_busy_pool_are_counted(void **s)
{
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	for (unsigned i = 0; i < 40; i++) /* ten a second */
		conn_closed(&b, U + i, 1000 + 100 * i, 5000 + i % 7, W5_END_FIN_IN);
	assert_true(only_upstream(&b)->race_ahead);
	assert_int_equal(only_upstream(&b)->idle_backend_ms, 5000);
	assert_int_equal(only_upstream(&b)->idle_closed, 40);
	bench_close(&b);
}

/* ---- what the backend says ---- */

#define SAYS_5_S                                                                         \
	"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5, max=99\r\n" \
	"Content-Length: 0\r\n\r\n"

static void test_a_header_needs_one_close(void **s)
{
	struct warnings w = { .n = 0 };
	char text[WARNING_TEXT_MAX];
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	conn_says(&b, U, 1000, 1000, W5_END_FIN_OUT, SAYS_5_S);
	assert_int_equal(only_upstream(&b)->idle_said_ms, 5000);
	assert_int_equal(only_upstream(&b)->keep_alive_max, 99);
	assert_false(only_upstream(&b)->race_ahead);
	conn_says(&b, U + 1, 9000, 1200, W5_END_FIN_IN, SAYS_5_S); /* a restart */
	assert_false(only_upstream(&b)->race_ahead);
	conn_says(&b, U + 2, 17000, 5004, W5_END_FIN_IN, SAYS_5_S);
	assert_true(only_upstream(&b)->race_ahead);
	assert_ptr_equal(warnings_next(&w, b.e), only_upstream(&b));
	warning_text(text, only_upstream(&b));
	assert_non_null(strstr(text, "after 5.00 s (its Keep-Alive header says so), the gateway "
				     "keeps them longer"));
	bench_close(&b);
}

static void test_a_header_that_nobody_keeps_to(void **s)
{
	struct bench b;

	(void)s;
	bench_open(&b, "nginx"); /* it closes first, and later than that */
	for (unsigned i = 0; i < 4; i++)
		conn_says(&b, U + i, 1000 + 70000 * i, 60000, W5_END_FIN_OUT, SAYS_5_S);
	assert_int_equal(only_upstream(&b)->idle_gateway_ms, 60000);
	assert_false(only_upstream(&b)->race_ahead);
	bench_close(&b);
	bench_open(&b, "nginx"); /* it heeds it */
	for (unsigned i = 0; i < 4; i++)
		conn_says(&b, U + i, 1000 + 9000 * i, 4000, W5_END_FIN_OUT, SAYS_5_S);
	assert_false(only_upstream(&b)->race_ahead);
	bench_close(&b);
	bench_open(&b, "nginx"); /* to the second */
	for (unsigned i = 0; i < 4; i++)
		conn_says(&b, U + i, 1000 + 9000 * i, 5000, W5_END_FIN_OUT, SAYS_5_S);
	assert_true(only_upstream(&b)->race_ahead);
	bench_close(&b);
}

/* A healthy answer whose head is told with its turn. */
static void test_a_header_of_a_healthy_answer(void **s)
{
	struct w5_leg u = rec_up(U, 1000, "GET", "/a", 17, 1);
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	rec_answer(&u, 1001, 200);
	u.h.size = W5_LEG_ANSWER;
	u.resp_len = u.resp_bytes = sizeof(SAYS_5_S) - 1;
	memcpy(u.resp, SAYS_5_S, u.resp_len);
	feed(&b, &u);
	assert_int_equal(only_upstream(&b)->idle_said_ms, 5000);
	bench_close(&b);
}

static void test_connection_close_is_no_idle_conn(void **s)
{
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	for (unsigned i = 0; i < 4; i++) /* a lingering close: 2 s after the answer */
		conn_says(&b, U + i, 1000 + 9000 * i, 2000, W5_END_FIN_IN,
			  "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(only_upstream(&b)->idle_backend_ms, 0);
	assert_false(only_upstream(&b)->race_ahead);
	bench_close(&b);
}

static void test_a_conn_used_once_is_no_pool(void **s)
{
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	for (unsigned i = 0; i < 4; i++) {
		double t = 1000 + 9000 * i;
		struct w5_leg u = rec_up(U + i, t, "GET", "/a", 17, 1);

		rec_answer(&u, t + 1, 200);
		feed(&b, &u);
		u.h.type = W5_REC_END;
		rec_end(&u, t + 5001, W5_END_FIN_IN);
		feed(&b, &u);
	}
	assert_int_equal(only_upstream(&b)->idle_backend_ms, 5000);
	assert_false(only_upstream(&b)->race_ahead);
	bench_close(&b);
}

/* The gateway's number, where only another upstream lets it close first. */
static void test_the_timer_seen_elsewhere(void **s)
{
	const struct engine_upstream *const *v;
	char text[WARNING_TEXT_MAX];
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	for (unsigned i = 0; i < 3; i++) {
		double t = 1000 + 70000 * i;

		conn_closed(&b, U + 2 * i, t, 5000, W5_END_FIN_IN);
		for (uint32_t nr = 1; nr <= 2; nr++) {
			struct w5_leg u = rec_up(U + 2 * i + 1, t + 10 * nr, "GET", "/b", 18, nr);

			rec_answer(&u, t + 10 * nr + 1, 200);
			feed(&b, &u);
			if (nr == 1)
				continue;
			u.h.type = W5_REC_END;
			rec_end(&u, t + 21 + 60000, W5_END_FIN_OUT);
			feed(&b, &u);
		}
	}
	assert_int_equal(engine_upstreams(b.e, &v), 2);
	assert_true(v[0]->race_ahead);
	assert_int_equal(v[0]->idle_gateway_ms, 0);
	assert_int_equal(v[0]->idle_elsewhere_ms, 60000);
	assert_false(v[1]->race_ahead);
	assert_int_equal(v[1]->idle_elsewhere_ms, 0);
	warning_text(text, v[0]);
	assert_non_null(strstr(text, "keeps them longer (those to other upstreams for 60.0 s)"));
	bench_close(&b);
}

/* ---- the finding ---- */

static void test_the_finding_says_both(void **s)
{
	struct w5_leg u, d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	for (unsigned i = 0; i < 3; i++) {
		conn_says(&b, U + 2 * i, 1000 + 9000 * i, 5000, W5_END_FIN_IN, SAYS_5_S);
		conn_closed(&b, U + 2 * i + 1, 1000 + 9000 * i, 6000, W5_END_FIN_OUT);
	}
	u = rec_up(U + 50, 60000, "POST", "/a", 17, 3);
	u.idle_ns = 5000ull * 1000000;
	u.hint_cookie = 100;
	u.hint_ns = ms(59999.9);
	u.fin_in_ns = ms(59999.8);
	u.resp_bytes = 0;
	rec_end(&u, 60000.2, W5_END_RST_IN);
	u.fin_in_ns = ms(59999.8);
	feed(&b, &u);
	d = rec_down(100, 59999.9, "POST", "/a");
	rec_answer(&d, 60000.3, 502);
	feed(&b, &d);
	bench_settle(&b, 61000);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "keepalive-race");
	assert_int_equal(b.f[0]->idle.backend_ms, 5000);
	assert_int_equal(b.f[0]->idle.gateway_ms, 6000);
	assert_string_equal(b.f[0]->next,
			    "make the gateway's upstream keepalive timeout (6.00 s) shorter than "
			    "the idle timeout of 10.0.3.17:8080 (5.00 s, seen 3 times; its "
			    "Keep-Alive header says 5.00 s)");
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backend_closes_first),
		cmocka_unit_test(test_gateway_closes_first),
		cmocka_unit_test(test_both_times_are_told),
		cmocka_unit_test(test_no_timer_no_warning),
		cmocka_unit_test(test_a_restart_is_no_timer),
		cmocka_unit_test(test_a_restart_hides_no_timer),
		cmocka_unit_test(test_conns_of_a_busy_pool_are_counted),
		cmocka_unit_test(test_a_header_needs_one_close),
		cmocka_unit_test(test_a_header_that_nobody_keeps_to),
		cmocka_unit_test(test_a_header_of_a_healthy_answer),
		cmocka_unit_test(test_connection_close_is_no_idle_conn),
		cmocka_unit_test(test_a_conn_used_once_is_no_pool),
		cmocka_unit_test(test_the_timer_seen_elsewhere),
		cmocka_unit_test(test_the_finding_says_both),
	};

	return cmocka_run_group_tests_name("idle", tests, NULL, NULL);
}
