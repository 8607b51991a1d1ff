/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP/2: frames to turns, streams and their ends, streams and the thread's trail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../lib/rec_text.h"

#define D   100
#define U   200
#define IN  W5_TEXT_IN
#define OUT W5_TEXT_OUT

/* Error codes (RFC 9113 7). */
#define INTERNAL_ERROR 2
#define REFUSED_STREAM 7
#define CANCEL	       8

static struct wire down_open(struct bench *b)
{
	return wire_open(b, D, W5_ROLE_DOWNSTREAM, 990);
}

static struct wire up_open(struct bench *b)
{
	return wire_open(b, U, W5_ROLE_UPSTREAM, 990);
}

static const struct engine_counters *settled(struct bench *b, double t)
{
	bench_settle(b, t);
	return engine_counters(b->e);
}

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
	rec_end(&up, 1005, W5_END_RST_IN);
	feed(&b, &up);
	wire_hint(&d, U, 1005.1);
	wire_response(&d, 1005.2, OUT, 3, "502", H2_LAST);
	wire_response(&d, 1006, OUT, 1, "200", H2_LAST);
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
	assert_int_equal(c->exchanges, 3);
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

/* ---- ends ---- */

/* HAProxy refuses a stream in place of a 502. */
static void test_refused_to_the_client(void **s)
{
	const struct engine_counters *c;
	struct w5_leg up;
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "haproxy");
	d = down_open(&b);
	wire_request(&d, 1000, IN, 1, "GET", "/a");
	up = rec_up(U, 1000.2, "GET", "/a", 18, 4);
	rec_end(&up, 1000.4, W5_END_RST_IN);
	rec_hint(&up, D, 1000);
	feed(&b, &up);
	wire_hint(&d, U, 1000.4);
	wire_reset(&d, 1000.5, OUT, 1, REFUSED_STREAM);
	c = settled(&b, 1100);
	assert_int_equal(c->silent, 1);
	assert_int_equal(c->exchanges, 1);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_SILENT);
	assert_string_equal(b.f[0]->target, "/a");
	assert_int_equal(b.f[0]->down.h2_end, W5_H2_RST_OUT);
	assert_int_equal(b.f[0]->down.h2_error, REFUSED_STREAM);
	assert_int_equal(b.f[0]->nattempts, 1);
	bench_close(&b);
}

static void test_client_cancels(void **s)
{
	const struct engine_counters *c;
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	wire_request(&d, 1000, IN, 1, "GET", "/a");
	wire_reset(&d, 1005, IN, 1, CANCEL);
	wire_request(&d, 1006, IN, 3, "GET", "/b");
	wire_response(&d, 1007, OUT, 3, "200", 0);
	wire_reset(&d, 1008, IN, 3, CANCEL); /* in the middle of the body */
	c = settled(&b, 1100);
	assert_int_equal(c->client_aborts, 1);
	assert_int_equal(c->exchanges, 2);
	assert_int_equal(c->bad, 0);
	bench_close(&b);
}

static void up_stream_fails(struct bench *b, struct wire *d, struct wire *u, uint32_t stream)
{
	wire_request(d, 1000, IN, stream, "GET", "/a");
	wire_hint(u, D, 1000);
	wire_request(u, 1000.1, OUT, stream, "GET", "/a");
	(void)b;
}

static void test_backend_resets_a_stream(void **s)
{
	const struct w5_leg *l;
	struct wire d, u;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	u = up_open(&b);
	up_stream_fails(&b, &d, &u, 1);
	wire_reset(&u, 1005, IN, 1, INTERNAL_ERROR);
	wire_hint(&d, U, 1005);
	wire_response(&d, 1005.1, OUT, 1, "502", H2_LAST);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "h2-stream-reset");
	assert_int_equal(b.f[0]->confidence, CONFIDENCE_CERTAIN);
	l = &b.f[0]->attempts[0].leg;
	assert_int_equal(l->stream, 1);
	assert_int_equal(l->conn_cookie, U);
	assert_int_equal(l->h2_end, W5_H2_RST_IN);
	assert_int_equal(l->h2_error, INTERNAL_ERROR);
	assert_int_equal(l->rport, 8443);
	bench_close(&b);
}

static void test_goaway_leaves_streams_out(void **s)
{
	struct wire d, u;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	u = up_open(&b);
	wire_request(&d, 999, IN, 1, "GET", "/in-time");
	wire_request(&u, 999.1, OUT, 1, "GET", "/in-time");
	up_stream_fails(&b, &d, &u, 3);
	wire_goaway(&u, 1005, IN, 1, 0);
	wire_hint(&d, U, 1005);
	wire_response(&d, 1005.1, OUT, 3, "502", H2_LAST);
	wire_response(&u, 1006, IN, 1, "200", H2_LAST);
	wire_response(&d, 1007, OUT, 1, "200", H2_LAST);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "h2-goaway");
	assert_int_equal(b.f[0]->attempts[0].leg.stream, 3);
	assert_int_equal(engine_counters(b.e)->exchanges, 2);
	bench_close(&b);
}

/* The conn is lost: every stream without an answer fails with what TCP says of it. */
static void test_conn_loss_fails_its_streams(void **s)
{
	struct w5_leg end = rec_conn_end(U, W5_ROLE_UPSTREAM, 990, 1010, W5_END_RST_IN);
	const struct engine_upstream *const *ups;
	struct wire d, u;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	u = up_open(&b);
	for (uint32_t i = 1; i <= 5; i += 2) {
		char target[8] = { '/', (char)('a' + i) };

		wire_request(&d, 1000 + i, IN, i, "GET", target);
		wire_hint(&u, D, 1000 + i);
		wire_request(&u, 1000 + i + .1, OUT, i, "GET", target);
	}
	wire_response(&u, 1009, IN, 3, "200", H2_LAST);
	wire_response(&d, 1009.1, OUT, 3, "200", H2_LAST);
	feed(&b, &end);
	wire_hint(&d, U, 1010.1);
	wire_response(&d, 1010.2, OUT, 1, "502", H2_LAST);
	wire_response(&d, 1010.3, OUT, 5, "502", H2_LAST);
	settled(&b, 1100);
	assert_int_equal(b.n, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(b.f[i]->nattempts, 1);
		assert_string_equal(cause_name(b.f[i]->cause), "reset-before-response");
		assert_string_equal(b.f[i]->target, i ? "/f" : "/b");
		assert_int_equal(b.f[i]->attempts[0].leg.stream, i ? 5 : 1);
		assert_int_equal(b.f[i]->attempts[0].leg.rst_ttl, 63);
	}
	assert_int_equal(engine_counters(b.e)->conns_up, 0);
	assert_int_equal(engine_upstreams(b.e, &ups), 1);
	assert_int_equal(ups[0]->failures, 2);
	bench_close(&b);
}

/* GOAWAY crosses the request: it was read before the request's frame was written. */
static void test_goaway_before_the_request(void **s)
{
	struct w5_leg end = rec_conn_end(U, W5_ROLE_UPSTREAM, 990, 1002, W5_END_FIN_IN);
	struct wire d, u;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	u = up_open(&b);
	wire_goaway(&u, 999, IN, 0, 0);
	up_stream_fails(&b, &d, &u, 1);
	feed(&b, &end);
	wire_hint(&d, U, 1002.1);
	wire_response(&d, 1002.2, OUT, 1, "502", H2_LAST);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "h2-goaway");
	bench_close(&b);
}

/* The gateway still writes, is reset for it, and only then reads what had come before the FIN. */
static void test_second_end_while_frames_are_unread(void **s)
{
	struct w5_leg fin = rec_conn_end(U, W5_ROLE_UPSTREAM, 990, 1002, W5_END_FIN_IN), rst;
	struct wire d, u;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	u = up_open(&b);
	up_stream_fails(&b, &d, &u, 1);
	feed(&b, &fin);
	rst = rec_conn_end(U, W5_ROLE_UPSTREAM, 990, 1008, W5_END_RST_IN);
	rst.h.type = W5_REC_ATTEMPT;
	rst.phase = W5_PHASE_REQUEST;
	rst.req_ns = ms(1007.9);
	rst.req_bytes = 31;
	feed(&b, &rst);
	wire_goaway(&u, 1009, IN, 0, 0);
	wire_hint(&d, U, 1009);
	wire_response(&d, 1009.1, OUT, 1, "502", H2_LAST);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "h2-goaway");
	bench_close(&b);
}

/* h2c: the kernel reads the frames itself, in the order of the packets. */
static void test_an_end_in_the_clear_waits_for_nothing(void **s)
{
	struct w5_leg open = rec_conn(U, W5_ROLE_UPSTREAM, 990), end;
	struct wire d, u;
	struct bench b;

	(void)s;
	bench_open(&b, "haproxy");
	d = down_open(&b);
	open.proto = W5_PROTO_H2;
	feed(&b, &open);
	u = wire_of(&b, U);
	up_stream_fails(&b, &d, &u, 1);
	end = rec_conn_end(U, W5_ROLE_UPSTREAM, 990, 1001, W5_END_RST_IN);
	feed(&b, &end);
	assert_int_equal(engine_counters(b.e)->attempts, 1); /* told */
	u = wire_open(&b, U + 1, W5_ROLE_UPSTREAM, 1001);
	wire_hint(&u, D, 1001);
	wire_request(&u, 1001.1, OUT, 1, "GET", "/a");
	wire_response(&u, 1002, IN, 1, "200", H2_LAST);
	wire_hint(&d, U + 1, 1002);
	wire_response(&d, 1002.1, OUT, 1, "200", H2_LAST);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->verdict, VERDICT_RECOVERED);
	bench_close(&b);
}

static void test_clients_conn_lost(void **s)
{
	struct w5_leg end = rec_conn_end(D, W5_ROLE_DOWNSTREAM, 990, 1010, W5_END_RST_IN);
	const struct engine_counters *c;
	struct wire d;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	wire_request(&d, 1000, IN, 1, "GET", "/a");
	wire_request(&d, 1001, IN, 3, "GET", "/b");
	feed(&b, &end);
	c = settled(&b, 1100);
	assert_int_equal(c->client_aborts, 2);
	assert_int_equal(c->conns_down, 0);
	assert_int_equal(c->bad, 0);
	bench_close(&b);
}

/* Headers came, the end never did: cut on both legs. */
static void test_body_cut_by_reset(void **s)
{
	struct wire d, u;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	u = up_open(&b);
	up_stream_fails(&b, &d, &u, 1);
	wire_response(&u, 1001, IN, 1, "200", 0);
	wire_hint(&d, U, 1001);
	wire_response(&d, 1001.1, OUT, 1, "200", 0);
	wire_reset(&u, 1020, IN, 1, INTERNAL_ERROR);
	wire_hint(&d, U, 1020);
	wire_reset(&d, 1020.1, OUT, 1, INTERNAL_ERROR);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_string_equal(cause_name(b.f[0]->cause), "truncated-body");
	bench_close(&b);
}

static void test_grpc_status(void **s)
{
	struct wire d, u;
	struct frame f;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	u = up_open(&b);
	up_stream_fails(&b, &d, &u, 1);
	frame_begin(&f, W5_H2_HEADERS, H2_WHOLE | H2_LAST, 1); /* trailers only */
	frame_field(&f, 0, ":status", "200");
	frame_field(&f, 0, "grpc-status", "14");
	wire_frame(&u, 1001, IN, &f);
	wire_hint(&d, U, 1001);
	wire_response(&d, 1001.1, OUT, 1, "502", H2_LAST);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->nattempts, 1);
	assert_int_equal(b.f[0]->attempts[0].leg.grpc_status, 15);
	bench_close(&b);
}

/* Status 503 first, the reason in the trailers. */
static void test_grpc_status_in_trailers(void **s)
{
	struct wire d, u;
	struct frame f;
	struct bench b;

	(void)s;
	bench_open(&b, "nginx");
	d = down_open(&b);
	u = up_open(&b);
	up_stream_fails(&b, &d, &u, 1);
	wire_response(&u, 1001, IN, 1, "503", 0);
	wire_hint(&d, U, 1001);
	wire_response(&d, 1001.1, OUT, 1, "503", 0);
	frame_begin(&f, W5_H2_HEADERS, H2_WHOLE | H2_LAST, 1);
	frame_field(&f, 0, "grpc-status", "8");
	wire_frame(&u, 1002, IN, &f);
	wire_frame(&d, 1002.1, OUT, &f);
	settled(&b, 1100);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->attempts[0].leg.grpc_status, 9);
	assert_int_equal(b.f[0]->down.grpc_status, 9);
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
		cmocka_unit_test(test_conn_older_than_us),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_nonsense_is_counted),
		cmocka_unit_test(test_refused_to_the_client),
		cmocka_unit_test(test_client_cancels),
		cmocka_unit_test(test_backend_resets_a_stream),
		cmocka_unit_test(test_goaway_leaves_streams_out),
		cmocka_unit_test(test_conn_loss_fails_its_streams),
		cmocka_unit_test(test_goaway_before_the_request),
		cmocka_unit_test(test_second_end_while_frames_are_unread),
		cmocka_unit_test(test_an_end_in_the_clear_waits_for_nothing),
		cmocka_unit_test(test_clients_conn_lost),
		cmocka_unit_test(test_body_cut_by_reset),
		cmocka_unit_test(test_grpc_status),
		cmocka_unit_test(test_grpc_status_in_trailers),
		cmocka_unit_test(test_open_streams_are_bounded),
		cmocka_unit_test(test_streams_push_out_no_conns),
	};

	return cmocka_run_group_tests_name("h2", tests, NULL, NULL);
}
