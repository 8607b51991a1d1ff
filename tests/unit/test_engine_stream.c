/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams as a whole: counters, views, bounds, filters, packets, hostile records, speed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "../lib/rec.h"

#define D 100
#define U 200

static void healthy(struct bench *b, double t, uint64_t down, uint64_t up, uint32_t nr)
{
	struct w5_leg d = rec_down(down, t, "GET", "/a"),
		      u = rec_up(up, t + 0.1, "GET", "/a", 18, nr);

	d.nr = u.nr = nr;
	rec_answer(&u, t + 2.1, 200);
	rec_answer(&d, t + 2.2, 200);
	rec_tie(&u, &d);
	feed(b, &u);
	feed(b, &d);
}

static void test_counters_and_views(void **s)
{
	const struct engine_upstream *const *ups;
	const struct engine_gateway *gws;
	const struct engine_counters *c;
	struct engine_second h[60];
	struct w5_leg d, u;
	struct bench b;

	bench_open(&b, "nginx");
	for (uint32_t i = 0; i < 10; i++)
		healthy(&b, 1000 + i * 10, D, U, i + 1);
	d = rec_down(D, 2000, "GET", "/a");
	d.nr = 11;
	u = rec_connect(U + 1, 2000.1, 17, 111, 2000.3);
	rec_tie(&u, &d);
	feed(&b, &u);
	rec_answer(&d, 2000.4, 502);
	feed(&b, &d);
	bench_settle(&b, 2500);
	c = engine_counters(b.e);
	assert_int_equal(c->exchanges, 11);
	assert_int_equal(c->attempts, 11);
	assert_int_equal(c->status_class[2], 10);
	assert_int_equal(c->status_class[5], 1);
	assert_int_equal(c->s502, 1);
	assert_int_equal(c->bad, 1);
	assert_int_equal(c->conns_down, 1);
	assert_int_equal(c->conns_up, 1);
	assert_int_equal(c->bad_records, 0);
	assert_int_equal(engine_lost(b.e), 0);
	assert_string_equal(c->host, "gw-03");

	assert_int_equal(engine_upstreams(b.e, &ups), 2);
	assert_int_equal(ups[0]->ip.ip[15], 17);
	assert_int_equal(ups[0]->connects, 1);
	assert_int_equal(ups[0]->connect_failures, 1);
	assert_int_equal(ups[0]->failures, 1);
	assert_int_equal(ups[0]->open, 0);
	assert_int_equal(ups[1]->connects, 1);
	assert_int_equal(ups[1]->requests, 10);
	assert_int_equal(ups[1]->reused, 9);
	assert_int_equal(ups[1]->open, 1);
	assert_int_equal(ups[1]->ttfb_count, 10);
	assert_int_equal(ups[1]->ttfb_us_sum, 20000);

	assert_int_equal(engine_gateways(b.e, &gws), 1);
	assert_string_equal(gws[0].name, "nginx");
	assert_int_equal(gws[0].nprocs, 1);
	assert_int_equal(gws[0].exchanges, 11);
	assert_int_equal(gws[0].bad, 1);

	assert_int_equal(engine_history(b.e, h, 60), 3);
	assert_int_equal(h[0].exchanges, 0);
	assert_int_equal(h[1].exchanges, 10);
	assert_int_equal(h[2].exchanges, 1);
	assert_int_equal(h[2].s502, 1);
	assert_int_equal(b.f[0]->wall_ns - c->wall_offset_ns, b.f[0]->ts_ns);
	assert_string_equal(b.f[0]->gateway_cgroup, "/system.slice/nginx.service");
	bench_close(&b);
}

/* One brief record stands for several turns; what it leaves out is known from the first. */
static void test_held_turns_are_counted(void **s)
{
	const struct engine_upstream *const *ups;
	const struct engine_counters *c;
	struct w5_leg d, u;
	struct bench b;

	bench_open(&b, "nginx");
	healthy(&b, 1000, D, U, 1);
	d = rec_down(D, 1050, "GET", "/a");
	u = rec_up(U, 1050.1, "GET", "/a", 18, 17);
	d.nr = 17;
	rec_answer(&u, 1052.1, 200);
	rec_answer(&d, 1052.2, 200);
	d.held = u.held = 15;
	d.held_status = u.held_status = 304;
	u.held_ttfb_us = 15000;
	d.h.size = u.h.size = W5_LEG_BRIEF;
	feed(&b, &u);
	feed(&b, &d);
	bench_settle(&b, 1500);
	c = engine_counters(b.e);
	assert_int_equal(c->exchanges, 17);
	assert_int_equal(c->attempts, 17);
	assert_int_equal(c->status_class[2], 2);
	assert_int_equal(c->status_class[3], 15);
	assert_int_equal(c->bad_records, 0);
	assert_int_equal(engine_upstreams(b.e, &ups), 1);
	assert_int_equal(ups[0]->ip.ip[15], 18);
	assert_int_equal(ups[0]->requests, 17);
	assert_int_equal(ups[0]->reused, 16);
	assert_int_equal(ups[0]->ttfb_count, 17);
	assert_int_equal(ups[0]->ttfb_us_sum, 15000 + 2 * 2000);
	bench_close(&b);
	(void)s;
}

/* Gathered turns count at their mean, and the quantiles say so. */
static void test_time_to_first_byte_has_quantiles_that_age(void **state)
{
	const struct engine_upstream *const *ups;
	struct w5_leg u;
	struct bench b;

	bench_open(&b, "nginx");
	for (uint32_t i = 1; i <= 100; i++) {
		u = rec_up(U, 1000 + i, "GET", "/a", 18, i);
		rec_answer(&u, 1000 + i + (i > 95 ? 400 : 2), 200);
		feed(&b, &u);
	}
	rec_tick(b.e, 3000);
	assert_int_equal(engine_upstreams(b.e, &ups), 1);
	assert_in_range(ups[0]->ttfb_us[0], 1875, 2125);
	assert_in_range(ups[0]->ttfb_us[1], 1875, 2125);
	assert_in_range(ups[0]->ttfb_us[2], 375000, 425000);
	assert_false(ups[0]->ttfb_is_rough);
	u = rec_up(U, 3000, "GET", "/a", 18, 117);
	u.held = 16;
	u.held_ttfb_us = 16 * 2000;
	rec_answer(&u, 3002, 200);
	feed(&b, &u);
	rec_tick(b.e, 3100);
	engine_upstreams(b.e, &ups);
	assert_true(ups[0]->ttfb_is_rough);
	/* a span later they still count, two later no more; the sums stay */
	rec_tick(b.e, 299000);
	engine_upstreams(b.e, &ups);
	assert_true(ups[0]->ttfb_us[0]);
	rec_tick(b.e, 901000);
	engine_upstreams(b.e, &ups);
	assert_int_equal(ups[0]->ttfb_us[0], 0);
	assert_int_equal(ups[0]->ttfb_us[2], 0);
	assert_int_equal(ups[0]->ttfb_count, 117);
	bench_close(&b);
}

static void test_connects_have_a_rate(void **state)
{
	const struct engine_upstream *const *ups;
	struct bench b;

	bench_open(&b, "nginx");
	for (uint32_t i = 0; i < 50; i++) {
		struct w5_leg u = rec_connect(U + i, 6000 + i * 80, 17, 111, 6000 + i * 80 + 0.2);

		feed(&b, &u);
	}
	rec_tick(b.e, 10500);
	engine_upstreams(b.e, &ups);
	assert_int_equal(ups[0]->connects, 50);
	assert_true(ups[0]->connects_per_s == 10); /* of seconds 5 to 9, of which one was idle */
	rec_tick(b.e, 20500);
	engine_upstreams(b.e, &ups);
	assert_true(ups[0]->connects_per_s == 0);
	bench_close(&b);
}

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

static void filtered(struct engine_cfg *cfg, size_t want)
{
	static const struct engine_ops ops = { .finding = bench_take };
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"),
		      u = rec_connect(U, 1000.1, 17, 111, 1000.3);
	struct bench b = { .n = 0 };

	assert_int_equal(engine_new(&b.e, cfg, &ops, &b), 0);
	rec_session(b.e);
	rec_gateway(b.e, REC_GW, 2000, "nginx");
	rec_tie(&u, &d);
	feed(&b, &u);
	rec_answer(&d, 1000.4, 502);
	feed(&b, &d);
	healthy(&b, 1100, D + 1, U + 1, 1);
	bench_settle(&b, 1101);
	assert_int_equal(b.n, want);
	/* The totals are of the same exchanges. */
	assert_int_equal(engine_counters(b.e)->bad, want);
	assert_int_equal(engine_counters(b.e)->s502, want);
	assert_int_equal(engine_counters(b.e)->exchanges, 2 * want);
	bench_close(&b);
}

static void test_filters(void **s)
{
	struct engine_cfg cfg, def;

	engine_cfg_default(&def);
	filtered(&def, 1);
	cfg = def, cfg.port = 80, filtered(&cfg, 1);
	cfg = def, cfg.port = 8080, filtered(&cfg, 1);
	cfg = def, cfg.port = 81, filtered(&cfg, 0);
	cfg = def, cfg.pid = REC_GW, filtered(&cfg, 1);
	cfg = def, cfg.pid = 2000, filtered(&cfg, 1);
	cfg = def, cfg.pid = 1, filtered(&cfg, 0);
	cfg = def, strcpy(cfg.comm, "nginx"), filtered(&cfg, 1);
	cfg = def, strcpy(cfg.comm, "haproxy"), filtered(&cfg, 0);
	cfg = def, cfg.bad_status[2] = 0, filtered(&cfg, 1); /* made by a failed attempt */
}

/* A backend on another port: neither its 502 nor its 200 is counted. */
static void test_port_narrows_the_totals(void **s)
{
	static const struct engine_ops ops = { .finding = bench_take };
	struct engine_cfg cfg;
	struct bench b = { .n = 0 };

	engine_cfg_default(&cfg);
	cfg.port = 9000;
	assert_int_equal(engine_new(&b.e, &cfg, &ops, &b), 0);
	rec_session(b.e);
	rec_gateway(b.e, REC_GW, REC_GW, "nginx");
	for (unsigned i = 0; i < 4; i++) {
		double t = 1000 + i * 100;
		struct w5_leg d = rec_down(D + i, t, "GET", "/a"),
			      u = rec_up(U + i, t + 0.1, "GET", "/a", 17, 1);

		u.rport = i % 2 ? 9000 : 8080;
		if (i < 2)
			rec_end(&u, t + 0.3, W5_END_RST_IN);
		else
			rec_answer(&u, t + 0.3, 200);
		rec_tie(&u, &d);
		feed(&b, &u);
		rec_answer(&d, t + 0.4, i < 2 ? 502 : 200);
		feed(&b, &d);
	}
	bench_settle(&b, 2000);
	assert_int_equal(b.n, 1);
	assert_int_equal(engine_counters(b.e)->exchanges, 2);
	assert_int_equal(engine_counters(b.e)->s502, 1);
	assert_int_equal(engine_counters(b.e)->status_class[2], 1);
	bench_close(&b);
}

/* Several are final at once: what comes after the last one wanted is not counted either. */
static void test_enough_is_enough(void **s)
{
	static const struct engine_ops ops = { .finding = bench_take };
	struct engine_cfg cfg;
	struct bench b = { .n = 0 };

	engine_cfg_default(&cfg);
	cfg.max_bad = 2;
	assert_int_equal(engine_new(&b.e, &cfg, &ops, &b), 0);
	rec_session(b.e);
	rec_gateway(b.e, REC_GW, REC_GW, "nginx");
	for (unsigned i = 0; i < 5; i++) {
		struct w5_leg d = rec_down(D + i, 1000, "GET", "/a");

		rec_answer(&d, 1000.4, 502);
		feed(&b, &d);
	}
	bench_settle(&b, 2000);
	assert_int_equal(b.n, 2);
	assert_int_equal(engine_counters(b.e)->bad, 2);
	assert_int_equal(engine_counters(b.e)->s502, 2);
	assert_int_equal(engine_counters(b.e)->exchanges, 2);
	bench_close(&b);
}

static void test_narrowed_gateways_are_not_shown(void **s)
{
	static const struct engine_ops ops = { .finding = bench_take };
	const struct engine_upstream *const *ups;
	const struct engine_gateway *gws;
	struct engine_cfg cfg;
	struct bench b = { .n = 0 };

	engine_cfg_default(&cfg);
	strcpy(cfg.comm, "haproxy");
	assert_int_equal(engine_new(&b.e, &cfg, &ops, &b), 0);
	rec_session(b.e);
	rec_gateway(b.e, REC_GW, REC_GW, "nginx");
	rec_gateway(b.e, 99, 99, "haproxy");
	healthy(&b, 1000, D, U, 1);
	assert_int_equal(engine_gateways(b.e, &gws), 2);
	assert_true(gws[0].unwanted);
	assert_false(gws[1].unwanted);
	assert_int_equal(engine_upstreams(b.e, &ups), 1);
	assert_true(ups[0]->unwanted);
	assert_int_equal(engine_counters(b.e)->exchanges, 0);
	assert_int_equal(engine_counters(b.e)->attempts, 0);
	bench_close(&b);
}

/* Packets come from that cgroup alone: other gateways of the host are not being watched. */
static void test_gateways_of_other_cgroups_are_not_shown(void **s)
{
	static const struct {
		const char *asked;
		bool nginx, haproxy;
	} rows[] = {
		{ "", true, true },
		{ "/", true, true },
		{ "/system.slice", true, true },
		{ "/system.slice/nginx.service", true, false },
		{ "system.slice/nginx.service/", true, false },
		{ "/sys/fs/cgroup/system.slice/nginx.service", true, false },
		{ "/sys/fs/cgroup/unified/system.slice/haproxy.service", false, true },
		{ "/system.slice/nginx", false, false },
		{ "/nginx.service", false, false },
	};
	const struct engine_gateway *gws;
	struct engine_cfg cfg;
	struct bench b;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		engine_cfg_default(&cfg);
		snprintf(cfg.cgroup, sizeof(cfg.cgroup), "%s", rows[i].asked);
		bench_open_cfg(&b, "nginx", &cfg);
		rec_gateway(b.e, 99, 99, "haproxy");
		assert_int_equal(engine_gateways(b.e, &gws), 2);
		assert_int_equal(!gws[0].unwanted, rows[i].nginx);
		assert_int_equal(!gws[1].unwanted, rows[i].haproxy);
		healthy(&b, 1000, D, U, 1); /* a socket of that cgroup in another's hands */
		rec_gateway(b.e, 100, 99, "haproxy");
		assert_false(gws[0].unwanted);
		assert_int_equal(engine_counters(b.e)->exchanges, 1);
		bench_close(&b);
	}
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

/* ---- hostile input ---- */

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

/* ---- speed: what a healthy record costs. Printed; only a gross slip fails. ---- */

static void test_healthy_records_are_cheap(void **s)
{
	enum { CONNS = 512, ROUNDS = 200 };
	static struct w5_leg d[CONNS], u[CONNS];
	struct timespec from, to;
	struct bench b;
	double ns;

	bench_open(&b, "nginx");
	for (int i = 0; i < CONNS; i++) {
		char target[64];

		snprintf(target, sizeof(target), "/api/v1/items/%d", i % 100);
		d[i] = rec_down(10000 + i, 1000, "GET", target);
		u[i] = rec_up(50000 + i, 1000.1, "GET", target, 1 + i % 8, 2);
		rec_answer(&u[i], 1001, 200);
		rec_answer(&d[i], 1001.1, 200);
		rec_tie(&u[i], &d[i]);
	}
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (uint32_t r = 0; r < ROUNDS; r++) {
		for (int i = 0; i < CONNS; i++) {
			d[i].h.seq = u[i].h.seq = r;
			d[i].nr = u[i].nr = r + 1;
			feed(&b, &u[i]);
			feed(&b, &d[i]);
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	ns = ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
	     (2.0 * CONNS * ROUNDS);
	print_message("# %.0f ns per healthy record: %.1f %% of a core at 40,000 records/s\n", ns,
		      ns * 40000 / 1e7);
	assert_int_equal(b.n, 0);
	assert_true(ns < 20000);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counters_and_views),
		cmocka_unit_test(test_held_turns_are_counted),
		cmocka_unit_test(test_time_to_first_byte_has_quantiles_that_age),
		cmocka_unit_test(test_connects_have_a_rate),
		cmocka_unit_test(test_workers_are_one_gateway),
		cmocka_unit_test(test_processes_are_counted_once),
		cmocka_unit_test(test_a_named_gateway_is_used_with_its_first_request),
		cmocka_unit_test(test_unknown_gateway_still_gives_a_finding),
		cmocka_unit_test(test_finding_waits_for_its_grace),
		cmocka_unit_test(test_finish_makes_what_is_waiting),
		cmocka_unit_test(test_packets_of_both_legs_are_attached),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_port_narrows_the_totals),
		cmocka_unit_test(test_enough_is_enough),
		cmocka_unit_test(test_narrowed_gateways_are_not_shown),
		cmocka_unit_test(test_gateways_of_other_cgroups_are_not_shown),
		cmocka_unit_test(test_tables_are_bounded),
		cmocka_unit_test(test_late_record_is_no_hole),
		cmocka_unit_test(test_short_and_unknown_records_are_counted),
		cmocka_unit_test(test_cut_record_cannot_claim_more),
		cmocka_unit_test(test_a_hostile_dump_is_bounded),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_healthy_records_are_cheap),
	};

	return cmocka_run_group_tests_name("streams", tests, NULL, NULL);
}
