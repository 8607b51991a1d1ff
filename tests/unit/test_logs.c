/* SPDX-License-Identifier: BSD-2-Clause */
/* Records out of the lines of a log, and what is said of it. */
#include <string.h>
#include <sys/stat.h>

#include "log_place.h"
#include "source/logs.h"

#define COMBINED(status) \
	"1.2.3.4 - - [22/Nov/2026:12:06:21 +0000] \"GET /a HTTP/1.1\" " status " 1 \"-\" \"x\"\n"

static void test_healthy_lines_are_told_by_number(void **s)
{
	struct seen w;

	seen_open(&w, "nginx");
	append(w.p->log, COMBINED("200") COMBINED("204") COMBINED("404") COMBINED("502"));
	append(w.p->log, COMBINED("301") "garbage\n");
	seen_poll(&w);
	assert_int_equal(w.n, 2);
	assert_int_equal(w.rec[0].status, 502);
	assert_int_equal(w.rec[0].healthy[2], 2);
	assert_int_equal(w.rec[0].healthy[4], 1);
	assert_true(w.rec[0].end_ns);
	assert_int_equal(w.rec[1].end_ns, 0);
	assert_int_equal(w.rec[1].healthy[3], 1);
	assert_int_equal(w.rec[1].skipped, 1);
	assert_int_equal(w.rec[1].kind, W5_LOG_NGINX);
	seen_poll(&w);
	assert_int_equal(w.n, 2);
	seen_close(&w);
}

static void test_the_first_record_says_that_it_begins(void **s)
{
	struct seen w;

	seen_open(&w, "nginx");
	seen_poll(&w);
	seen_poll(&w);
	assert_int_equal(w.begins, 1);
	assert_int_equal(w.n, 0);
	seen_close(&w);
}

static void test_strange_lines_are_said_once(void **s)
{
	struct seen w;
	const char *first;

	seen_open(&w, "caddy");
	append(w.p->log, COMBINED("200") COMBINED("200") COMBINED("200") COMBINED("200"));
	seen_poll(&w);
	append(w.p->log, COMBINED("200") COMBINED("200") COMBINED("200") COMBINED("200"));
	seen_poll(&w);
	first = strstr(w.said, "do not fit the format (caddy)");
	assert_non_null(first);
	assert_null(strstr(first + 1, "do not fit"));
	assert_int_equal(w.rec[0].skipped + w.rec[1].skipped, 8);
	seen_close(&w);
}

static void test_guessed_format_is_said(void **s)
{
	struct seen w;

	seen_open(&w, "auto");
	append(w.p->log, COMBINED("502"));
	seen_poll(&w);
	assert_non_null(strstr(w.said, "looks like the apache format"));
	assert_int_equal(w.n, 1);
	assert_int_equal(w.rec[0].kind, W5_LOG_APACHE);
	seen_close(&w);
}

static void refused(const char *path, const char *format, const char *why)
{
	static const struct logs_ops ops = { .record = on_record, .say = on_say };
	char err[LOGS_ERR_MAX] = "";
	struct logs *l;

	assert_int_equal(logs_new(&l, &ops, NULL), 0);
	assert_int_not_equal(logs_add(l, path, format, err), 0);
	assert_non_null(strstr(err, why));
	logs_free(l);
}

static void test_refusals_say_why(void **s)
{
	struct place *p = place_new();

	assert_int_equal(mkfifo(p->log, 0600), 0);
	refused(p->log, NULL, "no regular file");
	refused("/dev/null", "ngnix", "is no word of nginx");
	refused("/dev/null", "$status", "no time");
	place_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_healthy_lines_are_told_by_number),
		cmocka_unit_test(test_the_first_record_says_that_it_begins),
		cmocka_unit_test(test_strange_lines_are_said_once),
		cmocka_unit_test(test_guessed_format_is_said),
		cmocka_unit_test(test_refusals_say_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
