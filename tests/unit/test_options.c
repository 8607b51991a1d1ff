/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/options.h"
#include "base/parse.h"
#include "base/util.h"

static char said[4096]; /* what the last parse() wrote to stderr */

/* Arguments separated by spaces; stdout is not a terminal here (see main). */
static int parse(struct options *o, const char *args)
{
	static char copy[512]; /* struct options borrows from it */
	char *argv[32] = { "why502" };
	int argc = 1, err;
	FILE *real = stderr;

	snprintf(copy, sizeof(copy), "%s", args);
	for (char *save, *a = strtok_r(copy, " ", &save); a; a = strtok_r(NULL, " ", &save))
		argv[argc++] = a;
	memset(said, 0, sizeof(said));
	stderr = fmemopen(said, sizeof(said) - 1, "w");
	err = options_parse(o, argc, argv);
	fclose(stderr);
	stderr = real;
	return err;
}

static void test_defaults(void **state)
{
	struct options o;

	assert_int_equal(parse(&o, ""), 0);
	assert_string_equal(said, "");
	assert_int_equal(o.command, COMMAND_WATCH);
	assert_int_equal(o.output, OUTPUT_TEXT);
	assert_int_equal(o.pcap_max_files, 100);
	assert_int_equal(o.pcap_max_bytes, 64 << 20);
	assert_int_equal(o.history_packets, 16);
	assert_int_equal(o.history_bytes, 128);
	assert_int_equal(o.ring_bytes, 16 << 20);
	assert_int_equal(o.max_exchanges, 10000);
	for (int s = 500; s < 600; s++)
		assert_int_equal(o.bad_status[s - 500], s >= 502 && s <= 504);
	assert_null(o.write_path);
	assert_int_equal(o.duration_ns + o.count + o.port + o.pid, 0);
}

static void test_a_filter_is_parsed_at_once(void **state)
{
	struct options o;

	assert_int_equal(parse(&o, "--filter status==502&&path~^/api"), 0);
	assert_string_equal(o.filter, "status==502&&path~^/api");
	assert_int_equal(parse(&o, "-f status==502&&caus==x"), -EINVAL);
	assert_string_equal(said, "why502: --filter: no such field: caus\n"
				  "  status==502&&caus==x\n"
				  "               ^\n");
	assert_int_equal(parse(&o, "--filter="), -EINVAL);
	assert_int_equal(parse(&o, "--pcap-filter=tcp"), 0);
	assert_int_equal(parse(&o, "--pcap-filter=tcp||port"), -EINVAL);
	assert_non_null(strstr(said, "why502: --pcap-filter: "));
	assert_int_equal(parse(&o, "--pcap-filter=tcp||nginx"), -EINVAL);
	assert_non_null(strstr(said, "\n  tcp||nginx\n       ^\n"));
}

static void test_gateways_of_a_capture(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, "-o text -r f --gateway 10.77.1.1:8080 --gateway fd77::1"), 0);
	assert_int_equal(o.capture.ngateways, 2);
	assert_int_equal(o.capture.gateways[0].port, 8080);
	assert_int_equal(o.capture.gateways[1].ip.ip[0], 0xfd);
	assert_int_equal(parse(&o, "-o text -r f --gateway nginx"), -EINVAL);
	assert_int_equal(parse(&o, "-o text --gateway 10.77.1.1"), -EINVAL); /* live */
}

static void test_values_arrive_in_their_fields(void **state)
{
	struct options o;

	assert_int_equal(
		parse(&o,
		      "-o ndjson -d 1.5 -n 3 -w t.w5t --pcap-dir /p --pcap-format pcap --pcap-max-files 7 "
		      "--pcap-max-bytes 8M -p 8080 --pid 42 --comm nginx --cgroup /a "
		      "--status 500,502-503 --history 0x0"),
		-EINVAL);
	assert_int_equal(
		parse(&o,
		      "-o ndjson -d 1.5 -n 3 -w t.w5t --pcap-dir /p --pcap-format pcap --pcap-max-files 7 "
		      "--pcap-max-bytes 8M -p 8080 --pid 42 --comm nginx --cgroup /a "
		      "--status 500,502-503 --ring-size 64K --max-exchanges 100 -vv"),
		0);
	assert_int_equal(o.output, OUTPUT_NDJSON);
	assert_int_equal(o.duration_ns, 1500000000);
	assert_int_equal(o.count, 3);
	assert_string_equal(o.write_path, "t.w5t");
	assert_string_equal(o.pcap_dir, "/p");
	assert_int_equal(o.pcap_choice, PCAP_CHOICE_PCAP);
	assert_int_equal(o.pcap_max_files, 7);
	assert_int_equal(o.pcap_max_bytes, 8 << 20);
	assert_int_equal(o.port, 8080);
	assert_int_equal(o.pid, 42);
	assert_string_equal(o.comm, "nginx");
	assert_string_equal(o.cgroup, "/a");
	assert_int_equal(o.bad_status[0] + o.bad_status[2] * 2 + o.bad_status[3] * 4, 7);
	assert_int_equal(o.bad_status[1] + o.bad_status[4], 0);
	assert_int_equal(o.ring_bytes, 65536);
	assert_int_equal(o.max_exchanges, 100);
	assert_int_equal(o.verbose, 2);
}

static void test_status_5xx_is_all_of_them(void **state)
{
	struct options o;

	assert_int_equal(parse(&o, "--status 5XX"), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(o.bad_status[i], 1);
}

static void test_commands(void **state)
{
	struct options o;

	assert_int_equal(parse(&o, "doctor"), 0);
	assert_int_equal(o.command, COMMAND_DOCTOR);
	assert_int_equal(parse(&o, "-v --help"), 0);
	assert_int_equal(o.command, COMMAND_HELP);
	assert_int_equal(parse(&o, "-V"), 0);
	assert_int_equal(o.command, COMMAND_VERSION);
	assert_int_equal(parse(&o, "doktor"), -EINVAL);
	assert_non_null(strstr(said, "'doktor'"));
}

static void test_screen_draws_without_a_terminal(void **state)
{
	struct options o;

	assert_int_equal(parse(&o, "-r x --screen 80x24 --keys jjq"), 0);
	assert_int_equal(o.output, OUTPUT_TUI);
	assert_int_equal(o.screen_cols, 80);
	assert_int_equal(o.screen_rows, 24);
	assert_string_equal(o.keys, "jjq");
}

/* A refused value: -EINVAL and one sentence with the bad value and the option's name. */
static void test_refused_values_are_named(void **state)
{
	static const struct {
		const char *option, *value;
	} rows[] = {
		{ "--output", "xml" },
		{ "--duration", "0" },
		{ "--duration", "1e3" },
		{ "--duration", "-1" },
		{ "--duration", "." },
		{ "--duration", "1.0000000001" },
		{ "--count", "0" },
		{ "--count", "3x" },
		{ "--count", "18446744073709551616" },
		{ "--pcap-max-files", "0" },
		{ "--pcap-format", "raw" },
		{ "--pcap-max-bytes", "1" },
		{ "--pcap-max-bytes", "M" },
		{ "--pcap-max-bytes", "5T" },
		{ "--port", "65536" },
		{ "--port", "http" },
		{ "--pid", "0" },
		{ "--comm", "sixteen-bytes-xx" },
		{ "--status", "404" },
		{ "--status", "504-502" },
		{ "--status", "502," },
		{ "--status", "5xxx" },
		{ "--history", "0x128" },
		{ "--history", "65x128" },
		{ "--history", "16x56" },
		{ "--history", "16x520" },
		{ "--history", "16x100" },
		{ "--ring-size", "3M" },
		{ "--ring-size", "1K" },
		{ "--ring-size", "2G" },
		{ "--max-exchanges", "1" },
		{ "--theme", "pink" },
		{ "--screen", "80" },
		{ "--screen", "80x2" },
		{ "--screen", "80x24x" },
	};
	struct options o;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char args[128], quoted[64];
		const char *nl;

		snprintf(args, sizeof(args), "%s %s", rows[i].option, rows[i].value);
		snprintf(quoted, sizeof(quoted), "'%s'", rows[i].value);
		if (parse(&o, args) != -EINVAL)
			fail_msg("accepted: %s", args);
		nl = strchr(said, '\n');
		if (!strstr(said, rows[i].option) || !strstr(said, quoted) || !nl || nl[1])
			fail_msg("%s: %s", args, said);
	}
}

static void test_combinations_that_make_no_sense(void **state)
{
	static const char *const rows[] = {
		"-o tui",
		"--keys q",
		"-o text --screen 80x24",
		"--pcap-dir /p --history 0",
		"-r a -w b",
		"--no-such",
		"-p",
	};
	struct options o;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (parse(&o, rows[i]) != -EINVAL)
			fail_msg("accepted: %s", rows[i]);
		assert_non_null(strchr(said, '\n'));
	}
	assert_int_equal(parse(&o, "--history 64x512"), 0);
	assert_int_equal(o.history_packets, 64);
	assert_int_equal(o.history_bytes, 512);
	assert_int_equal(parse(&o, "--history 1x64"), 0);
	assert_int_equal(parse(&o, "--history 0"), 0);
	assert_int_equal(o.history_packets, 0);
}

static void test_access_logs_with_a_format_each(void **state)
{
	char many[512] = "";
	struct options o;

	assert_int_equal(parse(&o, "--access-log /a --access-log=/b --log-format haproxy "
				   "--access-log /c=d --no-tls-probes"),
			 0);
	assert_int_equal(o.access_logs.n, 3);
	assert_string_equal(o.access_logs.log[0].path, "/a");
	assert_null(o.access_logs.log[0].format);
	assert_string_equal(o.access_logs.log[1].path, "/b");
	assert_string_equal(o.access_logs.log[1].format, "haproxy");
	assert_string_equal(o.access_logs.log[2].path, "/c=d");
	assert_true(o.no_tls_probes);
	assert_int_equal(parse(&o, "--log-format haproxy --access-log /a"), -EINVAL);
	assert_non_null(strstr(said, "behind the --access-log it is for"));
	assert_int_equal(parse(&o, "--access-log="), -EINVAL);
	for (size_t i = 0; i < ACCESS_LOGS_MAX; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), " --access-log=%zu", i);
	assert_int_equal(parse(&o, many), 0);
	snprintf(many + strlen(many), sizeof(many) - strlen(many), " --access-log=x");
	assert_int_equal(parse(&o, many), -EINVAL);
	assert_int_equal(parse(&o, "-r trace --access-log /a"), -EINVAL);
}

static void test_a_report_needs_a_file(void **state)
{
	struct options o;

	assert_int_equal(parse(&o, "report -r trace"), 0);
	assert_int_equal(o.command, COMMAND_REPORT);
	assert_int_equal(o.output, OUTPUT_REPORT);
	assert_null(o.report_path);
	assert_int_equal(parse(&o, "report -r trace -O out.html"), 0);
	assert_string_equal(o.report_path, "out.html");
	assert_int_equal(parse(&o, "-o ndjson --report=out"), 0);
	assert_int_equal(o.command, COMMAND_WATCH);
	assert_int_equal(parse(&o, "report"), -EINVAL);
	assert_non_null(strstr(said, "report needs -r FILE"));
	assert_int_equal(parse(&o, "report -r trace -o text"), -EINVAL);
	assert_int_equal(parse(&o, "--report="), -EINVAL);
}

static void test_secrets_and_bodies_stay_out_unless_asked_for(void **state)
{
	struct options o;

	assert_int_equal(parse(&o, ""), 0);
	assert_false(o.show_secrets || o.pcap_bodies);
	assert_int_equal(parse(&o, "--show-secrets --pcap-bodies"), 0);
	assert_true(o.show_secrets && o.pcap_bodies);
}

static void test_help_names_every_heading_and_exit_status(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	options_help(f);
	fclose(f);
	assert_non_null(strstr(text, "Usage: why502"));
	assert_non_null(strstr(text, "What to watch:"));
	assert_non_null(strstr(text, "--pcap-max-bytes=N"));
	assert_non_null(strstr(text, "(default: 502,503,504)"));
	assert_non_null(strstr(text, "  3  the kernel or host cannot"));
	assert_non_null(strstr(text, "doctor"));
	free(text);
}

static void test_seconds_are_exact(void **state)
{
	uint64_t ns = 7;

	assert_int_equal(parse_seconds("0.000000001", &ns), 0);
	assert_int_equal(ns, 1);
	assert_int_equal(parse_seconds(".5", &ns), 0);
	assert_int_equal(ns, 500000000);
	assert_int_equal(parse_seconds("18446744074", &ns), -EINVAL);
	assert_int_equal(parse_seconds("", &ns), -EINVAL);
	assert_int_equal(parse_seconds("1,5", &ns), -EINVAL);
	assert_int_equal(ns, 500000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_a_filter_is_parsed_at_once),
		cmocka_unit_test(test_gateways_of_a_capture),
		cmocka_unit_test(test_values_arrive_in_their_fields),
		cmocka_unit_test(test_status_5xx_is_all_of_them),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_screen_draws_without_a_terminal),
		cmocka_unit_test(test_refused_values_are_named),
		cmocka_unit_test(test_combinations_that_make_no_sense),
		cmocka_unit_test(test_access_logs_with_a_format_each),
		cmocka_unit_test(test_a_report_needs_a_file),
		cmocka_unit_test(test_secrets_and_bodies_stay_out_unless_asked_for),
		cmocka_unit_test(test_help_names_every_heading_and_exit_status),
		cmocka_unit_test(test_seconds_are_exact),
	};

	if (isatty(STDOUT_FILENO)) /* results stay readable; only "is it a terminal" must be no */
		return execvp("sh", (char *[]){ "sh", "-c", "\"$0\" | cat", program_invocation_name,
						NULL });
	return cmocka_run_group_tests(tests, NULL, NULL);
}
