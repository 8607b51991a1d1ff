/* SPDX-License-Identifier: BSD-2-Clause */
/* See timers.h. */
#include "engine/timers.h"

#include <errno.h>
#include <string.h>

#define TIMERS_MAX 512
#define LATES_MAX  512
#define VALUES_MAX 4 /* different timers at one place: of routes, of retries */

/* A timer never fires early, and late only by what keeps its process from running: a busy worker's
 * turn; one percent for those that count in coarse ticks of long timers. */
#define TOLERANCE_NS(ns) (10 * NS_PER_MS + (ns) / 100)
/* As in rules.h: shorter ones are none. */
#define TIMER_MIN_NS	 (90 * NS_PER_MS)

/* A process that notices its client gone; round trips come on top. */
#define REACTION_NS (100 * NS_PER_MS)

struct value {
	uint64_t ns, used_ns; /* the shortest seen */
	uint32_t n;
};

struct timer {
	uint64_t used_ns;
	struct w5_addr ip;
	uint16_t port;
	uint8_t phase;
	int gw;
	struct value values[VALUES_MAX];
};

struct late {
	uint64_t used_ns;
	struct w5_addr ip;
	uint16_t port;
	uint64_t route;
	uint64_t shortest_ns, longest_ns;
	uint32_t n;
};

struct timers {
	size_t ntimers, nlates;
	struct timer timers[TIMERS_MAX];
	struct late lates[LATES_MAX];
};

int timers_new(struct timers **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void timers_free(struct timers *t)
{
	free(t);
}

static struct timer *timer_get(struct timers *t, int gw, const struct w5_leg *l, uint8_t phase)
{
	struct timer *oldest = &t->timers[0];

	for (size_t i = 0; i < t->ntimers; i++) {
		struct timer *m = &t->timers[i];

		if (m->gw == gw && m->phase == phase && m->port == l->rport &&
		    !memcmp(&m->ip, &l->remote, sizeof(m->ip)))
			return m;
		if (m->used_ns < oldest->used_ns)
			oldest = m;
	}
	if (t->ntimers < TIMERS_MAX)
		oldest = &t->timers[t->ntimers++];
	*oldest = (struct timer){ .ip = l->remote, .port = l->rport, .phase = phase, .gw = gw };
	return oldest;
}

static struct value *value_get(struct timer *m, uint64_t ns)
{
	struct value *oldest = &m->values[0];

	for (size_t i = 0; i < VALUES_MAX; i++) {
		struct value *v = &m->values[i];
		uint64_t apart = v->ns > ns ? v->ns - ns : ns - v->ns;

		if (v->n && apart <= TOLERANCE_NS(v->ns))
			return v;
		if (v->used_ns < oldest->used_ns)
			oldest = v;
	}
	*oldest = (struct value){ .ns = ns };
	return oldest;
}

static struct late *late_find(struct timers *t, const struct w5_addr *ip, uint16_t port,
			      uint64_t route)
{
	for (size_t i = 0; i < t->nlates; i++) {
		struct late *l = &t->lates[i];

		if (l->port == port && l->route == route && !memcmp(&l->ip, ip, sizeof(*ip)))
			return l;
	}
	return NULL;
}

static struct late *late_get(struct timers *t, const struct w5_late *r, uint64_t route)
{
	struct late *l = late_find(t, &r->remote, r->rport, route), *oldest = &t->lates[0];

	if (l)
		return l;
	for (size_t i = 0; i < t->nlates; i++) {
		if (t->lates[i].used_ns < oldest->used_ns)
			oldest = &t->lates[i];
	}
	if (t->nlates < LATES_MAX)
		oldest = &t->lates[t->nlates++];
	*oldest = (struct late){ .ip = r->remote, .port = r->rport, .route = route };
	return oldest;
}

/* What comes at once when the gateway has closed may be the answer to that. */
static bool is_reaction(const struct w5_late *r, const struct w5_leg *l)
{
	return !r->status && r->h.ts_ns < r->closed_ns + REACTION_NS + 2000ull * l->srtt_us;
}

/* Where its text was read, that is a little older than its packet; and only the text knows that it
 * has no answer. */
#define TEXT_TO_PACKET_NS (20 * NS_PER_MS)

static bool is_same_request(const struct w5_leg *l, const struct w5_late *r)
{
	if (!(l->flags & W5_F_TEXT))
		return l->req_ns == r->req_ns;
	return leg_failed(l) && !l->stream && l->req_ns <= r->req_ns + NS_PER_MS &&
	       r->req_ns <= l->req_ns + TEXT_TO_PACKET_NS;
}

/* The first bytes for a request that had none: how long the backend needed. */
void on_late(struct engine *e, const struct w5_late *r)
{
	const struct conn *c = conns_find(e, r->h.cookie);
	uint64_t asked = r->req_last_ns ? r->req_last_ns : r->req_ns, ns;
	struct head h;
	struct late *l;

	if (!c || c->role != W5_ROLE_UPSTREAM || !is_same_request(&c->last.leg, r) ||
	    is_reaction(r, &c->last.leg) || r->h.ts_ns <= asked || r->closed_ns < asked ||
	    !head_parse(&h, &c->last.leg))
		return;
	ns = r->h.ts_ns - asked;
	l = late_get(e->timers, r, head_route(&h).path);
	l->used_ns = e->c.now_ns;
	l->n++;
	if (!l->shortest_ns || ns < l->shortest_ns)
		l->shortest_ns = ns;
	if (ns > l->longest_ns)
		l->longest_ns = ns;
}

/* Of these the gateway's timer is what ended the wait. */
static bool ends_by_timer(enum cause c)
{
	static const bool by_timer[CAUSE_MAX] = {
		[CAUSE_BACKEND_SLOW] = true,
		[CAUSE_GATEWAY_TIMEOUT_LOCAL] = true,
		[CAUSE_CONN_TIMEOUT_SYN] = true,
		[CAUSE_PATH_LOSS] = true,
		[CAUSE_ZERO_WINDOW] = true,
		[CAUSE_PMTU_BLACKHOLE] = true,
		[CAUSE_ACCEPT_QUEUE_OVERFLOW] = true,
		[CAUSE_STALE_CONNECTION_BLACKHOLE] = true,
		[CAUSE_HOST_UNREACHABLE_LOCAL] = true,
	};

	return by_timer[c];
}

static enum timer_phase phase_of(const struct facts *x)
{
	if (x->connecting)
		return TIMER_CONNECT;
	if (x->handshake)
		return TIMER_HANDSHAKE;
	if (x->l->status)
		return TIMER_BODY;
	return x->l->flags & W5_F_ZERO_WND ? TIMER_SEND : TIMER_ANSWER;
}

/* A body's timer runs from the last byte that came, the others from what was asked. */
static uint64_t waited_ns(const struct facts *x, enum timer_phase phase)
{
	if (phase != TIMER_BODY)
		return x->elapsed_ns;
	return x->l->end_ns > x->l->last_ns ? x->l->end_ns - x->l->last_ns : 0;
}

void timers_note(struct engine *e, int gw, const struct facts *x, const struct route *route,
		 enum cause cause, struct finding_timer *out)
{
	enum timer_phase phase = phase_of(x);
	uint64_t ns = waited_ns(x, phase);
	bool gave_up = x->by_gateway || (x->connecting && !x->err);
	const struct late *late;
	struct timer *m;
	struct value *v;

	if (!ends_by_timer(cause) || !gave_up || gw < 0 || ns < TIMER_MIN_NS)
		return;
	m = timer_get(e->timers, gw, x->l, (uint8_t)phase);
	v = value_get(m, ns);
	v->n++;
	v->used_ns = m->used_ns = e->c.now_ns;
	if (ns < v->ns)
		v->ns = ns;
	out->phase = phase;
	out->ns = v->ns;
	out->seen = v->n;
	if (phase != TIMER_ANSWER)
		return;
	late = late_find(e->timers, &x->l->remote, x->l->rport, route->path);
	if (!late)
		return;
	out->late_shortest_ns = late->shortest_ns;
	out->late_longest_ns = late->longest_ns;
	out->late_seen = late->n;
}
