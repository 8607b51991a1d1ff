/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is to blame, and for what. Decision order: client gone, recovered, passed through,
 * last attempt, nothing tried.
 */
#include "engine/verdict.h"

bool verdict_client_left(const struct w5_leg *d)
{
	return !d->status && (d->end == W5_END_FIN_IN || d->end == W5_END_RST_IN);
}

void verdict_set(struct work *w, enum verdict v, enum cause c, enum confidence conf)
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
	verdict_set(w, VERDICT_CLIENT, CAUSE_CLIENT_ABORT, CONFIDENCE_CERTAIN);
	return true;
}

static bool decide_recovered(struct work *w)
{
	if (!w->p->recovered)
		return false;
	/* Apache takes what is no HTTP for a body of HTTP/0.9, and says 200. */
	if (w->say.facts && w->last.l->resp_ns && (w->last.l->flags & W5_F_NOT_HTTP)) {
		verdict_set(w, VERDICT_PASSED_THROUGH, w->f->attempts[w->f->nattempts - 1].cause,
			    CONFIDENCE_CERTAIN);
		return true;
	}
	verdict_set(w, VERDICT_RECOVERED, CAUSE_RETRY_RECOVERED, CONFIDENCE_CERTAIN);
	return true;
}

static bool decide_passed(struct work *w)
{
	const struct w5_leg *l = w->say.facts ? w->last.l : NULL, *d = &w->p->leg;

	if (w->say.facts && w->last.opaque_answer && !w->p->recovered &&
	    w->f->attempts[w->f->nattempts - 1].cause == CAUSE_BACKEND_5XX) {
		verdict_set(w, VERDICT_PASSED_THROUGH, CAUSE_BACKEND_5XX, CONFIDENCE_LIKELY);
		return true;
	}
	if (!l || l->status != d->status || leg_unread(d) || !l->resp_ns ||
	    l->resp_ns > d->resp_ns + SLACK_NS)
		return false;
	if (l->status && !w->p->cut)
		verdict_set(w, VERDICT_PASSED_THROUGH, CAUSE_BACKEND_5XX, CONFIDENCE_CERTAIN);
	else if (d->resp_ns)
		/* Cut short; or no HTTP, passed on as it came (nginx: HTTP/0.9). */
		verdict_set(w, VERDICT_PASSED_THROUGH, w->f->attempts[w->f->nattempts - 1].cause,
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
	verdict_set(w, w->p->leg.status ? VERDICT_GATEWAY_MADE : VERDICT_SILENT, CAUSE_FD_LIMIT,
		    w->limit_is_sure ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	return true;
}

bool verdict_unknown(struct work *w, const char *doubt)
{
	w->say.doubt = doubt;
	verdict_set(w, VERDICT_UNKNOWN, CAUSE_INSUFFICIENT_EVIDENCE, CONFIDENCE_LIKELY);
	return true;
}

static bool decide_last(struct work *w)
{
	enum verdict v = w->p->leg.status || w->p->leg.resp_ns ? VERDICT_GATEWAY_MADE
							       : VERDICT_SILENT;
	enum cause c;

	if (!w->f->nattempts)
		return false;
	if (verdict_local(w, true))
		return true;
	c = w->f->attempts[w->f->nattempts - 1].cause;
	if (c == CAUSE_NONE)
		c = CAUSE_INSUFFICIENT_EVIDENCE;
	verdict_set(w, v, c, CONFIDENCE_CERTAIN);
	return true;
}

/* The gateway had closed the idle client conn before the request came in. */
static bool decide_idle_close(struct work *w)
{
	const struct w5_leg *d = &w->p->leg;

	if (d->status || !d->fin_out_ns || !d->req_ns || d->fin_out_ns > d->req_ns)
		return false;
	verdict_set(w, VERDICT_SILENT, CAUSE_GATEWAY_TIMEOUT_LOCAL, CONFIDENCE_CERTAIN);
	return true;
}

void verdict_decide(struct work *w)
{
	static bool (*const steps[])(struct work *) = {
		decide_client, decide_recovered,  decide_passed,   decide_limit,
		decide_last,   decide_idle_close, verdict_untried,
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (steps[i](w))
			break;
	}
	if (w->f->lost)
		work_lower(w, CONFIDENCE_LIKELY);
	w->f->confidence = w->conf;
}
