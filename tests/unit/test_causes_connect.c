/* SPDX-License-Identifier: BSD-2-Clause */
/* Causes of attempts that did not get a conn. */
#include "../lib/explain.h"

static void test_conn_refused(void **s)
{
	expect(rec_connect(U, 1000.1, 17, 111, 1000.3), 502, 1000.4, CAUSE_CONN_REFUSED, CERTAIN,
	       "10.0.3.17:8080 refused the connection 0.200 ms after the SYN");
}

static void test_refused_without_rst_is_a_firewall(void **s)
{
	struct w5_leg l = rec_connect(U, 1000.1, 17, 111, 1000.3);

	l.rst_in_ns = 0;
	l.rst_flags = l.rst_ttl = 0;
	expect(l, 502, 1000.4, CAUSE_CONN_REFUSED_FIREWALL, LIKELY, "ICMP");
}

static void test_refused_with_another_ttl_is_a_firewall(void **s)
{
	struct w5_leg ok = rec_up(U + 1, 950, "GET", "/x", 17, 1);
	struct w5_leg l = rec_connect(U, 1000.1, 17, 111, 1000.3);
	struct bench b;

	bench_open(&b, "nginx");
	rec_answer(&ok, 951, 200);
	feed(&b, &ok);
	l.rst_ttl = 64;
	assert_int_equal(explain_one(&b, &l, 502, 1000.4)->cause, CAUSE_CONN_REFUSED_FIREWALL);
	assert_non_null(strstr(b.f[0]->why, "TTL 64, but 63"));
	bench_close(&b);
}

static void test_conn_timeout_when_the_gateway_gives_up(void **s)
{
	struct w5_leg l = rec_connect(U, 1000.1, 17, 0, 5000.1);

	l.syn_sent = 4;
	expect(l, 504, 5000.2, CAUSE_CONN_TIMEOUT_SYN, CERTAIN,
	       "did not answer 4 connection attempts (SYN) in 4.0");
}

static void test_conn_timeout_by_the_kernel(void **s)
{
	struct w5_leg l = rec_connect(U, 1000.1, 17, 110, 131000);

	l.syn_sent = 7;
	expect(l, 504, 131000.1, CAUSE_CONN_TIMEOUT_SYN, CERTAIN, NULL);
}

static void test_host_unreachable_local(void **s)
{
	struct w5_leg l = rec_connect(U, 1000.1, 99, 113, 4070);

	l.busy = 2;
	l.syn_sent = 3;
	l.flags = W5_F_LOCAL_UNREACH;
	expect(l, 502, 4070.1, CAUSE_HOST_UNREACHABLE_LOCAL, CERTAIN, "ARP");
}

static void test_syn_still_queued_is_local_even_if_the_gateway_gives_up(void **s)
{
	struct w5_leg l = rec_connect(U, 1000.1, 99, 0, 2500);

	l.busy = 1;
	l.syn_sent = 2;
	expect(l, 504, 2500.1, CAUSE_HOST_UNREACHABLE_LOCAL, CERTAIN, NULL);
}

static void test_host_unreachable_icmp(void **s)
{
	expect(rec_connect(U, 1000.1, 99, 113, 1001), 502, 1001.1, CAUSE_HOST_UNREACHABLE_ICMP,
	       CERTAIN, "EHOSTUNREACH");
}

static void test_the_router_that_reported_it_is_named(void **s)
{
	struct w5_leg l = rec_connect(U, 1000.1, 99, 113, 1001);

	l.icmp_from = rec_ip(1);
	l.icmp_type = 3;
	l.icmp_code = 13;
	expect(l, 502, 1001.1, CAUSE_HOST_UNREACHABLE_ICMP, CERTAIN,
	       "10.0.3.1 reported 10.0.3.99:8080 unreachable (ICMP type 3 code 13)");
}

/* What to do depends on whether it could not, or was told not to. */
static void next_of_icmp(uint8_t type, uint8_t code, const char *want)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"), l = rec_connect(U, 1000.1, 99, 113, 1001);
	struct bench b;
	bool has_name = false;

	bench_open(&b, "nginx");
	l.icmp_from = rec_ip(1);
	l.icmp_type = type;
	l.icmp_code = code;
	rec_tie(&l, &d);
	feed(&b, &l);
	rec_answer(&d, 1001.1, 502);
	feed(&b, &d);
	bench_settle(&b, 1002);
	assert_int_equal(b.n, 1);
	assert_string_equal(b.f[0]->next, want);
	for (size_t i = 0; i < b.f[0]->nevidence; i++) {
		assert_null(strstr(b.f[0]->evidence[i], "errno"));
		has_name |= !!strstr(b.f[0]->evidence[i], "the kernel reported EHOSTUNREACH");
	}
	assert_true(has_name);
	bench_close(&b);
}

static void test_a_router_that_forbids_is_no_broken_route(void **s)
{
	next_of_icmp(3, 1, "fix the route or host behind 10.0.3.1");
	next_of_icmp(3, 9, "10.0.3.1 forbids this: check its firewall");
	next_of_icmp(3, 10, "10.0.3.1 forbids this: check its firewall");
	next_of_icmp(3, 13, "10.0.3.1 forbids this: check its firewall");
	next_of_icmp(1, 1, "10.0.3.1 forbids this: check its firewall");
	next_of_icmp(1, 3, "fix the route or host behind 10.0.3.1");
	next_of_icmp(0, 0, "fix the route or host behind the router that reported it");
}

/* The code is in sk_err_soft if the message came while connect() held the socket. */
static void test_host_unreachable_icmp_soft(void **s)
{
	struct w5_leg l = rec_connect(U, 1000.1, 99, 0, 1001);

	l.err_soft = 113;
	expect(l, 502, 1001.1, CAUSE_HOST_UNREACHABLE_ICMP, CERTAIN, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conn_refused),
		cmocka_unit_test(test_refused_without_rst_is_a_firewall),
		cmocka_unit_test(test_refused_with_another_ttl_is_a_firewall),
		cmocka_unit_test(test_conn_timeout_when_the_gateway_gives_up),
		cmocka_unit_test(test_conn_timeout_by_the_kernel),
		cmocka_unit_test(test_host_unreachable_local),
		cmocka_unit_test(test_syn_still_queued_is_local_even_if_the_gateway_gives_up),
		cmocka_unit_test(test_host_unreachable_icmp),
		cmocka_unit_test(test_the_router_that_reported_it_is_named),
		cmocka_unit_test(test_a_router_that_forbids_is_no_broken_route),
		cmocka_unit_test(test_host_unreachable_icmp_soft),
	};

	return cmocka_run_group_tests_name("causes_connect", tests, NULL, NULL);
}
