/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sink/packet_text.h"
#include "sink/pktfilter.h"

/* SYN of 10.0.3.2:41022 to 10.0.3.18:8080 with mss and ws, and no more */
static const struct w5_packet syn = {
	.len = 48,
	.cap = 48,
	.out = 1,
	.data = { 0x45, 0x10, 0,    48,	  0x1c, 0x46, 0x40, 0,	  64, 6, 0,    0,    10, 0, 3, 2,
		  10,	0,    3,    18,	  0xa0, 0x3e, 0x1f, 0x90, 0,  0, 0x13, 0x88, 0,	 0, 0, 0,
		  0x70, 0x02, 0xfa, 0xf0, 0,	0,    0,    0,	  2,  4, 5,    0xb4, 1,	 3, 3, 7 },
};

static void test_a_syn_in_words(void **state)
{
	const struct packet_base base = { .has_own = true, .own = 5000 };
	struct packet p;
	char text[200];

	assert_int_equal(packet_parse(&p, syn.data, syn.cap, syn.len), 0);
	packet_net_text(text, sizeof(text), &syn, &p);
	assert_string_equal(text, "IPv4 10.0.3.2:41022 > 10.0.3.18:8080, ttl 64, id 0x1c46, DF, "
				  "tos 0x10, 48 bytes");
	packet_tcp_text(text, sizeof(text), &p, &base);
	assert_string_equal(text, "TCP SYN, seq 0 (5000), win 64240, payload 0");
	packet_options_text(text, sizeof(text), &syn, &p, &base);
	assert_string_equal(text, "mss 1460, ws 7");
	assert_true(packet_hex_text(text, sizeof(text), &syn, 32));
	assert_string_equal(
		text, "0020  70 02 fa f0 00 00 00 00  02 04 05 b4 01 03 03 07  p...............");
	assert_false(packet_hex_text(text, sizeof(text), &syn, 48));
}

static void test_a_record_that_lies_about_its_size(void **state)
{
	struct w5_packet pkt = syn;
	char text[200];

	pkt.cap = 0xffff;
	assert_int_equal(packet_kept(&pkt), 48);
	pkt.len = 0xffffffff;
	assert_int_equal(packet_kept(&pkt), sizeof(pkt.data));
	assert_false(packet_hex_text(text, sizeof(text), &pkt, sizeof(pkt.data)));
	assert_true(packet_hex_text(text, sizeof(text), &pkt, sizeof(pkt.data) - 1));
	pkt.cap = 0;
	assert_false(packet_hex_text(text, sizeof(text), &pkt, 0));
}

static const struct {
	const char *expr;
	bool want;
} matches[] = {
	{ "", true },
	{ "  ", true },
	{ "tcp", true },
	{ "udp", false },
	{ "host 10.0.3.18", true },
	{ "src host 10.0.3.18", false },
	{ "dst port 8080 and src net 10.0.3.0/24", true },
	{ "tcp[tcpflags] & tcp-syn != 0", true },
	{ "tcp[tcpflags] & (tcp-rst|tcp-fin) != 0", false },
	{ "tcp[13:1] == 2", true },
	{ "len > 100", false },
	{ "greater 40 and not port 80", true },
	{ "ip6 or ip[8] == 64", true },
	{ "host 2001:db8::1", false },
	{ "host fe80::1", false },
	{ "portrange 8000-9000", true },
};

static void test_packet_filters(void **state)
{
	for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
		char why[PKTFILTER_WHY_MAX] = "";
		struct pktfilter *flt = NULL;
		size_t at;

		if (pktfilter_new(&flt, matches[i].expr, why, &at))
			fail_msg("%s: %s", matches[i].expr, why);
		if (pktfilter_match(flt, &syn) != matches[i].want)
			fail_msg("%s: not %d", matches[i].expr, matches[i].want);
		pktfilter_free(flt);
	}
	assert_true(pktfilter_match(NULL, &syn));
}

/* Names would be asked for at a server, while everything else stands still. */
static void test_names_and_nonsense_are_refused(void **state)
{
	static const struct {
		const char *expr;
		size_t at;
	} bad[] = {
		{ "host backend.example", 5 },
		{ "port http", 5 },
		{ "nonsense", 0 },
		{ "host", 4 },
		{ "tcp and (port 80", 16 },
		{ "ether host 1:2:3:4:5:6", 0 },
		{ "net beef", 4 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char why[PKTFILTER_WHY_MAX] = "";
		struct pktfilter *flt = NULL;
		size_t at = 99;

		assert_int_equal(pktfilter_new(&flt, bad[i].expr, why, &at), -EINVAL);
		assert_null(flt);
		assert_true(why[0]);
		if (at != bad[i].at)
			fail_msg("%s: at %zu: %s", bad[i].expr, at, why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_syn_in_words),
		cmocka_unit_test(test_a_record_that_lies_about_its_size),
		cmocka_unit_test(test_packet_filters),
		cmocka_unit_test(test_names_and_nonsense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
