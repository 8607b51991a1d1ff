/* SPDX-License-Identifier: BSD-2-Clause */
/* Failures on the gateway's own host that leave no packet: routes, ports, descriptors. */
#include <errno.h>

#include "../lib/explain.h"
#include "local_turns.h"

static struct w5_leg unsent(int err)
{
	struct w5_leg l = rec_connect(U, 1000.1, 99, err, 1000.15);

	l.lport = l.syn_sent = 0;
	l.local = (struct w5_addr){ .ip = { [10] = 0xff, [11] = 0xff } };
	l.flags |= W5_F_UNSENT;
	return l;
}

/* ---- routes ---- */

static void test_no_route(void **s)
{
	expect_by("nginx", unsent(ENETUNREACH), 502, 1000.2, CAUSE_NO_ROUTE, CERTAIN,
		  "this host has no route to 10.0.3.99:8080 (ENETUNREACH)",
		  "nsenter -t 2217 -n ip route get 10.0.3.99; add or repair");
}

static void test_a_route_that_forbids(void **s)
{
	expect_by("nginx", unsent(EACCES), 502, 1000.2, CAUSE_NO_ROUTE, CERTAIN,
		  "a route of type prohibit stops", "repair or remove the route");
	expect(unsent(EINVAL), 502, 1000.2, CAUSE_NO_ROUTE, CERTAIN, "a route of type blackhole");
	expect(unsent(EHOSTUNREACH), 502, 1000.2, CAUSE_NO_ROUTE, CERTAIN, "of type unreachable");
}

/* The routing table has a route: what stopped the connect is not known. */
static void test_unsent_with_a_route_is_not_explained(void **s)
{
	expect(unsent(0), 502, 1000.2, CAUSE_INSUFFICIENT_EVIDENCE, LIKELY,
	       "failed on this host before a packet left, though there is a route");
}

/* These come over the wire, or from a socket that was bound: no routing table said so. */
static void test_the_same_errno_after_a_syn(void **s)
{
	struct w5_leg l = unsent(EACCES);

	l.flags &= (uint16_t)~W5_F_UNSENT;
	l.lport = 41022;
	l.syn_sent = 1;
	expect(l, 502, 1000.2, CAUSE_INSUFFICIENT_EVIDENCE, LIKELY, NULL);
	l.err = ENETUNREACH;
	expect(l, 502, 1000.2, CAUSE_HOST_UNREACHABLE_ICMP, CERTAIN, NULL);
}

/* A busy thread comes late to it, and its trail names another client; but it failed in connect()
 * itself, and the thread answered at that. Or only some time later: then it is anybody's. */
static struct finding *late_connect(struct bench *b, double answered_ms)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), l = unsent(ENETUNREACH);

	l.open_ns = ms(1014);
	l.h.ts_ns = l.end_ns = ms(1014.004);
	rec_hint(&l, D + 5, 1013);
	rec_answer(&d, answered_ms, 503);
	rec_hint(&d, U, 1014.004);
	feed(b, &l);
	feed(b, &d);
	bench_settle(b, answered_ms);
	return b->f[b->n - 1];
}

static void test_connect_that_failed_at_the_answer(void **s)
{
	struct bench b;

	bench_open(&b, "haproxy");
	assert_int_equal(late_connect(&b, 1014.02)->cause, CAUSE_NO_ROUTE);
	bench_close(&b);
	bench_open(&b, "haproxy");
	assert_int_not_equal(late_connect(&b, 1019)->cause, CAUSE_NO_ROUTE);
	bench_close(&b);
}

/* "Not tried" cannot be said while a connect to the same backend is nobody's. */
static void test_a_connect_of_nobody_may_be_the_one(void **s)
{
	struct w5_leg d = rec_down(D + 1, 950, "GET", "/a"), l = unsent(ENETUNREACH);
	struct bench b;

	bench_open(&b, "haproxy");
	l.h.cookie = U + 1;
	l.open_ns = ms(950.1);
	l.h.ts_ns = l.end_ns = ms(950.11);
	rec_answer(&d, 950.2, 503);
	rec_tie(&l, &d);
	feed(&b, &l);
	feed(&b, &d);
	bench_settle(&b, 990);
	assert_int_equal(b.f[0]->cause, CAUSE_NO_ROUTE);
	assert_int_equal(late_connect(&b, 1019)->cause, CAUSE_INSUFFICIENT_EVIDENCE);
	assert_non_null(strstr(b.f[1]->why, "a connect to the same backend failed meanwhile"));
	bench_close(&b);
}

/* ---- ports ---- */

static struct w5_leg portless(void)
{
	struct w5_leg l = rec_connect(U, 1000.1, 17, 0, 1000.11);

	l.lport = l.syn_sent = 0;
	return l;
}

static struct w5_limit ports_of(uint64_t cookie, uint32_t used, uint32_t waiting)
{
	return (struct w5_limit){ .h = { .ts_ns = ms(1000.11),
					 .cookie = cookie,
					 .type = W5_REC_LIMIT,
					 .size = sizeof(struct w5_limit) },
				  .kind = W5_LIMIT_PORTS,
				  .tgid = REC_GW,
				  .limit = 28232,
				  .port_lo = 32768,
				  .port_hi = 60999,
				  .used = used,
				  .waiting = waiting };
}

static void test_local_port_exhausted(void **s)
{
	expect(portless(), 502, 1000.2, CAUSE_LOCAL_PORT_EXHAUSTED, CERTAIN,
	       "no free local port towards 10.0.3.17:8080 (EADDRNOTAVAIL)");
}

static void with_ports(uint32_t used, uint32_t waiting, const char *next)
{
	struct w5_limit p = ports_of(U, used, waiting), other = ports_of(U + 1, 1, 1);
	struct w5_leg l = portless();
	struct finding *f;
	struct bench b;

	bench_open(&b, "nginx");
	engine_feed(b.e, &p.h);
	engine_feed(b.e, &other.h);
	f = explain_one(&b, &l, 502, 1000.2);
	assert_int_equal(f->cause, CAUSE_LOCAL_PORT_EXHAUSTED);
	assert_non_null(strstr(f->why, "all 28232 of 32768-60999 are taken"));
	assert_true(has_evidence(f, "28230 sockets to this peer"));
	if (!strstr(f->next, next))
		fail_msg("next: %s", f->next);
	assert_int_equal(f->attempts[0].ports.limit, 28232);
	bench_close(&b);
}

static void test_ports_are_counted(void **s)
{
	with_ports(28230, 28000, "most are in TIME_WAIT");
	with_ports(28230, 3, "enable keep-alive to 10.0.3.17:8080");
}

/* It was given a port, or had bound one: what failed then is something else. */
static void test_a_connect_with_a_port_did_not_lack_one(void **s)
{
	struct w5_leg l = portless();

	l.lport = 41022;
	expect(l, 502, 1000.2, CAUSE_INSUFFICIENT_EVIDENCE, LIKELY, NULL);
}

/* ---- file descriptors ---- */

static void limit(struct bench *b, double t, uint64_t hint, uint32_t tgid, uint8_t kind)
{
	struct w5_limit l = { .h = { .ts_ns = ms(t), .type = W5_REC_LIMIT, .size = sizeof(l) },
			      .kind = kind,
			      .hint_cookie = hint,
			      .hint_ns = ms(1000),
			      .tgid = tgid,
			      .tid = tgid,
			      .limit = 1024,
			      .used = 1024 };

	engine_feed(b->e, &l.h);
}

static void files(struct bench *b, double t, uint64_t hint, uint32_t tgid)
{
	limit(b, t, hint, tgid, W5_LIMIT_FILES);
}

/* nginx says 500, which is no bad status by itself. */
static void test_fd_limit(void **s)
{
	struct finding *f;
	struct bench b;

	bench_open(&b, "nginx");
	files(&b, 1000.1, D, REC_GW);
	f = answered(&b, 1000.2, 500);
	assert_non_null(f);
	assert_int_equal(f->cause, CAUSE_FD_LIMIT);
	assert_int_equal(f->confidence, CERTAIN);
	assert_int_equal(f->verdict, VERDICT_GATEWAY_MADE);
	assert_int_equal(f->limit.limit, 1024);
	assert_non_null(strstr(f->why, "process 2217 of the gateway had no file descriptor left"));
	assert_non_null(
		strstr(f->next, "raise the limit of 1024 (worker_rlimit_nofile or LimitNOFILE)"));
	assert_true(has_evidence(f, "none of 1024 descriptors free 0.100 ms before the answer"));
	bench_close(&b);
}

/* bind() to a source address that is not there: nothing was tried, and no rule of the gateway's. */
static void test_a_socket_that_nothing_came_of(void **s)
{
	struct finding *f;
	struct bench b;

	for (int made = 0; made < 2; made++) {
		bench_open(&b, "haproxy");
		if (made)
			limit(&b, 1000.1, D, REC_GW, W5_LIMIT_UNUSED);
		f = answered(&b, 1000.2, 503);
		assert_non_null(f);
		assert_int_equal(f->cause,
				 made ? CAUSE_INSUFFICIENT_EVIDENCE : CAUSE_GATEWAY_GENERATED);
		assert_int_equal(strstr(f->why, "bind() failed") != NULL, made);
		bench_close(&b);
	}
}

static void not_fd_limit(const char *gateway, double t, uint64_t hint, uint32_t tgid)
{
	struct finding *f;
	struct bench b;

	bench_open(&b, gateway);
	files(&b, t, hint, tgid);
	f = answered(&b, 1100, 502);
	assert_non_null(f);
	assert_int_not_equal(f->cause, CAUSE_FD_LIMIT);
	bench_close(&b);
	bench_open(&b, gateway);
	files(&b, t, hint, tgid);
	assert_null(answered(&b, 1100, 500));
	bench_close(&b);
}

static void test_fd_limit_of_another(void **s)
{
	not_fd_limit("nginx", 1099, D + 1, REC_GW);   /* its thread worked for another client */
	not_fd_limit("nginx", 1099, D, REC_GW + 1);   /* another process */
	not_fd_limit("nginx", 999, D, REC_GW);	      /* before the request */
	not_fd_limit("haproxy", 1020, 0, REC_GW);     /* long before the answer */
	not_fd_limit("haproxy", 1099, 0, REC_GW + 1); /* another process */
}

static void test_fd_limit_where_the_trail_is_doubtful(void **s)
{
	struct finding *f;
	struct bench b;

	bench_open(&b, "haproxy");
	files(&b, 1000.1, D + 1, REC_GW);
	f = answered(&b, 1000.2, 503);
	assert_non_null(f);
	assert_int_equal(f->cause, CAUSE_FD_LIMIT);
	assert_int_equal(f->confidence, LIKELY);
	bench_close(&b);
}

static void test_fd_limit_after_a_failed_attempt(void **s)
{
	struct w5_leg l = rec_connect(U, 1000.1, 17, 111, 1000.3);
	struct finding *f;
	struct bench b;

	bench_open(&b, "nginx");
	rec_hint(&l, D, 1000.05);
	feed(&b, &l);
	files(&b, 1000.4, D, REC_GW);
	f = answered(&b, 1000.5, 500);
	assert_non_null(f);
	assert_int_equal(f->cause, CAUSE_FD_LIMIT);
	assert_int_equal(f->nattempts, 1);
	assert_int_equal(f->attempts[0].cause, CAUSE_CONN_REFUSED);
	bench_close(&b);
}

/* A descriptor was lacking first, then the next try failed of itself: that one decides. */
static void test_fd_limit_before_a_failed_attempt(void **s)
{
	struct w5_leg l = rec_connect(U, 1010.1, 17, 111, 1010.3);
	struct finding *f;
	struct bench b;

	bench_open(&b, "nginx");
	files(&b, 1000.1, D, REC_GW);
	rec_hint(&l, D, 1000.05);
	feed(&b, &l);
	f = answered(&b, 1010.5, 502);
	assert_non_null(f);
	assert_int_equal(f->cause, CAUSE_CONN_REFUSED);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_route),
		cmocka_unit_test(test_a_route_that_forbids),
		cmocka_unit_test(test_unsent_with_a_route_is_not_explained),
		cmocka_unit_test(test_the_same_errno_after_a_syn),
		cmocka_unit_test(test_connect_that_failed_at_the_answer),
		cmocka_unit_test(test_a_connect_of_nobody_may_be_the_one),
		cmocka_unit_test(test_local_port_exhausted),
		cmocka_unit_test(test_ports_are_counted),
		cmocka_unit_test(test_a_connect_with_a_port_did_not_lack_one),
		cmocka_unit_test(test_fd_limit),
		cmocka_unit_test(test_a_socket_that_nothing_came_of),
		cmocka_unit_test(test_fd_limit_of_another),
		cmocka_unit_test(test_fd_limit_where_the_trail_is_doubtful),
		cmocka_unit_test(test_fd_limit_after_a_failed_attempt),
		cmocka_unit_test(test_fd_limit_before_a_failed_attempt),
	};

	return cmocka_run_group_tests_name("causes on this host", tests, NULL, NULL);
}
