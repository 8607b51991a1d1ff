/* SPDX-License-Identifier: BSD-2-Clause */
/* One failed attempt and its exchange, fed to an engine, and what must come out of it. */
#ifndef TESTS_LIB_EXPLAIN_H
#define TESTS_LIB_EXPLAIN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rec.h"

#define CERTAIN CONFIDENCE_CERTAIN
#define LIKELY	CONFIDENCE_LIKELY

/* Feeds one failed attempt and its exchange, hints both ways, and returns the finding. */
static inline struct finding *explain_one(struct bench *b, struct w5_leg *up, uint16_t status,
					  double t)
{
	struct w5_leg d = rec_down(D, 1000, "POST", "/api/cart");

	rec_answer(&d, t, status);
	rec_tie(up, &d);
	feed(b, up);
	feed(b, &d);
	bench_settle(b, t);
	assert_int_equal(b->n, 1);
	return b->f[0];
}

static inline void expect_by(const char *gateway, struct w5_leg up, uint16_t status, double t,
			     enum cause cause, enum confidence conf, const char *why,
			     const char *next)
{
	struct bench b;
	struct finding *f;

	bench_open(&b, gateway);
	f = explain_one(&b, &up, status, t);
	if (f->cause != cause)
		print_message("cause %s: %s\n", cause_name(f->cause), f->why);
	assert_string_equal(cause_name(f->cause), cause_name(cause));
	assert_string_equal(confidence_name(f->confidence), confidence_name(conf));
	assert_int_equal(f->nattempts, 1);
	assert_int_equal(f->attempts[0].cause, cause);
	if (cause != CAUSE_BACKEND_5XX)
		assert_int_equal(f->verdict, VERDICT_GATEWAY_MADE);
	if (why && !strstr(f->why, why))
		fail_msg("why: %s", f->why);
	if (next && !strstr(f->next, next))
		fail_msg("next: %s", f->next);
	assert_true(f->nevidence > 0);
	assert_true(f->next[0]);
	bench_close(&b);
}

static inline void expect(struct w5_leg up, uint16_t status, double t, enum cause cause,
			  enum confidence conf, const char *why)
{
	expect_by("nginx", up, status, t, cause, conf, why, NULL);
}

static inline bool has_evidence(const struct finding *f, const char *text)
{
	for (size_t i = 0; i < f->nevidence; i++) {
		if (strstr(f->evidence[i], text))
			return true;
	}
	for (size_t i = 0; i < f->nevidence; i++)
		print_message("evidence: %s\n", f->evidence[i]);
	return false;
}

#endif
