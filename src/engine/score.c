/* SPDX-License-Identifier: BSD-2-Clause */
/* How well a turn fits an exchange: the witnesses, and what each is worth. */
#include "engine/correlate.h"
#include "engine/facts.h"

#include <string.h>

/* What each witness is worth. A trail that is exact (nginx) outweighs a target that was
 * rewritten; one that is not (HAProxy, Go) does not. */
enum {
	SCORE_REQUEST_ID = 16,
	SCORE_TARGET = 8,
	SCORE_REWRITTEN = 2,
	SCORE_TARGET_DIFFERS = -6,
	SCORE_UP_EXACT = 8,
	SCORE_UP = 5,
	SCORE_DOWN = 4,
	SCORE_DOWN_EXACT = 8,
	SCORE_ELSEWHERE = -2,
	SCORE_UP_QUEUED = 8,
	SCORE_NEVER = -100,
	SCORE_THREAD = 2,
	SCORE_STATUS = 1,
	/* a connect with a doubtful trail, ended just before the answer, or not long before */
	SCORE_PROMPT = 8,
	SCORE_SOON = 4,
};

#define ANSWER_NS  (5 * NS_PER_MS) /* a busy one answers within this of the failure */
#define AT_ONCE_NS (NS_PER_MS / 2) /* mostly it does within this */

static bool by_gateway(const struct w5_leg *l)
{
	return leg_closed_by_gateway(l) || (l->end == W5_END_CONNECT && !l->err);
}

/* Could it have taken part at all? */
bool turn_fits(const struct engine *e, const struct pending *p, const struct w5_leg *l)
{
	uint64_t start = leg_start_ns(l), settled = leg_settled_ns(l);
	uint64_t grace = p->postponed ? POSTPONE_NS : e->cfg.grace_ns;
	uint64_t late = by_gateway(l) ? grace : SLACK_NS;

	if (p->from_ns &&
	    (start + SLACK_NS < p->from_ns || (leg_answered(l) && settled < p->from_ns)))
		return false;
	if (start > p->ts_ns || settled > p->ts_ns + late)
		return false;
	return !l->tgid || !p->leg.tgid || l->tgid == p->leg.tgid;
}

static int score_heads(const struct pending *p, const struct turn *t, unsigned *w)
{
	struct head a, b;
	int s = 0;

	if (!p->key || !t->key || !head_parse(&a, &p->leg) || !head_parse(&b, &t->leg))
		return 0;
	if (head_same_id(&a, &b)) {
		*w |= WITNESS_REQUEST_ID;
		s += SCORE_REQUEST_ID;
	}
	if (p->key == t->key) {
		*w |= WITNESS_TARGET;
		return s + SCORE_TARGET;
	}
	if (head_target_rewritten(&a, &b))
		return s + SCORE_REWRITTEN;
	return s + SCORE_TARGET_DIFFERS;
}

/*
 * Is its hint beyond doubt? It is where the thread connects, and where it picks a conn out
 * of its pool and sends at once. The first request on a new conn is sent when the handshake
 * is done: an event loop may have worked on other clients in between.
 */
static bool hint_exact(const struct w5_leg *l, bool exact)
{
	return exact && (leg_connecting(l) || l->nr > 1 || (l->flags & W5_F_HINT_OPEN));
}

/* A thread with many requests, timers and health checks under way: its trail grows cold. */
static bool hint_fresh(const struct w5_leg *l, bool exact)
{
	return exact || leg_start_ns(l) <= l->hint_ns + FRESH_NS;
}

/* Such a connect is for the request its thread had just read; a later try is known by the one
 * before it. */
static bool hint_of_request(const struct w5_leg *l, const struct w5_leg *down, bool exact)
{
	uint64_t read_ns = down->req_last_ns ? down->req_last_ns : down->req_ns;

	return exact || !leg_connecting(l) || l->hint_ns <= read_ns + SLACK_NS;
}

static uint64_t settled_gap(const struct pending *p, const struct w5_leg *l)
{
	uint64_t settled = leg_settled_ns(l);

	return settled < p->ts_ns ? p->ts_ns - settled : settled - p->ts_ns;
}

static bool ended_promptly(const struct pending *p, const struct w5_leg *l)
{
	return settled_gap(p, l) <= ANSWER_NS;
}

/*
 * The trail has the time of the packet, a text that of the call that read it: a busy thread reads
 * later. What came after the turn before is of this one; streams have been told apart before.
 */
uint64_t turn_asked_after(const struct pending *p)
{
	const struct w5_leg *d = &p->leg;

	if (!(d->flags & W5_F_TEXT) || !p->from_ns)
		return p->from_ns;
	return d->stream || !d->idle_ns ? d->open_ns : p->from_ns - d->idle_ns;
}

bool turn_names(const struct w5_leg *l, const struct w5_leg *other)
{
	return l->hint_cookie &&
	       (l->hint_cookie == other->h.cookie || l->hint_cookie == other->conn_cookie);
}

static int score_trail(struct engine *e, const struct pending *p, const struct turn *t, bool exact,
		       unsigned *w, bool *own)
{
	const struct w5_leg *l = &t->leg;
	bool queued = leg_is_queued(e, p->gw, l);
	bool same_target = p->key && p->key == t->key;
	bool inferred = e->c.is_capture; /* only where nothing else fitted */
	bool to = turn_names(l, &p->leg), from = turn_names(&p->leg, l);
	/* A hint at an HTTP/2 conn, where several of its streams fit, is one at any of them. */
	bool sure = (inferred || hint_exact(l, exact)) &&
		    !(to && l->hint_cookie != p->leg.h.cookie);
	bool fresh = queued ? leg_start_ns(l) <= l->hint_ns + QUEUED_NS
			    : hint_fresh(l, exact || inferred);
	bool up = to && l->hint_ns + SLACK_NS >= turn_asked_after(p) && fresh &&
		  hint_of_request(l, &p->leg, exact || inferred);
	bool elsewhere = l->hint_cookie && !to;
	bool back = from && p->leg.hint_ns && p->leg.hint_ns + SLACK_NS >= leg_start_ns(l) &&
		    (exact || !leg_connecting(l) || ended_promptly(p, l));
	/* A retry inherits the hint of the attempt before, and with it its doubt: then only the
	 * same target on both legs makes up for it. */
	bool down = back && (!(sure && elsewhere) || same_target);
	/* The queue says for whom it was, unless it shows that the answer was to its failure. */
	bool anothers = queued && elsewhere && !tries_failed_at_answer(p, l);
	int s = 0;

	if (up || down)
		*w |= WITNESS_TRAIL;
	if (up)
		s += sure ? SCORE_UP_EXACT : queued ? SCORE_UP_QUEUED : SCORE_UP;
	if (down)
		s += exact && p->leg.hint_cookie == l->h.cookie ? SCORE_DOWN_EXACT : SCORE_DOWN;
	if (elsewhere)
		s += anothers || (sure && !down) ? SCORE_NEVER : SCORE_ELSEWHERE;
	*own = (up && sure) || (up && down && exact);
	return s;
}

uint64_t turn_gap(const struct pending *p, const struct turn *t)
{
	return settled_gap(p, &t->leg);
}

/* 0 or less: not of this exchange. */
int turn_score(struct engine *e, const struct pending *p, const struct turn *t, bool exact,
	       unsigned *w, bool *own)
{
	const struct w5_leg *l = &t->leg;
	int s;

	*w = 0;
	*own = false;
	if (!turn_fits(e, p, l) || (!exact && leg_connecting(l) && leg_start_ns(l) < p->from_ns))
		return 0;
	s = score_trail(e, p, t, exact, w, own) + score_heads(p, t, w);
	if ((*w & WITNESS_REQUEST_ID) ||
	    (exact && (*w & WITNESS_TARGET) && p->leg.hint_cookie == l->h.cookie))
		*own = true;
	if (l->tid && l->tid == p->leg.tid) {
		*w |= WITNESS_THREAD;
		s += SCORE_THREAD;
	}
	if (!exact && !e->c.is_capture && leg_connecting(l) && (l->tid == p->leg.tid || p->roams) &&
	    ended_promptly(p, l) && !p->recovered) {
		*w |= WITNESS_TIME;
		s += settled_gap(p, l) <= AT_ONCE_NS ? SCORE_PROMPT : SCORE_SOON;
	}
	if (l->status && l->status == p->leg.status) {
		*w |= WITNESS_STATUS;
		s += SCORE_STATUS;
	}
	return s;
}

bool hint_names(const struct engine *e, int gw, const struct w5_leg *up, const struct w5_leg *down)
{
	return up->hint_cookie == down->h.cookie && hint_fresh(up, gateways_trail_exact(e, gw));
}

bool trail_is_exact(const struct engine *e, const struct pending *p)
{
	return !p->roams && gateways_trail_exact(e, p->gw);
}

bool hint_is_exact(const struct engine *e, int gw, const struct w5_leg *l)
{
	return e->c.is_capture ? l->hint_cookie : hint_exact(l, gateways_trail_exact(e, gw));
}
