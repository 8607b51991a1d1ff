/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP/2: how streams end but by their answer: refused, reset, GOAWAY, with their conn, gRPC. */
#include "../lib/rec_flight.h"
#include "../lib/rec_text.h"
#include "base/util.h"
#include "h2_conns.h"

/* HAProxy refuses a stream in place of a 502. */
static void test_refused_to_the_client(void **s)
{
	const struct engine_counters *c;
	struct w5_leg up;
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "haproxy");
	d = down_open(&b);
	wire_request(&d, 1000, IN, 1, "GET", "/a");
	up = rec_up(U, 1000.2, "GET", "/a", 18, 4);
	rec_end(&up, 1000.4, W5_END_RST_IN);
	rec_hint(&up, D, 1000);
	feed(&b, &up);
	wire_hint(&d, U, 1000.4);
	wire_reset(&d, 1000.5, OUT, 1, REFUSED_STREAM);
	c = settled(&b, 1100);
	assert_int_equal(c->silent, 1);
	assert_int_equal(c->exchanges, 1);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_SILENT);
	assert_string_equal(b.f[0]->target, "/a");
	assert_int_equal(b.f[0]->down.h2_end, W5_H2_RST_OUT);
	assert_int_equal(b.f[0]->down.h2_error, REFUSED_STREAM);
	assert_int_equal(b.f[0]->nattempts, 1);
	bench_close(&b);
}

static void test_client_cancels(void **s)
{
	const struct engine_counters *c;
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	wire_request(&d, 1000, IN, 1, "GET", "/a");
	wire_reset(&d, 1005, IN, 1, CANCEL);
	wire_request(&d, 1006, IN, 3, "GET", "/b");
	wire_response(&d, 1007, OUT, 3, "200", 0);
	wire_reset(&d, 1008, IN, 3, CANCEL); /* in the middle of the body */
	c = settled(&b, 1100);
	assert_int_equal(c->client_aborts, 1);
	assert_int_equal(c->exchanges, 2);
	assert_int_equal(c->bad, 0);
	bench_close(&b);
}

static void test_backend_resets_a_stream(void **s)
{
	const struct w5_leg *l;
	struct wire d, u;
	struct bench b;

	(void)s;
	passed_on(&b, &d, &u);
	wire_reset(&u, 1005, IN, 1, INTERNAL_ERROR);
	wire_hint(&d, U, 1005);
	wire_response(&d, 1005.1, OUT, 1, "502", H2_LAST);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "h2-stream-reset");
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_CERTAIN);
	l = &b.f[0]->attempts[0].leg;
	assert_int_equal(l->stream, 1);
	assert_int_equal(l->conn_cookie, U);
	assert_int_equal(l->h2_end, W5_H2_RST_IN);
	assert_int_equal(l->h2_error, INTERNAL_ERROR);
	assert_int_equal(l->rport, 8443);
	bench_close(&b);
}

static void test_goaway_leaves_streams_out(void **s)
{
	struct wire d, u;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	u = up_open(&b);
	wire_request(&d, 999, IN, 1, "GET", "/in-time");
	wire_request(&u, 999.1, OUT, 1, "GET", "/in-time");
	pass_on(&d, &u, 3);
	wire_goaway(&u, 1005, IN, 1, 0);
	wire_hint(&d, U, 1005);
	wire_response(&d, 1005.1, OUT, 3, "502", H2_LAST);
	wire_response(&u, 1006, IN, 1, "200", H2_LAST);
	wire_response(&d, 1007, OUT, 1, "200", H2_LAST);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "h2-goaway");
	assert_int_equal(b.f[0]->attempts[0].leg.stream, 3);
	assert_int_equal(engine_counters(b.e)->exchanges, 2);
	bench_close(&b);
}

/* The conn is lost: every stream without an answer fails with what TCP says of it. */
static void test_conn_loss_fails_its_streams(void **s)
{
	struct w5_leg end = rec_conn_end(U, W5_ROLE_UPSTREAM, 990, 1010, W5_END_RST_IN);
	const struct engine_upstream *const *ups;
	struct wire d, u;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	u = up_open(&b);
	for (uint32_t i = 1; i <= 5; i += 2) {
		char target[8] = { '/', (char)('a' + i) };

		wire_request(&d, 1000 + i, IN, i, "GET", target);
		wire_hint(&u, D, 1000 + i);
		wire_request(&u, 1000 + i + .1, OUT, i, "GET", target);
	}
	wire_response(&u, 1009, IN, 3, "200", H2_LAST);
	wire_response(&d, 1009.1, OUT, 3, "200", H2_LAST);
	feed(&b, &end);
	wire_hint(&d, U, 1010.1);
	wire_response(&d, 1010.2, OUT, 1, "502", H2_LAST);
	wire_response(&d, 1010.3, OUT, 5, "502", H2_LAST);
	settled(&b, 1100);
	assert_int_equal(b.n, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(b.f[i]->nattempts, 1);
		assert_string_equal(cause_name(b.f[i]->cause), "reset-before-response");
		assert_string_equal(b.f[i]->target, i ? "/f" : "/b");
		assert_int_equal(b.f[i]->attempts[0].leg.stream, i ? 5 : 1);
		assert_int_equal(b.f[i]->attempts[0].leg.rst_ttl, 63);
	}
	assert_int_equal(engine_counters(b.e)->conns_up, 0);
	assert_int_equal(engine_upstreams(b.e, &ups), 1);
	assert_int_equal(ups[0]->failures, 2);
	bench_close(&b);
}

/* GOAWAY crosses the request: it was read before the request's frame was written. */
static void test_goaway_before_the_request(void **s)
{
	struct w5_leg end = rec_conn_end(U, W5_ROLE_UPSTREAM, 990, 1002, W5_END_FIN_IN);
	struct wire d, u;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	u = up_open(&b);
	wire_goaway(&u, 999, IN, 0, 0);
	pass_on(&d, &u, 1);
	feed(&b, &end);
	wire_hint(&d, U, 1002.1);
	wire_response(&d, 1002.2, OUT, 1, "502", H2_LAST);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "h2-goaway");
	bench_close(&b);
}

/* The gateway still writes, is reset for it, and only then reads what had come before the FIN. */
static void test_second_end_while_frames_are_unread(void **s)
{
	struct w5_leg fin = rec_conn_end(U, W5_ROLE_UPSTREAM, 990, 1002, W5_END_FIN_IN), rst;
	struct wire d, u;
	struct bench b;

	(void)s;
	passed_on(&b, &d, &u);
	feed(&b, &fin);
	rst = rec_conn_end(U, W5_ROLE_UPSTREAM, 990, 1008, W5_END_RST_IN);
	rst.h.type = W5_REC_ATTEMPT;
	rst.phase = W5_PHASE_REQUEST;
	rst.req_ns = ms(1007.9);
	rst.req_bytes = 31;
	feed(&b, &rst);
	wire_goaway(&u, 1009, IN, 0, 0);
	wire_hint(&d, U, 1009);
	wire_response(&d, 1009.1, OUT, 1, "502", H2_LAST);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "h2-goaway");
	bench_close(&b);
}

/* h2c: the kernel reads the frames itself, in the order of the packets. */
static void test_an_end_in_the_clear_waits_for_nothing(void **s)
{
	struct w5_leg open = rec_conn(U, W5_ROLE_UPSTREAM, 990), end;
	struct wire d, u;
	struct bench b;

	(void)s;
	bench_open(&b, "haproxy");
	d = down_open(&b);
	open.proto = W5_PROTO_H2;
	feed(&b, &open);
	u = wire_of(&b, U);
	pass_on(&d, &u, 1);
	end = rec_conn_end(U, W5_ROLE_UPSTREAM, 990, 1001, W5_END_RST_IN);
	feed(&b, &end);
	assert_int_equal(engine_counters(b.e)->attempts, 1); /* told */
	u = wire_open(&b, U + 1, W5_ROLE_UPSTREAM, 1001);
	wire_hint(&u, D, 1001);
	wire_request(&u, 1001.1, OUT, 1, "GET", "/a");
	wire_response(&u, 1002, IN, 1, "200", H2_LAST);
	wire_hint(&d, U + 1, 1002);
	wire_response(&d, 1002.1, OUT, 1, "200", H2_LAST);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_RECOVERED);
	bench_close(&b);
}

static void test_clients_conn_lost(void **s)
{
	struct w5_leg end = rec_conn_end(D, W5_ROLE_DOWNSTREAM, 990, 1010, W5_END_RST_IN);
	const struct engine_counters *c;
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	wire_request(&d, 1000, IN, 1, "GET", "/a");
	wire_request(&d, 1001, IN, 3, "GET", "/b");
	feed(&b, &end);
	c = settled(&b, 1100);
	assert_int_equal(c->client_aborts, 2);
	assert_int_equal(c->conns_down, 0);
	assert_int_equal(c->bad, 0);
	bench_close(&b);
}

/* Headers came, the end never did: cut on both legs. */
/* The last words of the backend before its close_notify never reached the gateway. */
static void test_last_words_overtaken_by_a_reset(void **s)
{
	static const struct {
		uint32_t bytes; /* of the record before the goodbye; 0 = there was none */
		enum cause want;
	} cases[] = { { 39, CAUSE_INSUFFICIENT_EVIDENCE }, { 0, CAUSE_CLOSED_BEFORE_RESPONSE } };

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct w5_packets *fl = calloc(1, sizeof(*fl));
		struct w5_leg d = rec_down(D, 1000, "GET", "/a"),
			      end = rec_conn(U, W5_ROLE_UPSTREAM, 990);
		struct wire u;
		struct bench b;

		bench_open(&b, "nginx");
		u = up_open(&b);
		wire_hint(&u, D, 1000.1);
		wire_request(&u, 1000.2, OUT, 1, "GET", "/a");
		end.h.type = W5_REC_END;
		end.h.size = sizeof(end);
		end.nr = 1;
		end.req_ns = ms(1000.2);
		end.req_bytes = end.req_acked = 90;
		end.phase = W5_PHASE_RESPONSE;
		end.alert_in = W5_ALERT;
		rec_end(&end, 1000.5, W5_END_RST_IN);
		end.rst_flags = W5_TCP_RST | W5_TCP_ACK;
		feed(&b, &end);
		if (cases[i].bytes)
			flight_add(fl, 1000.3, false, 1, W5_TCP_ACK, cases[i].bytes);
		flight_add(fl, 1000.4, false, 40, W5_TCP_ACK, 24);
		for (uint32_t k = 0; k < fl->total; k++) {
			fl->pkt[k].data[40] = 23; /* application data */
			fl->pkt[k].cap = 41;
		}
		flight_feed(b.e, fl, 1000.5, U);
		rec_answer(&d, 1000.7, 502);
		rec_hint(&d, U, 1000.6);
		feed(&b, &d);
		bench_settle(&b, 1100);
		assert_int_equal(b.n, 1);
		assert_int_equal(b.f[0]->cause, cases[i].want);
		bench_close(&b);
		free(fl);
	}
}

/* The gateway gives the stream up when the backend has reset the conn: that is only its answer. */
static void test_stream_given_up_after_a_reset(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"),
		      end = rec_conn_end(U, W5_ROLE_UPSTREAM, 990, 1000.5, W5_END_RST_IN);
	struct wire u;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	u = up_open(&b);
	wire_hint(&u, D, 1000.1);
	wire_request(&u, 1000.2, OUT, 1, "GET", "/a");
	end.req_ns = ms(1000.2);
	end.req_bytes = end.req_acked = 90;
	feed(&b, &end);
	wire_reset(&u, 1000.6, OUT, 1, CANCEL);
	rec_answer(&d, 1000.8, 502);
	rec_hint(&d, U, 1000.7);
	feed(&b, &d);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->cause, CAUSE_RESET_BEFORE_RESPONSE);
	bench_close(&b);
}

/* GOAWAY and close_notify come while the gateway writes: it reads them when the FIN is there. */
static void test_goaway_read_after_the_end(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), end = rec_conn(U, W5_ROLE_UPSTREAM, 990);
	struct wire u;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	u = up_open(&b);
	wire_hint(&u, D, 1000.1);
	wire_request(&u, 1000.2, OUT, 1, "GET", "/a");
	end.h.type = W5_REC_ATTEMPT;
	end.h.size = sizeof(end);
	end.nr = 2;
	end.req_ns = ms(1000.4);
	end.req_bytes = 31;
	end.phase = W5_PHASE_REQUEST;
	end.alert_in = W5_ALERT;
	rec_end(&end, 1000.41, W5_END_FIN_IN);
	feed(&b, &end);
	wire_goaway(&u, 1000.9, IN, 0, 0);
	rec_answer(&d, 1001, 502);
	rec_hint(&d, U, 1000.95);
	feed(&b, &d);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->cause, CAUSE_H2_GOAWAY);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_to_the_client),
		cmocka_unit_test(test_client_cancels),
		cmocka_unit_test(test_backend_resets_a_stream),
		cmocka_unit_test(test_goaway_leaves_streams_out),
		cmocka_unit_test(test_conn_loss_fails_its_streams),
		cmocka_unit_test(test_goaway_before_the_request),
		cmocka_unit_test(test_second_end_while_frames_are_unread),
		cmocka_unit_test(test_an_end_in_the_clear_waits_for_nothing),
		cmocka_unit_test(test_clients_conn_lost),
		cmocka_unit_test(test_last_words_overtaken_by_a_reset),
		cmocka_unit_test(test_stream_given_up_after_a_reset),
		cmocka_unit_test(test_goaway_read_after_the_end),
	};

	return cmocka_run_group_tests_name("h2_ends", tests, NULL, NULL);
}
