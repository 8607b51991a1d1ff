/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of correlation share. score.c says how well one turn fits one exchange,
 * tries.c which connects are tries of one another, correlate.c gathers, chooses and orders.
 */
#ifndef ENGINE_CORRELATE_H
#define ENGINE_CORRELATE_H

#include "engine/internal.h"

#define RECENT_MAX 256		    /* failures looked at without any index */
#define QUEUED_NS  (50 * NS_PER_MS) /* as ASKED_NS in bpf/trail.h */
#define FRESH_NS   (10 * NS_PER_MS) /* an older trail of such a thread says nothing */

/* Nothing was asked on it yet: no target is known, and a gateway that tries again treats the
 * failure of either as one of the connect. */
static inline bool leg_connecting(const struct w5_leg *l)
{
	return l->phase == W5_PHASE_CONNECT ||
	       (l->role == W5_ROLE_UPSTREAM &&
		((l->flags & W5_F_HANDSHAKE) || (!l->nr && l->phase == W5_PHASE_IDLE)));
}

/* It was opened for the request that its hint names, if any: the thread's queue says so. */
static inline bool leg_is_queued(const struct engine *e, int gw, const struct w5_leg *l)
{
	return leg_connecting(l) && !l->after && gateways_queues(e, gw);
}

struct scored {
	struct link l;
	bool own;	 /* its trail or id names this exchange */
	bool followed;	 /* a connect, and its retry is known */
	uint64_t gap_ns; /* settled to answered */
};

struct search {
	struct engine *e;
	const struct pending *p;
	bool exact;
	bool tied;	     /* lost or kept one only by closeness in time */
	struct turn *shadow; /* went to another exchange, but fits this one as well */
	struct scored c[CANDIDATES_MAX];
	size_t n;
};

/* ---- score.c ---- */
/* Could it have taken part at all? */
bool turn_fits(const struct engine *e, const struct pending *p, const struct w5_leg *l);
/* 0 or less: not of this exchange. *w: witnesses; *own: its trail or id names this exchange. */
int turn_score(struct engine *e, const struct pending *p, const struct turn *t, bool exact,
	       unsigned *w, bool *own);
/* Its trail came from the other, or from the HTTP/2 conn that is on. */
bool turn_names(const struct w5_leg *l, const struct w5_leg *other);
/* A trail that was left before this is not of this request. */
uint64_t turn_asked_after(const struct pending *p);
/* Between its end and the answer. */
uint64_t turn_gap(const struct pending *p, const struct turn *t);

/* ---- tries.c ---- */
bool tries_in_turn(const struct w5_leg *a, const struct w5_leg *b);
bool tries_in_turn_sharp(const struct w5_leg *a, const struct w5_leg *b); /* not late */
struct scored *tries_candidate(struct search *s, const struct turn *t);	  /* NULL = it is none */
bool tries_same_peer(const struct w5_leg *a, const struct w5_leg *b);
/* Did l try again what a had failed to? */
bool tries_is_retry_of(const struct engine *e, int gw, const struct w5_leg *l,
		       const struct w5_leg *a);
/* Tries of one connect: then the last one decided. */
bool tries_of_one(const struct engine *e, int gw, const struct w5_leg *x, const struct w5_leg *y);
/* connect() itself failed, and at that its thread answered: however late it came to it. */
bool tries_failed_at_answer(const struct pending *p, const struct w5_leg *l);
bool tries_began_late(const struct engine *e, const struct pending *p, const struct w5_leg *first);
/* Where the trail is doubtful: adds tries of what was found, drops what is another's. */
void tries_settle(struct search *s);
/* One thread per stream: what failed in the thread of the last one before that is the stream's,
 * and nothing else is. */
void tries_of_thread(struct search *s, const struct w5_leg *last);

/* ---- retries.c ---- */
/* Adds what the candidates found so far tried again. */
void tries_before(struct search *s);
/* Its thread had just let go of a, and did nothing in between. */
bool tries_come_after(const struct w5_leg *l, const struct w5_leg *a);
/* A connect that was due after a pause is for whoever made that pause. */
bool tries_was_due(const struct engine *e, const struct w5_leg *l);
/* The answered request of down's target; NULL = none. */
const struct turn *tries_good_answer(const struct engine *e, const struct w5_leg *down,
				     uint64_t key);

/* A failed attempt of a good answer: nothing vouches for it but what names this exchange. */
bool taken_by_rival(struct search *s, const struct turn *t, int mine);

static inline bool vouched(const struct scored *c)
{
	return c->own || c->followed || (c->l.witness & (WITNESS_TARGET | WITNESS_REQUEST_ID));
}

#endif
