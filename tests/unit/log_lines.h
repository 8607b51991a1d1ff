/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of an access log for tests of the engine. */
#ifndef TESTS_UNIT_LOG_LINES_H
#define TESTS_UNIT_LOG_LINES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../lib/rec.h"

/* A line of nginx that ended at t (ms), read 20 ms after. */
static inline struct w5_log line_of(double t, uint16_t status, const char *target)
{
	struct w5_log l = { .h = { .ts_ns = ms(t + 20), .type = W5_REC_LOG, .size = sizeof(l) },
			    .end_ns = ms(t),
			    .precision_us = 1000,
			    .duration_us = 500,
			    .group = REC_GW,
			    .status = status,
			    .client = rec_ip(200),
			    .cport = 51034,
			    .kind = W5_LOG_NGINX };
	int n = snprintf((char *)l.head, sizeof(l.head), "GET %s HTTP/2.0\r\n", target);

	l.head_len = (uint16_t)n;
	return l;
}

static inline void feed_line(struct bench *b, const struct w5_log *l)
{
	engine_feed(b->e, &l->h);
}

/* A log is followed from now on. */
static inline void begin(struct bench *b, const char *comm)
{
	struct w5_log l = { .h = { .ts_ns = ms(905), .type = W5_REC_LOG, .size = sizeof(l) },
			    .kind = W5_LOG_NGINX };

	bench_open(b, comm);
	feed_line(b, &l);
}

static inline void settle(struct bench *b, double t)
{
	for (int i = 0; i < 10; i++)
		rec_tick(b->e, t + 100 * i);
	bench_settle(b, t + 1000);
}

static inline struct w5_leg refused(uint64_t cookie, double t, unsigned last)
{
	return rec_connect(cookie, t - 0.3, last, 111, t - 0.1);
}

static inline struct w5_leg wire(double t, uint16_t status, const char *target)
{
	struct w5_leg d = rec_down(D, t - 0.5, "GET", target);

	rec_answer(&d, t, status);
	return d;
}

static inline const struct finding *alone(struct bench *b, struct w5_log *l, double t)
{
	feed_line(b, l);
	settle(b, t);
	assert_int_equal(b->n, 1);
	assert_int_equal(b->f[0]->sight, SIGHT_LOG);
	assert_int_equal(engine_counters(b->e)->s502, l->status == 502);
	assert_int_equal(engine_counters(b->e)->exchanges, 1);
	return b->f[0];
}

#endif
