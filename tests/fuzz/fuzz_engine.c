/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole engine from bytes: each chunk of the input becomes a record whose header
 * and few decisive fields are made plausible, so that hostile values meet the
 * correlation and the rules and not only the length checks.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "engine/engine.h"

struct seen {
	uint64_t findings;
};

static void on_finding(void *self, struct finding *f)
{
	struct seen *s = self;

	s->findings++;
	assert(f->id == s->findings);
	assert(f->cause > CAUSE_NONE && f->cause < CAUSE_MAX);
	assert(f->confidence < CONFIDENCE_MAX && f->verdict < VERDICT_MAX);
	assert(!f->lost || f->confidence != CONFIDENCE_CERTAIN);
	assert(f->nevidence <= FINDING_EVIDENCE_MAX);
	assert(memchr(f->why, '\0', sizeof(f->why)) && memchr(f->next, '\0', sizeof(f->next)));
	for (size_t i = 0; i < f->nevidence; i++) {
		for (const char *c = f->evidence[i]; *c; c++)
			assert(*c >= 0x20 && *c < 0x7f);
	}
	for (size_t i = 0; i < f->nattempts; i++)
		assert(f->attempts[i].cause < CAUSE_MAX);
}

struct input {
	const uint8_t *p;
	size_t left;
};

static void take(struct input *in, void *out, size_t n)
{
	size_t have = in->left < n ? in->left : n;

	memset(out, 0, n);
	memcpy(out, in->p, have);
	in->p += have;
	in->left -= have;
}

/* Small numbers, so that records meet: 16 conns, times within a few ms. */
static void plausible_leg(struct w5_leg *l, uint64_t now, struct input *in)
{
	static const uint16_t statuses[] = { 0, 200, 502, 503, 504, 500, 304, 499 };
	uint8_t b[16];

	take(in, b, sizeof(b));
	l->h.cookie = 1 + (b[0] & 15);
	l->hint_cookie = b[1] & 15;
	l->h.seq = b[2] & 63;
	l->role = b[3] & 3;
	l->phase = (b[3] >> 2) & 3;
	l->end = (b[3] >> 4) % (W5_END_MAX + 1);
	l->status = statuses[b[4] & 7];
	l->flags = (uint16_t)(b[5] | (b[4] & 0x30) << 4);
	l->nr = 1 + (b[6] & 3);
	l->tgid = l->tid = b[6] >> 7;
	l->req_ns = now - b[7] * 10000;
	l->open_ns = l->req_ns - b[8] * 1000;
	l->resp_ns = l->status ? now - b[9] * 1000 : 0;
	l->end_ns = l->end ? now - b[10] * 1000 : 0;
	l->hint_ns = now - b[11] * 1000;
	l->err = b[12] & 127;
	l->rport = b[13] & 3;
	memcpy(l->head, b[14] & 1 ? "GET /a" : "POST /", 6);
	if (b[14] & 2)
		memcpy(l->resp, "HTTP/1.1 200", 12);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct engine_ops ops = { .finding = on_finding };
	struct input in = { .p = data, .left = size };
	struct seen seen = { 0 };
	struct engine_cfg cfg;
	struct engine *e;
	uint64_t now = 1000000000000ull;
	union {
		struct w5_hdr h;
		struct w5_leg leg;
		struct w5_packets packets;
		struct w5_gateway gateway;
		struct w5_stats stats;
		struct w5_session session;
		struct w5_listen listen;
		struct w5_limit limit;
		struct w5_killed killed;
		struct w5_unix local;
	} r;

	engine_cfg_default(&cfg);
	cfg.max_conns = 12;
	cfg.max_flights = 4;
	if (engine_new(&e, &cfg, &ops, &seen))
		return 0;
	while (in.left) {
		uint8_t b[4];

		take(&in, b, sizeof(b));
		memset(&r, 0, sizeof(r));
		take(&in, (char *)&r + sizeof(r.h), (size_t)b[1] * 4);
		now += b[2] * 100000;
		r.h.ts_ns = now;
		r.h.type = b[0] % (W5_REC_TYPE_MAX + 1);
		r.h.size = sizeof(r);
		if (r.h.type >= W5_REC_EXCHANGE && r.h.type <= W5_REC_END) {
			r.h.size = b[3] & 1 ? sizeof(r.leg) : W5_LEG_BULK;
			plausible_leg(&r.leg, now, &in);
		} else if (r.h.type == W5_REC_LIMIT) {
			r.h.cookie = r.limit.hint_cookie = b[3] & 15;
			r.limit.kind = b[3] >> 4 & 3;
			r.limit.tgid = b[3] >> 7;
		} else if (r.h.type == W5_REC_UNIX || r.h.type == W5_REC_UNIX_OPEN) {
			r.local.hint_cookie = b[3] & 15;
			r.local.err = b[3] >> 4;
			r.local.len = b[1] & 127;
			r.local.tgid = r.local.tid = b[3] >> 7;
		} else if (r.h.type == W5_REC_KILLED) { /* of any conn: their addresses are zero */
			r.killed.lport = b[3] & 3;
			r.killed.signal = b[3] >> 2;
		} else {
			r.h.cookie = b[3] & 15;
		}
		engine_feed(e, &r.h);
	}
	engine_finish(e);
	assert(engine_counters(e)->findings == seen.findings);
	engine_free(e);
	return 0;
}
