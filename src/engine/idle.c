/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long idle conns live, learned from how they end: a backend that closes them before the
 * gateway does will one day close one just as it is used again (keepalive-race). That the
 * backend's FIN comes at all shows that the gateway kept the conn longer.
 */
#include "engine/internal.h"

/* What closes within this of its answer was not kept: "Connection: close", a limit of requests. */
#define KEPT_NS	  (150 * NS_PER_MS)
/* So many alike are a timer: two may be chance, of three in a row within a tenth hardly any. */
#define ALIKE	  3
/* A timer fires late by its own clock's tick and by the delay of the path. */
#define SPREAD_MS 100

static void add(struct idle_times *t, uint32_t ms)
{
	t->ms[t->n++ % IDLE_SAMPLES] = ms;
}

/* The shortest of the last ones, if they are alike; 0 if not. */
static uint32_t timer_ms(const struct idle_times *t)
{
	size_t n = t->n < IDLE_SAMPLES ? t->n : IDLE_SAMPLES;
	uint32_t min = UINT32_MAX, max = 0;

	if (n < ALIKE)
		return 0;
	for (size_t i = 0; i < n; i++) {
		min = t->ms[i] < min ? t->ms[i] : min;
		max = t->ms[i] > max ? t->ms[i] : max;
	}
	return max - min <= SPREAD_MS + max / 10 ? min : 0;
}

void idle_ended(struct conn *c, const struct w5_leg *l)
{
	struct upstream *u = c->up;
	bool by_backend = l->end == W5_END_FIN_IN || l->end == W5_END_RST_IN;
	uint64_t age = l->end_ns - l->last_ns;

	if (!u || l->role != W5_ROLE_UPSTREAM || l->phase != W5_PHASE_RESPONSE || !l->status ||
	    (l->flags & (W5_F_HANDSHAKE | W5_F_UPGRADE)) || l->end_ns < l->last_ns ||
	    age < KEPT_NS || age / NS_PER_MS > UINT32_MAX || head_resp_short(l))
		return;
	if (!by_backend && l->end != W5_END_FIN_OUT && l->end != W5_END_RST_OUT)
		return;
	add(by_backend ? &u->idle_backend : &u->idle_gateway, (uint32_t)(age / NS_PER_MS));
	u->pub.idle_backend_ms = timer_ms(&u->idle_backend);
	u->pub.idle_gateway_ms = timer_ms(&u->idle_gateway);
	u->pub.idle_closed = u->idle_backend.n;
	/* A conn used once only is no pool; and who closes first by far has nothing to fear. */
	u->pub.race_ahead =
		u->pub.idle_backend_ms && u->pub.reused &&
		(!u->pub.idle_gateway_ms || u->pub.idle_gateway_ms >= u->pub.idle_backend_ms);
}
