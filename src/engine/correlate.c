/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which attempts belong to an exchange. Every candidate gets a score from its
 * witnesses; another waiting exchange with a better claim takes it away. The
 * candidates come from indices (trail, target), and from the list of recent
 * failures only when those give nothing.
 */
#include "engine/correlate.h"

#include <string.h>

#define RIVALS_MAX 512		   /* waiting exchanges looked at: 60 ms at 8,000 failures/s */
#define CHAIN_MAX  512		   /* turns of one target looked at, newest first */
#define TIE_NS	   (NS_PER_MS / 5) /* a gateway answers within this of the failure, mostly */
#define SCORE_WEAK 2		   /* thread and time alone: only if nothing else fits */

/* Has another waiting exchange a better claim? Equal claims go to the nearer one. */
bool taken_by_rival(struct search *s, const struct turn *t, int mine)
{
	int left = RIVALS_MAX, theirs;
	bool own, exact = s->exact;
	struct list *n;
	unsigned w;

	list_for_each(n, &s->e->pendings) {
		const struct pending *q = list_entry(n, struct pending, node);

		if (!left--)
			break;
		if (q == s->p ||
		    (q->key != t->key && !turn_names(&t->leg, &q->leg) &&
		     !turn_names(&q->leg, &t->leg) && q->leg.tid != t->leg.tid && !q->roams))
			continue;
		theirs = turn_score(s->e, q, t, exact, &w, &own);
		if (theirs < mine)
			continue;
		if (theirs > mine)
			return true;
		s->tied = true;
		if (turn_gap(q, t) < turn_gap(s->p, t))
			return true;
	}
	return false;
}

static bool answered(const struct w5_leg *l)
{
	return l->h.cookie && leg_answered(l) && l->status < 500;
}

static void consider(struct search *s, struct turn *t, int min_score)
{
	struct scored c = { .l = { .turn = t } };

	if ((t->claimed && !t->disputed) || s->n == CANDIDATES_MAX)
		return;
	for (size_t i = 0; i < s->n; i++) {
		const struct turn *o = s->c[i].l.turn;

		/* Its conn's last turn and the attempt kept of it are one. */
		if (o == t || (o->leg.h.cookie == t->leg.h.cookie && o->leg.nr == t->leg.nr))
			return;
	}
	c.l.score = turn_score(s->e, s->p, t, s->exact, &c.l.witness, &c.own);
	c.followed = s->p->recovered && turn_fits(s->e, s->p, &t->leg) &&
		     tries_is_retry_of(s->e, s->p->gw, &s->p->good.leg, &t->leg);
	if (c.followed && c.l.score < SCORE_MIN)
		c.l.score = SCORE_MIN;
	if (c.l.score < min_score || (s->p->recovered && leg_failed(&t->leg) && !vouched(&c)))
		return;
	if (t->claimed) {
		s->shadow = s->shadow ? s->shadow : t;
		return;
	}
	if (!c.own && taken_by_rival(s, t, c.l.score))
		return;
	c.gap_ns = turn_gap(s->p, t);
	s->c[s->n++] = c;
}

static void consider_conn(struct search *s, struct conn *c)
{
	struct list *n;

	if (!c || c->role != W5_ROLE_UPSTREAM)
		return;
	if (answered(&c->last.leg) && !s->p->recovered)
		consider(s, &c->last, SCORE_MIN);
	list_for_each(n, &c->atts)
		consider(s, &list_entry(n, struct att, by_conn)->turn, SCORE_MIN);
}

static void consider_targets(struct search *s, struct list *bucket)
{
	int left = CHAIN_MAX;
	struct list *n;

	list_for_each(n, bucket) {
		struct turn *t = list_entry(n, struct turn, by_target);

		if (!left--)
			break;
		/* A good answer on a conn that lives on explains nothing. */
		if (t->key == s->p->key && (t->is_att || t->leg.end))
			consider(s, t, SCORE_MIN);
	}
}

static void consider_hinted(struct search *s, struct conn *c)
{
	struct list *n;

	if (!c)
		return;
	list_for_each(n, &c->hinted)
		consider(s, &list_entry(n, struct att, by_hint)->turn, SCORE_MIN);
}

/* The answer came from an HTTP/2 conn, and it is open from which of its streams. */
static void consider_streams(struct search *s, uint64_t cookie)
{
	int left = RECENT_MAX;
	struct list *n;

	for (n = s->e->atts.prev; n != &s->e->atts && left--; n = n->prev) {
		struct turn *t = &list_entry(n, struct att, by_time)->turn;

		if (t->leg.conn_cookie == cookie)
			consider(s, t, SCORE_MIN);
	}
}

static void collect(struct search *s)
{
	size_t bucket = s->p->key & (TARGET_BUCKETS - 1);
	int left = RECENT_MAX;
	bool indexed;
	struct list *n;

	consider_hinted(s, conns_find(s->e, s->p->leg.h.cookie));
	if (s->p->leg.conn_cookie)
		consider_hinted(s, conns_find(s->e, s->p->leg.conn_cookie));
	if (s->p->leg.hint_cookie && !cookie_is_stream(s->p->leg.hint_cookie) && s->e->nstreams)
		consider_streams(s, s->p->leg.hint_cookie);
	if (s->p->recovered && s->p->good.leg.hint_cookie != s->p->leg.h.cookie)
		consider_hinted(s, conns_find(s->e, s->p->good.leg.hint_cookie));
	consider_conn(s, conns_find(s->e, s->p->leg.hint_cookie));
	if (s->p->key) {
		consider_targets(s, &s->e->att_targets[bucket]);
		if (!s->p->recovered)
			consider_targets(s, &s->e->conn_targets[bucket]);
	}
	if (s->p->good.leg.h.cookie)
		consider(s, (struct turn *)&s->p->good, SCORE_MIN);
	tries_before(s);
	if ((s->n && s->exact) || s->p->recovered)
		return;
	indexed = s->n > 0;
	for (n = s->e->atts.prev; n != &s->e->atts && left--; n = n->prev) {
		struct turn *t = &list_entry(n, struct att, by_time)->turn;

		/* Where the trail is doubtful, the right connect may not be in any index. */
		if (!indexed || leg_connecting(&t->leg))
			consider(s, t, indexed ? SCORE_MIN : SCORE_WEAK);
	}
}

/* What a conn older than us showed before it was known that it speaks HTTP/2: bytes that may be of
 * any stream, and no answer. */
static bool is_muddled(const struct engine *e, const struct w5_leg *l)
{
	return leg_opaque(l) && (l->flags & W5_F_OLDER) && !leg_connecting(l) &&
	       texts_is_h2(e, l->h.cookie);
}

/* What a conn's packets showed, before it was known what they say, is what its streams tell. */
static void drop_veiled(struct search *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct w5_leg *l = &s->c[i].l.turn->leg;
		bool is_told = false;

		for (size_t j = 0; leg_opaque(l) && j < s->n; j++)
			is_told = is_told || s->c[j].l.turn->leg.conn_cookie == l->h.cookie;
		if (!is_told && !is_muddled(s->e, l))
			s->c[n++] = s->c[i];
	}
	s->n = n;
}

/* The one that decided: of several that are surely its own, the last; else the best. */
static size_t decider(const struct search *s)
{
	size_t best = 0;

	for (size_t i = 1; i < s->n; i++) {
		const struct scored *a = &s->c[i], *b = &s->c[best];
		uint64_t sa = leg_start_ns(&a->l.turn->leg), sb = leg_start_ns(&b->l.turn->leg);
		bool better;

		if (s->p->recovered && leg_failed(&a->l.turn->leg) != leg_failed(&b->l.turn->leg))
			better = leg_failed(&b->l.turn->leg); /* the answer */
		else if (!s->exact &&
			 tries_of_one(s->e, s->p->gw, &a->l.turn->leg, &b->l.turn->leg))
			better = sa > sb;
		else if (!s->exact && vouched(a) != vouched(b))
			better = vouched(a); /* a connect names no request */
		else if (s->e->c.is_capture && vouched(a))
			better = sa > sb; /* both are its own */
		else if (a->own != b->own)
			better = a->own;
		else if (a->own)
			better = sa > sb;
		else if (a->l.score != b->l.score)
			better = a->l.score > b->l.score;
		else
			better = a->gap_ns < b->gap_ns;
		if (better)
			best = i;
	}
	return best;
}

static int by_start_desc(const void *a, const void *b)
{
	const struct scored *x = a, *y = b;
	uint64_t sx = leg_start_ns(&x->l.turn->leg), sy = leg_start_ns(&y->l.turn->leg);

	if (sx != sy)
		return sx < sy ? 1 : -1;
	return x->l.turn->leg.h.cookie < y->l.turn->leg.h.cookie ? 1 : -1;
}

/* Retries follow each other: what was settled before the next began may be one of them. What
 * only a doubtful trail ties to the exchange must be a retry on the same peer. */
static bool precedes(const struct scored *c, const struct scored *next, bool exact)
{
	const struct w5_leg *a = &c->l.turn->leg, *b = &next->l.turn->leg;

	if (c->l.score < SCORE_MIN || leg_settled_ns(a) > leg_start_ns(b) + SLACK_NS)
		return false;
	if (vouched(c))
		return true;
	return tries_same_peer(a, b) && (exact || !leg_connecting(b) || tries_in_turn(a, b));
}

size_t correlate(struct engine *e, const struct pending *p, struct link *out, size_t max,
		 bool *tied)
{
	struct search s = { .e = e, .p = p, .exact = trail_is_exact(e, p) };
	struct scored chosen;
	const struct scored *next;
	struct link chain[CANDIDATES_MAX], doubt[CANDIDATES_MAX];
	size_t nchain = 0, ndoubt = 0, n = 0, d;

	trail_settle(e);
	collect(&s);
	drop_veiled(&s);
	if (!s.exact)
		tries_settle(&s);
	*tied = s.tied;
	if (!s.n)
		return 0;
	d = decider(&s);
	chosen = s.c[d];
	memmove(&s.c[d], &s.c[d + 1], (--s.n - d) * sizeof(s.c[0]));
	if (p->roams && gateways_trail_exact(e, p->gw))
		tries_of_thread(&s, &chosen.l.turn->leg);
	qsort(s.c, s.n, sizeof(s.c[0]), by_start_desc);
	next = &chosen;
	for (size_t i = 0; i < s.n; i++) {
		struct scored *c = &s.c[i];

		if (c->own || precedes(c, next, s.exact)) {
			chain[nchain++] = c->l;
			*tied = *tied || !vouched(c) || (c->followed && !c->own);
			next = c;
		} else if (c->l.score == chosen.l.score && !chosen.own &&
			   (s.exact || vouched(c) == vouched(&chosen)) &&
			   c->gap_ns < chosen.gap_ns * 4 + TIE_NS) {
			c->l.doubtful = true;
			doubt[ndoubt++] = c->l;
		}
	}
	if (!s.exact && !vouched(&chosen) && tries_began_late(e, p, &next->l.turn->leg))
		return 0;
	if (s.shadow && chosen.l.turn->disputed && ndoubt < CANDIDATES_MAX)
		doubt[ndoubt++] = (struct link){ .turn = s.shadow, .doubtful = true };
	if (ndoubt)
		*tied = true;
	else if (!s.n)
		chosen.l.witness |= WITNESS_TIME;
	for (size_t i = ndoubt; i-- > 0 && n + 1 < max;)
		out[n++] = doubt[i];
	for (size_t i = nchain; i-- > 0 && n + 1 < max;)
		out[n++] = chain[i];
	out[n++] = chosen.l;
	return n;
}

void correlate_good(struct engine *e, struct pending *p)
{
	struct conn *c = conns_find(e, p->leg.hint_cookie);
	bool exact = trail_is_exact(e, p), own;
	int best = SCORE_MIN - 1, left = CANDIDATES_MAX, s;
	const struct turn *good = NULL;
	struct list *n;
	unsigned w;

	if (c && c->role == W5_ROLE_UPSTREAM &&
	    (c->last.leg.status == p->leg.status || leg_unread(&c->last.leg) ||
	     (leg_opaque(&c->last.leg) && leg_answered(&c->last.leg)))) {
		best = turn_score(e, p, &c->last, exact, &w, &own);
		good = best >= SCORE_MIN ? &c->last : NULL;
	}
	list_for_each(n, &e->conn_targets[p->key & (TARGET_BUCKETS - 1)]) {
		const struct turn *t = list_entry(n, struct turn, by_target);

		if (!p->key || !left--)
			break;
		if (t->key != p->key || t->leg.status != p->leg.status)
			continue;
		s = turn_score(e, p, t, exact, &w, &own);
		if (s > best) {
			best = s;
			good = t;
		}
	}
	if (!good)
		return;
	p->good.key = good->key;
	p->good.leg = good->leg;
	list_init(&p->good.by_target);
}
