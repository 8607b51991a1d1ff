/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long idle conns live, learned from how they end, and from what backends say of it: a
 * backend that closes them before the gateway does will one day close one just as it is used
 * again (keepalive-race). That the backend's FIN comes at all shows that the gateway kept the
 * conn longer. In: ends and answers of upstream conns; out: struct engine_upstream.
 */
#include "engine/internal.h"

/* What closes within this of its answer was not kept: "Connection: close", a limit of requests. */
#define KEPT_NS	    (150 * NS_PER_MS)
/*
 * Conns that end together are one occasion: a backend that restarts, or a gateway that reloads,
 * closes all it has at once. Alike at several occasions is a timer: two may be chance, of three
 * in a row within a tenth hardly any.
 */
#define OCCASION_NS NS_PER_S
#define ALIKE	    3
/* A timer fires late by its own clock's tick and by the delay of the path. */
#define SPREAD_MS   100
#define SAID_NS	    NS_PER_S /* an upstream's answers are asked for their Keep-Alive so often */

static uint32_t spread_ms(uint32_t ms)
{
	return SPREAD_MS + ms / 10;
}

static void add(struct idle_times *t, uint32_t ms, uint64_t end_ns)
{
	struct idle_occasion *o = &t->v[(t->n + IDLE_OCCASIONS - 1) % IDLE_OCCASIONS];

	if (t->n && end_ns < o->from_ns + OCCASION_NS) {
		o->min_ms = ms < o->min_ms ? ms : o->min_ms;
		o->max_ms = ms > o->max_ms ? ms : o->max_ms;
		o->conns++;
		return;
	}
	t->v[t->n++ % IDLE_OCCASIONS] =
		(struct idle_occasion){ .from_ns = end_ns, .min_ms = ms, .max_ms = ms, .conns = 1 };
}

/* The shortest at the last occasions, if they are alike; 0 if not. *conns: so many ended so. */
static uint32_t timer_ms(const struct idle_times *t, uint32_t *conns)
{
	uint32_t min = UINT32_MAX, max = 0, n = 0, mixed = 0;

	*conns = 0;
	for (size_t i = 0; i < t->n && i < IDLE_OCCASIONS; i++) {
		const struct idle_occasion *o = &t->v[i];

		if (o->max_ms - o->min_ms > spread_ms(o->max_ms)) {
			mixed++; /* whatever ended them, it was no timer */
			continue;
		}
		n++;
		min = o->min_ms < min ? o->min_ms : min;
		max = o->max_ms > max ? o->max_ms : max;
		*conns += o->conns;
	}
	if (n < ALIKE || mixed >= n || max - min > spread_ms(max))
		*conns = 0;
	return *conns ? min : 0;
}

/*
 * What a backend says of its timer is borne out by one conn that it closed so late, or by a
 * gateway whose own timer is the same; and refuted by a gateway that closes first, later than
 * that.
 */
static bool races_as_said(const struct upstream *u)
{
	uint32_t said = u->pub.idle_said_ms, ours = u->pub.idle_gateway_ms;

	if (!said)
		return false;
	if (u->idle_backend_max_ms + SPREAD_MS >= said)
		return !ours || ours + SPREAD_MS >= said;
	return ours + SPREAD_MS >= said && ours <= said + SPREAD_MS;
}

static void weigh(struct upstream *u)
{
	uint32_t theirs, ours, unused;

	theirs = u->pub.idle_backend_ms = timer_ms(&u->idle_backend, &u->pub.idle_closed);
	ours = u->pub.idle_gateway_ms = timer_ms(&u->idle_gateway, &unused);
	/* Who closes first by far has nothing to fear. */
	u->pub.race_ahead = theirs ? !ours || ours >= theirs : races_as_said(u);
	/* A conn used once only is no pool. */
	if (!u->pub.reused)
		u->pub.race_ahead = false;
}

void idle_noted(struct upstream *u, struct gateway *gw, enum idle_by who, uint64_t since_ns,
		uint64_t left_ns)
{
	uint64_t ms = (left_ns - since_ns) / NS_PER_MS;

	if (left_ns < since_ns + KEPT_NS || ms > UINT32_MAX / 2)
		return;
	if (gw)
		u->idle_by = gw;
	if (who == IDLE_BY_BACKEND) {
		add(&u->idle_backend, (uint32_t)ms, left_ns);
		u->idle_backend_max_ms = (uint32_t)max_u64(ms, u->idle_backend_max_ms);
	} else {
		add(&u->idle_gateway, (uint32_t)ms, left_ns);
		if (gw)
			add(&gw->idle, (uint32_t)ms, left_ns);
	}
	weigh(u);
}

/* Where the backend always closes first, the gateway's own timer is seen with others only. */
static uint32_t elsewhere_ms(const struct upstream *u)
{
	uint32_t unused, ms = 0;

	if (u->pub.race_ahead && !u->pub.idle_gateway_ms && u->idle_by)
		ms = timer_ms(&u->idle_by->idle, &unused);
	return ms >= u->pub.idle_backend_ms ? ms : 0; /* else it has another setting here */
}

void idle_refresh(struct upstream *u)
{
	u->pub.idle_elsewhere_ms = elsewhere_ms(u);
}

/* A conn over which something was asked, and answered, that is idle now. */
static bool is_idle(const struct w5_leg *l)
{
	if (l->role != W5_ROLE_UPSTREAM || l->phase != W5_PHASE_RESPONSE ||
	    (l->flags & (W5_F_HANDSHAKE | W5_F_UPGRADE)))
		return false;
	if (l->status)
		return !head_resp_short(l) && !head_says_close(l);
	/* Encrypted: its first bytes may be those of the handshake's end. */
	return l->proto == W5_PROTO_TLS && l->resp_bytes && l->nr > 1;
}

enum idle_by idle_left_by(const struct w5_leg *l)
{
	bool by_backend = l->end == W5_END_FIN_IN || l->end == W5_END_RST_IN;

	if (l->alert_in == W5_ALERT || l->alert_out == W5_ALERT)
		by_backend = l->alert_in == W5_ALERT;
	return by_backend ? IDLE_BY_BACKEND : IDLE_BY_GATEWAY;
}

void idle_ended(struct conn *c, struct gateway *gw, const struct w5_leg *l)
{
	if (!c->up || l->end == W5_END_NONE || l->end >= W5_END_SK_ERR || !is_idle(l))
		return;
	idle_answered(c->up, l);
	idle_noted(c->up, gw, idle_left_by(l), l->last_ns, l->end_ns);
}

void idle_answered(struct upstream *u, const struct w5_leg *l)
{
	struct keep_alive k;

	if (!l->resp_len || !l->status || l->stream || l->h.ts_ns < u->said_ns + SAID_NS)
		return;
	u->said_ns = l->h.ts_ns;
	if (!head_keep_alive(&k, l) || head_says_close(l))
		return;
	if (k.timeout_ms)
		u->pub.idle_said_ms = k.timeout_ms;
	if (k.max > u->pub.keep_alive_max) /* it may count down */
		u->pub.keep_alive_max = k.max;
	weigh(u);
}

void idle_tell(struct finding_idle *out, const struct upstream *u)
{
	*out = (struct finding_idle){
		.backend_ms = u->pub.idle_backend_ms,
		.closed = u->pub.idle_closed,
		.said_ms = u->pub.idle_said_ms,
		.gateway_ms = u->pub.idle_gateway_ms,
		.elsewhere_ms = elsewhere_ms(u),
		.max = u->pub.keep_alive_max,
	};
}
