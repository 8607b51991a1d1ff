/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a waiting exchange to a finding: its attempts, their causes, the verdict, how sure
 * we are, the words.
 */
#include "engine/correlate.h"
#include "engine/lines.h"
#include "engine/local.h"
#include "engine/pools.h"
#include "engine/rules.h"
#include "engine/timers.h"
#include "engine/work.h"

#include <string.h>

/* A gateway answers so soon after the failure that decided. */
#define PROMPT_NS (5 * NS_PER_MS)

#define WITNESS_STRONG (WITNESS_TARGET | WITNESS_TRAIL | WITNESS_REQUEST_ID | WITNESS_STATUS)

/* ---- who, when, what ---- */

static unsigned sight_of(const struct work *w)
{
	const struct pending *p = w->p;
	unsigned log = p->in_log ? SIGHT_LOG : 0;

	if (p->log)
		return SIGHT_LOG;
	if ((p->leg.flags & W5_F_TEXT) && !texts_is_plain(w->e, leg_conn(&p->leg)))
		return SIGHT_TLS | log;
	return SIGHT_WIRE | log;
}

static void describe(struct work *w)
{
	struct engine *e = w->e;
	const struct w5_leg *d = &w->p->leg;
	struct finding *f = w->f;
	struct head h;

	f->refs = 1;
	f->down = *d;
	f->sight = sight_of(w);
	if (w->p->log) {
		f->precision_ns = w->p->log->precision_us * 1000ull;
	}
	memcpy(f->log_code, w->p->code.text, sizeof(f->log_code));
	f->status = d->status;
	f->ts_ns = d->status || d->resp_ns ? d->resp_ns : d->end_ns ? d->end_ns : d->h.ts_ns;
	f->wall_ns = f->ts_ns + e->c.wall_offset_ns;
	f->req_ns = d->req_ns;
	f->duration_ns = d->req_ns && f->ts_ns > d->req_ns ? f->ts_ns - d->req_ns : 0;
	f->gateway_group = d->tgid;
	if (w->p->gw >= 0) {
		const struct engine_gateway *g = &e->gws[w->p->gw];

		memcpy(f->gateway_name, g->name, sizeof(f->gateway_name));
		memcpy(f->gateway_cgroup, g->cgroup, sizeof(f->gateway_cgroup));
		f->gateway_group = g->group;
	}
	if (!head_parse(&h, d))
		return;
	span_copy(f->method, sizeof(f->method), h.method);
	span_copy(f->target, sizeof(f->target), h.target);
	span_copy(f->host, sizeof(f->host), h.host);
	span_copy(f->request_id, sizeof(f->request_id), h.request_id);
}

/* ---- is it worth telling? ---- */

/* An answer that the gateway could not use, and made another 5xx of (Apache: 500 for a malformed
 * header). */
static bool was_unusable(struct work *w)
{
	uint16_t s = w->p->leg.status;
	const struct w5_leg *l = w->n ? &w->links[w->n - 1].turn->leg : NULL;
	struct facts x;

	if (!l || s < 500 || w->p->recovered || !l->status || l->status >= 500)
		return false;
	facts_of(&x, w->e, l, w->p, NULL, true);
	return rule_of(&x)->cause == CAUSE_INVALID_HEADER ||
	       rule_of(&x)->cause == CAUSE_HEADER_TOO_BIG ||
	       rule_of(&x)->cause == CAUSE_TRUNCATED_HEADER;
}

static bool worth_telling(struct work *w)
{
	uint16_t s = w->p->leg.status;

	if (w->p->cut)
		return w->n && w->links[w->n - 1].turn->leg.status == s;
	if (w->p->leg.status_ref && !w->p->recovered && !unread_is_bad(w))
		return false;
	if (!w->p->recovered && (s < 500 || s > 599 || w->e->cfg.bad_status[s - 500]))
		return true;
	if (w->say.limit || was_unusable(w))
		return true;
	for (size_t i = 0; i < w->n; i++) {
		if (leg_failed(&w->links[i].turn->leg) && !attempt_lost_the_race(w, i))
			return true;
	}
	/* A name that did not resolve is a failed attempt, too (Apache answers 500). */
	return !w->n && !w->p->recovered && s >= 500 && lookups_failed(w->e, w->p, &w->lookup) &&
	       w->lookup.tied;
}

static bool passes_port(const struct work *w)
{
	uint16_t port = w->e->cfg.port;

	if (!port || w->p->leg.lport == port || w->p->leg.rport == port)
		return true;
	for (size_t i = 0; i < w->n; i++) {
		if (w->links[i].turn->leg.rport == port || w->links[i].turn->leg.lport == port)
			return true;
	}
	return false;
}

/* ---- after ---- */

static uint64_t lost_within(const struct work *w)
{
	uint64_t from = w->p->from_ns ? w->p->from_ns : w->p->ts_ns;
	uint64_t lost = loss_within(w->e, from, w->p->ts_ns + w->e->cfg.grace_ns);
	const struct conn *c = conns_find(w->e, leg_conn(&w->p->leg));

	if (c && c->hole_ns >= from)
		lost += c->missing;
	for (size_t i = 0; i < w->n; i++) {
		c = conns_find(w->e, leg_conn(&w->links[i].turn->leg));
		if (c && c->hole_ns >= from)
			lost += c->missing;
	}
	return lost;
}

static void release_claimed(struct work *w)
{
	struct head h;
	struct route route = { 0 };
	bool disputed = false;

	if (head_parse(&h, &w->p->leg))
		route = head_route(&h);
	for (size_t i = 0; i < w->n; i++) {
		struct turn *t = w->links[i].turn;

		if (w->links[i].doubtful) {
			t->disputed = disputed = true;
			continue;
		}
		if (leg_failed(&t->leg) && !verdict_client_gone(w))
			failure_explain(w->e, w->p->gw, &t->leg, &route, w->f->id,
					w->links[i].cause);
		t->claimed = true;
		t->disputed = disputed;
		if (t->is_att && !disputed)
			atts_drop(w->e, turn_att(t));
	}
}

static void count(struct engine *e, const struct work *w)
{
	const struct finding *f = w->f;
	bool alarm = f->verdict != VERDICT_RECOVERED && f->verdict != VERDICT_CLIENT;

	e->c.findings++;
	e->c.bad += alarm;
	e->c.recovered += f->verdict == VERDICT_RECOVERED;
	if (alarm && w->p->gw >= 0)
		e->gws[w->p->gw].bad++;
}

/* A name that did not resolve is more than an attempt that only has its thread and its time in
 * common with the exchange. */
static bool asked_in_vain(struct work *w, const struct link *last)
{
	return lookups_failed(w->e, w->p, &w->lookup) &&
	       (w->lookup.tied || turn_gap(w->p, last->turn) > PROMPT_NS);
}

static size_t find_attempts(struct work *w)
{
	struct pending *p = w->p;
	bool own;
	size_t n;

	if (p->cut_alone) {
		w->links[0] = (struct link){ .turn = &p->good };
		turn_score(w->e, p, &p->good, trail_is_exact(w->e, p), &w->links[0].witness, &own);
		return 1;
	}
	if (!p->log) {
		n = correlate(w->e, p, w->links, CANDIDATES_MAX, &w->tied);
		if (n && !(w->links[n - 1].witness & WITNESS_STRONG) && !p->recovered &&
		    (asked_in_vain(w, &w->links[n - 1]) || verdict_was_queued(w)))
			n = 0;
		return n;
	}
	n = lines_correlate(w->e, p, w->links, CANDIDATES_MAX, &w->tied);
	lines_settle(p, w->links, n);
	if (p->gw < 0 && n)
		p->gw = gateways_of(w->e, w->links[n - 1].turn->leg.tgid);
	w->say.log = p->log;
	return n;
}

/* After its last attempt failed, or without any: did the gateway lack a descriptor for one? */
static void find_limit(struct work *w)
{
	const struct w5_leg *l = w->n ? &w->links[w->n - 1].turn->leg : NULL;

	if (w->p->log || w->p->recovered || (l && leg_answered(l)))
		return;
	w->say.limit = limits_files(w->e, w->p, l ? leg_settled_ns(l) : 0, &w->limit_is_sure);
}

static void note_timer(struct work *w)
{
	struct head h;
	struct route route = { 0 };

	if (!w->say.facts || !w->f->nattempts || w->p->recovered)
		return;
	if (head_parse(&h, w->last.l)) /* as the backend was asked */
		route = head_route(&h);
	timers_note(w->e, w->p->gw, &w->last, &route, w->f->cause, &w->f->timer);
}

static void note_idle(struct work *w)
{
	static const bool on_kept[CAUSE_MAX] = {
		[CAUSE_KEEPALIVE_RACE] = true,
		[CAUSE_KEEPALIVE_CLOSED_ON_REQUEST] = true,
		[CAUSE_STALE_CONNECTION_RESET] = true,
	};
	const struct facts *x = w->say.facts;

	if (x && x->up && on_kept[w->f->cause])
		idle_tell(&w->f->idle, x->up);
}

/* HAProxy lets go of a backend that does not take the request only after one more of its timers:
 * the client that got nothing is told of before. */
static bool comes_late(const struct work *w)
{
	const struct pending *p = w->p;

	return !w->n && !p->postponed && !p->log && !p->recovered && !p->leg.status &&
	       gateways_queues(w->e, p->gw) && p->key && p->from_ns &&
	       p->ts_ns > p->from_ns + TIMER_MIN_NS && !verdict_client_left(&p->leg);
}

/* Not tried, it may have been turned away by a full pool: that is known when they are counted. */
static bool comes_before_count(const struct work *w, uint64_t now_ns)
{
	return !w->n && !w->p->log && !w->p->recovered && !pools_counted(w->e, w->p->ts_ns, now_ns);
}

/* Packets tell of no process, and an errno is what a kernel would have made of them. */
static void forget_process(struct finding *f)
{
	/* what the trail of a thread is to the kernel side, is time here */
	if (f->witness & WITNESS_TRAIL)
		f->witness = (f->witness & ~(unsigned)(WITNESS_TRAIL | WITNESS_THREAD)) |
			     WITNESS_TIME;
	f->witness &= ~(unsigned)WITNESS_THREAD;
	f->gateway_group = 0;
	f->down.tgid = f->down.tid = 0;
	for (size_t i = 0; i < f->nattempts; i++) {
		f->attempts[i].leg.tgid = f->attempts[i].leg.tid = 0;
		f->attempts[i].leg.err = f->attempts[i].leg.err_soft = 0;
	}
}

enum explained explain(struct engine *e, struct pending *p, uint64_t now_ns)
{
	struct work w = { .e = e, .p = p, .conf = CONFIDENCE_CERTAIN };

	w.n = find_attempts(&w);
	find_limit(&w);
	if (comes_late(&w))
		return EXPLAIN_LATE;
	if (comes_before_count(&w, now_ns))
		return EXPLAIN_SOON;
	if (!passes_port(&w))
		return EXPLAINED;
	if (p->gw < 0)
		p->gw = gateways_of(e, p->leg.tgid);
	if (leg_unread(&p->leg))
		unread_settle(&w);
	if (p->uncounted)
		exchange_count(e, p->gw, &p->leg);
	if (!worth_telling(&w))
		return EXPLAINED;
	w.f = calloc(1, sizeof(*w.f));
	if (w.f && w.n)
		w.f->attempts = calloc(w.n, sizeof(*w.f->attempts));
	if (!w.f || (w.n && !w.f->attempts)) {
		free(w.f);
		loss_own(e, W5_LOSS_EVICTED);
		return EXPLAINED;
	}
	w.say.f = w.f;
	w.say.is_capture = e->c.is_capture;
	w.f->id = e->c.findings + 1;
	describe(&w);
	w.f->lost = lost_within(&w);
	attempts_take(&w);
	if (w.n) {
		work_lower(&w, attempts_confidence(&w));
		attempts_settle(&w);
	}
	w.f->flight = flights_get(e, leg_conn(&p->leg), p->leg.h.ts_ns);
	verdict_decide(&w);
	w.say.host = host_of(e, p->gw);
	note_timer(&w);
	note_idle(&w);
	sentence_why(w.f->why, sizeof(w.f->why), &w.say);
	sentence_next(w.f->next, sizeof(w.f->next), &w.say);
	sentence_evidence(w.f, &w.say);
	release_claimed(&w);
	count(e, &w);
	if (e->c.is_capture)
		forget_process(w.f);
	e->ops.finding(e->self, w.f);
	finding_unref(w.f);
	return EXPLAINED;
}
