/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which attempts belong to an exchange. Every candidate gets a score from its
 * witnesses; another waiting exchange with a better claim takes it away. The
 * candidates come from indices (trail, target), and from the list of recent
 * failures only when those give nothing.
 */
#include "engine/internal.h"

#include <string.h>

/* What each witness is worth. A trail that is exact (nginx) outweighs a target that was
 * rewritten; one that is not (HAProxy, Go) does not. */
enum {
	SCORE_REQUEST_ID = 16,
	SCORE_TARGET = 8,
	SCORE_REWRITTEN = 2,
	SCORE_TARGET_DIFFERS = -6,
	SCORE_UP_EXACT = 8,
	SCORE_UP = 5,
	SCORE_DOWN = 4,
	SCORE_DOWN_EXACT = 8,
	SCORE_ELSEWHERE = -2,
	SCORE_NEVER = -100,
	SCORE_THREAD = 2,
	SCORE_STATUS = 1,
	SCORE_WEAK = 2, /* thread and time alone: only if nothing else fits */
};

#define RIVALS_MAX 512		   /* waiting exchanges looked at: 60 ms at 8,000 failures/s */
#define CHAIN_MAX  512		   /* turns of one target looked at, newest first */
#define RECENT_MAX 256		   /* failures looked at without any index */
#define TIE_NS	   (NS_PER_MS / 5) /* a gateway answers within this of the failure, mostly */

struct scored {
	struct link l;
	bool own;	 /* its trail or id names this exchange */
	uint64_t gap_ns; /* settled to answered */
};

struct search {
	struct engine *e;
	const struct pending *p;
	bool exact;
	bool tied;	     /* lost or kept one only by closeness in time */
	struct turn *shadow; /* went to another exchange, but fits this one as well */
	struct scored c[CANDIDATES_MAX];
	size_t n;
};

static bool by_gateway(const struct w5_leg *l)
{
	return l->end == W5_END_FIN_OUT || l->end == W5_END_RST_OUT ||
	       (l->end == W5_END_CONNECT && !l->err);
}

/* Could it have taken part at all? */
static bool fits(const struct engine *e, const struct pending *p, const struct w5_leg *l)
{
	uint64_t start = leg_start_ns(l), settled = leg_settled_ns(l);
	uint64_t late = by_gateway(l) ? e->cfg.grace_ns : SLACK_NS;

	if (p->from_ns && start + SLACK_NS < p->from_ns)
		return false;
	if (start > p->ts_ns || settled > p->ts_ns + late)
		return false;
	return !l->tgid || !p->leg.tgid || l->tgid == p->leg.tgid;
}

static int score_heads(const struct pending *p, const struct turn *t, unsigned *w)
{
	struct head a, b;
	int s = 0;

	if (!p->key || !t->key || !head_parse(&a, &p->leg) || !head_parse(&b, &t->leg))
		return 0;
	if (head_same_id(&a, &b)) {
		*w |= WITNESS_REQUEST_ID;
		s += SCORE_REQUEST_ID;
	}
	if (p->key == t->key) {
		*w |= WITNESS_TARGET;
		return s + SCORE_TARGET;
	}
	if (head_target_rewritten(&a, &b))
		return s + SCORE_REWRITTEN;
	return s + SCORE_TARGET_DIFFERS;
}

/*
 * Is its hint beyond doubt? It is where the thread connects, and where it picks a conn out
 * of its pool and sends at once. The first request on a new conn is sent when the handshake
 * is done: an event loop may have worked on other clients in between.
 */
static bool hint_exact(const struct w5_leg *l, bool exact)
{
	return exact && (l->phase == W5_PHASE_CONNECT || l->nr > 1 || (l->flags & W5_F_HINT_OPEN));
}

static int score_trail(const struct pending *p, const struct turn *t, bool exact, unsigned *w,
		       bool *own)
{
	const struct w5_leg *l = &t->leg;
	bool same_target = p->key && p->key == t->key;
	bool sure = hint_exact(l, exact);
	bool up = l->hint_cookie && l->hint_cookie == p->leg.h.cookie &&
		  l->hint_ns + SLACK_NS >= p->from_ns;
	bool elsewhere = l->hint_cookie && l->hint_cookie != p->leg.h.cookie;
	bool back = p->leg.hint_cookie == l->h.cookie && p->leg.hint_ns &&
		    p->leg.hint_ns + SLACK_NS >= leg_start_ns(l);
	/* A retry inherits the hint of the attempt before, and with it its doubt: then only the
	 * same target on both legs makes up for it. */
	bool down = back && (!(sure && elsewhere) || same_target);
	int s = 0;

	if (up || down)
		*w |= WITNESS_TRAIL;
	if (up)
		s += sure ? SCORE_UP_EXACT : SCORE_UP;
	if (down)
		s += exact ? SCORE_DOWN_EXACT : SCORE_DOWN;
	if (elsewhere)
		s += sure && !down ? SCORE_NEVER : SCORE_ELSEWHERE;
	*own = (up && sure) || (up && down && exact);
	return s;
}

/* 0 or less: not of this exchange. */
static int score(struct engine *e, const struct pending *p, const struct turn *t, bool exact,
		 unsigned *w, bool *own)
{
	const struct w5_leg *l = &t->leg;
	int s;

	*w = 0;
	*own = false;
	if (!fits(e, p, l))
		return 0;
	s = score_trail(p, t, exact, w, own) + score_heads(p, t, w);
	if ((*w & WITNESS_REQUEST_ID) ||
	    (exact && (*w & WITNESS_TARGET) && p->leg.hint_cookie == l->h.cookie))
		*own = true;
	if (l->tid && l->tid == p->leg.tid) {
		*w |= WITNESS_THREAD;
		s += SCORE_THREAD;
	}
	if (l->status && l->status == p->leg.status) {
		*w |= WITNESS_STATUS;
		s += SCORE_STATUS;
	}
	return s;
}

static uint64_t gap(const struct pending *p, const struct turn *t)
{
	uint64_t settled = leg_settled_ns(&t->leg);

	return settled < p->ts_ns ? p->ts_ns - settled : settled - p->ts_ns;
}

/* Has another waiting exchange a better claim? Equal claims go to the nearer one. */
static bool taken_by_rival(struct search *s, const struct turn *t, int mine)
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
		    (q->key != t->key && q->leg.h.cookie != t->leg.hint_cookie &&
		     q->leg.hint_cookie != t->leg.h.cookie && q->leg.tid != t->leg.tid))
			continue;
		theirs = score(s->e, q, t, exact, &w, &own);
		if (theirs < mine)
			continue;
		if (theirs > mine)
			return true;
		s->tied = true;
		if (gap(q, t) < gap(s->p, t))
			return true;
	}
	return false;
}

static bool answered(const struct w5_leg *l)
{
	return l->h.cookie && leg_answered(l) && l->status < 500;
}

/* A failed attempt of a good answer: nothing vouches for it but what names this exchange. */
static bool vouched(const struct scored *c)
{
	return c->own || (c->l.witness & (WITNESS_TARGET | WITNESS_REQUEST_ID));
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
	c.l.score = score(s->e, s->p, t, s->exact, &c.l.witness, &c.own);
	if (c.l.score < min_score || (s->p->recovered && leg_failed(&t->leg) && !vouched(&c)))
		return;
	if (t->claimed) {
		s->shadow = s->shadow ? s->shadow : t;
		return;
	}
	if (!c.own && taken_by_rival(s, t, c.l.score))
		return;
	c.gap_ns = gap(s->p, t);
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

static void collect(struct search *s)
{
	struct conn *down = conns_find(s->e, s->p->leg.h.cookie);
	size_t bucket = s->p->key & (TARGET_BUCKETS - 1);
	int left = RECENT_MAX;
	struct list *n;

	if (down) {
		list_for_each(n, &down->hinted)
			consider(s, &list_entry(n, struct att, by_hint)->turn, SCORE_MIN);
	}
	consider_conn(s, conns_find(s->e, s->p->leg.hint_cookie));
	if (s->p->key) {
		consider_targets(s, &s->e->att_targets[bucket]);
		if (!s->p->recovered)
			consider_targets(s, &s->e->conn_targets[bucket]);
	}
	if (s->p->good.leg.h.cookie)
		consider(s, (struct turn *)&s->p->good, SCORE_MIN);
	if (s->n || s->p->recovered)
		return;
	for (n = s->e->atts.prev; n != &s->e->atts && left--; n = n->prev)
		consider(s, &list_entry(n, struct att, by_time)->turn, SCORE_WEAK);
}

/* The one that decided: of several that are surely its own, the last; else the best. */
static size_t decider(const struct search *s)
{
	size_t best = 0;

	for (size_t i = 1; i < s->n; i++) {
		const struct scored *a = &s->c[i], *b = &s->c[best];
		uint64_t sa = leg_start_ns(&a->l.turn->leg), sb = leg_start_ns(&b->l.turn->leg);
		bool better;

		if (a->own != b->own)
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

static bool same_peer(const struct w5_leg *a, const struct w5_leg *b)
{
	return a->rport == b->rport && !memcmp(&a->remote, &b->remote, sizeof(a->remote));
}

/* Retries follow each other: what was settled before the next began may be one of them. What
 * only a doubtful trail ties to the exchange must be a retry on the same peer. */
static bool precedes(const struct scored *c, const struct scored *next)
{
	const struct w5_leg *a = &c->l.turn->leg, *b = &next->l.turn->leg;

	return c->l.score >= SCORE_MIN && leg_settled_ns(a) <= leg_start_ns(b) + SLACK_NS &&
	       (vouched(c) || same_peer(a, b));
}

size_t correlate(struct engine *e, const struct pending *p, struct link *out, size_t max,
		 bool *tied)
{
	struct search s = { .e = e, .p = p, .exact = gateways_trail_exact(e, p->gw) };
	struct scored chosen;
	const struct scored *next;
	struct link chain[CANDIDATES_MAX], doubt[CANDIDATES_MAX];
	size_t nchain = 0, ndoubt = 0, n = 0, d;

	collect(&s);
	*tied = s.tied;
	if (!s.n)
		return 0;
	d = decider(&s);
	chosen = s.c[d];
	memmove(&s.c[d], &s.c[d + 1], (s.n - d - 1) * sizeof(s.c[0]));
	qsort(s.c, --s.n, sizeof(s.c[0]), by_start_desc);
	next = &chosen;
	for (size_t i = 0; i < s.n; i++) {
		struct scored *c = &s.c[i];

		if (c->own || precedes(c, next)) {
			chain[nchain++] = c->l;
			*tied = *tied || !vouched(c);
			next = c;
		} else if (c->l.score == chosen.l.score && !chosen.own &&
			   c->gap_ns < chosen.gap_ns * 4 + TIE_NS) {
			c->l.doubtful = true;
			doubt[ndoubt++] = c->l;
		}
	}
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

bool hint_is_exact(const struct engine *e, int gw, const struct w5_leg *l)
{
	return hint_exact(l, gateways_trail_exact(e, gw));
}

void correlate_good(struct engine *e, struct pending *p)
{
	struct conn *c = conns_find(e, p->leg.hint_cookie);
	bool exact = gateways_trail_exact(e, p->gw), own;
	int best = SCORE_MIN - 1, left = CANDIDATES_MAX, s;
	const struct turn *good = NULL;
	struct list *n;
	unsigned w;

	if (c && c->role == W5_ROLE_UPSTREAM &&
	    (c->last.leg.status == p->leg.status ||
	     (leg_opaque(&c->last.leg) && leg_answered(&c->last.leg)))) {
		best = score(e, p, &c->last, exact, &w, &own);
		good = best >= SCORE_MIN ? &c->last : NULL;
	}
	list_for_each(n, &e->conn_targets[p->key & (TARGET_BUCKETS - 1)]) {
		const struct turn *t = list_entry(n, struct turn, by_target);

		if (!p->key || !left--)
			break;
		if (t->key != p->key || t->leg.status != p->leg.status)
			continue;
		s = score(e, p, t, exact, &w, &own);
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
