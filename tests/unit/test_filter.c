/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "sink/filter.h"
#include "tui_make.h"

static struct finding *sample(void)
{
	struct finding *f = make_finding(41, 5000000000ull, 502, CAUSE_KEEPALIVE_RACE);

	make_attempt(f, "10.0.3.17", 8080, CAUSE_CONN_REFUSED);
	make_attempt(f, "2001:db8::18", 8081, CAUSE_KEEPALIVE_RACE);
	f->duration_ns = 60400000;
	snprintf(f->request_id, sizeof(f->request_id), "req-9");
	f->down.head_len = (uint16_t)snprintf((char *)f->down.head, sizeof(f->down.head),
					      "GET : HTTP/1.1\r\nHost: shop.example\r\n"
					      "user-agent: curl/8.5\r\nAccept: a\r\nAccept: b");
	f->attempts[0].leg.end = W5_END_CONNECT;
	f->attempts[0].leg.err = ECONNREFUSED;
	f->attempts[1].leg.nr = 42;
	f->attempts[1].leg.idle_ns = 60000000000ull;
	f->attempts[1].leg.retrans = 3;
	f->attempts[1].leg.alert_in = W5_ALERT | 40;
	f->attempts[1].leg.grpc_status = 1 + 14;
	return f;
}

static const struct {
	const char *expr;
	bool want;
} matches[] = {
	{ "", true },
	{ "   ", true },
	{ "status==502", true },
	{ "status == 502", true },
	{ "status!=502", false },
	{ "status>=500 && status<600", true },
	{ "status~^50[24]$", true },
	{ "cause==keepalive-race", true },
	{ "cause==conn-refused", false },
	{ "cause!=conn-refused", true },
	{ "cause~^keep", true },
	{ "cause!~^keep", false },
	{ "upstream~10.0.3.", true },
	{ "upstream==10.0.3.17", true },
	{ "upstream==10.0.3.17:8080", true },
	{ "upstream==10.0.3.17:8081", false },
	{ "upstream==10.0.3.1", false },
	{ "upstream==2001:db8::18", true },
	{ "upstream==[2001:db8::18]", true },
	{ "upstream==[2001:db8::18]:8081", true },
	{ "upstream!=10.0.3.17", false },
	{ "client==198.51.100.4", true },
	{ "path~^/api", true },
	{ "path==/api/items?id=41", true },
	{ "path~\"items.*id=4(1|2)\"", true },
	{ "ms>60 && ms<60.5", true },
	{ "ms>500", false },
	{ "tries==2", true },
	{ "host==shop.example", true },
	{ "method==GET", true },
	{ "verdict==gateway-made", true },
	{ "confidence==certain", true },
	{ "gateway==nginx", true },
	{ "pid==2217 id==41", true },
	{ "request_id==req-9", true },
	{ "items", true },
	{ "ITEMS", true },
	{ "nothing-like-it", false },
	{ "/api shop", true },
	{ "!status==502", false },
	{ "!(status==502 && ms>500)", true },
	{ "status==504 || status==502 && path~api", true },
	{ "(status==504 || status==502) && path~nope", false },
	{ "status==504||path~api", true },
	{ "status==502&&path~api", true },
	{ "path~(api|x)", true },
	{ "((path~(api|x)))", true },
	/* ~ is text until it looks like an expression */
	{ "upstream~10.0.3.", true },
	{ "upstream~0.0.3.", false }, /* in the middle of a number */
	{ "upstream~10x0", false },
	{ "upstream~:8080", true },
	{ "upstream~8080", true },
	{ "upstream~080", false },
	{ "path~/api/items?id", true }, /* ? and . and + are what they are */
	{ "path~/apx?i", false },
	{ "path~API", false },
	{ "path~\\?id=", true },
	{ "host~shop.example", true },
	{ "host~shop+example", false },
	{ "host!~shop", false },
	/* lists, spans, prefixes */
	{ "status in (502, 504)", true },
	{ "status in (503 504)", false },
	{ "status in (500-504)", true },
	{ "status==503-599", false },
	{ "!status in (502)", false },
	{ "cause in (conn-refused,keepalive-race)", true },
	{ "method in (POST, \"GET\") && ms>1", true },
	{ "upstream==10.0.3.0/24", true },
	{ "upstream==10.0.0.0/8", true },
	{ "upstream==10.0.3.16/29", true },
	{ "upstream==10.0.3.24/29", false },
	{ "upstream==0.0.0.0/0", true },
	{ "upstream==::/0", true },
	{ "upstream==2001:db8::/32", true },
	{ "upstream==2001:db9::/32", false },
	{ "upstream in (10.9.0.0/16, [2001:db8::18]:8081)", true },
	{ "upstream!=10.9.0.0/16", true },
	{ "client==198.51.100.0/24", true },
	{ "client in (192.0.2.0/24)", false },
	{ "in nginx", true },
	{ "in oranges", false }, /* words */
	/* units */
	{ "ms>0.06s", true },
	{ "ms>1s", false },
	{ "ms<1min", true },
	{ "idle>=60s", true },
	{ "idle>60001", false },
	/* of any attempt */
	{ "reused==41", true },
	{ "reused>41", false },
	{ "retransmits>2", true },
	{ "try_cause==conn-refused", true },
	{ "end==connect", true },
	{ "end==fin-sent", false },
	{ "errno==ECONNREFUSED", true },
	{ "errno~REFUSED", true },
	{ "answer==0", true },
	{ "tls_alert==handshake_failure", true },
	{ "tls_alert~handshake", true },
	{ "grpc==UNAVAILABLE", true },
	{ "grpc!=UNAVAILABLE", false },
	/* what was kept of the head */
	{ "header.user-agent~curl", true },
	{ "header.User-Agent==curl/8.5", true },
	{ "header.x-none==a", false },
	{ "header.x-none!=a", true },
	{ "header.accept in (a, b)", true },
	{ "header.get~x", false }, /* the request line is none */
};

static void test_expressions_match_as_written(void **state)
{
	struct finding *f = sample();

	for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
		struct filter_error err = { 0 };
		struct filter *flt = NULL;

		if (filter_parse(&flt, matches[i].expr, &err))
			fail_msg("%s: %s at %zu", matches[i].expr, err.text, err.at);
		if (filter_match(flt, f) != matches[i].want)
			fail_msg("%s: not %d", matches[i].expr, matches[i].want);
		filter_free(flt);
	}
	assert_true(filter_match(NULL, f));
	finding_unref(f);
}

static const struct {
	const char *expr;
	size_t at;
	const char *text;
} errors[] = {
	{ "caus==x", 0, "no such field: caus" },
	{ "status==502 && foo~x", 15, "no such field: foo" },
	{ "status=502", 6, "use == for equal" },
	{ "status==", 8, "a value is missing here" },
	{ "status==5o2", 8, "status is a number" },
	{ "cause==keepalive", 7, "no such cause: keepalive" },
	{ "verdict==bad", 9, "no such verdict: bad" },
	{ "cause>x", 6, "cause is text: use ==, !=, ~ or !~" },
	{ "path~[", 5, NULL },
	{ "path~(a)\\1", 5, "back-references are not allowed" },
	{ "path~((((((((((((((((a))))))))))))))))", 5, NULL },
	{ "path~(((((((((((a+)+)+)+)+)+)+)+)+)+)+)+", 5, "this expression repeats too much" },
	{ "path~((a{1,255}){1,255}){1,255}", 5, "this expression repeats too much" },
	{ "path~[[:alpha:]]{9}{9}{9}{9}", 5, "this expression repeats too much" },
	{ "upstream==10.0.3.", 10, NULL },
	{ "upstream==10.0.3.1/33", 10, NULL },
	{ "upstream==10.0.3.1:0", 10, NULL },
	{ "upstream==nginx", 10, NULL },
	{ "client in (10.0.0.1, x)", 21, NULL },
	{ "status in ()", 11, "a value is missing here" },
	{ "status in (502", 10, "this parenthesis is not closed" },
	{ "status in (502,,503)", 15, "a value is missing here" },
	{ "status==504-502", 8, "status is a number" },
	{ "status>502-504", 7, "status is a number" },
	{ "status==nan", 8, "status is a number" },
	{ "ms>5x", 3, "ms is a time: 500, 500ms, 1.5s" },
	{ "header==x", 6, "say which one: header.user-agent" },
	{ "header.==x", 6, "say which one: header.user-agent" },
	{ "path.x==y", 0, "no such field: path.x" },
	{ "verdict in (gateway-made, bad)", 26, "no such verdict: bad" },
	{ "(status==502", 0, "this parenthesis is not closed" },
	{ "status==502)", 11, "nothing opened this parenthesis" },
	{ "status==502 &&", 14, "a value is missing here" },
	{ "|| a", 0, "a value is missing here" },
	{ "path==\"x", 6, "this quote is not closed" },
	{ "!", 1, "a value is missing here" },
};

static void test_errors_name_the_character(void **state)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct filter_error err = { 0 };
		struct filter *flt = NULL;

		assert_int_equal(filter_parse(&flt, errors[i].expr, &err), -EINVAL);
		assert_null(flt);
		if (err.at != errors[i].at)
			fail_msg("%s: at %zu (%s)", errors[i].expr, err.at, err.text);
		if (errors[i].text)
			assert_string_equal(err.text, errors[i].text);
	}
}

/* A pattern the library can take, however it is built. */
static void test_patterns_are_taken_or_refused_at_once(void **state)
{
	static const char *const good[] = {
		"^/api/v[0-9]+/(cart|order)s?$",
		"^(/[a-z]{1,40}){2,4}$",
		"[]a]x*",
		"[^]]b*",
		"\\.php$",
		"[[:alpha:]]+\\(1\\)",
	};
	char expr[300];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct filter_error err = { 0 };
		struct filter *flt = NULL;

		snprintf(expr, sizeof(expr), "path~\"%s\"", good[i]);
		if (filter_parse(&flt, expr, &err))
			fail_msg("%s: %s", expr, err.text);
		filter_free(flt);
	}
	memset(expr, 'a', sizeof(expr) - 1);
	memcpy(expr, "path~^", 6);
	expr[sizeof(expr) - 1] = '\0';
	assert_int_equal(filter_parse(&(struct filter *){ NULL }, expr, NULL), -EINVAL);
}

static const struct {
	const char *expr;
	bool upstream, client; /* 10.0.3.17:8080; 198.51.100.4:51034 */
} rows[] = {
	{ "", true, true },
	{ "upstream==10.0.3.17", true, true },
	{ "upstream==10.0.3.18", false, true },
	{ "!upstream==10.0.3.17", false, true },
	{ "status==502", true, true },
	{ "!status==502", true, true },
	{ "status==502 && upstream~10.0.4.", false, true },
	{ "status==502 || upstream~10.0.4.", true, true },
	{ "client==192.0.2.0/24 && upstream~10.", true, false },
	{ "10.0.3", true, false },
	{ "cart", true, true },
};

static void test_rows_that_cannot_answer_stay(void **state)
{
	const struct finding *f = sample();
	const struct w5_addr *up = &f->attempts[0].leg.remote, *down = &f->down.remote;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct filter *flt = NULL;

		assert_int_equal(filter_parse(&flt, rows[i].expr, NULL), 0);
		if (filter_match_upstream(flt, up, 8080) != rows[i].upstream ||
		    filter_match_client(flt, down, 51034) != rows[i].client)
			fail_msg("%s: wrong", rows[i].expr);
		filter_free(flt);
	}
	finding_unref((struct finding *)f);
}

static void test_size_and_depth_are_bounded(void **state)
{
	char deep[256], wide[4096] = "";
	struct filter_error err;
	struct filter *flt = NULL;

	memset(deep, '(', 200);
	deep[200] = '\0';
	assert_int_equal(filter_parse(&flt, deep, &err), -EINVAL);
	memset(deep, '!', 200);
	assert_int_equal(filter_parse(&flt, deep, &err), -EINVAL);
	for (int i = 0; i < 100; i++)
		memcpy(wide + i * 2, "a ", 3);
	assert_int_equal(filter_parse(&flt, wide, &err), -EINVAL);
	assert_null(flt);
}

static void test_every_field_is_described(void **state)
{
	const char *name, *what;
	size_t n = 0;

	while (filter_field(n, &name, &what)) {
		assert_true(*name && *what);
		n++;
	}
	assert_true(n >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expressions_match_as_written),
		cmocka_unit_test(test_errors_name_the_character),
		cmocka_unit_test(test_patterns_are_taken_or_refused_at_once),
		cmocka_unit_test(test_rows_that_cannot_answer_stay),
		cmocka_unit_test(test_size_and_depth_are_bounded),
		cmocka_unit_test(test_every_field_is_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
