/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of an upstream, whoever uses it. Owned by the engine. */
#ifndef ENGINE_UPSTREAMS_H
#define ENGINE_UPSTREAMS_H

#include "base/hist.h"
#include "engine/engine.h"

#define UPSTREAMS_MAX 4096

struct conn;
struct gateway;

#define TTFB_SPAN_NS	(300 * NS_PER_S)
#define CONNECT_SECONDS 8 /* power of two */

#define POOL_SPANS 32

/* Conns of one process to one upstream. */
struct pool_share {
	uint32_t tgid, connecting, in_use, answering, idle, older;
	uint64_t oldest_ns;
};

/* So many requests were without a response at every count from one to the other. */
struct pool_span {
	uint64_t from_ns, to_ns;
	uint32_t waiting;
};

struct pools {
	struct pool_share *shares;
	size_t n, cap;
	struct pool_span spans[POOL_SPANS]; /* newest last */
	size_t nspans;
	uint64_t oldest_ns; /* when the oldest open request began; 0 = none */
};

/* Conns that were closed while idle, at about one time. */
struct idle_occasion {
	uint64_t from_ns;
	uint32_t min_ms, max_ms; /* how long they had been idle */
	uint32_t conns;
};

#define IDLE_OCCASIONS 8
struct idle_times {
	struct idle_occasion v[IDLE_OCCASIONS]; /* occasion i at i % IDLE_OCCASIONS */
	size_t n;
};

struct upstream {
	struct engine_upstream pub;
	struct idle_times idle_backend, idle_gateway; /* by who closed them */
	struct gateway *idle_by;		      /* whose conns they were last, or NULL */
	uint32_t idle_backend_max_ms;
	uint64_t said_ns; /* when an answer was last looked at for its Keep-Alive */
	struct pools pools;
	struct hist ttfb[2]; /* of the present span, and of the one before */
	uint64_t ttfb_span;  /* number of the present one: time / TTFB_SPAN_NS */
	bool ttfb_changed;   /* pub.ttfb_us is of before */
	struct {
		uint64_t sec;
		uint32_t n;
	} connects[CONNECT_SECONDS];
	uint64_t sampled_ns; /* when a route was looked at */
	uint64_t bares[16];  /* as pub.routes, by path alone */
	size_t next_host, next_route, next_bare;
	uint64_t last_connect_ok_ns, last_answer_ns;
	uint64_t last_acked_silent_ns; /* took a request and never answered */
	uint64_t last_fresh_death_ns;  /* took a first request and died of it */
	uint64_t last_overflow_ns;     /* a conn showed that its queue of new conns was full */
	uint8_t synack_ttl;
};

/* ---- upstreams.c ---- */
struct upstream *upstreams_get(struct engine *e, const struct w5_leg *l);
/* Who uses it, and for what; told with every attempt, looked at now and then. */
void upstreams_note(struct engine *e, struct upstream *u, int gw, const struct w5_leg *l);
/* n answers that took sum_us together. */
void upstreams_add_ttfb(struct engine *e, struct upstream *u, uint64_t sum_us, uint64_t n);
void upstreams_add_connect(struct engine *e, struct upstream *u);
/* Of any port of the same address: the newest answer; TTL of its SYN-ACKs (0 = none seen). */
uint64_t upstreams_last_answer(struct engine *e, const struct w5_leg *l);
uint8_t upstreams_synack_ttl(struct engine *e, const struct w5_leg *l);
void upstreams_free(struct engine *e);

/* ---- idle.c ---- */
/* The conn did: was it idle? gw: whose it was, NULL = not known. */
void idle_ended(struct conn *c, struct gateway *gw, const struct w5_leg *l);
enum idle_by { IDLE_BY_BACKEND, IDLE_BY_GATEWAY };
/* Who ended it: over TLS the first goodbye tells, the other side's FIN may be there sooner. */
enum idle_by idle_left_by(const struct w5_leg *l);
/* It was idle from since_ns on, until one of them left. */
void idle_noted(struct upstream *u, struct gateway *gw, enum idle_by who, uint64_t since_ns,
		uint64_t left_ns);
void idle_tell(struct finding_idle *out, const struct upstream *u);
/* What is known by now of the gateway's other upstreams. */
void idle_refresh(struct upstream *u);
/* What the answer's head says of how long the backend keeps conns. */
void idle_answered(struct upstream *u, const struct w5_leg *l);

#endif
