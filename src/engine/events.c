/* SPDX-License-Identifier: BSD-2-Clause */
/* A ring of events, made when the first one comes; the engine owns it. */
#include "engine/events.h"

#include <errno.h>
#include <string.h>

#include "engine/facts.h"
#include "engine/internal.h"

/* A turn is told again when its conn ends: looked for among so many newest events. */
#define LOOK_BACK 64

struct events {
	size_t n; /* so far; the newest is ring[(n - 1) % EVENTS_KEPT] */
	struct engine_event ring[EVENTS_KEPT];
};

static const struct {
	const char *name, *what;
} kinds[EVENT_MAX] = {
#define X(id, name, what) [EVENT_##id] = { name, what },
	ENGINE_EVENTS(X)
#undef X
};

const char *event_name(enum event_kind k)
{
	return kinds[k].name;
}

const char *event_what(enum event_kind k)
{
	return kinds[k].what;
}

static enum event_kind connect_kind(const struct w5_leg *l)
{
	unsigned err = l->err ? l->err : l->err_soft;

	if (err == ECONNREFUSED)
		return EVENT_REFUSED;
	if (err == EHOSTUNREACH || err == ENETUNREACH || l->flags & W5_F_LOCAL_UNREACH ||
	    l->icmp_type)
		return EVENT_UNREACHABLE;
	return !err || err == ETIMEDOUT ? EVENT_CONNECT_TIMEOUT : EVENT_CONNECT_FAILED;
}

static bool tells(uint16_t alert)
{
	return alert & 0xff; /* close_notify is no trouble */
}

/* Asked, and not a byte came back. What cannot be read may only have said farewell. */
static bool is_waiting(const struct w5_leg *l)
{
	uint32_t farewell = leg_opaque(l) ? FAREWELL_BYTES : 0;

	return l->req_bytes > farewell && !l->resp_bytes && !l->status;
}

/* One for how it ended, if that is trouble. */
static enum event_kind end_kind(const struct w5_leg *l)
{
	bool up = l->role == W5_ROLE_UPSTREAM;

	switch (l->end) {
	case W5_END_RST_IN: return EVENT_RESET_IN;
	case W5_END_RST_OUT: return up && is_waiting(l) ? EVENT_GAVE_UP : EVENT_RESET_OUT;
	case W5_END_SK_ERR: return EVENT_TIMEOUT;
	case W5_END_FIN_IN:
		if (!is_waiting(l))
			return EVENT_MAX;
		if (!up)
			return EVENT_CLIENT_LEFT;
		/* an alert out alone: the gateway was the first to say farewell */
		return l->alert_out ? EVENT_GAVE_UP : EVENT_CLOSED_EARLY;
	case W5_END_FIN_OUT: return up && is_waiting(l) ? EVENT_GAVE_UP : EVENT_MAX;
	default: return EVENT_MAX;
	}
}

unsigned event_kinds(const struct w5_leg *l)
{
	bool is_connect = l->role == W5_ROLE_UPSTREAM && l->phase == W5_PHASE_CONNECT;
	unsigned out = 0;
	enum event_kind k;

	if (is_connect)
		return l->end ? 1u << connect_kind(l) : 0;
	if (l->h2_end) /* the stream ended; its conn may live on */
		out |= 1u << EVENT_STREAM_RESET;
	k = l->h2_end ? EVENT_MAX : end_kind(l);
	if (k < EVENT_MAX)
		out |= 1u << k;
	if (tells(l->alert_in) || tells(l->alert_out))
		out |= 1u << EVENT_TLS_ALERT;
	if (l->retrans)
		out |= 1u << EVENT_RETRANSMIT;
	if (l->flags & W5_F_ZERO_WND && l->end)
		out |= 1u << EVENT_ZERO_WINDOW;
	return out;
}

static bool is_ending(enum event_kind k)
{
	return k != EVENT_RETRANSMIT && k != EVENT_ZERO_WINDOW;
}

static struct engine_event *known(struct events *ev, enum event_kind k, const struct w5_leg *l)
{
	for (size_t i = 1; i <= LOOK_BACK && i <= ev->n; i++) {
		struct engine_event *old = &ev->ring[(ev->n - i) % EVENTS_KEPT];

		if (old->kind == k && old->leg.h.cookie == l->h.cookie && old->leg.nr == l->nr)
			return old;
	}
	return NULL;
}

static void add(struct engine *e, enum event_kind k, const struct w5_leg *l, int gw)
{
	struct engine_event *ev = known(e->events, k, l);

	e->events_version++;
	if (ev) {
		ev->leg = *l;
		return;
	}
	ev = &e->events->ring[e->events->n++ % EVENTS_KEPT];
	*ev = (struct engine_event){ .id = e->events->n, .kind = k, .leg = *l };
	ev->ts_ns = is_ending(k) && l->end_ns ? l->end_ns : l->h.ts_ns;
	if (gw >= 0)
		memcpy(ev->gateway, e->gws[gw].name, sizeof(ev->gateway));
	e->event_counts[k]++;
}

static bool on_port(const struct engine *e, const struct w5_leg *l)
{
	return !e->cfg.port || l->lport == e->cfg.port || l->rport == e->cfg.port;
}

void events_leg(struct engine *e, const struct w5_leg *l)
{
	unsigned mask = event_kinds(l);
	int gw = mask && on_port(e, l) ? gateways_of(e, l->tgid) : -1;

	if (l->stream) /* its conn has its own record of these */
		mask &= ~(1u << EVENT_RESET_IN | 1u << EVENT_RESET_OUT | 1u << EVENT_TIMEOUT);
	if (!mask || !on_port(e, l) || !leg_wanted(e, gw, l))
		return;
	if (!e->events)
		e->events = calloc(1, sizeof(*e->events));
	if (!e->events) {
		loss_own(e, W5_LOSS_EVICTED);
		return;
	}
	for (int k = 0; k < EVENT_MAX; k++)
		if (mask & 1u << k)
			add(e, (enum event_kind)k, l, gw);
}

size_t engine_events(const struct engine *e, struct engine_event *out, size_t n)
{
	size_t kept = e->events ? min_size(e->events->n, EVENTS_KEPT) : 0;

	n = min_size(n, kept);
	for (size_t i = 0; i < n; i++)
		out[i] = e->events->ring[(e->events->n - n + i) % EVENTS_KEPT];
	return n;
}

uint64_t engine_events_version(const struct engine *e)
{
	return e->events_version;
}

const uint64_t *engine_event_counts(const struct engine *e)
{
	return e->event_counts;
}
