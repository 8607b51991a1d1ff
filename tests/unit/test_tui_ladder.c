/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/hello.h"
#include "sink/ladder.h"
#include "tui_make.h"

#define T0     9000000000000ull
#define US     1000ull
#define SECOND 1000000000ull

static struct ladder ladder;

static const struct ladder_row *row_with(const char *label)
{
	for (size_t i = 0; i < ladder.n; i++)
		if (strstr(ladder.rows[i].label, label))
			return &ladder.rows[i];
	fail_msg("no row with \"%s\"", label);
	return NULL;
}

static size_t count_what(enum ladder_what what, enum ladder_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < ladder.n; i++)
		n += ladder.rows[i].what == what && ladder.rows[i].kind == kind;
	return n;
}

static void expect_in_order_of_time(void)
{
	for (size_t i = 1; i < ladder.n; i++)
		assert_true(ladder.rows[i].rel_ns >= ladder.rows[i - 1].rel_ns);
}

static struct finding *race(void)
{
	struct finding *f = make_finding(1, T0 + 402 * US, 502, CAUSE_KEEPALIVE_RACE);
	struct attempt *a;

	f->req_ns = f->down.req_ns = T0;
	a = make_attempt(f, "10.0.3.18", 8080, CAUSE_KEEPALIVE_RACE);
	a->leg.nr = 42;
	a->leg.idle_ns = 60 * SECOND;
	a->leg.req_ns = T0 + 81 * US;
	a->leg.fin_in_ns = T0 - 219 * US;
	a->leg.rst_in_ns = T0 + 290 * US;
	a->leg.end = W5_END_FIN_IN;
	a->leg.synack_ttl = 63;
	a->flight = make_flight();
	make_packet(&a->flight->p, T0 - 60 * SECOND, false, W5_TCP_ACK, 100, 50,
		    "HTTP/1.1 200 OK\r\n");
	make_packet(&a->flight->p, T0 - 219 * US, false, W5_TCP_FIN | W5_TCP_ACK, 117, 50, "");
	make_packet(&a->flight->p, T0 - 200 * US, true, W5_TCP_ACK, 50, 118, "");
	make_packet(&a->flight->p, T0 + 81 * US, true, W5_TCP_ACK | W5_TCP_PSH, 50, 118,
		    "GET /x HTTP/1.1\r\nHost: a\r\n");
	make_packet(&a->flight->p, T0 + 290 * US, false, W5_TCP_RST, 118, 0, "");
	return f;
}

static void test_race_shows_the_fin_as_decisive(void **state)
{
	struct finding *f = race();
	const struct ladder_row *fin;

	ladder_build(&ladder, f, false);
	expect_in_order_of_time();
	fin = row_with("FIN");
	assert_true(fin->is_decisive);
	assert_false(fin->to_right);
	assert_int_equal(fin->rel_ns, -219 * (int64_t)US);
	assert_string_equal(fin->note, "before our request");
	assert_string_equal(row_with("RST")->note, "same ttl as SYN-ACK");
	assert_string_equal(row_with("RST")->label, "RST (no ACK) ttl 63");
	assert_string_equal(row_with("GET /x")->label, "GET /x");
	assert_true(row_with("GET /x")->to_right);
	assert_int_equal(count_what(LADDER_ACK, LADDER_PACKET), 0);
	assert_int_equal(count_what(LADDER_RST, LADDER_MOMENT), 0); /* the packet is there */
	finding_unref(f);
}

static void test_all_shows_acks_and_earlier_requests_with_the_gap(void **state)
{
	struct finding *f = race();
	bool has_gap = false;

	ladder_build(&ladder, f, true);
	assert_true(row_with("200 OK")->is_minor);
	assert_int_equal(count_what(LADDER_ACK, LADDER_PACKET), 1);
	for (size_t i = 0; i < ladder.n; i++)
		has_gap |= ladder.rows[i].kind == LADDER_GAP;
	assert_true(has_gap);
	finding_unref(f);
}

static void test_without_packets_the_leg_tells_the_story(void **state)
{
	struct finding *f = race();

	flight_unref(f->attempts[0].flight);
	f->attempts[0].flight = NULL;
	ladder_build(&ladder, f, false);
	expect_in_order_of_time();
	assert_int_equal(row_with("FIN")->kind, LADDER_MOMENT);
	assert_true(row_with("FIN")->is_decisive);
	assert_int_equal(row_with("RST")->kind, LADDER_MOMENT);
	assert_int_equal(count_what(LADDER_REQUEST, LADDER_MOMENT), 2);
	finding_unref(f);
}

static void test_handshake_is_named_and_its_alert_decides(void **state)
{
	static const uint16_t versions[] = { 0x0304, 0 };
	struct finding *f = make_finding(1, T0 + 900 * US, 502, CAUSE_TLS_HANDSHAKE_FAILED);
	struct attempt *a = make_attempt(f, "10.0.3.18", 8443, CAUSE_TLS_HANDSHAKE_FAILED);
	struct hello c = hello_client("shop.example", NULL, versions);
	struct w5_leg *l = &a->leg;

	f->req_ns = f->down.req_ns = T0;
	l->flags = W5_F_HANDSHAKE;
	l->proto = W5_PROTO_TLS;
	l->nr = 0;
	l->req_ns = T0 + 100 * US;
	l->resp_ns = T0 + 500 * US;
	l->fin_in_ns = T0 + 600 * US;
	l->end = W5_END_FIN_IN;
	memcpy(l->head, c.b, c.len);
	l->head_len = (uint16_t)c.len;
	memcpy(l->resp, "\x15\x03\x03\0\x02\x02\x70", 7);
	l->resp_len = 7;
	ladder_build(&ladder, f, false);
	assert_string_equal(row_with("ClientHello")->label, "ClientHello for shop.example");
	assert_true(row_with("ClientHello")->to_right);
	assert_true(row_with("TLS alert 112, unrecognized_name")->is_decisive);
	assert_false(row_with("TLS alert")->to_right);
	/* the packet itself, of which less is kept, takes its place */
	a->flight = make_flight();
	make_packet(&a->flight->p, T0 + 100 * US, true, W5_TCP_ACK | W5_TCP_PSH, 50, 118,
		    "\x16\x03\x01\x01\x39\x01");
	make_packet(&a->flight->p, T0 + 400 * US, false, W5_TCP_ACK | W5_TCP_PSH, 118, 56,
		    "\x17\x03\x03\x01\x39\x99");
	ladder_build(&ladder, f, false);
	assert_int_equal(count_what(LADDER_HELLO, LADDER_PACKET), 1);
	assert_int_equal(count_what(LADDER_HELLO, LADDER_MOMENT), 0);
	assert_string_equal(row_with("ClientHello")->label, "ClientHello for shop.example");
	assert_string_equal(row_with("TLS data")->label, "TLS data, 6 bytes");
	finding_unref(f);
}

static void test_frame_that_ended_the_stream_decides(void **state)
{
	struct finding *f = make_finding(1, T0 + 900 * US, 502, CAUSE_H2_STREAM_RESET);
	struct attempt *a = make_attempt(f, "10.0.3.18", 8080, CAUSE_H2_STREAM_RESET);
	struct w5_leg *l = &a->leg;

	f->req_ns = f->down.req_ns = T0;
	l->proto = W5_PROTO_H2;
	l->stream = 5;
	l->req_ns = T0 + 100 * US;
	l->end_ns = T0 + 600 * US;
	l->end = W5_END_RST_IN;
	l->h2_end = W5_H2_RST_IN;
	l->h2_error = 2;
	ladder_build(&ladder, f, false);
	assert_true(row_with("RST_STREAM, INTERNAL_ERROR")->is_decisive);
	assert_false(row_with("RST_STREAM")->to_right);
	assert_int_equal(count_what(LADDER_RST, LADDER_MOMENT), 0);
	f->cause = CAUSE_BACKEND_SLOW;
	l->h2_end = W5_H2_RST_OUT;
	l->end = W5_END_RST_OUT;
	l->h2_error = 8;
	ladder_build(&ladder, f, false);
	assert_true(row_with("RST_STREAM, CANCEL")->is_decisive);
	assert_true(row_with("RST_STREAM")->to_right);
	assert_int_equal(count_what(LADDER_RST, LADDER_MOMENT), 0);
	finding_unref(f);
}

static void test_retransmits_are_marked(void **state)
{
	struct finding *f = make_finding(1, T0 + 4 * SECOND, 504, CAUSE_CONN_TIMEOUT_SYN);
	struct attempt *a = make_attempt(f, "10.0.3.19", 8080, CAUSE_CONN_TIMEOUT_SYN);
	size_t again = 0;

	f->req_ns = T0;
	a->leg.open_ns = T0;
	a->leg.syn_sent = 3;
	a->leg.end = W5_END_CONNECT;
	a->leg.end_ns = T0 + 4 * SECOND - 1;
	a->flight = make_flight();
	make_packet(&a->flight->p, T0, true, W5_TCP_SYN, 5, 0, "");
	make_packet(&a->flight->p, T0 + SECOND, true, W5_TCP_SYN, 5, 0, "");
	make_packet(&a->flight->p, T0 + 3 * SECOND, true, W5_TCP_SYN, 5, 0, "");
	ladder_build(&ladder, f, false);
	for (size_t i = 0; i < ladder.n; i++)
		again += ladder.rows[i].is_retransmit;
	assert_int_equal(again, 2);
	assert_int_equal(count_what(LADDER_SYN, LADDER_PACKET), 3);
	assert_true(row_with("connect: gateway stopped waiting")->is_decisive);
	finding_unref(f);
}

static void test_every_attempt_has_a_heading(void **state)
{
	struct finding *f = make_finding(1, T0, 502, CAUSE_CONN_REFUSED);
	size_t headings = 0;

	for (int i = 0; i < 3; i++) {
		struct attempt *a =
			make_attempt(f, "10.0.3.17", 8080 + (unsigned)i, CAUSE_CONN_REFUSED);

		a->leg.open_ns = T0 - 900 * US + (uint64_t)i * 100 * US;
		a->leg.end_ns = a->leg.open_ns + 50 * US;
		a->leg.end = W5_END_CONNECT;
		a->leg.err = 111;
	}
	ladder_build(&ladder, f, false);
	for (size_t i = 0; i < ladder.n; i++) {
		if (ladder.rows[i].kind == LADDER_ATTEMPT)
			assert_int_equal(ladder.rows[i].attempt, headings++);
		/* only the last attempt decides */
		if (ladder.rows[i].is_decisive)
			assert_int_equal(ladder.rows[i].attempt, 2);
	}
	assert_int_equal(headings, 3);
	assert_string_equal(row_with("connect")->label, "connect: ECONNREFUSED");
	finding_unref(f);
}

static void test_recovered_marks_the_attempt_that_failed(void **state)
{
	struct finding *f = make_finding(1, T0, 200, CAUSE_RETRY_RECOVERED);
	struct attempt *a = make_attempt(f, "10.0.3.17", 8080, CAUSE_RESET_BEFORE_RESPONSE);

	f->verdict = VERDICT_RECOVERED;
	a->leg.rst_in_ns = T0 - 500 * US;
	a->leg.end = W5_END_RST_IN;
	a = make_attempt(f, "10.0.3.18", 8080, CAUSE_NONE);
	a->leg.resp_ns = T0 - 100 * US;
	a->leg.status = 200;
	ladder_build(&ladder, f, false);
	assert_true(row_with("RST")->is_decisive);
	assert_int_equal(row_with("RST")->attempt, 0);
	finding_unref(f);
}

static void test_wrapped_recorder_is_read_in_order(void **state)
{
	struct finding *f = make_finding(1, T0 + 40 * US, 502, CAUSE_RESET_BEFORE_RESPONSE);
	struct attempt *a = make_attempt(f, "10.0.3.17", 8080, CAUSE_RESET_BEFORE_RESPONSE);

	a->leg.nr = 1;
	a->flight = make_flight();
	for (unsigned i = 0; i < W5_PKT_SLOTS + 5; i++)
		make_packet(&a->flight->p, T0 + i * US, i & 1, W5_TCP_ACK, 100 + i, 1, "data");
	ladder_build(&ladder, f, true);
	expect_in_order_of_time();
	assert_int_equal(count_what(LADDER_DATA, LADDER_PACKET), W5_PKT_SLOTS);
	finding_unref(f);
}

static void test_hostile_bytes_are_escaped_and_bounded(void **state)
{
	struct finding *f = make_finding(1, T0, 502, CAUSE_NOT_HTTP);
	struct attempt *a = make_attempt(f, "10.0.3.17", 8080, CAUSE_NOT_HTTP);
	char payload[85];

	memset(payload, 0x1b, sizeof(payload) - 1);
	memcpy(payload, "GET ", 4);
	payload[sizeof(payload) - 1] = '\0';
	a->flight = make_flight();
	make_packet(&a->flight->p, T0, true, W5_TCP_ACK, 1, 1, payload);
	a->flight->p.pkt[1].ts_ns = T0; /* a slot that claims more than there is */
	a->flight->p.pkt[1].cap = 65535;
	a->flight->p.pkt[1].len = 3;
	a->flight->p.total = 0xffffffff;
	a->leg.head_len = 65535;
	a->leg.resp_len = 65535;
	a->leg.req_ns = a->leg.resp_ns = T0;
	memset(a->leg.head, 0xff, sizeof(a->leg.head));
	memset(a->leg.resp, 0x0a, sizeof(a->leg.resp));
	ladder_build(&ladder, f, true);
	for (size_t i = 0; i < ladder.n; i++)
		for (const char *p = ladder.rows[i].label; *p; p++)
			assert_true(*p >= 0x20 && *p < 0x7f);
	finding_unref(f);
}

static void test_more_rows_than_fit_are_counted(void **state)
{
	struct finding *f = make_finding(1, T0, 502, CAUSE_CONN_REFUSED);

	for (int i = 0; i < 40; i++) {
		struct attempt *a = make_attempt(f, "10.0.3.17", 8080, CAUSE_CONN_REFUSED);

		a->flight = make_flight();
		for (unsigned k = 0; k < W5_PKT_SLOTS; k++)
			make_packet(&a->flight->p, T0 + k, true, W5_TCP_SYN, k, 0, "");
	}
	ladder_build(&ladder, f, true);
	assert_int_equal(ladder.n, LADDER_ROWS_MAX);
	assert_true(ladder.cut > 0);
	finding_unref(f);
}

static void test_attempts_are_described(void **state)
{
	struct finding *f = race();
	char text[160];

	ladder_attempt_text(text, sizeof(text), f, 0);
	assert_string_equal(text, "10.0.3.18:8080 from port 41022, reused #41, idle 60.000 s");
	f->attempts[0].leg.retrans = 3;
	f->attempts[0].leg.rto_us = 1600000;
	f->attempts[0].leg.idle_ns = 250000000;
	ladder_attempt_text(text, sizeof(text), f, 0);
	assert_string_equal(text, "10.0.3.18:8080 from port 41022, reused #41, idle 250.0 ms, "
				  "3 sent again, RTO 1.60 s");
	finding_unref(f);
}

/* The attempt's record is made as the gateway closes: its FIN has not left yet. */
static void test_the_gateways_own_end_decides_a_slow_backend(void **state)
{
	static const enum cause causes[] = { CAUSE_BACKEND_SLOW, CAUSE_GATEWAY_TIMEOUT_LOCAL };
	static const unsigned ends[] = { W5_END_FIN_OUT, W5_END_RST_OUT };

	for (size_t i = 0; i < 2; i++) {
		struct finding *f = make_finding(1, T0 + 2 * SECOND, 504, causes[i]);
		struct attempt *a = make_attempt(f, "10.0.3.18", 8080, causes[i]);
		const struct ladder_row *end;

		f->req_ns = f->down.req_ns = T0;
		a->leg.nr = 1;
		a->leg.req_ns = T0 + 81 * US;
		a->leg.end = (uint8_t)ends[i];
		a->leg.end_ns = T0 + 2 * SECOND - 100 * US;
		a->flight = make_flight();
		make_packet(&a->flight->p, T0 + 81 * US, true, W5_TCP_ACK | W5_TCP_PSH, 50, 118,
			    "GET /x HTTP/1.1\r\nHost: a\r\n");
		ladder_build(&ladder, f, false);
		expect_in_order_of_time();
		end = row_with(i ? "RST" : "FIN");
		assert_true(end->is_decisive);
		assert_true(end->to_right);
		assert_int_equal(end->lane, LADDER_BACKEND);
		assert_false(row_with("GET /x")->is_decisive);
		finding_unref(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_gateways_own_end_decides_a_slow_backend),
		cmocka_unit_test(test_race_shows_the_fin_as_decisive),
		cmocka_unit_test(test_all_shows_acks_and_earlier_requests_with_the_gap),
		cmocka_unit_test(test_without_packets_the_leg_tells_the_story),
		cmocka_unit_test(test_handshake_is_named_and_its_alert_decides),
		cmocka_unit_test(test_frame_that_ended_the_stream_decides),
		cmocka_unit_test(test_retransmits_are_marked),
		cmocka_unit_test(test_every_attempt_has_a_heading),
		cmocka_unit_test(test_recovered_marks_the_attempt_that_failed),
		cmocka_unit_test(test_wrapped_recorder_is_read_in_order),
		cmocka_unit_test(test_hostile_bytes_are_escaped_and_bounded),
		cmocka_unit_test(test_more_rows_than_fit_are_counted),
		cmocka_unit_test(test_attempts_are_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
