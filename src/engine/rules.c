/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cause of one attempt: the first row whose test holds. Order and look-alikes as in
 * the distinguishing table of docs/causes.md: connect, bytes that came, waiting.
 * A row says how sure its facts can make us at best; correlation may lower that.
 */
#include "engine/rules.h"

static bool client_abort(const struct facts *f)
{
	return f->client_gone && f->by_gateway;
}

static bool client_abort_connecting(const struct facts *f)
{
	return f->client_gone && f->connecting && !f->l->err;
}

static bool answered(const struct facts *f)
{
	return f->l->status && !f->answered_badly && f->l->status == f->d->status &&
	       f->l->status >= 500;
}

static bool answered_well(const struct facts *f)
{
	return f->l->status && !f->answered_badly;
}

/* Had the gateway disliked the answer, it would have closed the conn. */
static bool passed_unread(const struct facts *f)
{
	return f->opaque_answer && f->last && f->d->status >= 500 && !f->l->end;
}

static bool answered_unread(const struct facts *f)
{
	return f->opaque_answer && (!f->last || f->d->status < 500);
}

static bool always(const struct facts *f)
{
	(void)f;
	return true;
}

/* It had only a part of the header, and no more came for so long; a gateway that disliked it
 * would have closed at once. Apache says 502 then. */
static bool waited_for_rest(const struct facts *f)
{
	return (f->resp == RESP_STARTED || f->resp == RESP_HEADER) &&
	       f->l->end_ns >= f->l->last_ns + TIMER_MIN_NS;
}

static bool gateway_timeout(const struct facts *f)
{
	return !f->connecting && f->by_gateway && f->elapsed_ns >= TIMER_MIN_NS &&
	       (!f->l->status || f->d->status == 504 || waited_for_rest(f));
}

/* Its process is known to be dead: whatever else the end looks like. */
static bool backend_killed(const struct facts *f)
{
	return f->killed && !f->by_frame && !f->opaque_answer &&
	       (!f->l->status || f->answered_badly);
}

static const struct rule first[] = {
	{ .cause = CAUSE_CLIENT_ABORT, .at_best = CERTAIN, .test = client_abort },
	{ .cause = CAUSE_CLIENT_ABORT, .at_best = CERTAIN, .test = client_abort_connecting },
	{ .cause = CAUSE_BACKEND_KILLED, .at_best = CERTAIN, .test = backend_killed },
};

static const struct rule answers[] = {
	{ .cause = CAUSE_BACKEND_5XX, .at_best = CERTAIN, .test = answered },
	{ .cause = CAUSE_NONE, .at_best = CERTAIN, .test = answered_well },
	{ .cause = CAUSE_BACKEND_5XX, .at_best = LIKELY, .test = passed_unread },
	{ .cause = CAUSE_NONE, .at_best = LIKELY, .test = answered_unread },
};

static const struct rule last[] = {
	{ .cause = CAUSE_GATEWAY_TIMEOUT_LOCAL, .at_best = CERTAIN, .test = gateway_timeout },
	{ .cause = CAUSE_INSUFFICIENT_EVIDENCE, .at_best = LIKELY, .test = always },
};

#define TABLE(t)                                \
	&(const struct rule_table)              \
	{                                       \
		.rows = (t), .n = ARRAY_SIZE(t) \
	}

/* A short body comes before "answered"; TLS, seen in bytes, before "no byte came"; the frame
 * that ended a stream before what happened to its conn. */
static const struct rule_table *const order[] = {
	TABLE(first),	&rules_tls,	&rules_h2,     &rules_bytes,
	TABLE(answers), &rules_connect, &rules_silent, TABLE(last),
};

const struct rule *rule_of(const struct facts *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		for (size_t k = 0; k < order[i]->n; k++) {
			if (order[i]->rows[k].test(f))
				return &order[i]->rows[k];
		}
	}
	return &last[ARRAY_SIZE(last) - 1];
}
