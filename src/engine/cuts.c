/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Good answers that ended short: kept like failures, and told with the exchange they spoiled.
 * Most gateways close the client's conn then, before or after we hear of the upstream's end. One
 * that does not (the client is slow, or is given a proper end all the same) is told a little later.
 */
#include "engine/correlate.h"
#include "engine/rules.h"

#include <string.h>

#define CUT_WAIT_NS	NS_PER_S /* a gateway passes an end on within milliseconds */
#define CUTS_LOOKED_AT	256
#define CONNS_LOOKED_AT 512

struct cut {
	struct list node; /* engine.cuts, later .cuts_old */
	struct att *att;
	uint64_t due_ns;
	bool has_down;
	struct w5_leg down; /* the exchange it most likely belongs to, as it was then */
};

static bool by_peer(const struct w5_leg *l)
{
	if (l->h2_end)
		return l->h2_end == W5_H2_RST_IN || l->h2_end == W5_H2_GOAWAY_IN;
	return l->end && l->end <= W5_END_RST_OUT && !leg_closed_by_gateway(l);
}

static bool closed_by_gateway(const struct w5_leg *d)
{
	return d->end == W5_END_FIN_OUT || d->end == W5_END_RST_OUT;
}

static uint64_t ended_ns(const struct w5_leg *l)
{
	return l->end_ns ? l->end_ns : l->h.ts_ns;
}

void cuts_drop(struct att *a)
{
	if (!a->cut)
		return;
	list_remove(&a->cut->node);
	free(a->cut);
	a->cut = NULL;
}

/* Was it answered with what the upstream had begun? */
static bool passed_on(const struct w5_leg *d, const struct w5_leg *up)
{
	uint64_t start = leg_start_ns(up);

	return d->status == up->status && d->req_ns && d->resp_ns &&
	       start + SLACK_NS >= d->req_ns && start <= d->resp_ns &&
	       up->resp_ns <= d->resp_ns + SLACK_NS &&
	       (!d->tgid || !up->tgid || d->tgid == up->tgid);
}

/* 0: it is another's. Where the trail can be believed, a target that many ask for is no reason
 * against it. */
static int kinship(const struct engine *e, int gw, const struct w5_leg *d, const struct turn *t)
{
	bool to = turn_names(&t->leg, d), from = turn_names(d, &t->leg);
	struct head h;
	uint64_t key = head_parse_line(&h, d) ? head_target_key(&h) : 0;
	bool same = key && key == t->key, known = key && t->key;

	if (hint_is_exact(e, gw, &t->leg) && t->leg.hint_cookie && !to && !(from && same))
		return 0;
	if (!to && !from && !same)
		return 0;
	if (known && !same && !hint_is_exact(e, gw, &t->leg))
		return 0;
	return 4 * to + 2 * same + from;
}

/* ---- the client's conn has ended ---- */

static bool spoiled(const struct w5_leg *d, const struct w5_leg *up)
{
	return closed_by_gateway(d) && passed_on(d, up) && ended_ns(up) <= ended_ns(d) + SLACK_NS;
}

static struct att *look_for_cut(struct engine *e, int gw, struct list *from, const struct w5_leg *d,
				int *best)
{
	int left = CUTS_LOOKED_AT, k;
	struct att *found = NULL;

	for (struct list *n = from->prev; n != from && left--; n = n->prev) {
		struct att *a = list_entry(n, struct cut, node)->att;

		if (a->turn.claimed || !spoiled(d, &a->turn.leg))
			continue;
		k = kinship(e, gw, d, &a->turn);
		if (k > *best) {
			*best = k;
			found = a;
		}
	}
	return found;
}

static bool tell_spoiled(struct engine *e, struct conn *down)
{
	struct pending *p = exchange_bad(e, down, &down->last.leg);

	if (p)
		p->cut = true;
	down->cut_told = down->last.leg.nr;
	return p != NULL;
}

void exchange_ended(struct engine *e, struct conn *down)
{
	const struct w5_leg *d = &down->last.leg;
	int best = 0;

	if (!d->status || d->status >= 500 || !closed_by_gateway(d) || down->cut_told == d->nr ||
	    (list_empty(&e->cuts) && list_empty(&e->cuts_old)))
		return;
	if (!look_for_cut(e, down->gw, &e->cuts, d, &best) &&
	    !look_for_cut(e, down->gw, &e->cuts_old, d, &best))
		return;
	tell_spoiled(e, down);
}

/* ---- the upstream's end is told ---- */

struct cut_search {
	const struct att *a;
	bool ended; /* looked for among closed conns */
	struct conn *found;
	int best;
	bool tied;
};

static void look_for_down(const struct engine *e, const struct list *conns, struct cut_search *s)
{
	int left = CONNS_LOOKED_AT, k;

	for (struct list *n = conns->prev; n != conns && left--; n = n->prev) {
		struct conn *c = list_entry(n, struct conn, lru);
		const struct w5_leg *d = &c->last.leg;

		if (c->role != W5_ROLE_DOWNSTREAM || c->cut_told == d->nr ||
		    (s->ended ? !spoiled(d, &s->a->turn.leg) : !passed_on(d, &s->a->turn.leg)))
			continue;
		k = kinship(e, c->gw, d, &s->a->turn);
		s->tied = k == s->best ? k > 0 : k < s->best && s->tied;
		if (k <= s->best)
			continue;
		s->best = k;
		s->found = c;
	}
}

/* The gateway was quicker to close the client's conn than we to hear why. */
static bool told_at_once(struct engine *e, struct att *a)
{
	struct cut_search s = { .a = a, .ended = true };

	look_for_down(e, &e->closed, &s);
	look_for_down(e, &e->streams_closed, &s);
	return s.found && tell_spoiled(e, s.found);
}

static struct cut *cut_new(struct engine *e, struct att *a)
{
	struct cut_search s = { .a = a };
	struct cut *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->att = a;
	x->due_ns = e->c.now_ns + CUT_WAIT_NS;
	look_for_down(e, &e->open, &s);
	look_for_down(e, &e->streams, &s);
	x->has_down = s.found && !s.tied;
	if (x->has_down)
		x->down = s.found->last.leg;
	return x;
}

void cuts_add(struct engine *e, struct att *a)
{
	if (told_at_once(e, a))
		return;
	a->cut = cut_new(e, a);
	if (a->cut)
		list_push_back(&e->cuts, &a->cut->node);
}

/* ---- nobody closed the client's conn for it ---- */

static bool client_left_first(const struct engine *e, const struct cut *x)
{
	const struct conn *c = conns_find(e, x->down.h.cookie);
	const struct w5_leg *d = c ? &c->last.leg : NULL;

	return d && d->nr == x->down.nr && (d->end == W5_END_FIN_IN || d->end == W5_END_RST_IN) &&
	       ended_ns(d) <= ended_ns(&x->att->turn.leg) + SLACK_NS;
}

/* The gateway waited in vain, and its client was still there. Over HTTP/1 it closes the client's
 * conn then; a stream some end as if all had come. What it closes at once it may only not have
 * wanted: it makes a page of its own of it. */
static bool waited_in_vain(const struct engine *e, const struct cut *x)
{
	const struct w5_leg *l = &x->att->turn.leg;

	return x->has_down && x->down.stream && l->last_ns &&
	       ended_ns(l) >= l->last_ns + TIMER_MIN_NS && !client_left_first(e, x);
}

/* What the client was given, as far as the upstream's leg tells it. */
static struct w5_leg down_of(const struct w5_leg *up)
{
	struct w5_leg d = *up;

	d.h = (struct w5_hdr){ .ts_ns = up->resp_ns, .type = W5_REC_EXCHANGE, .size = sizeof(d) };
	d.role = W5_ROLE_DOWNSTREAM;
	memset(&d.local, 0, sizeof(d.local));
	memset(&d.remote, 0, sizeof(d.remote));
	d.lport = d.rport = 0;
	d.hint_cookie = d.conn_cookie = 0;
	d.stream = 0;
	d.h2_end = W5_H2_NONE;
	d.end = W5_END_NONE;
	d.end_ns = d.fin_in_ns = d.fin_out_ns = d.rst_in_ns = d.rst_out_ns = 0;
	return d;
}

static void tell_alone(struct engine *e, struct cut *x)
{
	struct att *a = x->att;
	int gw = gateways_of(e, a->turn.leg.tgid);
	struct w5_leg d = x->has_down ? x->down : down_of(&a->turn.leg);
	struct conn *c = conns_find(e, d.h.cookie);
	struct pending *p;

	if (!leg_wanted(e, gw, &d))
		return;
	p = pending_new(e, gw, &d);
	if (!p)
		return;
	p->cut = p->cut_alone = true;
	p->good.key = a->turn.key;
	p->good.leg = a->turn.leg;
	list_init(&p->good.by_target);
	if (c && x->has_down && c->last.leg.nr == d.nr)
		c->cut_told = d.nr;
}

void cuts_run(struct engine *e, uint64_t now_ns)
{
	while (!list_empty(&e->cuts)) {
		struct cut *x = list_entry(list_first(&e->cuts), struct cut, node);

		if (x->due_ns > now_ns)
			return;
		if (!by_peer(&x->att->turn.leg) && !waited_in_vain(e, x)) {
			list_move_back(&e->cuts_old, &x->node);
			continue;
		}
		if (!x->att->turn.claimed)
			tell_alone(e, x);
		atts_drop(e, x->att);
	}
}
