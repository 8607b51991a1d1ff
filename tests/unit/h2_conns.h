/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP/2 conns for tests, open long before anything is asked on them. */
#ifndef TESTS_UNIT_H2_CONNS_H
#define TESTS_UNIT_H2_CONNS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../lib/rec_text.h"

/* Error codes (RFC 9113 7). */
#define INTERNAL_ERROR 2
#define REFUSED_STREAM 7
#define CANCEL	       8

static inline struct wire down_open(struct bench *b)
{
	return wire_open(b, D, W5_ROLE_DOWNSTREAM, 990);
}

static inline struct wire up_open(struct bench *b)
{
	return wire_open(b, U, W5_ROLE_UPSTREAM, 990);
}

static inline const struct engine_counters *settled(struct bench *b, double t)
{
	bench_settle(b, t);
	return engine_counters(b->e);
}

/* A request that the gateway passes on. */
static inline void pass_on(struct wire *d, struct wire *u, uint32_t stream)
{
	wire_request(d, 1000, IN, stream, "GET", "/a");
	wire_hint(u, D, 1000);
	wire_request(u, 1000.1, OUT, stream, "GET", "/a");
}

static inline void passed_on(struct bench *b, struct wire *d, struct wire *u)
{
	bench_open(b, "nginx");
	*d = down_open(b);
	*u = up_open(b);
	pass_on(d, u, 1);
}

#endif
