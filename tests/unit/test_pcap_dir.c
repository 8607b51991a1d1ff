/* SPDX-License-Identifier: BSD-2-Clause */
/* Capture files of findings in a directory: names, bounds, bursts. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "pcap_files.h"
#include "sample.h"
#include "sink/burst.h"
#include "sink/pcapout.h"

static void test_name_says_when_what_and_why(void **state)
{
	struct finding *f = *state;
	char name[PCAP_NAME_MAX];

	pcap_name(name, f, PCAP_FORMAT_PCAP);
	assert_string_equal(name, "20261122-120621.341402-502-keepalive-race-17.pcap");
	f->status = 0;
	f->down.resp_bytes = 20; /* what was no HTTP was passed on as it came */
	f->cause = CAUSE_NOT_HTTP;
	pcap_name(name, f, PCAP_FORMAT_PCAP);
	assert_string_equal(name, "20261122-120621.341402-none-not-http-17.pcap");
	f->down.resp_bytes = 0;
	f->id = UINT64_MAX;
	f->cause = CAUSE_KEEPALIVE_CLOSED_ON_REQUEST;
	pcap_name(name, f, PCAP_FORMAT_PCAP);
	assert_non_null(strstr(name, "-silent-keepalive-closed-on-request-"));
	assert_non_null(strstr(name, ".pcap"));
}

static void test_directory_keeps_its_bounds(void **state)
{
	struct finding *f = *state;
	struct pcap_dir_cfg cfg = {
		.dir = dir, .max_files = 2, .max_bytes = 1 << 20, .format = PCAP_FORMAT_PCAP
	};
	struct pcap_dir_stats st;
	struct pcap_dir *ref;
	struct sink s;

	assert_int_equal(pcap_dir_new(&s, &cfg), 0);
	ref = pcap_dir_ref(&s);
	for (f->id = 1; f->id <= 5; f->id++) {
		assert_int_equal(s.ops->finding(s.self, f), 0);
		assert_int_equal(!!pcap_dir_saved(ref, f), f->id <= 2);
	}
	s.ops->close(s.self, NULL);
	pcap_dir_stats(ref, &st); /* still there for whoever holds it */
	assert_int_equal(st.files, 2);
	assert_int_equal(st.skipped, 3);
	assert_int_equal(st.packets, 14);
	assert_int_equal(files_in_dir(), 2);
	pcap_dir_unref(ref);

	cfg.max_files = 100;
	cfg.max_bytes = st.bytes; /* two files of this size, to the byte */
	assert_int_equal(pcap_dir_new(&s, &cfg), 0);
	ref = pcap_dir_ref(&s);
	for (f->id = 11; f->id <= 15; f->id++)
		assert_int_equal(s.ops->finding(s.self, f), 0);
	pcap_dir_stats(ref, &st);
	assert_int_equal(st.files, 2);
	assert_int_equal(st.skipped, 3);
	s.ops->close(s.self, NULL);
	pcap_dir_unref(ref);
}

static void test_a_burst_of_one_kind_leaves_some_and_counts_the_rest(void **state)
{
	struct finding *f = *state;
	struct pcap_dir_cfg cfg = { .dir = dir, .max_files = 100, .max_bytes = 1 << 20 };
	struct pcap_dir_stats st;
	struct pcap_dir *ref;
	struct sink s;

	assert_int_equal(pcap_dir_new(&s, &cfg), 0);
	ref = pcap_dir_ref(&s);
	/* held ones are shared, not copied: each needs a finding of its own */
	for (uint64_t i = 1; i <= 50; i++) {
		struct finding *one = sample_finding();

		one->id = i;
		one->ts_ns = f->ts_ns + i * 1000000;
		assert_int_equal(s.ops->finding(s.self, one), 0);
		finding_unref(one);
	}
	assert_int_equal(files_in_dir(), BURST_FIRST);
	s.ops->close(s.self, NULL);
	assert_int_equal(files_in_dir(), BURST_FIRST + 1);
	pcap_dir_stats(ref, &st);
	assert_int_equal(st.files, BURST_FIRST + 1);
	assert_int_equal(st.alike, 50 - BURST_FIRST - 1);
	assert_int_equal(st.skipped, 0);
	pcap_dir_unref(ref);
}

static void test_directory_takes_only_bad_exchanges(void **state)
{
	struct finding *f = *state;
	struct pcap_dir_cfg cfg = { .dir = dir, .max_files = 9, .max_bytes = 1 << 20 };
	struct sink s;

	assert_int_equal(pcap_dir_new(&s, &cfg), 0);
	f->verdict = VERDICT_RECOVERED;
	assert_int_equal(s.ops->finding(s.self, f), 0);
	f->verdict = VERDICT_CLIENT;
	assert_int_equal(s.ops->finding(s.self, f), 0);
	assert_int_equal(files_in_dir(), 0);
	f->verdict = VERDICT_SILENT;
	assert_int_equal(s.ops->finding(s.self, f), 0);
	assert_int_equal(files_in_dir(), 1);
	s.ops->close(s.self, NULL);
}

static void test_a_missing_directory_is_made(void **state)
{
	struct pcap_dir_cfg cfg = { .max_files = 9, .max_bytes = 1 << 20 };
	char path[PATH_MAX];
	struct stat st;
	struct sink s;

	snprintf(path, sizeof(path), "%s", in_dir("new"));
	cfg.dir = path;
	assert_int_equal(pcap_dir_new(&s, &cfg), 0);
	assert_int_equal(s.ops->finding(s.self, *state), 0);
	s.ops->close(s.self, NULL);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(pcap_dir_new(&s, &cfg), 0); /* there already */
	s.ops->close(s.self, NULL);
	snprintf(path, sizeof(path), "%s", in_dir("none/deeper"));
	assert_int_equal(pcap_dir_new(&s, &cfg), -ENOENT);
	snprintf(path, sizeof(path), "%s", in_dir("file"));
	close(open(path, O_CREAT | O_WRONLY, 0700));
	assert_int_equal(pcap_dir_new(&s, &cfg), -ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		TEST(test_name_says_when_what_and_why),
		TEST(test_directory_keeps_its_bounds),
		TEST(test_a_burst_of_one_kind_leaves_some_and_counts_the_rest),
		TEST(test_directory_takes_only_bad_exchanges),
		TEST(test_a_missing_directory_is_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
