/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Downstream exchanges: counted, and those that went wrong (or right, but only after a
 * failed attempt) wait for their grace, because the gateway may close the upstream conn
 * after it wrote the answer. Those are counted when the grace is over, so that the totals
 * always agree with the findings.
 */
#include "engine/lines.h"
#include "engine/sockets.h"

#include <string.h>

static int gateway_of(struct engine *e, struct conn *c, const struct w5_leg *l)
{
	if (c->gw < 0 || c->gw_tgid != l->tgid) {
		c->gw = gateways_of(e, l->tgid);
		c->gw_tgid = l->tgid;
	}
	return c->gw;
}

bool leg_wanted(const struct engine *e, int gw, const struct w5_leg *l)
{
	return (e->cfg.pid && l->tgid == e->cfg.pid && !e->cfg.comm[0]) || gateways_wanted(e, gw);
}

/*
 * --port, as far as it can be told without the attempts: the exchange's own ports, and those
 * of the upstream conn its thread worked on last before it answered.
 */
static bool on_port(const struct engine *e, const struct w5_leg *l)
{
	uint16_t port = e->cfg.port;
	const struct conn *up;

	if (!port || l->lport == port || l->rport == port)
		return true;
	up = conns_find(e, l->hint_cookie);
	return up && (up->last.leg.rport == port || up->last.leg.lport == port);
}

static bool silent(const struct w5_leg *l)
{
	return !l->status &&
	       (l->end == W5_END_FIN_OUT || l->end == W5_END_RST_OUT || l->end == W5_END_SK_ERR);
}

static bool client_left(const struct w5_leg *l)
{
	return !l->status && (l->end == W5_END_FIN_IN || l->end == W5_END_RST_IN);
}

static struct engine_second *second_of(struct engine *e, uint64_t ts_ns)
{
	uint64_t sec = ts_ns / NS_PER_S;
	size_t i = sec % SECONDS_KEPT;

	if (e->seconds[i].sec != sec) {
		e->seconds[i].sec = sec;
		e->seconds[i].s = (struct engine_second){ 0 };
	}
	return &e->seconds[i].s;
}

void exchange_count(struct engine *e, int gw, const struct w5_leg *l)
{
	struct engine_second *s = second_of(e, e->c.now_ns);
	unsigned class = l->status / 100;

	e->c.exchanges++;
	s->exchanges++;
	e->c.status_class[class < 6 ? class : 0]++;
	e->c.s502 += l->status == 502;
	e->c.s503 += l->status == 503;
	e->c.s504 += l->status == 504;
	s->s502 += l->status == 502;
	s->s503 += l->status == 503;
	s->s504 += l->status == 504;
	e->c.silent += silent(l);
	s->silent += silent(l);
	e->c.client_aborts += client_left(l);
	lines_count(e, gw, l->status, 1);
	if (gw < 0)
		return;
	e->gws[gw].exchanges++;
	e->gws[gw].unwanted = false; /* its sockets are in the cgroup, whoever holds them now */
}

void exchange_count_unseen(struct engine *e, int gw, unsigned int class, uint64_t n)
{
	e->c.exchanges += n;
	e->c.status_class[class < 6 ? class : 0] += n;
	second_of(e, e->c.now_ns)->exchanges += n;
	if (gw >= 0)
		e->gws[gw].exchanges += n;
}

/* Turns told together with a later one of their conn. */
static void count_held(struct engine *e, int gw, const struct w5_leg *l)
{
	unsigned class = l->held_status / 100;

	e->c.exchanges += l->held;
	e->c.status_class[class < 6 ? class : 0] += l->held;
	second_of(e, e->c.now_ns)->exchanges += l->held;
	lines_count(e, gw, l->held_status, l->held);
	if (gw >= 0)
		e->gws[gw].exchanges += l->held;
}

struct pending *pending_new(struct engine *e, int gw, const struct w5_leg *l)
{
	struct pending *p;
	struct head h;

	if (e->npendings >= PENDING_MAX)
		pendings_run(e, e->c.now_ns + e->cfg.grace_ns / 2);
	if (e->npendings >= PENDING_MAX) {
		loss_own(e, W5_LOSS_EVICTED);
		return NULL;
	}
	p = calloc(1, sizeof(*p));
	if (!p) {
		loss_own(e, W5_LOSS_EVICTED);
		return NULL;
	}
	p->leg = *l;
	p->gw = gw;
	p->roams = l->stream && gateways_streams_roam(e, gw);
	p->deadline_ns = e->c.now_ns + e->cfg.grace_ns;
	p->from_ns = l->req_ns;
	/* A client that left: the gateway drops the attempt after that, before this record. */
	p->ts_ns = l->status || l->resp_ns ? l->resp_ns : l->h.ts_ns;
	if (head_parse_line(&h, l))
		p->key = head_target_key(&h);
	list_push_back(&e->pendings, &p->node);
	e->npendings++;
	return p;
}

static void pending_free(struct engine *e, struct pending *p)
{
	list_remove(&p->node);
	free(p->log);
	free(p);
	e->npendings--;
}

static struct pending *pending_add(struct engine *e, struct conn *c, const struct w5_leg *l,
				   bool recovered)
{
	int gw = gateway_of(e, c, l);
	struct pending *p = leg_wanted(e, gw, l) ? pending_new(e, gw, l) : NULL;

	if (!p)
		return NULL;
	p->recovered = recovered;
	p->uncounted = !c->told;
	c->told = true;
	if (recovered)
		correlate_good(e, p);
	return p;
}

static struct pending *pending_add_bad(struct engine *e, struct conn *c, const struct w5_leg *l)
{
	struct line_code code = { .kind = 0 };
	bool in_log = lines_wire(e, c->gw, l, &code);
	struct pending *p = pending_add(e, c, l, false);

	if (!p)
		return NULL;
	p->in_log = in_log;
	p->code = code;
	return p;
}

/* Did this failed attempt happen while that request was being served? */
static bool within(const struct w5_leg *down, const struct w5_leg *up)
{
	return leg_start_ns(up) + SLACK_NS >= down->req_ns && down->req_ns &&
	       leg_start_ns(up) <= down->resp_ns && leg_settled_ns(up) <= down->resp_ns + SLACK_NS;
}

static bool failed_within(const struct att *a, const struct w5_leg *l)
{
	return a->failed && !a->turn.claimed && within(l, &a->turn.leg);
}

/* A few look-ups, and only while there are unexplained attempts. */
static bool had_failure(struct engine *e, struct conn *c, const struct w5_leg *l)
{
	int left = 16;
	struct list *n;
	struct head h;
	uint64_t key;

	key = head_parse_line(&h, l) ? head_target_key(&h) : 0;
	list_for_each(n, &c->hinted) {
		const struct att *a = list_entry(n, struct att, by_hint);

		if (hint_is_exact(e, c->gw, &a->turn.leg) && failed_within(a, l))
			return true;
	}
	if (!key)
		return false;
	if (retry_followed(e, c->gw, l, key))
		return true;
	if (l->stream && gateways_streams_roam(e, c->gw) && gateways_trail_exact(e, c->gw) &&
	    thread_failed(e, l, key))
		return true;
	list_for_each(n, &e->att_targets[key & (TARGET_BUCKETS - 1)]) {
		const struct turn *t = list_entry(n, struct turn, by_target);

		if (!left--)
			break;
		if (t->key == key && failed_within(turn_att((struct turn *)t), l))
			return true;
	}
	return texts_may_fail(e, l, key);
}

/*
 * The gateway writes and closes in one go: its close is seen before the bytes pass, so
 * "closed without a byte" may be followed by the answer of the same turn.
 */
static void answers_silent_one(struct engine *e, struct conn *c, const struct w5_leg *l)
{
	struct list *n;

	if (!c->silent_waits || !l->status)
		return;
	c->silent_waits = false;
	list_for_each(n, &e->pendings) {
		struct pending *p = list_entry(n, struct pending, node);

		if (p->leg.h.cookie != c->cookie || p->leg.nr != l->nr || p->leg.status)
			continue;
		pending_free(e, p);
		return;
	}
}

/* The kernel side follows frames before it knows who reads them: a backend's on this host, too. */
static bool is_servers(const struct engine *e, int gw, const struct w5_leg *l)
{
	return gw < 0 && e->ngws && (l->flags & W5_F_TEXT) && l->tgid;
}

void on_exchange(struct engine *e, struct w5_leg *l)
{
	struct conn *c = conns_get(e, l->h.cookie);
	struct pending *p = NULL;
	int gw;

	trail_resolve(e, l);
	trail_settle(e);
	if (!c) {
		loss_own(e, W5_LOSS_EVICTED);
		return;
	}
	if (l->stream)
		events_leg(e, l);
	conns_seen(e, c, &l->h, W5_ROLE_DOWNSTREAM);
	gw = gateway_of(e, c, l);
	gateways_used(e, gw);
	conns_set_last(e, c, l, 0, false);
	c->told = false;
	if (!leg_wanted(e, gw, l) || is_servers(e, gw, l))
		return;
	if (l->held && on_port(e, l))
		count_held(e, gw, l);
	sockets_learn(e, gw, l);
	answers_silent_one(e, c, l);
	c->silent_waits = silent(l);
	if (l->status >= 500 || !l->status)
		p = pending_add_bad(e, c, l);
	else if ((e->natts || texts_wait(e)) && had_failure(e, c, l))
		p = pending_add(e, c, l, true);
	if (!p && on_port(e, l)) {
		exchange_count(e, gw, l);
		c->told = true;
	}
	if (l->end) {
		exchange_ended(e, c);
		conns_close(e, c);
	}
}

static bool asks_for(const struct w5_leg *l, uint64_t key)
{
	struct head h;

	return key && head_parse_line(&h, l) && head_target_key(&h) == key;
}

void exchange_recheck(struct engine *e, struct conn *down, const struct att *a)
{
	const struct w5_leg *l;
	struct list *n;

	if (!down || down->role != W5_ROLE_DOWNSTREAM)
		return;
	l = &down->last.leg;
	if (!l->status || l->status >= 500 || !within(l, &a->turn.leg) ||
	    (!hint_is_exact(e, down->gw, &a->turn.leg) && !asks_for(l, a->turn.key)))
		return;
	list_for_each(n, &e->pendings) {
		const struct pending *p = list_entry(n, struct pending, node);

		if (p->leg.h.cookie == l->h.cookie && p->leg.nr == l->nr)
			return;
	}
	pending_add(e, down, l, true);
}

struct pending *exchange_bad(struct engine *e, struct conn *down, const struct w5_leg *l)
{
	return pending_add(e, down, l, false);
}

static void look_soon(struct engine *e, struct pending *p)
{
	p->deadline_ns = e->c.now_ns + e->cfg.grace_ns;
	list_move_back(&e->pendings, &p->node);
}

static void look_late(struct engine *e, struct pending *p)
{
	p->postponed = true;
	p->deadline_ns = e->c.now_ns + POSTPONE_NS;
	list_move_back(&e->postponed, &p->node);
}

static void run_list(struct engine *e, struct list *pendings, uint64_t now_ns)
{
	while (!list_empty(pendings)) {
		struct pending *p = list_entry(list_first(pendings), struct pending, node);

		if (p->deadline_ns > now_ns || engine_is_done(e))
			return;
		switch (explain(e, p, now_ns)) {
		case EXPLAINED: pending_free(e, p); break;
		case EXPLAIN_SOON: look_soon(e, p); break;
		case EXPLAIN_LATE: look_late(e, p); break;
		}
	}
}

void pendings_run(struct engine *e, uint64_t now_ns)
{
	run_list(e, &e->pendings, now_ns);
	run_list(e, &e->postponed, now_ns);
}

void pendings_wake(struct engine *e, uint64_t key)
{
	struct list *n, *next;

	list_for_each_safe(n, next, &e->postponed) {
		struct pending *p = list_entry(n, struct pending, node);

		if (p->key == key)
			look_soon(e, p);
	}
}

static void free_list(struct engine *e, struct list *pendings)
{
	while (!list_empty(pendings))
		pending_free(e, list_entry(list_first(pendings), struct pending, node));
}

void pendings_free(struct engine *e)
{
	free_list(e, &e->pendings);
	free_list(e, &e->postponed);
}
