/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tries of one request: retries after a failed attempt. Where a thread works on many requests
 * at a time its trail does not tell, but its clock and the peer do.
 */
#include "engine/correlate.h"

#include <string.h>

#define RETRY_NS       NS_PER_S /* HAProxy waits so long before it connects to a peer again */
#define RETRY_SLACK_NS (20 * NS_PER_MS)	 /* its clock is read once per turn of its loop */
#define RETRY_LATE_NS  (100 * NS_PER_MS) /* a host that is busy too comes to it later: 36 ms seen */
#define THREAD_NS      (2 * NS_PER_MS)	 /* from a failure in a stream's thread to its answer */
#define PROMPT_NS      (NS_PER_MS / 2)	 /* from a request read to the connect for it */

static bool is_due(uint64_t start_ns, uint64_t due_ns, uint64_t late_ns)
{
	return start_ns + RETRY_SLACK_NS >= due_ns && start_ns <= due_ns + late_ns;
}

/* Does b begin when HAProxy tries again what a was? At once if its own timer ended a, else
 * after a pause. An error by ICMP may stay soft until that timer ends it. */
static bool in_turn(const struct w5_leg *a, const struct w5_leg *b, uint64_t late_ns)
{
	uint64_t settled = leg_settled_ns(a), start = leg_start_ns(b);

	if (a->tid != b->tid || a->tgid != b->tgid || start < settled)
		return false;
	if ((w5_up_timed_out(a) || a->err_soft) && is_due(start, settled, late_ns))
		return true;
	return !w5_up_timed_out(a) && is_due(start, settled + RETRY_NS, late_ns);
}

bool tries_in_turn(const struct w5_leg *a, const struct w5_leg *b)
{
	return in_turn(a, b, RETRY_LATE_NS);
}

bool tries_in_turn_sharp(const struct w5_leg *a, const struct w5_leg *b)
{
	return in_turn(a, b, RETRY_SLACK_NS);
}

bool tries_same_peer(const struct w5_leg *a, const struct w5_leg *b)
{
	return a->rport == b->rport && !memcmp(&a->remote, &b->remote, sizeof(a->remote));
}

struct scored *tries_candidate(struct search *s, const struct turn *t)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->c[i].l.turn == t)
			return &s->c[i];
	}
	return NULL;
}

/* Its thread had just read a request when it connected: most likely for that one. */
static bool is_first_try(const struct w5_leg *l)
{
	return l->hint_cookie && leg_start_ns(l) < l->hint_ns + PROMPT_NS;
}

/* The connect that tried again what l failed to, or (before) that l tries again; NULL = none. */
static struct turn *other_try_within(struct search *s, const struct w5_leg *l, bool before,
				     uint64_t late_ns)
{
	struct turn *best = NULL;
	int left = RECENT_MAX;
	struct list *n;

	for (n = s->e->atts.prev; n != &s->e->atts && left--; n = n->prev) {
		struct turn *t = &list_entry(n, struct att, by_time)->turn;

		if (t->claimed || !leg_connecting(&t->leg) || &t->leg == l ||
		    !tries_same_peer(l, &t->leg) || !turn_fits(s->e, s->p, &t->leg) ||
		    !in_turn(before ? &t->leg : l, before ? l : &t->leg, late_ns))
			continue;
		s->tied = s->tied || best;
		if (!best || (!before && is_first_try(&best->leg) > is_first_try(&t->leg)) ||
		    (is_first_try(&best->leg) == is_first_try(&t->leg) &&
		     turn_gap(s->p, t) < turn_gap(s->p, best)))
			best = t;
	}
	return best;
}

static struct turn *other_try(struct search *s, const struct w5_leg *l, bool before)
{
	struct turn *t = other_try_within(s, l, before, RETRY_SLACK_NS);

	return t ? t : other_try_within(s, l, before, RETRY_LATE_NS);
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
		if (!t || tries_candidate(s, t))
			continue;
		s->c[s->n++] = (struct scored){
			.l = { .turn = t, .score = c.l.score, .witness = c.l.witness },
			.gap_ns = turn_gap(s->p, t),
		};
	}
}

bool tries_failed_at_answer(const struct pending *p, const struct w5_leg *l)
{
	return l->phase == W5_PHASE_CONNECT && !l->syn_sent && !l->lport &&
	       p->leg.hint_cookie == l->h.cookie && l->tid == p->leg.tid &&
	       leg_settled_ns(l) + NS_PER_MS >= p->ts_ns;
}

/* A gateway connects for a request as soon as it has read it, or when its turn has come. */
bool tries_began_late(const struct engine *e, const struct pending *p, const struct w5_leg *first)
{
	uint64_t read_ns = p->leg.req_last_ns ? p->leg.req_last_ns : p->leg.req_ns;

	if (leg_is_queued(e, p->gw, first)) {
		/* Nobody's turn: a later try, of a request older than us perhaps, or a health check */
		if (!first->hint_cookie)
			return read_ns;
		if (turn_names(first, &p->leg) && leg_start_ns(first) <= first->hint_ns + QUEUED_NS)
			return false;
	}
	return leg_connecting(first) && read_ns && leg_start_ns(first) > read_ns + FRESH_NS &&
	       !tries_failed_at_answer(p, first);
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

		if (vouched(&s->c[i]) || !tries_began_late(s->e, s->p, l) || has_try_before(s, l))
			s->c[kept++] = s->c[i];
	}
	s->n = kept;
}

bool tries_of_one(const struct engine *e, int gw, const struct w5_leg *x, const struct w5_leg *y)
{
	bool connect = leg_connecting(x), other = leg_connecting(y);

	if (!gateways_trail_follows(e, gw) &&
	    (tries_is_retry_of(e, gw, x, y) || tries_is_retry_of(e, gw, y, x)))
		return true;
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

		if (t->claimed || tries_candidate(s, t) ||
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
	const struct turn *good = tries_good_answer(e, down, key);
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

/* The connect that was surely for this request, by its thread's queue; NULL = none. */
static const struct w5_leg *first_of_queue(const struct search *s)
{
	const struct w5_leg *first = NULL;

	for (size_t i = 0; i < s->n; i++) {
		const struct w5_leg *l = &s->c[i].l.turn->leg;

		if (leg_is_queued(s->e, s->p->gw, l) && l->hint_cookie == s->p->leg.h.cookie &&
		    (!first || leg_start_ns(l) < leg_start_ns(first)))
			first = l;
	}
	return first;
}

/* Where the first try is sure, only what follows from it is this exchange's as well. */
static void keep_chain(struct search *s)
{
	const struct w5_leg *last = first_of_queue(s);
	struct scored chain[CANDIDATES_MAX];
	bool taken[CANDIDATES_MAX] = { false };
	size_t n = 0;

	while (last) {
		const struct w5_leg *from = last;

		last = NULL;
		for (size_t i = 0; i < s->n; i++) {
			const struct w5_leg *l = &s->c[i].l.turn->leg;
			bool next = l == from || vouched(&s->c[i]) ||
				    (tries_come_after(l, from) && !tries_was_due(s->e, l)) ||
				    (tries_same_peer(from, l) && tries_in_turn(from, l));

			if (taken[i] || !next)
				continue;
			taken[i] = true;
			chain[n++] = s->c[i];
			if (l != from)
				last = l;
		}
	}
	if (!n)
		return;
	memcpy(s->c, chain, n * sizeof(chain[0]));
	s->n = n;
}

void tries_settle(struct search *s)
{
	drop_overlaps(s);
	collect_retries(s);
	drop_late(s);
	keep_chain(s);
}
