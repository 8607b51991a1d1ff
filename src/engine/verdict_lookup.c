/* SPDX-License-Identifier: BSD-2-Clause */
/* Was it a name that did not resolve? */
#include "engine/verdict.h"

#include <stdio.h>

/* From an answer that is an error to the gateway's own. */
#define PROMPT_NS (5 * NS_PER_MS)

#define AT_ANSWER_NS (5 * NS_PER_MS) /* a gateway answers within this of the failure, mostly */

/* An attempt failed just before the answer and nobody has claimed it: rather that one than a
 * look-up that only the time speaks for. */
static bool failed_at_answer(const struct work *w)
{
	int left = RECENT_MAX;
	const struct list *n;

	for (n = w->e->atts.prev; n != &w->e->atts && left--; n = n->prev) {
		const struct turn *t = &list_entry(n, struct att, by_time)->turn;

		if (!t->claimed && leg_failed(&t->leg) && turn_fits(w->e, w->p, &t->leg) &&
		    turn_gap(w->p, t) < AT_ANSWER_NS)
			return true;
	}
	return false;
}

static void blame_lookup(struct work *w, enum confidence conf)
{
	const struct lookup *l = &w->lookup;
	struct finding_dns *d = &w->f->dns;

	w->say.lookup = l;
	w->say.earlier = NULL;
	snprintf(d->name, sizeof(d->name), "%s", l->name);
	d->server = l->server;
	d->asked = l->asked;
	d->unanswered = l->unanswered;
	d->rcode = l->rcode;
	if (l->tied)
		w->f->witness |= WITNESS_TRAIL;
	verdict_set(w, w->p->leg.status ? VERDICT_GATEWAY_MADE : VERDICT_SILENT, CAUSE_DNS_FAILURE,
		    conf);
}

/* It asked for a name and got none. x: an earlier failure that would explain an answer at once; one
 * of another route is less than an error that came just before. */
bool verdict_lookup(struct work *w, const struct failure *x)
{
	struct lookup *l = &w->lookup;
	bool is_prompt;

	if (!lookups_failed(w->e, w->p, l))
		return false;
	if (!l->tied && failed_at_answer(w))
		return false;
	is_prompt = !l->unanswered && w->p->ts_ns < l->failed_ns + PROMPT_NS;
	if (!l->tied && (verdict_warming_up(w) || (l->unanswered && verdict_asked_unread(w)) ||
			 (x && (w->say.kin == KIN_ROUTE || !is_prompt))))
		return false;
	blame_lookup(w, l->others ? CONFIDENCE_AMBIGUOUS
			: l->tied ? CONFIDENCE_CERTAIN
				  : CONFIDENCE_LIKELY);
	return true;
}

/* A gateway that resolves the names of its servers aside has none left to try. */
bool verdict_unresolved(struct work *w)
{
	if (!gateways_asks_aside(w->e, w->p->gw) || !w->p->leg.status ||
	    !gateways_may_be_untried(w->e, w->p->gw, w->p->leg.status) ||
	    !lookups_failing(w->e, w->p->gw, w->p->ts_ns, &w->lookup))
		return false;
	w->lookup.aside = true;
	blame_lookup(w, w->lookup.others ? CONFIDENCE_AMBIGUOUS : CONFIDENCE_LIKELY);
	return true;
}
