/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tries of one request: retries after a failed attempt. Where a thread works on many requests
 * at a time its trail does not tell, but its clock and the peer do.
 */
#include "engine/correlate.h"

#include <string.h>

#define RETRY_NS       NS_PER_S /* HAProxy waits so long before it connects to a peer again */
#define RETRY_SLACK_NS (20 * NS_PER_MS) /* its clock is read once per turn of its loop */
#define THREAD_NS      (2 * NS_PER_MS)	/* from a failure in a stream's thread to its answer */
#define PROMPT_NS      (NS_PER_MS / 2)	/* from a request read to the connect for it */

static bool timed_out(const struct w5_leg *l)
{
	if (l->phase == W5_PHASE_CONNECT)
		return !l->err;
	return !l->resp_bytes && (l->end == W5_END_FIN_OUT || l->end == W5_END_RST_OUT);
}

/* Does b begin when HAProxy tries again what a was? At once if its own timer ended a, else
 * after a pause. */
bool tries_in_turn(const struct w5_leg *a, const struct w5_leg *b)
{
	uint64_t due = leg_settled_ns(a) + (timed_out(a) ? 0 : RETRY_NS), start = leg_start_ns(b);

	return a->tid == b->tid && a->tgid == b->tgid && start >= leg_settled_ns(a) &&
	       start + RETRY_SLACK_NS >= due && start <= due + RETRY_SLACK_NS;
}

bool tries_same_peer(const struct w5_leg *a, const struct w5_leg *b)
{
	return a->rport == b->rport && !memcmp(&a->remote, &b->remote, sizeof(a->remote));
}

/*
 * After a failed connect the thread goes back to it, which puts the connect's hint on its trail
 * once more, right or wrong; the next request it sends carries that hint and is the retry.
 */
bool tries_is_retry_of(const struct w5_leg *l, const struct w5_leg *a)
{
	return leg_connecting(a) && l->hint_cookie == a->hint_cookie && l->tgid == a->tgid &&
	       l->hint_ns > a->hint_ns && l->hint_ns >= leg_settled_ns(a) &&
	       l->req_ns >= l->hint_ns && l->req_ns <= l->hint_ns + FRESH_NS;
}

/* The answered request of down's target that was a's retry; NULL = none. */
static const struct turn *retry_answered(const struct engine *e, const struct w5_leg *down,
					 uint64_t key, const struct w5_leg *a)
{
	int left = CANDIDATES_MAX;
	const struct list *n;

	list_for_each(n, &e->conn_targets[key & (TARGET_BUCKETS - 1)]) {
		const struct turn *t = list_entry(n, struct turn, by_target);

		if (!left--)
			break;
		if (t->key == key && t->leg.resp_ns && t->leg.req_ns >= down->req_ns &&
		    t->leg.resp_ns <= down->resp_ns + SLACK_NS &&
		    (!a || tries_is_retry_of(&t->leg, a)))
			return t;
	}
	return NULL;
}

bool retry_followed(const struct engine *e, const struct w5_leg *down, uint64_t key)
{
	const struct turn *good = key ? retry_answered(e, down, key, NULL) : NULL;
	const struct conn *c = good ? conns_find(e, good->leg.hint_cookie) : NULL;
	const struct list *n;

	if (!c)
		return false;
	list_for_each(n, &c->hinted) {
		const struct w5_leg *a = &list_entry(n, struct att, by_hint)->turn.leg;

		if (leg_start_ns(a) >= down->req_ns && tries_is_retry_of(&good->leg, a))
			return true;
	}
	return false;
}

static bool is_candidate(const struct search *s, const struct turn *t)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->c[i].l.turn == t)
			return true;
	}
	return false;
}

/* Its thread had just read a request when it connected: most likely for that one. */
static bool is_first_try(const struct w5_leg *l)
{
	return l->hint_cookie && leg_start_ns(l) < l->hint_ns + PROMPT_NS;
}

/* The connect that tried again what l failed to, or (before) that l tries again; NULL = none. */
static struct turn *other_try(struct search *s, const struct w5_leg *l, bool before)
{
	struct turn *best = NULL;
	int left = RECENT_MAX;
	struct list *n;

	for (n = s->e->atts.prev; n != &s->e->atts && left--; n = n->prev) {
		struct turn *t = &list_entry(n, struct att, by_time)->turn;

		if (t->claimed || !leg_connecting(&t->leg) || &t->leg == l ||
		    !tries_same_peer(l, &t->leg) || !turn_fits(s->e, s->p, &t->leg) ||
		    !tries_in_turn(before ? &t->leg : l, before ? l : &t->leg))
			continue;
		s->tied = s->tied || best;
		if (!best || (!before && is_first_try(&best->leg) > is_first_try(&t->leg)) ||
		    (is_first_try(&best->leg) == is_first_try(&t->leg) &&
		     turn_gap(s->p, t) < turn_gap(s->p, best)))
			best = t;
	}
	return best;
}

/*
 * A connect carries no request, and by the time a gateway with a pause between its tries
 * connects again its thread has been elsewhere: what ties the tries to each other is the peer,
 * the thread and the pause.
 */
static void collect_retries(struct search *s)
{
	for (size_t i = 0; i < 2 * s->n && s->n < CANDIDATES_MAX; i++) {
		const struct scored c = s->c[i / 2];
		struct turn *t;

		if (!leg_connecting(&c.l.turn->leg) || !leg_failed(&c.l.turn->leg))
			continue;
		t = other_try(s, &c.l.turn->leg, i % 2);
		if (!t || is_candidate(s, t))
			continue;
		s->c[s->n++] = (struct scored){
			.l = { .turn = t, .score = c.l.score, .witness = c.l.witness },
			.gap_ns = turn_gap(s->p, t),
		};
	}
}

/* A gateway connects for a request as soon as it has read it. */
bool tries_began_late(const struct pending *p, const struct w5_leg *first)
{
	uint64_t read_ns = p->leg.req_last_ns ? p->leg.req_last_ns : p->leg.req_ns;

	return leg_connecting(first) && read_ns && leg_start_ns(first) > read_ns + FRESH_NS;
}

static bool has_try_before(const struct search *s, const struct w5_leg *l)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct w5_leg *o = &s->c[i].l.turn->leg;

		if (o != l && leg_connecting(o) && tries_same_peer(o, l) && tries_in_turn(o, l))
			return true;
	}
	return false;
}

/* What began late and tries nothing again is another's. */
static void drop_late(struct search *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct w5_leg *l = &s->c[i].l.turn->leg;

		if (vouched(&s->c[i]) || !tries_began_late(s->p, l) || has_try_before(s, l))
			s->c[kept++] = s->c[i];
	}
	s->n = kept;
}

bool tries_of_one(const struct w5_leg *x, const struct w5_leg *y)
{
	bool connect = leg_connecting(x), other = leg_connecting(y);

	return connect && other && tries_same_peer(x, y) &&
	       (tries_in_turn(x, y) || tries_in_turn(y, x));
}

/* Tries follow each other: what went on at the same time as a try that is surely this
 * exchange's is another's. */
static void drop_overlaps(struct search *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct w5_leg *a = &s->c[i].l.turn->leg;
		bool overlaps = false;

		for (size_t j = 0; j < s->n && !vouched(&s->c[i]); j++) {
			const struct w5_leg *b = &s->c[j].l.turn->leg;

			uint64_t b_end = b->end_ns ? b->end_ns : leg_settled_ns(b);

			if (vouched(&s->c[j]) && leg_start_ns(a) < b_end &&
			    leg_start_ns(b) < leg_settled_ns(a))
				overlaps = true;
		}
		if (!overlaps)
			s->c[kept++] = s->c[i];
	}
	s->n = kept;
}

/* a failed, and then its thread went on with b. */
static bool gave_way_to(const struct w5_leg *a, const struct w5_leg *b, uint64_t from_ns)
{
	return a->tid && a->tid == b->tid && a->tgid == b->tgid && leg_failed(a) && a != b &&
	       leg_start_ns(a) >= from_ns && leg_settled_ns(a) <= leg_start_ns(b);
}

/* Was there another answer, a bad one, right after it? Then its thread was at that stream. */
static bool answered_another(const struct engine *e, const struct w5_leg *a,
			     const struct pending *p)
{
	int left = RECENT_MAX;
	const struct list *n;

	list_for_each(n, &e->pendings) {
		const struct pending *q = list_entry(n, struct pending, node);

		if (!left--)
			break;
		if (q != p && q->roams && !q->recovered && q->ts_ns >= leg_settled_ns(a) &&
		    q->ts_ns <= leg_settled_ns(a) + THREAD_NS && q->from_ns <= leg_start_ns(a))
			return true;
	}
	return false;
}

void tries_of_thread(struct search *s, const struct w5_leg *last)
{
	int left = RECENT_MAX;
	size_t kept = 0;
	struct list *n;

	for (size_t i = 0; i < s->n; i++) {
		struct scored c = s->c[i];

		if (gave_way_to(&c.l.turn->leg, last, s->p->from_ns))
			c.own = true;
		if (c.own || c.l.turn->leg.tid == last->tid)
			s->c[kept++] = c;
	}
	s->n = kept;
	for (n = s->e->atts.prev; n != &s->e->atts && left-- && s->n < CANDIDATES_MAX;
	     n = n->prev) {
		struct turn *t = &list_entry(n, struct att, by_time)->turn;

		if (t->claimed || is_candidate(s, t) ||
		    !gave_way_to(&t->leg, last, s->p->from_ns) ||
		    answered_another(s->e, &t->leg, s->p))
			continue;
		s->c[s->n++] = (struct scored){
			.l = { .turn = t, .score = SCORE_MIN, .witness = WITNESS_THREAD },
			.own = true,
			.gap_ns = turn_gap(s->p, t),
		};
	}
}

bool thread_failed(const struct engine *e, const struct w5_leg *down, uint64_t key)
{
	const struct turn *good = retry_answered(e, down, key, NULL);
	int left = RECENT_MAX;
	const struct list *n;

	for (n = e->atts.prev; good && n != &e->atts && left--; n = n->prev) {
		const struct turn *t = &list_entry(n, struct att, by_time)->turn;

		if (!t->claimed && gave_way_to(&t->leg, &good->leg, down->req_ns) &&
		    !answered_another(e, &t->leg, NULL))
			return true;
	}
	return false;
}

void tries_settle(struct search *s)
{
	drop_overlaps(s);
	collect_retries(s);
	drop_late(s);
}
