/* SPDX-License-Identifier: BSD-2-Clause */
/* Connection and Keep-Alive fields of kept heads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/head.h"

#define OK "HTTP/1.1 200 OK\r\n"

static void put(uint8_t *room, uint16_t *len, const char *text)
{
	*len = (uint16_t)strlen(text);
	memcpy(room, text, *len);
}

static struct keep_alive said(const char *resp)
{
	struct w5_leg l = { 0 };
	struct keep_alive k;

	put(l.resp, &l.resp_len, resp);
	head_keep_alive(&k, &l);
	return k;
}

static void test_timeout_and_max(void **s)
{
	static const struct {
		const char *resp;
		uint32_t timeout_ms, max;
	} cases[] = {
		{ OK "Keep-Alive: timeout=5, max=100\r\n\r\n", 5000, 100 },
		{ OK "Server: x\r\nkeep-alive:max=7 ,\ttimeout=75\r\n\r\n", 75000, 7 },
		{ OK "Keep-Alive: Timeout=5\r\n", 5000, 0 },
		{ OK "Keep-Alive: max=3\r\nKeep-Alive: timeout=2\r\n\r\n", 2000, 3 },
		{ OK "Keep-Alive: timeout=0\r\n\r\n", 0, 0 },
		{ OK "Keep-Alive: timeout=5s\r\n\r\n", 0, 0 },
		{ OK "Keep-Alive: timeout=\r\n\r\n", 0, 0 },
		{ OK "Keep-Alive: timeout=-1\r\n\r\n", 0, 0 },
		{ OK "Keep-Alive: timeout=99999999999999999999\r\n\r\n", 0, 0 },
		{ OK "Keep-Alive: timeout = 5\r\n\r\n", 0, 0 },
		{ OK "Keep-Alive: ,,\r\n\r\n", 0, 0 },
		{ OK "Keep-Alive: timeout=5", 0, 0 },	      /* more digits may follow */
		{ OK "\r\nKeep-Alive: timeout=5\r\n", 0, 0 }, /* a body */
		{ OK "X-Keep-Alive: timeout=5\r\n\r\n", 0, 0 },
		{ "220 mail\r\nKeep-Alive: timeout=5\r\n\r\n", 0, 0 },
		{ "HTTP/1.1 200", 0, 0 },
		{ "", 0, 0 },
	};

	(void)s;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct keep_alive k = said(cases[i].resp);

		print_message("%s\n", cases[i].resp);
		assert_int_equal(k.timeout_ms, cases[i].timeout_ms);
		assert_int_equal(k.max, cases[i].max);
	}
}

static void test_a_length_beyond_the_room(void **s)
{
	struct w5_leg *l = calloc(1, sizeof(*l));
	struct keep_alive k;

	(void)s;
	memset(l->resp, 'a', sizeof(l->resp));
	memcpy(l->resp, "HTTP/1.1 200 OK\r\n", 17);
	l->resp_len = UINT16_MAX;
	l->head_len = UINT16_MAX;
	assert_false(head_keep_alive(&k, l));
	assert_false(head_says_close(l));
	free(l);
}

static bool closes(const char *head, const char *resp)
{
	struct w5_leg l = { 0 };

	put(l.head, &l.head_len, head);
	put(l.resp, &l.resp_len, resp);
	return head_says_close(&l);
}

static void test_who_says_close(void **s)
{
	(void)s;
	assert_true(closes("", OK "Connection: close\r\n\r\n"));
	assert_true(closes("", OK "connection: TE,\tClose\r\n\r\n"));
	assert_true(closes("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", OK "\r\n"));
	assert_false(closes("GET / HTTP/1.1\r\nHost: close\r\n\r\n", OK "\r\n"));
	assert_false(closes("", OK "Connection: keep-alive\r\n\r\nConnection: close\r\n"));
	assert_false(closes("", OK "Connection: closed\r\n\r\n"));
	assert_false(closes("", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timeout_and_max),
		cmocka_unit_test(test_a_length_beyond_the_room),
		cmocka_unit_test(test_who_says_close),
	};

	return cmocka_run_group_tests_name("head_keep", tests, NULL, NULL);
}
