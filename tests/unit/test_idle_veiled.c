/* SPDX-License-Identifier: BSD-2-Clause */
/* Who closes idle conns, and after how long, where they speak TLS or HTTP/2. */
#include "idle_upstream.h"

/* ---- TLS ---- */

/* As kernel side and library tell of one: the goodbye is no byte of the conn. */
static void tls_closed(struct bench *b, uint64_t cookie, double t, double age_ms, uint8_t end,
		       bool by_backend)
{
	struct wire u = wire_open(b, cookie, W5_ROLE_UPSTREAM, t - 5);
	struct w5_leg l = rec_conn(cookie, W5_ROLE_UPSTREAM, t - 5);

	wire_get(&u, t, OUT, "/a");
	wire_status(&u, t + 1, IN, 200);
	wire_get(&u, t + 10, OUT, "/a");
	wire_status(&u, t + 11, IN, 200);
	l.h.type = W5_REC_END;
	l.phase = W5_PHASE_RESPONSE;
	l.nr = 2;
	l.req_ns = l.req_last_ns = ms(t + 10);
	l.resp_ns = l.last_ns = ms(t + 11);
	l.req_bytes = 100;
	l.resp_bytes = 300;
	l.alert_in = by_backend ? W5_ALERT : 0;
	l.alert_out = by_backend ? 0 : W5_ALERT;
	rec_end(&l, t + 11 + age_ms, end);
	feed(b, &l);
	bench_settle(b, t + 11 + age_ms + 100);
}

static void test_tls_conns(void **s)
{
	struct bench b;

	(void)s;
	bench_open(&b, "haproxy");
	for (unsigned i = 0; i < 3; i++)
		tls_closed(&b, U + i, 1000 + 9000 * i, 5000, W5_END_FIN_IN, true);
	assert_true(only_upstream(&b)->race_ahead);
	assert_int_equal(only_upstream(&b)->idle_backend_ms, 5000);
	bench_close(&b);
}

/* The thread answers a close_notify before the FIN is there. */
static void test_tls_the_first_goodbye_tells(void **s)
{
	struct bench b;

	(void)s;
	bench_open(&b, "haproxy");
	for (unsigned i = 0; i < 3; i++)
		tls_closed(&b, U + i, 1000 + 9000 * i, 5000, W5_END_FIN_OUT, true);
	assert_int_equal(only_upstream(&b)->idle_backend_ms, 5000);
	assert_int_equal(only_upstream(&b)->idle_gateway_ms, 0);
	bench_close(&b);
	bench_open(&b, "haproxy");
	for (unsigned i = 0; i < 3; i++)
		tls_closed(&b, U + i, 1000 + 9000 * i, 5000, W5_END_FIN_IN, false);
	assert_int_equal(only_upstream(&b)->idle_gateway_ms, 5000);
	assert_false(only_upstream(&b)->race_ahead);
	bench_close(&b);
}

/* Nobody reads its texts: a used conn's bytes and its goodbye are enough. */
static void test_tls_that_is_not_read(void **s)
{
	struct bench b;

	(void)s;
	bench_open(&b, "envoy");
	for (unsigned i = 0; i < 3; i++) {
		double t = 1000 + 9000 * i;

		for (uint32_t nr = 1; nr <= 2; nr++) {
			struct w5_leg u = rec_up(U + i, t + nr, "GET", "/a", 17, nr);

			u.proto = W5_PROTO_TLS;
			u.head_len = 0;
			u.phase = W5_PHASE_RESPONSE;
			u.resp_ns = u.last_ns = ms(t + nr + 0.5);
			u.resp_bytes = 300;
			feed(&b, &u);
			if (nr == 1)
				continue;
			u.h.type = W5_REC_END;
			u.alert_in = W5_ALERT;
			rec_end(&u, t + nr + 5000.5, W5_END_FIN_IN);
			feed(&b, &u);
		}
	}
	assert_true(only_upstream(&b)->race_ahead);
	assert_int_equal(only_upstream(&b)->idle_backend_ms, 5000);
	bench_close(&b);
}

/* ---- HTTP/2 ---- */

enum goodbye { NO_GOODBYE, GOODBYE, GOODBYE_UNREAD, GOODBYE_OURS, PINGS };

static void h2_closed(struct bench *b, uint64_t cookie, double t, double age_ms, enum goodbye how)
{
	struct w5_leg l = rec_conn(cookie, W5_ROLE_UPSTREAM, t - 5);
	double said = how == PINGS ? t + 3000 : t + 11 + age_ms - 1;
	struct wire u;

	if (how == PINGS)
		l.proto = W5_PROTO_H2; /* in the clear: nothing of it is missed */
	feed(b, &l);
	u = wire_of(b, cookie);
	for (uint32_t i = 0; i < 2; i++) {
		wire_request(&u, t + 10 * i, OUT, 1 + 2 * i, "GET", "/a");
		wire_response(&u, t + 10 * i + 1, IN, 1 + 2 * i, "200", H2_LAST);
	}
	if (how == GOODBYE || how == GOODBYE_OURS)
		wire_goaway(&u, said, how == GOODBYE ? IN : OUT, 3, 0);
	l.h.type = W5_REC_END;
	l.phase = W5_PHASE_RESPONSE;
	l.nr = 2;
	l.req_ns = l.req_last_ns = ms(t + 10);
	l.resp_ns = ms(t + 11);
	l.last_ns = ms(how == NO_GOODBYE ? t + 11.5 : said);
	l.req_bytes = 100;
	l.resp_bytes = 300;
	/* who is told of a goodbye may close first */
	rec_end(&l, t + 11 + age_ms, how == GOODBYE_UNREAD ? W5_END_FIN_OUT : W5_END_FIN_IN);
	feed(b, &l);
	bench_settle(b, t + 11 + age_ms + 100);
}

static void test_h2_conns(void **s)
{
	static const struct {
		uint32_t backend_ms, gateway_ms;
	} want[] = {
		[NO_GOODBYE] = { 300, 0 },   [GOODBYE] = { 0, 0 },  [GOODBYE_UNREAD] = { 0, 0 },
		[GOODBYE_OURS] = { 0, 299 }, [PINGS] = { 5000, 0 },
	};
	struct bench b;

	(void)s;
	for (unsigned how = NO_GOODBYE; how <= PINGS; how++) {
		bench_open(&b, "nginx");
		for (unsigned i = 0; i < 3; i++)
			h2_closed(&b, U + i, 1000 + 9000 * i, how == PINGS ? 5000 : 300,
				  (enum goodbye)how);
		assert_int_equal(only_upstream(&b)->idle_backend_ms, want[how].backend_ms);
		assert_int_equal(only_upstream(&b)->idle_gateway_ms, want[how].gateway_ms);
		assert_int_equal(only_upstream(&b)->race_ahead, !!want[how].backend_ms);
		bench_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls_conns),
		cmocka_unit_test(test_tls_the_first_goodbye_tells),
		cmocka_unit_test(test_tls_that_is_not_read),
		cmocka_unit_test(test_h2_conns),
	};

	return cmocka_run_group_tests_name("idle conns that speak TLS or HTTP/2", tests, NULL,
					   NULL);
}
