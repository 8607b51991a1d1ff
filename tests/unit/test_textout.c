/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sink/pcapout.h"
#include "sink/textout.h"
#include "sink_bench.h"

static int setup(void **state)
{
	setenv("TZ", "UTC", 1);
	tzset();
	return fixture_new(state, textout_new);
}

static const char *put(struct fixture *x)
{
	assert_int_equal(x->s.ops->finding(x->s.self, x->f), 0);
	assert_int_equal(x->s.ops->tick(x->s.self, NULL), 0);
	return written(x);
}

static void test_finding_reads_as_text(void **state)
{
	assert_string_equal(
		put(*state),
		"12:06:21.341  502 POST shop.example/api/cart  from 198.51.100.4:51034"
		"  after 0.402 ms  by nginx[2217]\n"
		"  keepalive-race (certain), gateway-made, finding 17\n"
		"  try 1  10.0.3.18:8080  reused 41 times, idle 60.0 s, "
		"request not acknowledged, backend reset (RST) after 0.290 ms\n"
		"  WHY  the backend closed the idle connection just as the gateway reused it\n"
		"  NEXT make the gateway's upstream keepalive timeout shorter\n"
		"\n");
}

static void test_who_saw_the_status(void **state)
{
	struct fixture *x = *state;
	const char *text;

	x->f->sight = SIGHT_LOG;
	x->f->down.rport = 0;
	text = put(x);
	assert_non_null(strstr(text, "  from 198.51.100.4  after"));
	assert_non_null(strstr(text, "gateway-made, finding 17, status seen by log\n"));
}

static void test_failed_connect_and_earlier_tries(void **state)
{
	struct fixture *x = *state;
	struct attempt *a = reallocarray(x->f->attempts, 2, sizeof(*a));
	const char *text;

	x->f->attempts = a;
	x->f->nattempts = 2;
	x->f->cause = CAUSE_KEEPALIVE_RACE;
	a[1] = a[0];
	a[0] = (struct attempt){ .cause = CAUSE_CONN_REFUSED,
				 .leg = { .remote = sample_addr("2001:db8::1"),
					  .rport = 80,
					  .open_ns = SAMPLE_TS_NS - 100000,
					  .end_ns = SAMPLE_TS_NS,
					  .end = W5_END_CONNECT,
					  .err = ECONNREFUSED,
					  .syn_sent = 1 } };
	text = put(x);
	assert_non_null(strstr(text, "  try 1  [2001:db8::1]:80  connect, 1 SYN, failed with "
				     "ECONNREFUSED after 0.100 ms: conn-refused\n"));
	assert_non_null(strstr(text, "  try 2  10.0.3.18:8080  reused 41"));
}

static void test_passed_through_says_the_status(void **state)
{
	struct fixture *x = *state;
	struct w5_leg *l = &x->f->attempts[0].leg;

	l->end = W5_END_NONE;
	l->nr = 1;
	l->idle_ns = 0;
	l->status = 503;
	l->resp_bytes = 10;
	l->resp_ns = l->req_ns + 1500000;
	x->f->attempts[0].doubtful = true;
	x->f->confidence = CONFIDENCE_AMBIGUOUS;
	assert_non_null(strstr(put(x), "  fact FIN from backend 0.219 ms before"));
	assert_non_null(strstr(x->text, "  maybe 1  10.0.3.18:8080  new connection, "
					"answered 503 after 1.500 ms\n"));
}

/* Nothing from the wire may steer a terminal or fake a line. */
static void test_control_bytes_never_reach_the_terminal(void **state)
{
	struct fixture *x = *state;

	for (int i = 0; i < W5_HEAD_REQ; i++)
		x->f->target[i] = (char)(255 - i);
	snprintf(x->f->host, sizeof(x->f->host), "a\n12:00:00.000  200\x1b[2J");
	snprintf(x->f->method, sizeof(x->f->method), "\r\n");
	snprintf(x->f->gateway_name, sizeof(x->f->gateway_name), "\x1b]0;x\x07");
	put(x);
	for (const char *p = x->text; *p; p++)
		assert_true((*p >= ' ' && *p < 0x7f) || *p == '\n');
	assert_non_null(strstr(x->text, "\\x0d\\x0a a\\x0a12:00"));
}

static void test_ready_says_what_is_watched(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(printout_ready(&x->s, NULL), 0);
	assert_string_equal(written(x), "");
	assert_int_equal(x->s.ops->tick(x->s.self, NULL), 0);
	assert_non_null(strstr(written(x), "No gateway found yet"));
	gateways[0] = (struct engine_gateway){ .name = "nginx",
					       .group = 12,
					       .nprocs = 4,
					       .nports = 2,
					       .ports = { 80, 443 },
					       .cgroup = "/system.slice/nginx.service" };
	ngateways = 1;
	assert_int_equal(printout_ready(&x->s, NULL), 0);
	assert_non_null(strstr(written(x), "Watching nginx[12], 4 processes, ports 80, 443, "
					   "/system.slice/nginx.service\n"));
}

/* A replay says so before it has read who the gateways are. */
static void test_ready_waits_for_the_first_finding(void **state)
{
	struct fixture *x = *state;
	const char *text;

	assert_int_equal(printout_ready(&x->s, NULL), 0);
	gateways[0] = (struct engine_gateway){ .name = "nginx", .group = 12, .nprocs = 1 };
	ngateways = 1;
	text = put(x);
	assert_ptr_equal(strstr(text, "Watching nginx[12], 1 process\n\n12:06:21"), text);
	assert_null(strstr(text, "No gateway"));
}

static void test_nothing_watched_no_summary(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(printout_ready(&x->s, NULL), 0);
	x->s.ops->close(x->s.self, NULL);
	x->s.self = NULL;
	assert_string_equal(written(x), "");
}

/* The kernel side told its time, and then could not start. */
static void test_failed_start_no_summary(void **state)
{
	struct fixture *x = *state;

	counters = (struct engine_counters){ .start_ns = 1, .now_ns = 1 };
	x->s.ops->close(x->s.self, NULL);
	x->s.self = NULL;
	assert_string_equal(written(x), "");
}

static void test_no_packets_is_said_where_they_were_asked_for(void **state)
{
	struct pcap_dir_cfg cfg = { .dir = "/tmp", .max_files = 9, .max_bytes = 1 << 20 };
	static const char line[] = "  PCAP no packets were kept of this exchange\n";
	struct fixture *x = *state;
	struct sink pcap;

	flight_unref(x->f->flight);
	flight_unref(x->f->attempts[0].flight);
	x->f->flight = x->f->attempts[0].flight = NULL;
	assert_null(strstr(put(x), line));
	assert_int_equal(pcap_dir_new(&pcap, &cfg), 0);
	printout_set_pcap(&x->s, &pcap);
	assert_non_null(strstr(put(x), line));
	pcap.ops->close(pcap.self, NULL);
}

static void test_narrowed_away_gateways_are_not_listed(void **state)
{
	struct fixture *x = *state;

	gateways[0] = (struct engine_gateway){ .name = "nginx", .nprocs = 1, .unwanted = true };
	ngateways = 1;
	assert_int_equal(printout_ready(&x->s, NULL), 0);
	assert_string_equal(written(x),
			    "No gateway found yet that --pid, --comm and --cgroup allow.\n\n");
}

static void test_summary_counts_and_says_what_helps(void **state)
{
	struct fixture *x = *state;

	counters = (struct engine_counters){ .start_ns = 1,
					     .now_ns = 60000000001,
					     .exchanges = 5000,
					     .bad = 4,
					     .s502 = 4,
					     .recovered = 2 };
	counters.loss[W5_LOSS_RING_RARE] = 7;
	put(x);
	put(x);
	x->f->nattempts = 0; /* no-live-upstream has none */
	x->f->cause = CAUSE_NO_LIVE_UPSTREAM;
	put(x);
	x->f->nattempts = 1;
	x->s.ops->close(x->s.self, NULL);
	x->s.self = NULL;
	written(x);
	assert_non_null(strstr(x->text, "Watched 60.0 s: 5000 exchanges, 4 bad (502: 4, 503: 0, "
					"504: 0, silent: 0), 2 saved by a retry\n"));
	assert_non_null(strstr(x->text, "       2  keepalive-race              10.0.3.18:8080\n"));
	assert_non_null(
		strstr(x->text, "       1  no-live-upstream            (no upstream tried)\n"));
	assert_non_null(strstr(x->text, "Lost: 7 records of failures, ring full (ring-rare); "
					"what helps: --ring-size\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		TEST(test_finding_reads_as_text),
		TEST(test_who_saw_the_status),
		TEST(test_failed_connect_and_earlier_tries),
		TEST(test_passed_through_says_the_status),
		TEST(test_control_bytes_never_reach_the_terminal),
		TEST(test_ready_says_what_is_watched),
		TEST(test_ready_waits_for_the_first_finding),
		TEST(test_nothing_watched_no_summary),
		TEST(test_failed_start_no_summary),
		TEST(test_no_packets_is_said_where_they_were_asked_for),
		TEST(test_narrowed_away_gateways_are_not_listed),
		TEST(test_summary_counts_and_says_what_helps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
