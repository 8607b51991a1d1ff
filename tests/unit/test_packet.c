/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/packet.h"

/* 10.0.3.2:41022 -> 10.0.3.18:8080, SYN with MSS 1460 and a NOP, ttl 63, id 0x1234 */
static const uint8_t syn4[] = {
	0x45, 0,    0,	  48,	0x12, 0x34, 0,	  0,	63, 6, 0, 0,	10,   0, 3, 2,
	10,   0,    3,	  18,	0xa0, 0x3e, 0x1f, 0x90, 1,  2, 3, 4,	5,    6, 7, 8,
	0x70, 0x02, 0xfa, 0xf0, 0,    0,    0,	  0,	1,  2, 4, 0x05, 0xb4, 0, 0, 0,
};

static void test_ipv4_syn_gives_every_field(void **state)
{
	struct packet p;

	assert_int_equal(packet_parse(&p, syn4, sizeof(syn4), sizeof(syn4)), 0);
	assert_int_equal(p.ip_version, 4);
	assert_int_equal(p.ttl, 63);
	assert_int_equal(p.ip_id, 0x1234);
	assert_int_equal(p.sport, 41022);
	assert_int_equal(p.dport, 8080);
	assert_int_equal(p.seq, 0x01020304);
	assert_int_equal(p.ack, 0x05060708);
	assert_int_equal(p.win, 0xfaf0);
	assert_int_equal(p.mss, 1460);
	assert_int_equal(p.tcp_flags, W5_TCP_SYN);
	assert_int_equal(p.payload_len, 0);
	assert_int_equal(p.src.ip[15], 2);
	assert_int_equal(p.dst.ip[15], 18);
}

/* A SACK block below the acknowledgment number tells of a duplicate. */
static void test_sacked_bytes(void **state)
{
	uint8_t b[40 + 20] = { 0x45, 0, 0, 60, [9] = 6, [32] = 0xa0, [33] = W5_TCP_ACK };
	struct packet p;

	(void)state;
	b[28 + 2] = 10; /* ack 0x0a00 */
	b[40] = b[41] = 1;
	b[42] = 5;
	b[43] = 18;
	b[44 + 2] = 9; /* 0x0900 - 0x0980 */
	b[48 + 2] = 9;
	b[48 + 3] = 0x80;
	b[52 + 2] = 11; /* 0x0b00 - 0x0b05 */
	b[56 + 2] = 11;
	b[56 + 3] = 5;
	assert_int_equal(packet_parse(&p, b, sizeof(b), sizeof(b)), 0);
	assert_int_equal(p.sacked, 5);
	b[43] = 26; /* longer than the header */
	assert_int_equal(packet_parse(&p, b, sizeof(b), sizeof(b)), 0);
	assert_int_equal(p.sacked, 0);
}

static void test_ipv6_extension_headers_are_walked(void **state)
{
	uint8_t b[40 + 8 + 20 + 3] = { 0x60 };
	struct packet p;

	b[5] = 8 + 20 + 3;
	b[6] = 0; /* hop-by-hop, then TCP */
	b[7] = 57;
	b[8] = 0x20;
	b[40] = 6;
	b[48 + 12] = 0x50;
	b[48 + 13] = W5_TCP_FIN | W5_TCP_ACK;
	memcpy(b + 68, "abc", 3);
	assert_int_equal(packet_parse(&p, b, sizeof(b), sizeof(b)), 0);
	assert_int_equal(p.ip_version, 6);
	assert_int_equal(p.ttl, 57);
	assert_int_equal(p.tcp_off, 48);
	assert_int_equal(p.payload_off, 68);
	assert_int_equal(p.payload_len, 3);
	assert_int_equal(p.payload_cap, 3);
	assert_string_equal(packet_flags_name(p.tcp_flags), "FIN");
	b[6] = 17; /* UDP */
	assert_int_equal(packet_parse(&p, b, sizeof(b), sizeof(b)), -EPROTONOSUPPORT);
}

static void test_payload_length_is_the_wires_not_the_copys(void **state)
{
	uint8_t b[60] = { 0x45, 0, 1, 0x2c, [9] = 6, [32] = 0x50, [33] = W5_TCP_ACK };
	struct packet p;

	assert_int_equal(packet_parse(&p, b, sizeof(b), 300), 0);
	assert_int_equal(p.payload_len, 260);
	assert_int_equal(p.payload_cap, 20);
	b[2] = 0; /* datagram of 44 bytes, the rest is padding */
	b[3] = 44;
	assert_int_equal(packet_parse(&p, b, sizeof(b), sizeof(b)), 0);
	assert_int_equal(p.payload_len, 4);
	assert_int_equal(p.payload_cap, 4);
}

/* Each copy lies at the end of its own allocation: a sanitizer sees one byte too far. */
static void test_every_cut_is_refused_or_parsed_without_reading_on(void **state)
{
	struct packet p;

	for (size_t cap = 0; cap <= sizeof(syn4); cap++) {
		uint8_t *copy = malloc(cap ? cap : 1);
		int err;

		assert_non_null(copy);
		memcpy(copy, syn4, cap);
		err = packet_parse(&p, copy, cap, sizeof(syn4));
		assert_int_equal(err, cap < 36 ? -ENODATA : 0);
		free(copy);
	}
}

static void test_malformed_headers_are_refused(void **state)
{
	uint8_t b[sizeof(syn4)];
	struct packet p;

	memcpy(b, syn4, sizeof(b));
	b[0] = 0x44;
	assert_int_equal(packet_parse(&p, b, sizeof(b), sizeof(b)), -EBADMSG);
	memcpy(b, syn4, sizeof(b));
	b[32] = 0x40;
	assert_int_equal(packet_parse(&p, b, sizeof(b), sizeof(b)), -EBADMSG);
	memcpy(b, syn4, sizeof(b));
	b[7] = 1; /* a later fragment carries no TCP header */
	assert_int_equal(packet_parse(&p, b, sizeof(b), sizeof(b)), -EPROTONOSUPPORT);
	b[0] = 0x95;
	assert_int_equal(packet_parse(&p, b, sizeof(b), sizeof(b)), -EBADMSG);
	memcpy(b, syn4, sizeof(b));
	b[41] = 0; /* an option of length 0 must not loop */
	b[40] = 2;
	assert_int_equal(packet_parse(&p, b, sizeof(b), sizeof(b)), 0);
	assert_int_equal(p.mss, 0);
}

static void test_random_bytes_never_read_outside(void **state)
{
	uint32_t x = 1;

	for (int i = 0; i < 20000; i++) {
		size_t cap = (size_t)(i % 130);
		uint8_t *b = malloc(cap ? cap : 1);
		struct packet p;

		assert_non_null(b);
		for (size_t k = 0; k < cap; k++) {
			x = x * 1664525u + 1013904223u;
			b[k] = (uint8_t)(x >> 24);
		}
		if (cap > 9) { /* most of them past the first gates */
			b[0] = i & 1 ? 0x45 : 0x60;
			b[i & 1 ? 9 : 6] = 6;
		}
		if (!packet_parse(&p, b, cap, cap))
			assert_true(p.payload_off <= cap || p.payload_cap == 0);
		free(b);
	}
}

static void test_sequence_numbers_wrap(void **state)
{
	assert_int_equal(packet_seq_cmp(5, 5), 0);
	assert_int_equal(packet_seq_cmp(0xfffffff0u, 5), -1);
	assert_int_equal(packet_seq_cmp(5, 0xfffffff0u), 1);
}

static void test_flags_are_named_by_what_matters(void **state)
{
	assert_string_equal(packet_flags_name(W5_TCP_RST), "RST");
	assert_string_equal(packet_flags_name(W5_TCP_RST | W5_TCP_ACK), "RST-ACK");
	assert_string_equal(packet_flags_name(W5_TCP_SYN | W5_TCP_ACK), "SYN-ACK");
	assert_string_equal(packet_flags_name(W5_TCP_ACK | W5_TCP_PSH), "ACK");
	assert_string_equal(packet_flags_name(0), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4_syn_gives_every_field),
		cmocka_unit_test(test_sacked_bytes),
		cmocka_unit_test(test_ipv6_extension_headers_are_walked),
		cmocka_unit_test(test_payload_length_is_the_wires_not_the_copys),
		cmocka_unit_test(test_every_cut_is_refused_or_parsed_without_reading_on),
		cmocka_unit_test(test_malformed_headers_are_refused),
		cmocka_unit_test(test_random_bytes_never_read_outside),
		cmocka_unit_test(test_sequence_numbers_wrap),
		cmocka_unit_test(test_flags_are_named_by_what_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
