/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The recent upstream failures of each gateway, one row per upstream and route: they
 * explain answers that were made without any attempt.
 */
#include <string.h>

#include "engine/internal.h"

static struct failure *slot_of(struct gateway *g, const struct w5_leg *l, const struct route *r)
{
	struct failure *oldest = &g->failures[0];

	for (size_t i = 0; i < g->nfailures; i++) {
		struct failure *f = &g->failures[i];

		if (f->port == l->rport && f->route.path == r->path &&
		    !memcmp(&f->ip, &l->remote, sizeof(f->ip)))
			return f;
		if (f->ts_ns < oldest->ts_ns)
			oldest = f;
	}
	return g->nfailures < FAILURES_KEPT ? &g->failures[g->nfailures++] : oldest;
}

static void put(struct engine *e, int gw, const struct w5_leg *l, const struct route *r,
		uint64_t finding_id, enum cause cause)
{
	struct failure *f;
	uint64_t ts = leg_settled_ns(l);

	if (gw < 0)
		return;
	f = slot_of(e->gw_priv[gw], l, r);
	if (f->finding_id && !finding_id && f->ts_ns >= ts)
		return;
	*f = (struct failure){ .ts_ns = ts,
			       .route = *r,
			       .finding_id = finding_id,
			       .ip = l->remote,
			       .port = l->rport,
			       .cause = cause };
}

/* When it happens: whose request it was is not known yet. */
void failure_add(struct engine *e, int gw, const struct w5_leg *l)
{
	put(e, gw, l, &(struct route){ 0 }, 0, CAUSE_NONE);
}

void failure_explain(struct engine *e, int gw, const struct w5_leg *l, const struct route *r,
		     uint64_t finding_id, enum cause cause)
{
	put(e, gw, l, r, finding_id, cause);
}

static enum kinship kinship(const struct failure *f, const struct route *r)
{
	if (r->path && f->route.path == r->path)
		return KIN_ROUTE;
	if (r->host && f->route.host == r->host)
		return KIN_HOST;
	return KIN_GATEWAY;
}

/* The nearest kin; of those one that has a finding; of those the newest. */
const struct failure *failure_find(const struct engine *e, int gw, const struct route *r,
				   uint64_t from_ns, uint64_t to_ns, enum kinship *kin)
{
	const struct failure *best = NULL;

	*kin = KIN_GATEWAY;
	if (gw < 0)
		return NULL;
	for (size_t i = 0; i < e->gw_priv[gw]->nfailures; i++) {
		const struct failure *f = &e->gw_priv[gw]->failures[i];
		enum kinship k = kinship(f, r);
		bool told = f->finding_id;

		if (f->ts_ns < from_ns || f->ts_ns > to_ns)
			continue;
		if (best && (k != *kin			       ? k < *kin
			     : told != (best->finding_id != 0) ? !told
							       : f->ts_ns <= best->ts_ns))
			continue;
		best = f;
		*kin = k;
	}
	return best;
}
