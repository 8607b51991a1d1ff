/* SPDX-License-Identifier: BSD-2-Clause */
/* Backends behind local sockets: connects that failed, those that did not, and sockets of others. */
#include <errno.h>

#include "../lib/explain.h"
#include "base/util.h"
#include "local_turns.h"
#include "w5_service.h"

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

/* ---- connects that did not fail ---- */

#define FPM "/run/php/php8.2-fpm.sock"

static struct w5_unix local_open(double t, bool connected, uint64_t hint)
{
	struct w5_unix u = local_error(t, 0, FPM, sizeof(FPM), hint);

	u.h.type = W5_REC_UNIX_OPEN;
	u.watched = connected;
	return u;
}

static void is_open(const struct finding *f, const char *why)
{
	assert_non_null(f);
	assert_string_equal(cause_name(f->cause), "insufficient-evidence");
	if (!strstr(f->why, why))
		fail_msg("why: %s", f->why);
}

/* Everything after the connect is hidden: neither made by rules, nor passed through. */
static void test_what_follows_a_connect_is_not_known(void **s)
{
	static const char *const gateways[] = { "nginx", "haproxy", "apache2", "caddy" };

	for (size_t i = 0; i < ARRAY_SIZE(gateways); i++) {
		struct w5_unix u = local_open(1000.1, true, D);
		struct finding *f;
		struct bench b;

		bench_open(&b, gateways[i]);
		watching(&b, 900, true);
		engine_feed(b.e, &u.h);
		f = answered(&b, 1000.2, 502);
		is_open(f, "the gateway connected to unix:" FPM "; what followed");
		assert_non_null(strstr(f->next, "nsenter -t 2217 -n ss -xlp src " FPM));
		bench_close(&b);
	}
}

/* The kernel told that it began, and user space came too late for its result. */
static void test_a_connect_whose_result_nobody_saw(void **s)
{
	struct w5_unix u = local_open(1000.1, false, D);
	struct bench b;

	bench_open(&b, "nginx");
	watching(&b, 900, true);
	engine_feed(b.e, &u.h);
	is_open(answered(&b, 1000.2, 502),
		"a connect to unix:" FPM " was seen just before, but not its result");
	bench_close(&b);
}

/* It was the last one tried: an earlier failure did not decide the answer. */
static void test_a_connect_after_a_failed_attempt(void **s)
{
	struct w5_unix u = local_open(1000.3, true, D);
	struct w5_leg l = rec_connect(U, 1000.1, 17, ECONNREFUSED, 1000.2);
	struct bench b;

	bench_open(&b, "nginx");
	rec_hint(&l, D, 1000);
	feed(&b, &l);
	engine_feed(b.e, &u.h);
	is_open(answered(&b, 1000.4, 502), "the gateway connected to unix:" FPM);
	bench_close(&b);
}

/* A healthy one of another request takes nothing away from a failure over TCP. */
static void test_a_connect_of_another_request(void **s)
{
	struct w5_unix u = local_open(1000.3, true, D + 1), before = local_open(1000.05, true, D);
	struct w5_leg l = rec_connect(U, 1000.1, 17, ECONNREFUSED, 1000.2);
	struct bench b;

	bench_open(&b, "nginx");
	rec_hint(&l, D, 1000);
	engine_feed(b.e, &before.h);
	feed(&b, &l);
	engine_feed(b.e, &u.h);
	assert_int_equal(answered(&b, 1000.4, 502)->cause, CAUSE_CONN_REFUSED);
	bench_close(&b);
}

/* It may have been asked on a conn that was there before. */
static void test_a_gateway_with_local_backends_made_nothing_up(void **s)
{
	struct w5_unix u = local_open(500, true, D + 1);
	struct bench b;

	bench_open(&b, "nginx");
	watching(&b, 400, true);
	engine_feed(b.e, &u.h);
	is_open(answered(&b, 1000.2, 502),
		"on a connection it had to a local socket (last: unix:" FPM);
	bench_close(&b);
	u.tgid = REC_GW + 7; /* no process of this gateway */
	bench_open(&b, "nginx");
	watching(&b, 400, true);
	engine_feed(b.e, &u.h);
	assert_int_equal(answered(&b, 1000.2, 502)->cause, CAUSE_GATEWAY_GENERATED);
	bench_close(&b);
}

/* A local socket failed for another route: it says nothing of this one, which may have asked on a
 * conn that is older than we are. */
static void test_a_failure_of_another_route(void **s)
{
	struct w5_unix u = local_error(950, ECONNREFUSED, FPM, sizeof(FPM), D + 1);
	struct w5_leg other = rec_down(D + 1, 949.9, "GET", "/other/b");
	struct finding *f;
	struct bench b;

	u.hint_ns = ms(949.9);
	bench_open(&b, "nginx");
	watching(&b, 900, true);
	engine_feed(b.e, &u.h);
	rec_answer(&other, 950.1, 502);
	other.h.size = sizeof(other);
	feed(&b, &other);
	bench_settle(&b, 950.1);
	assert_int_equal(b.f[0]->cause, CAUSE_UNIX_SOCKET_ERROR);
	f = answered(&b, 1000.2, 502);
	is_open(f, "a backend marked down, or a connection the gateway had to a local socket");
	bench_close(&b);
}

/* ---- sockets that are nobody's backend ---- */

static const char *const services[] = {
	"/dev/log",
	"/run/nscd/socket",
	"/var/run/nscd/socket",
	"/run/systemd/journal/stdout",
	"/run/dbus/system_bus_socket",
	"/var/lib/sss/pipes/nss",
	"\0/org/freedesktop/systemd1/x",
};

/* glibc looks for nscd in the middle of a request, and finds nobody on most hosts. */
static void test_services_are_no_backends(void **s)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		struct w5_unix u = local_error(1000.1, ENOENT, "", 0, D),
			       open = local_open(1000.1, true, D);
		struct w5_leg l = rec_connect(U, 1000.05, 17, ECONNREFUSED, 1000.08);
		struct finding *f;
		struct bench b;

		memcpy(u.path, services[i], 1 + strlen(services[i] + 1));
		u.len = W5_UNIX_PATH;
		memcpy(open.path, u.path, sizeof(u.path));
		bench_open(&b, "nginx"); /* beside a failure of another kind */
		rec_hint(&l, D, 1000);
		feed(&b, &l);
		engine_feed(b.e, &u.h);
		engine_feed(b.e, &open.h);
		f = answered(&b, 1000.2, 502);
		assert_int_equal(f->cause, CAUSE_CONN_REFUSED);
		assert_int_equal(f->nattempts, 1);
		bench_close(&b);
		bench_open(&b, "nginx"); /* alone */
		watching(&b, 900, true);
		engine_feed(b.e, &u.h);
		engine_feed(b.e, &open.h);
		assert_int_equal(answered(&b, 1000.2, 502)->cause, CAUSE_GATEWAY_GENERATED);
		bench_close(&b);
		bench_open(&b, "nginx"); /* in a request that went well */
		engine_feed(b.e, &u.h);
		assert_null(answered(&b, 1000.2, 200));
		bench_close(&b);
	}
}

static void test_which_sockets_are_services(void **s)
{
	static const char *const backends[] = {
		"/run/php/php8.2-fpm.sock",
		"/var/run/app.sock",
		"/dev/shm/app.sock",
		"\0app",
		"/run/systemd.sock",
		"/run/nscd",
		"",
		"/var",
		"/srv/run/dbus/x",
	};
	uint8_t path[W5_SERVICE_PEEK];

	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		memset(path, 0, sizeof(path));
		memcpy(path, services[i], min_size(1 + strlen(services[i] + 1), sizeof(path)));
		assert_true(w5_is_service(path));
	}
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
		memset(path, 0, sizeof(path));
		memcpy(path, backends[i], *backends[i] ? strlen(backends[i]) : i == 3 ? 4 : 0);
		assert_false(w5_is_service(path));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unix_socket_error),
		cmocka_unit_test(test_unix_paths_are_escaped),
		cmocka_unit_test(test_unix_error_of_another_client),
		cmocka_unit_test(test_unwatched_is_not_generated),
		cmocka_unit_test(test_what_follows_a_connect_is_not_known),
		cmocka_unit_test(test_a_connect_whose_result_nobody_saw),
		cmocka_unit_test(test_a_connect_after_a_failed_attempt),
		cmocka_unit_test(test_a_connect_of_another_request),
		cmocka_unit_test(test_a_gateway_with_local_backends_made_nothing_up),
		cmocka_unit_test(test_a_failure_of_another_route),
		cmocka_unit_test(test_services_are_no_backends),
		cmocka_unit_test(test_which_sockets_are_services),
	};

	return cmocka_run_group_tests_name("local sockets", tests, NULL, NULL);
}
