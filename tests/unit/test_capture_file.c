/* SPDX-License-Identifier: BSD-2-Clause */
/* Capture files: of every kind, cut, of no kind. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/net.h"
#include "capture_run.h"
#include "engine/engine.h"

static char path[] = "/tmp/why502-test-XXXXXX";

static void put(FILE *f, uint32_t v, bool swap)
{
	v = swap ? __builtin_bswap32(v) : v;
	fwrite(&v, 4, 1, f);
}

/* Classic pcap, by hand. */
static void write_file(const struct net *n, uint32_t magic, bool swap, uint32_t unit_ns, int dlt)
{
	int fd;
	FILE *f;

	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	put(f, magic, swap);
	put(f, swap ? 0x00020004 : 0x00040002, swap);
	put(f, 0, swap);
	put(f, 0, swap);
	put(f, 65535, swap);
	put(f, (uint32_t)dlt, swap);
	for (size_t i = 0; i < n->n; i++) {
		const struct capture_packet *k = &n->p[i].k;

		put(f, (uint32_t)(k->ts_ns / 1000000000), swap);
		put(f, (uint32_t)(k->ts_ns % 1000000000 / unit_ns), swap);
		put(f, (uint32_t)k->cap, swap);
		put(f, (uint32_t)k->len, swap);
		fwrite(k->data, 1, k->cap, f);
	}
	fclose(f);
}

static int read_file(struct run *r, char err[CAPTURE_ERR_MAX])
{
	static const struct capture_ops ops = { .record = on_record, .say = on_say };
	static const struct engine_ops eops = { .finding = on_finding };
	struct engine_cfg cfg;
	int rc;

	engine_cfg_default(&cfg);
	engine_free(r->e);
	assert_int_equal(engine_new(&r->e, &cfg, &eops, r), 0);
	rc = capture_read(path, &r->cfg, &ops, r, err);
	engine_finish(r->e);
	return rc;
}

static void refused(struct run *r)
{
	struct net_conn down, up = net_conn(BACK, 31000, BACKEND, 9001);

	ask(r, &down, GET("/dead"));
	net_seg(&r->net, 80 * US, &up, 0, W5_TCP_SYN, NULL);
	net_seg(&r->net, 30 * US, &up, 1, W5_TCP_RST | W5_TCP_ACK, NULL);
	net_data(&r->net, 100 * US, &down, 1, BAD);
}

static void test_files_of_both_precisions_and_byte_orders(void **state)
{
	struct run *r = *state;
	char err[CAPTURE_ERR_MAX];

	refused(r);
	for (int i = 0; i < 4; i++) {
		write_file(&r->net, i & 1 ? 0xa1b23c4d : 0xa1b2c3d4, i & 2, i & 1 ? 1 : 1000, 101);
		assert_true(capture_is(path));
		assert_int_equal(read_file(r, err), 0);
		unlink(path);
		assert_int_equal(r->nf, i + 1);
		assert_int_equal(r->f[i]->cause, CAUSE_CONN_REFUSED);
		assert_true(r->f[i]->wall_ns == r->net.now_ns);
	}
}

static void test_file_that_is_cut(void **state)
{
	struct run *r = *state;
	char err[CAPTURE_ERR_MAX];

	refused(r);
	write_file(&r->net, 0xa1b2c3d4, false, 1000, 101);
	assert_int_equal(truncate(path, 24 + 60), 0); /* within the second packet */
	assert_int_equal(read_file(r, err), -ENOENT); /* and no request before that */
	unlink(path);
	write_file(&r->net, 0xa1b2c3d4, false, 1000, 101);
	{
		FILE *f = fopen(path, "a");

		fwrite("\1\2\3\4\5", 1, 5, f);
		fclose(f);
	}
	assert_int_equal(read_file(r, err), -ENODATA);
	assert_non_null(strstr(err, "what came before is used"));
	assert_int_equal(only(r)->cause, CAUSE_CONN_REFUSED);
	unlink(path);
}

static void test_files_that_are_none(void **state)
{
	struct run *r = *state;
	char err[CAPTURE_ERR_MAX];
	FILE *f;

	refused(r);
	write_file(&r->net, 0xa1b2c3d4, false, 1000, 105);
	assert_int_equal(read_file(r, err), -EPROTO);
	assert_non_null(strstr(err, "it reads Ethernet"));
	f = fopen(path, "w");
	fputs("W5TRACE", f);
	fclose(f);
	assert_false(capture_is(path));
	unlink(path);
	assert_false(capture_is(path));
	assert_int_equal(read_file(r, err), -ENOENT);
}

/* Packets are as long as the capturing host puts them together: their ends count, too. */
static void test_end_of_a_long_packet(void **state)
{
	static const char start[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	static uint8_t big[40 + 20000];
	struct run *r = *state;
	char err[CAPTURE_ERR_MAX];

	for (int whole = 0; whole < 2; whole++) {
		struct net_conn down, up = net_conn(BACK, 31000, BACKEND, 9012);
		struct net_packet *p;

		r->net.n = 0;
		ask(r, &down, GET("/feed"));
		net_open(&r->net, 80 * US, &up);
		net_data(&r->net, 20 * US, &up, 0, GET("/feed"));
		p = net_data(&r->net, 200 * US, &up, 1, start);
		memset(big, 'x', sizeof(big));
		memcpy(big, p->data, p->k.cap);
		put16(big + 2, sizeof(big));
		if (whole)
			memcpy(big + sizeof(big) - 4, "\r\n\r\n", 4);
		up.seq[1] += (uint32_t)(sizeof(big) - p->k.cap);
		p->k.data = big;
		p->k.cap = p->k.len = sizeof(big);
		net_data(&r->net, 100 * US, &down, 1, start);
		net_seg(&r->net, 500 * US, &up, 1, W5_TCP_ACK | W5_TCP_FIN, NULL);
		net_seg(&r->net, 100 * US, &down, 1, W5_TCP_ACK | W5_TCP_FIN, NULL);
		write_file(&r->net, 0xa1b2c3d4, false, 1000, 101);
		assert_int_equal(read_file(r, err), 0);
		unlink(path);
		assert_int_equal(r->nf, 1);
		assert_int_equal(only(r)->cause, CAUSE_TRUNCATED_BODY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		TEST(test_files_of_both_precisions_and_byte_orders),
		TEST(test_file_that_is_cut),
		TEST(test_files_that_are_none),
		TEST(test_end_of_a_long_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
