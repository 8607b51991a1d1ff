/* SPDX-License-Identifier: BSD-2-Clause */
/* wrong-peer: connects to what a name stood for once, and what only looks like it. */
#include "../lib/explain.h"
#include "../lib/rec_dns.h"
#include "base/dns.h"

/* The configured name stands for these (last bytes; 0 ends them). */
static void stands_for(struct bench *b, double t, const char *name, uint16_t port, unsigned one,
		       unsigned two, uint8_t flags)
{
	struct w5_name r = { .h = { .ts_ns = ms(t), .type = W5_REC_NAME, .size = sizeof(r) },
			     .group = REC_GW,
			     .port = port,
			     .flags = flags };

	if (one)
		r.addrs[r.naddrs++] = rec_ip(one);
	if (two)
		r.addrs[r.naddrs++] = rec_ip(two);
	snprintf(r.name, sizeof(r.name), "%s", name);
	engine_feed(b->e, &r.h);
}

/* A refused connect to 10.0.3.<last>:8080, and its exchange. */
static struct finding *refused(struct bench *b, unsigned last, double t)
{
	struct w5_leg up = rec_connect(U, t, last, 111, t + 0.2);
	struct w5_leg d = rec_down(D, t - 0.2, "GET", "/shop/1");

	rec_answer(&d, t + 0.4, 502);
	rec_tie(&up, &d);
	feed(b, &up);
	feed(b, &d);
	bench_settle(b, t + 1);
	assert_int_equal(b->n, 1);
	return b->f[0];
}

static void expect_moved(const struct finding *f, const char *why)
{
	if (f->cause != CAUSE_WRONG_PEER)
		print_message("why: %s\n", f->why);
	assert_string_equal(cause_name(f->cause), "wrong-peer");
	assert_int_equal(f->confidence, LIKELY);
	assert_int_equal(f->nattempts, 1);
	assert_int_equal(f->attempts[0].cause, CAUSE_WRONG_PEER);
	if (!strstr(f->why, why))
		fail_msg("why: %s", f->why);
}

static void expect_plain(const struct finding *f)
{
	assert_string_equal(cause_name(f->cause), "conn-refused");
}

static void test_the_only_name_has_moved(void **s)
{
	struct bench b;
	struct finding *f;

	bench_open(&b, "nginx");
	stands_for(&b, 1000, "backend.lab", 8080, 2, 0, 0);
	stands_for(&b, 1000, "other.lab", 80, 9, 0, 0);
	f = refused(&b, 7, 2000);
	expect_moved(f, "backend.lab is 10.0.3.2 now, nginx still uses 10.0.3.7 from its start");
	assert_non_null(strstr(f->why, "conn-refused"));
	assert_non_null(strstr(f->next, "reload nginx"));
	assert_true(has_evidence(f, "none of the addresses of the gateway's configuration"));
	bench_close(&b);
}

static void test_seen_to_move(void **s)
{
	struct bench b;
	struct finding *f;

	bench_open(&b, "nginx");
	stands_for(&b, 1000, "one.lab", 8080, 7, 0, W5_NAME_OTHERS);
	stands_for(&b, 1000, "two.lab", 8080, 3, 0, W5_NAME_OTHERS);
	stands_for(&b, 1900, "one.lab", 8080, 2, 0, W5_NAME_OTHERS);
	f = refused(&b, 7, 2000);
	expect_moved(f, "one.lab is 10.0.3.2 now");
	assert_true(has_evidence(f, "it stood for 10.0.3.7 before"));
	bench_close(&b);
}

static void test_the_name_has_gone(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	stands_for(&b, 1000, "backend.lab", 8080, 7, 0, 0);
	stands_for(&b, 1900, "backend.lab", 8080, 0, 0, 0);
	expect_moved(refused(&b, 7, 2000), "backend.lab has no address any more");
	bench_close(&b);
}

/* The gateway's own answers: it knows better, and still goes to the old one. */
static void test_its_own_answers_have_another(void **s)
{
	struct bench b;

	bench_open(&b, "haproxy");
	rec_ask(&b, 1000, 1, "backend.lab", DNS_TYPE_A, 0);
	rec_told(&b, 1001, 1, "backend.lab", DNS_TYPE_A, 0, 7);
	rec_ask(&b, 90000, 2, "backend.lab", DNS_TYPE_A, 0);
	rec_told(&b, 90001, 2, "backend.lab", DNS_TYPE_A, 0, 2);
	expect_moved(refused(&b, 7, 91000),
		     "backend.lab is 10.0.3.2 now, haproxy still uses 10.0.3.7");
	bench_close(&b);
}

/* ---- what only looks like it ---- */

static void test_nothing_is_known(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	expect_plain(refused(&b, 7, 2000));
	bench_close(&b);
}

static void test_the_address_is_current(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	stands_for(&b, 1000, "backend.lab", 8080, 2, 7, 0);
	expect_plain(refused(&b, 7, 2000));
	bench_close(&b);
}

static void test_an_address_in_the_configuration(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	stands_for(&b, 1000, "backend.lab", 8080, 2, 0, 0);
	stands_for(&b, 1000, "10.0.3.7", 8080, 7, 0, 0);
	expect_plain(refused(&b, 7, 2000));
	bench_close(&b);
}

static void test_which_of_two_names_is_open(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	stands_for(&b, 1000, "one.lab", 8080, 2, 0, 0);
	stands_for(&b, 1000, "two.lab", 8080, 3, 0, 0);
	expect_plain(refused(&b, 7, 2000));
	bench_close(&b);
}

static void test_of_another_port(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	stands_for(&b, 1000, "backend.lab", 80, 2, 0, 0);
	expect_plain(refused(&b, 7, 2000));
	bench_close(&b);
}

/* A variable in proxy_pass: the address may be from anywhere. */
static void test_it_may_have_other_peers(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	stands_for(&b, 1000, "backend.lab", 8080, 2, 0, W5_NAME_OTHERS);
	expect_plain(refused(&b, 7, 2000));
	bench_close(&b);
}

static void test_looked_up_long_ago(void **s)
{
	struct bench b;

	bench_open(&b, "nginx");
	stands_for(&b, 1000, "backend.lab", 8080, 2, 0, 0);
	expect_plain(refused(&b, 7, 70000));
	bench_close(&b);
}

/* A server that gives a part of its addresses at a time. */
static void test_a_rotating_answer(void **s)
{
	struct bench b;

	bench_open(&b, "haproxy");
	rec_ask(&b, 1000, 1, "backend.lab", DNS_TYPE_A, 0);
	rec_told(&b, 1001, 1, "backend.lab", DNS_TYPE_A, 0, 7);
	rec_ask(&b, 6000, 2, "backend.lab", DNS_TYPE_A, 0);
	rec_told(&b, 6001, 2, "backend.lab", DNS_TYPE_A, 0, 2);
	expect_plain(refused(&b, 7, 7000));
	bench_close(&b);
}

/* It took the request: whoever it is, the connect did not fail. */
static void test_a_connection_that_was_made(void **s)
{
	struct w5_leg up = rec_up(U, 2000, "POST", "/api/cart", 7, 1);
	struct bench b;
	struct finding *f;

	bench_open(&b, "nginx");
	stands_for(&b, 1000, "backend.lab", 8080, 2, 0, 0);
	rec_acked(&up);
	rec_end(&up, 2001, W5_END_FIN_IN);
	f = explain_one(&b, &up, 502, 2001.2);
	assert_string_equal(cause_name(f->cause), "closed-before-response");
	bench_close(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_only_name_has_moved),
		cmocka_unit_test(test_seen_to_move),
		cmocka_unit_test(test_the_name_has_gone),
		cmocka_unit_test(test_its_own_answers_have_another),
		cmocka_unit_test(test_nothing_is_known),
		cmocka_unit_test(test_the_address_is_current),
		cmocka_unit_test(test_an_address_in_the_configuration),
		cmocka_unit_test(test_which_of_two_names_is_open),
		cmocka_unit_test(test_of_another_port),
		cmocka_unit_test(test_it_may_have_other_peers),
		cmocka_unit_test(test_looked_up_long_ago),
		cmocka_unit_test(test_a_rotating_answer),
		cmocka_unit_test(test_a_connection_that_was_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
