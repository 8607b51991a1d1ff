/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Upstream attempts. One that was answered well only becomes its conn's last turn;
 * one that failed, or was answered with a 5xx, is kept until an exchange claims it.
 */
#include "engine/correlate.h"
#include "engine/facts.h"
#include "engine/lookups.h"

#include <string.h>

/* From the handshake's last ACK to the RST that answers it, and a busy host. */
#define RESET_AT_ONCE_NS NS_PER_S

bool leg_answered(const struct w5_leg *l)
{
	return l->status || leg_unread(l) ||
	       (leg_opaque(l) && l->resp_ns && l->resp_bytes && !(l->flags & W5_F_HANDSHAKE));
}

uint64_t leg_start_ns(const struct w5_leg *l)
{
	if (l->req_ns && !(leg_connecting(l) && l->open_ns))
		return l->req_ns;
	if (l->open_ns)
		return l->open_ns;
	return l->end_ns ? l->end_ns : l->h.ts_ns;
}

uint64_t leg_settled_ns(const struct w5_leg *l)
{
	/* What is no HTTP may be passed on at once, while the backend goes on with it. */
	if ((leg_answered(l) || (l->flags & W5_F_NOT_HTTP)) && l->resp_ns)
		return l->resp_ns;
	return l->end_ns ? l->end_ns : l->h.ts_ns;
}

void atts_drop(struct engine *e, struct att *a)
{
	list_remove(&a->by_time);
	list_remove(&a->by_conn);
	list_remove(&a->by_hint);
	list_remove(&a->by_open);
	list_remove(&a->turn.by_target);
	cuts_drop(a);
	free(a);
	e->natts--;
}

void atts_expire(struct engine *e)
{
	while (!list_empty(&e->atts)) {
		struct att *a = list_entry(list_first(&e->atts), struct att, by_time);

		if (a->arrived_ns + ATT_KEEP_NS > e->c.now_ns)
			return;
		atts_drop(e, a);
	}
}

static struct att *att_add(struct engine *e, struct conn *c, const struct w5_leg *l, uint64_t key)
{
	struct conn *hint;
	struct att *a;

	if (e->natts >= ATTS_MAX)
		atts_drop(e, list_entry(list_first(&e->atts), struct att, by_time));
	a = malloc(sizeof(*a));
	if (!a) {
		loss_own(e, W5_LOSS_EVICTED);
		return NULL;
	}
	a->arrived_ns = e->c.now_ns;
	a->failed = leg_failed(l);
	a->cut = NULL;
	a->turn.claimed = a->turn.disputed = false;
	a->turn.is_att = true;
	a->turn.key = key;
	a->turn.leg = *l;
	list_init(&a->by_hint);
	list_init(&a->by_open);
	list_init(&a->turn.by_target);
	list_push_back(&e->atts, &a->by_time);
	list_push_back(&c->atts, &a->by_conn);
	if (key)
		list_push_front(&e->att_targets[key & (TARGET_BUCKETS - 1)], &a->turn.by_target);
	e->natts++;
	/* Last: making the other conn may push this one out, which unlinks a. */
	hint = conns_get(e, l->hint_cookie);
	if (hint)
		list_push_back(&hint->hinted, &a->by_hint);
	return a;
}

static void count_upstream(struct engine *e, struct conn *c, int gw, const struct w5_leg *l,
			   bool wanted)
{
	struct upstream *u = c->up;
	bool first = !u;

	if (first && l->rport) /* else: the record that named it was lost */
		u = upstreams_get(e, l);
	if (!u)
		return;
	if (first) {
		c->up = u;
		if (c->counted)
			u->pub.open++;
		if (!(l->flags & W5_F_OLDER))
			upstreams_add_connect(e, u);
	}
	if (wanted)
		u->pub.unwanted = false;
	u->pub.last_ns = l->h.ts_ns;
	u->pub.retrans += l->retrans;
	if (l->srtt_us)
		u->pub.srtt_us = l->srtt_us;
	if (l->phase == W5_PHASE_CONNECT) {
		u->pub.connect_failures++;
	} else {
		u->pub.requests += 1u + l->held;
		u->pub.reused += (l->nr > 1) + l->held;
		upstreams_add_ttfb(e, u, l->held_ttfb_us, l->held);
		if (l->synack_ttl)
			u->synack_ttl = l->synack_ttl;
		if (!(l->flags & W5_F_OLDER) && l->open_ns > u->last_connect_ok_ns)
			u->last_connect_ok_ns = l->open_ns;
	}
	if (leg_failed(l)) {
		u->pub.failures++;
		u->pub.last_fail_ns = leg_settled_ns(l);
		if (!u->pub.first_fail_ns)
			u->pub.first_fail_ns = u->pub.last_fail_ns;
		if (l->req_acked && !l->resp_bytes &&
		    (l->end == W5_END_FIN_OUT || l->end == W5_END_RST_OUT))
			u->last_acked_silent_ns = u->pub.last_fail_ns;
		if ((l->flags & W5_F_QUEUE_FULL) || (l->dup_synack && l->nr == 1 && !l->req_acked))
			u->last_overflow_ns = u->pub.last_fail_ns;
		if (l->nr == 1 && !(l->flags & W5_F_OLDER) && l->req_acked &&
		    (l->end == W5_END_RST_IN || l->end == W5_END_FIN_IN))
			u->last_fresh_death_ns = u->pub.last_fail_ns;
	} else if (l->resp_ns >= l->req_ns && l->req_ns) {
		u->last_answer_ns = l->resp_ns;
		if (l->status < 500)
			u->pub.last_answer_ns = l->resp_ns;
		upstreams_add_ttfb(e, u, (l->resp_ns - l->req_ns) / 1000, 1);
	}
	u->pub.s5xx += l->status >= 500;
	u->pub.resets += l->end == W5_END_RST_IN && l->phase != W5_PHASE_CONNECT;
	upstreams_note(e, u, gw, l);
}

void on_attempt(struct engine *e, struct w5_leg *l)
{
	uint64_t hint;
	bool is_open;
	/* Connects and the peer are the conn's, whatever goes over it. */
	struct conn *home = conns_get(e, leg_conn(l)), *c = conns_get(e, l->h.cookie);
	int gw = gateways_of(e, l->tgid);
	bool failed = leg_failed(l);
	bool wanted = leg_wanted(e, gw, l) && (gw < 0 || !e->gws[gw].unwanted);
	struct head h;
	uint64_t key = 0;
	struct att *a;

	lookups_lead(e, l);
	hint = l->hint_cookie;
	is_open = !trail_resolve(e, l);
	if (wanted)
		e->c.attempts += 1u + l->held;
	gateways_used(e, gw);
	if (!c || !home) {
		loss_own(e, W5_LOSS_EVICTED);
		return;
	}
	if (l->stream)
		events_leg(e, l);
	conns_seen(e, c, &l->h, W5_ROLE_UPSTREAM);
	count_upstream(e, home, gw, l, wanted);
	if (home->up)
		idle_answered(home->up, l);
	if (l->h.size < sizeof(*l)) /* of a response that goes on: not to be judged */
		l->resp_len = 0;
	if (l->phase != W5_PHASE_CONNECT && !leg_opaque(l) && head_parse_line(&h, l))
		key = head_target_key(&h);
	if (!failed && l->status < 500 && !leg_unread(l)) {
		conns_set_last(e, c, l, key, true);
		return;
	}
	conns_set_last(e, c, l, key, false);
	if (l->end)
		conns_close(e, c);
	a = att_add(e, c, l, key);
	if (a && is_open)
		trail_add_open(e, a, hint);
	if (!a || !failed)
		return;
	failure_add(e, gw, l);
	if (key && !list_empty(&e->postponed))
		pendings_wake(e, key);
	exchange_recheck(e, conns_find(e, l->hint_cookie), a);
}

static bool same_turn(const struct w5_leg *a, const struct w5_leg *b)
{
	return a->nr == b->nr && a->req_ns == b->req_ns;
}

/* A good answer that ended short is kept like a failure, until its exchange closes too. */
static void keep_if_cut(struct engine *e, struct conn *c)
{
	struct att *a;
	struct head h;

	if (c->role != W5_ROLE_UPSTREAM || c->last.leg.status >= 500 ||
	    !head_resp_short(&c->last.leg) || !head_parse_line(&h, &c->last.leg))
		return;
	a = att_add(e, c, &c->last.leg, head_target_key(&h));
	if (!a)
		return;
	list_remove(&c->last.by_target);
	cuts_add(e, a);
}

/* A handshake that got an answer, and then no further, is reported by its conn's end. One that
 * was done is a health check, unless the gateway dropped the conn it had opened for a request:
 * nginx looks at the certificate only then. */
static bool handshake_failed(struct engine *e, const struct w5_leg *l)
{
	if (l->role != W5_ROLE_UPSTREAM || !(l->flags & W5_F_HANDSHAKE))
		return false;
	if (!tls_handshake_done(l))
		return true;
	return leg_closed_by_gateway(l) && hint_is_exact(e, gateways_of(e, l->tgid), l);
}

/* Reset before anything could be asked. Later it is a conn that waited in a pool. */
static bool reset_at_once(const struct w5_leg *l)
{
	return l->role == W5_ROLE_UPSTREAM && !l->nr && l->phase == W5_PHASE_IDLE &&
	       !(l->flags & W5_F_OLDER) && l->end == W5_END_RST_IN && l->estab_ns &&
	       l->end_ns < l->estab_ns + RESET_AT_ONCE_NS;
}

/* The conn ended: its last turn now has its final facts. */
void on_end(struct engine *e, struct w5_leg *l)
{
	struct conn *c = conns_get(e, l->h.cookie);
	struct list *n;

	if (handshake_failed(e, l) || reset_at_once(l)) {
		on_attempt(e, l);
		return;
	}
	if (!c) {
		loss_own(e, W5_LOSS_EVICTED);
		return;
	}
	conns_seen(e, c, &l->h, l->role);
	idle_ended(c, gateways_find(e, l->tgid), l);
	if (same_turn(&c->last.leg, l)) {
		struct w5_leg old = c->last.leg;

		c->last.leg = *l;
		c->last.leg.h = old.h;
		if (l->role == W5_ROLE_UPSTREAM) /* it may name a stream */
			c->last.leg.hint_cookie = old.hint_cookie;
		c->last_is_cut = false;
		if (l->role == W5_ROLE_UPSTREAM)
			keep_if_cut(e, c);
		else
			exchange_ended(e, c);
	}
	list_for_each(n, &c->atts) {
		struct att *a = list_entry(n, struct att, by_conn);
		struct w5_leg old = a->turn.leg;

		if (!same_turn(&old, l))
			continue;
		a->turn.leg = *l;
		a->turn.leg.hint_cookie = old.hint_cookie;
		if (old.resp_ns)
			a->turn.leg.resp_ns = old.resp_ns;
	}
	conns_close(e, c);
}
