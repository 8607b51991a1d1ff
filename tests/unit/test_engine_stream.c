/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams as a whole: gateways, grace, packets, bounds, hostile records. */
#include "../lib/rec.h"
#include "engine_turns.h"

static void test_workers_are_one_gateway(void **s)
{
	const struct engine_gateway *gws;
	struct bench b;

	bench_open(&b, "nginx");
	for (uint32_t i = 1; i <= 4; i++)
		rec_gateway(b.e, REC_GW + i, REC_GW, "nginx");
	rec_gateway(b.e, REC_GW + 1, REC_GW, "nginx");
	assert_int_equal(engine_gateways(b.e, &gws), 1);
	assert_int_equal(gws[0].nprocs, 5);
	bench_close(&b);
}

static void ended(struct bench *b, uint32_t tgid)
{
	struct w5_gateway g = { .h = { .ts_ns = ms(900), .type = W5_REC_GATEWAY, .size = sizeof(g) },
				.flags = W5_GW_ENDED,
				.tgid = tgid,
				.group = tgid };

	engine_feed(b->e, &g.h);
}

/* Told twice, ended twice, back again, moved to its master's group when that is known. */
static void test_processes_are_counted_once(void **s)
{
	const struct engine_gateway *gws;
	struct bench b;

	bench_open(&b, "nginx");
	rec_gateway(b.e, 50, REC_GW, "nginx");
	rec_gateway(b.e, 51, 51, "nginx");
	ended(&b, 50);
	ended(&b, 50);
	assert_int_equal(engine_gateways(b.e, &gws), 2);
	assert_int_equal(gws[0].nprocs, 1);
	rec_gateway(b.e, 50, REC_GW, "nginx");
	assert_int_equal(gws[0].nprocs, 2);
	rec_gateway(b.e, 51, REC_GW, "nginx");
	assert_int_equal(gws[0].nprocs, 3);
	assert_int_equal(gws[1].nprocs, 0);
	ended(&b, 51);
	assert_int_equal(gws[0].nprocs, 2);
	bench_close(&b);
}

static void test_a_named_gateway_is_used_with_its_first_request(void **s)
{
	struct w5_gateway g = { .h = { .ts_ns = ms(900), .type = W5_REC_GATEWAY, .size = sizeof(g) },
				.flags = W5_GW_NAMED,
				.tgid = REC_GW,
				.group = REC_GW,
				.comm = "nginx" };
	const struct engine_gateway *gws;
	struct bench b;

	bench_open(&b, "nginx");
	engine_feed(b.e, &g.h);
	engine_gateways(b.e, &gws);
	assert_true(gws[0].named_only);
	healthy(&b, 1000, D, U, 1);
	assert_false(gws[0].named_only);
	engine_feed(b.e, &g.h); /* a worker, or the same again */
	assert_false(gws[0].named_only);
	bench_close(&b);
}

static void test_unknown_gateway_still_gives_a_finding(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"),
		      u = rec_connect(U, 1000.1, 17, 111, 1000.3);
	struct bench b;

	bench_open(&b, "nginx");
	d.tgid = d.tid = u.tgid = u.tid = 999;
	rec_tie(&u, &d);
	feed(&b, &u);
	rec_answer(&d, 1000.4, 502);
	feed(&b, &d);
	bench_settle(&b, 1001);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->cause, CAUSE_CONN_REFUSED);
	assert_string_equal(b.f[0]->gateway_name, "");
	assert_int_equal(b.f[0]->gateway_group, 999);
	bench_close(&b);
}

static void test_finding_waits_for_its_grace(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	bench_open(&b, "nginx");
	rec_answer(&d, 1000.4, 502);
	feed(&b, &d);
	rec_tick(b.e, 1059);
	assert_int_equal(b.n, 0);
	rec_tick(b.e, 1061);
	assert_int_equal(b.n, 1);
	bench_close(&b);
}

static void test_finish_makes_what_is_waiting(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	bench_open(&b, "nginx");
	rec_answer(&d, 1000.4, 502);
	feed(&b, &d);
	engine_finish(b.e);
	assert_int_equal(b.n, 1);
	bench_close(&b);
}

static void test_packets_of_both_legs_are_attached(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"),
		      u = rec_connect(U, 1000.1, 17, 111, 1000.3);
	struct bench b;

	bench_open(&b, "nginx");
	rec_tie(&u, &d);
	rec_packets(b.e, 1000.3, U);
	feed(&b, &u);
	rec_answer(&d, 1000.4, 502);
	feed(&b, &d);
	rec_packets(b.e, 1000.41, D);
	bench_settle(&b, 1001);
	assert_non_null(b.f[0]->flight);
	assert_int_equal(b.f[0]->flight->p.h.cookie, D);
	assert_non_null(b.f[0]->attempts[0].flight);
	assert_int_equal(b.f[0]->attempts[0].flight->p.h.cookie, U);
	/* It outlives the engine's own table. */
	for (uint64_t i = 0; i < 5000; i++)
		rec_packets(b.e, 1300, 10000 + i);
	assert_int_equal(b.f[0]->flight->p.h.cookie, D);
	bench_close(&b);
}

/* Closed conns give way silently; pushing out an open one is a loss. */
static void test_tables_are_bounded(void **s)
{
	static const struct engine_ops ops = { .finding = bench_take };
	struct engine_cfg cfg;
	struct bench b = { .n = 0 };
	struct w5_leg l;

	engine_cfg_default(&cfg);
	cfg.max_conns = 64;
	assert_int_equal(engine_new(&b.e, &cfg, &ops, &b), 0);
	rec_session(b.e);
	for (uint64_t i = 0; i < 1000; i++) {
		healthy(&b, 1000 + i, 10000 + i, 50000 + i, 1);
		l = rec_down(10000 + i, 1000 + i, "GET", "/a");
		l.h.type = W5_REC_END;
		rec_end(&l, 1000.5 + i, W5_END_FIN_IN);
		feed(&b, &l);
		l = rec_up(50000 + i, 1000 + i, "GET", "/a", 18, 1);
		l.h.type = W5_REC_END;
		rec_end(&l, 1000.5 + i, W5_END_FIN_IN);
		feed(&b, &l);
	}
	assert_int_equal(engine_lost(b.e), 0);
	assert_int_equal(engine_counters(b.e)->conns_down, 0);
	for (uint64_t i = 0; i < 100; i++)
		healthy(&b, 3000 + i, 100000 + i, 500000 + i, 1);
	assert_true(engine_lost(b.e) > 0);
	assert_int_equal(engine_counters(b.e)->loss[W5_LOSS_EVICTED], engine_lost(b.e));
	bench_close(&b);
}

static void test_late_record_is_no_hole(void **s)
{
	struct w5_leg d = rec_down(D, 1000, "GET", "/a");
	struct bench b;

	bench_open(&b, "nginx");
	rec_answer(&d, 1000.4, 200);
	d.h.seq = 1;
	feed(&b, &d);
	d.h.seq = 3;
	feed(&b, &d);
	assert_int_equal(engine_lost(b.e), 1);
	d.h.seq = 2;
	feed(&b, &d);
	assert_int_equal(engine_lost(b.e), 0);
	bench_close(&b);
}

static uint64_t rnd_state = 502;

static uint64_t rnd(void)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return rnd_state;
}

static void test_short_and_unknown_records_are_counted(void **s)
{
	struct w5_leg l;
	struct bench b;

	bench_open(&b, "nginx");
	memset(&l, 0, sizeof(l));
	for (unsigned type = 0; type < 40; type++) {
		l.h.type = (uint16_t)type;
		l.h.size = type == W5_REC_TICK ? 16 : 24;
		if (type == W5_REC_TICK)
			continue;
		feed(&b, &l);
	}
	assert_int_equal(engine_counters(b.e)->bad_records, 39);
	bench_close(&b);
}

/* A cut record claims more head than it has: nothing behind it is read. */
static void test_cut_record_cannot_claim_more(void **s)
{
	size_t size = offsetof(struct w5_leg, head) + 24;
	struct w5_leg full = rec_down(D, 1000, "GET", "/a/very/long/target"), *cut = malloc(size);
	struct bench b;

	bench_open(&b, "nginx");
	rec_answer(&full, 1000.4, 502);
	full.h.size = (uint16_t)size;
	full.head_len = 60000;
	full.resp_len = 60000;
	full.resp_bytes = 60000;
	memcpy(cut, &full, size);
	feed(&b, cut);
	bench_settle(&b, 1001);
	assert_int_equal(b.n, 1);
	assert_string_equal(b.f[0]->target, "/a/very/long/target");
	free(cut);
	bench_close(&b);
}

/* Whatever a dump claims of itself, its packets end where it does. */
static void test_a_hostile_dump_is_bounded(void **s)
{
	union {
		struct w5_packets p;
		uint8_t bytes[W5_PACKETS_SIZE(3, 64)];
	} u;
	struct w5_leg d = rec_down(D, 1000, "GET", "/a");
	const struct flight *f;
	struct bench b;

	bench_open(&b, "nginx");
	memset(&u, 0xff, sizeof(u));
	u.p.h = (struct w5_hdr){
		.ts_ns = ms(1001), .cookie = D, .type = W5_REC_PACKETS, .size = sizeof(u)
	};
	engine_feed(b.e, &u.p.h); /* says it is longer than it is */
	assert_int_equal(engine_counters(b.e)->bad_records, 1);
	u.p.slots = 3;
	u.p.bytes8 = 64 / 8;
	u.p.role = W5_ROLE_DOWNSTREAM;
	engine_feed(b.e, &u.p.h);
	assert_int_equal(engine_counters(b.e)->bad_records, 1);
	rec_answer(&d, 1000.4, 502);
	feed(&b, &d);
	bench_settle(&b, 1500);
	assert_int_equal(b.n, 1);
	f = b.f[0]->flight;
	assert_non_null(f);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(w5_packets_slot(&f->p, i)->cap, 64);
		assert_int_equal(w5_packet_room(w5_packets_slot(&f->p, i)), 64);
	}
	bench_close(&b);
}

static void test_random_bytes(void **s)
{
	static const struct engine_ops ops = { .finding = bench_take };
	struct engine_cfg cfg;
	struct bench b = { .n = 0 };

	engine_cfg_default(&cfg);
	cfg.max_conns = 50;
	cfg.max_flights = 8;
	assert_int_equal(engine_new(&b.e, &cfg, &ops, &b), 0);
	for (int i = 0; i < 30000 && b.n < REC_MAX - 70; i++) {
		union {
			struct w5_leg leg;
			struct w5_packets p;
			uint8_t bytes[sizeof(struct w5_packets)];
		} r;

		for (size_t k = 0; k < sizeof(r.leg); k += 8) {
			uint64_t v = rnd();

			memcpy(&r.bytes[k], &v, 8);
		}
		r.leg.h.type = (uint16_t)(rnd() % (W5_REC_TYPE_MAX + 1));
		r.leg.h.size = (uint16_t)sizeof(r.p);
		r.leg.h.cookie = rnd() % 100;
		r.leg.h.ts_ns = ms((double)i);
		if (rnd() % 4) { /* plausible enough to get further in */
			r.leg.role = (uint8_t)(1 + rnd() % 2);
			r.leg.phase = (uint8_t)(rnd() % 4);
			r.leg.end = (uint8_t)(rnd() % W5_END_MAX);
			r.leg.status = (uint16_t)(rnd() % 3 ? 502 : 0);
			r.leg.hint_cookie = rnd() % 100;
			r.leg.tgid = r.leg.tid = 1;
			r.leg.req_ns = r.leg.open_ns = ms((double)i - 1);
			r.leg.resp_ns = r.leg.end_ns = ms((double)i);
			r.leg.hint_ns = ms((double)i - 0.5);
			memcpy(r.leg.head, "GET /", 5);
			memcpy(r.leg.resp, "HTTP/1.1 200 \r\n", 15);
		}
		engine_feed(b.e, &r.leg.h);
	}
	engine_finish(b.e);
	assert_true(b.n > 100);
	for (size_t i = 0; i < b.n; i++) {
		for (size_t k = 0; k < b.f[i]->nevidence; k++) {
			for (const char *c = b.f[i]->evidence[k]; *c; c++)
				assert_true(*c >= 0x20 && *c < 0x7f);
		}
	}
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_workers_are_one_gateway),
		cmocka_unit_test(test_processes_are_counted_once),
		cmocka_unit_test(test_a_named_gateway_is_used_with_its_first_request),
		cmocka_unit_test(test_unknown_gateway_still_gives_a_finding),
		cmocka_unit_test(test_finding_waits_for_its_grace),
		cmocka_unit_test(test_finish_makes_what_is_waiting),
		cmocka_unit_test(test_packets_of_both_legs_are_attached),
		cmocka_unit_test(test_tables_are_bounded),
		cmocka_unit_test(test_late_record_is_no_hole),
		cmocka_unit_test(test_short_and_unknown_records_are_counted),
		cmocka_unit_test(test_cut_record_cannot_claim_more),
		cmocka_unit_test(test_a_hostile_dump_is_bounded),
		cmocka_unit_test(test_random_bytes),
	};

	return cmocka_run_group_tests_name("streams", tests, NULL, NULL);
}
