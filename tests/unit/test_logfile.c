/* SPDX-License-Identifier: BSD-2-Clause */
/* An access log as a file: followed, rotated, cut, hostile. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log_place.h"
#include "source/logfile.h"

static void on_line(void *self, const char *line, size_t len)
{
	struct place *p = self;
	size_t have = strlen(p->got);

	p->longest = len > p->longest ? len : p->longest;
	snprintf(p->got + have, sizeof(p->got) - have, "%.*s|", len < 80 ? (int)len : 80, line);
}

/* Time goes on by enough for the name to be looked up. */
static int poll_file(struct place *p)
{
	p->now += S;
	return logfile_poll(p->f, p->now, on_line, p);
}

static void expect(struct place *p, const char *lines)
{
	assert_int_equal(poll_file(p), 0);
	assert_string_equal(p->got, lines);
	p->got[0] = '\0';
}

static struct place *follow(const char *before)
{
	struct place *p = place_new();

	append(p->log, before);
	assert_int_equal(logfile_open(&p->f, p->log), 0);
	return p;
}

static void test_new_lines_only_and_whole_ones(void **s)
{
	struct place *p = follow("old\n");

	expect(p, "");
	append(p->log, "a\nb\r\nhal");
	expect(p, "a|b|");
	append(p->log, "f\n\n");
	expect(p, "half||");
	place_free(p);
}

static void test_begins_inside_a_line(void **s)
{
	struct place *p = follow("the begin of ");

	append(p->log, "a line\nwhole\n");
	expect(p, "whole|");
	place_free(p);
}

static void test_rotation_finishes_the_old_file_first(void **s)
{
	struct place *p = follow("");

	append(p->log, "1\n");
	assert_int_equal(rename(p->log, p->other), 0);
	append(p->other, "2\n");
	append(p->log, "4\n");
	append(p->other, "3\n");
	expect(p, "1|2|3|4|");
	/* A worker that has not reopened its log yet. */
	append(p->log, "6\n");
	append(p->other, "5\n");
	expect(p, "5|6|");
	for (int i = 0; i < 6; i++)
		expect(p, "");
	append(p->other, "not read any more\n");
	append(p->log, "7\n");
	expect(p, "7|");
	place_free(p);
}

static void test_rotation_before_the_new_file_is_there(void **s)
{
	struct place *p = follow("");

	append(p->log, "1\n");
	assert_int_equal(rename(p->log, p->other), 0);
	assert_int_equal(poll_file(p), -ENOENT);
	append(p->other, "2\n");
	assert_int_equal(poll_file(p), -ENOENT);
	append(p->log, "3\n");
	expect(p, "1|2|3|");
	place_free(p);
}

static void test_truncation(void **s)
{
	struct place *p = follow("some old lines\n");

	append(p->log, "1\npart");
	expect(p, "1|");
	assert_int_equal(truncate(p->log, 0), 0);
	append(p->log, "2\n");
	expect(p, "2|");
	place_free(p);
}

static void test_deleted_and_made_anew(void **s)
{
	struct place *p = follow("");

	append(p->log, "1\n");
	assert_int_equal(unlink(p->log), 0);
	assert_int_equal(poll_file(p), -ENOENT);
	append(p->log, "2\n");
	expect(p, "1|2|");
	place_free(p);
}

static void test_a_file_that_comes_later_is_read_from_its_begin(void **s)
{
	struct place *p = place_new();

	assert_int_equal(logfile_open(&p->f, p->log), 0);
	assert_int_equal(poll_file(p), -ENOENT);
	append(p->log, "1\n");
	expect(p, "1|");
	place_free(p);
}

static void test_long_lines_are_skipped_and_counted(void **s)
{
	struct place *p = follow("");
	size_t n = LOGFILE_LINE_MAX * 3;
	char *text = malloc(n + 1);

	memset(text, 'x', n);
	text[n] = '\0';
	append(p->log, "a\n");
	append(p->log, text);
	append(p->log, "\nb\n");
	expect(p, "a|b|");
	assert_int_equal(logfile_skipped(p->f), 1);
	text[LOGFILE_LINE_MAX - 1] = '\n'; /* the longest that is read */
	text[LOGFILE_LINE_MAX] = '\0';
	append(p->log, text);
	poll_file(p);
	assert_int_equal(p->longest, LOGFILE_LINE_MAX - 1);
	assert_int_equal(logfile_skipped(p->f), 1);
	free(text);
	place_free(p);
}

static void test_no_regular_file_is_refused(void **s)
{
	struct place *p = place_new();

	assert_int_equal(mkfifo(p->log, 0600), 0);
	assert_int_equal(logfile_open(&p->f, p->log), -EINVAL);
	assert_int_equal(logfile_open(&p->f, p->dir), -EINVAL);
	assert_int_equal(logfile_open(&p->f, "/dev/null"), -EINVAL);
	place_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_lines_only_and_whole_ones),
		cmocka_unit_test(test_begins_inside_a_line),
		cmocka_unit_test(test_rotation_finishes_the_old_file_first),
		cmocka_unit_test(test_rotation_before_the_new_file_is_there),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_deleted_and_made_anew),
		cmocka_unit_test(test_a_file_that_comes_later_is_read_from_its_begin),
		cmocka_unit_test(test_long_lines_are_skipped_and_counted),
		cmocka_unit_test(test_no_regular_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
