/* SPDX-License-Identifier: BSD-2-Clause */
/* Causes on this host: a process was killed. */
#include "../lib/explain.h"

static struct w5_killed killed_at(double t, const struct w5_leg *l, int signal)
{
	struct w5_killed k = { .h = { .ts_ns = ms(t), .type = W5_REC_KILLED, .size = sizeof(k) },
			       .local = l->remote,
			       .remote = l->local,
			       .lport = l->rport,
			       .rport = l->lport,
			       .tgid = 4711,
			       .tid = 4711,
			       .signal = (uint8_t)signal };

	snprintf(k.comm, sizeof(k.comm), "gunicorn");
	return k;
}

static struct w5_leg died(int end)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);

	rec_acked(&l);
	rec_end(&l, 1020, end);
	if (end == W5_END_RST_IN)
		l.rst_flags = W5_TCP_RST | W5_TCP_ACK;
	return l;
}

/* The record of the death comes before that of the attempt, or after it. */
static void expect_killed(struct w5_leg l, struct w5_killed k, bool late, enum cause cause,
			  const char *why)
{
	struct w5_leg d = rec_down(D, 1000, "POST", "/api/cart");
	struct bench b;

	bench_open(&b, "nginx");
	rec_answer(&d, 1020.2, 502);
	rec_tie(&l, &d);
	if (!late)
		engine_feed(b.e, &k.h);
	feed(&b, &l);
	feed(&b, &d);
	if (late)
		engine_feed(b.e, &k.h);
	bench_settle(&b, 1020.2);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), cause_name(cause));
	if (!strstr(b.f[0]->why, why))
		fail_msg("why: %s", b.f[0]->why);
	if (cause == CAUSE_BACKEND_KILLED) {
		assert_int_equal(b.f[0]->confidence, CERTAIN);
		assert_int_equal(b.f[0]->attempts[0].killed.tgid, 4711);
	} else {
		assert_int_equal(b.f[0]->attempts[0].killed.signal, 0);
	}
	bench_close(&b);
}

static void test_backend_killed(void **s)
{
	struct w5_leg fin = died(W5_END_FIN_IN), rst = died(W5_END_RST_IN);

	for (int late = 0; late < 2; late++) {
		expect_killed(
			fin, killed_at(1019.9, &fin, 9), late, CAUSE_BACKEND_KILLED,
			"the process of 10.0.3.18:8080 (gunicorn, pid 4711) was killed by SIGKILL");
		expect_killed(rst, killed_at(1019.9, &rst, 11), late, CAUSE_BACKEND_KILLED,
			      "killed by SIGSEGV");
	}
}

static void test_backend_killed_by_oom(void **s)
{
	struct w5_leg l = died(W5_END_FIN_IN);
	struct w5_killed k = killed_at(1019.9, &l, 9);

	k.oom = 1;
	expect_killed(l, k, false, CAUSE_BACKEND_KILLED, "killed by the OOM killer, SIGKILL");
}

/* Not a race: whose process is dead did not just close an idle connection. */
static void test_backend_killed_under_a_reused_conn(void **s)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 42);

	rec_end(&l, 1000.4, W5_END_RST_IN);
	l.fin_in_ns = ms(1000.05);
	expect_killed(l, killed_at(1000.0, &l, 9), false, CAUSE_BACKEND_KILLED, "SIGKILL");
}

static void test_another_process_was_killed(void **s)
{
	struct w5_leg l = died(W5_END_FIN_IN), other = l;

	other.lport++;
	expect_killed(l, killed_at(1019.9, &other, 9), false, CAUSE_CLOSED_BEFORE_RESPONSE,
		      "closed");
	other = l;
	other.remote = rec_ip(19);
	expect_killed(l, killed_at(1019.9, &other, 9), false, CAUSE_CLOSED_BEFORE_RESPONSE,
		      "closed");
	/* of this conn's addresses, but after it had ended, or before it began */
	expect_killed(l, killed_at(1022, &l, 9), false, CAUSE_CLOSED_BEFORE_RESPONSE, "closed");
	expect_killed(l, killed_at(990, &l, 9), false, CAUSE_CLOSED_BEFORE_RESPONSE, "closed");
}

/* The gateway's timer ended it: a process that held a copy of the socket died meanwhile. */
static void test_gateway_closed_and_then_it_was_killed(void **s)
{
	struct w5_leg l = died(W5_END_FIN_OUT);
	struct w5_killed k = killed_at(1019, &l, 9);
	struct bench b;

	rec_end(&l, 2500, W5_END_FIN_OUT);
	bench_open(&b, "nginx");
	engine_feed(b.e, &k.h);
	assert_int_equal(explain_one(&b, &l, 504, 2500.1)->cause, CAUSE_BACKEND_SLOW);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backend_killed),
		cmocka_unit_test(test_backend_killed_by_oom),
		cmocka_unit_test(test_backend_killed_under_a_reused_conn),
		cmocka_unit_test(test_another_process_was_killed),
		cmocka_unit_test(test_gateway_closed_and_then_it_was_killed),
	};

	return cmocka_run_group_tests_name("causes_killed", tests, NULL, NULL);
}
