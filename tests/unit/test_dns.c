/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS messages: what is read of them, and hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../lib/rec_dns.h"
#include "base/dns.h"

/* From the heap, just long enough: a read beyond it is seen. */
static bool parse(struct dns_message *m, const struct message *w, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	bool ok;

	assert_non_null(copy);
	memcpy(copy, w->b, len);
	ok = dns_parse(m, copy, len);
	free(copy);
	return ok;
}

static void test_question_and_answer(void **s)
{
	struct message w = message_ask(0x1234, "Backend.LAB", DNS_TYPE_AAAA);
	struct dns_message m;

	assert_true(parse(&m, &w, w.len));
	assert_int_equal(m.id, 0x1234);
	assert_int_equal(m.qtype, DNS_TYPE_AAAA);
	assert_false(m.is_answer);
	assert_string_equal(m.name, "backend.lab");

	w = message_answer(7, "a.b", DNS_TYPE_A, 0);
	message_a(&w, 17, 300);
	message_a(&w, 18, 60);
	assert_true(parse(&m, &w, w.len));
	assert_true(m.is_answer && m.whole && !m.is_cut);
	assert_int_equal(m.naddrs, 2);
	assert_int_equal(m.addrs[1].ip[15], 18);
	assert_int_equal(m.addrs[1].ip[10], 0xff);
	assert_int_equal(m.ttl_s, 60);
}

static void test_alias_before_the_address(void **s)
{
	struct message w = message_answer(7, "www.lab", DNS_TYPE_A, 0);
	struct dns_message m;

	message_put(&w, "\xc0\x0c\0\x05\0\x01\0\0\0\x05\0\x04\x01x\xc0\x10", 16);
	w.b[7]++;
	message_a(&w, 9, 5);
	assert_true(parse(&m, &w, w.len));
	assert_int_equal(m.naddrs, 1);
	assert_string_equal(m.name, "www.lab");
}

static void test_errors_in_words(void **s)
{
	struct message w = message_answer(7, "x.lab", DNS_TYPE_A, 3);
	struct dns_message m;
	char text[32];

	assert_true(parse(&m, &w, w.len));
	assert_int_equal(m.rcode, 3);
	assert_string_equal(dns_rcode_text(text, m.rcode), "NXDOMAIN (no such name)");
	assert_string_equal(dns_rcode_text(text, 2), "SERVFAIL (server failure)");
	assert_string_equal(dns_rcode_text(text, 11), "rcode 11");
	w.b[2] |= 2;
	assert_true(parse(&m, &w, w.len) && m.is_cut);
	/* an error that repeats no question */
	w = (struct message){ .len = 12, .b = { 0, 7, 0x80, 1 } };
	assert_true(parse(&m, &w, w.len));
	assert_int_equal(m.rcode, 1);
	assert_string_equal(m.name, "");
}

/* Bytes of the wire never come out as they are. */
static void test_names_are_printable(void **s)
{
	struct message w = { .len = 0 };
	struct dns_message m;

	message_put(&w, "\0\x01\x01\0\0\x01\0\0\0\0\0\0", 12);
	message_put(&w, "\x04\x1b[\".\x03lab\0\0\x01\0\x01", 14);
	assert_true(parse(&m, &w, w.len));
	assert_string_equal(m.name, "\\027\\091\\034\\046.lab");
}

static void test_every_cut_is_harmless(void **s)
{
	struct message w = message_answer(7, "a.long.name.example", DNS_TYPE_A, 0);
	struct dns_message m;

	message_a(&w, 1, 9);
	message_a(&w, 2, 9);
	for (size_t n = 0; n < w.len; n++) {
		if (parse(&m, &w, n))
			assert_false(m.whole);
	}
	/* cut behind the first address: that one counts */
	assert_true(parse(&m, &w, w.len - 3));
	assert_int_equal(m.naddrs, 1);
}

static void test_compression_cannot_loop(void **s)
{
	/* its own start, itself, behind it, beyond the end */
	static const uint8_t to[] = { 12, 14, 16, 0xff };
	struct dns_message m;

	for (size_t i = 0; i < sizeof(to); i++) {
		struct message w = { .len = 0 };

		message_put(&w, "\0\x01\x01\0\0\x01\0\0\0\0\0\0", 12);
		message_put(&w, (uint8_t[]){ 1, 'a', 0xc0, to[i], 0, 1, 0, 1 }, 8);
		assert_false(parse(&m, &w, w.len));
	}
	/* an answer whose name points at itself tells no address */
	struct message w = message_answer(7, "x", DNS_TYPE_A, 0);
	size_t at = w.len;

	message_a(&w, 1, 9);
	w.b[at + 1] = (uint8_t)at;
	assert_true(parse(&m, &w, w.len));
	assert_int_equal(m.naddrs, 0);
	assert_false(m.whole);
}

static void test_what_is_asked_reads_back(void **s)
{
	struct message w;
	struct dns_message m;
	char longest[260];

	w.len = dns_ask(w.b, sizeof(w.b), 0x4321, "Backend.lab.", DNS_TYPE_AAAA);
	assert_true(w.len && parse(&m, &w, w.len));
	assert_string_equal(m.name, "backend.lab");
	assert_int_equal(m.id, 0x4321);
	assert_int_equal(m.qtype, DNS_TYPE_AAAA);
	assert_int_equal(dns_ask(w.b, sizeof(w.b), 1, "", DNS_TYPE_A), 0);
	assert_int_equal(dns_ask(w.b, sizeof(w.b), 1, "a..b", DNS_TYPE_A), 0);
	assert_int_equal(dns_ask(w.b, 20, 1, "backend.lab", DNS_TYPE_A), 0);
	memset(longest, 'a', sizeof(longest));
	longest[64] = '\0';
	assert_int_equal(dns_ask(w.b, sizeof(w.b), 1, longest, DNS_TYPE_A), 0);
}

static void test_what_is_no_question_for_an_address(void **s)
{
	struct message w = message_ask(7, "x.lab", 15 /* MX */);
	struct dns_message m;

	assert_false(parse(&m, &w, w.len));
	w = message_ask(7, "x.lab", DNS_TYPE_A);
	w.b[5] = 2; /* two questions */
	assert_false(parse(&m, &w, w.len));
	w.b[5] = 1;
	w.b[2] = 0x28; /* an update */
	assert_false(parse(&m, &w, w.len));
	assert_false(parse(&m, &w, 11));
}

/* 255 bytes on the wire can be four times as long as text: refused, not cut. */
static void test_too_long_as_text(void **s)
{
	struct message w = { .len = 0 };
	struct dns_message m;

	message_put(&w, "\0\x01\x01\0\0\x01\0\0\0\0\0\0", 12);
	for (int i = 0; i < 3; i++) {
		w.b[w.len++] = 63;
		memset(w.b + w.len, 1, 63);
		w.len += 63;
	}
	message_put(&w, "\0\0\x01\0\x01", 5);
	assert_false(parse(&m, &w, w.len));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_question_and_answer),
		cmocka_unit_test(test_alias_before_the_address),
		cmocka_unit_test(test_errors_in_words),
		cmocka_unit_test(test_names_are_printable),
		cmocka_unit_test(test_every_cut_is_harmless),
		cmocka_unit_test(test_compression_cannot_loop),
		cmocka_unit_test(test_what_is_asked_reads_back),
		cmocka_unit_test(test_what_is_no_question_for_an_address),
		cmocka_unit_test(test_too_long_as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
