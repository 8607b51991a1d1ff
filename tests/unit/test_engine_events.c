/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/rec.h"
#include "engine/events.h"
#include "sink/event_text.h"
#include "sink/filter.h"

static struct engine_event ev[EVENTS_KEPT];

static size_t events(struct bench *b)
{
	return engine_events(b->e, ev, EVENTS_KEPT);
}

static struct w5_leg failing(uint64_t cookie, double t)
{
	struct w5_leg l = rec_up(cookie, 1000, "GET", "/api", 18, 1);

	l.h.ts_ns = l.end_ns = ms(t);
	return l;
}

static const struct {
	uint8_t role, phase, end;
	uint16_t err, retrans, flags, alert;
	uint32_t req, resp;
	const char *want;
	uint8_t proto, h2_end;
} ways_to_fail[] = {
	{ W5_ROLE_UPSTREAM, W5_PHASE_CONNECT, W5_END_CONNECT, ECONNREFUSED, 0, 0, 0, 0, 0,
	  "refused", 0, 0 },
	{ W5_ROLE_UPSTREAM, W5_PHASE_CONNECT, W5_END_CONNECT, EHOSTUNREACH, 0, 0, 0, 0, 0,
	  "unreachable", 0, 0 },
	{ W5_ROLE_UPSTREAM, W5_PHASE_CONNECT, W5_END_CONNECT, ETIMEDOUT, 2, 0, 0, 0, 0,
	  "connect-timeout", 0, 0 },
	{ W5_ROLE_UPSTREAM, W5_PHASE_CONNECT, W5_END_CONNECT, 0, 0, 0, 0, 0, 0, "connect-timeout",
	  0, 0 },
	{ W5_ROLE_UPSTREAM, W5_PHASE_CONNECT, W5_END_CONNECT, 0, 0, W5_F_LOCAL_UNREACH, 0, 0, 0,
	  "unreachable", 0, 0 },
	{ W5_ROLE_UPSTREAM, W5_PHASE_CONNECT, W5_END_CONNECT, EACCES, 0, 0, 0, 0, 0,
	  "connect-failed", 0, 0 },
	{ W5_ROLE_UPSTREAM, W5_PHASE_REQUEST, W5_END_RST_IN, 0, 0, 0, 0, 9, 0, "reset-in", 0, 0 },
	{ W5_ROLE_UPSTREAM, W5_PHASE_REQUEST, W5_END_RST_IN, 0, 3, 0, 0, 9, 0,
	  "reset-in retransmit", 0, 0 },
	{ W5_ROLE_UPSTREAM, W5_PHASE_REQUEST, W5_END_RST_OUT, 0, 0, 0, 0, 9, 0, "gave-up", 0, 0 },
	{ W5_ROLE_UPSTREAM, W5_PHASE_RESPONSE, W5_END_RST_OUT, 0, 0, 0, 0, 9, 9, "reset-out", 0,
	  0 },
	{ W5_ROLE_UPSTREAM, W5_PHASE_REQUEST, W5_END_FIN_OUT, 0, 0, 0, 0, 9, 0, "gave-up", 0, 0 },
	{ W5_ROLE_UPSTREAM, W5_PHASE_REQUEST, W5_END_FIN_IN, 0, 0, 0, 0, 9, 0, "closed-early", 0,
	  0 },
	{ W5_ROLE_UPSTREAM, W5_PHASE_REQUEST, W5_END_SK_ERR, ETIMEDOUT, 5, 0, 0, 9, 0,
	  "timeout retransmit", 0, 0 },
	{ W5_ROLE_UPSTREAM, W5_PHASE_REQUEST, W5_END_FIN_IN, 0, 0, 0, W5_ALERT | 40, 9, 9,
	  "tls-alert", 0, 0 },
	{ W5_ROLE_UPSTREAM, W5_PHASE_REQUEST, W5_END_FIN_IN, 0, 0, 0, W5_ALERT, 9, 9, "", 0, 0 },
	{ W5_ROLE_DOWNSTREAM, W5_PHASE_REQUEST, W5_END_FIN_IN, 0, 0, 0, 0, 9, 0, "client-left", 0,
	  0 },
	/* close_notify, and the close */
	{ W5_ROLE_DOWNSTREAM, W5_PHASE_REQUEST, W5_END_FIN_IN, 0, 0, 0, 0, 31, 0, "", W5_PROTO_TLS,
	  0 },
	{ W5_ROLE_UPSTREAM, W5_PHASE_REQUEST, W5_END_FIN_OUT, 0, 0, 0, 0, 31, 0, "", W5_PROTO_TLS,
	  0 },
	{ W5_ROLE_UPSTREAM, W5_PHASE_REQUEST, W5_END_FIN_OUT, 0, 0, 0, 0, 300, 0, "gave-up",
	  W5_PROTO_TLS, 0 },
	{ W5_ROLE_UPSTREAM, W5_PHASE_REQUEST, W5_END_FIN_IN, 0, 0, 0, 0, 300, 0, "stream-reset",
	  W5_PROTO_H2, W5_H2_RST_IN },
	{ W5_ROLE_DOWNSTREAM, W5_PHASE_RESPONSE, W5_END_FIN_IN, 0, 0, 0, 0, 9, 9, "", 0, 0 },
	{ W5_ROLE_DOWNSTREAM, W5_PHASE_RESPONSE, W5_END_FIN_OUT, 0, 0, 0, 0, 9, 9, "", 0, 0 },
	{ W5_ROLE_DOWNSTREAM, W5_PHASE_RESPONSE, W5_END_RST_IN, 0, 0, 0, 0, 9, 9, "reset-in", 0,
	  0 },
	{ W5_ROLE_UPSTREAM, W5_PHASE_RESPONSE, W5_END_NONE, 0, 0, 0, 0, 9, 9, "", 0, 0 },
	{ W5_ROLE_UPSTREAM, W5_PHASE_REQUEST, W5_END_FIN_OUT, 0, 0, W5_F_ZERO_WND, 0, 9, 9,
	  "zero-window", 0, 0 },
};

static void test_each_way_to_fail_has_its_kind(void **state)
{
	for (size_t i = 0; i < sizeof(ways_to_fail) / sizeof(ways_to_fail[0]); i++) {
		struct w5_leg l = { .role = ways_to_fail[i].role,
				    .phase = ways_to_fail[i].phase,
				    .end = ways_to_fail[i].end,
				    .err = ways_to_fail[i].err,
				    .retrans = ways_to_fail[i].retrans,
				    .flags = ways_to_fail[i].flags,
				    .alert_in = ways_to_fail[i].alert,
				    .req_bytes = ways_to_fail[i].req,
				    .resp_bytes = ways_to_fail[i].resp,
				    .proto = ways_to_fail[i].proto,
				    .h2_end = ways_to_fail[i].h2_end };
		unsigned kinds = event_kinds(&l);
		char got[256] = "";
		size_t n = 0;

		for (int k = 0; k < EVENT_MAX; k++)
			if (kinds & 1u << k)
				n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s",
						      n ? " " : "", event_name((enum event_kind)k));
		if (strcmp(got, ways_to_fail[i].want))
			fail_msg("case %zu: %s, not %s", i, got, ways_to_fail[i].want);
	}
}

static void test_a_turn_told_twice_is_one_event(void **state)
{
	struct w5_leg l = failing(200, 1100);
	uint64_t version;
	struct bench b;

	bench_open(&b, "nginx");
	l.phase = W5_PHASE_REQUEST;
	l.end = W5_END_RST_IN;
	l.retrans = 1;
	feed(&b, &l);
	assert_int_equal(events(&b), 2);
	version = engine_events_version(b.e);
	l.h.type = W5_REC_END;
	l.retrans = 4;
	feed(&b, &l);
	assert_int_equal(events(&b), 2);
	assert_true(engine_events_version(b.e) != version);
	assert_int_equal(ev[1].kind, EVENT_RETRANSMIT);
	assert_int_equal(ev[1].leg.retrans, 4);
	assert_int_equal(engine_event_counts(b.e)[EVENT_RESET_IN], 1);
	assert_string_equal(ev[0].gateway, "nginx");
	bench_close(&b);
}

static void test_the_newest_are_kept_and_all_are_counted(void **state)
{
	struct bench b;

	bench_open(&b, "nginx");
	for (uint64_t i = 0; i < EVENTS_KEPT + 10; i++) {
		struct w5_leg l = failing(1000 + i, 1100 + (double)i);

		l.phase = W5_PHASE_CONNECT;
		l.end = W5_END_CONNECT;
		l.err = ECONNREFUSED;
		feed(&b, &l);
	}
	assert_int_equal(events(&b), EVENTS_KEPT);
	assert_int_equal(ev[0].id, 11);
	assert_int_equal(ev[EVENTS_KEPT - 1].id, EVENTS_KEPT + 10);
	assert_int_equal(engine_events(b.e, ev, 3), 3);
	assert_int_equal(ev[2].id, EVENTS_KEPT + 10);
	assert_int_equal(engine_event_counts(b.e)[EVENT_REFUSED], EVENTS_KEPT + 10);
	bench_close(&b);
}

static void test_other_gateways_and_ports_are_left_out(void **state)
{
	struct w5_leg l = failing(200, 1100);
	struct engine_cfg cfg;
	struct bench b;

	l.end = W5_END_RST_IN;
	l.phase = W5_PHASE_REQUEST;
	engine_cfg_default(&cfg);
	snprintf(cfg.comm, sizeof(cfg.comm), "haproxy");
	bench_open_cfg(&b, "nginx", &cfg);
	feed(&b, &l);
	assert_int_equal(events(&b), 0);
	bench_close(&b);
	engine_cfg_default(&cfg);
	cfg.port = 1;
	bench_open_cfg(&b, "nginx", &cfg);
	feed(&b, &l);
	assert_int_equal(events(&b), 0);
	bench_close(&b);
}

static void test_words_and_filter(void **state)
{
	static const struct {
		const char *expr;
		bool want;
	} rows[] = {
		{ "", true },
		{ "event==reset-in", true },
		{ "event==retransmit", false }, /* another event of the same turn */
		{ "event in (refused, reset-in)", true },
		{ "event~^reset", true },
		{ "reset", true },
		{ "path~/api", true },
		{ "path~/none", false },
		{ "method==GET gateway==nginx pid==2217", true },
		{ "upstream~10.", true },
		{ "client==192.0.2.1", false },
		{ "reused==1 retransmits==2", true },
		{ "cause==keepalive-race", true }, /* it has none: left open */
		{ "status==502 && event==refused", false },
	};
	struct w5_leg l = failing(200, 1100.29);
	char text[EVENT_TEXT_MAX];
	struct bench b;

	bench_open(&b, "nginx");
	l.phase = W5_PHASE_REQUEST;
	l.end = W5_END_RST_IN;
	l.rst_ttl = 63;
	l.rst_flags = W5_TCP_RST;
	l.nr = 2;
	l.req_ns = ms(1100);
	l.req_bytes = 10;
	l.retrans = 2;
	feed(&b, &l);
	assert_int_equal(events(&b), 2);
	event_text(text, sizeof(text), &ev[0]);
	assert_string_equal(text, "RST 0.290 ms after the request, ttl 63, no ACK");
	event_text(text, sizeof(text), &ev[1]);
	assert_string_equal(text, "2 segments sent again, srtt 0.120 ms");
	event_context(text, sizeof(text), &ev[0]);
	assert_non_null(strstr(text, "/api"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct filter *flt = NULL;

		assert_int_equal(filter_parse(&flt, rows[i].expr, NULL), 0);
		if (filter_match_event(flt, &ev[0]) != rows[i].want)
			fail_msg("%s: wrong", rows[i].expr);
		filter_free(flt);
	}
	bench_close(&b);
}

/* Whatever a record holds, every kind finds words that fit. */
static void test_words_of_nothing(void **state)
{
	for (int k = 0; k < EVENT_MAX; k++) {
		struct engine_event e = { .kind = (enum event_kind)k };
		char text[EVENT_TEXT_MAX], small[8];

		event_text(text, sizeof(text), &e);
		assert_true(text[0]);
		assert_true(event_what(e.kind)[0]);
		event_text(small, sizeof(small), &e);
		assert_true(strlen(small) < sizeof(small));
		memset(&e.leg, 0xff, sizeof(e.leg));
		event_text(text, sizeof(text), &e);
	}
}

static void test_losses_know_since_when(void **state)
{
	struct engine_loss l[W5_LOSS_MAX];
	struct bench b;

	bench_open(&b, "nginx");
	engine_losses(b.e, l);
	assert_int_equal(l[W5_LOSS_RING_BULK].count + l[W5_LOSS_RING_BULK].first_ns, 0);
	rec_lost(b.e, 2000, W5_LOSS_RING_BULK, 7);
	rec_lost(b.e, 50000, W5_LOSS_RING_BULK, 10);
	engine_losses(b.e, l);
	assert_int_equal(l[W5_LOSS_RING_BULK].count, 10);
	assert_int_equal(l[W5_LOSS_RING_BULK].minute, 10);
	assert_int_equal(l[W5_LOSS_RING_BULK].first_ns, ms(2000));
	assert_int_equal(l[W5_LOSS_RING_BULK].last_ns, ms(50000));
	rec_tick(b.e, 80000);
	engine_losses(b.e, l);
	assert_int_equal(l[W5_LOSS_RING_BULK].minute, 3);
	assert_int_equal(l[W5_LOSS_SINK].count, 0);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_way_to_fail_has_its_kind),
		cmocka_unit_test(test_a_turn_told_twice_is_one_event),
		cmocka_unit_test(test_the_newest_are_kept_and_all_are_counted),
		cmocka_unit_test(test_other_gateways_and_ports_are_left_out),
		cmocka_unit_test(test_words_and_filter),
		cmocka_unit_test(test_words_of_nothing),
		cmocka_unit_test(test_losses_know_since_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
