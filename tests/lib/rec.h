/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records for tests, and an engine that keeps its findings. Times are milliseconds
 * (double) from the session's start; a leg is written down with the rec_* calls that
 * mirror what the kernel side does, then fed.
 */
#ifndef TESTS_LIB_REC_H
#define TESTS_LIB_REC_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"

#define REC_T0	(1000ull * 1000 * 1000 * 1000) /* the session begins here */
#define REC_GW	2217u			       /* the gateway's master and its only thread */
#define REC_MAX 4096

/* Cookies of the two conns that most tests have: the client's, the backend's. */
#define D 100
#define U 200

static inline uint64_t ms(double t)
{
	return REC_T0 + (uint64_t)(int64_t)(t * 1e6);
}

struct bench {
	struct engine *e;
	struct finding *f[REC_MAX];
	size_t n;
};

static inline void bench_take(void *self, struct finding *f)
{
	struct bench *b = self;

	assert(b->n < REC_MAX);
	b->f[b->n++] = finding_ref(f);
}

static inline void rec_session(struct engine *e)
{
	struct w5_session s = { .h = { .ts_ns = REC_T0, .type = W5_REC_SESSION, .size = sizeof(s) },
				.realtime_ns = 1795000000ull * 1000000000,
				.abi = W5_ABI_VERSION };

	snprintf(s.host, sizeof(s.host), "gw-03");
	engine_feed(e, &s.h);
}

static inline void rec_gateway(struct engine *e, uint32_t tgid, uint32_t group, const char *comm)
{
	struct w5_gateway g = { .h = { .ts_ns = REC_T0, .type = W5_REC_GATEWAY, .size = sizeof(g) },
				.tgid = tgid,
				.group = group,
				.nports = 1,
				.ports = { 80 } };

	snprintf(g.comm, sizeof(g.comm), "%s", comm);
	snprintf(g.cgroup, sizeof(g.cgroup), "/system.slice/%s.service", comm);
	engine_feed(e, &g.h);
}

static inline void rec_tick(struct engine *e, double t)
{
	struct w5_hdr h = { .ts_ns = ms(t), .type = W5_REC_TICK, .size = sizeof(h) };

	engine_feed(e, &h);
}

static inline void rec_lost(struct engine *e, double t, int kind, uint64_t total)
{
	struct w5_stats s = { .h = { .ts_ns = ms(t), .type = W5_REC_STATS, .size = sizeof(s) } };

	s.loss[kind] = total;
	engine_feed(e, &s.h);
}

static inline void rec_packets(struct engine *e, double t, uint64_t cookie)
{
	struct w5_packets *p = calloc(1, sizeof(*p));

	p->h = (struct w5_hdr){
		.ts_ns = ms(t), .cookie = cookie, .type = W5_REC_PACKETS, .size = sizeof(*p)
	};
	p->total = 1;
	engine_feed(e, &p->h);
	free(p);
}

static inline void bench_open_cfg(struct bench *b, const char *comm, const struct engine_cfg *cfg)
{
	static const struct engine_ops ops = { .finding = bench_take };
	int rc;

	memset(b, 0, sizeof(*b));
	rc = engine_new(&b->e, cfg, &ops, b);
	assert(!rc);
	(void)rc;
	rec_session(b->e);
	rec_gateway(b->e, REC_GW, REC_GW, comm);
	rec_tick(b->e, 900);
}

/* comm decides whether the trail can be believed ("nginx") or not ("haproxy"). */
static inline void bench_open(struct bench *b, const char *comm)
{
	struct engine_cfg cfg;

	engine_cfg_default(&cfg);
	bench_open_cfg(b, comm, &cfg);
}

static inline void bench_close(struct bench *b)
{
	for (size_t i = 0; i < b->n; i++)
		finding_unref(b->f[i]);
	engine_free(b->e);
}

/* Everything is final afterwards. */
static inline void bench_settle(struct bench *b, double t)
{
	rec_tick(b->e, t + 200);
	engine_finish(b->e);
}

static inline struct w5_addr rec_ip(unsigned last)
{
	return (struct w5_addr){ .ip = { [10] = 0xff, [11] = 0xff, 10, 0, 3, (uint8_t)last } };
}

static inline void rec_head(struct w5_leg *l, const char *method, const char *target,
			    const char *host, const char *fields)
{
	int n = snprintf((char *)l->head, sizeof(l->head), "%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n",
			 method, target, host, fields ? fields : "");

	l->head_len = (uint16_t)(n < (int)sizeof(l->head) ? n : (int)sizeof(l->head));
	l->req_bytes = (uint32_t)n;
	l->proto = W5_PROTO_HTTP1;
}

static inline void rec_resp(struct w5_leg *l, const char *bytes, size_t len, uint32_t total)
{
	memcpy(l->resp, bytes, len < W5_HEAD_RESP ? len : W5_HEAD_RESP);
	l->resp_len = (uint16_t)(len < W5_HEAD_RESP ? len : W5_HEAD_RESP);
	l->resp_bytes = total;
}

/* ---- downstream ---- */

static inline struct w5_leg rec_down(uint64_t cookie, double req, const char *method,
				     const char *target)
{
	struct w5_leg l = { .h = { .cookie = cookie, .type = W5_REC_EXCHANGE, .size = sizeof(l) },
			    .local = rec_ip(2),
			    .remote = rec_ip(200),
			    .lport = 80,
			    .rport = 51034,
			    .open_ns = ms(req - 1),
			    .req_ns = ms(req),
			    .req_last_ns = ms(req),
			    .tgid = REC_GW,
			    .tid = REC_GW,
			    .nr = 1,
			    .role = W5_ROLE_DOWNSTREAM,
			    .phase = W5_PHASE_REQUEST };

	rec_head(&l, method, target, "shop.example", NULL);
	return l;
}

static inline void rec_answer(struct w5_leg *l, double t, uint16_t status)
{
	l->h.ts_ns = l->resp_ns = l->last_ns = ms(t);
	l->status = status;
	l->phase = W5_PHASE_RESPONSE;
	if (l->role == W5_ROLE_UPSTREAM)
		l->req_acked = l->req_bytes;
	if (status < 500)
		l->h.size = W5_LEG_BULK;
}

/* ---- upstream ---- */

/* A conn to 10.0.3.<last>:8080, its request sent; fresh unless nr > 1. */
static inline struct w5_leg rec_up(uint64_t cookie, double req, const char *method,
				   const char *target, unsigned last, uint32_t nr)
{
	struct w5_leg l = { .h = { .cookie = cookie, .type = W5_REC_ATTEMPT, .size = sizeof(l) },
			    .local = rec_ip(2),
			    .remote = rec_ip(last),
			    .lport = 41022,
			    .rport = 8080,
			    .open_ns = ms(req - 0.1),
			    .estab_ns = ms(req - 0.05),
			    .req_ns = ms(req),
			    .req_last_ns = ms(req),
			    .tgid = REC_GW,
			    .tid = REC_GW,
			    .nr = nr,
			    .srtt_us = 120,
			    .role = W5_ROLE_UPSTREAM,
			    .phase = W5_PHASE_REQUEST,
			    .synack_ttl = 63,
			    .syn_sent = 1 };

	if (nr > 1) {
		l.idle_ns = 20 * 1000000ull;
		l.open_ns = ms(req - 500);
		l.data_ttl = 63;
	}
	rec_head(&l, method, target, "shop.example", NULL);
	return l;
}

static inline struct w5_leg rec_connect(uint64_t cookie, double open, unsigned last, int err,
					double end)
{
	struct w5_leg l = { .h = { .cookie = cookie,
				   .type = W5_REC_ATTEMPT,
				   .size = sizeof(l),
				   .ts_ns = ms(end) },
			    .local = rec_ip(2),
			    .remote = rec_ip(last),
			    .lport = 41022,
			    .rport = 8080,
			    .open_ns = ms(open),
			    .tgid = REC_GW,
			    .tid = REC_GW,
			    .role = W5_ROLE_UPSTREAM,
			    .phase = W5_PHASE_CONNECT,
			    .end = W5_END_CONNECT,
			    .end_ns = ms(end),
			    .err = (uint16_t)err,
			    .syn_sent = 1 };

	if (err == 111) {
		l.rst_in_ns = ms(end);
		l.rst_flags = W5_TCP_RST | W5_TCP_ACK;
		l.rst_ttl = 63;
	}
	return l;
}

static inline void rec_end(struct w5_leg *l, double t, int end)
{
	l->h.ts_ns = l->end_ns = ms(t);
	l->end = (uint8_t)end;
	l->h.size = sizeof(*l);
	switch (end) {
	case W5_END_FIN_IN:
		l->fin_in_ns = ms(t);
		l->fin_flags = W5_TCP_FIN | W5_TCP_ACK;
		break;
	case W5_END_FIN_OUT: l->fin_out_ns = ms(t); break;
	case W5_END_RST_OUT: l->rst_out_ns = ms(t); break;
	case W5_END_RST_IN:
		l->rst_in_ns = ms(t);
		l->rst_ttl = 63;
		break;
	default: break;
	}
}

static inline void rec_acked(struct w5_leg *l)
{
	l->req_acked = l->req_bytes;
}

/* The thread's trail: came from there at that time. */
static inline void rec_hint(struct w5_leg *l, uint64_t cookie, double t)
{
	l->hint_cookie = cookie;
	l->hint_ns = ms(t);
}

/* Both hints between an attempt and its exchange. */
static inline void rec_tie(struct w5_leg *up, struct w5_leg *down)
{
	up->hint_cookie = down->h.cookie;
	up->hint_ns = down->req_ns;
	down->hint_cookie = up->h.cookie;
	down->hint_ns = up->end_ns ? up->end_ns : up->resp_ns;
}

static inline void feed(struct bench *b, const struct w5_leg *l)
{
	engine_feed(b->e, &l->h);
}

#endif
