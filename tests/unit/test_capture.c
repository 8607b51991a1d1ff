/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "../lib/net.h"
#include "capture_run.h"
#include "engine/engine.h"
#include "source/capture_link.h"

static void test_gateway_is_found_by_its_requests(void **state)
{
	struct run *r = *state;

	healthy(&r->net, "");
	run(r);
	assert_int_equal(r->ngws, 1);
	assert_non_null(strstr(r->said, "gateway " FRONT ":8080, connects from " BACK));
	assert_int_equal(r->nexchanges, 4);
	assert_int_equal(r->natts, 4);
	assert_int_equal(r->nf, 0);
	assert_int_equal(engine_counters(r->e)->exchanges, 4);
	assert_true(counted(r)->used == r->net.n && counted(r)->packets == r->net.n);
}

static void test_no_gateway_says_what_is_missing(void **state)
{
	struct run *r = *state;
	struct net_conn down = net_conn(CLIENT, 40000, FRONT, 8080);

	net_open(&r->net, 0, &down);
	net_data(&r->net, 50 * US, &down, 0, GET("/x"));
	net_data(&r->net, 50 * US, &down, 1, BAD);
	run(r);
	assert_int_equal(r->ngws, 0);
	assert_non_null(strstr(r->why, FRONT ":8080 answers 1"));
	assert_non_null(strstr(r->why, "--gateway"));
	assert_int_equal(r->nexchanges, 0);
}

static void test_gateway_given_by_hand(void **state)
{
	struct run *r = *state;
	struct net_conn down = net_conn(CLIENT, 40000, FRONT, 8080);

	assert_int_equal(capture_gateway_parse(&r->cfg.gateways[0], FRONT ":8080"), 0);
	r->cfg.ngateways = 1;
	net_open(&r->net, 0, &down);
	net_data(&r->net, 300 * MS, &down, 0, GET("/x"));
	net_data(&r->net, 50 * US, &down, 1, BAD);
	run(r);
	assert_int_equal(r->ngws, 1);
	assert_int_equal(r->nf, 1);
	/* the backend's side was not captured: no claim is made */
	assert_int_equal(r->f[0]->cause, CAUSE_INSUFFICIENT_EVIDENCE);
}

static void test_gateway_arguments(void **state)
{
	struct capture_gateway g;

	(void)state;
	assert_int_equal(capture_gateway_parse(&g, "10.77.1.1"), 0);
	assert_int_equal(g.port, 0);
	assert_int_equal(g.ip.ip[15], 1);
	assert_int_equal(capture_gateway_parse(&g, "fd77::1"), 0);
	assert_int_equal(g.port, 0);
	assert_int_equal(capture_gateway_parse(&g, "[fd77::1]:8080"), 0);
	assert_int_equal(g.port, 8080);
	assert_int_equal(g.ip.ip[0], 0xfd);
	assert_int_equal(capture_gateway_parse(&g, "[fd77::1]"), 0);
	assert_int_equal(capture_gateway_parse(&g, "10.77.1.1:"), -EINVAL);
	assert_int_equal(capture_gateway_parse(&g, "10.77.1.1:0"), -EINVAL);
	assert_int_equal(capture_gateway_parse(&g, "10.77.1.1:65536"), -EINVAL);
	assert_int_equal(capture_gateway_parse(&g, "gw.example"), -EINVAL);
	assert_int_equal(capture_gateway_parse(&g, ""), -EINVAL);
	assert_int_equal(capture_gateway_parse(&g, "[fd77::1]8080"), -EINVAL);
}

static void test_packet_captured_twice_counts_once(void **state)
{
	struct run *r = *state;
	struct net *n = &r->net;
	struct net_conn down, up = net_conn(BACK, 31000, BACKEND, 9001);

	ask(r, &down, GET("/dead"));
	net_seg(n, 80 * US, &up, 0, W5_TCP_SYN, NULL);
	net_seg(n, 30 * US, &up, 1, W5_TCP_RST | W5_TCP_ACK, NULL);
	net_data(n, 100 * US, &down, 1, BAD);
	for (size_t i = n->n; i-- > 0;) { /* each with a copy that one router has sent on */
		n->p[2 * i + 1] = n->p[i];
		n->p[2 * i] = n->p[i];
		n->p[2 * i + 1].data[8]--;
		n->p[2 * i].k.data = n->p[2 * i].data;
		n->p[2 * i + 1].k.data = n->p[2 * i + 1].data;
	}
	n->n *= 2;
	run(r);
	assert_int_equal(only(r)->cause, CAUSE_CONN_REFUSED);
	assert_int_equal(only(r)->attempts[0].leg.syn_sent, 1);
	assert_int_equal(only(r)->attempts[0].leg.retrans, 0);
	assert_true(counted(r)->duplicates > 0);
	assert_int_equal(r->nexchanges, 5);
}

/* The answer's second segment is there before its first. */
static void test_segments_out_of_order(void **state)
{
	struct run *r = *state;
	struct net_conn down, up = net_conn(BACK, 31000, BACKEND, 9012);
	uint32_t at;

	ask(r, &down, GET("/late"));
	net_open(&r->net, 80 * US, &up);
	net_data(&r->net, 20 * US, &up, 0, GET("/late"));
	at = up.seq[1];
	up.seq[1] = at + (uint32_t)strlen(LATE);
	net_data(&r->net, 200 * US, &up, 1, "the body");
	up.seq[1] = at;
	net_data(&r->net, 10 * US, &up, 1, LATE);
	net_data(&r->net, 100 * US, &down, 1, LATE);
	run(r);
	assert_int_equal(only(r)->cause, CAUSE_BACKEND_5XX);
	assert_int_equal(only(r)->verdict, VERDICT_PASSED_THROUGH);
	assert_int_equal(counted(r)->missing, 0);
}

/* The gateway acknowledges an answer that the capture does not have. */
static void test_missing_answer_is_not_called_silence(void **state)
{
	struct run *r = *state;
	struct net_conn down, up = net_conn(BACK, 31000, BACKEND, 9012);

	ask(r, &down, GET("/late"));
	net_open(&r->net, 80 * US, &up);
	net_data(&r->net, 20 * US, &up, 0, GET("/late"));
	up.seq[1] += 60;
	net_seg(&r->net, 500 * MS, &up, 0, W5_TCP_ACK, NULL);
	net_seg(&r->net, 10 * US, &up, 0, W5_TCP_ACK | W5_TCP_FIN, NULL);
	net_data(&r->net, 100 * US, &down, 1, LATE);
	run(r);
	assert_int_equal(only(r)->cause, CAUSE_INSUFFICIENT_EVIDENCE);
	assert_int_not_equal(only(r)->lost, 0);
	assert_true(counted(r)->missing == 1 && counted(r)->missing_bytes == 60);
}

static void test_only_one_direction(void **state)
{
	struct run *r = *state;
	struct net_conn down, up = net_conn(BACK, 31000, BACKEND, 9005);

	ask(r, &down, GET("/cart"));
	net_seg(&r->net, 80 * US, &up, 0, W5_TCP_SYN, NULL);
	up.seq[1]++;
	net_seg(&r->net, 80 * US, &up, 0, W5_TCP_ACK, NULL);
	net_data(&r->net, 20 * US, &up, 0, GET("/cart"));
	net_seg(&r->net, 500 * MS, &up, 0, W5_TCP_ACK | W5_TCP_FIN, NULL);
	net_data(&r->net, 100 * US, &down, 1, BAD);
	run(r);
	assert_int_equal(only(r)->cause, CAUSE_INSUFFICIENT_EVIDENCE);
	assert_int_equal(counted(r)->one_way, 1);
}

static void test_cut_packets_are_counted(void **state)
{
	struct run *r = *state;
	struct net_conn down, up = net_conn(BACK, 31000, BACKEND, 9005);

	ask(r, &down, GET("/a-rather-long-path-to-a-cart"));
	net_open(&r->net, 80 * US, &up);
	net_data(&r->net, 20 * US, &up, 0, GET("/a-rather-long-path-to-a-cart"));
	net_seg(&r->net, 20 * US, &up, 1, W5_TCP_RST | W5_TCP_ACK, NULL);
	net_data(&r->net, 100 * US, &down, 1, BAD);
	for (size_t i = 0; i < r->net.n; i++)
		if (r->net.p[i].k.cap > 60) {
			r->net.p[i].k.cap = 60;
			r->net.p[i].k.is_cut = true;
		}
	run(r);
	assert_int_equal(only(r)->cause, CAUSE_RESET_BEFORE_RESPONSE);
	assert_string_equal(only(r)->target, "/a-rather-long-p");
	assert_true(only(r)->down.flags & W5_F_REQ_CUT);
	assert_int_equal(counted(r)->cut, 2 + 16 + 1);
}

static void test_begun_in_the_middle(void **state)
{
	struct run *r = *state;
	struct net_conn down = net_conn(CLIENT, 41000, FRONT, 8080),
			up = net_conn(BACK, 31000, BACKEND, 9010);

	net_data(&r->net, 0, &down, 1, "the end of an answer");
	healthy(&r->net, "");
	net_data(&r->net, 300 * MS, &down, 0, GET("/old"));
	net_data(&r->net, 80 * US, &up, 0, GET("/old"));
	net_seg(&r->net, 20 * US, &up, 1, W5_TCP_ACK, NULL);
	net_seg(&r->net, 20 * US, &up, 1, W5_TCP_ACK | W5_TCP_FIN, NULL);
	net_data(&r->net, 100 * US, &down, 1, BAD);
	run(r);
	assert_true(only(r)->down.flags & W5_F_OLDER);
	assert_true(only(r)->attempts[0].leg.flags & W5_F_OLDER);
	assert_int_equal(only(r)->cause, CAUSE_CLOSED_BEFORE_RESPONSE);
	assert_int_equal(counted(r)->older, 2);
}

static void test_encrypted_clients_are_counted(void **state)
{
	struct run *r = *state;
	struct net_conn tls = net_conn(CLIENT, 42000, FRONT, 8080);

	healthy(&r->net, "");
	net_open(&r->net, MS, &tls);
	net_data(&r->net, MS, &tls, 0, "\x16\x03\x01\x01\x05\x01 hello hello hello");
	net_data(&r->net, MS, &tls, 1, "\x16\x03\x03\x01\x05\x02 hello");
	net_data(&r->net, MS, &tls, 0, "\x17\x03\x03\x01\x05 what is asked for");
	net_data(&r->net, MS, &tls, 1, "\x17\x03\x03\x01\x05 what is answered");
	run(r);
	assert_int_equal(engine_counters(r->e)->unread_tls, 1);
	assert_int_equal(r->nf, 0);
}

static void test_link_types(void **state)
{
	static const struct {
		int dlt;
		uint8_t b[32];
		size_t n;
		int off;
	} rows[] = {
		{ 1, { [12] = 0x08, [13] = 0x00, [14] = 0x45 }, 15, 14 },
		{ 1, { [12] = 0x86, [13] = 0xdd, [14] = 0x60 }, 15, 14 },
		{ 1, { [12] = 0x81, 0x00, 0, 7, 0x08, 0x00, 0x45 }, 19, 18 },
		{ 1, { [12] = 0x88, 0xa8, 0, 5, 0x81, 0x00, 0, 7, 0x86, 0xdd, 0x60 }, 23, 22 },
		{ 1, { [12] = 0x88, 0x64, 0x11, 0, 0, 1, 0, 40, 0x00, 0x21, 0x45 }, 23, 22 },
		{ 1, { [12] = 0x08, 0x06 }, 28, -EPROTONOSUPPORT }, /* ARP */
		{ 1, { [12] = 0x81, 0x00, 0 }, 15, -ENODATA },
		{ 1, { 0 }, 13, -ENODATA },
		{ 113, { [14] = 0x08, 0x00, 0x45 }, 17, 16 },
		{ 113, { [14] = 0x08, 0x00 }, 15, -ENODATA },
		{ 276, { [0] = 0x86, 0xdd, [20] = 0x60 }, 21, 20 },
		{ 276, { [0] = 0x08, 0x00 }, 19, -ENODATA },
		{ 12, { 0x45 }, 1, 0 },
		{ 228, { 0x45 }, 1, 0 },
		{ 0, { 2, 0, 0, 0, 0x45 }, 5, 4 },
		{ 108, { 0, 0, 0, 24, 0x60 }, 5, 4 },
		{ 0, { 7, 0, 0, 0, 0 }, 5, -EPROTONOSUPPORT },
		{ 0, { 2, 0, 0, 0 }, 4, -ENODATA },
		{ 105, { 0 }, 32, -EPROTONOSUPPORT }, /* 802.11 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(capture_link_ip(rows[i].dlt, rows[i].b, rows[i].n), rows[i].off);
		assert_int_equal(!!capture_link_known(rows[i].dlt), rows[i].dlt != 105);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		TEST(test_gateway_is_found_by_its_requests),
		TEST(test_no_gateway_says_what_is_missing),
		TEST(test_gateway_given_by_hand),
		TEST(test_gateway_arguments),
		TEST(test_packet_captured_twice_counts_once),
		TEST(test_segments_out_of_order),
		TEST(test_missing_answer_is_not_called_silence),
		TEST(test_only_one_direction),
		TEST(test_cut_packets_are_counted),
		TEST(test_begun_in_the_middle),
		TEST(test_encrypted_clients_are_counted),
		TEST(test_link_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
