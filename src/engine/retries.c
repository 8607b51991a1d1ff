/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a request tried again: the failed attempt that its thread had turned from when it connected
 * once more, or sent the request elsewhere.
 */
#include "engine/correlate.h"

/*
 * After a failed connect the thread goes back to it, which puts the connect's hint on its trail
 * once more, right or wrong; the next request it sends carries that hint and is the retry.
 */
static bool carries_hint_of(const struct w5_leg *l, const struct w5_leg *a)
{
	return l->hint_cookie == a->hint_cookie && l->hint_ns > a->hint_ns &&
	       l->req_ns >= l->hint_ns && l->req_ns <= l->hint_ns + FRESH_NS;
}

/* Its thread had just let go of a, and did nothing in between. */
bool tries_come_after(const struct w5_leg *l, const struct w5_leg *a)
{
	return l->after == W5_AFTER(leg_conn(a)) && l->tid == a->tid &&
	       leg_start_ns(l) <= l->hint_ns + FRESH_NS;
}

bool tries_is_retry_of(const struct engine *e, int gw, const struct w5_leg *l,
		       const struct w5_leg *a)
{
	if (l->tgid != a->tgid || l->hint_ns < leg_settled_ns(a))
		return false;
	if (gateways_trail_follows(e, gw))
		return leg_connecting(a) && carries_hint_of(l, a);
	return (leg_connecting(a) || gateways_trail_exact(e, gw)) && tries_come_after(l, a);
}

/* The answered request of down's target; NULL = none. */
const struct turn *tries_good_answer(const struct engine *e, const struct w5_leg *down,
				     uint64_t key)
{
	int left = CANDIDATES_MAX;
	const struct list *n;

	list_for_each(n, &e->conn_targets[key & (TARGET_BUCKETS - 1)]) {
		const struct turn *t = list_entry(n, struct turn, by_target);

		if (!left--)
			break;
		if (t->key == key && t->leg.resp_ns && t->leg.req_ns >= down->req_ns &&
		    t->leg.resp_ns <= down->resp_ns + SLACK_NS)
			return t;
	}
	return NULL;
}

/* Its thread had come to this one's request when it connected. */
static bool is_for(const struct w5_leg *down, const struct w5_leg *a)
{
	return a->hint_cookie == down->h.cookie && leg_start_ns(a) >= down->req_ns;
}

/* A connect that was due after a pause is for whoever made that pause. */
bool tries_was_due(const struct engine *e, const struct w5_leg *l)
{
	int left = RECENT_MAX;
	const struct list *n;

	for (n = e->atts.prev; leg_connecting(l) && n != &e->atts && left--; n = n->prev) {
		const struct w5_leg *a = &list_entry(n, struct att, by_time)->turn.leg;

		if (a != l && leg_connecting(a) && tries_same_peer(a, l) &&
		    tries_in_turn_sharp(a, l))
			return true;
	}
	return false;
}

/* What l tried again; NULL = nothing that is known, and not another's. */
static struct turn *tried_before(const struct engine *e, int gw, const struct w5_leg *l)
{
	int left = RECENT_MAX;
	struct list *n;

	if (tries_was_due(e, l))
		return NULL;

	for (n = e->atts.prev; n != &e->atts && left--; n = n->prev) {
		struct turn *t = &list_entry(n, struct att, by_time)->turn;

		if (!t->claimed && leg_failed(&t->leg) && tries_is_retry_of(e, gw, l, &t->leg))
			return t;
	}
	return NULL;
}

bool retry_followed(const struct engine *e, int gw, const struct w5_leg *down, uint64_t key)
{
	const struct turn *good = tries_good_answer(e, down, key), *a;

	if (!good || (!good->leg.after && !gateways_trail_follows(e, gw)))
		return false;
	a = tried_before(e, gw, &good->leg);
	return a && leg_start_ns(&a->leg) >= down->req_ns &&
	       (gateways_trail_follows(e, gw) || gateways_trail_exact(e, gw) ||
		is_for(down, &a->leg));
}

/*
 * More than a thread and a time, which another exchange may claim it by: it began when this one's
 * request had been read, and had failed when its thread went on with this one's next try.
 */
#define SCORE_TRIED_BEFORE 12

void tries_before(struct search *s)
{
	for (size_t i = 0; i < s->n && s->n < CANDIDATES_MAX; i++) {
		const struct w5_leg *l = &s->c[i].l.turn->leg;
		struct turn *t = l->after ? tried_before(s->e, s->p->gw, l) : NULL;
		struct scored *c = t ? tries_candidate(s, t) : NULL;

		if (!t || leg_start_ns(&t->leg) + SLACK_NS < s->p->from_ns ||
		    (!s->exact && !is_for(&s->p->leg, &t->leg)) ||
		    taken_by_rival(s, t, SCORE_TRIED_BEFORE))
			continue;
		if (!c) {
			c = &s->c[s->n++];
			*c = (struct scored){ .l = { .turn = t }, .gap_ns = turn_gap(s->p, t) };
		}
		c->l.witness |= WITNESS_TRAIL | WITNESS_THREAD;
		c->followed = true;
		if (c->l.score < SCORE_TRIED_BEFORE)
			c->l.score = SCORE_TRIED_BEFORE;
	}
}
