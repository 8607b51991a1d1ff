/* SPDX-License-Identifier: BSD-2-Clause */
/* HPACK: what is known from the start, what was missed, what makes no sense. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <nghttp2/nghttp2.h>

#include "engine/hpack.h"

struct got {
	char text[4096]; /* "name=value\n" of each field, "?\n" for one that is not known */
	size_t len;
};

static void on_field(void *self, const struct hpack_field *f)
{
	struct got *g = self;
	int n;

	if (f->name_len)
		n = snprintf(g->text + g->len, sizeof(g->text) - g->len, "%.*s=%.*s\n",
			     (int)f->name_len, (const char *)f->name, (int)f->value_len,
			     (const char *)f->value);
	else
		n = snprintf(g->text + g->len, sizeof(g->text) - g->len, "?\n");
	assert_true(n > 0 && (size_t)n < sizeof(g->text) - g->len);
	g->len += (size_t)n;
}

static int decode(struct hpack *h, const void *p, size_t n, struct got *g)
{
	memset(g, 0, sizeof(*g));
	return hpack_decode(h, p, n, on_field, g);
}

#define NV(n, v)                                                                       \
	{                                                                              \
		.name = (uint8_t *)(n), .namelen = strlen(n), .value = (uint8_t *)(v), \
		.valuelen = strlen(v)                                                  \
	}

static size_t encode(nghttp2_hd_deflater *d, uint8_t *out, size_t cap, const nghttp2_nv *nv,
		     size_t n)
{
	ssize_t len = nghttp2_hd_deflate_hd(d, out, cap, nv, n);

	assert_true(len > 0);
	return (size_t)len;
}

static const nghttp2_nv response[] = {
	NV(":status", "502"),
	NV("server", "nginx/1.22.1"),
	NV("x-upstream", "10.0.3.18"),
};
static const char response_text[] = ":status=502\nserver=nginx/1.22.1\nx-upstream=10.0.3.18\n";

static void test_blocks_in_order(void **s)
{
	nghttp2_hd_deflater *d;
	struct hpack *h;
	uint8_t b[512];
	struct got g;
	size_t first, second;

	(void)s;
	assert_int_equal(nghttp2_hd_deflate_new(&d, 4096), 0);
	assert_int_equal(hpack_new(&h, true), 0);
	first = encode(d, b, sizeof(b), response, 3);
	assert_int_equal(decode(h, b, first, &g), 0);
	assert_string_equal(g.text, response_text);
	second = encode(d, b, sizeof(b), response, 3); /* from the table now */
	assert_true(second < first / 2);
	assert_int_equal(decode(h, b, second, &g), 0);
	assert_string_equal(g.text, response_text);
	hpack_free(h);
	nghttp2_hd_deflate_del(d);
}

/* What refers to a block before us is not known; what comes anew is, and stays so. */
static void test_begun_before_us(void **s)
{
	static const nghttp2_nv next[] = { NV(":status", "504"), NV("x-upstream", "10.0.3.18"),
					   NV("x-new", "1") };
	nghttp2_hd_deflater *d;
	struct hpack *h;
	uint8_t b[512];
	struct got g;
	size_t n;

	(void)s;
	assert_int_equal(nghttp2_hd_deflate_new(&d, 4096), 0);
	encode(d, b, sizeof(b), response, 3); /* missed */
	assert_int_equal(hpack_new(&h, false), 0);
	n = encode(d, b, sizeof(b), response, 3);
	assert_int_equal(decode(h, b, n, &g), 0);
	assert_string_equal(g.text, "?\n?\n?\n");
	n = encode(d, b, sizeof(b), next, 3);
	assert_int_equal(decode(h, b, n, &g), 0);
	assert_string_equal(g.text, ":status=504\n?\nx-new=1\n");
	n = encode(d, b, sizeof(b), next, 3);
	assert_int_equal(decode(h, b, n, &g), 0);
	assert_string_equal(g.text, ":status=504\n?\nx-new=1\n");
	hpack_free(h);
	nghttp2_hd_deflate_del(d);
}

/* Static entries need no table: how nginx, HAProxy and Go write the statuses of a gateway. */
static void test_a_status_is_a_literal(void **s)
{
	static const uint8_t plain[] = { 0x08, 3, '5', '0', '2' },
			     huffman[] = { 0x48, 0x82, 0x6c, 0x02 }, indexed[] = { 0x8e };
	struct hpack *h;
	struct got g;

	(void)s;
	assert_int_equal(hpack_new(&h, false), 0);
	assert_int_equal(decode(h, plain, sizeof(plain), &g), 0);
	assert_string_equal(g.text, ":status=502\n");
	assert_int_equal(decode(h, huffman, sizeof(huffman), &g), 0);
	assert_string_equal(g.text, ":status=502\n");
	assert_int_equal(decode(h, indexed, sizeof(indexed), &g), 0);
	assert_string_equal(g.text, ":status=500\n");
	hpack_free(h);
}

static void test_larger_table(void **s)
{
	nghttp2_hd_deflater *d;
	struct hpack *h;
	uint8_t b[8192];
	char value[64];
	nghttp2_nv nv;
	struct got g;
	size_t n;

	(void)s;
	assert_int_equal(nghttp2_hd_deflate_new(&d, 65536), 0);
	assert_int_equal(nghttp2_hd_deflate_change_table_size(d, 65536), 0);
	assert_int_equal(hpack_new(&h, true), 0);
	hpack_table_size(h, 65536);
	for (int i = 0; i < 300; i++) {
		snprintf(value, sizeof(value), "value-%d", i);
		nv = (nghttp2_nv)NV("x-number", value);
		n = encode(d, b, sizeof(b), &nv, 1);
		assert_int_equal(decode(h, b, n, &g), 0);
	}
	snprintf(value, sizeof(value), "value-%d", 0); /* far beyond 4096 bytes ago */
	nv = (nghttp2_nv)NV("x-number", value);
	n = encode(d, b, sizeof(b), &nv, 1);
	assert_true(n <= 3);
	assert_int_equal(decode(h, b, n, &g), 0);
	assert_string_equal(g.text, "x-number=value-0\n");
	hpack_free(h);
	nghttp2_hd_deflate_del(d);
}

/* An index beyond a table of the usual size: a larger one is assumed from then on. */
static void test_unknown_larger_table(void **s)
{
	static const uint8_t far[] = { 0xff, 0xf4, 0x02 }, /* index 499 */
		status[] = { 0x48, 3, '5', '0', '4' };
	struct hpack *h;
	struct got g;

	(void)s;
	assert_int_equal(hpack_new(&h, false), 0);
	assert_int_equal(decode(h, far, sizeof(far), &g), -EBADMSG);
	assert_int_equal(decode(h, far, sizeof(far), &g), 0);
	assert_string_equal(g.text, "?\n");
	assert_int_equal(decode(h, status, sizeof(status), &g), 0);
	assert_string_equal(g.text, ":status=504\n");
	hpack_free(h);
}

static void test_nonsense_is_survived(void **s)
{
	static const uint8_t cut[] = { 0x40, 5, 'a' },
			     huge[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
			     size[] = { 0x3f, 0xff, 0xff, 0xff, 0x07 }, status[] = { 0x8e };
	const struct {
		const uint8_t *p;
		size_t n;
	} bad[] = { { cut, sizeof(cut) }, { huge, sizeof(huge) }, { size, sizeof(size) } };
	struct hpack *h;
	struct got g;

	(void)s;
	assert_int_equal(hpack_new(&h, true), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(decode(h, bad[i].p, bad[i].n, &g), -EBADMSG);
		assert_int_equal(decode(h, status, sizeof(status), &g), 0);
		assert_string_equal(g.text, ":status=500\n");
	}
	assert_int_equal(decode(h, status, 0, &g), 0);
	assert_string_equal(g.text, "");
	hpack_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks_in_order),
		cmocka_unit_test(test_begun_before_us),
		cmocka_unit_test(test_a_status_is_a_literal),
		cmocka_unit_test(test_larger_table),
		cmocka_unit_test(test_unknown_larger_table),
		cmocka_unit_test(test_nonsense_is_survived),
	};

	return cmocka_run_group_tests_name("hpack", tests, NULL, NULL);
}
