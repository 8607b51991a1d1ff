/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "report_bench.h"
#include "sample.h"
#include "sink/report.h"
#include "sink/report_data.h"

static void test_the_first_lines_say_what_happened(void **state)
{
	struct fixture *x = *state;
	const char *text;
	struct finding *f = sample_finding();

	give_agent(f, "curl/8.1");
	add(x, f);
	text = written(x, "a.md");
	assert_int_equal(strncmp(text, "# Why gw-03 answered 502\n\n1 of ", 31), 0);
	has(text, "between 2026-11-22 12:06:21 and 2026-11-22 12:06:21 UTC");
	has(text, "the 60.0 s watched before that had none");
	has(text, "- **Endpoints:** shop.example/api/cart (1)\n");
	has(text, "- **Clients:** 198.51.100.4 (1)\n");
	has(text, "### keepalive-race: closed the idle connection just as it was reused\n");
	has(text, "1 bad exchange (100.0 %): 1 certain.");
	has(text, "- FIN from backend 0.219 ms before our request reached it\n");
	has(text, "1. **keepalive-race:** make the gateway's upstream keepalive timeout shorter\n");
	has(text,
	    "| 17 | 2026-11-22T12:06:21.341402Z | 502 | POST shop.example/api/cart | "
	    "10.0.3.18:8080 | none: rst | keepalive-race | certain | 198.51.100.4 | curl/8.1 |\n");
}

static void test_what_was_ruled_out_comes_from_facts(void **state)
{
	struct fixture *x = *state;
	struct finding *f;
	const char *text;

	add(x, sample_finding());
	text = written(x, "a.md");
	has(text, "**Not loss on the way to the backends:** 1 of 1 ");
	has(text, "**No sign of a device on the way:** 1 of 1 resets");
	has_not(text, "Not stale keep-alive"); /* that is what it was */
	f = sample_finding();
	f->attempts[0].leg.retrans = 2;
	f->attempts[0].leg.rst_ttl = 60;
	add(x, f);
	text = written(x, "a.md");
	has_not(text, "Not loss on the way");
	has_not(text, "No sign of a device");
	has(text, "**Not slowness:** 2 of 2 ");
}

static void test_what_could_not_be_seen_is_said(void **state)
{
	struct fixture *x = *state;
	struct finding *f = sample_finding();
	const char *text;

	has(written(x, "a.md"), "No bad exchange among 0 requests.");
	f->lost = 3;
	f->confidence = CONFIDENCE_AMBIGUOUS;
	f->down.flags |= W5_F_OLDER;
	flight_unref(take_ptr(f->flight));
	flight_unref(take_ptr(f->attempts[0].flight));
	add(x, f);
	text = written(x, "a.md");
	has(text, "**Ambiguous:** 1 ");
	has(text, "**Loss nearby:** 1 ");
	has(text, "**Attached in the middle:** 1 ");
	has(text, "**No packets:** 1 ");
	has(text, "**Lost:** nothing");
}

static void test_a_retry_that_saved_it_is_told_apart(void **state)
{
	struct fixture *x = *state;
	struct finding *f = sample_finding();
	const char *text;

	add(x, sample_finding());
	f->verdict = VERDICT_RECOVERED;
	f->cause = CAUSE_RETRY_RECOVERED;
	add(x, f);
	text = written(x, "a.md");
	has(text, "**Saved by a retry:** 1 more request met");
	has_not(text, "retry-recovered");
}

/* ---- files ---- */

static void test_both_files_appear_whole_and_closed_to_others(void **state)
{
	struct fixture *x = *state;
	struct stat st;

	add(x, sample_finding());
	snprintf(x->path, sizeof(x->path), "%s/a", x->dir);
	assert_false(report_is_one_file(x->path));
	assert_int_equal(report_save(&x->s, x->e, x->path), 0);
	snprintf(x->path, sizeof(x->path), "%s/a.html", x->dir);
	assert_true(report_is_one_file(x->path));
	assert_int_equal(stat(x->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(x->path, sizeof(x->path), "%s/a.md", x->dir);
	assert_int_equal(stat(x->path, &st), 0);
	assert_int_equal(report_save(&x->s, x->e, "/nonexistent/a.md"), -2);
}

/* ---- what is gathered ---- */

static void test_the_audit_table_is_bounded_and_says_so(void **state)
{
	struct fixture *x = *state;
	const char *text;
	size_t rows = 0;

	for (uint64_t i = 0; i < AUDIT_FIRST + AUDIT_NEWEST + 17; i++) {
		struct finding *f = sample_finding();

		f->id = i + 1;
		add(x, f);
	}
	text = written(x, "a.md");
	has(text, "17 between them are counted above and not listed");
	has(text, "\n| 200 | ");
	has_not(text, "\n| 201 | ");
	has(text, "\n| 218 | ");
	has(text, "\n| 1017 | ");
	for (const char *p = strstr(text, "| Event |"); (p = strstr(p, "\n| ")); p++)
		rows++;
	assert_int_equal(rows, AUDIT_FIRST + AUDIT_NEWEST);
}

static uint64_t sum(const struct timeline *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		for (int c = 0; c < CAUSE_MAX; c++)
			n += t->count[i][c];
	}
	return n;
}

static void test_a_timeline_holds_any_span_and_loses_nothing(void **state)
{
	static const uint64_t spans[] = { 0, 9, 10, 1199, 1200, 5000, 86400, 31536000 };
	struct timeline *t = calloc(1, sizeof(*t));

	(void)state;
	assert_non_null(t);
	for (size_t i = 0; i < ARRAY_SIZE(spans); i++) {
		memset(t, 0, sizeof(*t));
		for (uint64_t k = 0; k <= 500; k++)
			timeline_add(t, SAMPLE_WALL_NS + spans[i] * k / 500 * SECOND,
				     CAUSE_CONN_REFUSED);
		assert_int_equal(sum(t), 501);
		assert_in_range(t->n, 1, TIMELINE_MAX);
		assert_true(t->start_ns <= SAMPLE_WALL_NS);
		assert_true(t->start_ns + t->n * t->step_ns > SAMPLE_WALL_NS + spans[i] * SECOND);
		assert_int_equal(t->start_ns % t->step_ns, 0);
	}
	free(t);
}

static void test_a_late_line_counts_in_its_own_time(void **state)
{
	struct timeline *t = calloc(1, sizeof(*t));
	uint64_t at = SAMPLE_WALL_NS - SAMPLE_WALL_NS % TIMELINE_FIRST_NS;

	(void)state;
	assert_non_null(t);
	timeline_add(t, at, CAUSE_CONN_REFUSED);
	timeline_add(t, at - 25 * SECOND, CAUSE_BACKEND_SLOW);
	assert_int_equal(t->n, 4);
	assert_int_equal(t->count[0][CAUSE_BACKEND_SLOW], 1);
	assert_int_equal(t->count[3][CAUSE_CONN_REFUSED], 1);
	timeline_add(t, at - 86400 * SECOND, CAUSE_BACKEND_SLOW);
	timeline_add(t, 0, CAUSE_BACKEND_SLOW);
	assert_int_equal(sum(t), 4);
	free(t);
}

static void test_what_was_watched_without_any_is_shown_as_such(void **state)
{
	struct timeline *t = calloc(1, sizeof(*t));
	uint64_t at = SAMPLE_WALL_NS - SAMPLE_WALL_NS % TIMELINE_FIRST_NS;

	(void)state;
	assert_non_null(t);
	timeline_pad(t, at, at);
	assert_int_equal(t->n, 0);
	timeline_add(t, at, CAUSE_CONN_REFUSED);
	timeline_pad(t, at - 15 * SECOND, at + 3600 * SECOND);
	assert_int_equal(t->n, 2 + 1 + TIMELINE_PAD);
	assert_int_equal(t->count[2][CAUSE_CONN_REFUSED], 1);
	timeline_add(t, at + 1170 * SECOND, CAUSE_CONN_REFUSED);
	timeline_pad(t, 0, UINT64_MAX);
	assert_int_equal(t->step_ns, TIMELINE_FIRST_NS);
	assert_int_equal(sum(t), 2);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_first_lines_say_what_happened, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_what_was_ruled_out_comes_from_facts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_what_could_not_be_seen_is_said, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_retry_that_saved_it_is_told_apart, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_both_files_appear_whole_and_closed_to_others,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_audit_table_is_bounded_and_says_so, setup,
						teardown),
		cmocka_unit_test(test_a_timeline_holds_any_span_and_loses_nothing),
		cmocka_unit_test(test_a_late_line_counts_in_its_own_time),
		cmocka_unit_test(test_what_was_watched_without_any_is_shown_as_such),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
