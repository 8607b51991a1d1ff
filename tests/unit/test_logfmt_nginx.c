/* SPDX-License-Identifier: BSD-2-Clause */
/* Formats of nginx. */
#include "log_line.h"
#include "source/logfmt.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nginx_lab_format_with_retries),
		cmocka_unit_test(test_nginx_lists_without_a_separator_of_their_own),
		cmocka_unit_test(test_nginx_five_tries_keep_the_last),
		cmocka_unit_test(test_nginx_combined),
		cmocka_unit_test(test_nginx_json),
		cmocka_unit_test(test_nginx_without_an_upstream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
