/* SPDX-License-Identifier: BSD-2-Clause */
/* One finding in the making: what explain*.c gather and verdict*.c decide on. */
#ifndef ENGINE_WORK_H
#define ENGINE_WORK_H

#include "engine/facts.h"
#include "engine/lookups.h"
#include "engine/peers.h"
#include "engine/pools.h"

struct work {
	struct engine *e;
	struct pending *p;
	struct finding *f;
	struct link links[CANDIDATES_MAX];
	size_t n;
	bool tied;
	bool limit_is_sure; /* say.limit was met for this exchange */
	enum confidence conf;
	struct facts last;
	struct lookup lookup;
	struct pool_full pool;
	struct stale stale;
	struct sentence_input say;
};

/* Never raises what is known to be less sure. */
static inline void work_lower(struct work *w, enum confidence to)
{
	if (to > w->conf)
		w->conf = to;
}

/* ---- explain_attempts.c ---- */
/* .links[i], to another address family */
bool attempt_lost_the_race(const struct work *w, size_t i);
/* Into the finding, with their causes; the last one's facts. */
void attempts_take(struct work *w);
/* Candidates that would tell the same story are no doubt about the cause. */
void attempts_settle(struct work *w);
/* That the last one is of this exchange. */
enum confidence attempts_confidence(const struct work *w);

/* ---- unread.c ---- */
/* Of an exchange for which leg_unread() holds: its status, if its attempts or others tell it. */
void unread_settle(struct work *w);
/* It was no good answer, whatever it was; what stays open is counted. */
bool unread_is_bad(struct work *w);

/* ---- verdict.c, verdict_pool.c ---- */
void verdict_decide(struct work *w);
/* It waited for a connection all the time: by the gateway's log, or by its pools. */
bool verdict_was_queued(struct work *w);
bool verdict_client_left(const struct w5_leg *d);
bool verdict_client_gone(const struct work *w); /* the same, or the answer came too late */

#endif
