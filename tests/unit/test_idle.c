/* SPDX-License-Identifier: BSD-2-Clause */
/* Keep-alive races before they happen: who closes idle conns, and after how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../lib/rec.h"
#include "sink/warnings.h"

/* A conn that serves two requests, and is closed age_ms after the last byte of the second. */
static void conn_closed(struct bench *b, uint64_t cookie, double t, double age_ms, uint8_t end)
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
	feed(b, &u);
}

static const struct engine_upstream *only_upstream(const struct bench *b)
{
	const struct engine_upstream *const *v;

	assert_int_equal(engine_upstreams(b->e, &v), 1);
	return v[0];
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backend_closes_first),
		cmocka_unit_test(test_gateway_closes_first),
		cmocka_unit_test(test_both_times_are_told),
		cmocka_unit_test(test_no_timer_no_warning),
	};

	return cmocka_run_group_tests_name("idle", tests, NULL, NULL);
}
