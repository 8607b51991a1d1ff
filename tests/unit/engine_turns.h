/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns for tests of the engine. */
#ifndef TESTS_UNIT_ENGINE_TURNS_H
#define TESTS_UNIT_ENGINE_TURNS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../lib/rec.h"

static inline void healthy(struct bench *b, double t, uint64_t down, uint64_t up, uint32_t nr)
{
	struct w5_leg d = rec_down(down, t, "GET", "/a"),
		      u = rec_up(up, t + 0.1, "GET", "/a", 18, nr);

	d.nr = u.nr = nr;
	rec_answer(&u, t + 2.1, 200);
	rec_answer(&d, t + 2.2, 200);
	rec_tie(&u, &d);
	feed(b, &u);
	feed(b, &d);
}

#endif
