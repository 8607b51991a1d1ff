/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP/2 of which a part was not seen: conns older than us, lost texts. */
#include "h2_conns.h"

static void test_conn_older_than_us(void **s)
{
	static const uint8_t indexed[] = { 0x80 | 62 }; /* from a block we did not see */
	const struct engine_counters *c;
	struct wire d;
	struct frame f;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	d.flags = W5_TEXT_OLDER;
	d.seq[IN] = d.seq[OUT] = 0;
	wire_response(&d, 999, OUT, 7, "502", H2_LAST); /* its request was before us */
	frame_begin(&f, W5_H2_HEADERS, H2_WHOLE | H2_LAST, 9);
	frame_field(&f, 0, ":method", "GET");
	frame_put(&f, indexed, 1); /* :path, perhaps */
	wire_frame(&d, 1000, IN, &f);
	wire_response(&d, 1001, OUT, 9, "504", H2_LAST);
	wire_request(&d, 1002, IN, 11, "GET", "/known");
	frame_begin(&f, W5_H2_HEADERS, H2_WHOLE | H2_LAST, 11);
	frame_put(&f, indexed, 1); /* :status, perhaps */
	wire_frame(&d, 1003, OUT, &f);
	wire_request(&d, 1004, IN, 13, "GET", "/known");
	wire_response(&d, 1005, OUT, 13, "503", H2_LAST);
	c = settled(&b, 1100);
	assert_int_equal(c->exchanges, 4); /* one of them of unknown status */
	assert_int_equal(c->s502, 1);
	assert_int_equal(c->s503, 1);
	assert_int_equal(c->s504, 1);
	assert_int_equal(c->undecoded, 2);
	assert_int_equal(b.n, 3);
	assert_true(b.f[0]->down.flags & W5_F_NO_REQ);
	assert_string_equal(b.f[1]->target, "");
	assert_string_equal(b.f[2]->target, "/known");
	assert_int_equal(engine_lost(b.e), 0);
	bench_close(&b);
}

/* The first request's headers left before the conn was known, and the stream was reset; Apache
 * tries again on a new conn. */
static void asked_unseen(bool has_data, double reset, size_t attempts)
{
	struct w5_leg l = rec_conn(U, W5_ROLE_UPSTREAM, 1000.4);
	struct wire d, u, u2;
	struct frame f;
	struct bench b;

	bench_open(&b, "apache2");
	d = down_open(&b);
	wire_request(&d, 1000, IN, 1, "GET", "/a");
	l.flags |= W5_F_OLDER;
	l.open_ns = 0;
	l.phase = W5_PHASE_RESPONSE;
	l.req_ns = ms(1000.2);
	l.resp_ns = ms(1000.4);
	rec_hint(&l, D, 1000);
	feed(&b, &l);
	u = wire_of(&b, U);
	u.flags = W5_TEXT_OLDER;
	if (has_data) {
		frame_begin(&f, W5_H2_DATA, H2_LAST, 3);
		wire_frame(&u, 1000.5, OUT, &f);
	}
	frame_begin(&f, W5_H2_RST_STREAM, 0, 3);
	frame_u32(&f, 2);
	wire_frame(&u, reset, IN, &f);
	u2 = wire_open(&b, U + 1, W5_ROLE_UPSTREAM, reset + 0.2);
	wire_hint(&u2, D, 1000);
	wire_request(&u2, reset + 0.4, OUT, 1, "GET", "/a");
	frame_begin(&f, W5_H2_RST_STREAM, 0, 1);
	frame_u32(&f, 2);
	wire_frame(&u2, reset + 0.5, IN, &f);
	wire_response(&d, reset + 1, OUT, 1, "502", H2_LAST);
	settled(&b, reset + 100);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "h2-stream-reset");
	assert_int_equal(b.f[0]->nattempts, attempts);
	assert_string_equal(cause_name(b.f[0]->attempts[0].cause), "h2-stream-reset");
	bench_close(&b);
}

static void test_headers_left_before_we_knew(void **s)
{
	(void)s;
	asked_unseen(true, 1000.6, 2);
	asked_unseen(false, 1000.6, 2);
	/* That stream may have been asked for long before. */
	asked_unseen(false, 1200, 1);
}

/* Lost texts: the table is not known any more, later literals are. */
static void test_gap(void **s)
{
	static const uint8_t indexed[] = { 0x80 | 62 };
	const struct engine_counters *c;
	struct wire d;
	struct frame f;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	frame_begin(&f, W5_H2_HEADERS, H2_WHOLE | H2_LAST, 1);
	frame_field(&f, 0, ":method", "GET");
	frame_field(&f, 0x40, ":path", "/a");
	wire_frame(&d, 1000, IN, &f);
	wire_response(&d, 1001, OUT, 1, "200", H2_LAST);
	d.seq[IN]++; /* may have put another entry first */
	frame_begin(&f, W5_H2_HEADERS, H2_WHOLE | H2_LAST, 5);
	frame_field(&f, 0, ":method", "GET");
	frame_put(&f, indexed, 1);
	wire_frame(&d, 1002, IN, &f);
	wire_response(&d, 1003, OUT, 5, "502", H2_LAST);
	c = settled(&b, 1100);
	assert_int_equal(c->undecoded, 1);
	assert_int_equal(c->loss[W5_LOSS_SEQ_HOLE], 1);
	assert_int_equal(b.n, 1);
	assert_string_equal(b.f[0]->target, "");
	assert_true(b.f[0]->lost > 0);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conn_older_than_us),
		cmocka_unit_test(test_headers_left_before_we_knew),
		cmocka_unit_test(test_gap),
	};

	return cmocka_run_group_tests_name("HTTP/2 unseen", tests, NULL, NULL);
}
