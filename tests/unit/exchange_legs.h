/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns of the two conns that the tests of causes of exchanges begin with. */
#ifndef TESTS_UNIT_EXCHANGE_LEGS_H
#define TESTS_UNIT_EXCHANGE_LEGS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../lib/rec.h"

static inline void refused(struct bench *b, struct w5_leg *d, uint64_t cookie, double open,
			   unsigned last)
{
	struct w5_leg l = rec_connect(cookie, open, last, 111, open + 0.2);

	rec_tie(&l, d);
	feed(b, &l);
}

static inline void answer(struct bench *b, struct w5_leg *d, double t, uint16_t status)
{
	rec_answer(d, t, status);
	feed(b, d);
}

#endif
