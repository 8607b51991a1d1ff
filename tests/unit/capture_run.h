/* SPDX-License-Identifier: BSD-2-Clause */
/* A capture of a made-up network, read. */
#ifndef TESTS_UNIT_CAPTURE_RUN_H
#define TESTS_UNIT_CAPTURE_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/net.h"
#include "engine/engine.h"
#include "source/record.h"

#define CLIENT	"198.51.100.4"
#define FRONT	"10.77.1.1" /* the gateway, towards clients */
#define BACK	"10.77.2.1" /* and towards backends */
#define BACKEND "10.77.3.2"
#define GET(t)	"GET " t " HTTP/1.1\r\nHost: shop\r\n\r\n"
#define OK	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define BAD	"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
#define LATE	"HTTP/1.1 504 Gateway Time-out\r\nContent-Length: 0\r\n\r\n"

/* What came of a capture. */
struct run {
	struct net net;
	struct capture_cfg cfg;
	struct engine *e;
	struct finding *f[16];
	size_t nf, ngws;
	struct w5_leg last_att;
	struct w5_late last_late;
	size_t natts, nexchanges, nlate;
	char why[CAPTURE_ERR_MAX], said[CAPTURE_ERR_MAX];
};

static inline void on_finding(void *self, struct finding *f)
{
	struct run *r = self;

	if (r->nf < 16)
		r->f[r->nf++] = finding_ref(f);
}

static inline int on_record(void *self, const struct w5_hdr *h)
{
	struct run *r = self;

	assert_int_equal(record_check(h, h->size), 0);
	if (h->type == W5_REC_ATTEMPT) {
		memcpy(&r->last_att, h, sizeof(r->last_att));
		r->natts++;
	}
	if (h->type == W5_REC_LATE) {
		memcpy(&r->last_late, h, sizeof(r->last_late));
		r->nlate++;
	}
	r->nexchanges += h->type == W5_REC_EXCHANGE;
	engine_feed(r->e, h);
	return 0;
}

static inline void on_say(void *self, const char *text)
{
	struct run *r = self;

	snprintf(r->said, sizeof(r->said), "%s", text);
}

static inline void run(struct run *r)
{
	static const struct capture_ops ops = { .record = on_record, .say = on_say };
	static const struct engine_ops eops = { .finding = on_finding };
	struct engine_cfg cfg;
	struct capture *c;

	engine_cfg_default(&cfg);
	assert_int_equal(engine_new(&r->e, &cfg, &eops, r), 0);
	assert_int_equal(capture_new(&c, &r->cfg, &ops, r), 0);
	for (size_t i = 0; i < r->net.n; i++)
		capture_scan(c, &r->net.p[i].k);
	r->ngws = capture_scan_end(c, r->why);
	for (size_t i = 0; i < r->net.n; i++)
		assert_int_equal(capture_feed(c, &r->net.p[i].k), 0);
	assert_int_equal(capture_end(c), 0);
	capture_free(c);
	engine_finish(r->e);
}

/* A second in which requests go through, so that it is plain who is what. */
static inline void healthy(struct net *n, const char *path)
{
	for (uint16_t i = 0; i < 4; i++) {
		struct net_conn down = net_conn(CLIENT, (uint16_t)(40000 + i), FRONT, 8080);
		struct net_conn up = net_conn(BACK, (uint16_t)(30000 + i), BACKEND, 9000);
		char get[128];

		snprintf(get, sizeof(get), "GET %s/ok%u HTTP/1.1\r\nHost: shop\r\n\r\n", path, i);
		net_open(n, 250 * MS, &down);
		net_data(n, 50 * US, &down, 0, get);
		net_open(n, 100 * US, &up);
		net_data(n, 20 * US, &up, 0, get);
		net_data(n, 500 * US, &up, 1, OK);
		net_data(n, 50 * US, &down, 1, OK);
	}
}

/* client -> gateway, up to the request; and the backend's conn, not yet opened. */
static inline void ask(struct run *r, struct net_conn *down, const char *request)
{
	healthy(&r->net, "");
	*down = net_conn(CLIENT, 41000, FRONT, 8080);
	net_open(&r->net, 300 * MS, down);
	net_data(&r->net, 50 * US, down, 0, request);
}

static inline const struct finding *only(struct run *r)
{
	assert_int_equal(r->nf, 1);
	return r->f[0];
}

static inline const struct w5_capture *counted(const struct run *r)
{
	return &engine_counters(r->e)->capture;
}

static inline int setup(void **state)
{
	*state = calloc(1, sizeof(struct run));
	return *state ? 0 : -1;
}

static inline int teardown(void **state)
{
	struct run *r = *state;

	for (size_t i = 0; i < r->nf; i++)
		finding_unref(r->f[i]);
	engine_free(r->e);
	free(r);
	return 0;
}

#endif
