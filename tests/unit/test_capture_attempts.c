/* SPDX-License-Identifier: BSD-2-Clause */
/* Attempts of a capture: how they ended, and whose they were. */
#include <string.h>

#include "../lib/net.h"
#include "capture_run.h"
#include "engine/engine.h"

static void test_refused_connect(void **state)
{
	struct run *r = *state;
	struct net_conn down, up = net_conn(BACK, 31000, BACKEND, 9001);
	const struct finding *f;

	ask(r, &down, GET("/dead"));
	net_seg(&r->net, 80 * US, &up, 0, W5_TCP_SYN, NULL);
	net_seg(&r->net, 30 * US, &up, 1, W5_TCP_RST | W5_TCP_ACK, NULL);
	net_data(&r->net, 100 * US, &down, 1, BAD);
	run(r);
	f = only(r);
	assert_int_equal(f->cause, CAUSE_CONN_REFUSED);
	assert_int_equal(f->confidence, CONFIDENCE_LIKELY); /* by time alone */
	assert_int_equal(f->witness, WITNESS_TIME);
	assert_int_equal(f->attempts[0].leg.rport, 9001);
	assert_int_equal(f->attempts[0].leg.rst_ttl, 63);
	assert_int_equal(r->last_att.end, W5_END_CONNECT);
	/* nothing is told of processes and errors of sockets */
	assert_int_equal(f->down.tgid + f->down.tid + f->gateway_group, 0);
	assert_int_equal(f->attempts[0].leg.err, 0);
	assert_non_null(f->attempts[0].flight);
	assert_int_equal(f->attempts[0].flight->p.total, 2);
	assert_true(f->wall_ns == r->net.now_ns);
}

static void test_reset_after_the_request_is_certain_by_its_target(void **state)
{
	struct run *r = *state;
	struct net_conn down, up = net_conn(BACK, 31000, BACKEND, 9005);
	const struct finding *f;

	ask(r, &down, GET("/cart"));
	net_open(&r->net, 80 * US, &up);
	net_data(&r->net, 20 * US, &up, 0, GET("/cart"));
	net_seg(&r->net, 40 * US, &up, 1, W5_TCP_ACK, NULL);
	net_seg(&r->net, 20 * US, &up, 1, W5_TCP_RST | W5_TCP_ACK, NULL);
	net_data(&r->net, 100 * US, &down, 1, BAD);
	run(r);
	f = only(r);
	assert_int_equal(f->cause, CAUSE_RESET_BEFORE_RESPONSE);
	assert_int_equal(f->confidence, CONFIDENCE_CERTAIN);
	assert_true(f->witness & WITNESS_TARGET);
	assert_false(f->witness & (WITNESS_TRAIL | WITNESS_THREAD));
	assert_int_equal(f->attempts[0].leg.synack_ttl, 63);
	assert_int_equal(f->attempts[0].leg.req_acked, f->attempts[0].leg.req_bytes);
}

static void test_connect_without_any_answer_ends_with_the_exchange(void **state)
{
	struct run *r = *state;
	struct net_conn down, up = net_conn(BACK, 31000, BACKEND, 9002);
	const struct finding *f;

	ask(r, &down, GET("/gone"));
	net_seg(&r->net, 80 * US, &up, 0, W5_TCP_SYN, NULL);
	up.seq[0]--;
	net_seg(&r->net, 1000 * MS, &up, 0, W5_TCP_SYN, NULL);
	net_data(&r->net, 200 * MS, &down, 1, LATE);
	run(r);
	f = only(r);
	assert_int_equal(f->cause, CAUSE_CONN_TIMEOUT_SYN);
	assert_int_equal(f->attempts[0].leg.syn_sent, 2);
	assert_true(f->attempts[0].leg.end_ns == f->ts_ns);
}

/* No timer runs out after a tenth of a millisecond: the answer was not captured. */
static void test_connect_given_up_at_once_is_not_believed(void **state)
{
	struct run *r = *state;
	struct net_conn down, up = net_conn(BACK, 31000, BACKEND, 9001);
	const struct finding *f;

	ask(r, &down, GET("/dead"));
	net_seg(&r->net, 80 * US, &up, 0, W5_TCP_SYN, NULL);
	net_data(&r->net, 130 * US, &down, 1, BAD);
	run(r);
	f = only(r);
	assert_int_equal(f->cause, CAUSE_INSUFFICIENT_EVIDENCE);
	assert_int_equal(f->lost, 1);
	assert_true(counted(r)->missing == 1);
}

static void test_unreachable_by_icmp(void **state)
{
	struct run *r = *state;
	struct net_conn down, up = net_conn(BACK, 31000, "10.77.3.99", 9003);
	char from[64];
	const struct finding *f;

	ask(r, &down, GET("/far"));
	net_seg(&r->net, 80 * US, &up, 0, W5_TCP_SYN, NULL);
	net_icmp(&r->net, 2000 * MS, &up, "10.77.2.2", 3, 1);
	net_data(&r->net, 100 * US, &down, 1, BAD);
	run(r);
	f = only(r);
	assert_int_equal(f->cause, CAUSE_HOST_UNREACHABLE_ICMP);
	inet_ntop(AF_INET, f->attempts[0].leg.icmp_from.ip + 12, from, sizeof(from));
	assert_string_equal(from, "10.77.2.2");
}

/* Nothing but a SYN tells of a connect: without one no claim is made. */
static void test_no_attempt_is_no_proof(void **state)
{
	struct run *r = *state;
	struct net_conn down;

	ask(r, &down, GET("/none"));
	net_data(&r->net, 100 * US, &down, 1, BAD);
	run(r);
	assert_int_equal(only(r)->cause, CAUSE_INSUFFICIENT_EVIDENCE);
	assert_non_null(strstr(only(r)->why, "sent no packet"));
}

static void test_retry_that_answered(void **state)
{
	struct run *r = *state;
	struct net_conn down, dead = net_conn(BACK, 31000, BACKEND, 9001),
			      up = net_conn(BACK, 31001, BACKEND, 9000);
	const struct finding *f;

	ask(r, &down, GET("/twice"));
	net_seg(&r->net, 80 * US, &dead, 0, W5_TCP_SYN, NULL);
	net_seg(&r->net, 30 * US, &dead, 1, W5_TCP_RST | W5_TCP_ACK, NULL);
	net_open(&r->net, 40 * US, &up);
	net_data(&r->net, 20 * US, &up, 0, GET("/twice"));
	net_data(&r->net, 500 * US, &up, 1, OK);
	net_data(&r->net, 50 * US, &down, 1, OK);
	run(r);
	f = only(r);
	assert_int_equal(f->verdict, VERDICT_RECOVERED);
	assert_int_equal(f->nattempts, 2);
	assert_int_equal(f->attempts[0].cause, CAUSE_CONN_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		TEST(test_refused_connect),
		TEST(test_reset_after_the_request_is_certain_by_its_target),
		TEST(test_connect_without_any_answer_ends_with_the_exchange),
		TEST(test_connect_given_up_at_once_is_not_believed),
		TEST(test_unreachable_by_icmp),
		TEST(test_no_attempt_is_no_proof),
		TEST(test_retry_that_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
