/* SPDX-License-Identifier: BSD-2-Clause */
/* The attempts of a finding in the making: the cause of each, which are in doubt, how sure it is. */
#include "engine/correlate.h"
#include "engine/lines.h"
#include "engine/work.h"

#include <string.h>

/* Second family of a dual-stack connect (RFC 8305: 250 ms; Go and Envoy 300 ms). */
#define HAPPY_EYEBALLS_NS NS_PER_S

/* The slower family of a dual-stack connect: given up because the other was there first. */
bool attempt_lost_the_race(const struct work *w, size_t i)
{
	static const uint8_t v4[12] = { [10] = 0xff, [11] = 0xff };
	const struct w5_leg *l = &w->links[i].turn->leg;
	bool is_v4 = !memcmp(l->remote.ip, v4, sizeof(v4));

	if (l->phase != W5_PHASE_CONNECT || l->err ||
	    leg_settled_ns(l) - leg_start_ns(l) > HAPPY_EYEBALLS_NS)
		return false;
	for (size_t j = 0; j < w->n; j++) {
		const struct w5_leg *o = &w->links[j].turn->leg;

		if (j != i && o->rport == l->rport && o->phase != W5_PHASE_CONNECT &&
		    !memcmp(o->remote.ip, v4, sizeof(v4)) != is_v4)
			return true;
	}
	return false;
}

/* The connect failed because the gateway goes by what a name stood for once. */
static bool went_astray(struct work *w, const struct facts *x, enum cause plain, struct stale *s)
{
	switch (plain) {
	case CAUSE_CONN_REFUSED:
	case CAUSE_CONN_REFUSED_FIREWALL:
	case CAUSE_CONN_TIMEOUT_SYN:
	case CAUSE_HOST_UNREACHABLE_LOCAL:
	case CAUSE_HOST_UNREACHABLE_ICMP:
	case CAUSE_NO_ROUTE:
		if (!x->connecting || !peers_stale(w->e, w->p->gw, x->l, w->p->ts_ns, s))
			return false;
		s->plain = plain;
		return true;
	default: return false;
	}
}

void attempts_take(struct work *w)
{
	struct finding *f = w->f;
	const struct rule *r = NULL;
	struct stale stale;

	for (size_t i = 0; i < w->n; i++) {
		struct link *k = &w->links[i];
		struct attempt *a = &f->attempts[i];
		bool last = i + 1 == w->n;
		struct facts x;

		a->leg = k->turn->leg;
		a->doubtful = k->doubtful;
		a->flight = flights_get(w->e, leg_conn(&a->leg), a->leg.h.ts_ns);
		facts_of(&x, w->e, &a->leg, w->p, a->flight, last);
		if (x.killed)
			a->killed = *x.killed;
		if (x.ports)
			a->ports = *x.ports;
		r = rule_of(&x);
		a->cause = k->cause = attempt_lost_the_race(w, i) ? CAUSE_NONE : r->cause;
		if (went_astray(w, &x, a->cause, &stale))
			a->cause = k->cause = CAUSE_WRONG_PEER;
		f->nattempts++;
		if (!last)
			continue;
		f->witness = k->witness;
		w->last = x;
		w->say.facts = &w->last;
		work_lower(w, r->at_best);
		/* that the gateway closed is inferred: its FIN never left */
		if (w->e->c.is_capture && a->leg.end == W5_END_FIN_OUT && !a->leg.fin_out_ns)
			work_lower(w, CONFIDENCE_LIKELY);
		if (a->cause != CAUSE_WRONG_PEER)
			continue;
		w->stale = stale;
		w->say.stale = &w->stale;
		work_lower(w, CONFIDENCE_LIKELY);
	}
}

static bool same_story(const struct attempt *a, const struct attempt *b)
{
	return a->cause == b->cause && a->leg.rport == b->leg.rport &&
	       !memcmp(&a->leg.remote, &b->leg.remote, sizeof(a->leg.remote));
}

void attempts_settle(struct work *w)
{
	struct finding *f = w->f;
	struct attempt *last = &f->attempts[f->nattempts - 1];
	size_t kept = 0;
	bool open = false;

	for (size_t i = 0; i < f->nattempts; i++) {
		struct attempt *a = &f->attempts[i];

		if (a->doubtful && same_story(a, last)) {
			flight_unref(a->flight);
			continue;
		}
		open = open || a->doubtful;
		if (kept != i)
			f->attempts[kept] = *a;
		kept++;
	}
	f->nattempts = kept;
	f->attempts[kept - 1].doubtful = open;
	w->last.l = &f->attempts[kept - 1].leg;
	if (w->tied)
		work_lower(w, open ? CONFIDENCE_AMBIGUOUS : CONFIDENCE_LIKELY);
}

/* Two witnesses that agree leave one candidate; one alone needs that nothing else fits. */
static enum confidence trail_confidence(const struct work *w)
{
	unsigned wit = w->f->witness;
	const struct w5_leg *l = &w->links[w->n - 1].turn->leg, *d = &w->p->leg;
	bool up = hint_names(w->e, w->p->gw, l, d), down = d->hint_cookie == l->h.cookie;

	if (wit & WITNESS_REQUEST_ID)
		return CONFIDENCE_CERTAIN;
	if ((wit & WITNESS_TRAIL) && ((wit & WITNESS_TARGET) || (up && down)))
		return CONFIDENCE_CERTAIN;
	if (up && trail_is_exact(w->e, w->p) && (l->nr > 1 || !l->nr))
		return CONFIDENCE_CERTAIN;
	if ((wit & WITNESS_TARGET) && (wit & WITNESS_TIME) &&
	    ((wit & WITNESS_THREAD) || w->e->c.is_capture))
		return CONFIDENCE_CERTAIN;
	return CONFIDENCE_LIKELY;
}

enum confidence attempts_confidence(const struct work *w)
{
	if (w->p->cut_alone && !w->p->leg.h.cookie)
		return CONFIDENCE_LIKELY; /* that it was cut is certain; whom it was for, not */
	return w->p->log ? lines_confidence(w->p, &w->links[w->n - 1], w->n) : trail_confidence(w);
}
