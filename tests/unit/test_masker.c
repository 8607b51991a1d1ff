/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "source/masker.h"
#include "w5_h2.h"

static const uint8_t key[MASK_KEY_BYTES] = "sixteen bytes ok";

static struct masker *make(bool keep_bodies)
{
	struct masker *m = NULL;

	assert_int_equal(masker_new(&m, key, keep_bodies), 0);
	return m;
}

static bool holds(const void *p, size_t len, const char *text)
{
	return memmem(p, len, text, strlen(text)) != NULL;
}

static struct w5_leg leg_of(uint16_t size, const char *head, const char *resp)
{
	struct w5_leg l = { .h = { .type = W5_REC_EXCHANGE, .size = size, .cookie = 7 } };

	l.head_len = (uint16_t)strlen(head);
	l.resp_len = (uint16_t)strlen(resp);
	memcpy(l.head, head, l.head_len);
	memcpy(l.resp, resp, l.resp_len);
	return l;
}

static void test_both_heads_of_a_turn_are_masked_and_bodies_are_not_kept(void **state)
{
	struct masker *m = make(false);
	struct w5_leg l = leg_of(sizeof(l),
				 "POST /l?token=s3cr3t HTTP/1.1\r\nCookie: c00kie\r\n\r\nuser=joe",
				 "HTTP/1.1 502 X\r\nSet-Cookie: c00kie\r\n\r\nsorry joe");
	const struct w5_leg *got = (const void *)masker_record(m, &l.h);

	assert_ptr_not_equal(got, &l);
	assert_int_equal(got->head_len, l.head_len);
	assert_false(holds(got, sizeof(*got), "s3cr3t"));
	assert_false(holds(got, sizeof(*got), "c00kie"));
	assert_false(holds(got, sizeof(*got), "joe"));
	assert_true(holds(got->head, got->head_len, "\r\n\r\n********"));
	assert_true(holds(got->resp, got->resp_len, "HTTP/1.1 502 X\r\nSet-Cookie: *"));
	/* The record itself belongs to the kernel's ring. */
	assert_true(holds(&l, sizeof(l), "s3cr3t"));
	masker_free(m);
}

static void test_what_servers_say_in_a_400_is_evidence(void **state)
{
	static const char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n"
				   "The plain HTTP request was sent to HTTPS port";
	struct masker *m = make(false);
	struct w5_leg l = leg_of(sizeof(l), "GET / HTTP/1.1\r\n\r\n", text);
	const struct w5_leg *got = (const void *)masker_record(m, &l.h);

	assert_memory_equal(got->resp, text, strlen(text));
	masker_free(m);
}

static void test_the_final_response_behind_an_interim_one_is_a_head(void **state)
{
	struct masker *m = make(false);
	struct w5_leg l = leg_of(sizeof(l), "GET / HTTP/1.1\r\n\r\n",
				 "HTTP/1.1 100 Continue\r\n\r\n"
				 "HTTP/1.1 502 X\r\nSet-Cookie: c00kie\r\n\r\nsorry joe");
	const struct w5_leg *got = (const void *)masker_record(m, &l.h);

	assert_true(holds(got->resp, got->resp_len, "\r\n\r\nHTTP/1.1 502 X\r\nSet-Cookie: *"));
	assert_false(holds(got, sizeof(*got), "c00kie"));
	assert_false(holds(got, sizeof(*got), "joe"));
	masker_free(m);
}

static void test_a_record_that_ends_inside_its_head_is_masked_as_far_as_it_goes(void **state)
{
	struct masker *m = make(false);
	struct w5_leg l = leg_of(W5_LEG_BULK, "GET /l?token=s3cr3t HTTP/1.1\r\n", "HTTP/1.1 200");
	const struct w5_leg *got = (const void *)masker_record(m, &l.h);

	assert_false(holds(got->head, W5_HEAD_BULK, "s3cr3t"));
	l.h.size = W5_LEG_BRIEF;
	assert_ptr_equal(masker_record(m, &l.h), &l.h);
	l.h.size = offsetof(struct w5_leg, head) + 8;
	assert_true(holds(masker_record(m, &l.h), l.h.size, "GET /l?t"));
	masker_free(m);
}

static void test_bytes_that_are_no_http_stay(void **state)
{
	struct masker *m = make(false);
	struct w5_leg l = leg_of(sizeof(l), "\x16\x03\x01\x02hello token=x", "SSH-2.0-OpenSSH");
	const struct w5_leg *got = (const void *)masker_record(m, &l.h);

	assert_memory_equal(got->head, l.head, sizeof(l.head));
	assert_memory_equal(got->resp, l.resp, sizeof(l.resp));
	masker_free(m);
}

/* ---- packets ---- */

#define HDRS 40

static struct w5_packets packets_of(size_t n, const char *const *payload, const size_t *len)
{
	struct w5_packets p = { .h = { .type = W5_REC_PACKETS, .size = sizeof(p), .cookie = 7 },
				.total = (uint32_t)n };

	for (size_t i = 0; i < n; i++) {
		struct w5_packet *k = &p.pkt[i];
		size_t room = min_size(len[i], sizeof(k->data) - HDRS);

		k->data[0] = 0x45;
		k->data[3] = (uint8_t)(HDRS + len[i]);
		k->data[8] = 64;
		k->data[9] = 6;
		k->data[32] = 0x50;
		k->data[36] = 0xab; /* a checksum, of no interest to us */
		memcpy(k->data + HDRS, payload[i], room);
		k->cap = (uint16_t)(HDRS + room);
		k->len = (uint32_t)(HDRS + len[i]);
	}
	return p;
}

static struct w5_packets packet_of(const char *payload, size_t len)
{
	return packets_of(1, &payload, &len);
}

static void test_a_packet_is_cut_after_the_head_and_its_length_stays(void **state)
{
	static const char head[] = "POST /l?token=s3cr3t HTTP/1.1\r\nHost: x\r\n\r\n",
			  body[] = "pin=1234";
	char text[128];
	struct masker *m = make(false);
	struct w5_packets p;
	const struct w5_packets *got;

	snprintf(text, sizeof(text), "%s%s", head, body);
	p = packet_of(text, strlen(text));
	got = (const void *)masker_record(m, &p.h);
	assert_int_equal(got->pkt[0].len, HDRS + strlen(text));
	assert_int_equal(got->pkt[0].cap, HDRS + strlen(head));
	assert_memory_equal(got->pkt[0].data, p.pkt[0].data, HDRS); /* checksums too */
	assert_false(holds(got, sizeof(*got), "s3cr3t"));
	assert_false(holds(got, sizeof(*got), "1234"));
	assert_true(holds(got->pkt[0].data, got->pkt[0].cap, "Host: x"));
	masker_free(m);
}

static void test_what_does_not_begin_a_message_is_cut_off(void **state)
{
	static const char *const text[] = { "half a cookie\r\nHost: x\r\n\r\n", "\0\0", "HTTP/1.",
					    "\x16\x03\x03\0\x04moss" };
	static const size_t len[] = { 26, 2, 7, 9 }, want[] = { 0, 0, 0, 9 };
	struct w5_packets p = packets_of(4, text, len);
	struct masker *m = make(false);
	const struct w5_packets *got = (const void *)masker_record(m, &p.h);

	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(got->pkt[i].cap, HDRS + want[i]);
		assert_int_equal(got->pkt[i].len, HDRS + len[i]);
	}
	assert_false(holds(got, sizeof(*got), "cookie"));
	masker_free(m);
}

static void test_longer_slots_are_masked_to_their_end(void **state)
{
	static union {
		struct w5_packets p;
		uint8_t bytes[W5_PACKETS_SIZE(3, 256)];
	} u;
	struct masker *m = make(false);
	struct w5_packets one = packet_of("GET / HTTP/1.1\r\n", 16);
	const struct w5_packets *got;
	struct w5_packet *k;
	char text[216];

	(void)state;
	u.p.h = (struct w5_hdr){ .type = W5_REC_PACKETS, .size = sizeof(u), .cookie = 7 };
	u.p.slots = 3;
	u.p.bytes8 = 256 / 8;
	k = w5_packets_slot(&u.p, 2);
	memcpy(k, &one.pkt[0], W5_PKT_HEAD + HDRS);
	memset(text, 'x', sizeof(text));
	memcpy(text, "GET / HTTP/1.1\r\nX: ", 19);
	memcpy(text + 160, "\r\nCookie: c00kie-c00kie-c00kie", 30);
	memcpy(k->data + HDRS, text, sizeof(text));
	k->data[3] = 0;
	k->data[2] = 1; /* 256 bytes */
	k->cap = 256;
	k->len = 256;
	got = (const void *)masker_record(m, &u.p.h);
	assert_int_equal(w5_packets_slot(got, 2)->cap, 256);
	assert_false(holds(got, sizeof(u), "c00kie"));
	assert_true(holds(got, sizeof(u), "Cookie: *"));
	masker_free(m);
}

static void test_frames_are_kept_up_to_the_first_header_block(void **state)
{
	static const char wire[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
				   "\0\0\0\4\0\0\0\0\0"	      /* SETTINGS */
				   "\0\0\5\1\4\0\0\0\1block"; /* HEADERS */
	struct masker *m = make(false);
	struct w5_packets p = packet_of(wire, sizeof(wire) - 1);
	const struct w5_packets *got = (const void *)masker_record(m, &p.h);

	assert_int_equal(got->pkt[0].cap, HDRS + W5_H2_PREFACE + 2 * W5_H2_HDR);
	assert_false(holds(got, sizeof(*got), "block"));
	masker_free(m);
}

static void test_bodies_stay_when_asked_for_and_heads_are_masked_all_the_same(void **state)
{
	static const char text[] = "POST /l?token=s3cr3t HTTP/1.1\r\nHost: x\r\n\r\npin=1234";
	struct masker *m = make(true);
	struct w5_packets p = packet_of(text, strlen(text));
	const struct w5_packets *got = (const void *)masker_record(m, &p.h);

	assert_int_equal(got->pkt[0].cap, HDRS + strlen(text));
	assert_false(holds(got, sizeof(*got), "s3cr3t"));
	assert_true(holds(got, sizeof(*got), "pin=1234"));
	masker_free(m);
}

static void test_a_hostile_dump_is_taken_as_it_is(void **state)
{
	struct w5_packets p = packet_of("GET / HTTP/1.1\r\n", 16);
	struct masker *m = make(false);

	p.pkt[0].cap = 0xffff;
	masker_record(m, &p.h);
	p.pkt[0].data[0] = 0x4f; /* a header longer than the packet */
	p.pkt[0].cap = 21;
	masker_record(m, &p.h);
	p.pkt[0].len = 0;
	masker_record(m, &p.h);
	masker_free(m);
}

/* ---- the rest ---- */

static void test_texts_and_log_lines_are_masked(void **state)
{
	static const char text[] = "GET /?jwt=s3cr3t HTTP/1.1\r\nCookie: c00kie\r\n\r\n";
	union {
		struct w5_text t;
		uint8_t room[sizeof(struct w5_text) + sizeof(text)];
	} u = { .t = { .h = { .type = W5_REC_TEXT, .cookie = 7, .size = sizeof(u) },
		       .kind = W5_TEXT_HTTP1,
		       .len = sizeof(text) - 1 } };
	struct w5_log log = { .h = { .type = W5_REC_LOG, .size = sizeof(log) },
			      .head_len = sizeof(text) - 1 };
	struct masker *m = make(false);
	const struct w5_hdr *got;

	memcpy(u.t.data, text, sizeof(text) - 1);
	memcpy(log.head, text, sizeof(text) - 1);
	got = masker_record(m, &u.t.h);
	assert_false(holds(got, got->size, "s3cr3t"));
	assert_false(holds(got, got->size, "c00kie"));
	assert_true(holds(got, got->size, "GET /?jwt=*"));
	got = masker_record(m, &log.h);
	assert_false(holds(got, got->size, "s3cr3t"));
	assert_true(holds(got, got->size, "GET /?jwt=*"));
	masker_free(m);
}

/* Its values are masks already: the same ones as in what it was made of. */
static void test_a_trace_that_was_masked_is_left_alone(void **state)
{
	struct w5_session s = { .h = { .type = W5_REC_SESSION, .size = sizeof(s) } };
	struct w5_leg l = leg_of(sizeof(l), "GET /l?token=s3cr3t HTTP/1.1\r\n", "");
	struct masker *m = make(false);
	const struct w5_session *got = (const void *)masker_record(m, &s.h);

	assert_int_equal(got->flags, W5_SESSION_MASKED);
	assert_false(masker_mask(m)->off);
	s.flags = W5_SESSION_MASKED;
	masker_record(m, &s.h);
	assert_true(masker_mask(m)->off);
	assert_ptr_equal(masker_record(m, &l.h), &l.h);
	masker_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_heads_of_a_turn_are_masked_and_bodies_are_not_kept),
		cmocka_unit_test(test_what_servers_say_in_a_400_is_evidence),
		cmocka_unit_test(test_the_final_response_behind_an_interim_one_is_a_head),
		cmocka_unit_test(
			test_a_record_that_ends_inside_its_head_is_masked_as_far_as_it_goes),
		cmocka_unit_test(test_bytes_that_are_no_http_stay),
		cmocka_unit_test(test_a_packet_is_cut_after_the_head_and_its_length_stays),
		cmocka_unit_test(test_what_does_not_begin_a_message_is_cut_off),
		cmocka_unit_test(test_longer_slots_are_masked_to_their_end),
		cmocka_unit_test(test_frames_are_kept_up_to_the_first_header_block),
		cmocka_unit_test(test_bodies_stay_when_asked_for_and_heads_are_masked_all_the_same),
		cmocka_unit_test(test_a_hostile_dump_is_taken_as_it_is),
		cmocka_unit_test(test_texts_and_log_lines_are_masked),
		cmocka_unit_test(test_a_trace_that_was_masked_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
