/* SPDX-License-Identifier: BSD-2-Clause */
/* NDJSON of a session: lines beside each other, who is watched, the summary. */
#include <stdio.h>

#include "ndjson_bench.h"
#include "sink/names.h"
#include "sink/pcapout.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		TEST(test_many_lines_stay_apart),	TEST(test_ready_lists_gateways),
		TEST(test_failed_start_writes_nothing), TEST(test_stats_name_every_loss_and_cause),
		TEST(test_pcap_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
