// SPDX-License-Identifier: BSD-2-Clause
/* Only large packets disappear: in the request, in the response, with and without its header. */
#include "../lib/explain.h"
#include "../lib/rec_flight.h"

/* 15 kB sent, nothing of it acknowledged, the gateway gave up. */
static struct w5_leg upload(void)
{
	struct w5_leg l = rec_up(U, 1000.1, "POST", "/api/cart", 18, 1);

	l.req_bytes = 15000;
	l.retrans = l.rto_count = 3;
	rec_end(&l, 6000, W5_END_FIN_OUT);
	return l;
}

static void test_the_end_of_an_upload_gets_through(void **s)
{
	struct w5_leg l = upload();

	l.sacked = 1;
	expect(l, 504, 6000.1, CAUSE_PMTU_BLACKHOLE, LIKELY, "only large packets to");
	/* Whole segments got through: it is loss. */
	l.sacked = 7;
	expect(l, 504, 6000.1, CAUSE_PATH_LOSS, LIKELY, NULL);
	l.sacked = 0;
	expect(l, 504, 6000.1, CAUSE_PATH_LOSS, LIKELY, NULL);
	/* Sent again once only: chance. */
	l = upload();
	l.sacked = 1;
	l.retrans = l.rto_count = 1;
	expect(l, 504, 6000.1, CAUSE_PATH_LOSS, LIKELY, NULL);
	/* It fits one segment. */
	l = upload();
	l.sacked = 1;
	l.req_bytes = 900;
	expect(l, 504, 6000.1, CAUSE_PATH_LOSS, LIKELY, NULL);
}

static void test_the_header_is_missing_and_its_end_is_there(void **s)
{
	struct w5_leg l = rec_up(U, 1000.1, "GET", "/a", 18, 1);

	rec_acked(&l);
	rec_end(&l, 6000, W5_END_FIN_OUT);
	expect(l, 504, 6000.1, CAUSE_BACKEND_SLOW, CERTAIN, NULL);
	l.gaps = 1;
	expect(l, 504, 6000.1, CAUSE_PMTU_BLACKHOLE, LIKELY, "later bytes of its response came");
	/* The same from the packets alone. */
	{
		struct w5_packets f = { 0 };
		struct bench b;

		l.gaps = 0;
		l.rcv_nxt = 5000;
		bench_open(&b, "nginx");
		flight_add(&f, 1000.2, false, 9344, W5_TCP_ACK | W5_TCP_PSH, 716);
		flight_feed(b.e, &f, 6000, U);
		assert_int_equal(explain_one(&b, &l, 504, 6000.1)->cause, CAUSE_PMTU_BLACKHOLE);
		bench_close(&b);
	}
}

/* 200 passed on, then a gap; closed at `end`. */
static void cut_by_gap(uint8_t gaps, double end, size_t n, enum cause want)
{
	static const char h[] = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n";
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"),
		      up = rec_up(U, 1000.1, "GET", "/a", 18, 1);
	struct bench b;

	bench_open(&b, "nginx");
	rec_resp(&up, h, strlen(h), 776);
	rec_answer(&up, 1001, 200);
	rec_tie(&up, &d);
	feed(&b, &up);
	rec_answer(&d, 1001.2, 200);
	feed(&b, &d);
	up.h.type = d.h.type = W5_REC_END;
	rec_end(&up, end, W5_END_FIN_OUT);
	rec_end(&d, end + 0.1, W5_END_FIN_OUT);
	up.gaps = gaps;
	feed(&b, &up);
	feed(&b, &d);
	bench_settle(&b, end + 2);
	assert_int_equal(b.n, n);
	if (n)
		assert_string_equal(cause_name(b.f[0]->cause), cause_name(want));
	bench_close(&b);
}

static void test_the_body_has_a_gap(void **s)
{
	cut_by_gap(1, 2500, 1, CAUSE_PMTU_BLACKHOLE);
	cut_by_gap(0, 2500, 1, CAUSE_GATEWAY_TIMEOUT_LOCAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_end_of_an_upload_gets_through),
		cmocka_unit_test(test_the_header_is_missing_and_its_end_is_there),
		cmocka_unit_test(test_the_body_has_a_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
