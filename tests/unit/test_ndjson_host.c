/* SPDX-License-Identifier: BSD-2-Clause */
/* The object "host" of the stats line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>

#include "../lib/rec_host.h"
#include "base/buf.h"
#include "sink/ndjson_host.h"

static json_t *host_of(struct bench *b)
{
	struct buf out;
	struct json j = { .out = &out };
	json_t *v;

	buf_init(&out, 1 << 20);
	json_open(&j, NULL, '{');
	ndjson_host(&j, b->e);
	json_close(&j, '}');
	v = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(v);
	buf_fini(&out);
	return v;
}

static void test_nothing_is_known(void **state)
{
	struct bench b;
	json_t *v;

	bench_open(&b, "nginx");
	v = host_of(&b);
	assert_int_equal(json_object_size(v), 0);
	json_decref(v);
	bench_close(&b);
}

static void test_numbers_and_warnings(void **state)
{
	struct w5_host r = rec_host(950);
	json_t *v, *host, *gw, *w;
	struct bench b;

	bench_open(&b, "nginx");
	r.v[W5_HOST_FILES] = 1021;
	r.v[W5_HOST_CONNTRACK] = W5_HOST_UNKNOWN;
	r.v[W5_HOST_CPU] = 4125;
	rec_host_port(&r, 17, 12);
	feed_host(&b, &r);
	v = host_of(&b);
	host = json_object_get(v, "host");
	assert_true(json_number_value(json_object_get(host, "cpu")) == 41.25);
	assert_int_equal(json_array_size(json_object_get(host, "gateways")), 1);
	gw = json_array_get(json_object_get(host, "gateways"), 0);
	assert_string_equal(json_string_value(json_object_get(gw, "name")), "nginx");
	assert_int_equal(json_integer_value(json_object_get(gw, "files")), 1021);
	assert_int_equal(json_integer_value(json_object_get(gw, "files_max")), 1024);
	assert_null(json_object_get(gw, "conntrack")); /* not read: absent */
	assert_null(json_object_get(gw, "cpu"));
	w = json_array_get(json_object_get(gw, "ports"), 0);
	assert_int_equal(json_integer_value(json_object_get(w, "used")), 12);
	w = json_array_get(json_object_get(gw, "listeners"), 0);
	assert_string_equal(json_string_value(json_object_get(w, "address")), "*:80");
	assert_true(json_is_true(json_object_get(w, "own")));
	w = json_array_get(json_object_get(gw, "warnings"), 0);
	assert_string_equal(json_string_value(json_object_get(w, "limit")),
			    "open files of process 2217");
	assert_string_equal(json_string_value(json_object_get(w, "max")), "1024");
	json_decref(v);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_known),
		cmocka_unit_test(test_numbers_and_warnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
