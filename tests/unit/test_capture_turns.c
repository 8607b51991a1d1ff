/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns of a capture: what the kernel side makes of the same segments, see bpf/turn.h. */
#include <string.h>

#include "../lib/net.h"
#include "capture_run.h"
#include "engine/engine.h"

#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
#define HINTS	 "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n"
#define PUT(t)	 "PUT " t " HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\n\r\n"
#define CHUNKED	 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"

/* A request as far as the backend. */
static void asked(struct run *r, struct net_conn *down, struct net_conn *up, const char *request)
{
	*up = net_conn(BACK, 31000, BACKEND, 9012);
	ask(r, down, request);
	net_open(&r->net, 80 * US, up);
	net_data(&r->net, 20 * US, up, 0, request);
}

/* The backend's 502, in these segments, is what the client gets. */
static void passed_through(struct run *r, const char *const *segments, size_t n)
{
	struct net_conn down, up;

	asked(r, &down, &up, PUT("/cart"));
	for (size_t i = 0; i < n; i++)
		net_data(&r->net, 200 * US, &up, 1, segments[i]);
	for (size_t i = 0; i < n; i++)
		net_data(&r->net, 100 * US, &down, 1, segments[i]);
	run(r);
	assert_int_equal(only(r)->verdict, VERDICT_PASSED_THROUGH);
	assert_int_equal(only(r)->cause, CAUSE_BACKEND_5XX);
	assert_int_equal(only(r)->nattempts, 1);
	assert_int_equal(only(r)->attempts[0].leg.status, 502);
	assert_true(only(r)->attempts[0].leg.flags & W5_F_INTERIM);
	assert_false(only(r)->attempts[0].leg.flags & W5_F_NOT_HTTP);
	assert_true(only(r)->down.flags & W5_F_INTERIM);
	assert_int_equal(only(r)->attempts[0].leg.resp_bytes, strlen(BAD));
}

#define PASSED_THROUGH(...)                                     \
	passed_through(*state, (const char *[]){ __VA_ARGS__ }, \
		       sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(const char *))

static void test_interim_and_final_in_one_segment(void **state)
{
	PASSED_THROUGH(CONTINUE BAD);
}

static void test_several_interim_ones_in_one_segment(void **state)
{
	PASSED_THROUGH(CONTINUE HINTS "\r\n" BAD);
}

static void test_interim_in_a_segment_of_its_own(void **state)
{
	PASSED_THROUGH(CONTINUE, BAD);
}

static void test_interim_in_two_segments(void **state)
{
	PASSED_THROUGH(HINTS, "\r\n", BAD);
}

static void test_interim_cut_in_its_status_line(void **state)
{
	PASSED_THROUGH("HTTP/1.1 ", "100 Continue\r\n\r\n" BAD);
}

static void test_final_behind_the_end_of_an_interim_one(void **state)
{
	PASSED_THROUGH(HINTS, "\r\n" BAD);
}

static void test_interim_whose_empty_line_is_cut(void **state)
{
	PASSED_THROUGH("HTTP/1.1 100 Continue\r\n\r", "\n" BAD);
}

/* The capture has no more than the start of a segment with both: who knows what the answer was. */
static void test_final_that_is_cut_by_the_capture(void **state)
{
	struct run *r = *state;
	struct net_conn down, up;

	asked(r, &down, &up, PUT("/cart"));
	net_data(&r->net, 200 * US, &up, 1, CONTINUE BAD)->k.cap = 60;
	net_data(&r->net, 200 * US, &up, 1, "the body");
	net_data(&r->net, 100 * US, &down, 1, BAD);
	for (size_t i = 0; i < r->net.n; i++)
		r->net.p[i].k.is_cut = r->net.p[i].k.cap < r->net.p[i].k.len;
	run(r);
	assert_int_equal(only(r)->cause, CAUSE_INSUFFICIENT_EVIDENCE);
	assert_true(counted(r)->missing == 1);
}

static void cut_body(struct run *r, const char *rest)
{
	struct net_conn down, up;

	asked(r, &down, &up, GET("/feed"));
	net_data(&r->net, 200 * US, &up, 1, CHUNKED);
	net_data(&r->net, 100 * US, &down, 1, CHUNKED);
	net_data(&r->net, 500 * US, &up, 1, rest);
	net_data(&r->net, 100 * US, &down, 1, rest);
	net_seg(&r->net, 500 * US, &up, 1, W5_TCP_ACK | W5_TCP_FIN, NULL);
	net_seg(&r->net, 100 * US, &down, 1, W5_TCP_ACK | W5_TCP_FIN, NULL);
	run(r);
}

/* A chunked body has no length: what tells is how it ends. */
static void test_chunked_body_that_ends_short(void **state)
{
	struct run *r = *state;

	cut_body(r, "5\r\nworld\r\n");
	assert_int_equal(only(r)->cause, CAUSE_TRUNCATED_BODY);
	assert_true(only(r)->attempts[0].leg.flags & W5_F_ENDS_OPEN);
	assert_non_null(only(r)->attempts[0].flight);
}

static void test_chunked_body_that_is_whole(void **state)
{
	struct run *r = *state;

	cut_body(r, "0\r\n\r\n");
	assert_int_equal(r->nf, 0);
}

/* Its last bytes came in three segments, the last of them out of order, and all before is long. */
static void test_end_of_a_chunked_body_in_pieces(void **state)
{
	char body[320];
	struct run *r = *state;
	struct net_conn down, up;
	uint32_t at;

	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	asked(r, &down, &up, GET("/feed"));
	net_data(&r->net, 200 * US, &up, 1, CHUNKED);
	at = up.seq[1];
	up.seq[1] += (uint32_t)strlen(body) + 1;
	net_data(&r->net, 10 * US, &up, 1, "\n");
	net_data(&r->net, 10 * US, &up, 1, "\r\n");
	up.seq[1] = at;
	net_data(&r->net, 10 * US, &up, 1, body);
	net_data(&r->net, 10 * US, &up, 1, "\r");
	up.seq[1] += 3;
	net_data(&r->net, 100 * US, &down, 1, CHUNKED);
	net_seg(&r->net, 500 * US, &up, 1, W5_TCP_ACK | W5_TCP_FIN, NULL);
	net_seg(&r->net, 100 * US, &down, 1, W5_TCP_ACK | W5_TCP_FIN, NULL);
	run(r);
	assert_int_equal(r->nf, 0);
}

/* The last bytes are not in the capture: nothing is said of them. */
static void test_end_of_a_chunked_body_is_not_captured(void **state)
{
	struct run *r = *state;
	struct net_conn down, up;
	struct net_packet *p;

	asked(r, &down, &up, GET("/feed"));
	net_data(&r->net, 200 * US, &up, 1, CHUNKED);
	net_data(&r->net, 100 * US, &down, 1, CHUNKED);
	p = net_data(&r->net, 500 * US, &up, 1, "5\r\nworld\r\n0\r\n\r\n");
	p->k.cap -= 4;
	p->k.is_cut = true;
	net_seg(&r->net, 500 * US, &up, 1, W5_TCP_ACK | W5_TCP_FIN, NULL);
	net_seg(&r->net, 100 * US, &down, 1, W5_TCP_ACK | W5_TCP_FIN, NULL);
	run(r);
	assert_int_equal(r->nf, 0);
}

/* The goodbye of an idle TLS conn that is older than the capture is no request without answer. */
static void test_goodbye_on_an_older_conn(void **state)
{
	static const char goodbye[] = "\x17\x03\x03\x01\x13 and 18 bytes more.";
	struct run *r = *state;
	struct net_conn up = net_conn(BACK, 31000, BACKEND, 9012);
	struct net_packet *p;

	healthy(&r->net, "");
	net_seg(&r->net, 100 * MS, &up, 1, W5_TCP_ACK, NULL); /* a keepalive: it is there */
	p = net_data(&r->net, 200 * MS, &up, 0, goodbye);
	p->data[40 + 3] = 0; /* a TLS record of 19 bytes */
	net_seg(&r->net, 20 * US, &up, 0, W5_TCP_ACK | W5_TCP_FIN, NULL);
	assert_int_equal(p->k.len, 40 + 24);
	run(r);
	assert_int_equal(r->natts, 4); /* the healthy ones */
	assert_int_equal(engine_counters(r->e)->attempts, 4);
}

/* The gateway gave up; what the backend said after all tells how long it needed. */
static void test_late_answer_is_no_answer(void **state)
{
	struct run *r = *state;
	struct net_conn down, up;
	const struct finding *f;

	healthy(&r->net, "");
	for (int i = 0; i < 2; i++) {
		down = net_conn(CLIENT, (uint16_t)(41000 + i), FRONT, 8080);
		up = net_conn(BACK, (uint16_t)(31000 + i), BACKEND, 9012);
		net_open(&r->net, 300 * MS, &down);
		net_data(&r->net, 50 * US, &down, 0, GET("/slow"));
		net_open(&r->net, 80 * US, &up);
		net_data(&r->net, 20 * US, &up, 0, GET("/slow"));
		net_seg(&r->net, 20 * US, &up, 1, W5_TCP_ACK, NULL);
		net_seg(&r->net, 1000 * MS, &up, 0, W5_TCP_ACK | W5_TCP_FIN, NULL);
		net_data(&r->net, 100 * US, &down, 1, LATE);
		net_seg(&r->net, 20 * US, &up, 1, W5_TCP_ACK, NULL);
		net_data(&r->net, 500 * MS, &up, 1, OK);
		net_seg(&r->net, 20 * US, &up, 0, W5_TCP_RST, NULL);
	}
	run(r);
	assert_int_equal(r->natts, 4 + 2);
	assert_int_equal(r->nlate, 2);
	assert_int_equal(r->last_late.status, 200);
	assert_int_equal(r->last_late.bytes, strlen(OK));
	assert_int_equal(r->nf, 2);
	f = r->f[1];
	assert_int_equal(f->cause, CAUSE_BACKEND_SLOW);
	assert_int_equal(f->timer.late_seen, 1);
}

/* Others were let in while this one waited: the host is there, its queue is full. */
static void test_port_that_lets_others_in(void **state)
{
	struct run *r = *state;
	struct net_conn down, up = net_conn(BACK, 31000, BACKEND, 9000);
	struct net_conn other = net_conn(BACK, 31001, BACKEND, 9000);

	ask(r, &down, GET("/queue"));
	net_seg(&r->net, 80 * US, &up, 0, W5_TCP_SYN, NULL);
	net_open(&r->net, 500 * MS, &other);
	up.seq[0]--;
	net_seg(&r->net, 500 * MS, &up, 0, W5_TCP_SYN, NULL);
	up.seq[0]--;
	net_seg(&r->net, 2000 * MS, &up, 0, W5_TCP_SYN, NULL);
	net_data(&r->net, 900 * MS, &down, 1, LATE);
	run(r);
	assert_int_equal(only(r)->nattempts, 1);
	assert_int_equal(only(r)->attempts[0].leg.syn_sent, 3);
	assert_int_equal(only(r)->cause, CAUSE_ACCEPT_QUEUE_OVERFLOW);
}

/* A gateway that asks a name server over TCP has not tried it as a backend. */
static void test_question_for_a_name_is_no_attempt(void **state)
{
	struct run *r = *state;
	struct net_conn down, up = net_conn(BACK, 31000, BACKEND, 53);

	ask(r, &down, GET("/name"));
	net_open(&r->net, 80 * US, &up);
	net_seg(&r->net, 30 * US, &up, 1, W5_TCP_RST | W5_TCP_ACK, NULL);
	net_data(&r->net, 100 * US, &down, 1, BAD);
	run(r);
	assert_int_equal(only(r)->nattempts, 0);
	assert_int_equal(r->natts, 4);
}

/* Of an upload the short end got through, whole segments never did. */
static void test_selectively_acknowledged_end(void **state)
{
	static const uint8_t sack[] = { 1, 1, 5, 10, 0, 0, 0, 0, 0, 0, 0, 0 };
	struct run *r = *state;
	struct net_conn down, up;
	struct net_packet *p;
	uint32_t start;

	asked(r, &down, &up, PUT("/upload"));
	start = up.seq[0];
	up.seq[0] += 1448;
	net_data(&r->net, 20 * US, &up, 0, "the short end");
	p = net_seg(&r->net, 200 * US, &up, 1, W5_TCP_ACK, NULL);
	put32(p->data + 20 + 8, start);
	p->data[20 + 12] = 0x80;
	memcpy(p->data + 40, sack, sizeof(sack));
	put32(p->data + 44, start + 1448);
	put32(p->data + 48, start + 1448 + 13);
	p->k.cap = p->k.len = 52;
	put16(p->data + 2, 52);
	net_seg(&r->net, 3000 * MS, &up, 0, W5_TCP_ACK | W5_TCP_RST, NULL);
	net_data(&r->net, 100 * US, &down, 1, BAD);
	run(r);
	assert_int_equal(only(r)->attempts[0].leg.sacked, 1);
}

/* Bytes of the answer waited behind a segment that never came. */
static void test_answer_with_a_gap(void **state)
{
	struct run *r = *state;
	struct net_conn down, up;

	asked(r, &down, &up, GET("/big"));
	up.seq[1] += 1448;
	for (int i = 0; i < W5_PKT_SLOTS + 2; i++) /* more than is kept of packets */
		net_data(&r->net, 20 * US, &up, 1, i ? "more of it" : "the end of it");
	net_seg(&r->net, 3000 * MS, &up, 0, W5_TCP_ACK | W5_TCP_FIN, NULL);
	r->net.p[r->net.n - 1].data[20 + 8] = 0; /* acknowledges none of that */
	put32(r->net.p[r->net.n - 1].data + 20 + 8, 5000 + 9012 + 1);
	net_data(&r->net, 100 * US, &down, 1, LATE);
	run(r);
	assert_int_equal(only(r)->attempts[0].leg.gaps, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		TEST(test_interim_and_final_in_one_segment),
		TEST(test_several_interim_ones_in_one_segment),
		TEST(test_interim_in_a_segment_of_its_own),
		TEST(test_interim_in_two_segments),
		TEST(test_interim_cut_in_its_status_line),
		TEST(test_final_behind_the_end_of_an_interim_one),
		TEST(test_interim_whose_empty_line_is_cut),
		TEST(test_final_that_is_cut_by_the_capture),
		TEST(test_chunked_body_that_ends_short),
		TEST(test_chunked_body_that_is_whole),
		TEST(test_end_of_a_chunked_body_in_pieces),
		TEST(test_end_of_a_chunked_body_is_not_captured),
		TEST(test_goodbye_on_an_older_conn),
		TEST(test_late_answer_is_no_answer),
		TEST(test_port_that_lets_others_in),
		TEST(test_question_for_a_name_is_no_attempt),
		TEST(test_selectively_acknowledged_end),
		TEST(test_answer_with_a_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
