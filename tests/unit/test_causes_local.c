/* SPDX-License-Identifier: BSD-2-Clause */
/* Failures on the gateway's own host that leave no packet, and killed backends on it. */
#include <errno.h>

#include "../lib/explain.h"
#include "base/util.h"

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

static void files(struct bench *b, double t, uint64_t hint, uint32_t tgid)
{
	struct w5_limit l = { .h = { .ts_ns = ms(t), .type = W5_REC_LIMIT, .size = sizeof(l) },
			      .kind = W5_LIMIT_FILES,
			      .hint_cookie = hint,
			      .hint_ns = ms(1000),
			      .tgid = tgid,
			      .tid = tgid,
			      .limit = 1024,
			      .used = 1024 };

	engine_feed(b->e, &l.h);
}

/* An exchange answered at t, after what was fed; NULL: no finding. */
static struct finding *answered(struct bench *b, double t, uint16_t status)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a");

	rec_answer(&d, t, status);
	if (status >= 500)
		d.h.size = sizeof(d);
	feed(b, &d);
	bench_settle(b, t);
	return b->n ? b->f[b->n - 1] : NULL;
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

/* ---- killed backends ---- */

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

/* ---- local sockets ---- */

static struct w5_unix local_error(double t, int err, const char *path, size_t len, uint64_t hint)
{
	struct w5_unix u = { .h = { .ts_ns = ms(t), .type = W5_REC_UNIX, .size = sizeof(u) },
			     .hint_cookie = hint,
			     .hint_ns = ms(1000),
			     .tgid = REC_GW,
			     .tid = REC_GW,
			     .err = (uint16_t)err,
			     .len = (uint16_t)len };

	memcpy(u.path, path, len);
	return u;
}

static void expect_unix(int err, const char *why, const char *next)
{
	static const char path[] = "/run/php/php8.2-fpm.sock"; /* with its zero */
	struct w5_unix u = local_error(1000.1, err, path, sizeof(path), D);
	struct finding *f;
	struct bench b;

	bench_open(&b, "nginx");
	engine_feed(b.e, &u.h);
	f = answered(&b, 1000.2, 502);
	assert_non_null(f);
	assert_int_equal(f->cause, CAUSE_UNIX_SOCKET_ERROR);
	assert_int_equal(f->confidence, CERTAIN);
	assert_int_equal(f->nattempts, 1);
	if (!strstr(f->why, why))
		fail_msg("why: %s", f->why);
	if (!strstr(f->next, next))
		fail_msg("next: %s", f->next);
	assert_true(has_evidence(f, "connect() to this local socket returned"));
	bench_close(&b);
}

static void test_unix_socket_error(void **s)
{
	expect_unix(ENOENT, "there is no socket at unix:/run/php/php8.2-fpm.sock (ENOENT)",
		    "nsenter -t 2217 -m ls -l /run/php/php8.2-fpm.sock");
	expect_unix(ECONNREFUSED, "nobody listens at unix:/run/php/php8.2-fpm.sock", "ss -xlp");
	expect_unix(EACCES, "may not connect to unix:/run/php/php8.2-fpm.sock", "namei -l");
	expect_unix(EAGAIN, "the queue of unix:/run/php/php8.2-fpm.sock is full", "backlog");
	expect_unix(ENOMEM, "the connect to unix:/run/php/php8.2-fpm.sock failed", "ss -xlp");
}

/* Paths are bytes of another program: escaped, cut at their beginning, abstract ones with an @. */
static void test_unix_paths_are_escaped(void **s)
{
	static const struct {
		const char *path, *want;
		size_t len;
	} rows[] = {
		{ "\0app", "unix:@app (", 4 },
		{ "/run/\x1b[2J", "unix:/run/\\x1b[2J (", 9 },
		{ "/run/a/very/long/path/indeed/of/a/socket/that/does/not/fit/app.sock",
		  "unix:..th/indeed/of/a/socket/that/does/not/fit/app.sock (", 67 },
		{ "", "unix: (", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct w5_unix u = local_error(1000.1, ENOENT, rows[i].path, rows[i].len, D);
		struct finding *f;
		struct bench b;

		bench_open(&b, "nginx");
		engine_feed(b.e, &u.h);
		f = answered(&b, 1000.2, 502);
		assert_non_null(f);
		if (!strstr(f->why, rows[i].want))
			fail_msg("why: %s", f->why);
		bench_close(&b);
	}
}

static void test_unix_error_of_another_client(void **s)
{
	struct w5_unix u = local_error(1000.1, ENOENT, "/a", 2, D + 1);
	struct finding *f;
	struct bench b;

	bench_open(&b, "nginx");
	engine_feed(b.e, &u.h);
	f = answered(&b, 1000.2, 502);
	assert_non_null(f);
	assert_int_not_equal(f->cause, CAUSE_UNIX_SOCKET_ERROR);
	bench_close(&b);
}

static void watching(struct bench *b, double t, bool on)
{
	struct w5_unix u = local_error(t, 0, "", 0, 0);

	u.watched = on;
	engine_feed(b->e, &u.h);
}

/* As long as local sockets are not watched, "made by its rules" cannot be said. */
static void test_unwatched_is_not_generated(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	watching(&b, 900, false);
	assert_int_equal(answered(&b, 1000.2, 502)->cause, CAUSE_INSUFFICIENT_EVIDENCE);
	assert_non_null(strstr(b.f[0]->why, "or a local socket failed"));
	bench_close(&b);
	bench_open(&b, "nginx");
	watching(&b, 900, false);
	watching(&b, 999, true);
	assert_int_equal(answered(&b, 1000.2, 502)->cause, CAUSE_GATEWAY_GENERATED);
	bench_close(&b);
	bench_open(&b, "nginx");
	watching(&b, 1000.1, true); /* in the middle of it */
	assert_int_equal(answered(&b, 1000.2, 502)->cause, CAUSE_INSUFFICIENT_EVIDENCE);
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
		cmocka_unit_test(test_fd_limit_of_another),
		cmocka_unit_test(test_fd_limit_where_the_trail_is_doubtful),
		cmocka_unit_test(test_fd_limit_after_a_failed_attempt),
		cmocka_unit_test(test_fd_limit_before_a_failed_attempt),
		cmocka_unit_test(test_backend_killed),
		cmocka_unit_test(test_backend_killed_by_oom),
		cmocka_unit_test(test_backend_killed_under_a_reused_conn),
		cmocka_unit_test(test_another_process_was_killed),
		cmocka_unit_test(test_gateway_closed_and_then_it_was_killed),
		cmocka_unit_test(test_unix_socket_error),
		cmocka_unit_test(test_unix_paths_are_escaped),
		cmocka_unit_test(test_unix_error_of_another_client),
		cmocka_unit_test(test_unwatched_is_not_generated),
	};

	return cmocka_run_group_tests_name("causes on this host", tests, NULL, NULL);
}
