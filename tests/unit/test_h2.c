/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP/2: frames to turns, header blocks, what is missing, bounds. */
#include "../lib/rec_text.h"
#include "h2_conns.h"

/* ---- turns ---- */

static void test_streams_are_turns(void **s)
{
	const struct engine_upstream *const *ups;
	const struct engine_counters *c;
	struct wire d, u;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	u = up_open(&b);
	for (uint32_t i = 1; i < 40; i += 2) {
		double t = 1000 + i;

		wire_request(&d, t, IN, i, "GET", "/a");
		wire_hint(&u, D, t);
		wire_request(&u, t + .1, OUT, i, "GET", "/a");
		wire_response(&u, t + .2, IN, i, "200", 0);
		wire_last(&u, t + .3, IN, i);
		wire_hint(&d, U, t + .2);
		wire_response(&d, t + .4, OUT, i, "200", H2_LAST);
	}
	c = settled(&b, 1100);
	assert_int_equal(c->exchanges, 20);
	assert_int_equal(c->attempts, 20);
	assert_int_equal(c->status_class[2], 20);
	assert_int_equal(c->conns_down, 1);
	assert_int_equal(c->conns_up, 1);
	assert_int_equal(c->undecoded, 0);
	assert_int_equal(c->bad_records, 0);
	assert_int_equal(engine_lost(b.e), 0);
	assert_int_equal(engine_upstreams(b.e, &ups), 1);
	assert_int_equal(ups[0]->connects, 1);
	assert_int_equal(ups[0]->requests, 20);
	assert_int_equal(ups[0]->open, 1);
	assert_int_equal(b.n, 0);
	bench_close(&b);
}

static void test_plain_attempt_of_a_stream(void **s)
{
	const struct finding *f;
	struct w5_leg up;
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	wire_request(&d, 1000, IN, 1, "GET", "/ok");
	wire_request(&d, 1001, IN, 3, "GET", "/cart");
	up = rec_up(U, 1001.2, "GET", "/cart", 18, 4);
	rec_hint(&up, D, 1000.9);
	rec_acked(&up);
	rec_end(&up, 1025, W5_END_RST_IN);
	feed(&b, &up);
	wire_hint(&d, U, 1025.1);
	wire_response(&d, 1025.2, OUT, 3, "502", H2_LAST);
	wire_response(&d, 1026, OUT, 1, "200", H2_LAST);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	f = b.f[0];
	assert_int_equal(f->status, 502);
	assert_string_equal(f->method, "GET");
	assert_string_equal(f->target, "/cart");
	assert_string_equal(f->host, "shop.example");
	assert_int_equal(f->down.stream, 3);
	assert_int_equal(f->down.conn_cookie, D);
	assert_int_equal(f->down.rport, 51034);
	assert_int_equal(f->nattempts, 1);
	assert_int_equal(f->confidence, CONFIDENCE_CERTAIN);
	assert_string_equal(cause_name(f->cause), "reset-before-response");
	bench_close(&b);
}

static void test_ids_are_read(void **s)
{
	struct wire d;
	struct frame f;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	frame_begin(&f, W5_H2_HEADERS, H2_WHOLE | H2_LAST, 1);
	frame_field(&f, 0, ":method", "POST");
	frame_field(&f, 0, ":path", "/x\r\nHost: evil");
	frame_field(&f, 0, ":authority", "shop.example");
	frame_field(&f, 0, "x-request-id", "0123456789abcdef");
	frame_field(&f, 0, "traceparent",
		    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
	wire_frame(&d, 1000, IN, &f);
	wire_response(&d, 1001, OUT, 1, "502", H2_LAST);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(b.f[0]->target, "/x??Host:");
	assert_string_equal(b.f[0]->host, "shop.example");
	assert_string_equal(b.f[0]->request_id, "0123456789abcdef");
	bench_close(&b);
}

static void test_long_target_is_cut(void **s)
{
	char target[240] = "/";
	struct wire d;
	struct bench b;

	(void)s;
	memset(target + 1, 'x', sizeof(target) - 2);
	bench_open(&b, "nginx");
	d = down_open(&b);
	wire_request(&d, 1000, IN, 1, "GET", target);
	wire_response(&d, 1001, OUT, 1, "502", H2_LAST);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(b.f[0]->target, target);
	assert_true(b.f[0]->down.flags & W5_F_REQ_CUT);
	bench_close(&b);
}

static void test_interim_and_trailers(void **s)
{
	const struct engine_counters *c;
	struct wire d;
	struct frame f;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	wire_request(&d, 1000, IN, 1, "POST", "/a");
	wire_response(&d, 1001, OUT, 1, "103", 0);
	frame_begin(&f, W5_H2_HEADERS, H2_WHOLE | H2_LAST, 1);
	frame_field(&f, 0, "x-checksum", "1"); /* trailers of the request */
	wire_frame(&d, 1001.5, IN, &f);
	wire_response(&d, 1002, OUT, 1, "200", 0);
	wire_frame(&d, 1003, OUT, &f); /* and of the response */
	c = settled(&b, 1100);
	assert_int_equal(c->exchanges, 1);
	assert_int_equal(c->status_class[2], 1);
	assert_int_equal(c->status_class[1], 0);
	bench_close(&b);
}

/* ---- frames ---- */

/* A header block in three frames, the first of them padded, one in two texts. */
static void test_blocks_in_parts(void **s)
{
	static const uint8_t pad[4] = { 0 };
	uint8_t lead[6] = { sizeof(pad), 0, 0, 0, 0, 15 };
	struct wire d;
	struct frame f;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	frame_begin(&f, W5_H2_HEADERS, W5_H2_PADDED | W5_H2_PRIO | H2_LAST, 1);
	frame_put(&f, lead, sizeof(lead));
	frame_field(&f, 0, ":method", "GET");
	frame_put(&f, pad, sizeof(pad));
	wire_frame(&d, 1000, IN, &f);
	frame_begin(&f, W5_H2_CONTINUATION, 0, 1);
	frame_field(&f, 0, ":path", "/in/parts");
	d.flags = W5_TEXT_MORE;
	wire_text(&d, 1000.1, IN, W5_TEXT_FRAME, f.p, 12, 0);
	d.flags = W5_TEXT_REST;
	wire_text(&d, 1000.2, IN, W5_TEXT_FRAME, f.p + 12, f.len - 12, 0);
	frame_begin(&f, W5_H2_CONTINUATION, H2_WHOLE, 1);
	frame_field(&f, 0, ":authority", "shop.example");
	wire_frame(&d, 1000.3, IN, &f);
	wire_response(&d, 1001, OUT, 1, "502", H2_LAST);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(b.f[0]->target, "/in/parts");
	assert_string_equal(b.f[0]->host, "shop.example");
	assert_int_equal(b.f[0]->req_ns, ms(1000));
	assert_int_equal(engine_counters(b.e)->undecoded, 0);
	bench_close(&b);
}

/* SETTINGS of the client allow the gateway a larger table for what it writes. */
static void test_settings_apply_to_the_other_side(void **s)
{
	static const uint8_t setting[] = { 0, 1, 0, 1, 0, 0 }, /* HEADER_TABLE_SIZE 65536 */
		update[] = { 0x3f, 0xe1, 0xff, 0x03 };	       /* size update to 65536 */
	const struct engine_counters *c;
	struct wire d;
	struct frame f;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	frame_begin(&f, W5_H2_SETTINGS, 0, 0);
	frame_put(&f, setting, sizeof(setting));
	wire_frame(&d, 999, IN, &f);
	wire_request(&d, 1000, IN, 1, "GET", "/a");
	frame_begin(&f, W5_H2_HEADERS, H2_WHOLE | H2_LAST, 1);
	frame_put(&f, update, sizeof(update));
	frame_field(&f, 0, ":status", "200");
	wire_frame(&d, 1001, OUT, &f);
	c = settled(&b, 1100);
	assert_int_equal(c->exchanges, 1);
	assert_int_equal(c->undecoded, 0);
	bench_close(&b);
}

static void test_nonsense_is_counted(void **s)
{
	const struct engine_counters *c;
	struct wire d;
	struct frame f;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	frame_begin(&f, W5_H2_CONTINUATION, H2_WHOLE, 1); /* of nothing */
	frame_field(&f, 0, ":method", "GET");
	wire_frame(&d, 1000, IN, &f);
	frame_begin(&f, W5_H2_HEADERS, H2_WHOLE | W5_H2_PADDED, 1); /* padding beyond its end */
	frame_put(&f, "\xff", 1);
	wire_frame(&d, 1001, IN, &f);
	d.flags = W5_TEXT_REST;
	wire_text(&d, 1002, IN, W5_TEXT_FRAME, "abc", 3, 0);
	wire_text(&d, 1003, IN, W5_TEXT_FRAME, "abc", 3, 0);
	for (int i = 0; i < 40; i++) {
		frame_begin(&f, W5_H2_HEADERS, H2_WHOLE, 1);
		frame_put(&f,
			  "\x40\x05"
			  "a",
			  3);
		wire_frame(&d, 1004, IN, &f);
	}
	c = settled(&b, 1100);
	assert_int_equal(c->exchanges, 0);
	assert_true(c->undecoded >= 43);
	bench_close(&b);
}

/* ---- bounds ---- */

static void test_open_streams_are_bounded(void **s)
{
	const struct engine_counters *c;
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	for (uint32_t i = 1; i < 2 * 1024 + 20; i += 2)
		wire_request(&d, 1000, IN, i, "GET", "/a");
	c = engine_counters(b.e);
	assert_int_equal(c->loss[W5_LOSS_EVICTED], 10);
	wire_response(&d, 1001, OUT, 1, "502", H2_LAST); /* pushed out */
	wire_response(&d, 1001, OUT, 2 * 1024 + 1, "502", H2_LAST);
	c = settled(&b, 1100);
	assert_int_equal(c->s502, 1);
	bench_close(&b);
}

static void test_streams_push_out_no_conns(void **s)
{
	const struct engine_counters *c;
	struct engine_cfg cfg;
	struct wire d;
	struct bench b;

	(void)s;
	engine_cfg_default(&cfg);
	cfg.max_conns = 4;
	bench_open_cfg(&b, "nginx", &cfg);
	for (uint64_t i = 0; i < 3; i++) {
		struct w5_leg l = rec_down(i + 1, 999, "GET", "/a");

		rec_answer(&l, 999.5, 200);
		feed(&b, &l);
	}
	d = down_open(&b);
	for (uint32_t i = 1; i < 4000; i += 2) {
		wire_request(&d, 1000, IN, i, "GET", "/a");
		wire_response(&d, 1001, OUT, i, "200", i % 4 == 1 ? H2_LAST : 0);
		if (i % 4 == 3)
			wire_last(&d, 1002, OUT, i);
	}
	c = settled(&b, 1100);
	assert_int_equal(c->exchanges, 2003);
	assert_int_equal(c->conns_down, 4);
	assert_int_equal(c->loss[W5_LOSS_EVICTED], 0);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams_are_turns),
		cmocka_unit_test(test_plain_attempt_of_a_stream),
		cmocka_unit_test(test_ids_are_read),
		cmocka_unit_test(test_long_target_is_cut),
		cmocka_unit_test(test_interim_and_trailers),
		cmocka_unit_test(test_blocks_in_parts),
		cmocka_unit_test(test_settings_apply_to_the_other_side),
		cmocka_unit_test(test_nonsense_is_counted),
		cmocka_unit_test(test_open_streams_are_bounded),
		cmocka_unit_test(test_streams_push_out_no_conns),
	};

	return cmocka_run_group_tests_name("h2", tests, NULL, NULL);
}
