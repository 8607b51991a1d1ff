/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of idle conns ask of the engine. */
#ifndef TESTS_UNIT_IDLE_UPSTREAM_H
#define TESTS_UNIT_IDLE_UPSTREAM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../lib/rec_text.h"

static inline const struct engine_upstream *only_upstream(const struct bench *b)
{
	const struct engine_upstream *const *v;

	assert_int_equal(engine_upstreams(b->e, &v), 1);
	return v[0];
}

#endif
