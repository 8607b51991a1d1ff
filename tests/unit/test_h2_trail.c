/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP/2: from the conn that the thread's trail names to the stream. */
#include "../lib/rec_text.h"
#include "h2_conns.h"

#define CANCEL 8 /* RFC 9113 7 */

static struct w5_leg refused(uint64_t cookie, double hint, double open, double end)
{
	struct w5_leg l = rec_connect(cookie, open, 17, 111, end);

	rec_hint(&l, D, hint);
	return l;
}

/* One request read, one connect: they belong together, whatever else is open on the conn. */
static void test_connect_of_the_request_just_read(void **s)
{
	struct w5_leg up;
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	wire_request(&d, 1000, IN, 1, "GET", "/slow");
	wire_request(&d, 1010, IN, 3, "GET", "/dead");
	up = refused(U, 1009.9, 1010.1, 1010.3);
	feed(&b, &up);
	wire_hint(&d, U, 1010.3);
	wire_response(&d, 1010.4, OUT, 3, "502", H2_LAST);
	wire_response(&d, 1020, OUT, 1, "200", H2_LAST);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(b.f[0]->target, "/dead");
	assert_int_equal(b.f[0]->nattempts, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "conn-refused");
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_CERTAIN);
	bench_close(&b);
}

/* The retry goes where the failed connect went: two tries, one exchange. */
static void test_retry_after_a_failed_connect(void **s)
{
	struct w5_leg first, second;
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	wire_request(&d, 1000, IN, 1, "GET", "/slow");
	wire_request(&d, 1010, IN, 3, "GET", "/dead");
	first = refused(U, 1009.9, 1010.1, 1010.3);
	feed(&b, &first);
	second = refused(U + 1, 1010.35, 1010.4, 1010.6);
	second.remote = rec_ip(19);
	feed(&b, &second);
	wire_hint(&d, U + 1, 1010.6);
	wire_response(&d, 1010.7, OUT, 3, "502", H2_LAST);
	wire_response(&d, 1020, OUT, 1, "200", H2_LAST);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->nattempts, 2);
	assert_int_equal(b.f[0]->attempts[1].leg.h.cookie, U + 1);
	bench_close(&b);
}

/* Two requests in one read, one connect: it stays open whose, until the answer tells. */
static void test_answer_names_the_connect(void **s)
{
	struct w5_leg up;
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	wire_request(&d, 1000, IN, 1, "GET", "/kept-alive");
	wire_request(&d, 1000, IN, 3, "GET", "/dead");
	up = refused(U, 999.9, 1000.1, 1000.3);
	feed(&b, &up);
	wire_hint(&d, U, 1000.3);
	wire_response(&d, 1000.4, OUT, 3, "502", H2_LAST);
	wire_hint(&d, U + 5, 1001);
	wire_response(&d, 1001, OUT, 1, "200", H2_LAST);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(b.f[0]->target, "/dead");
	assert_int_equal(b.f[0]->nattempts, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "conn-refused");
	bench_close(&b);
}

/* The same with two failures, crossing: the answers' trail sorts them. */
static void test_two_connects_of_one_read(void **s)
{
	struct w5_leg a, z;
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	wire_request(&d, 1000, IN, 1, "GET", "/a");
	wire_request(&d, 1000, IN, 3, "GET", "/z");
	a = refused(U, 999.9, 1000.1, 1000.3);
	z = refused(U + 1, 999.9, 1000.15, 1000.25);
	z.err = 113;
	z.rst_in_ns = 0;
	z.rst_flags = 0;
	feed(&b, &z);
	feed(&b, &a);
	wire_hint(&d, U + 1, 1000.3);
	wire_response(&d, 1000.35, OUT, 3, "502", H2_LAST);
	wire_hint(&d, U, 1000.36);
	wire_response(&d, 1000.4, OUT, 1, "502", H2_LAST);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 2);
	assert_string_equal(b.f[0]->target, "/z");
	assert_string_equal(cause_name(b.f[0]->cause), "host-unreachable-icmp");
	assert_string_equal(b.f[1]->target, "/a");
	assert_string_equal(cause_name(b.f[1]->cause), "conn-refused");
	bench_close(&b);
}

/* A failed connect that nothing ties to one of two good requests is nobody's. */
static void test_no_guess_for_a_good_answer(void **s)
{
	struct w5_leg up;
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	wire_request(&d, 1000, IN, 1, "GET", "/a");
	wire_request(&d, 1000, IN, 3, "GET", "/b");
	up = refused(U, 999.9, 1000.1, 1000.3);
	feed(&b, &up);
	wire_response(&d, 1001, OUT, 1, "200", H2_LAST);
	wire_response(&d, 1002, OUT, 3, "200", H2_LAST);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 0);
	bench_close(&b);
}

/* One request on the conn: a retry that answered is a recovery, told once. */
static void test_recovered(void **s)
{
	struct w5_leg up, good;
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	wire_request(&d, 1000, IN, 1, "GET", "/a");
	up = refused(U, 999.9, 1000.1, 1000.3);
	feed(&b, &up);
	good = rec_up(U + 1, 1000.5, "GET", "/a", 18, 1);
	rec_hint(&good, D, 1000.35);
	rec_answer(&good, 1001, 200);
	feed(&b, &good);
	wire_hint(&d, U + 1, 1001);
	wire_response(&d, 1001.1, OUT, 1, "200", H2_LAST);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_RECOVERED);
	assert_int_equal(b.f[0]->nattempts, 2);
	assert_int_equal(engine_counters(b.e)->recovered, 1);
	bench_close(&b);
}

/* HEADERS and all of its body, in one read. */
static void post(struct wire *d, double t, uint32_t stream, const char *target)
{
	struct frame f;

	frame_begin(&f, W5_H2_HEADERS, H2_WHOLE, stream);
	frame_field(&f, 0, ":method", "POST");
	frame_field(&f, 0, ":authority", "shop.example");
	frame_field(&f, 0, ":path", target);
	wire_frame(d, t, IN, &f);
	wire_last(d, t, IN, stream);
}

/*
 * nginx goes on with a request that has a body after it has read its other conns: the trail names
 * another conn, whose own request went to a kept conn. Nothing is told of that one yet.
 */
static void test_connect_for_a_body_read_before(void **s)
{
	struct w5_leg up, kept;
	struct wire d, other;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	other = wire_open(&b, D + 1, W5_ROLE_DOWNSTREAM, 990);
	post(&d, 1000, 1, "/cart");
	wire_request(&other, 1000.3, IN, 1, "GET", "/fine");
	up = refused(U, 1000.2, 1000.6, 1000.8);
	up.hint_cookie = D + 1;
	feed(&b, &up);
	wire_hint(&d, U, 1000.8);
	wire_response(&d, 1000.9, OUT, 1, "502", H2_LAST);
	kept = rec_up(U + 1, 1000.4, "GET", "/fine", 18, 9);
	rec_hint(&kept, D + 1, 1000.2);
	rec_answer(&kept, 1001.5, 200);
	feed(&b, &kept);
	wire_hint(&other, U + 1, 1001.5);
	wire_response(&other, 1001.6, OUT, 1, "200", H2_LAST);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(b.f[0]->target, "/cart");
	assert_int_equal(b.f[0]->nattempts, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "conn-refused");
	bench_close(&b);
}

/* The same, and its target is read: no doubt at all. */
static void test_attempt_for_a_body_read_before(void **s)
{
	struct wire d, other;
	struct w5_leg up;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	other = wire_open(&b, D + 1, W5_ROLE_DOWNSTREAM, 990);
	post(&d, 1000, 1, "/cart");
	wire_request(&other, 1000.3, IN, 1, "GET", "/fine");
	up = rec_up(U, 1000.6, "POST", "/cart", 18, 3);
	rec_hint(&up, D + 1, 1000.2);
	rec_acked(&up);
	rec_end(&up, 1300, W5_END_FIN_OUT);
	wire_response(&other, 1001, OUT, 1, "200", H2_LAST);
	wire_reset(&d, 1299.9, IN, 1, CANCEL);
	feed(&b, &up);
	bench_settle(&b, 1400);
	assert_int_equal(b.n, 1);
	assert_string_equal(b.f[0]->target, "/cart");
	assert_int_equal(b.f[0]->verdict, VERDICT_CLIENT);
	assert_int_equal(b.f[0]->nattempts, 1);
	bench_close(&b);
}

/* What was answered meanwhile was sent in an earlier turn of the loop, and so was the body. */
static void test_an_old_body_is_no_candidate(void **s)
{
	struct w5_leg up, kept, good;
	struct wire d, other;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	other = wire_open(&b, D + 1, W5_ROLE_DOWNSTREAM, 990);
	post(&other, 1000, 1, "/slow"); /* sent at once, answered much later */
	kept = rec_up(U + 1, 1000.2, "GET", "/x", 18, 9);
	rec_answer(&kept, 1001, 200);
	feed(&b, &kept);
	wire_request(&d, 1003, IN, 1, "GET", "/a");
	up = refused(U, 1002.9, 1003.1, 1003.3);
	feed(&b, &up);
	good = rec_up(U + 2, 1003.5, "GET", "/a", 18, 1);
	rec_hint(&good, D, 1003.35);
	rec_answer(&good, 1004, 200);
	feed(&b, &good);
	wire_hint(&d, U + 2, 1004);
	wire_response(&d, 1004.1, OUT, 1, "200", H2_LAST);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_RECOVERED);
	assert_string_equal(b.f[0]->target, "/a");
	bench_close(&b);
}

/* One read: a stream is cancelled, another begins. What its thread ends for the one is no sign
 * that it tries again for it. */
static void test_cancelled_and_connected_in_one_read(void **s)
{
	struct w5_leg old, up;
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	wire_request(&d, 900, IN, 1, "GET", "/slow");
	wire_reset(&d, 1000, IN, 1, CANCEL);
	wire_request(&d, 1000, IN, 3, "GET", "/dead");
	old = rec_up(U, 900.1, "GET", "/slow", 18, 3);
	rec_hint(&old, D, 899.9);
	rec_end(&old, 1000.1, W5_END_FIN_OUT);
	feed(&b, &old);
	up = refused(U + 1, 1000.1, 1000.2, 1000.4);
	feed(&b, &up);
	wire_hint(&d, U + 1, 1000.5);
	wire_response(&d, 1000.6, OUT, 3, "502", H2_LAST);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 2);
	assert_string_equal(b.f[1]->target, "/dead");
	assert_int_equal(b.f[1]->nattempts, 1);
	assert_string_equal(cause_name(b.f[1]->cause), "conn-refused");
	bench_close(&b);
}

/* Apache reads the conn in one thread and serves its streams in others: no trail at all. */
static void test_streams_of_other_threads(void **s)
{
	struct w5_leg first, last;
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "apache2");
	d = down_open(&b);
	wire_request(&d, 1000, IN, 1, "GET", "/a");
	first = rec_connect(U, 1000.2, 17, 111, 1000.3);
	first.tid = REC_GW + 7;
	feed(&b, &first);
	last = rec_connect(U + 1, 1000.4, 18, 113, 1000.6);
	last.tid = REC_GW + 7;
	feed(&b, &last);
	wire_response(&d, 1000.9, OUT, 1, "503", H2_LAST);
	bench_settle(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->nattempts, 2);
	assert_int_equal(b.f[0]->attempts[0].leg.h.cookie, U);
	assert_int_equal(b.f[0]->attempts[1].leg.h.cookie, U + 1);
	assert_string_equal(cause_name(b.f[0]->cause), "host-unreachable-icmp");
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connect_of_the_request_just_read),
		cmocka_unit_test(test_retry_after_a_failed_connect),
		cmocka_unit_test(test_answer_names_the_connect),
		cmocka_unit_test(test_two_connects_of_one_read),
		cmocka_unit_test(test_no_guess_for_a_good_answer),
		cmocka_unit_test(test_recovered),
		cmocka_unit_test(test_connect_for_a_body_read_before),
		cmocka_unit_test(test_attempt_for_a_body_read_before),
		cmocka_unit_test(test_an_old_body_is_no_candidate),
		cmocka_unit_test(test_cancelled_and_connected_in_one_read),
		cmocka_unit_test(test_streams_of_other_threads),
	};

	return cmocka_run_group_tests_name("h2_trail", tests, NULL, NULL);
}
