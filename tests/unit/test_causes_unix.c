/* SPDX-License-Identifier: BSD-2-Clause */
/* Causes on this host: local sockets. */
#include <errno.h>

#include "../lib/explain.h"
#include "base/util.h"
#include "local_turns.h"

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
		cmocka_unit_test(test_unix_socket_error),
		cmocka_unit_test(test_unix_paths_are_escaped),
		cmocka_unit_test(test_unix_error_of_another_client),
		cmocka_unit_test(test_unwatched_is_not_generated),
	};

	return cmocka_run_group_tests_name("causes_unix", tests, NULL, NULL);
}
