/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings and totals, narrowed to a port, a process, a cgroup, a status. */
#include "../lib/rec.h"
#include "engine_turns.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_port_narrows_the_totals),
		cmocka_unit_test(test_enough_is_enough),
		cmocka_unit_test(test_narrowed_gateways_are_not_shown),
		cmocka_unit_test(test_gateways_of_other_cgroups_are_not_shown),
	};

	return cmocka_run_group_tests_name("engine_narrowed", tests, NULL, NULL);
}
