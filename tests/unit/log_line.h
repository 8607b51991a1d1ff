/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of a log, read by a format. */
#ifndef TESTS_UNIT_LOG_LINE_H
#define TESTS_UNIT_LOG_LINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/logfmt.h"

#define WALL_S 1795349181ull /* 2026-11-22T12:06:21Z */
#define NS_S   1000000000ull
#define OFFSET (1000000000ull * NS_S)

/* Half a second after the line's stamp. */
static const struct log_clock clock_now = { .now_ns = WALL_S * NS_S + NS_S / 2 - OFFSET,
					    .wall_offset_ns = OFFSET };

static inline uint64_t mono(double after_s)
{
	return WALL_S * NS_S - OFFSET + (uint64_t)(int64_t)(after_s * 1e9);
}

static inline struct logfmt *compile(enum w5_log_kind kind, const char *text)
{
	char err[LOGFMT_ERR_MAX] = "";
	struct logfmt *f;

	if (logfmt_new(&f, kind, text, err))
		fail_msg("%s: %s", text, err);
	return f;
}

static inline struct logfmt *named(const char *word)
{
	struct logfmt *f;

	assert_int_equal(logfmt_named(&f, word), 0);
	return f;
}

/* Reads one line and lets go of the format. In memory of exactly its size, for the sanitizer. */
static inline int read_line(struct logfmt *f, const char *line, struct w5_log *out)
{
	size_t len = strlen(line);
	char *exact = malloc(len ? len : 1);
	int rc;

	memcpy(exact, line, len);
	rc = logfmt_read(f, exact, len, &clock_now, out);
	free(exact);
	logfmt_free(f);
	return rc;
}

static inline void assert_head(const struct w5_log *l, const char *want)
{
	char head[W5_HEAD_REQ + 1] = "";

	memcpy(head, l->head, l->head_len);
	assert_string_equal(head, want);
}

static inline void assert_ip4(const struct w5_addr *a, const char *want)
{
	char text[16];

	snprintf(text, sizeof(text), "%u.%u.%u.%u", a->ip[12], a->ip[13], a->ip[14], a->ip[15]);
	assert_string_equal(text, want);
	assert_int_equal(a->ip[10], 0xff);
}

#define HAP_LINE                                                                                      \
	"10.0.1.2:33317 [22/Nov/2026:12:06:21.155] http-in~ static/srv1 10/0/30/69/109 502 2750 - - " \
	"SH-- 1/1/1/1/0 0/0 %s\"GET /index.html HTTP/1.1\""

#endif
