/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP/2 to the backend: what frames end a stream with, and what only its conn tells. */
#include "../lib/explain.h"

/* A request on stream 5 of a conn that has had two, as the engine makes it of frames. */
static struct w5_leg stream_up(void)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 3);

	l.proto = W5_PROTO_H2;
	l.flags = W5_F_TEXT;
	l.conn_cookie = U + 1000;
	l.stream = 5;
	rec_acked(&l);
	return l;
}

static struct w5_leg ended_by(uint8_t h2_end, uint32_t code, double t)
{
	struct w5_leg l = stream_up();

	l.h2_end = h2_end;
	l.h2_error = code;
	l.h.ts_ns = l.end_ns = ms(t);
	return l;
}

static void answer(struct w5_leg *l, double t, uint16_t status)
{
	char head[48];
	int n = snprintf(head, sizeof(head), "HTTP/2 %u\r\n\r\n", status);

	rec_resp(l, head, (size_t)n, (uint32_t)n);
	rec_answer(l, t, status);
	l->h.size = sizeof(*l);
}

/* ---- RST_STREAM ---- */

static void test_reset_by_the_backend(void **s)
{
	struct w5_leg l = ended_by(W5_H2_RST_IN, 2, 1030.1);
	struct bench b;
	struct finding *f;

	(void)s;
	bench_open(&b, "nginx");
	f = explain_one(&b, &l, 502, 1030.2);
	assert_string_equal(cause_name(f->cause), "h2-stream-reset");
	assert_int_equal(f->confidence, CONFIDENCE_CERTAIN);
	assert_string_equal(f->why, "10.0.3.18:8080 reset the stream of the request (RST_STREAM, "
				    "INTERNAL_ERROR) 29.99 ms after it, without a response header");
	assert_non_null(strstr(f->next, "crash or panic"));
	assert_true(has_evidence(f, "RST_STREAM (INTERNAL_ERROR) from the backend 29.99 ms after "
				    "the request, on stream 5"));
	assert_true(has_evidence(f, "connection reused: request 3 on it"));
	bench_close(&b);
}

static void test_next_step_by_code(void **s)
{
	(void)s;
	expect_by("haproxy", ended_by(W5_H2_RST_IN, 8, 1030.1), 502, 1030.2, CAUSE_H2_STREAM_RESET,
		  CERTAIN, "CANCEL", "its own deadline");
	expect_by("haproxy", ended_by(W5_H2_RST_IN, 0xd, 1030.1), 502, 1030.2,
		  CAUSE_H2_STREAM_RESET, CERTAIN, "HTTP_1_1_REQUIRED", "speak HTTP/1.1");
	expect_by("haproxy", ended_by(W5_H2_RST_IN, 0x99, 1030.1), 502, 1030.2,
		  CAUSE_H2_STREAM_RESET, CERTAIN, "0x99", "backend's log");
}

static void test_refused_stream(void **s)
{
	(void)s;
	expect_by("nginx", ended_by(W5_H2_RST_IN, 7, 1001), 502, 1001.1, CAUSE_H2_REFUSED_STREAM,
		  CERTAIN, "nothing of it was processed", "concurrent streams");
}

/* The same words from the gateway: it is its timer. */
static void test_reset_by_the_gateway_is_its_timer(void **s)
{
	struct w5_leg l = ended_by(W5_H2_RST_OUT, 8, 2500.1);
	struct bench b;
	struct finding *f;

	(void)s;
	expect(l, 504, 2500.2, CAUSE_BACKEND_SLOW, CERTAIN, "sent no byte in 1.5");
	l.req_acked = 0; /* of one stream it need not be known */
	bench_open(&b, "nginx");
	f = explain_one(&b, &l, 504, 2500.2);
	assert_int_equal(f->cause, CAUSE_BACKEND_SLOW);
	assert_true(has_evidence(f, "RST_STREAM (CANCEL) from the gateway 1.50 s"));
	bench_close(&b);
}

static void test_timer_on_a_path_that_loses(void **s)
{
	struct w5_leg l = ended_by(W5_H2_RST_OUT, 8, 2500.1);

	(void)s;
	l.req_acked = 0;
	l.retrans = 4;
	l.rto_count = 4;
	expect(l, 504, 2500.2, CAUSE_PATH_LOSS, CERTAIN, NULL);
}

static void test_reset_because_the_client_left(void **s)
{
	struct w5_leg l = ended_by(W5_H2_RST_OUT, 8, 2000.1), d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	(void)s;
	rec_end(&d, 2000, W5_END_FIN_IN);
	rec_tie(&l, &d);
	bench_open(&b, "nginx");
	feed(&b, &d);
	feed(&b, &l);
	bench_settle(&b, 2001);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->cause, CAUSE_CLIENT_ABORT);
	bench_close(&b);
}

/* ---- GOAWAY ---- */

static void test_goaway_left_it_out(void **s)
{
	struct w5_leg l = ended_by(W5_H2_GOAWAY_IN, 0, 1001);

	(void)s;
	expect_by("nginx", l, 502, 1001.1, CAUSE_H2_GOAWAY, CERTAIN,
		  "10.0.3.18:8080 closed the HTTP/2 connection (GOAWAY, NO_ERROR) 0.900 ms after "
		  "the request, and did not process its stream 5",
		  "limit of age or requests");
	rec_end(&l, 1001, W5_END_FIN_IN); /* the conn's end comes along */
	expect(l, 502, 1001.1, CAUSE_H2_GOAWAY, CERTAIN, "gave up the HTTP/2 connection");
	l.h2_error = 0xb;
	expect_by("nginx", l, 502, 1001.1, CAUSE_H2_GOAWAY, CERTAIN, "ENHANCE_YOUR_CALM",
		  "limits how often");
}

/* ---- the conn ended with open streams: what TCP did counts ---- */

static void test_conn_lost_with_the_stream(void **s)
{
	struct w5_leg l = stream_up();

	(void)s;
	rec_end(&l, 1200.1, W5_END_RST_IN);
	l.rst_flags = W5_TCP_RST | W5_TCP_ACK;
	expect(l, 502, 1200.2, CAUSE_RESET_BEFORE_RESPONSE, CERTAIN, "took the request and reset");
	l = stream_up();
	rec_end(&l, 1200.1, W5_END_FIN_IN);
	expect(l, 502, 1200.2, CAUSE_CLOSED_BEFORE_RESPONSE, CERTAIN, NULL);
}

/* Apache says goodbye to a backend that has closed: that is not why. */
static void test_goaway_of_the_gateway_is_no_cause(void **s)
{
	struct w5_leg l = ended_by(W5_H2_GOAWAY_OUT, 0xb, 1200.1);

	(void)s;
	rec_end(&l, 1200.1, W5_END_FIN_IN);
	expect(l, 502, 1200.2, CAUSE_CLOSED_BEFORE_RESPONSE, CERTAIN, NULL);
	l = ended_by(W5_H2_GOAWAY_OUT, 0, 2500.1);
	rec_end(&l, 2500.1, W5_END_FIN_OUT);
	expect(l, 504, 2500.2, CAUSE_BACKEND_SLOW, CERTAIN, NULL);
}

static void test_race_on_an_idle_conn(void **s)
{
	struct w5_leg l = stream_up();

	(void)s;
	l.req_acked = 0;
	l.idle_ns = 60ull * 1000000000;
	rec_end(&l, 1000.4, W5_END_RST_IN);
	l.rst_flags = W5_TCP_RST;
	expect(l, 502, 1000.5, CAUSE_KEEPALIVE_RACE, CERTAIN, "idle for 60.0 s");
}

/* ---- after the response header ---- */

static void test_cut_by_a_reset(void **s)
{
	struct w5_leg l = ended_by(W5_H2_RST_IN, 2, 1050);

	(void)s;
	answer(&l, 1003, 200);
	l.end_ns = ms(1050);
	expect(l, 502, 1050.1, CAUSE_TRUNCATED_BODY, CERTAIN,
	       "10.0.3.18:8080 answered 200 and cut the response short with RST_STREAM "
	       "(INTERNAL_ERROR)");
}

static void test_cut_with_its_conn(void **s)
{
	struct w5_leg l = stream_up();

	(void)s;
	answer(&l, 1003, 200);
	rec_end(&l, 1050, W5_END_FIN_IN);
	expect(l, 502, 1050.1, CAUSE_TRUNCATED_BODY, CERTAIN, "FIN before the stream's end");
}

static void test_its_own_502_is_passed_on(void **s)
{
	struct w5_leg l = stream_up();
	struct bench b;
	struct finding *f;

	(void)s;
	answer(&l, 1003, 502);
	bench_open(&b, "nginx");
	f = explain_one(&b, &l, 502, 1003.1);
	assert_int_equal(f->cause, CAUSE_BACKEND_5XX);
	assert_int_equal(f->verdict, VERDICT_PASSED_THROUGH);
	assert_non_null(strstr(f->why, "answered 502 itself"));
	bench_close(&b);
}

/* ---- gRPC ---- */

static void test_grpc_error_mapped_by_the_gateway(void **s)
{
	struct w5_leg l = stream_up();
	struct bench b;
	struct finding *f;

	(void)s;
	answer(&l, 1003, 200);
	l.grpc_status = 1 + 14;
	bench_open(&b, "nginx");
	f = explain_one(&b, &l, 503, 1003.1);
	assert_int_equal(f->cause, CAUSE_BACKEND_5XX);
	assert_non_null(strstr(f->why, "answered 200 with grpc-status 14 (UNAVAILABLE); the "
				       "gateway made the 503 of it"));
	assert_true(has_evidence(f, "grpc-status 14 (UNAVAILABLE)"));
	bench_close(&b);
}

static void test_grpc_ok_is_no_error(void **s)
{
	struct w5_leg l = stream_up();
	struct bench b;

	(void)s;
	answer(&l, 1003, 200);
	l.grpc_status = 1;
	bench_open(&b, "nginx");
	assert_int_not_equal(explain_one(&b, &l, 502, 1003.1)->cause, CAUSE_BACKEND_5XX);
	bench_close(&b);
}

/* ---- the client's side ---- */

static void test_client_is_told_by_a_reset(void **s)
{
	struct w5_leg l = ended_by(W5_H2_RST_IN, 2, 1030.1), d = rec_down(D, 1000, "POST", "/a");
	struct bench b;

	(void)s;
	rec_end(&d, 1030.2, W5_END_RST_OUT);
	d.proto = W5_PROTO_H2;
	d.stream = 1;
	d.h2_end = W5_H2_RST_OUT;
	d.h2_error = 7;
	rec_tie(&l, &d);
	bench_open(&b, "haproxy");
	feed(&b, &l);
	feed(&b, &d);
	bench_settle(&b, 1030.3);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_SILENT);
	assert_int_equal(b.f[0]->cause, CAUSE_H2_STREAM_RESET);
	assert_true(has_evidence(b.f[0], "the client got no byte: the gateway sent RST_STREAM "
					 "(REFUSED_STREAM) 30.20 ms after the request"));
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset_by_the_backend),
		cmocka_unit_test(test_next_step_by_code),
		cmocka_unit_test(test_refused_stream),
		cmocka_unit_test(test_reset_by_the_gateway_is_its_timer),
		cmocka_unit_test(test_timer_on_a_path_that_loses),
		cmocka_unit_test(test_reset_because_the_client_left),
		cmocka_unit_test(test_goaway_left_it_out),
		cmocka_unit_test(test_conn_lost_with_the_stream),
		cmocka_unit_test(test_goaway_of_the_gateway_is_no_cause),
		cmocka_unit_test(test_race_on_an_idle_conn),
		cmocka_unit_test(test_cut_by_a_reset),
		cmocka_unit_test(test_cut_with_its_conn),
		cmocka_unit_test(test_its_own_502_is_passed_on),
		cmocka_unit_test(test_grpc_error_mapped_by_the_gateway),
		cmocka_unit_test(test_grpc_ok_is_no_error),
		cmocka_unit_test(test_client_is_told_by_a_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
