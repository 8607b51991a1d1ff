/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers whose status cannot be read: over HTTP/2 it may refer to a header field that was sent
 * before we began to watch (RFC 7541 2.3.2). What the gateway was told itself tells it then: what a
 * backend answered and the gateway passed on is the status, from then on for the whole conn.
 */
#include "engine/h2.h"
#include "engine/lines.h"
#include "engine/rules.h"
#include "engine/work.h"

#define WITNESS_OF_ONE (WITNESS_TARGET | WITNESS_REQUEST_ID | WITNESS_TRAIL)

/* These are sent as numbers of the static table, by everybody (RFC 7541, appendix A). */
static bool is_static(uint16_t status)
{
	static const uint16_t all[] = { 200, 204, 206, 304, 400, 404, 500 };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i] == status)
			return true;
	}
	return false;
}

static const struct link *last_of(const struct work *w)
{
	return w->n ? &w->links[w->n - 1] : NULL;
}

/* Nothing but this one can have been the exchange's. */
static bool is_sure(const struct work *w)
{
	const struct link *k = last_of(w);

	return k && !w->tied && !k->doubtful && (k->witness & WITNESS_OF_ONE);
}

/* A connect names no request: it is taken for this one's if nothing speaks against it, and the
 * status has never been a good one. */
static bool is_likely(const struct work *w)
{
	const struct w5_leg *d = &w->p->leg;
	const struct link *k = last_of(w);
	uint16_t once = h2_status_of(w->e, d->conn_cookie, d->status_ref, 1);

	return k && !w->tied && !k->doubtful && (!once || once >= 500);
}

void unread_settle(struct work *w)
{
	struct w5_leg *d = &w->p->leg;
	const struct w5_leg *l;

	d->status = h2_status_of(w->e, d->conn_cookie, d->status_ref, H2_AGREED);
	if (!d->status && w->p->code.status) { /* the gateway's log says it */
		d->status = w->p->code.status;
		h2_status_learn(w->e, d->conn_cookie, d->status_ref, d->status);
	}
	if (d->status || !is_sure(w))
		return;
	l = &last_of(w)->turn->leg;
	if (!l->status || is_static(l->status) || l->resp_ns > d->resp_ns + SLACK_NS)
		return;
	/* An answer whose conn, or stream, broke off may not be what the client got. */
	if (!l->end)
		h2_status_learn(w->e, d->conn_cookie, d->status_ref, l->status);
	if (!l->end || l->status >= 500) {
		d->status = l->status;
		work_lower(w, CONFIDENCE_LIKELY);
	}
}

/* Of an answer that cannot be used a gateway makes an error; its status is not the answer's. */
static bool is_unusable(struct work *w)
{
	static const enum cause all[] = { CAUSE_TRUNCATED_HEADER, CAUSE_INVALID_HEADER,
					  CAUSE_HEADER_TOO_BIG, CAUSE_NOT_HTTP,
					  CAUSE_GATEWAY_TIMEOUT_LOCAL };
	struct facts x;
	enum cause cause;

	if (!is_sure(w))
		return false;
	facts_of(&x, w->e, &last_of(w)->turn->leg, w->p, NULL, true);
	cause = rule_of(&x)->cause;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (cause == all[i])
			return true;
	}
	return false;
}

bool unread_is_bad(struct work *w)
{
	struct w5_leg *d = &w->p->leg;
	const struct link *k = last_of(w);

	if (d->status)
		return d->status >= 500;
	if (k ? (is_likely(w) && leg_failed(&k->turn->leg)) || is_unusable(w)
	      : lookups_failed(w->e, w->p, &w->lookup) && w->lookup.tied) {
		work_lower(w, CONFIDENCE_LIKELY);
		return true;
	}
	w->e->c.undecoded++;
	lines_forget(w->e, d);
	return false;
}
