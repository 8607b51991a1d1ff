/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a conn to a stream: the kernel's trail names conns, and one HTTP/2 conn carries many
 * requests. In: a leg on its way into the engine; out: its hint names a stream where exactly
 * one fits, else still the conn, or nothing where it may be another's. Never a guess: what is
 * told later may leave one (trail_settle()), and correlation keeps what is open apart.
 *
 * A gateway goes from the read that brought a request to its upstream at once; but nginx goes
 * on with a request that has a body only at the end of that turn of its event loop, and the trail
 * names the last conn it read then.
 */
#include "engine/correlate.h"
#include "engine/h2.h"

#include <string.h>

#define BODY_WAIT_NS (20 * NS_PER_MS)  /* no turn of an event loop is longer */
#define BODIES_MAX   4096	       /* requests with a body looked at for one that failed ... */
#define BODIES_FEW   64		       /* ... or was answered well; newest first */
#define OPEN_KEEP_NS (500 * NS_PER_MS) /* attempts whose stream is open */
#define OPEN_MAX     64		       /* of them, looked at again at a time */

/* When it took its hint. */
static uint64_t begun_ns(const struct w5_leg *l)
{
	return (l->flags & W5_F_HINT_OPEN) && l->open_ns ? l->open_ns : leg_start_ns(l);
}

/* ---- which streams fit an attempt ---- */

struct
try {
	const struct w5_leg *l;
	uint64_t key, begun_ns;
	struct h2 *h2; /* of the conn that the trail names, or NULL */
};

/* By how well they fit; only of the best kind that has any, and only a single one, is taken. */
enum { SAME_TARGET, IN_STEP, LIVE, KINDS };

struct choice {
	struct h2_stream *s; /* the first of n */
	unsigned n;
	bool is_elsewhere; /* one is on another conn than the trail names */
};

static void choose(struct choice *c, struct h2_stream *s, bool elsewhere)
{
	if (!c->n++)
		c->s = s;
	c->is_elsewhere = c->is_elsewhere || elsewhere;
}

static bool is_live(const struct h2_stream *s, uint64_t begun)
{
	uint64_t done = s->is_over ? s->over_ns : s->is_told ? s->leg.resp_ns : 0;

	return s->leg.req_ns && s->leg.req_ns <= begun && (!done || done >= begun);
}

static bool is_untried(const struct h2_stream *s, uint64_t begun)
{
	return s->leg.req_last_ns <= begun && (!s->tried_ns || s->tried_ns >= begun);
}

/* The next one after one that failed: its thread has been at the failed one since. */
static bool is_retry(const struct h2_stream *s, const struct try *t)
{
	return s->failed_ns && s->failed_ns <= t->begun_ns && t->l->hint_ns >= s->failed_ns;
}

static void consider(struct choice c[KINDS], struct h2_stream *s, const struct try *t)
{
	if (!is_live(s, t->begun_ns))
		return;
	choose(&c[LIVE], s, false);
	if (t->key && s->key == t->key)
		choose(&c[SAME_TARGET], s, false);
	/* The packets it had read were there before the request was, and no read came between. */
	if ((is_untried(s, t->begun_ns) && t->l->hint_ns <= s->leg.req_last_ns) || is_retry(s, t))
		choose(&c[IN_STEP], s, false);
}

static void consider_conn(struct choice c[KINDS], const struct try *t)
{
	struct list *n;

	list_for_each(n, &t->h2->open)
		consider(c, list_entry(n, struct h2_stream, by_conn), t);
	for (n = t->h2->over.prev; n != &t->h2->over; n = n->prev) {
		struct h2_stream *s = list_entry(n, struct h2_stream, by_conn);

		if (s->over_ns < t->begun_ns)
			return;
		consider(c, s, t);
	}
}

/* Requests whose body had just come, of any conn of this thread. */
static void consider_bodies(struct engine *e, struct choice c[KINDS], const struct try *t)
{
	const struct list *bodies = &e->texts->bodies;
	int left = leg_failed(t->l) || t->l->status >= 500 ? BODIES_MAX : BODIES_FEW;

	for (struct list *n = bodies->prev; n != bodies && left--; n = n->prev) {
		struct h2_stream *s = list_entry(n, struct h2_stream, by_body);

		if (s->leg.req_last_ns > t->begun_ns)
			continue;
		if (s->tc->h2 == t->h2 || s->leg.tid != t->l->tid || !is_live(s, t->begun_ns))
			continue;
		if (s->begun_by_ns < t->begun_ns && !is_retry(s, t))
			continue;
		if (t->key && s->key == t->key)
			choose(&c[SAME_TARGET], s, true);
		if (!t->key && (is_untried(s, t->begun_ns) || is_retry(s, t)))
			choose(&c[IN_STEP], s, true);
	}
}

void trail_add_body(struct engine *e, struct h2_stream *s)
{
	s->begun_by_ns = s->leg.req_last_ns + BODY_WAIT_NS;
	list_move_back(&e->texts->bodies, &s->by_body);
	list_move_back(&e->texts->bodies_wait, &s->by_wait);
}

/* What is answered was sent in an earlier turn of the loop: what had been read by then has been
 * gone on with. */
static void note_answer(struct engine *e, const struct w5_leg *l)
{
	struct list *n, *next;

	list_for_each_safe(n, next, &e->texts->bodies_wait) {
		struct h2_stream *s = list_entry(n, struct h2_stream, by_wait);

		if (s->begun_by_ns < l->resp_ns) {
			list_remove(n);
		} else if (s->leg.tid == l->tid && s->leg.req_last_ns <= l->req_ns) {
			s->begun_by_ns = l->resp_ns;
			list_remove(n);
		}
	}
}

/* ---- attempts ---- */

static struct try try_of(const struct w5_leg *l, struct text_conn *tc)
{
	struct try t = { .l = l, .begun_ns = begun_ns(l) };
	struct head h;

	if (l->phase != W5_PHASE_CONNECT && !leg_opaque(l) && head_parse_line(&h, l))
		t.key = head_target_key(&h);
	if (tc && tc->h2 && tc->leg.role == W5_ROLE_DOWNSTREAM)
		t.h2 = tc->h2;
	return t;
}

/* The turn of the conn that the trail names asks for the same: then it is that one's. */
static bool asks_same(const struct text_conn *tc, uint64_t key)
{
	struct head h;

	return key && tc && !tc->h2 && head_parse_line(&h, &tc->leg) && head_target_key(&h) == key;
}

static void belongs(struct h2_stream *s, struct w5_leg *l)
{
	uint64_t begun = begun_ns(l), settled = leg_settled_ns(l);

	l->hint_cookie = s->leg.h.cookie;
	if (!s->tried_ns || begun < s->tried_ns)
		s->tried_ns = begun;
	if (!leg_failed(l))
		s->failed_ns = begun < s->failed_ns ? s->failed_ns : 0;
	else if (settled > s->failed_ns)
		s->failed_ns = settled;
}

/* The streams that fit best; n is 0 where it is of no stream we know. *one: the only one, if it
 * can be believed. */
static struct choice choose_stream(struct engine *e, const struct w5_leg *l, struct h2_stream **one)
{
	bool exact = gateways_trail_exact(e, gateways_of(e, l->tgid));
	struct text_conn *tc = texts_find(e, l->hint_cookie);
	struct choice c[KINDS] = { 0 };
	struct try t = try_of(l, tc);
	int kind = SAME_TARGET;

	if (t.h2)
		consider_conn(c, &t);
	if (exact && !list_empty(&e->texts->bodies) && !asks_same(tc, t.key))
		consider_bodies(e, c, &t);
	while (kind + 1 < KINDS && !c[kind].n)
		kind++;
	*one = c[kind].n == 1 && (t.h2 || (tc && kind == SAME_TARGET)) ? c[kind].s : NULL;
	return c[kind];
}

/* The thread's queue has the time at which a request was read; of several read at once, the first
 * that was not gone on with. */
static struct h2_stream *asked_then(const struct engine *e, const struct w5_leg *l)
{
	const struct text_conn *tc = texts_find(e, l->hint_cookie);
	struct h2_stream *found = NULL;
	struct list *n;

	if (!tc || !tc->h2 || !leg_is_queued(e, gateways_of(e, l->tgid), l))
		return NULL;
	list_for_each(n, &tc->h2->open) {
		struct h2_stream *s = list_entry(n, struct h2_stream, by_conn);

		if (s->leg.req_ns == l->hint_ns && !s->tried_ns && (!found || s->id < found->id))
			found = s;
	}
	return found;
}

static bool resolve_attempt(struct engine *e, struct w5_leg *l)
{
	struct h2_stream *one;
	struct choice c;

	if (l->resp_ns && l->req_ns)
		note_answer(e, l);
	if (!l->hint_cookie)
		return true;
	one = asked_then(e, l);
	if (one) {
		belongs(one, l);
		return true;
	}
	c = choose_stream(e, l, &one);
	if (one)
		belongs(one, l);
	else if (c.is_elsewhere)
		l->hint_cookie = 0;
	return one || !c.n;
}

uint64_t trail_asks(struct engine *e, const struct w5_leg *l)
{
	struct h2_stream *one = NULL;
	struct choice c = { 0 };

	if (l->hint_cookie)
		c = choose_stream(e, l, &one);
	if (!one)
		return c.n ? 0 : l->hint_cookie;
	if (!one->tried_ns)
		one->tried_ns = leg_start_ns(l);
	return one->leg.h.cookie;
}

void trail_told(struct engine *e, uint64_t cookie)
{
	struct h2_stream *s = hash_find(&e->texts->streams, cookie);

	if (s && !s->failed_ns)
		s->tried_ns = 0;
}

void trail_add_open(struct engine *e, struct att *a, uint64_t hint)
{
	a->open_hint = hint;
	list_push_back(&e->texts->open_atts, &a->by_open);
}

void trail_settle(struct engine *e)
{
	struct list *open = &e->texts->open_atts, *n, *next;
	int left = OPEN_MAX;

	list_for_each_safe(n, next, open) {
		struct att *a = list_entry(n, struct att, by_open);
		struct w5_leg l = a->turn.leg;
		struct conn *c;

		if (!left--)
			return;
		l.hint_cookie = a->open_hint;
		if (!resolve_attempt(e, &l) && a->arrived_ns + OPEN_KEEP_NS >= e->c.now_ns)
			continue;
		list_remove(&a->by_open);
		if (!cookie_is_stream(l.hint_cookie))
			continue;
		a->turn.leg.hint_cookie = l.hint_cookie;
		c = conns_get(e, l.hint_cookie);
		if (!c)
			continue;
		list_move_back(&c->hinted, &a->by_hint);
		if (a->failed)
			exchange_recheck(e, c, a);
	}
}

/* ---- an exchange's hint: the stream it was answered from ---- */

static void consider_answer(struct choice *own, struct choice *live, struct h2_stream *s,
			    const struct w5_leg *l)
{
	/* Tries on one conn follow each other: the last one decided. */
	if (s->leg.hint_cookie == l->h.cookie) {
		if (!own->n || s->leg.req_ns > own->s->leg.req_ns)
			own->s = s;
		own->n = 1;
	}
	if (s->leg.req_ns + SLACK_NS >= l->req_ns && s->leg.req_ns <= l->h.ts_ns)
		choose(live, s, false);
}

static void resolve_exchange(struct h2 *h2, struct w5_leg *l)
{
	struct choice own = { 0 }, live = { 0 };
	struct list *n;

	list_for_each(n, &h2->open)
		consider_answer(&own, &live, list_entry(n, struct h2_stream, by_conn), l);
	for (n = h2->over.prev; n != &h2->over; n = n->prev) {
		struct h2_stream *s = list_entry(n, struct h2_stream, by_conn);

		if (s->over_ns < l->req_ns)
			break;
		consider_answer(&own, &live, s, l);
	}
	if (own.n)
		l->hint_cookie = own.s->leg.h.cookie;
	else if (live.n == 1)
		l->hint_cookie = live.s->leg.h.cookie;
}

bool trail_resolve(struct engine *e, struct w5_leg *l)
{
	struct text_conn *tc;

	if (l->role == W5_ROLE_UPSTREAM)
		return resolve_attempt(e, l);
	tc = texts_find(e, l->hint_cookie);
	if (tc && tc->h2 && tc->leg.role == W5_ROLE_UPSTREAM)
		resolve_exchange(tc->h2, l);
	return true;
}
