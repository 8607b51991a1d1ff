// SPDX-License-Identifier: BSD-2-Clause
/* A full queue of new connections, in its faces, and what only looks like one. */
#include "../lib/explain.h"
#include "../lib/rec_flight.h"

#define OVERFLOW CAUSE_ACCEPT_QUEUE_OVERFLOW

/* A connect whose SYNs at 1000 and 2000 were ignored; given up at 2200. */
struct syn_case {
	double estab; /* of another conn to the same port; 0 = none was seen */
	double last_syn;
	uint16_t flags;
	enum cause want;
	enum confidence conf;
};

static void syn_case(const struct syn_case *x)
{
	struct w5_leg l = rec_connect(U, 1000.1, 18, 0, 2200);
	struct w5_packets f = { 0 };
	struct bench b;
	struct finding *got;

	l.syn_sent = 2;
	l.flags |= x->flags;
	l.estab_ns = x->estab ? ms(x->estab) : 0;
	bench_open(&b, "nginx");
	flight_add(&f, 1000.1, true, 1, W5_TCP_SYN, 0);
	flight_add(&f, x->last_syn, true, 1, W5_TCP_SYN, 0);
	flight_feed(b.e, &f, 2200, U);
	got = explain_one(&b, &l, 504, 2200.1);
	assert_string_equal(cause_name(got->cause), cause_name(x->want));
	assert_int_equal(got->confidence, x->conf);
	bench_close(&b);
}

static void test_syns_are_ignored_while_others_get_in(void **s)
{
	static const struct syn_case cases[] = {
		{ 1400, 2000, 0, OVERFLOW, LIKELY },
		/* Its last SYN had no time to be answered. */
		{ 1400, 2150, 0, CAUSE_CONN_TIMEOUT_SYN, CERTAIN },
		/* Before: the host may have died since. */
		{ 990, 2000, 0, CAUSE_CONN_TIMEOUT_SYN, CERTAIN },
		/* After the last SYN: it may just have come back. */
		{ 2100, 2000, 0, CAUSE_CONN_TIMEOUT_SYN, CERTAIN },
		{ 0, 2000, 0, CAUSE_CONN_TIMEOUT_SYN, CERTAIN },
		/* Its listener is on this host. */
		{ 0, 2000, W5_F_QUEUE_FULL, OVERFLOW, CERTAIN },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		syn_case(&cases[i]);
}

/* Another conn has shown it: SYN-ACK again after ours was done. How long ago decides. */
static void after_an_overflow(uint32_t dup_synack, double later, enum cause want)
{
	struct w5_leg first = rec_up(U + 1, 1000.1, "GET", "/x", 18, 1),
		      d = rec_down(D + 1, 1000, "GET", "/x");
	struct w5_leg l = rec_connect(U, 2500.1 + later, 18, 0, 3700 + later);
	struct bench b;
	struct w5_leg d2 = rec_down(D, 2500 + later, "GET", "/y");

	bench_open(&b, "nginx");
	first.dup_synack = (uint16_t)dup_synack;
	first.retrans = 3;
	rec_end(&first, 2500, W5_END_FIN_OUT);
	rec_answer(&d, 2500.1, 504);
	rec_tie(&first, &d);
	feed(&b, &first);
	feed(&b, &d);
	l.syn_sent = 2;
	rec_answer(&d2, 3700.1 + later, 504);
	rec_tie(&l, &d2);
	feed(&b, &l);
	feed(&b, &d2);
	bench_settle(&b, 4000 + later);
	assert_int_equal(b.n, 2);
	assert_string_equal(cause_name(b.f[1]->cause), cause_name(want));
	bench_close(&b);
}

static void test_syns_are_ignored_after_an_overflow(void **s)
{
	after_an_overflow(1, 0, OVERFLOW);
	after_an_overflow(0, 0, CAUSE_CONN_TIMEOUT_SYN);
	after_an_overflow(1, 20000, CAUSE_CONN_TIMEOUT_SYN);
}

/* Established for us alone, and nothing gets through. */
static void test_the_last_ack_is_dropped(void **s)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);

	rec_end(&l, 6000, W5_END_FIN_OUT);
	l.retrans = 4;
	l.rto_count = 3;
	l.dup_synack = 3;
	expect(l, 504, 6000.1, OVERFLOW, LIKELY, "its queue is full");
	l.dup_synack = 0;
	expect(l, 504, 6000.1, CAUSE_PATH_LOSS, LIKELY, NULL);
	l.flags |= W5_F_QUEUE_FULL;
	expect(l, 504, 6000.1, OVERFLOW, CERTAIN, "on this host");
	/* It was let in later on. */
	rec_acked(&l);
	expect(l, 504, 6000.1, CAUSE_BACKEND_SLOW, CERTAIN, NULL);
}

static void reset_at_request(uint8_t data_ttl, enum cause want)
{
	struct w5_leg l = rec_up(U, 1000.1, "GET", "/a", 18, 1);

	l.data_ttl = data_ttl;
	rec_end(&l, 1000.4, W5_END_RST_IN);
	l.rst_flags = W5_TCP_RST;
	expect(l, 502, 1000.5, want, data_ttl ? CERTAIN : LIKELY, NULL);
}

/* Who has said something (settings of HTTP/2) had been taken in. */
static void test_no_socket_for_the_first_request(void **s)
{
	reset_at_request(0, OVERFLOW);
	reset_at_request(63, CAUSE_RESET_BEFORE_RESPONSE);
}

/* tcp_abort_on_overflow: the answer to the handshake's last ACK is a RST without ACK. */
static void reset_unasked(uint8_t flags, double estab, bool older, size_t n, enum cause want)
{
	struct w5_leg l = rec_up(U, 1000.2, "GET", "/a", 18, 1), d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	l.h.type = W5_REC_END;
	l.nr = 0;
	l.phase = W5_PHASE_IDLE;
	l.head_len = 0;
	l.req_ns = l.req_last_ns = 0;
	l.req_bytes = 0;
	l.estab_ns = ms(estab);
	l.flags |= older ? W5_F_OLDER : 0;
	rec_end(&l, 1000.4, W5_END_RST_IN);
	l.rst_flags = flags;
	rec_answer(&d, 1000.5, 502);
	rec_tie(&l, &d);
	bench_open(&b, "nginx");
	feed(&b, &l);
	feed(&b, &d);
	bench_settle(&b, 1001);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->nattempts, n);
	if (n)
		assert_string_equal(cause_name(b.f[0]->cause), cause_name(want));
	bench_close(&b);
}

static void test_reset_before_anything_was_asked(void **s)
{
	reset_unasked(W5_TCP_RST, 1000.3, false, 1, OVERFLOW);
	reset_unasked(W5_TCP_RST | W5_TCP_ACK, 1000.3, false, 1, CAUSE_RESET_BEFORE_RESPONSE);
	/* It had waited in a pool. */
	reset_unasked(W5_TCP_RST, -5000, false, 0, CAUSE_NONE);
	reset_unasked(W5_TCP_RST, 1000.3, true, 0, CAUSE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syns_are_ignored_while_others_get_in),
		cmocka_unit_test(test_syns_are_ignored_after_an_overflow),
		cmocka_unit_test(test_the_last_ack_is_dropped),
		cmocka_unit_test(test_no_socket_for_the_first_request),
		cmocka_unit_test(test_reset_before_anything_was_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
