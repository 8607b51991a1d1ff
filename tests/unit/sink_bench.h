/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sink that writes to a file, with a finding to give it. It reads an engine through a few
 * functions only: here they answer from what a test has put down.
 */
#ifndef TESTS_UNIT_SINK_BENCH_H
#define TESTS_UNIT_SINK_BENCH_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sample.h"
#include "sink/printout.h"

static struct engine_counters counters;
static struct engine_gateway gateways[1];
static size_t ngateways;

const struct engine_counters *engine_counters(const struct engine *e)
{
	return &counters;
}

size_t engine_gateways(const struct engine *e, const struct engine_gateway **out)
{
	*out = gateways;
	return ngateways;
}

struct fixture {
	struct sink s;
	struct finding *f;
	int fd; /* what the sink writes to */
	char text[1 << 20];
};

static inline int fixture_new(void **state, int (*sink_new)(struct sink *out, int fd))
{
	struct fixture *x = calloc(1, sizeof(*x));

	counters = (struct engine_counters){ 0 };
	ngateways = 0;
	x->f = sample_finding();
	x->fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	*state = x;
	return x->fd < 0 ? -1 : sink_new(&x->s, x->fd);
}

static inline int teardown(void **state)
{
	struct fixture *x = *state;

	if (x->s.self)
		x->s.ops->close(x->s.self, NULL);
	finding_unref(x->f);
	close(x->fd);
	free(x);
	return 0;
}

static inline const char *written(struct fixture *x)
{
	memset(x->text, 0, sizeof(x->text));
	assert_true(pread(x->fd, x->text, sizeof(x->text) - 1, 0) >= 0);
	return x->text;
}

#endif
