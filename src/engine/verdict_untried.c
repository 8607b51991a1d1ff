/* SPDX-License-Identifier: BSD-2-Clause */
/* Nothing is known to have been tried for it: by what rule of the gateway, or what went unseen? */
#include "engine/sockets.h"
#include "engine/local.h"
#include "engine/verdict.h"

#include <string.h>

/* It began before we did: what the gateway tried then was not seen. */
static const char *not_seen_begin(const struct work *w)
{
	const struct w5_leg *d = &w->p->leg;
	const char *began = w->e->c.is_capture ? "the request was under way when the capture began"
					       : "the request was under way when why502 started";

	if (d->req_ns && !(d->flags & W5_F_NO_REQ))
		return d->req_ns < w->e->c.start_ns ? began : NULL;
	if ((d->flags & W5_F_OLDER) || !d->open_ns || d->open_ns < w->e->c.start_ns + WARM_UP_NS)
		return began;
	return "the request of this answer was not seen";
}

/* Did the gateway have a failure during this request? Where its trail can be believed it would
 * have been found if it were this one's. */
static bool failed_meanwhile(const struct work *w, const struct route *route)
{
	enum kinship kin;

	/* A connect of this one would name it: its thread had come to its turn. */
	if (trail_is_exact(w->e, w->p) || gateways_queues(w->e, w->p->gw))
		return false;
	return w->p->leg.req_ns &&
	       failure_find(w->e, w->p->gw, route, w->p->leg.req_ns, w->p->ts_ns, &kin);
}

/* A connect to the peer that failed before did so again meanwhile, and nobody has claimed it: it
 * may be this exchange's, so that "not tried" cannot be said. */
static bool tried_meanwhile(const struct work *w, const struct failure *x)
{
	int left = RECENT_MAX;
	const struct list *n;

	if (trail_is_exact(w->e, w->p))
		return false;
	for (n = w->e->atts.prev; n != &w->e->atts && left--; n = n->prev) {
		const struct att *a = list_entry(n, struct att, by_time);
		const struct w5_leg *l = &a->turn.leg;

		if (leg_is_queued(w->e, w->p->gw, l) && !l->hint_cookie)
			continue; /* a health check, or due after a pause: of no new request */
		if (!a->turn.claimed && l->rport == x->port &&
		    !memcmp(&l->remote, &x->ip, sizeof(x->ip)) && turn_fits(w->e, w->p, l))
			return true;
	}
	return false;
}

/* Only the log tells of it, and no attempt fits: what the line says of upstreams decides. */
static bool decide_logged(struct work *w, const struct route *route)
{
	const struct w5_log *log = w->p->log;
	uint64_t hold = gateways_holddown_ns(w->e, w->p->gw);
	const struct failure *x;

	if (verdict_queued(w, route))
		return true;
	if (w->f->lost)
		return verdict_unknown(w, "records were lost: an attempt may be among them");
	if (!log->ntries && verdict_lookup(w, NULL))
		return true;
	if (!(log->flags & W5_LOG_UNTRIED))
		return verdict_unknown(
			w, log->ntries ? "the log names an upstream, but no failed "
					 "attempt to it was seen at that time"
				       : "only the gateway's log tells of it, and no attempt "
					 "fits its time");
	x = failure_find(w->e, w->p->gw, route, log->end_ns > hold ? log->end_ns - hold : 0,
			 w->p->ts_ns, &w->say.kin);
	if (x && w->say.kin == KIN_ROUTE) {
		w->say.earlier = x;
		w->f->linked_id = x->finding_id;
	}
	/* nginx logs the group's name where it could select none of its servers. */
	verdict_set(w, VERDICT_GATEWAY_MADE,
		    w->say.earlier || (log->kind == W5_LOG_NGINX && *log->code)
			    ? CAUSE_NO_LIVE_UPSTREAM
			    : CAUSE_GATEWAY_GENERATED,
		    CONFIDENCE_LIKELY);
	return true;
}

/* What is asked of an exchange without any attempt, worked out once. */
struct untried {
	struct work *w;
	struct route route;
	const struct failure *before; /* it would explain an answer at once, or NULL */
	bool of_route;		      /* that failure was met on the same route */
	bool waited;
};

static struct untried untried_of(struct work *w)
{
	const struct w5_leg *d = &w->p->leg;
	uint64_t asked = d->req_last_ns ? d->req_last_ns : d->req_ns;
	uint64_t hold = gateways_holddown_ns(w->e, w->p->gw);
	struct untried u = { .w = w, .waited = w->p->ts_ns > asked + NOT_TRIED_NS };
	struct head h;

	if (head_parse(&h, d))
		u.route = head_route(&h);
	if (w->p->log)
		return u;
	u.before = failure_find(w->e, w->p->gw, &u.route, d->req_ns > hold ? d->req_ns - hold : 0,
				w->p->ts_ns, &w->say.kin);
	if (u.before && !gateways_may_be_untried(w->e, w->p->gw, d->status))
		u.before = NULL;
	u.of_route = u.before && w->say.kin == KIN_ROUTE;
	w->say.earlier = u.before;
	return u;
}

/* A name, a local socket, a full pool. */
static bool found(const struct untried *u)
{
	const struct failure *x = u->before;
	struct work *w = u->w;
	const struct w5_unix *local;

	if (verdict_local(w, true) || verdict_lookup(w, u->waited ? NULL : x) ||
	    verdict_local(w, false))
		return true;
	local = verdict_local_instead(w, &u->route, x);
	if (local)
		return verdict_hidden_by(w, local, false);
	return !(x && !u->waited && w->say.kin != KIN_GATEWAY) &&
	       verdict_pool(w, &u->route, u->waited);
}

/* Its attempts may have gone by unseen. */
static const char *doubt_unseen(const struct untried *u)
{
	bool is_capture = u->w->e->c.is_capture;

	if (verdict_warming_up(u->w) && (u->waited || !u->before))
		return is_capture ? "the capture had just begun: attempts may have been missed"
				  : "why502 had just started: attempts may have been missed";
	if (u->waited)
		return is_capture
			       ? "no attempt was seen, yet the gateway waited: a backend on the "
				 "local network that answers no ARP, a name look-up, a queue, or a "
				 "local socket"
			       : "no attempt was seen, yet the gateway waited: a name look-up, a "
				 "queue, or a local socket";
	/* A connect that fails before its SYN leaves is in no capture. */
	if (is_capture && !u->of_route)
		return "no attempt was seen: made by the gateway's rules, every backend marked "
		       "down, or a connect that sent no packet (no route, no local port, a local "
		       "socket)";
	return NULL;
}

/* What failed meanwhile, or was asked unread, may have been its own; what failed before may have
 * nothing to do with it. */
static const char *doubt_contested(const struct untried *u)
{
	const struct failure *x = u->before;
	struct work *w = u->w;

	if ((!u->of_route || w->e->c.is_capture) && failed_meanwhile(w, &u->route))
		return "an attempt failed meanwhile, but nothing shows for which of several "
		       "requests";
	if (!u->of_route && verdict_asked_unread(w))
		return "no attempt was seen, but the gateway has upstream connections older than "
		       "why502 that are encrypted: what it asks there cannot be read before the "
		       "first answer";
	if (x && tried_meanwhile(w, x))
		return "a connect to the same backend failed meanwhile, but nothing shows for "
		       "which request";
	if (x && w->say.kin == KIN_GATEWAY && u->route.host)
		return "no attempt was seen: made by the gateway's rules, or every backend was "
		       "marked down";
	if (x && !u->of_route && w5_addr_is_path(&x->ip))
		return "no attempt was seen: a backend marked down, or a connection the gateway "
		       "had to a local socket, whose traffic cannot be seen";
	return NULL;
}

/* Nothing failed before that it could go by: was it a rule of the gateway's own? */
static bool by_rule(const struct untried *u)
{
	struct work *w = u->w;
	const struct w5_unix *local;

	if (verdict_unresolved(w))
		return true;
	if (!w->p->leg.status)
		return verdict_unknown(w, "the gateway closed without an answer and without "
					  "trying an upstream");
	if (limits_unused(w->e, w->p))
		return verdict_unknown(w,
				       "the gateway made a socket and closed it unused: its bind() "
				       "failed, most likely, for a source address that this host "
				       "does not have");
	local = sockets_used(w->e, w->p, 0); /* of another route, as far as is known */
	if (local)
		return verdict_hidden_by(w, local, false);
	if (sockets_unwatched(w->e, w->p))
		return verdict_unknown(w, "no attempt was seen: made by the gateway's rules, or a "
					  "local socket failed, which why502 watches from now on");
	verdict_set(w, VERDICT_GATEWAY_MADE, CAUSE_GATEWAY_GENERATED, CONFIDENCE_LIKELY);
	return true;
}

bool verdict_untried(struct work *w)
{
	struct untried u = untried_of(w);
	const char *doubt;

	if (w->p->log)
		return decide_logged(w, &u.route);
	if (verdict_queued(w, &u.route))
		return true;
	if (w->f->lost)
		return verdict_unknown(w, "records were lost: an attempt may be among them");
	doubt = not_seen_begin(w);
	if (doubt)
		return verdict_unknown(w, doubt);
	if (found(&u))
		return true;
	doubt = doubt_unseen(&u);
	if (doubt)
		return verdict_unknown(w, doubt);
	if (u.before)
		w->f->linked_id = u.before->finding_id;
	doubt = doubt_contested(&u);
	if (doubt)
		return verdict_unknown(w, doubt);
	if (!u.before)
		return by_rule(&u);
	verdict_set(w, w->p->leg.status ? VERDICT_GATEWAY_MADE : VERDICT_SILENT,
		    CAUSE_NO_LIVE_UPSTREAM,
		    u.of_route && !w->e->c.is_capture ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	return true;
}
