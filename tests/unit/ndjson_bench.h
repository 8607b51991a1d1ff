/* SPDX-License-Identifier: BSD-2-Clause */
/* NDJSON that a test has written, and its fields. */
#ifndef TESTS_UNIT_NDJSON_BENCH_H
#define TESTS_UNIT_NDJSON_BENCH_H

#include <jansson.h>

#include "sink/ndjson.h"
#include "sink_bench.h"

/* What else the summary asks of an engine. */
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

static inline int setup(void **state)
{
	return fixture_new(state, ndjson_new);
}

/* Line n (from 0) of what was written, parsed; fails if it is no JSON object. */
static inline json_t *line(struct fixture *x, int n)
{
	const char *p = written(x);
	json_error_t err;
	json_t *v;

	while (n--) {
		p = strchr(p, '\n');
		assert_non_null(p);
		p++;
	}
	v = json_loadb(p, strcspn(p, "\n"), JSON_REJECT_DUPLICATES, &err);
	if (!v)
		fail_msg("%s at %d: %s", err.text, err.position, p);
	return v;
}

static inline json_t *put(struct fixture *x)
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

static inline double real(const json_t *v, const char *key)
{
	assert_true(json_is_number(json_object_get(v, key)));
	return json_number_value(json_object_get(v, key));
}

#endif
