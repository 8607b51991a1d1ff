/* SPDX-License-Identifier: BSD-2-Clause */
/* A finding as a line of NDJSON: what is in it, and what is absent. */
#include <errno.h>
#include <stdio.h>

#include "../lib/hello.h"
#include "ndjson_bench.h"

static void test_finding_as_documented(void **state)
{
	json_t *v = put(*state), *a, *o;

	assert_json_str(v, "type", "finding");
	assert_json_int(v, "id", 17);
	assert_json_str(v, "ts", "2026-11-22T12:06:21.341402Z");
	assert_json_int(v, "status", 502);
	assert_json_false(v, "silent");
	assert_json_str(v, "verdict", "gateway-made");
	assert_json_str(v, "cause", "keepalive-race");
	assert_json_str(v, "confidence", "certain");
	assert_json_str(v, "proxy_status", "connection_terminated");
	assert_json_str(v, "status_witness", "wire");
	assert_absent(v, "precision_ms");
	assert_absent(v, "log_code");
	assert_true(real(v, "duration_ms") == 0.402);
	assert_json_int(v, "lost", 0);
	assert_absent(v, "linked");
	assert_absent(v, "pcap");

	o = json_object_get(v, "gateway");
	assert_json_str(o, "name", "nginx");
	assert_json_int(o, "pid", 2217);
	assert_json_int(o, "group", 2216);
	assert_json_str(o, "cgroup", "/system.slice/nginx.service");
	o = json_object_get(v, "client");
	assert_json_str(o, "ip", "198.51.100.4");
	assert_json_int(o, "port", 51034);
	o = json_object_get(v, "request");
	assert_json_str(o, "method", "POST");
	assert_json_str(o, "target", "/api/cart");
	assert_json_str(o, "host", "shop.example");
	assert_absent(o, "id");

	assert_int_equal(json_array_size(json_object_get(v, "attempts")), 1);
	a = json_array_get(json_object_get(v, "attempts"), 0);
	assert_json_int(a, "n", 1);
	assert_json_str(json_object_get(a, "upstream"), "ip", "10.0.3.18");
	assert_json_int(json_object_get(a, "upstream"), "port", 8080);
	assert_json_int(json_object_get(a, "local"), "port", 41022);
	assert_json_int(a, "reused", 41);
	assert_true(real(a, "idle_ms") == 60004.1);
	assert_true(real(a, "start_ms") == 0.081);
	assert_true(real(a, "end_ms") == 0.371);
	assert_json_false(a, "request_acked");
	assert_json_str(a, "end", "rst");
	assert_json_int(json_object_get(a, "rst"), "ttl", 63);
	assert_json_false(json_object_get(a, "rst"), "ack");
	assert_json_int(json_object_get(a, "rst"), "win", 0);
	assert_json_int(json_object_get(a, "fin"), "ttl", 63);
	assert_json_int(a, "synack_ttl", 63);
	assert_json_int(a, "retransmits", 0);
	assert_json_str(a, "cause", "keepalive-race");
	assert_absent(a, "status");
	assert_absent(a, "err");
	assert_absent(a, "connect_ms");

	o = json_object_get(v, "witness");
	assert_int_equal(json_array_size(o), 2);
	assert_string_equal(json_string_value(json_array_get(o, 0)), "target");
	assert_string_equal(json_string_value(json_array_get(o, 1)), "thread");
	assert_int_equal(json_array_size(json_object_get(v, "evidence")), 1);
	json_decref(v);
}

static void test_failed_connect_names_its_errno(void **state)
{
	struct fixture *x = *state;
	struct w5_leg *l = &x->f->attempts[0].leg;
	json_t *v, *a;

	*l = (struct w5_leg){ .remote = sample_addr("2001:db8::1"),
			      .rport = 80,
			      .open_ns = SAMPLE_TS_NS - 502000,
			      .end_ns = SAMPLE_TS_NS,
			      .end = W5_END_CONNECT,
			      .err = ECONNREFUSED,
			      .syn_sent = 1 };
	v = put(x);
	a = json_array_get(json_object_get(v, "attempts"), 0);
	assert_json_str(json_object_get(a, "upstream"), "ip", "2001:db8::1");
	assert_json_str(a, "end", "connect");
	assert_json_str(a, "err", "ECONNREFUSED");
	assert_json_int(a, "syn", 1);
	assert_true(real(a, "start_ms") == -0.1); /* opened ahead of the request */
	assert_absent(a, "reused");
	assert_absent(a, "rst");
	assert_absent(a, "request_acked");
	json_decref(v);
}

static void test_handshake_tells_what_was_asked_and_the_alert(void **state)
{
	static const uint16_t versions[] = { 0x0303, 0x0304, 0 };
	struct hello c = hello_client("shop.example", NULL, versions);
	struct fixture *x = *state;
	struct w5_leg *l = &x->f->attempts[0].leg;
	json_t *v, *o;

	x->f->cause = CAUSE_TLS_HANDSHAKE_FAILED;
	l->proto = W5_PROTO_TLS;
	l->flags = W5_F_HANDSHAKE;
	memcpy(l->head, c.b, c.len);
	l->head_len = (uint16_t)c.len;
	memcpy(l->resp, "\x15\x03\x03\0\x02\x02\x70", 7);
	l->resp_len = 7;
	v = put(x);
	assert_json_str(v, "proxy_status", "tls_alert_received");
	o = json_object_get(json_array_get(json_object_get(v, "attempts"), 0), "tls");
	assert_json_str(o, "sni", "shop.example");
	assert_json_str(o, "oldest", "TLS 1.2");
	assert_json_str(o, "newest", "TLS 1.3");
	assert_absent(o, "chosen");
	assert_json_int(json_object_get(o, "alert"), "number", 112);
	assert_json_str(json_object_get(o, "alert"), "name", "unrecognized_name");
	assert_json_str(json_object_get(o, "alert"), "from", "backend");
	json_decref(v);
}

static void test_certificate_refused_by_the_gateway(void **state)
{
	struct hello srv = hello_server(0x0304);
	struct fixture *x = *state;
	struct w5_leg *l = &x->f->attempts[0].leg;
	json_t *v, *o;

	x->f->cause = CAUSE_TLS_HANDSHAKE_FAILED;
	l->proto = W5_PROTO_TLS;
	l->flags = W5_F_HANDSHAKE;
	l->alert_out = 0x100 | 48;
	memcpy(l->resp, srv.b, srv.len);
	l->resp_len = (uint16_t)srv.len;
	v = put(x);
	assert_json_str(v, "proxy_status", "tls_certificate_error");
	o = json_object_get(json_array_get(json_object_get(v, "attempts"), 0), "tls");
	assert_json_str(o, "chosen", "TLS 1.3");
	assert_absent(o, "sni");
	assert_json_str(json_object_get(o, "alert"), "from", "gateway");
	json_decref(v);
}

static void test_stream_tells_its_frame_and_grpc_status(void **state)
{
	struct fixture *x = *state;
	struct w5_leg *l = &x->f->attempts[0].leg;
	json_t *v, *o;

	l->proto = W5_PROTO_H2;
	l->stream = 5;
	l->h2_end = W5_H2_RST_IN;
	l->h2_error = 7;
	l->grpc_status = 1 + 14;
	x->f->down.stream = 3;
	x->f->down.h2_end = W5_H2_RST_OUT;
	x->f->down.h2_error = 0x77;
	v = put(x);
	o = json_object_get(json_array_get(json_object_get(v, "attempts"), 0), "h2");
	assert_json_int(o, "stream", 5);
	assert_json_str(o, "ended_by", "RST_STREAM");
	assert_json_str(o, "from", "peer");
	assert_json_str(o, "error", "REFUSED_STREAM");
	assert_json_int(o, "grpc_status", 14);
	o = json_object_get(json_object_get(v, "downstream"), "h2");
	assert_json_str(o, "from", "gateway");
	assert_json_str(o, "error", "0x77");
	assert_absent(o, "grpc_status");
	json_decref(v);
}

static void test_silent_exchange_has_no_status(void **state)
{
	struct fixture *x = *state;
	json_t *v;

	x->f->status = 0;
	x->f->verdict = VERDICT_SILENT;
	x->f->req_ns = 0;
	x->f->linked_id = 3;
	x->f->lost = 2;
	x->f->down.end = W5_END_FIN_OUT;
	v = put(x);
	assert_absent(v, "status");
	assert_absent(v, "duration_ms");
	assert_json_true(v, "silent");
	assert_json_int(v, "linked", 3);
	assert_json_int(v, "lost", 2);
	assert_json_str(json_object_get(v, "downstream"), "end", "fin-sent");
	json_decref(v);
}

/* Every byte a client can send, in every text field: one line, valid JSON, and what can
 * be represented comes back as it was. */
static void test_wire_bytes_stay_inside_their_string(void **state)
{
	struct fixture *x = *state;
	json_t *v;

	for (int i = 0; i < W5_HEAD_REQ; i++)
		x->f->target[i] = (char)(255 - i);
	x->f->target[255] = 'z';
	snprintf(x->f->method, sizeof(x->f->method), "A\"B\\C");
	snprintf(x->f->host, sizeof(x->f->host), "\",\"x\":\"\n{\"type\":\"finding\"}");
	memset(x->f->request_id, 0xc3, 128);
	snprintf(x->f->gateway_name, sizeof(x->f->gateway_name), "ng\x1b[2Jinx");
	v = put(x);
	assert_json_str(json_object_get(v, "request"), "method", "A\"B\\C");
	assert_json_str(json_object_get(v, "request"), "host", x->f->host);
	assert_json_str(json_object_get(v, "gateway"), "name", x->f->gateway_name);
	json_decref(v);
}

/* Text is escaped in chunks; a character must not be cut between two. */
static void test_long_utf8_survives(void **state)
{
	struct fixture *x = *state;

	for (size_t shift = 0; shift < 4; shift++) {
		char *p = x->f->target;
		json_t *v;

		memset(p, 'a', shift);
		for (size_t i = shift; i + 4 < W5_HEAD_REQ; i += 4)
			memcpy(p + i, "\xf0\x9f\x98\x80", 5);
		assert_int_equal(ftruncate(x->fd, 0), 0);
		lseek(x->fd, 0, SEEK_SET);
		v = put(x);
		assert_json_str(json_object_get(v, "request"), "target", p);
		json_decref(v);
	}
}

/* Of the client's conn a log knows nothing, of the client what its format has. */
static void test_a_finding_of_the_log_alone(void **state)
{
	struct fixture *x = *state;
	json_t *v;

	x->f->sight = SIGHT_LOG;
	x->f->precision_ns = 1000000000;
	snprintf(x->f->log_code, sizeof(x->f->log_code), "SH--");
	x->f->down.rport = 0;
	v = put(x);
	assert_json_str(v, "status_witness", "log");
	assert_float_equal(real(v, "precision_ms"), 1000, 0);
	assert_json_str(v, "log_code", "SH--");
	assert_absent(v, "downstream");
	assert_json_str(json_object_get(v, "client"), "ip", "198.51.100.4");
	assert_absent(json_object_get(v, "client"), "port");
	json_decref(v);
}

static void test_a_finding_of_a_log_without_addresses(void **state)
{
	struct fixture *x = *state;
	json_t *v;

	x->f->sight = SIGHT_LOG;
	memset(&x->f->down.remote, 0, sizeof(x->f->down.remote));
	x->f->down.rport = 0;
	v = put(x);
	assert_absent(v, "client");
	json_decref(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		TEST(test_finding_as_documented),
		TEST(test_a_finding_of_the_log_alone),
		TEST(test_a_finding_of_a_log_without_addresses),
		TEST(test_failed_connect_names_its_errno),
		TEST(test_handshake_tells_what_was_asked_and_the_alert),
		TEST(test_certificate_refused_by_the_gateway),
		TEST(test_stream_tells_its_frame_and_grpc_status),
		TEST(test_silent_exchange_has_no_status),
		TEST(test_wire_bytes_stay_inside_their_string),
		TEST(test_long_utf8_survives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
