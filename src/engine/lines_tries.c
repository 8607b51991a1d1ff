/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose attempts are those of an exchange that only a log has seen? The conn of its client
 * cannot be read, so no trail leads to it. What ties an attempt to it: the upstream that the
 * line names, the target where that leg can be read, the worker, and the time as exact as the
 * line has it. Nothing is guessed: candidates that fit equally are all shown.
 */
#include "engine/lines.h"

#include <string.h>

#define SCAN_MAX 1024		 /* failures looked at, newest first */
#define NEAR_NS	 (5 * NS_PER_MS) /* a gateway answers within this of the failure */

#define CUT_NS (2 * NS_PER_MS) /* what a duration in milliseconds may leave out */

/* As in score.c; an upstream address in the line weighs as much as a target. */
enum {
	SCORE_TARGET = 8,
	SCORE_REWRITTEN = 2,
	SCORE_TARGET_DIFFERS = -6,
	SCORE_UPSTREAM = 8,
	SCORE_CLIENT = 8, /* its thread came from the conn of this client */
	SCORE_STATUS = 1,
	SCORE_ELSEWHERE = -2, /* its thread came from a client whose requests can be read */
};

struct fit {
	struct link l;
	uint64_t start_ns, settled_ns;
	uint64_t gap_ns; /* from the end that the line tells */
	bool taken;	 /* chosen, or part of the chain */
};

struct search {
	struct engine *e;
	const struct pending *p;
	const struct w5_log *log;
	uint64_t from_ns, to_ns; /* the exchange's span, at its widest */
	struct fit c[CANDIDATES_MAX];
	size_t n;
};

static uint64_t end_to(const struct w5_log *l)
{
	return l->end_ns + l->precision_us * 1000ull;
}

static bool same_peer(const struct w5_leg *l, const struct w5_log_try *t)
{
	return l->rport == t->port && !memcmp(&l->remote, &t->ip, sizeof(t->ip));
}

/* Named by the line, at any place. */
static bool is_named(const struct w5_log *log, const struct w5_leg *l)
{
	for (size_t i = 0; i < log->ntries; i++) {
		if (same_peer(l, &log->tries[i]))
			return true;
	}
	return false;
}

/* Does the line name all it tried? A local socket has no address. */
static bool names_all(const struct w5_log *log)
{
	for (size_t i = 0; i < log->ntries; i++) {
		if (!log->tries[i].port)
			return false;
	}
	return log->ntries > 0;
}

static bool may_be(const struct search *s, const struct w5_leg *l)
{
	int gw = gateways_of(s->e, l->tgid);
	uint64_t start = leg_start_ns(l), settled = leg_settled_ns(l);

	if (start + SLACK_NS < s->from_ns || settled < s->from_ns || settled > s->to_ns)
		return false;
	if (s->p->gw >= 0 && gw >= 0 && gw != s->p->gw)
		return false;
	if (s->log->tgid && l->tgid && s->log->tgid != l->tgid)
		return false;
	return is_named(s->log, l) || !names_all(s->log);
}

/* -1: it came from a client's conn whose requests can be read, so it is another's. */
static int score_trail(const struct search *s, const struct w5_leg *l)
{
	const struct conn *c = conns_find(s->e, l->hint_cookie);
	const struct w5_leg *d = c ? &c->last.leg : NULL;

	if (!c || c->role != W5_ROLE_DOWNSTREAM || !d->rport)
		return 0;
	if (!leg_opaque(d))
		return hint_is_exact(s->e, s->p->gw, l) ? -1 : SCORE_ELSEWHERE;
	if (s->log->cport && d->rport == s->log->cport &&
	    !memcmp(&d->remote, &s->log->client, sizeof(d->remote)))
		return SCORE_CLIENT;
	return 0;
}

static size_t path_len(struct span target)
{
	const uint8_t *query = memchr(target.p, '?', target.len);

	return query ? (size_t)(query - target.p) : target.len;
}

static bool same_path(const struct head *a, const struct head *b)
{
	size_t n = path_len(a->target);

	return n == path_len(b->target) && !memcmp(a->target.p, b->target.p, n);
}

static int score_target(const struct search *s, const struct turn *t, unsigned *w)
{
	struct head a, b;

	if (!s->p->key || !t->key || !head_parse(&a, &s->p->leg) || !head_parse(&b, &t->leg))
		return 0;
	if (head_same_id(&a, &b)) {
		*w |= WITNESS_REQUEST_ID | WITNESS_TARGET;
		return 2 * SCORE_TARGET;
	}
	if (s->p->key == t->key || (s->log->flags & W5_LOG_PATH && same_path(&a, &b))) {
		*w |= WITNESS_TARGET;
		return SCORE_TARGET;
	}
	return head_target_rewritten(&a, &b) ? SCORE_REWRITTEN : SCORE_TARGET_DIFFERS;
}

/* What the gateway got of it was a status, but no answer it could use. */
static bool is_dropped(const struct w5_leg *l)
{
	return leg_answered(l) && l->status < 500 && l->end_ns;
}

static void consider(struct search *s, struct turn *t)
{
	const struct w5_leg *l = &t->leg;
	struct fit f = { .l = { .turn = t } };
	int trail;

	if ((t->claimed && !t->disputed) || s->n == CANDIDATES_MAX || !may_be(s, l))
		return;
	for (size_t i = 0; i < s->n; i++) {
		const struct w5_leg *o = &s->c[i].l.turn->leg;

		if (s->c[i].l.turn == t || (o->h.cookie == l->h.cookie && o->nr == l->nr))
			return;
	}
	trail = score_trail(s, l);
	if (trail == -1)
		return;
	f.l.score = trail + score_target(s, t, &f.l.witness);
	if (trail == SCORE_CLIENT)
		f.l.witness |= WITNESS_TRAIL;
	if (is_named(s->log, l)) {
		f.l.witness |= WITNESS_UPSTREAM;
		f.l.score += SCORE_UPSTREAM;
	}
	if (l->status && l->status == s->log->status) {
		f.l.witness |= WITNESS_STATUS;
		f.l.score += SCORE_STATUS;
	}
	if (f.l.score < 0)
		return;
	f.start_ns = leg_start_ns(l);
	f.settled_ns = is_dropped(l) ? l->end_ns : leg_settled_ns(l);
	if (f.settled_ns < s->log->end_ns)
		f.gap_ns = s->log->end_ns - f.settled_ns;
	else if (f.settled_ns > end_to(s->log))
		f.gap_ns = f.settled_ns - end_to(s->log);
	s->c[s->n++] = f;
}

static void collect(struct search *s)
{
	int left = SCAN_MAX;
	struct list *n;

	for (n = s->e->atts.prev; n != &s->e->atts && left--; n = n->prev)
		consider(s, &list_entry(n, struct att, by_time)->turn);
}

/* A head that is broken, or not whole; one longer than what is kept may be either, and only the
 * line's own word makes it a candidate. */
static bool is_unusable(const struct search *s, const struct w5_leg *l)
{
	enum resp_kind kind = head_resp_kind(l);

	if (kind == RESP_STARTED || kind == RESP_HEADER)
		return l->resp_bytes <= l->resp_len || is_named(s->log, l);
	return kind != RESP_COMPLETE && kind != RESP_EMPTY;
}

/* Could it be the last one? A gateway that answers itself does so at once; what it passes on
 * may take until the end of the body. */
static bool may_be_last(const struct search *s, const struct fit *f)
{
	const struct w5_log *log = s->log;
	bool passed = f->l.turn->leg.status == log->status;

	if (log->ntries && log->tries[log->ntries - 1].port &&
	    !same_peer(&f->l.turn->leg, &log->tries[log->ntries - 1]))
		return false;
	return (passed && log->duration_us) || f->settled_ns + LOG_SLACK_NS >= log->end_ns;
}

static struct fit *best_last(struct search *s)
{
	struct fit *best = NULL;

	for (size_t i = 0; i < s->n; i++) {
		struct fit *f = &s->c[i];

		if (!may_be_last(s, f))
			continue;
		if (!best || f->l.score > best->l.score ||
		    (f->l.score == best->l.score &&
		     (f->gap_ns < best->gap_ns ||
		      (f->gap_ns == best->gap_ns && f->settled_ns > best->settled_ns))))
			best = f;
	}
	return best;
}

/* Where nothing failed that the line names: an answer of this very target whose conn ended when
 * the line says. */
static struct fit *choose_last(struct search *s)
{
	struct fit *best = best_last(s);
	int left = SCAN_MAX;
	struct list *n;

	if (best && best->l.score >= SCORE_MIN)
		return best;
	for (n = s->e->closed.prev; n != &s->e->closed && left--; n = n->prev) {
		struct conn *c = list_entry(n, struct conn, lru);
		size_t before = s->n;

		if (c->role != W5_ROLE_UPSTREAM || !is_dropped(&c->last.leg) ||
		    !is_unusable(s, &c->last.leg))
			continue;
		consider(s, &c->last);
		if (s->n > before && !(s->c[before].l.witness & WITNESS_TARGET))
			s->n--;
	}
	return best_last(s);
}

/* As good as the chosen one, as far as the line's clock can tell. */
static bool as_good(const struct fit *f, const struct fit *best)
{
	return f->l.score == best->l.score && f->gap_ns < best->gap_ns * 4 + NEAR_NS;
}

/* The try before next: at the peer that the line names there, or at any where it names none. */
static struct fit *try_before(struct search *s, const struct fit *next, const struct w5_log_try *t,
			      bool *several)
{
	struct fit *best = NULL;

	for (size_t i = 0; i < s->n; i++) {
		struct fit *f = &s->c[i];

		if (f->taken || f->settled_ns > next->start_ns + SLACK_NS ||
		    leg_answered(&f->l.turn->leg) != (f->l.turn->leg.status >= 500))
			continue;
		if (t ? !same_peer(&f->l.turn->leg, t) : f->l.score < next->l.score)
			continue;
		*several = *several || best;
		if (!best || f->l.score > best->l.score ||
		    (f->l.score == best->l.score && f->settled_ns > best->settled_ns))
			best = f;
	}
	return best;
}

/* From the last one back; *tied: more than one fitted somewhere. */
static size_t chain(struct search *s, struct fit *last, struct link *out, size_t max, bool *tied)
{
	const struct w5_log *log = s->log;
	struct fit *found[CANDIDATES_MAX];
	const struct fit *next = last;
	size_t n = 0, named = log->ntries ? log->ntries - 1u : max;

	last->taken = true;
	while (n < named && n + 1 < max && n < ARRAY_SIZE(found)) {
		const struct w5_log_try *t = log->ntries ? &log->tries[log->ntries - 2 - n] : NULL;
		bool several = false;
		struct fit *f = try_before(s, next, t && t->port ? t : NULL, &several);

		if (!f)
			break;
		*tied = *tied || several || !t; /* a line without tries proves no retry */
		f->taken = true;
		found[n++] = f;
		next = f;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = found[n - 1 - i]->l;
	out[n++] = last->l;
	return n;
}

size_t lines_correlate(struct engine *e, const struct pending *p, struct link *out, size_t max,
		       bool *tied)
{
	const struct w5_log *log = p->log;
	uint64_t lasted = log->duration_us * 1000ull + LOG_SLACK_NS;
	struct search s = { .e = e, .p = p, .log = log, .to_ns = end_to(log) + LOG_SLACK_NS };
	struct fit *last, *doubt[CANDIDATES_MAX];
	struct link links[CANDIDATES_MAX];
	size_t n = 0, ndoubt = 0, nchain = 0;

	*tied = false;
	if (log->flags & W5_LOG_UNTRIED)
		return 0;
	if (log->duration_us)
		s.from_ns = log->end_ns > lasted ? log->end_ns - lasted : 0;
	collect(&s);
	last = choose_last(&s);
	if (!last)
		return 0;
	/* Tries that the line names are none of the doubtful ones. */
	if (log->ntries)
		nchain = chain(&s, last, links, ARRAY_SIZE(links), tied);
	for (size_t i = 0; i < s.n; i++) {
		struct fit *f = &s.c[i];

		if (f == last || f->taken || !may_be_last(&s, f) || !as_good(f, last))
			continue;
		f->taken = true;
		doubt[ndoubt++] = f;
	}
	if (!log->ntries)
		nchain = chain(&s, last, links, ARRAY_SIZE(links), tied);
	*tied = *tied || ndoubt;
	if (s.n == 1)
		links[nchain - 1].witness |= WITNESS_TIME;
	for (size_t i = 0; i < ndoubt && n + nchain < max; i++) {
		out[n] = doubt[i]->l;
		out[n++].doubtful = true;
	}
	for (size_t i = nchain > max ? nchain - max : 0; i < nchain; i++)
		out[n++] = links[i];
	return n;
}

void lines_settle(struct pending *p, const struct link *links, size_t n)
{
	uint64_t at = n ? leg_settled_ns(&links[n - 1].turn->leg) : 0;
	uint64_t lasted = p->log->duration_us * 1000ull;

	at = min_u64(max_u64(at, p->log->end_ns), end_to(p->log));
	p->ts_ns = p->leg.resp_ns = at;
	p->from_ns = p->leg.req_ns = lasted ? at - min_u64(lasted, at) : 0;
	/* Durations are cut to the line's unit: the request was there before its first try. */
	for (size_t i = 0; i < n && lasted; i++) {
		uint64_t start = leg_start_ns(&links[i].turn->leg);

		if (!links[i].doubtful && start < p->from_ns && start + CUT_NS >= p->from_ns)
			p->from_ns = p->leg.req_ns = start;
	}
}

enum confidence lines_confidence(const struct pending *p, const struct link *last, size_t n)
{
	unsigned named = WITNESS_UPSTREAM | WITNESS_TARGET | WITNESS_TRAIL;

	if (last->witness & WITNESS_REQUEST_ID)
		return CONFIDENCE_CERTAIN;
	if (p->gw < 0 || !(last->witness & named))
		return CONFIDENCE_LIKELY;
	/* Every try that the line tells of was found, and nothing else would fit. */
	return (last->witness & WITNESS_TIME) || n == p->log->ntries ? CONFIDENCE_CERTAIN
								     : CONFIDENCE_LIKELY;
}
