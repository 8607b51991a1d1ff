/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets of a capture file, with their link headers, through both passes into the engine.
 * Input: packets, each behind 6 bytes: link type (index), time since the one before (units of
 * 50 us, or seconds), bytes kept (2), bytes more on the wire (1), and one unused.
 * Invariants: every record is sound, its times do not run backwards by more than a beat, and
 * counters agree.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "source/capture.h"
#include "source/record.h"

#define PACKET_HDR 6

#define expect(c)                \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

struct run {
	struct engine *e;
	uint64_t findings;
};

static void on_finding(void *self, struct finding *f)
{
	struct run *r = self;

	r->findings++;
	expect(!f->lost || f->confidence != CONFIDENCE_CERTAIN);
	expect(!f->down.tgid && !f->down.tid && !f->gateway_group);
	expect(!(f->witness & (WITNESS_THREAD | WITNESS_TRAIL)));
}

static int on_record(void *self, const struct w5_hdr *h)
{
	struct run *r = self;

	expect(!record_check(h, h->size));
	engine_feed(r->e, h);
	return 0;
}

static size_t next_packet(struct capture_packet *p, const uint8_t *data, size_t size)
{
	static const int dlts[] = { 12, 1, 113, 276, 0, 108, 228, 229 };
	size_t cap;

	if (size < PACKET_HDR)
		return 0;
	cap = (size_t)(data[2] << 8 | data[3]) % 2048;
	if (cap > size - PACKET_HDR)
		cap = size - PACKET_HDR;
	p->dlt = dlts[data[0] % 8];
	p->ts_ns += data[1] & 0x80 ? (data[1] & 0x7full) * 1000000000 : data[1] * 50000ull;
	p->data = data + PACKET_HDR;
	p->cap = cap;
	p->len = cap + data[4];
	p->is_cut = data[4];
	return PACKET_HDR + cap;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct engine_ops eops = { .finding = on_finding };
	static const struct capture_ops ops = { .record = on_record };
	struct capture_packet p = { .ts_ns = 1795350000000000000ull };
	struct capture_cfg ccfg = { 0 };
	char why[CAPTURE_ERR_MAX] = "";
	struct run r = { 0 };
	struct engine_cfg cfg;
	struct capture *c;
	size_t n, used = 0;

	if (size && data[0] & 0x80 && !capture_gateway_parse(&ccfg.gateways[0], "10.77.1.1"))
		ccfg.ngateways = 1;
	engine_cfg_default(&cfg);
	cfg.max_conns = 64;
	expect(!engine_new(&r.e, &cfg, &eops, &r));
	expect(!capture_new(&c, &ccfg, &ops, &r));
	for (size_t at = 0; (n = next_packet(&p, data + at, size - at)); at += n)
		capture_scan(c, &p);
	expect(capture_scan_end(c, why) || *why);
	p.ts_ns = 1795350000000000000ull;
	for (size_t at = 0; (n = next_packet(&p, data + at, size - at)); at += n) {
		capture_feed(c, &p);
		used++;
	}
	capture_end(c);
	capture_free(c);
	engine_finish(r.e);
	expect(engine_counters(r.e)->findings == r.findings);
	expect(engine_counters(r.e)->capture.used <= used);
	engine_free(r.e);
	return 0;
}
