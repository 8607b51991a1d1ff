/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is to blame, and for what. Decision order: client gone, recovered, passed through,
 * last attempt, nothing tried.
 */
#include "engine/correlate.h"
#include "engine/local.h"
#include "engine/sockets.h"
#include "engine/work.h"

#include <stdio.h>
#include <string.h>

/* A gateway that does not try answers at once; one that waited did something unseen. */
#define NOT_TRIED_NS (100 * NS_PER_MS)
/* From an answer that is an error to the gateway's own. */
#define PROMPT_NS    (5 * NS_PER_MS)
/* The tool may have missed the attempts of a request that began this soon after its start. */
#define WARM_UP_NS   (200 * NS_PER_MS)

bool verdict_client_left(const struct w5_leg *d)
{
	return !d->status && (d->end == W5_END_FIN_IN || d->end == W5_END_RST_IN);
}

static void set(struct work *w, enum verdict v, enum cause c, enum confidence conf)
{
	w->f->verdict = v;
	w->f->cause = c;
	work_lower(w, conf);
}

/* It closed before the answer, and its host answered the answer with RST: nobody was there to
 * read it. Without that RST it may have closed only its sending side. */
static bool left_unread(const struct work *w)
{
	const struct w5_leg *d = &w->p->leg, *l;
	const struct conn *c = conns_find(w->e, d->h.cookie);

	if (!c || c->last.leg.nr != d->nr || c->last.leg.req_ns != d->req_ns)
		return false;
	l = &c->last.leg; /* with what came after the answer */
	if (!l->resp_ns || !l->fin_in_ns || l->fin_in_ns >= l->resp_ns)
		return false;
	/* Nobody closes only one side of TLS, and the library may take what nobody will get. */
	return l->rst_in_ns >= l->resp_ns ||
	       ((d->flags & W5_F_TEXT) && !texts_is_plain(w->e, leg_conn(d)));
}

bool verdict_client_gone(const struct work *w)
{
	return verdict_client_left(&w->p->leg) || left_unread(w);
}

static bool decide_client(struct work *w)
{
	if (!verdict_client_gone(w))
		return false;
	w->conf = CONFIDENCE_CERTAIN; /* whatever the attempts: the client's own packet says it */
	set(w, VERDICT_CLIENT, CAUSE_CLIENT_ABORT, CONFIDENCE_CERTAIN);
	return true;
}

static bool decide_recovered(struct work *w)
{
	if (!w->p->recovered)
		return false;
	/* Apache takes what is no HTTP for a body of HTTP/0.9, and says 200. */
	if (w->say.facts && w->last.l->resp_ns && (w->last.l->flags & W5_F_NOT_HTTP)) {
		set(w, VERDICT_PASSED_THROUGH, w->f->attempts[w->f->nattempts - 1].cause,
		    CONFIDENCE_CERTAIN);
		return true;
	}
	set(w, VERDICT_RECOVERED, CAUSE_RETRY_RECOVERED, CONFIDENCE_CERTAIN);
	return true;
}

static bool decide_passed(struct work *w)
{
	const struct w5_leg *l = w->say.facts ? w->last.l : NULL, *d = &w->p->leg;

	if (w->say.facts && w->last.opaque_answer && !w->p->recovered &&
	    w->f->attempts[w->f->nattempts - 1].cause == CAUSE_BACKEND_5XX) {
		set(w, VERDICT_PASSED_THROUGH, CAUSE_BACKEND_5XX, CONFIDENCE_LIKELY);
		return true;
	}
	if (!l || l->status != d->status || leg_unread(d) || !l->resp_ns ||
	    l->resp_ns > d->resp_ns + SLACK_NS)
		return false;
	if (l->status && !w->p->cut)
		set(w, VERDICT_PASSED_THROUGH, CAUSE_BACKEND_5XX, CONFIDENCE_CERTAIN);
	else if (d->resp_ns)
		/* Cut short; or no HTTP, passed on as it came (nginx: HTTP/0.9). */
		set(w, VERDICT_PASSED_THROUGH, w->f->attempts[w->f->nattempts - 1].cause,
		    CONFIDENCE_CERTAIN);
	else
		return false;
	return true;
}

/* Of a socket that could not be made there is no attempt: it comes after those that failed. */
static bool decide_limit(struct work *w)
{
	if (!w->say.limit)
		return false;
	w->f->limit = *w->say.limit;
	w->conf = CONFIDENCE_CERTAIN; /* how sure the attempts before it are does not matter */
	set(w, w->p->leg.status ? VERDICT_GATEWAY_MADE : VERDICT_SILENT, CAUSE_FD_LIMIT,
	    w->limit_is_sure ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	return true;
}

static bool decide_unknown(struct work *w, const char *doubt)
{
	w->say.doubt = doubt;
	set(w, VERDICT_UNKNOWN, CAUSE_INSUFFICIENT_EVIDENCE, CONFIDENCE_LIKELY);
	return true;
}

static bool hidden_by(struct work *w, const struct w5_unix *u, bool is_of_this)
{
	w->say.local = u;
	w->say.local_is_of_this = is_of_this;
	w->say.earlier = NULL;
	return decide_unknown(w, NULL);
}

/* Its last try, or its only one, was on a local socket that took the connection. */
static bool decide_local(struct work *w, bool must_be_sure)
{
	uint64_t after_ns = w->n ? leg_settled_ns(&w->links[w->n - 1].turn->leg) : 0;
	bool sure;
	const struct w5_unix *u = sockets_tried(w->e, w->p, &sure);

	if (!u || u->h.ts_ns < after_ns || (must_be_sure && !sure))
		return false;
	return hidden_by(w, u, true);
}

/* A conn that was there before may have served it on a local socket: so did this route before, or
 * the one that the route failed at (x) takes connections again. */
static const struct w5_unix *local_instead(const struct work *w, const struct route *route,
					   const struct failure *x)
{
	if (x && w->say.kin == KIN_ROUTE && w5_addr_is_path(&x->ip))
		return sockets_used(w->e, w->p, x->ts_ns);
	return sockets_of_route(w->e, w->p, route);
}

static bool decide_last(struct work *w)
{
	enum verdict v = w->p->leg.status || w->p->leg.resp_ns ? VERDICT_GATEWAY_MADE
							       : VERDICT_SILENT;
	enum cause c;

	if (!w->f->nattempts)
		return false;
	if (decide_local(w, true))
		return true;
	c = w->f->attempts[w->f->nattempts - 1].cause;
	if (c == CAUSE_NONE)
		c = CAUSE_INSUFFICIENT_EVIDENCE;
	set(w, v, c, CONFIDENCE_CERTAIN);
	return true;
}

/* The gateway had closed the idle client conn before the request came in. */
static bool decide_idle_close(struct work *w)
{
	const struct w5_leg *d = &w->p->leg;

	if (d->status || !d->fin_out_ns || !d->req_ns || d->fin_out_ns > d->req_ns)
		return false;
	set(w, VERDICT_SILENT, CAUSE_GATEWAY_TIMEOUT_LOCAL, CONFIDENCE_CERTAIN);
	return true;
}

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

static bool warming_up(const struct work *w)
{
	return w->p->leg.req_ns < w->e->c.start_ns + WARM_UP_NS;
}

/* It may have gone to an upstream in a way that we cannot read yet. */
static bool asked_unread(const struct work *w)
{
	return pools_unread(w->e, w->p->gw, w->p->from_ns);
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
	set(w, w->p->leg.status ? VERDICT_GATEWAY_MADE : VERDICT_SILENT, CAUSE_DNS_FAILURE, conf);
}

/* It asked for a name and got none. x: an earlier failure that would explain an answer at once; one
 * of another route is less than an error that came just before. */
static bool decide_lookup(struct work *w, const struct failure *x)
{
	struct lookup *l = &w->lookup;
	bool is_prompt;

	if (!lookups_failed(w->e, w->p, l))
		return false;
	if (!l->tied && failed_at_answer(w))
		return false;
	is_prompt = !l->unanswered && w->p->ts_ns < l->failed_ns + PROMPT_NS;
	if (!l->tied && (warming_up(w) || (l->unanswered && asked_unread(w)) ||
			 (x && (w->say.kin == KIN_ROUTE || !is_prompt))))
		return false;
	blame_lookup(w, l->others ? CONFIDENCE_AMBIGUOUS
			: l->tied ? CONFIDENCE_CERTAIN
				  : CONFIDENCE_LIKELY);
	return true;
}

/* A gateway that resolves the names of its servers aside has none left to try. */
static bool decide_unresolved(struct work *w)
{
	if (!gateways_asks_aside(w->e, w->p->gw) || !w->p->leg.status ||
	    !gateways_may_be_untried(w->e, w->p->gw, w->p->leg.status) ||
	    !lookups_failing(w->e, w->p->gw, w->p->ts_ns, &w->lookup))
		return false;
	w->lookup.aside = true;
	blame_lookup(w, w->lookup.others ? CONFIDENCE_AMBIGUOUS : CONFIDENCE_LIKELY);
	return true;
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

static void blame_pool(struct work *w, enum confidence conf)
{
	const struct pool_full *x = &w->pool;

	w->say.earlier = NULL;
	w->say.pool = x->upstreams ? x : NULL;
	w->f->pool = (struct finding_pool){ .ip = x->ip, .port = x->port, .in_use = x->in_use };
	set(w, w->p->leg.status ? VERDICT_GATEWAY_MADE : VERDICT_SILENT, CAUSE_POOL_LIMIT, conf);
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

static bool decide_queued(struct work *w, const struct route *r)
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
static bool decide_pool(struct work *w, const struct route *r, bool waited)
{
	enum pool_state state;

	if (!w->p->leg.status || warming_up(w) ||
	    (!waited && !gateways_may_be_untried(w->e, w->p->gw, w->p->leg.status)))
		return false;
	state = pool_was(w, r, waited);
	if (state == POOL_FREE)
		return false;
	if (state == POOL_MAYBE)
		return decide_unknown(
			w,
			"no upstream was tried, and all connections may have been in use just then");
	blame_pool(w, CONFIDENCE_LIKELY);
	return true;
}

/* Only the log tells of it, and no attempt fits: what the line says of upstreams decides. */
static bool decide_logged(struct work *w, const struct route *route)
{
	const struct w5_log *log = w->p->log;
	uint64_t hold = gateways_holddown_ns(w->e, w->p->gw);
	const struct failure *x;

	if (decide_queued(w, route))
		return true;
	if (w->f->lost)
		return decide_unknown(w, "records were lost: an attempt may be among them");
	if (!log->ntries && decide_lookup(w, NULL))
		return true;
	if (!(log->flags & W5_LOG_UNTRIED))
		return decide_unknown(
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
	set(w, VERDICT_GATEWAY_MADE,
	    w->say.earlier || (log->kind == W5_LOG_NGINX && *log->code) ? CAUSE_NO_LIVE_UPSTREAM
									: CAUSE_GATEWAY_GENERATED,
	    CONFIDENCE_LIKELY);
	return true;
}

static bool decide_untried(struct work *w)
{
	const struct w5_leg *d = &w->p->leg;
	uint64_t asked = d->req_last_ns ? d->req_last_ns : d->req_ns;
	uint64_t hold = gateways_holddown_ns(w->e, w->p->gw);
	struct head h;
	struct route route = { 0 };
	const char *begin = not_seen_begin(w);
	const struct failure *x;
	const struct w5_unix *local;
	bool waited = w->p->ts_ns > asked + NOT_TRIED_NS;

	if (head_parse(&h, d))
		route = head_route(&h);
	if (w->p->log)
		return decide_logged(w, &route);
	x = failure_find(w->e, w->p->gw, &route, d->req_ns > hold ? d->req_ns - hold : 0,
			 w->p->ts_ns, &w->say.kin);
	if (x && !gateways_may_be_untried(w->e, w->p->gw, d->status))
		x = NULL;
	w->say.earlier = x;
	if (decide_queued(w, &route))
		return true;
	if (w->f->lost)
		return decide_unknown(w, "records were lost: an attempt may be among them");
	if (begin)
		return decide_unknown(w, begin);
	if (decide_local(w, true) || decide_lookup(w, waited ? NULL : x) || decide_local(w, false))
		return true;
	local = local_instead(w, &route, x);
	if (local)
		return hidden_by(w, local, false);
	if (!(x && !waited && w->say.kin != KIN_GATEWAY) && decide_pool(w, &route, waited))
		return true;
	if (warming_up(w) && (waited || !x))
		return decide_unknown(
			w, w->e->c.is_capture
				   ? "the capture had just begun: attempts may have been missed"
				   : "why502 had just started: attempts may have been missed");
	if (waited)
		return decide_unknown(
			w,
			w->e->c.is_capture
				? "no attempt was seen, yet the gateway waited: a backend on the "
				  "local network that answers no ARP, a name look-up, a queue, or a "
				  "local socket"
				: "no attempt was seen, yet the gateway waited: a name look-up, a queue, or a local socket");
	/* A connect that fails before its SYN leaves is in no capture. */
	if (w->e->c.is_capture && !(x && w->say.kin == KIN_ROUTE))
		return decide_unknown(
			w,
			"no attempt was seen: made by the gateway's rules, every backend marked down, or a "
			"connect that sent no packet (no route, no local port, a local socket)");
	if (x)
		w->f->linked_id = x->finding_id;
	if ((!(x && w->say.kin == KIN_ROUTE) || w->e->c.is_capture) && failed_meanwhile(w, &route))
		return decide_unknown(
			w,
			"an attempt failed meanwhile, but nothing shows for which of several requests");
	if (!(x && w->say.kin == KIN_ROUTE) && asked_unread(w))
		return decide_unknown(
			w,
			"no attempt was seen, but the gateway has upstream connections older than why502 that are encrypted: what it asks there cannot be read before the first answer");
	if (x && tried_meanwhile(w, x))
		return decide_unknown(
			w,
			"a connect to the same backend failed meanwhile, but nothing shows for which request");
	if (x && w->say.kin == KIN_GATEWAY && route.host)
		return decide_unknown(
			w,
			"no attempt was seen: made by the gateway's rules, or every backend was marked down");
	if (x && w->say.kin != KIN_ROUTE && w5_addr_is_path(&x->ip))
		return decide_unknown(
			w,
			"no attempt was seen: a backend marked down, or a connection the gateway had to a local socket, whose traffic cannot be seen");
	if (x) {
		set(w, d->status ? VERDICT_GATEWAY_MADE : VERDICT_SILENT, CAUSE_NO_LIVE_UPSTREAM,
		    w->say.kin == KIN_ROUTE && !w->e->c.is_capture ? CONFIDENCE_CERTAIN
								   : CONFIDENCE_LIKELY);
		return true;
	}
	if (decide_unresolved(w))
		return true;
	if (!d->status)
		return decide_unknown(
			w, "the gateway closed without an answer and without trying an upstream");
	if (limits_unused(w->e, w->p))
		return decide_unknown(
			w,
			"the gateway made a socket and closed it unused: its bind() failed, most likely, for a source address that this host does not have");
	local = sockets_used(w->e, w->p, 0); /* of another route, as far as is known */
	if (local)
		return hidden_by(w, local, false);
	if (sockets_unwatched(w->e, w->p))
		return decide_unknown(
			w,
			"no attempt was seen: made by the gateway's rules, or a local socket failed, which why502 watches from now on");
	set(w, VERDICT_GATEWAY_MADE, CAUSE_GATEWAY_GENERATED, CONFIDENCE_LIKELY);
	return true;
}

void verdict_decide(struct work *w)
{
	static bool (*const steps[])(struct work *) = {
		decide_client, decide_recovered,  decide_passed,  decide_limit,
		decide_last,   decide_idle_close, decide_untried,
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (steps[i](w))
			break;
	}
	if (w->f->lost)
		work_lower(w, CONFIDENCE_LIKELY);
	w->f->confidence = w->conf;
}
