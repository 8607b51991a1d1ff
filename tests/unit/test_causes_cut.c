/* SPDX-License-Identifier: BSD-2-Clause */
/* Causes of answers that were cut short. */
#include "../lib/rec.h"
#include "exchange_legs.h"

static uint16_t cut_flags; /* of the upstream's end */

/* 200 passed on, then the backend closed before the body's end and the gateway did so, too. */
static void cut_of(uint32_t pid, const char *head, const char *method, uint32_t total, int up_end,
		   int down_end, size_t want)
{
	struct engine_cfg cfg;
	struct w5_leg d = rec_down(D, 1000, method, "/a"), up;
	struct bench b;

	engine_cfg_default(&cfg);
	cfg.pid = pid;
	bench_open_cfg(&b, "nginx", &cfg);
	up = rec_up(U, 1000.1, method, "/a", 18, 1);
	rec_resp(&up, head, strlen(head), total);
	rec_answer(&up, 1001, 200);
	rec_tie(&up, &d);
	feed(&b, &up);
	rec_answer(&d, 1001.2, 200);
	feed(&b, &d);
	up.h.type = d.h.type = W5_REC_END;
	rec_end(&up, 1300, up_end);
	up.flags |= cut_flags;
	rec_end(&d, 1300.1, down_end);
	feed(&b, &up);
	feed(&b, &d);
	bench_settle(&b, 1302);
	assert_int_equal(b.n, want);
	if (want) {
		assert_int_equal(b.f[0]->cause, CAUSE_TRUNCATED_BODY);
		assert_int_equal(b.f[0]->verdict, VERDICT_PASSED_THROUGH);
		assert_int_equal(b.f[0]->status, 200);
		assert_int_equal(b.f[0]->nattempts, 1);
	}
	bench_close(&b);
}

static void cut(const char *head, const char *method, uint32_t total, int up_end, int down_end,
		size_t want)
{
	cut_of(0, head, method, total, up_end, down_end, want);
}

static void test_truncated_body(void **s)
{
	static const char h[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"; /* 41 bytes */

	cut(h, "GET", 46, W5_END_FIN_IN, W5_END_FIN_OUT, 1);
	cut(h, "GET", 46, W5_END_RST_IN, W5_END_FIN_OUT, 1);
	cut(h, "GET", 1040, W5_END_RST_IN, W5_END_FIN_OUT, 1);
	cut(h, "GET", 1041, W5_END_FIN_IN, W5_END_FIN_OUT, 0);
	cut(h, "HEAD", 41, W5_END_FIN_IN, W5_END_FIN_OUT, 0);
	/* Of a gateway nobody asked for. */
	cut_of(REC_GW, h, "GET", 46, W5_END_FIN_IN, W5_END_FIN_OUT, 1);
	cut_of(1, h, "GET", 46, W5_END_FIN_IN, W5_END_FIN_OUT, 0);
	/* The client left: its end came first. */
	cut(h, "GET", 46, W5_END_FIN_OUT, W5_END_FIN_IN, 0);
}

/* Chunked: short if the last bytes are known and are no end; whatever they are, HEAD has none. */
static void test_truncated_chunked_body(void **s)
{
	static const char h[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	static const char gzip[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked \r\n\r\n";
	static const char other[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n";
	static const char both[] = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n";
	static const char none[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";

	cut_flags = W5_F_ENDS_OPEN;
	cut(h, "GET", 57, W5_END_FIN_IN, W5_END_FIN_OUT, 1);
	cut(h, "GET", 57, W5_END_RST_IN, W5_END_RST_OUT, 1);
	cut(gzip, "GET", 99, W5_END_FIN_IN, W5_END_FIN_OUT, 1);
	cut(both, "GET", 99, W5_END_FIN_IN, W5_END_FIN_OUT, 1);
	cut(other, "GET", 99, W5_END_FIN_IN, W5_END_FIN_OUT, 0);
	cut(none, "GET", 57, W5_END_FIN_IN, W5_END_FIN_OUT, 0);
	cut(h, "HEAD", 48, W5_END_FIN_IN, W5_END_FIN_OUT, 0);
	cut_flags = 0;
	cut(h, "GET", 57, W5_END_FIN_IN, W5_END_FIN_OUT, 0);
	cut(both, "GET", 60, W5_END_FIN_IN, W5_END_FIN_OUT, 0);
}

struct cut_case {
	const char *gateway;
	double up_end, down_end; /* 0 = never */
	bool by_gateway, known;	 /* who ends the upstream conn; the client's is seen */
	size_t want;
};

static struct finding *cut_case(struct bench *b, const struct cut_case *x)
{
	static const char h[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	struct w5_leg d = rec_down(D, 1000, "GET", "/a"),
		      up = rec_up(U, 1000.1, "GET", "/a", 18, 1);

	bench_open(b, x->gateway);
	rec_resp(&up, h, strlen(h), 57);
	rec_answer(&up, 1001, 200);
	rec_tie(&up, &d);
	feed(b, &up);
	rec_answer(&d, 1001.2, 200);
	if (x->known)
		feed(b, &d);
	up.h.type = d.h.type = W5_REC_END;
	rec_end(&up, x->up_end, x->by_gateway ? W5_END_FIN_OUT : W5_END_FIN_IN);
	up.flags |= W5_F_ENDS_OPEN;
	if (x->down_end)
		rec_end(&d, x->down_end, W5_END_FIN_OUT);
	if (x->down_end && x->down_end < x->up_end)
		feed(b, &d);
	feed(b, &up);
	if (x->down_end > x->up_end)
		feed(b, &d);
	rec_tick(b->e, x->up_end + 900);
	assert_int_equal(b->n, x->down_end ? x->want : 0);
	rec_tick(b->e, x->up_end + 1100);
	rec_tick(b->e, x->up_end + 1200);
	assert_int_equal(b->n, x->want);
	engine_finish(b->e);
	assert_int_equal(b->n, x->want);
	return b->n ? b->f[0] : NULL;
}

/* The client's conn may be told to have ended before the upstream's is, or live on. */
static void test_cut_body_and_its_client(void **s)
{
	static const struct cut_case cases[] = {
		{ "nginx", 1300, 1300.1, false, true, 1 },
		{ "nginx", 1300.9, 1300.1, false, true, 1 },
		{ "nginx", 1300, 0, false, true, 1 },
		{ "caddy", 1300, 0, false, true, 1 },
		{ "caddy", 1300, 0, false, false, 1 },
		{ "nginx", 1300, 0, true, true, 0 }, /* the gateway's doing: its client left */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench b;
		struct finding *f = cut_case(&b, &cases[i]);

		if (f) {
			assert_int_equal(f->cause, CAUSE_TRUNCATED_BODY);
			assert_int_equal(f->verdict, VERDICT_PASSED_THROUGH);
			assert_int_equal(f->status, 200);
			assert_int_equal(f->nattempts, 1);
			assert_string_equal(f->target, "/a");
			assert_true(strstr(f->why, "without the last chunk"));
			assert_int_equal(finding_has_client(f), cases[i].known);
			assert_int_equal(f->confidence,
					 cases[i].known ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
		}
		bench_close(&b);
	}
}

/* Another client asked for the same, and its conn was closed after a whole answer. */
static void test_cut_body_is_not_anothers(void **s)
{
	static const char h[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
	struct w5_leg up = rec_up(U, 1000.1, "GET", "/a", 18, 1),
		      d = rec_down(D, 1000, "GET", "/a"),
		      other = rec_down(D + 1, 1000, "GET", "/a");
	struct bench b;

	bench_open(&b, "nginx");
	rec_resp(&up, h, strlen(h), 46);
	rec_answer(&up, 1001, 200);
	rec_tie(&up, &d);
	rec_answer(&d, 1001.2, 200);
	rec_answer(&other, 1001.2, 200);
	feed(&b, &up);
	feed(&b, &d);
	feed(&b, &other);
	up.h.type = d.h.type = other.h.type = W5_REC_END;
	rec_end(&up, 1300, W5_END_FIN_IN);
	rec_end(&other, 1300.1, W5_END_FIN_OUT);
	rec_end(&d, 1300.3, W5_END_FIN_OUT);
	feed(&b, &up);
	feed(&b, &other);
	feed(&b, &d);
	bench_settle(&b, 1302);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.f[0]->down.h.cookie, D);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated_body),
		cmocka_unit_test(test_truncated_chunked_body),
		cmocka_unit_test(test_cut_body_and_its_client),
		cmocka_unit_test(test_cut_body_is_not_anothers),
	};

	return cmocka_run_group_tests_name("causes_cut", tests, NULL, NULL);
}
