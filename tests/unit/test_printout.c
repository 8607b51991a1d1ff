/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of text on their way out: whole or not at all, whatever the reader does. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "sink_bench.h"

#define READ_MAX (32 << 20)
#define PADDING	 450 /* digits: many findings are more than what waits */

/* ---- an output of the plainest kind ---- */

static bool is_ready(const struct engine *e)
{
	return counters.now_ns;
}

static void on_ready(struct printout *p, const struct engine *e)
{
	buf_str(&p->out, "ready\n");
}

static void on_finding(struct printout *p, const struct finding *f, const char *pcap_path)
{
	buf_printf(&p->out, "%06llu %0*d\n", (unsigned long long)f->id, PADDING, 0);
}

static void on_warning(struct printout *p, const struct engine *e, const struct engine_upstream *u)
{
	buf_str(&p->out, "warning\n");
}

static void on_summary(struct printout *p, const struct engine *e)
{
	buf_printf(&p->out, "unwritten %llu\n", (unsigned long long)p->unwritten);
}

static struct printout_ops ops = { .sink = { .name = "plain",
					     .finding = printout_finding,
					     .tick = printout_tick,
					     .close = printout_close },
				   .is_ready = is_ready,
				   .ready = on_ready,
				   .finding = on_finding,
				   .warning = on_warning,
				   .summary = on_summary };

static int plain_new(struct sink *out, int fd)
{
	return printout_new(out, &ops, fd);
}

static int setup(void **state)
{
	ops.sums_up_nothing = false;
	return fixture_new(state, plain_new);
}

static const char *closed(struct fixture *x)
{
	x->s.ops->close(x->s.self, NULL);
	x->s.self = NULL;
	return written(x);
}

/* ---- the session's begin and end ---- */

static void test_ready_is_told_at_once_or_with_the_first_finding(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(printout_ready(&x->s, NULL), 0);
	assert_string_equal(written(x), "");
	assert_int_equal(x->s.ops->finding(x->s.self, x->f), 0);
	assert_int_equal(x->s.ops->tick(x->s.self, NULL), 0);
	assert_memory_equal(written(x), "ready\n000017 ", 13);
	counters.now_ns = 1;
	assert_int_equal(printout_ready(&x->s, NULL), 0);
	assert_string_equal(strchr(strchr(written(x), '\n') + 1, '\n') + 1, "ready\n");
}

static void test_a_tick_does_not_wait_for_gateways(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(printout_ready(&x->s, NULL), 0);
	assert_int_equal(x->s.ops->tick(x->s.self, NULL), 0);
	assert_int_equal(x->s.ops->tick(x->s.self, NULL), 0);
	assert_string_equal(written(x), "ready\n");
}

static void test_a_failed_start_has_no_summary(void **state)
{
	struct fixture *x = *state;

	counters.now_ns = 1;
	ops.sums_up_nothing = true;
	assert_string_equal(closed(x), "");
}

static void test_a_session_without_records_has_one_if_it_is_wanted(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(printout_ready(&x->s, NULL), 0);
	assert_string_equal(closed(x), "");
	assert_int_equal(plain_new(&x->s, x->fd), 0);
	ops.sums_up_nothing = true;
	assert_int_equal(printout_ready(&x->s, NULL), 0);
	assert_string_equal(closed(x), "ready\nunwritten 0\n");
}

/* ---- readers ---- */

static void test_reader_that_left_is_an_error_once_flushed(void **state)
{
	struct fixture *x = *state;
	int pipefd[2];
	struct sink s;

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(pipefd), 0);
	close(pipefd[0]);
	assert_int_equal(plain_new(&s, pipefd[1]), 0);
	assert_int_equal(s.ops->finding(s.self, x->f), 0);
	assert_int_equal(s.ops->tick(s.self, NULL), -EPIPE);
	s.ops->close(s.self, NULL);
	close(pipefd[1]);
}

static size_t read_all(int fd, char *text, size_t len)
{
	ssize_t n;

	while ((n = read(fd, text + len, READ_MAX - 1 - len)) > 0)
		len += (size_t)n;
	return len;
}

/* A reader that is slow (non-blocking pipe, full): blocks wait, none is broken, and what
 * does not fit the bound is refused. */
static void test_slow_reader_gets_whole_blocks(void **state)
{
	struct fixture *x = *state;
	int pipefd[2], refused = 0, rc;
	char *text = calloc(1, READ_MAX), want[32];
	size_t len = 0, nfindings = 0;
	struct sink s;

	counters.now_ns = 1;
	assert_int_equal(pipe2(pipefd, O_NONBLOCK), 0);
	assert_int_equal(plain_new(&s, pipefd[1]), 0);
	for (x->f->id = 0; x->f->id < 20000; x->f->id++) {
		rc = s.ops->finding(s.self, x->f);
		if (rc)
			assert_int_equal(rc, -ENOBUFS);
		refused += rc != 0;
	}
	assert_true(refused > 0);
	for (int round = 0; round < 2000; round++) {
		len = read_all(pipefd[0], text, len);
		assert_int_equal(s.ops->tick(s.self, NULL), 0);
	}
	s.ops->close(s.self, NULL);
	read_all(pipefd[0], text, len);
	for (char *p = text; *p != 'u'; p = strchr(p, '\n') + 1, nfindings++) {
		assert_int_equal(strspn(p, "0123456789"), 6);
		assert_int_equal(strcspn(p, "\n"), 6 + 1 + PADDING);
	}
	assert_int_equal(nfindings, 20000 - refused);
	snprintf(want, sizeof(want), "unwritten %d\n", refused);
	assert_string_equal(strchr(text, 'u'), want);
	free(text);
	close(pipefd[0]);
	close(pipefd[1]);
}

static void test_full_disk_is_an_error(void **state)
{
	struct fixture *x = *state;
	int fd = open("/dev/full", O_WRONLY);
	struct sink s;

	assert_true(fd >= 0);
	assert_int_equal(plain_new(&s, fd), 0);
	assert_int_equal(s.ops->finding(s.self, x->f), 0);
	assert_int_equal(s.ops->tick(s.self, NULL), -ENOSPC);
	s.ops->close(s.self, NULL);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		TEST(test_ready_is_told_at_once_or_with_the_first_finding),
		TEST(test_a_tick_does_not_wait_for_gateways),
		TEST(test_a_failed_start_has_no_summary),
		TEST(test_a_session_without_records_has_one_if_it_is_wanted),
		TEST(test_reader_that_left_is_an_error_once_flushed),
		TEST(test_slow_reader_gets_whole_blocks),
		TEST(test_full_disk_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
