/* SPDX-License-Identifier: BSD-2-Clause */
/* Formats of HAProxy. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "log_line.h"
#include "source/logfmt.h"

static void hap(const char *prefix, const char *captures)
{
	char line[512], rest[400];
	struct w5_log l;

	snprintf(rest, sizeof(rest), HAP_LINE, captures);
	snprintf(line, sizeof(line), "%s%s", prefix, rest);
	assert_int_equal(read_line(named("haproxy"), line, &l), 0);
	assert_int_equal(l.status, 502);
	assert_int_equal(l.kind, W5_LOG_HAPROXY);
	assert_ip4(&l.client, "10.0.1.2");
	assert_int_equal(l.cport, 33317);
	assert_int_equal(l.duration_us, 109000);
	assert_string_equal(l.code, "SH--");
	assert_int_equal(l.end_ns, mono(0.155 + 0.109));
	assert_int_equal(l.precision_us, 2000);
	assert_head(&l, "GET /index.html HTTP/1.1\r\n");
	assert_int_equal(l.tgid, strstr(prefix, "[14389]") ? 14389 : 0);
}

static void test_haproxy_httplog(void **s)
{
	hap("", "");
	hap("", "{1wt.eu} {} ");
	hap("", "{a|b \" c} ");
	hap("Nov 22 12:06:21 gw-03 haproxy[14389]: ", "");
	hap("<134>Nov 22 12:06:21 haproxy[14389]: ", "{x} ");
}

static void test_haproxy_other_zone(void **s)
{
	struct w5_log l;

	/* Written by a container two hours ahead. */
	assert_int_equal(
		read_line(named("haproxy"),
			  "10.0.1.2:33317 [22/Nov/2026:14:06:21.155] f b/s 0/0/-1/-1/109 503 "
			  "0 - - SC-- 1/1/1/1/3 0/0 \"GET / HTTP/1.1\"",
			  &l),
		0);
	assert_int_equal(l.end_ns, mono(0.264));
}

static void test_haproxy_custom_format(void **s)
{
	struct logfmt *f = compile(W5_LOG_HAPROXY,
				   "%ci:%cp\\ [%t]\\ %si:%sp\\ %Tt/%Tc/%Tr\\ %ST\\ %tsc\\ %{+Q}r\\ "
				   "%[capture.req.hdr(0)]");
	struct w5_log l;

	assert_int_equal(
		read_line(f,
			  "10.0.1.2:33317 [22/Nov/2026:12:06:21.155] 10.0.3.17:8080 109/30/-1 "
			  "502 SH-- \"GET /a#20b HTTP/1.1\" shop.example",
			  &l),
		0);
	assert_int_equal(l.ntries, 1);
	assert_ip4(&l.tries[0].ip, "10.0.3.17");
	assert_int_equal(l.tries[0].port, 8080);
	assert_int_equal(l.tries[0].connect_us, 30000);
	assert_int_equal(l.tries[0].resp_us, 0);
	assert_int_equal(l.end_ns, mono(0.264));
	assert_head(&l, "GET /a?b HTTP/1.1\r\n");
}

static void test_haproxy_retries_at_one_server(void **s)
{
	struct w5_log l;

	assert_int_equal(
		read_line(compile(W5_LOG_HAPROXY, "%Ts.%ms\\t%HPO\\t%HM\\t%ST\\t%si\\t%sp\\t%rc"),
			  "1795349181.341\t/a\tGET\t503\t10.0.3.17\t8080\t2", &l),
		0);
	assert_int_equal(l.ntries, 3);
	assert_int_equal(l.tries[2].port, 8080);
	assert_true(l.flags & W5_LOG_PATH);
	assert_int_equal(read_line(compile(W5_LOG_HAPROXY, "%Ts.%ms\\t%ST\\t%si\\t%sp\\t%rc"),
				   "1795349181.341\t503\t10.0.3.17\t8080\t+2", &l),
			 0);
	assert_int_equal(l.ntries, 1);
}

static void test_haproxy_messages_are_no_lines(void **s)
{
	struct w5_log l;

	assert_int_equal(read_line(named("haproxy"),
				   "Server app/web1 is DOWN, reason: Layer4 connection problem",
				   &l),
			 -ENOMSG);
	assert_int_equal(read_line(named("haproxy"), "garbage with a \" in it", &l), -EBADMSG);
	/* A client that sent nothing useful: counted by its status alone. */
	assert_int_equal(read_line(named("haproxy"),
				   "10.0.1.2:33317 [22/Nov/2026:12:06:21.155] f f/<NOSRV> "
				   "-1/-1/-1/-1/0 400 0 - - PR-- 1/1/0/0/0 0/0 \"<BADREQ>\"",
				   &l),
			 0);
	assert_int_equal(l.status, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_haproxy_httplog),
		cmocka_unit_test(test_haproxy_other_zone),
		cmocka_unit_test(test_haproxy_custom_format),
		cmocka_unit_test(test_haproxy_retries_at_one_server),
		cmocka_unit_test(test_haproxy_messages_are_no_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
