/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/net.h"
#include "engine/engine.h"
#include "source/capture_link.h"
#include "source/record.h"

#define CLIENT	"198.51.100.4"
#define FRONT	"10.77.1.1" /* the gateway, towards clients */
#define BACK	"10.77.2.1" /* and towards backends */
#define BACKEND "10.77.3.2"
#define GET(t)	"GET " t " HTTP/1.1\r\nHost: shop\r\n\r\n"
#define OK	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define BAD	"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
#define LATE	"HTTP/1.1 504 Gateway Time-out\r\nContent-Length: 0\r\n\r\n"

/* What came of a capture. */
struct run {
	struct net net;
	struct capture_cfg cfg;
	struct engine *e;
	struct finding *f[16];
	size_t nf, ngws;
	struct w5_leg last_att;
	size_t natts, nexchanges;
	char why[CAPTURE_ERR_MAX], said[CAPTURE_ERR_MAX];
};

static void on_finding(void *self, struct finding *f)
{
	struct run *r = self;

	if (r->nf < 16)
		r->f[r->nf++] = finding_ref(f);
}

static int on_record(void *self, const struct w5_hdr *h)
{
	struct run *r = self;

	assert_int_equal(record_check(h, h->size), 0);
	if (h->type == W5_REC_ATTEMPT) {
		memcpy(&r->last_att, h, sizeof(r->last_att));
		r->natts++;
	}
	r->nexchanges += h->type == W5_REC_EXCHANGE;
	engine_feed(r->e, h);
	return 0;
}

static void on_say(void *self, const char *text)
{
	struct run *r = self;

	snprintf(r->said, sizeof(r->said), "%s", text);
}

static void run(struct run *r)
{
	static const struct capture_ops ops = { .record = on_record, .say = on_say };
	static const struct engine_ops eops = { .finding = on_finding };
	struct engine_cfg cfg;
	struct capture *c;

	engine_cfg_default(&cfg);
	assert_int_equal(engine_new(&r->e, &cfg, &eops, r), 0);
	assert_int_equal(capture_new(&c, &r->cfg, &ops, r), 0);
	for (size_t i = 0; i < r->net.n; i++)
		capture_scan(c, &r->net.p[i].k);
	r->ngws = capture_scan_end(c, r->why);
	for (size_t i = 0; i < r->net.n; i++)
		assert_int_equal(capture_feed(c, &r->net.p[i].k), 0);
	assert_int_equal(capture_end(c), 0);
	capture_free(c);
	engine_finish(r->e);
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct run));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct run *r = *state;

	for (size_t i = 0; i < r->nf; i++)
		finding_unref(r->f[i]);
	engine_free(r->e);
	free(r);
	return 0;
}

static const struct w5_capture *counted(const struct run *r)
{
	return &engine_counters(r->e)->capture;
}

/* A second in which requests go through, so that it is plain who is what. */
static void healthy(struct net *n, const char *path)
{
	for (uint16_t i = 0; i < 4; i++) {
		struct net_conn down = net_conn(CLIENT, (uint16_t)(40000 + i), FRONT, 8080);
		struct net_conn up = net_conn(BACK, (uint16_t)(30000 + i), BACKEND, 9000);
		char get[128];

		snprintf(get, sizeof(get), "GET %s/ok%u HTTP/1.1\r\nHost: shop\r\n\r\n", path, i);
		net_open(n, 250 * MS, &down);
		net_data(n, 50 * US, &down, 0, get);
		net_open(n, 100 * US, &up);
		net_data(n, 20 * US, &up, 0, get);
		net_data(n, 500 * US, &up, 1, OK);
		net_data(n, 50 * US, &down, 1, OK);
	}
}

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

/* client -> gateway, up to the request; and the backend's conn, not yet opened. */
static void ask(struct run *r, struct net_conn *down, const char *request)
{
	healthy(&r->net, "");
	*down = net_conn(CLIENT, 41000, FRONT, 8080);
	net_open(&r->net, 300 * MS, down);
	net_data(&r->net, 50 * US, down, 0, request);
}

static const struct finding *only(struct run *r)
{
	assert_int_equal(r->nf, 1);
	return r->f[0];
}

static void test_refused_connect(void **state)
{
	struct run *r = *state;
	struct net_conn down, up = net_conn(BACK, 31000, BACKEND, 9001);
	const struct finding *f;

	ask(r, &down, GET("/dead"));
	net_seg(&r->net, 80 * US, &up, 0, W5_TCP_SYN, NULL);
	net_seg(&r->net, 30 * US, &up, 1, W5_TCP_RST | W5_TCP_ACK, NULL);
	net_data(&r->net, 100 * US, &down, 1, BAD);
	run(r);
	f = only(r);
	assert_int_equal(f->cause, CAUSE_CONN_REFUSED);
	assert_int_equal(f->confidence, CONFIDENCE_LIKELY); /* by time alone */
	assert_int_equal(f->witness, WITNESS_TIME);
	assert_int_equal(f->attempts[0].leg.rport, 9001);
	assert_int_equal(f->attempts[0].leg.rst_ttl, 63);
	assert_int_equal(r->last_att.end, W5_END_CONNECT);
	/* nothing is told of processes and errors of sockets */
	assert_int_equal(f->down.tgid + f->down.tid + f->gateway_group, 0);
	assert_int_equal(f->attempts[0].leg.err, 0);
	assert_non_null(f->attempts[0].flight);
	assert_int_equal(f->attempts[0].flight->p.total, 2);
	assert_true(f->wall_ns == r->net.now_ns);
}

static void test_reset_after_the_request_is_certain_by_its_target(void **state)
{
	struct run *r = *state;
	struct net_conn down, up = net_conn(BACK, 31000, BACKEND, 9005);
	const struct finding *f;

	ask(r, &down, GET("/cart"));
	net_open(&r->net, 80 * US, &up);
	net_data(&r->net, 20 * US, &up, 0, GET("/cart"));
	net_seg(&r->net, 40 * US, &up, 1, W5_TCP_ACK, NULL);
	net_seg(&r->net, 20 * US, &up, 1, W5_TCP_RST | W5_TCP_ACK, NULL);
	net_data(&r->net, 100 * US, &down, 1, BAD);
	run(r);
	f = only(r);
	assert_int_equal(f->cause, CAUSE_RESET_BEFORE_RESPONSE);
	assert_int_equal(f->confidence, CONFIDENCE_CERTAIN);
	assert_true(f->witness & WITNESS_TARGET);
	assert_false(f->witness & (WITNESS_TRAIL | WITNESS_THREAD));
	assert_int_equal(f->attempts[0].leg.synack_ttl, 63);
	assert_int_equal(f->attempts[0].leg.req_acked, f->attempts[0].leg.req_bytes);
}

static void test_connect_without_any_answer_ends_with_the_exchange(void **state)
{
	struct run *r = *state;
	struct net_conn down, up = net_conn(BACK, 31000, BACKEND, 9002);
	const struct finding *f;

	ask(r, &down, GET("/gone"));
	net_seg(&r->net, 80 * US, &up, 0, W5_TCP_SYN, NULL);
	up.seq[0]--;
	net_seg(&r->net, 1000 * MS, &up, 0, W5_TCP_SYN, NULL);
	net_data(&r->net, 200 * MS, &down, 1, LATE);
	run(r);
	f = only(r);
	assert_int_equal(f->cause, CAUSE_CONN_TIMEOUT_SYN);
	assert_int_equal(f->attempts[0].leg.syn_sent, 2);
	assert_true(f->attempts[0].leg.end_ns == f->ts_ns);
}

/* No timer runs out after a tenth of a millisecond: the answer was not captured. */
static void test_connect_given_up_at_once_is_not_believed(void **state)
{
	struct run *r = *state;
	struct net_conn down, up = net_conn(BACK, 31000, BACKEND, 9001);
	const struct finding *f;

	ask(r, &down, GET("/dead"));
	net_seg(&r->net, 80 * US, &up, 0, W5_TCP_SYN, NULL);
	net_data(&r->net, 130 * US, &down, 1, BAD);
	run(r);
	f = only(r);
	assert_int_equal(f->cause, CAUSE_INSUFFICIENT_EVIDENCE);
	assert_int_equal(f->lost, 1);
	assert_true(counted(r)->missing == 1);
}

static void test_unreachable_by_icmp(void **state)
{
	struct run *r = *state;
	struct net_conn down, up = net_conn(BACK, 31000, "10.77.3.99", 9003);
	char from[64];
	const struct finding *f;

	ask(r, &down, GET("/far"));
	net_seg(&r->net, 80 * US, &up, 0, W5_TCP_SYN, NULL);
	net_icmp(&r->net, 2000 * MS, &up, "10.77.2.2", 3, 1);
	net_data(&r->net, 100 * US, &down, 1, BAD);
	run(r);
	f = only(r);
	assert_int_equal(f->cause, CAUSE_HOST_UNREACHABLE_ICMP);
	inet_ntop(AF_INET, f->attempts[0].leg.icmp_from.ip + 12, from, sizeof(from));
	assert_string_equal(from, "10.77.2.2");
}

/* Nothing but a SYN tells of a connect: without one no claim is made. */
static void test_no_attempt_is_no_proof(void **state)
{
	struct run *r = *state;
	struct net_conn down;

	ask(r, &down, GET("/none"));
	net_data(&r->net, 100 * US, &down, 1, BAD);
	run(r);
	assert_int_equal(only(r)->cause, CAUSE_INSUFFICIENT_EVIDENCE);
	assert_non_null(strstr(only(r)->why, "sent no packet"));
}

static void test_retry_that_answered(void **state)
{
	struct run *r = *state;
	struct net_conn down, dead = net_conn(BACK, 31000, BACKEND, 9001),
			      up = net_conn(BACK, 31001, BACKEND, 9000);
	const struct finding *f;

	ask(r, &down, GET("/twice"));
	net_seg(&r->net, 80 * US, &dead, 0, W5_TCP_SYN, NULL);
	net_seg(&r->net, 30 * US, &dead, 1, W5_TCP_RST | W5_TCP_ACK, NULL);
	net_open(&r->net, 40 * US, &up);
	net_data(&r->net, 20 * US, &up, 0, GET("/twice"));
	net_data(&r->net, 500 * US, &up, 1, OK);
	net_data(&r->net, 50 * US, &down, 1, OK);
	run(r);
	f = only(r);
	assert_int_equal(f->verdict, VERDICT_RECOVERED);
	assert_int_equal(f->nattempts, 2);
	assert_int_equal(f->attempts[0].cause, CAUSE_CONN_REFUSED);
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

/* ---- files ---- */

static char path[] = "/tmp/why502-test-XXXXXX";

static void put(FILE *f, uint32_t v, bool swap)
{
	v = swap ? __builtin_bswap32(v) : v;
	fwrite(&v, 4, 1, f);
}

/* Classic pcap, by hand. */
static void write_file(const struct net *n, uint32_t magic, bool swap, uint32_t unit_ns, int dlt)
{
	int fd;
	FILE *f;

	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	put(f, magic, swap);
	put(f, swap ? 0x00020004 : 0x00040002, swap);
	put(f, 0, swap);
	put(f, 0, swap);
	put(f, 65535, swap);
	put(f, (uint32_t)dlt, swap);
	for (size_t i = 0; i < n->n; i++) {
		const struct capture_packet *k = &n->p[i].k;

		put(f, (uint32_t)(k->ts_ns / 1000000000), swap);
		put(f, (uint32_t)(k->ts_ns % 1000000000 / unit_ns), swap);
		put(f, (uint32_t)k->cap, swap);
		put(f, (uint32_t)k->len, swap);
		fwrite(k->data, 1, k->cap, f);
	}
	fclose(f);
}

static int read_file(struct run *r, char err[CAPTURE_ERR_MAX])
{
	static const struct capture_ops ops = { .record = on_record, .say = on_say };
	static const struct engine_ops eops = { .finding = on_finding };
	struct engine_cfg cfg;
	int rc;

	engine_cfg_default(&cfg);
	engine_free(r->e);
	assert_int_equal(engine_new(&r->e, &cfg, &eops, r), 0);
	rc = capture_read(path, &r->cfg, &ops, r, err);
	engine_finish(r->e);
	return rc;
}

static void refused(struct run *r)
{
	struct net_conn down, up = net_conn(BACK, 31000, BACKEND, 9001);

	ask(r, &down, GET("/dead"));
	net_seg(&r->net, 80 * US, &up, 0, W5_TCP_SYN, NULL);
	net_seg(&r->net, 30 * US, &up, 1, W5_TCP_RST | W5_TCP_ACK, NULL);
	net_data(&r->net, 100 * US, &down, 1, BAD);
}

static void test_files_of_both_precisions_and_byte_orders(void **state)
{
	struct run *r = *state;
	char err[CAPTURE_ERR_MAX];

	refused(r);
	for (int i = 0; i < 4; i++) {
		write_file(&r->net, i & 1 ? 0xa1b23c4d : 0xa1b2c3d4, i & 2, i & 1 ? 1 : 1000, 101);
		assert_true(capture_is(path));
		assert_int_equal(read_file(r, err), 0);
		unlink(path);
		assert_int_equal(r->nf, i + 1);
		assert_int_equal(r->f[i]->cause, CAUSE_CONN_REFUSED);
		assert_true(r->f[i]->wall_ns == r->net.now_ns);
	}
}

static void test_file_that_is_cut(void **state)
{
	struct run *r = *state;
	char err[CAPTURE_ERR_MAX];

	refused(r);
	write_file(&r->net, 0xa1b2c3d4, false, 1000, 101);
	assert_int_equal(truncate(path, 24 + 60), 0); /* within the second packet */
	assert_int_equal(read_file(r, err), -ENOENT); /* and no request before that */
	unlink(path);
	write_file(&r->net, 0xa1b2c3d4, false, 1000, 101);
	{
		FILE *f = fopen(path, "a");

		fwrite("\1\2\3\4\5", 1, 5, f);
		fclose(f);
	}
	assert_int_equal(read_file(r, err), -ENODATA);
	assert_non_null(strstr(err, "what came before is used"));
	assert_int_equal(only(r)->cause, CAUSE_CONN_REFUSED);
	unlink(path);
}

static void test_files_that_are_none(void **state)
{
	struct run *r = *state;
	char err[CAPTURE_ERR_MAX];
	FILE *f;

	refused(r);
	write_file(&r->net, 0xa1b2c3d4, false, 1000, 105);
	assert_int_equal(read_file(r, err), -EPROTO);
	assert_non_null(strstr(err, "it reads Ethernet"));
	f = fopen(path, "w");
	fputs("W5TRACE", f);
	fclose(f);
	assert_false(capture_is(path));
	unlink(path);
	assert_false(capture_is(path));
	assert_int_equal(read_file(r, err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		TEST(test_gateway_is_found_by_its_requests),
		TEST(test_no_gateway_says_what_is_missing),
		TEST(test_gateway_given_by_hand),
		TEST(test_gateway_arguments),
		TEST(test_refused_connect),
		TEST(test_reset_after_the_request_is_certain_by_its_target),
		TEST(test_connect_without_any_answer_ends_with_the_exchange),
		TEST(test_connect_given_up_at_once_is_not_believed),
		TEST(test_unreachable_by_icmp),
		TEST(test_no_attempt_is_no_proof),
		TEST(test_retry_that_answered),
		TEST(test_packet_captured_twice_counts_once),
		TEST(test_segments_out_of_order),
		TEST(test_missing_answer_is_not_called_silence),
		TEST(test_only_one_direction),
		TEST(test_cut_packets_are_counted),
		TEST(test_begun_in_the_middle),
		TEST(test_encrypted_clients_are_counted),
		TEST(test_link_types),
		TEST(test_files_of_both_precisions_and_byte_orders),
		TEST(test_file_that_is_cut),
		TEST(test_files_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
