/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "../lib/hello.h"
#include "base/util.h"
#include "sample.h"
#include "sink/names.h"
#include "sink/ndjson.h"
#include "sink/pcapout.h"
#include "sink/printout.h"

/* The sink reads an engine through these only; here they answer from constants. */
static struct engine_counters counters;
static struct engine_gateway gateways[1];
static size_t ngateways;

const struct engine_counters *engine_counters(const struct engine *e)
{
	return &counters;
}

uint64_t engine_lost(const struct engine *e)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < W5_LOSS_MAX; i++)
		sum += counters.loss[i];
	return sum;
}

size_t engine_hosts(const struct engine *e, struct engine_host *out, size_t n)
{
	return 0;
}

size_t engine_gateways(const struct engine *e, const struct engine_gateway **out)
{
	*out = gateways;
	return ngateways;
}

static struct engine_upstream counted = {
	.port = 8080, .counted = true, .in_use = 3, .in_use_max = 8, .idle = 5, .oldest_ms = 1200
};
static struct engine_upstream unwanted = { .counted = true, .unwanted = true }, uncounted;

size_t engine_upstreams(const struct engine *e, const struct engine_upstream *const **out)
{
	static const struct engine_upstream *const all[] = { &uncounted, &counted, &unwanted };

	*out = all;
	return 3;
}

struct fixture {
	struct sink s;
	struct finding *f;
	int fd; /* what the sink writes to */
};

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	counters = (struct engine_counters){ 0 };
	ngateways = 0;
	x->f = sample_finding();
	x->fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	*state = x;
	return x->fd < 0 ? -1 : ndjson_new(&x->s, x->fd);
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	if (x->s.self)
		x->s.ops->close(x->s.self, NULL);
	finding_unref(x->f);
	close(x->fd);
	free(x);
	return 0;
}

/* Line n (from 0) of what was written, parsed; fails if it is no JSON object. */
static json_t *line(const struct fixture *x, int n)
{
	char *text = calloc(1, 1 << 20), *p = text;
	json_error_t err;
	json_t *v;

	assert_true(pread(x->fd, text, (1 << 20) - 1, 0) > 0);
	while (n--) {
		p = strchr(p, '\n');
		assert_non_null(p);
		p++;
	}
	p[strcspn(p, "\n")] = '\0';
	v = json_loads(p, JSON_REJECT_DUPLICATES, &err);
	if (!v)
		fail_msg("%s at %d: %s", err.text, err.position, p);
	free(text);
	return v;
}

static json_t *put(struct fixture *x)
{
	assert_int_equal(x->s.ops->finding(x->s.self, x->f), 0);
	assert_int_equal(x->s.ops->tick(x->s.self, NULL), 0);
	return line(x, 0);
}

#define assert_json_str(v, key, want) \
	assert_string_equal(json_string_value(json_object_get(v, key)), want)
#define assert_json_int(v, key, want) \
	assert_int_equal(json_integer_value(json_object_get(v, key)), want)
#define assert_json_true(v, key)  assert_true(json_is_true(json_object_get(v, key)))
#define assert_json_false(v, key) assert_true(json_is_false(json_object_get(v, key)))
#define assert_absent(v, key)	  assert_null(json_object_get(v, key))

static double real(const json_t *v, const char *key)
{
	assert_true(json_is_number(json_object_get(v, key)));
	return json_number_value(json_object_get(v, key));
}

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

static void test_many_lines_stay_apart(void **state)
{
	struct fixture *x = *state;

	for (x->f->id = 0; x->f->id < 300; x->f->id++)
		assert_int_equal(x->s.ops->finding(x->s.self, x->f), 0);
	assert_int_equal(x->s.ops->tick(x->s.self, NULL), 0);
	for (int i = 0; i < 300; i += 23) {
		json_t *v = line(x, i);

		assert_json_int(v, "id", i);
		json_decref(v);
	}
}

static void test_ready_lists_gateways(void **state)
{
	struct fixture *x = *state;
	json_t *v, *g;

	counters.now_ns = SAMPLE_TS_NS;
	counters.wall_offset_ns = SAMPLE_WALL_NS - SAMPLE_TS_NS;
	snprintf(counters.host, sizeof(counters.host), "gw-03");
	gateways[0] = (struct engine_gateway){
		.name = "nginx", .group = 12, .nprocs = 4, .nports = 2, .ports = { 80, 443 }
	};
	ngateways = 1;
	assert_int_equal(printout_ready(&x->s, NULL), 0);
	v = line(x, 0);
	assert_json_str(v, "type", "ready");
	assert_json_str(v, "ts", "2026-11-22T12:06:21.341402Z");
	assert_json_str(v, "host", "gw-03");
	g = json_array_get(json_object_get(v, "gateways"), 0);
	assert_json_str(g, "name", "nginx");
	assert_json_int(g, "processes", 4);
	assert_absent(g, "cgroup");
	assert_int_equal(json_integer_value(json_array_get(json_object_get(g, "ports"), 1)), 443);
	json_decref(v);
}

static void test_failed_start_writes_nothing(void **state)
{
	struct fixture *x = *state;
	char c;

	counters.start_ns = counters.now_ns = 1;
	x->s.ops->close(x->s.self, NULL);
	x->s.self = NULL;
	assert_int_equal(pread(x->fd, &c, 1, 0), 0);
}

static void test_stats_name_every_loss_and_cause(void **state)
{
	struct fixture *x = *state;
	json_t *v, *row;

	counters.exchanges = 1000;
	counters.s502 = 3;
	for (unsigned int i = 0; i < W5_LOSS_MAX; i++)
		counters.loss[i] = i + 1;
	for (int i = 0; i < 3; i++)
		assert_int_equal(x->s.ops->finding(x->s.self, x->f), 0);
	x->f->attempts[0].leg.rport = 8081;
	assert_int_equal(x->s.ops->finding(x->s.self, x->f), 0);
	x->s.ops->close(x->s.self, NULL);
	x->s.self = NULL;
	v = line(x, 4);
	assert_json_str(v, "type", "stats");
	assert_json_int(v, "exchanges", 1000);
	assert_json_int(v, "status_502", 3);
	assert_json_int(v, "lost", W5_LOSS_MAX * (W5_LOSS_MAX + 1) / 2);
	assert_int_equal(json_object_size(json_object_get(v, "loss")), W5_LOSS_MAX);
	for (unsigned int i = 0; i < W5_LOSS_MAX; i++)
		assert_json_int(json_object_get(v, "loss"), loss_name(i), i + 1);
	assert_int_equal(json_array_size(json_object_get(v, "causes")), 2);
	row = json_array_get(json_object_get(v, "pools"), 0);
	assert_int_equal(json_array_size(json_object_get(v, "pools")), 1);
	assert_json_int(row, "in_use", 3);
	assert_json_int(row, "in_use_max", 8);
	assert_json_int(row, "idle", 5);
	assert_json_int(row, "connecting", 0);
	assert_json_int(row, "oldest_ms", 1200);
	row = json_array_get(json_object_get(v, "causes"), 0);
	assert_json_str(row, "cause", "keepalive-race");
	assert_json_int(json_object_get(row, "upstream"), "port", 8080);
	assert_json_int(row, "count", 3);
	json_decref(v);
}

static void test_pcap_file_is_named(void **state)
{
	char dir[] = "/tmp/why502-test-XXXXXX", cmd[64];
	struct pcap_dir_cfg cfg = { .dir = dir, .max_files = 1, .max_bytes = 1 << 20 };
	struct fixture *x = *state;
	struct sink pcap;
	json_t *v;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(pcap_dir_new(&pcap, &cfg), 0);
	printout_set_pcap(&x->s, &pcap);
	assert_int_equal(pcap.ops->finding(pcap.self, x->f), 0);
	v = put(x);
	assert_int_equal(access(json_string_value(json_object_get(v, "pcap")), R_OK), 0);
	json_decref(v);
	pcap.ops->close(pcap.self, NULL); /* before the sink that reads its counters */
	x->s.ops->close(x->s.self, NULL);
	x->s.self = NULL;
	v = line(x, 1);
	assert_json_int(json_object_get(v, "pcap"), "files", 1);
	json_decref(v);
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	assert_int_equal(system(cmd), 0);
}

static void test_reader_that_left_is_an_error_once_flushed(void **state)
{
	struct fixture *x = *state;
	int pipefd[2];
	struct sink s;

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(pipefd), 0);
	close(pipefd[0]);
	assert_int_equal(ndjson_new(&s, pipefd[1]), 0);
	assert_int_equal(s.ops->finding(s.self, x->f), 0);
	assert_int_equal(s.ops->tick(s.self, NULL), -EPIPE);
	s.ops->close(s.self, NULL);
	close(pipefd[1]);
}

/* A reader that is slow (non-blocking pipe, full): lines wait, none is broken, and what
 * does not fit the bound is refused. */
static void test_slow_reader_gets_whole_lines(void **state)
{
	struct fixture *x = *state;
	int pipefd[2], refused = 0, rc;
	char *text = malloc(32 << 20), *p;
	size_t len = 0, nfindings = 0, want;
	struct sink s;
	ssize_t n;

	assert_int_equal(pipe2(pipefd, O_NONBLOCK), 0);
	assert_int_equal(ndjson_new(&s, pipefd[1]), 0);
	for (x->f->id = 0; x->f->id < 10000; x->f->id++) {
		rc = s.ops->finding(s.self, x->f);
		if (rc)
			assert_int_equal(rc, -ENOBUFS);
		refused += rc != 0;
	}
	assert_true(refused > 0);
	want = 10000 - (size_t)refused;
	for (int round = 0; round < 2000; round++) {
		while ((n = read(pipefd[0], text + len, (32 << 20) - len)) > 0)
			len += (size_t)n;
		assert_int_equal(s.ops->tick(s.self, NULL), 0);
	}
	s.ops->close(s.self, NULL);
	while ((n = read(pipefd[0], text + len, (32 << 20) - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	for (p = text; *p; nfindings++) {
		char *end = strchr(p, '\n');
		json_t *v = json_loadb(p, (size_t)(end - p), 0, NULL);

		assert_non_null(v);
		if (nfindings == want) {
			assert_json_str(v, "type", "stats");
			assert_json_int(v, "unwritten", refused);
		}
		json_decref(v);
		p = end + 1;
	}
	assert_int_equal(nfindings, want + 1);
	free(text);
	close(pipefd[0]);
	close(pipefd[1]);
}

static void test_full_disk_is_an_error(void **state)
{
	struct fixture *x = *state;
	int fd = open("/dev/full", O_WRONLY);
	struct sink s;

	assert_true(fd >= 0);
	assert_int_equal(ndjson_new(&s, fd), 0);
	assert_int_equal(s.ops->finding(s.self, x->f), 0);
	assert_int_equal(s.ops->tick(s.self, NULL), -ENOSPC);
	s.ops->close(s.self, NULL);
	close(fd);
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
		TEST(test_many_lines_stay_apart),
		TEST(test_ready_lists_gateways),
		TEST(test_failed_start_writes_nothing),
		TEST(test_stats_name_every_loss_and_cause),
		TEST(test_pcap_file_is_named),
		TEST(test_reader_that_left_is_an_error_once_flushed),
		TEST(test_slow_reader_gets_whole_lines),
		TEST(test_full_disk_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
