/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of Apache's and Caddy's logs; hostile lines; which format a line is of. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log_line.h"
#include "source/logfmt.h"

/* ---- Apache ---- */

static void test_apache_combined_ends_some_time_after_its_stamp(void **s)
{
	struct w5_log l;

	assert_int_equal(
		read_line(named("apache"),
			  "203.0.113.9 - bob [22/Nov/2026:12:06:21 +0000] \"GET /x HTTP/1.1\" "
			  "502 157 \"-\" \"a \\\"b\\\" c\"",
			  &l),
		0);
	assert_int_equal(l.end_ns, mono(0));
	assert_int_equal(l.precision_us, 1000000);
	assert_int_equal(l.status, 502);
}

static void test_apache_lab_format(void **s)
{
	struct logfmt *f = compile(
		W5_LOG_APACHE, "%{sec}t.%{msec_frac}t\\t%m\\t%U\\t%>s\\t%{BALANCER_WORKER_NAME}e\\t"
			       "%L\\t%D\\t%B\\t%k\\t%P\\t%{remote}p");
	struct w5_log l;

	assert_int_equal(
		read_line(f,
			  "1795349181.041\tGET\t/a\t502\thttp://10.0.3.17:8080\t-\t300000\t0\t0"
			  "\t77\t51034",
			  &l),
		0);
	assert_int_equal(l.end_ns, mono(0.341));
	assert_int_equal(l.precision_us, 1001);
	assert_int_equal(l.duration_us, 300000);
	assert_int_equal(l.tgid, 77);
	assert_int_equal(l.ntries, 1);
	assert_int_equal(l.tries[0].port, 8080);
	assert_ip4(&l.tries[0].ip, "10.0.3.17");
}

static void test_apache_config_spelling(void **s)
{
	struct logfmt *f =
		compile(W5_LOG_APACHE, "%v %h %l %u %t \\\"%r\\\" %>s %O \\\"%{Host}i\\\"");
	struct w5_log l;

	assert_int_equal(
		read_line(f,
			  "shop 2001:db8::7 - - [22/Nov/2026:12:06:21 +0000] \"GET /x HTTP/1.1\" "
			  "503 9 \"shop.example\"",
			  &l),
		0);
	assert_int_equal(l.client.ip[15], 7);
	assert_head(&l, "GET /x HTTP/1.1\r\nHost: shop.example\r\n");
}

/* ---- Caddy ---- */

static void test_caddy(void **s)
{
	struct w5_log l;

	assert_int_equal(
		read_line(
			named("caddy"),
			"{\"level\":\"error\",\"ts\":1795349181.341402,\"logger\":\"http.log.access.log0\","
			"\"msg\":\"handled request\",\"request\":{\"remote_ip\":\"203.0.113.9\","
			"\"remote_port\":\"51034\",\"proto\":\"HTTP/2.0\",\"method\":\"GET\",\"host\":"
			"\"shop.example\",\"uri\":\"/a\\nb\",\"headers\":{\"X-Request-Id\":[\"abcdefgh\"]}},"
			"\"duration\":0.25,\"size\":0,\"status\":502}",
			&l),
		0);
	assert_int_equal(l.status, 502);
	assert_int_equal(l.duration_us, 250000);
	assert_true(l.end_ns > mono(0.341) && l.end_ns < mono(0.342));
	assert_int_equal(l.cport, 51034);
	assert_head(&l, "GET /a?b HTTP/2.0\r\nHost: shop.example\r\nX-Request-Id: abcdefgh\r\n");
	assert_int_equal(
		read_line(named("caddy"),
			  "{\"level\":\"error\",\"ts\":1.5,\"logger\":\"http.log.error\",\"msg\":"
			  "\"dial\",\"request\":{},\"status\":502}",
			  &l),
		-ENOMSG);
	assert_int_equal(read_line(named("caddy"), "{\"ts\":", &l), -EBADMSG);
	/* healthy, and twice in one line: the second one counts for nobody but a parser */
	assert_int_equal(read_line(named("caddy"),
				   "{\"logger\":\"http.log.access\",\"request\":{},\"status\":404}",
				   &l),
			 0);
	assert_int_equal(l.status, 404);
	assert_int_equal(read_line(named("caddy"),
				   "{\"logger\":\"http.log.access\",\"request\":{\"status\":200},"
				   "\"ts\":1795349181.5,\"status\":502}",
				   &l),
			 0);
	assert_int_equal(l.status, 502);
	assert_int_equal(read_line(named("caddy"), "[1]", &l), -EBADMSG);
}

/* ---- hostile ---- */

static void test_hostile_lines(void **s)
{
	static const char *const words[] = { "nginx", "apache", "haproxy", "caddy" };
	static const char *const lines[] = {
		"",
		" ",
		"\"",
		"[",
		"- - - [22/Nov/2026:12:06:21 +0000] \"GET / HTTP/1.1",
		"1.2.3.4 - - [99/Nov/2026:12:06:21 +0000] \"GET / HTTP/1.1\" 502 1",
		"1.2.3.4 - - [22/Xxx/2026:12:06:21 +0000] \"GET / HTTP/1.1\" 502 1",
		"1.2.3.4 - - [22/Nov/2026:12:06:21 +9900] \"GET / HTTP/1.1\" 502 1",
		"1.2.3.4 - - [22/Nov/1901:12:06:21 +0000] \"GET / HTTP/1.1\" 502 1",
		"1.2.3.4 - - [22/Nov/2026:12:06:21 +0000] \"GET / HTTP/1.1\" 5020 1",
		"1.2.3.4 - - [22/Nov/2026:12:06:21 +0000] \"GET / HTTP/1.1\\\" 502 1",
	};
	struct w5_log l;

	for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
		for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
			assert_int_not_equal(read_line(named(words[w]), lines[i], &l), 0);
	}
}

static void test_slow_lines_end(void **s)
{
	struct logfmt *f = compile(W5_LOG_NGINX, "$a $b $c $d $e $f $g $h $i $j $status $msec x");
	size_t n = 60000;
	char *line = malloc(n + 1);
	struct w5_log l;

	for (size_t i = 0; i < n; i++)
		line[i] = i % 2 ? ' ' : '1';
	line[n] = '\0';
	assert_int_equal(read_line(f, line, &l), -EBADMSG);
	free(line);
}

static void test_long_target_is_cut_and_no_line_is_smuggled(void **s)
{
	char line[700];
	struct w5_log l;

	snprintf(line, sizeof(line),
		 "1.2.3.4 - - [22/Nov/2026:12:06:21 +0000] \"GET /%0500d HTTP/1.1\" 502 1", 0);
	assert_int_equal(read_line(named("nginx"), line, &l), 0);
	assert_int_equal(l.head_len, W5_HEAD_REQ);
	assert_int_equal(read_line(named("nginx"),
				   "1.2.3.4 - - [22/Nov/2026:12:06:21 +0000] \"GET "
				   "/a\\x0D\\x0AHost:evil HTTP/1.1\" 502 1",
				   &l),
			 0);
	assert_head(&l, "GET /a??Host:evil HTTP/1.1\r\n");
	assert_int_equal(
		read_line(named("nginx"),
			  "1.2.3.4 - - [22/Nov/2026:12:06:21 +0000] \"\\x16\\x03\\x01\" 502 1", &l),
		0);
	assert_int_equal(l.head_len, 0);
}

/* ---- which format ---- */

static void refused(enum w5_log_kind kind, const char *text)
{
	char err[LOGFMT_ERR_MAX] = "";
	struct logfmt *f = NULL;

	assert_int_equal(logfmt_new(&f, kind, text, err), -EINVAL);
	assert_true(*err);
}

static void test_formats_without_time_or_status(void **s)
{
	char many[4000] = "";

	refused(W5_LOG_NGINX, "$status $request");
	refused(W5_LOG_NGINX, "$time_local $request");
	refused(W5_LOG_APACHE, "%h %{%Y}t %>s");
	refused(W5_LOG_APACHE, "");
	for (int i = 0; i < 100; i++)
		memcpy(many + 3 * i, "$a ", 4);
	refused(W5_LOG_NGINX, many);
	memset(many, 'x', sizeof(many) - 1);
	refused(W5_LOG_NGINX, many);
}

static void test_kind_of_a_format_string(void **s)
{
	assert_int_equal(logfmt_kind_of("$msec $status"), W5_LOG_NGINX);
	assert_int_equal(logfmt_kind_of("%h %>s %t"), W5_LOG_APACHE);
	assert_int_equal(logfmt_kind_of("%ci:%cp [%tr] %ST"), W5_LOG_HAPROXY);
	assert_int_equal(logfmt_kind_of("ngnix"), 0);
}

static void guessed(const char *line, const char *want)
{
	struct logfmt *f = logfmt_guess(line, strlen(line));

	assert_string_equal(f ? logfmt_name(f) : "none", want);
	logfmt_free(f);
}

static void test_guess(void **s)
{
	char line[512];

	snprintf(line, sizeof(line), HAP_LINE, "");
	guessed(line, "haproxy");
	guessed("1.2.3.4 - - [22/Nov/2026:12:06:21 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"x\"",
		"apache");
	guessed("shop:80 1.2.3.4 - - [22/Nov/2026:12:06:21 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" "
		"\"x\"",
		"vhost_combined");
	guessed("{\"logger\":\"http.log.access\",\"ts\":1.5,\"request\":{},\"status\":200}",
		"caddy");
	guessed("hello", "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apache_combined_ends_some_time_after_its_stamp),
		cmocka_unit_test(test_apache_lab_format),
		cmocka_unit_test(test_apache_config_spelling),
		cmocka_unit_test(test_caddy),
		cmocka_unit_test(test_hostile_lines),
		cmocka_unit_test(test_slow_lines_end),
		cmocka_unit_test(test_long_target_is_cut_and_no_line_is_smuggled),
		cmocka_unit_test(test_formats_without_time_or_status),
		cmocka_unit_test(test_kind_of_a_format_string),
		cmocka_unit_test(test_guess),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
