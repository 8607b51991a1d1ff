/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conns of texts, through the whole engine: each step of the input is a text, an OPEN or an
 * end of one of four conns. Frames get a plausible header over hostile payload, or are hostile
 * altogether.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "w5_h2.h"

#define CONNS 4

struct step {
	uint8_t what, conn, time, len;
};

struct input {
	const uint8_t *p;
	size_t left;
};

static size_t take(struct input *in, void *out, size_t n)
{
	size_t have = in->left < n ? in->left : n;

	memset(out, 0, n);
	memcpy(out, in->p, have);
	in->p += have;
	in->left -= have;
	return have;
}

static void on_finding(void *self, struct finding *f)
{
	uint64_t *findings = self;

	++*findings;
	assert(f->cause > CAUSE_NONE && f->cause < CAUSE_MAX);
	assert(!f->lost || f->confidence != CONFIDENCE_CERTAIN);
	assert(!f->down.stream || f->down.conn_cookie);
	assert(f->down.head_len <= W5_HEAD_REQ && f->down.resp_len <= W5_HEAD_RESP);
	for (size_t i = 0; i < f->nattempts; i++)
		assert(f->attempts[i].leg.head_len <= W5_HEAD_REQ);
}

/* Even conns are accepted ones. */
static uint8_t role_of(unsigned conn)
{
	return conn & 1 ? W5_ROLE_UPSTREAM : W5_ROLE_DOWNSTREAM;
}

static void feed_leg(struct engine *e, const struct step *s, uint64_t now)
{
	static const uint8_t ends[] = { W5_END_FIN_IN, W5_END_RST_IN, W5_END_FIN_OUT,
					W5_END_SK_ERR };
	unsigned conn = s->conn % CONNS;
	struct w5_leg l = { .h = { .ts_ns = now, .cookie = 1 + conn, .size = sizeof(l) },
			    .role = role_of(conn),
			    .proto = W5_PROTO_TLS,
			    .rport = 443,
			    .nr = 1 };

	l.hint_cookie = s->len % (CONNS + 1);
	l.hint_ns = now;
	l.open_ns = now;
	if (s->what & 0x40) {
		l.h.type = W5_REC_OPEN;
		l.phase = W5_PHASE_IDLE;
	} else {
		l.h.type = W5_REC_END;
		l.phase = s->what & 0x20 ? W5_PHASE_RESPONSE : W5_PHASE_REQUEST;
		l.flags = s->time & 1 ? W5_F_HANDSHAKE : 0;
		l.end = ends[s->len & 3];
		l.end_ns = now;
		l.req_ns = now - s->time * 1000;
		l.req_bytes = s->len;
	}
	engine_feed(e, &l.h);
}

/* A plausible header: short length, one of eight streams. */
static void dress(uint8_t *p, size_t n)
{
	size_t len = n - W5_H2_HDR;

	p[0] = 0;
	p[1] = (uint8_t)(len >> 8);
	p[2] = (uint8_t)len;
	p[3] %= 10;
	p[5] = p[6] = p[7] = 0;
	p[8] &= 15;
}

static void feed_text(struct engine *e, const struct step *s, uint64_t now, uint32_t seq[2],
		      struct input *in)
{
	size_t size = (sizeof(struct w5_text) + s->len + 7) / 8 * 8;
	struct w5_text *t = calloc(1, size);

	if (!t)
		return;
	t->h = (struct w5_hdr){ .ts_ns = now,
				.cookie = 1 + s->conn % CONNS,
				.type = W5_REC_TEXT,
				.size = (uint16_t)size };
	t->dir = s->conn >> 7;
	t->hint_cookie = (s->conn >> 2) % (CONNS + 1);
	t->hint_ns = now;
	t->seq = seq[t->dir] += (s->what & 0x1f) == 0x1f ? 2 : 1;
	t->kind = s->what & 0x20 ? W5_TEXT_HTTP1 : W5_TEXT_FRAME;
	t->flags = s->what & 0x10 ? s->what & 0xf : 0;
	t->len = (uint16_t)take(in, t->data, s->len);
	t->total = t->len;
	if (t->kind == W5_TEXT_FRAME && t->len >= W5_H2_HDR && !(s->what & 8))
		dress(t->data, t->len);
	engine_feed(e, &t->h);
	free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct engine_ops ops = { .finding = on_finding };
	struct input in = { .p = data, .left = size };
	uint32_t seq[CONNS][2] = { 0 };
	uint64_t now = 1000000000000ull, findings = 0;
	struct engine_cfg cfg;
	struct engine *e;
	struct step s;

	engine_cfg_default(&cfg);
	cfg.max_conns = 12;
	cfg.max_flights = 4;
	if (engine_new(&e, &cfg, &ops, &findings))
		return 0;
	while (in.left) {
		take(&in, &s, sizeof(s));
		now += s.time * 100000;
		if (s.what & 0x80)
			feed_leg(e, &s, now);
		else
			feed_text(e, &s, now, seq[s.conn % CONNS], &in);
	}
	engine_finish(e);
	assert(engine_counters(e)->findings == findings);
	assert(engine_counters(e)->conns_down <= cfg.max_conns);
	engine_free(e);
	return 0;
}
