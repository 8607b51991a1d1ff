/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of access logs: what is read out of each format, and lines that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/logfmt.h"
#include "source/logtime.h"

#define WALL_S 1795349181ull /* 2026-11-22T12:06:21Z */
#define NS_S   1000000000ull
#define OFFSET (1000000000ull * NS_S)

/* Half a second after the line's stamp. */
static const struct log_clock clock_now = { .now_ns = WALL_S * NS_S + NS_S / 2 - OFFSET,
					    .wall_offset_ns = OFFSET };

static uint64_t mono(double after_s)
{
	return WALL_S * NS_S - OFFSET + (uint64_t)(int64_t)(after_s * 1e9);
}

static struct logfmt *compile(enum w5_log_kind kind, const char *text)
{
	char err[LOGFMT_ERR_MAX] = "";
	struct logfmt *f;

	if (logfmt_new(&f, kind, text, err))
		fail_msg("%s: %s", text, err);
	return f;
}

static struct logfmt *named(const char *word)
{
	struct logfmt *f;

	assert_int_equal(logfmt_named(&f, word), 0);
	return f;
}

/* Reads one line and lets go of the format. In memory of exactly its size, for the sanitizer. */
static int read_line(struct logfmt *f, const char *line, struct w5_log *out)
{
	size_t len = strlen(line);
	char *exact = malloc(len ? len : 1);
	int rc;

	memcpy(exact, line, len);
	rc = logfmt_read(f, exact, len, &clock_now, out);
	free(exact);
	logfmt_free(f);
	return rc;
}

static void assert_head(const struct w5_log *l, const char *want)
{
	char head[W5_HEAD_REQ + 1] = "";

	memcpy(head, l->head, l->head_len);
	assert_string_equal(head, want);
}

static void assert_ip4(const struct w5_addr *a, const char *want)
{
	char text[16];

	snprintf(text, sizeof(text), "%u.%u.%u.%u", a->ip[12], a->ip[13], a->ip[14], a->ip[15]);
	assert_string_equal(text, want);
	assert_int_equal(a->ip[10], 0xff);
}

/* ---- nginx ---- */

static void test_nginx_lab_format_with_retries(void **s)
{
	struct logfmt *f = compile(
		W5_LOG_NGINX, "'$msec\\t$request_method\\t$uri\\t$status\\t$upstream_addr\\t"
			      "$upstream_status\\t'\n\t\t'$request_time\\t$pid\\t$remote_port'");
	struct w5_log l;

	assert_int_equal(
		read_line(f,
			  "1795349181.341\tGET\t/api\t502\t10.0.3.17:8080, [2001:db8::1]:81\t"
			  "502, 504\t0.402\t2217\t51034",
			  &l),
		0);
	assert_int_equal(l.status, 502);
	assert_int_equal(l.end_ns, mono(0.341));
	assert_int_equal(l.precision_us, 1000);
	assert_int_equal(l.duration_us, 402000);
	assert_int_equal(l.tgid, 2217);
	assert_int_equal(l.cport, 51034);
	assert_int_equal(l.ntries, 2);
	assert_ip4(&l.tries[0].ip, "10.0.3.17");
	assert_int_equal(l.tries[0].port, 8080);
	assert_int_equal(l.tries[0].status, 502);
	assert_int_equal(l.tries[1].ip.ip[0], 0x20);
	assert_int_equal(l.tries[1].port, 81);
	assert_int_equal(l.tries[1].status, 504);
	assert_true(l.flags & W5_LOG_PATH);
	assert_head(&l, "GET /api HTTP/1.1\r\n");
}

static void test_nginx_lists_without_a_separator_of_their_own(void **s)
{
	struct logfmt *f = compile(
		W5_LOG_NGINX, "$time_local $upstream_addr $upstream_status "
			      "$upstream_connect_time $upstream_response_time $status $request");
	struct w5_log l;

	assert_int_equal(read_line(f,
				   "22/Nov/2026:13:06:21 +0100 10.0.3.17:80, 10.0.3.18:80 : "
				   "10.0.3.19:80 502, 502 : 504 -, - : 0.001 0.000, 0.010 : 60.000 "
				   "504 GET /a b HTTP/1.1",
				   &l),
			 0);
	assert_int_equal(l.ntries, 3);
	assert_int_equal(l.tries[2].status, 504);
	assert_int_equal(l.tries[2].connect_us, 1000);
	assert_int_equal(l.tries[2].resp_us, 60000000);
	assert_int_equal(l.tries[1].resp_us, 10000);
	assert_int_equal(l.end_ns, mono(0));
	assert_int_equal(l.precision_us, 1000000);
	assert_head(&l, "GET /a?b HTTP/1.1\r\n");
}

static void test_nginx_five_tries_keep_the_last(void **s)
{
	struct logfmt *f = compile(W5_LOG_NGINX, "$msec $status $upstream_addr");
	struct w5_log l;

	assert_int_equal(read_line(f,
				   "1795349181.341 502 1.1.1.1:1, 1.1.1.1:2, 1.1.1.1:3, 1.1.1.1:4, "
				   "1.1.1.1:5",
				   &l),
			 0);
	assert_int_equal(l.ntries, 4);
	assert_int_equal(l.tries[0].port, 2);
	assert_int_equal(l.tries[3].port, 5);
}

static void test_nginx_combined(void **s)
{
	struct w5_log l;

	assert_int_equal(
		read_line(named("combined"),
			  "203.0.113.9 - - [22/Nov/2026:12:06:21 +0000] \"POST /api/cart?x=\\x22 "
			  "HTTP/2.0\" 502 157 \"-\" \"curl/7.88 \\x22quoted\\x22\"",
			  &l),
		0);
	assert_int_equal(l.status, 502);
	assert_int_equal(l.kind, W5_LOG_NGINX);
	assert_ip4(&l.client, "203.0.113.9");
	assert_int_equal(l.end_ns, mono(0));
	assert_head(&l, "POST /api/cart?x=\" HTTP/2.0\r\n");
	assert_int_equal(l.duration_us, 0);
}

static void test_nginx_json(void **s)
{
	struct logfmt *f = compile(
		W5_LOG_NGINX,
		"{\"t\":\"$time_iso8601\",\"ua\":\"$http_user_agent\",\"r\":\"$request\","
		"\"s\":$status,\"u\":\"$upstream_addr\",\"h\":\"$host\",\"id\":\"$request_id\"}");
	struct w5_log l;

	assert_int_equal(
		read_line(
			f,
			"{\"t\":\"2026-11-22T12:06:21+00:00\",\"ua\":\"a\\\",\\\"r\\\":\\\"b\","
			"\"r\":\"GET /\\u0041 HTTP/1.1\",\"s\":503,\"u\":\"\",\"h\":\"shop.example\","
			"\"id\":\"0123456789abcdef\"}",
			&l),
		0);
	assert_int_equal(l.status, 503);
	assert_head(&l, "GET /A HTTP/1.1\r\nHost: shop.example\r\n"
			"X-Request-Id: 0123456789abcdef\r\n");
	assert_int_equal(l.ntries, 0);
}

static void test_nginx_without_an_upstream(void **s)
{
	struct w5_log l;

	assert_int_equal(read_line(compile(W5_LOG_NGINX, "$msec $status $upstream_addr"),
				   "1795349181.341 502 -", &l),
			 0);
	assert_int_equal(l.flags & W5_LOG_UNTRIED, W5_LOG_UNTRIED);
	assert_int_equal(read_line(compile(W5_LOG_NGINX, "$msec $status $upstream_addr"),
				   "1795349181.341 502 backend", &l),
			 0);
	assert_int_equal(l.flags & W5_LOG_UNTRIED, W5_LOG_UNTRIED);
	assert_string_equal(l.code, "backend");
	assert_int_equal(l.ntries, 0);
	assert_int_equal(read_line(compile(W5_LOG_NGINX, "$msec $status $upstream_addr"),
				   "1795349181.341 502 unix:/run/app.sock", &l),
			 0);
	assert_int_equal(l.flags & W5_LOG_UNTRIED, 0);
	assert_int_equal(l.ntries, 1);
	assert_int_equal(l.tries[0].port, 0);
}

/* ---- HAProxy ---- */

#define HAP_LINE                                                                                      \
	"10.0.1.2:33317 [22/Nov/2026:12:06:21.155] http-in~ static/srv1 10/0/30/69/109 502 2750 - - " \
	"SH-- 1/1/1/1/0 0/0 %s\"GET /index.html HTTP/1.1\""

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

/* ---- stamps ---- */

static void test_stamps(void **s)
{
	struct logtime t;

	assert_true(logtime_clf(&t, "22/Nov/2026:07:06:21 -0500", 26));
	assert_int_equal(t.wall_ns, WALL_S * NS_S);
	assert_true(logtime_iso(&t, "2026-11-22T12:06:21.341402Z", 27));
	assert_int_equal(t.wall_ns, WALL_S * NS_S + 341402000);
	assert_int_equal(t.precision_us, 1);
	assert_true(logtime_epoch(&t, "1795349181", 10));
	assert_int_equal(t.precision_us, 1000000);
	assert_false(logtime_epoch(&t, "1795349181.", 11));
	assert_false(logtime_epoch(&t, "99999999999999999999", 20));
	assert_false(logtime_iso(&t, "2026-13-22T12:06:21Z", 20));
	assert_false(logtime_iso(&t, "2026-11-22T12:06:21", 19));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nginx_lab_format_with_retries),
		cmocka_unit_test(test_nginx_lists_without_a_separator_of_their_own),
		cmocka_unit_test(test_nginx_five_tries_keep_the_last),
		cmocka_unit_test(test_nginx_combined),
		cmocka_unit_test(test_nginx_json),
		cmocka_unit_test(test_nginx_without_an_upstream),
		cmocka_unit_test(test_haproxy_httplog),
		cmocka_unit_test(test_haproxy_other_zone),
		cmocka_unit_test(test_haproxy_custom_format),
		cmocka_unit_test(test_haproxy_retries_at_one_server),
		cmocka_unit_test(test_haproxy_messages_are_no_lines),
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
		cmocka_unit_test(test_stamps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
