/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that do not resolve: dns-failure, and what only looks like it. */
#include "../lib/explain.h"
#include "../lib/rec_dns.h"
#include "base/dns.h"

#define A    DNS_TYPE_A
#define AAAA DNS_TYPE_AAAA

/* The finding about a request at 3000 that was answered at t without any attempt. */
static struct finding *answered(struct bench *b, double t, uint16_t status)
{
	struct w5_leg d = rec_down(D, 3000, "GET", "/shop/1");

	rec_answer(&d, t, status);
	feed(b, &d);
	bench_settle(b, t);
	assert_int_equal(b->n, 1);
	return b->f[0];
}

static void expect_dns(const struct finding *f, enum confidence conf, const char *why)
{
	if (f->cause != CAUSE_DNS_FAILURE)
		print_message("why: %s\n", f->why);
	assert_string_equal(cause_name(f->cause), "dns-failure");
	assert_string_equal(confidence_name(f->confidence), confidence_name(conf));
	assert_int_equal(f->verdict, VERDICT_GATEWAY_MADE);
	if (!strstr(f->why, why))
		fail_msg("why: %s", f->why);
	assert_true(f->next[0]);
}

static void test_no_answer_until_the_gateway_gave_up(void **s)
{
	struct bench b;
	struct finding *f;

	bench_open(&b, "nginx");
	rec_ask(&b, 3000.1, 1, "backend.lab", A, D);
	rec_ask(&b, 3000.2, 2, "backend.lab", AAAA, D);
	rec_ask(&b, 4000, 1, "backend.lab", A, 0); /* by a timer */
	f = answered(&b, 5000.1, 502);
	expect_dns(f, CERTAIN, "backend.lab: 10.0.3.53 gave no answer to 3 queries in 2.00 s");
	assert_true(f->witness & WITNESS_TRAIL);
	assert_true(f->dns.unanswered);
	assert_int_equal(f->dns.asked, 3);
	assert_true(has_evidence(f, "no answer came"));
	bench_close(&b);
}

static void test_error_answers_in_words(void **s)
{
	struct bench b;
	struct finding *f;

	bench_open(&b, "nginx");
	rec_ask(&b, 3000.1, 1, "backend.lab", A, D);
	rec_ask(&b, 3000.2, 2, "backend.lab", AAAA, D);
	rec_told(&b, 3000.6, 1, "backend.lab", A, 3, 0);
	rec_told(&b, 3000.8, 2, "backend.lab", AAAA, 3, 0);
	f = answered(&b, 3001, 502);
	expect_dns(f, CERTAIN, "10.0.3.53 answered NXDOMAIN (no such name)");
	assert_false(f->dns.unanswered);
	assert_int_equal(f->dns.rcode, 3);
	bench_close(&b);
}

static void test_an_answer_without_an_address(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	rec_ask(&b, 3000.1, 1, "backend.lab", A, D);
	rec_told(&b, 3000.6, 1, "backend.lab", A, 0, 0);
	expect_dns(answered(&b, 3001, 502), CERTAIN, "NOERROR (no address)");
	bench_close(&b);
}

static void test_nobody_listens(void **s)
{
	struct w5_dns d = rec_dns(3000.3, W5_DNS_ERROR, NULL);
	struct bench b;
	struct finding *f;

	bench_open(&b, "nginx");
	rec_ask(&b, 3000.1, 1, "backend.lab", A, D);
	d.err = 111;
	engine_feed(b.e, &d.h);
	f = answered(&b, 4000, 502);
	expect_dns(f, CERTAIN, "refused its question");
	assert_true(has_evidence(f, "ECONNREFUSED in place of an answer"));
	bench_close(&b);
}

/* Another request waits for the same name: it sends no question of its own. */
static void test_a_look_up_under_way_is_joined(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	rec_ask(&b, 2800, 1, "backend.lab", A, D + 1);
	expect_dns(answered(&b, 4000, 502), LIKELY, "backend.lab");
	bench_close(&b);
}

/* Go asks in other threads than that of the request, and tries a list of suffixes. */
static void test_without_a_trail_it_is_likely(void **s)
{
	struct bench b;
	struct finding *f;

	bench_open(&b, "caddy");
	rec_ask(&b, 3000.1, 1, "backend", A, 0);
	rec_told(&b, 3000.6, 1, "backend", A, 3, 0);
	rec_ask(&b, 3000.7, 2, "backend.corp.example", A, 0);
	rec_told(&b, 3000.9, 2, "backend.corp.example", A, 3, 0);
	f = answered(&b, 3001, 502);
	expect_dns(f, LIKELY, "could not resolve backend:");
	assert_int_equal(f->dns.asked, 2);
	bench_close(&b);
}

/* Who needs a name asks when the request is there: this one was asked for on another's behalf. */
static void test_without_a_trail_and_asked_for_too_late(void **s)
{
	struct bench b;

	bench_open(&b, "caddy");
	rec_ask(&b, 3700, 1, "backend.lab", A, 0);
	assert_int_equal(answered(&b, 5000, 502)->cause, CAUSE_INSUFFICIENT_EVIDENCE);
	bench_close(&b);
}

static void test_two_names_are_ambiguous(void **s)
{
	struct bench b;
	struct finding *f;

	bench_open(&b, "caddy");
	rec_ask(&b, 3000.1, 1, "one.lab", A, 0);
	rec_ask(&b, 3000.2, 2, "two.lab", A, 0);
	f = answered(&b, 4001, 502);
	expect_dns(f, CONFIDENCE_AMBIGUOUS, "could not resolve");
	assert_true(has_evidence(f, "failed then, too"));
	bench_close(&b);
}

/* Where a request of the same route has asked itself, the name is known. */
static void test_the_route_tells_which_name(void **s)
{
	struct w5_leg d = rec_down(D + 1, 2000, "GET", "/shop/2");
	struct bench b;

	bench_open(&b, "nginx");
	rec_ask(&b, 2000.1, 1, "shop.lab", A, D + 1);
	rec_answer(&d, 3500, 502);
	rec_ask(&b, 2900, 2, "blog.lab", A, D + 2);
	feed(&b, &d);
	rec_tick(b.e, 3600);
	assert_int_equal(b.n, 1);
	d = rec_down(D, 3000, "GET", "/shop/1");
	rec_answer(&d, 4000, 502);
	feed(&b, &d);
	bench_settle(&b, 4000);
	assert_int_equal(b.n, 2);
	expect_dns(b.f[1], LIKELY, "could not resolve shop.lab");
	bench_close(&b);
}

/* A connect that comes when the name is there, 10 ms after it was asked for; its thread has read
 * another client's request at read_ms. Both are answered 502. */
static void connect_after_another(struct bench *b, double read_ms)
{
	struct w5_leg up = rec_connect(U, 3010.2, 17, 111, 3010.4);
	struct w5_leg d = rec_down(D, 3000, "GET", "/shop/1");
	struct w5_leg other = rec_down(D + 1, read_ms, "GET", "/blog/1");

	bench_open(b, "nginx");
	rec_ask(b, 3000.1, 1, "shop.lab", A, D);
	rec_told(b, 3010, 1, "shop.lab", A, 0, 17);
	rec_hint(&up, D + 1, read_ms);
	feed(b, &up);
	rec_answer(&d, 3010.5, 502);
	rec_answer(&other, 3010.6, 502);
	feed(b, &d);
	feed(b, &other);
	bench_settle(b, 3011);
	assert_int_equal(b->n, 2);
}

static void test_a_connect_goes_to_who_asked(void **s)
{
	struct bench b;

	connect_after_another(&b, 2985);
	assert_string_equal(b.f[0]->target, "/shop/1");
	assert_string_equal(cause_name(b.f[0]->cause), "conn-refused");
	assert_int_equal(b.f[0]->confidence, CERTAIN);
	assert_int_equal(b.f[1]->nattempts, 0);
	bench_close(&b);
}

/* Heard just before the answer, read perhaps just after it: the connect may be for either. */
static void test_a_connect_may_be_for_who_was_read_last(void **s)
{
	struct bench b;

	connect_after_another(&b, 3009);
	assert_true(b.f[0]->confidence > CERTAIN);
	assert_true(b.f[1]->confidence > CERTAIN);
	bench_close(&b);
}

/* ---- what only looks like it ---- */

static void expect_other(struct bench *b, double t, uint16_t status, enum cause cause)
{
	struct finding *f = answered(b, t, status);

	assert_string_equal(cause_name(f->cause), cause_name(cause));
	assert_int_equal(f->dns.asked, 0);
}

static void test_the_name_was_resolved(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	rec_ask(&b, 3000.1, 1, "backend.lab", A, D);
	rec_ask(&b, 3000.2, 2, "backend.lab", AAAA, D);
	rec_told(&b, 3000.5, 2, "backend.lab", AAAA, 0, 0);
	rec_told(&b, 3000.6, 1, "backend.lab", A, 0, 17);
	expect_other(&b, 3001, 502, CAUSE_GATEWAY_GENERATED);
	bench_close(&b);
}

/* Asked for the other family only after the first had its address: it has none, and needs none. */
static void test_the_other_family_has_no_address(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	rec_ask(&b, 3000.1, 1, "backend.lab", A, D);
	rec_told(&b, 3000.2, 1, "backend.lab", A, 0, 17);
	rec_ask(&b, 3000.3, 2, "backend.lab", AAAA, D);
	rec_told(&b, 3000.6, 2, "backend.lab", AAAA, 0, 0);
	expect_other(&b, 3001, 502, CAUSE_GATEWAY_GENERATED);
	bench_close(&b);
}

/* The answer was cut: the look-up goes on over TCP, which is not seen. */
static void test_goes_on_over_tcp(void **s)
{
	struct message m = message_answer(1, "backend.lab", A, 0);
	struct w5_dns d;
	struct bench b;

	bench_open(&b, "nginx");
	rec_ask(&b, 3000.1, 1, "backend.lab", A, D);
	m.b[2] |= 2;
	d = rec_dns(3000.5, W5_DNS_ANSWER, &m);
	engine_feed(b.e, &d.h);
	expect_other(&b, 4000, 502, CAUSE_INSUFFICIENT_EVIDENCE);
	bench_close(&b);
}

/* Answered at once while a question of another request is still open. */
static void test_nobody_waited_for_it(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	rec_ask(&b, 2999, 1, "backend.lab", A, D + 1);
	expect_other(&b, 3000.4, 502, CAUSE_GATEWAY_GENERATED);
	bench_close(&b);
}

static void test_failed_long_before(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	rec_ask(&b, 2000, 1, "backend.lab", A, D + 1);
	rec_told(&b, 2000.5, 1, "backend.lab", A, 3, 0);
	expect_other(&b, 3000.4, 502, CAUSE_GATEWAY_GENERATED);
	bench_close(&b);
}

static void test_an_attempt_wins(void **s)
{
	struct w5_leg up = rec_connect(U, 3000.1, 17, 111, 3000.5);
	struct w5_leg d = rec_down(D, 3000, "GET", "/shop/1");
	struct bench b;

	bench_open(&b, "nginx");
	rec_ask(&b, 3000.05, 1, "other.lab", A, D);
	rec_told(&b, 3000.08, 1, "other.lab", A, 3, 0);
	rec_answer(&d, 3000.6, 502);
	rec_tie(&up, &d);
	feed(&b, &up);
	feed(&b, &d);
	bench_settle(&b, 3001);
	assert_string_equal(cause_name(b.f[0]->cause), "conn-refused");
	bench_close(&b);
}

static void test_of_another_gateway(void **s)
{
	struct message m = message_ask(1, "backend.lab", A);
	struct w5_dns d = rec_dns(3000.1, W5_DNS_QUERY, &m);
	struct bench b;

	bench_open(&b, "caddy");
	rec_gateway(b.e, 99, 99, "haproxy");
	d.tgid = d.tid = 99;
	engine_feed(b.e, &d.h);
	expect_other(&b, 4000, 502, CAUSE_INSUFFICIENT_EVIDENCE);
	bench_close(&b);
}

static void test_lost_records_open_it(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	rec_ask(&b, 3000.1, 1, "backend.lab", A, D);
	rec_tick(b.e, 3000.2);
	rec_lost(b.e, 3500, W5_LOSS_RING_BULK, 1);
	expect_other(&b, 4000, 502, CAUSE_INSUFFICIENT_EVIDENCE);
	bench_close(&b);
}

/* ---- HAProxy: for its list of servers, not for a request ---- */

static void test_haproxy_has_no_server_with_an_address(void **s)
{
	struct bench b;

	bench_open(&b, "haproxy");
	rec_ask(&b, 2000, 1, "backend.lab", A, 0);
	rec_told(&b, 2000.5, 1, "backend.lab", A, 3, 0);
	expect_dns(answered(&b, 3000.2, 503), LIKELY,
		   "had no server to try: backend.lab does not resolve");
	bench_close(&b);
}

static void test_haproxy_s_name_resolves_again(void **s)
{
	struct bench b;

	bench_open(&b, "haproxy");
	rec_ask(&b, 2000, 1, "backend.lab", A, 0);
	rec_told(&b, 2000.5, 1, "backend.lab", A, 3, 0);
	rec_ask(&b, 2500, 2, "backend.lab", A, 0);
	rec_told(&b, 2500.5, 2, "backend.lab", A, 0, 17);
	expect_other(&b, 3000.2, 503, CAUSE_GATEWAY_GENERATED);
	bench_close(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_answer_until_the_gateway_gave_up),
		cmocka_unit_test(test_error_answers_in_words),
		cmocka_unit_test(test_an_answer_without_an_address),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_a_look_up_under_way_is_joined),
		cmocka_unit_test(test_without_a_trail_it_is_likely),
		cmocka_unit_test(test_without_a_trail_and_asked_for_too_late),
		cmocka_unit_test(test_two_names_are_ambiguous),
		cmocka_unit_test(test_the_route_tells_which_name),
		cmocka_unit_test(test_a_connect_goes_to_who_asked),
		cmocka_unit_test(test_a_connect_may_be_for_who_was_read_last),
		cmocka_unit_test(test_the_name_was_resolved),
		cmocka_unit_test(test_the_other_family_has_no_address),
		cmocka_unit_test(test_goes_on_over_tcp),
		cmocka_unit_test(test_nobody_waited_for_it),
		cmocka_unit_test(test_failed_long_before),
		cmocka_unit_test(test_an_attempt_wins),
		cmocka_unit_test(test_of_another_gateway),
		cmocka_unit_test(test_lost_records_open_it),
		cmocka_unit_test(test_haproxy_has_no_server_with_an_address),
		cmocka_unit_test(test_haproxy_s_name_resolves_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
