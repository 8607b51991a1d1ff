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
	SCORE_PROMPT = 8, /* a connect with a doubtful trail, ended just before the answer */
	SCORE_WEAK = 2,	  /* thread and time alone: only if nothing else fits */
};

#define RIVALS_MAX     512	/* waiting exchanges looked at: 60 ms at 8,000 failures/s */
#define CHAIN_MAX      512	/* turns of one target looked at, newest first */
#define RECENT_MAX     256	/* failures looked at without any index */
#define RETRY_NS       NS_PER_S /* HAProxy waits so long before it connects to a peer again */
#define RETRY_SLACK_NS (20 * NS_PER_MS) /* its clock is read once per turn of its loop */
#define PROMPT_NS      (NS_PER_MS / 2)	/* from a request read to the connect for it */
#define ANSWER_NS      (5 * NS_PER_MS)	/* a busy one answers within this of the failure */
#define FRESH_NS       (10 * NS_PER_MS) /* an older trail of such a thread says nothing */
#define TIE_NS	       (NS_PER_MS / 5)	/* a gateway answers within this of the failure, mostly */

struct scored {
	struct link l;
	bool own;	 /* its trail or id names this exchange */
	bool followed;	 /* a connect, and its retry is known */
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

	if (p->from_ns &&
	    (start + SLACK_NS < p->from_ns || (leg_answered(l) && settled < p->from_ns)))
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

/* A thread with many requests, timers and health checks under way: its trail grows cold. */
static bool hint_fresh(const struct w5_leg *l, bool exact)
{
	return exact || leg_start_ns(l) <= l->hint_ns + FRESH_NS;
}

/* Such a connect is for the request its thread had just read; a later try is known by the one
 * before it. */
static bool hint_of_request(const struct w5_leg *l, const struct w5_leg *down, bool exact)
{
	uint64_t read_ns = down->req_last_ns ? down->req_last_ns : down->req_ns;

	return exact || l->phase != W5_PHASE_CONNECT || l->hint_ns <= read_ns + SLACK_NS;
}

static uint64_t settled_gap(const struct pending *p, const struct w5_leg *l)
{
	uint64_t settled = leg_settled_ns(l);

	return settled < p->ts_ns ? p->ts_ns - settled : settled - p->ts_ns;
}

static bool ended_promptly(const struct pending *p, const struct w5_leg *l)
{
	return settled_gap(p, l) <= ANSWER_NS;
}

static int score_trail(const struct pending *p, const struct turn *t, bool exact, unsigned *w,
		       bool *own)
{
	const struct w5_leg *l = &t->leg;
	bool same_target = p->key && p->key == t->key;
	bool sure = hint_exact(l, exact);
	bool up = l->hint_cookie && l->hint_cookie == p->leg.h.cookie &&
		  l->hint_ns + SLACK_NS >= p->from_ns && hint_fresh(l, exact) &&
		  hint_of_request(l, &p->leg, exact);
	bool elsewhere = l->hint_cookie && l->hint_cookie != p->leg.h.cookie;
	bool back = p->leg.hint_cookie == l->h.cookie && p->leg.hint_ns &&
		    p->leg.hint_ns + SLACK_NS >= leg_start_ns(l) &&
		    (exact || l->phase != W5_PHASE_CONNECT || ended_promptly(p, l));
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

static uint64_t gap(const struct pending *p, const struct turn *t)
{
	return settled_gap(p, &t->leg);
}

/* 0 or less: not of this exchange. */
static int score(struct engine *e, const struct pending *p, const struct turn *t, bool exact,
		 unsigned *w, bool *own)
{
	const struct w5_leg *l = &t->leg;
	int s;

	*w = 0;
	*own = false;
	if (!fits(e, p, l) ||
	    (!exact && l->phase == W5_PHASE_CONNECT && leg_start_ns(l) < p->from_ns))
		return 0;
	s = score_trail(p, t, exact, w, own) + score_heads(p, t, w);
	if ((*w & WITNESS_REQUEST_ID) ||
	    (exact && (*w & WITNESS_TARGET) && p->leg.hint_cookie == l->h.cookie))
		*own = true;
	if (l->tid && l->tid == p->leg.tid) {
		*w |= WITNESS_THREAD;
		s += SCORE_THREAD;
	}
	if (!exact && l->phase == W5_PHASE_CONNECT && l->tid == p->leg.tid &&
	    ended_promptly(p, l) && !p->recovered) {
		*w |= WITNESS_TIME;
		s += SCORE_PROMPT;
	}
	if (l->status && l->status == p->leg.status) {
		*w |= WITNESS_STATUS;
		s += SCORE_STATUS;
	}
	return s;
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

/* Does b begin when HAProxy tries again what a was? At once if its own timer ended a, else
 * after a pause. */
static bool in_turn(const struct w5_leg *a, const struct w5_leg *b)
{
	uint64_t due = leg_settled_ns(a) + (a->err ? RETRY_NS : 0), start = leg_start_ns(b);

	return a->tid == b->tid && a->tgid == b->tgid && start >= leg_settled_ns(a) &&
	       start + RETRY_SLACK_NS >= due && start <= due + RETRY_SLACK_NS;
}

static bool same_peer(const struct w5_leg *a, const struct w5_leg *b)
{
	return a->rport == b->rport && !memcmp(&a->remote, &b->remote, sizeof(a->remote));
}

/*
 * After a failed connect the thread goes back to it, which puts the connect's hint on its trail
 * once more, right or wrong; the next request it sends carries that hint and is the retry.
 */
static bool is_retry_of(const struct w5_leg *l, const struct w5_leg *a)
{
	return a->phase == W5_PHASE_CONNECT && l->hint_cookie == a->hint_cookie &&
	       l->tgid == a->tgid && l->hint_ns > a->hint_ns && l->hint_ns >= leg_settled_ns(a) &&
	       l->req_ns >= l->hint_ns && l->req_ns <= l->hint_ns + FRESH_NS;
}

/* The answered request of down's target that was a's retry; NULL = none. */
static const struct turn *retry_answered(const struct engine *e, const struct w5_leg *down,
					 uint64_t key, const struct w5_leg *a)
{
	int left = CANDIDATES_MAX;
	const struct list *n;

	list_for_each(n, &e->conn_targets[key & (TARGET_BUCKETS - 1)]) {
		const struct turn *t = list_entry(n, struct turn, by_target);

		if (!left--)
			break;
		if (t->key == key && t->leg.resp_ns && t->leg.req_ns >= down->req_ns &&
		    t->leg.resp_ns <= down->resp_ns + SLACK_NS && (!a || is_retry_of(&t->leg, a)))
			return t;
	}
	return NULL;
}

bool retry_followed(const struct engine *e, const struct w5_leg *down, uint64_t key)
{
	const struct turn *good = key ? retry_answered(e, down, key, NULL) : NULL;
	const struct conn *c = good ? conns_find(e, good->leg.hint_cookie) : NULL;
	const struct list *n;

	if (!c)
		return false;
	list_for_each(n, &c->hinted) {
		const struct w5_leg *a = &list_entry(n, struct att, by_hint)->turn.leg;

		if (leg_start_ns(a) >= down->req_ns && is_retry_of(&good->leg, a))
			return true;
	}
	return false;
}

/* A failed attempt of a good answer: nothing vouches for it but what names this exchange. */
static bool vouched(const struct scored *c)
{
	return c->own || c->followed || (c->l.witness & (WITNESS_TARGET | WITNESS_REQUEST_ID));
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
	c.followed = s->p->recovered && gateways_trail_follows(s->e, s->p->gw) &&
		     fits(s->e, s->p, &t->leg) && is_retry_of(&s->p->good.leg, &t->leg);
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

static void consider_hinted(struct search *s, struct conn *c)
{
	struct list *n;

	if (!c)
		return;
	list_for_each(n, &c->hinted)
		consider(s, &list_entry(n, struct att, by_hint)->turn, SCORE_MIN);
}

static void collect(struct search *s)
{
	size_t bucket = s->p->key & (TARGET_BUCKETS - 1);
	int left = RECENT_MAX;
	bool indexed;
	struct list *n;

	consider_hinted(s, conns_find(s->e, s->p->leg.h.cookie));
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
	if ((s->n && s->exact) || s->p->recovered)
		return;
	indexed = s->n > 0;
	for (n = s->e->atts.prev; n != &s->e->atts && left--; n = n->prev) {
		struct turn *t = &list_entry(n, struct att, by_time)->turn;

		/* Where the trail is doubtful, the right connect may not be in any index. */
		if (!indexed || t->leg.phase == W5_PHASE_CONNECT)
			consider(s, t, indexed ? SCORE_MIN : SCORE_WEAK);
	}
}

static bool is_candidate(const struct search *s, const struct turn *t)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->c[i].l.turn == t)
			return true;
	}
	return false;
}

/* Its thread had just read a request when it connected: most likely for that one. */
static bool is_first_try(const struct w5_leg *l)
{
	return l->hint_cookie && leg_start_ns(l) < l->hint_ns + PROMPT_NS;
}

/* The connect that tried again what l failed to, or (before) that l tries again; NULL = none. */
static struct turn *other_try(struct search *s, const struct w5_leg *l, bool before)
{
	struct turn *best = NULL;
	int left = RECENT_MAX;
	struct list *n;

	for (n = s->e->atts.prev; n != &s->e->atts && left--; n = n->prev) {
		struct turn *t = &list_entry(n, struct att, by_time)->turn;

		if (t->claimed || t->leg.phase != W5_PHASE_CONNECT || &t->leg == l ||
		    !same_peer(l, &t->leg) || !fits(s->e, s->p, &t->leg) ||
		    !in_turn(before ? &t->leg : l, before ? l : &t->leg))
			continue;
		s->tied = s->tied || best;
		if (!best || (!before && is_first_try(&best->leg) > is_first_try(&t->leg)) ||
		    (is_first_try(&best->leg) == is_first_try(&t->leg) &&
		     gap(s->p, t) < gap(s->p, best)))
			best = t;
	}
	return best;
}

/*
 * A connect carries no request, and by the time a gateway with a pause between its tries
 * connects again its thread has been elsewhere: what ties the tries to each other is the peer,
 * the thread and the pause.
 */
static void collect_retries(struct search *s)
{
	for (size_t i = 0; i < 2 * s->n && s->n < CANDIDATES_MAX; i++) {
		const struct scored c = s->c[i / 2];
		struct turn *t;

		if (c.l.turn->leg.phase != W5_PHASE_CONNECT || !leg_failed(&c.l.turn->leg))
			continue;
		t = other_try(s, &c.l.turn->leg, i % 2);
		if (!t || is_candidate(s, t))
			continue;
		s->c[s->n++] = (struct scored){
			.l = { .turn = t, .score = c.l.score, .witness = c.l.witness },
			.gap_ns = gap(s->p, t),
		};
	}
}

/* A gateway connects for a request as soon as it has read it. */
static bool began_late(const struct pending *p, const struct w5_leg *first)
{
	uint64_t read_ns = p->leg.req_last_ns ? p->leg.req_last_ns : p->leg.req_ns;

	return first->phase == W5_PHASE_CONNECT && read_ns &&
	       leg_start_ns(first) > read_ns + FRESH_NS;
}

static bool has_try_before(const struct search *s, const struct w5_leg *l)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct w5_leg *o = &s->c[i].l.turn->leg;

		if (o != l && o->phase == W5_PHASE_CONNECT && same_peer(o, l) && in_turn(o, l))
			return true;
	}
	return false;
}

/* What began late and tries nothing again is another's. */
static void drop_late(struct search *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct w5_leg *l = &s->c[i].l.turn->leg;

		if (vouched(&s->c[i]) || !began_late(s->p, l) || has_try_before(s, l))
			s->c[kept++] = s->c[i];
	}
	s->n = kept;
}

/* Tries of one connect: then the last one decided. */
static bool one_chain(const struct scored *a, const struct scored *b)
{
	const struct w5_leg *x = &a->l.turn->leg, *y = &b->l.turn->leg;
	bool connect = x->phase == W5_PHASE_CONNECT, other = y->phase == W5_PHASE_CONNECT;

	return connect && other && same_peer(x, y) && (in_turn(x, y) || in_turn(y, x));
}

/* Tries follow each other: what went on at the same time as a try that is surely this
 * exchange's is another's. */
static void drop_overlaps(struct search *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct w5_leg *a = &s->c[i].l.turn->leg;
		bool overlaps = false;

		for (size_t j = 0; j < s->n && !vouched(&s->c[i]); j++) {
			const struct w5_leg *b = &s->c[j].l.turn->leg;

			uint64_t b_end = b->end_ns ? b->end_ns : leg_settled_ns(b);

			if (vouched(&s->c[j]) && leg_start_ns(a) < b_end &&
			    leg_start_ns(b) < leg_settled_ns(a))
				overlaps = true;
		}
		if (!overlaps)
			s->c[kept++] = s->c[i];
	}
	s->n = kept;
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
		else if (!s->exact && vouched(a) != vouched(b))
			better = vouched(a); /* a connect names no request */
		else if (!s->exact && one_chain(a, b))
			better = sa > sb;
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
	return same_peer(a, b) && (exact || b->phase != W5_PHASE_CONNECT || in_turn(a, b));
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
	if (!s.exact) {
		drop_overlaps(&s);
		collect_retries(&s);
		drop_late(&s);
	}
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
	if (!s.exact && !vouched(&chosen) && began_late(p, &next->l.turn->leg))
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

bool hint_names(const struct engine *e, int gw, const struct w5_leg *up, const struct w5_leg *down)
{
	return up->hint_cookie == down->h.cookie && hint_fresh(up, gateways_trail_exact(e, gw));
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
