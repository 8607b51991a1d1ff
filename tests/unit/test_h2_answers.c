/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP/2: what comes behind an answer's headers, or does not. */
#include "base/util.h"
#include "h2_conns.h"

/* Its timer ran out in the middle of a body, and it ended the stream as if all were there. */
static void test_body_cut_by_the_gateways_timer(void **s)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
	static const struct {
		double left; /* the client resets the stream; 0 = it does not */
		size_t want;
	} cases[] = { { 0, 1 }, { 2500.9, 0 } };

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct w5_leg up = rec_up(U, 1000.2, "GET", "/a", 18, 1);
		struct wire d;
		struct bench b;

		bench_open(&b, "haproxy");
		d = down_open(&b);
		wire_request(&d, 1000, IN, 1, "GET", "/a");
		rec_hint(&up, D, 1000.1);
		rec_resp(&up, head, strlen(head), 300);
		rec_answer(&up, 1001, 200);
		feed(&b, &up);
		wire_hint(&d, U, 1001.1);
		wire_response(&d, 1001.2, OUT, 1, "200", 0);
		if (cases[i].left)
			wire_reset(&d, cases[i].left, IN, 1, CANCEL);
		up.h.type = W5_REC_END;
		rec_end(&up, 2501, W5_END_RST_OUT);
		feed(&b, &up);
		if (!cases[i].left)
			wire_last(&d, 2501.1, OUT, 1);
		rec_tick(b.e, 3600);
		bench_settle(&b, 3800);
		assert_int_equal(b.n, cases[i].want);
		if (b.n)
			assert_int_equal(b.f[0]->cause, CAUSE_GATEWAY_TIMEOUT_LOCAL);
		bench_close(&b);
	}
}

static void test_body_cut_by_reset(void **s)
{
	struct wire d, u;
	struct bench b;

	(void)s;
	passed_on(&b, &d, &u);
	wire_response(&u, 1001, IN, 1, "200", 0);
	wire_hint(&d, U, 1001);
	wire_response(&d, 1001.1, OUT, 1, "200", 0);
	wire_reset(&u, 1020, IN, 1, INTERNAL_ERROR);
	wire_hint(&d, U, 1020);
	wire_reset(&d, 1020.1, OUT, 1, INTERNAL_ERROR);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "truncated-body");
	bench_close(&b);
}

static void test_grpc_status(void **s)
{
	struct wire d, u;
	struct frame f;
	struct bench b;

	(void)s;
	passed_on(&b, &d, &u);
	frame_begin(&f, W5_H2_HEADERS, H2_WHOLE | H2_LAST, 1); /* trailers only */
	frame_field(&f, 0, ":status", "200");
	frame_field(&f, 0, "grpc-status", "14");
	wire_frame(&u, 1001, IN, &f);
	wire_hint(&d, U, 1001);
	wire_response(&d, 1001.1, OUT, 1, "502", H2_LAST);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->nattempts, 1);
	assert_int_equal(b.f[0]->attempts[0].leg.grpc_status, 15);
	bench_close(&b);
}

/* Status 503 first, the reason in the trailers. */
static void test_grpc_status_in_trailers(void **s)
{
	struct wire d, u;
	struct frame f;
	struct bench b;

	(void)s;
	passed_on(&b, &d, &u);
	wire_response(&u, 1001, IN, 1, "503", 0);
	wire_hint(&d, U, 1001);
	wire_response(&d, 1001.1, OUT, 1, "503", 0);
	frame_begin(&f, W5_H2_HEADERS, H2_WHOLE | H2_LAST, 1);
	frame_field(&f, 0, "grpc-status", "8");
	wire_frame(&u, 1002, IN, &f);
	wire_frame(&d, 1002.1, OUT, &f);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->attempts[0].leg.grpc_status, 9);
	assert_int_equal(b.f[0]->down.grpc_status, 9);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_body_cut_by_the_gateways_timer),
		cmocka_unit_test(test_body_cut_by_reset),
		cmocka_unit_test(test_grpc_status),
		cmocka_unit_test(test_grpc_status_in_trailers),
	};

	return cmocka_run_group_tests_name("HTTP/2 answers", tests, NULL, NULL);
}
