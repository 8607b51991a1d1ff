/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gateway's timers, learned from when it gives up, and what the backend would have needed,
 * learned from answers that came too late. In: findings in the making, LATE records. Timers are
 * kept by gateway, upstream and phase; late answers by upstream and route. Bounded: the tables
 * are small and the entry used longest ago gives way.
 */
#ifndef ENGINE_TIMERS_H
#define ENGINE_TIMERS_H

#include "engine/facts.h"

struct timers;

int timers_new(struct timers **out);
void timers_free(struct timers *t); /* NULL is fine */

/* The attempt that decided ended by the gateway's timer: what is known of both goes to *out. */
void timers_note(struct engine *e, int gw, const struct facts *x, const struct route *route,
		 enum cause cause, struct finding_timer *out);
void on_late(struct engine *e, const struct w5_late *r);

#endif
