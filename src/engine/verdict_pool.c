/* SPDX-License-Identifier: BSD-2-Clause */
/* Was it the gateway's own limit of connections? */
#include "engine/verdict.h"

static void blame_pool(struct work *w, enum confidence conf)
{
	const struct pool_full *x = &w->pool;

	w->say.earlier = NULL;
	w->say.pool = x->upstreams ? x : NULL;
	w->f->pool = (struct finding_pool){ .ip = x->ip, .port = x->port, .in_use = x->in_use };
	verdict_set(w, w->p->leg.status ? VERDICT_GATEWAY_MADE : VERDICT_SILENT, CAUSE_POOL_LIMIT,
		    conf);
}

static enum pool_state pool_was(struct work *w, const struct route *r, bool waited)
{
	return pools_state(w->e, w->p->gw, r, waited ? w->p->leg.req_ns : w->p->ts_ns, w->p->ts_ns,
			   &w->pool);
}

/* HAProxy: "sQ", it waited in the queue of a server until timeout queue. */
static bool log_says_queued(const struct work *w)
{
	const struct line_code *c = &w->p->code;

	return c->kind == W5_LOG_HAPROXY && c->text[0] == 's' && c->text[1] == 'Q';
}

bool verdict_was_queued(struct work *w)
{
	const struct w5_leg *d = &w->p->leg;
	struct route r = { 0 };
	struct head h;

	if (log_says_queued(w))
		return true;
	if (head_parse(&h, d))
		r = head_route(&h);
	return d->req_ns && w->p->ts_ns > d->req_ns + NOT_TRIED_NS &&
	       pool_was(w, &r, true) == POOL_FULL;
}

bool verdict_queued(struct work *w, const struct route *r)
{
	if (!log_says_queued(w))
		return false;
	w->say.queued = true;
	if (pool_was(w, r, true) != POOL_FULL)
		w->pool.upstreams = w->pool.in_use = 0;
	blame_pool(w, CONFIDENCE_CERTAIN);
	return true;
}

/* Without a log: all that serve this route stood at their highest while it waited, or when it was
 * turned away. What is turned away at once has the status that such an answer has. */
bool verdict_pool(struct work *w, const struct route *r, bool waited)
{
	enum pool_state state;

	if (!w->p->leg.status || verdict_warming_up(w) ||
	    (!waited && !gateways_may_be_untried(w->e, w->p->gw, w->p->leg.status)))
		return false;
	state = pool_was(w, r, waited);
	if (state == POOL_FREE)
		return false;
	if (state == POOL_MAYBE)
		return verdict_unknown(
			w,
			"no upstream was tried, and all connections may have been in use just then");
	blame_pool(w, CONFIDENCE_LIKELY);
	return true;
}
