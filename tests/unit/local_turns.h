/* SPDX-License-Identifier: BSD-2-Clause */
/* What happened on this host, for tests of causes. */
#ifndef TESTS_UNIT_LOCAL_TURNS_H
#define TESTS_UNIT_LOCAL_TURNS_H

#include "../lib/explain.h"

/* An exchange answered at t, after what was fed; NULL: no finding. */
static inline struct finding *answered(struct bench *b, double t, uint16_t status)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a");

	rec_answer(&d, t, status);
	if (status >= 500)
		d.h.size = sizeof(d);
	feed(b, &d);
	bench_settle(b, t);
	return b->n ? b->f[b->n - 1] : NULL;
}

#endif
