/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of access logs, and format strings. Input: a byte that chooses a well known format or
 * one of three languages, then lines; the first one is the format string where a language was
 * chosen. What is read goes through the record gate into an engine that has seen attempts.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "source/logfmt.h"
#include "source/record.h"

#define NS_S 1000000000ull

#define expect(c)                \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

static void on_finding(void *self, struct finding *f)
{
	uint64_t *n = self;

	expect(!f->lost || f->confidence != CONFIDENCE_CERTAIN);
	expect(f->sight == SIGHT_LOG || f->sight == SIGHT_WIRE ||
	       f->sight == (SIGHT_WIRE | SIGHT_LOG));
	for (size_t i = 0; i < f->nevidence; i++) {
		for (const char *c = f->evidence[i]; *c; c++)
			expect(*c >= 0x20 && *c < 0x7f);
	}
	++*n;
}

static const char *const words[] = { "nginx",	"combined", "apache",
				     "haproxy", "caddy",    "vhost_combined" };

static struct logfmt *format_of(uint8_t choice, const char *text)
{
	size_t n = sizeof(words) / sizeof(words[0]);
	char err[LOGFMT_ERR_MAX] = "";
	struct logfmt *f = NULL;

	if (choice % (n + 3) < n) {
		expect(!logfmt_named(&f, words[choice % (n + 3)]));
		return f;
	}
	logfmt_kind_of(text);
	if (logfmt_new(&f, W5_LOG_NGINX + (enum w5_log_kind)(choice % (n + 3) - n), text, err)) {
		expect(*err);
		return NULL;
	}
	return f;
}

/* A refused connect and a request that was reset, just before the lines' time. */
static void feed_attempts(struct engine *e, uint64_t now)
{
	struct w5_leg l = { .h = { .ts_ns = now, .type = W5_REC_ATTEMPT, .size = sizeof(l) },
			    .role = W5_ROLE_UPSTREAM,
			    .remote = { .ip = { [10] = 0xff, [11] = 0xff, 10, 0, 3, 17 } },
			    .rport = 8080,
			    .open_ns = now - NS_S / 10,
			    .end_ns = now,
			    .end = W5_END_CONNECT,
			    .err = 111 };

	for (uint64_t i = 1; i < 4; i++) {
		l.h.cookie = i;
		engine_feed(e, &l.h);
		l.phase = W5_PHASE_REQUEST;
		l.end = W5_END_RST_IN;
		l.req_ns = l.open_ns + 1000;
		memcpy(l.head, "GET /a HTTP/1.1\r\n", l.head_len = 17);
	}
}

static void read_lines(struct engine *e, const struct logfmt *f, const char *p, const char *end)
{
	const struct log_clock clock = { .now_ns = 5000 * NS_S,
					 .wall_offset_ns = 1795344181ull * NS_S };
	struct w5_log rec;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((nl ? nl : end) - p);
		char *exact = malloc(len ? len : 1);
		int rc;

		expect(exact);
		memcpy(exact, p, len);
		rc = logfmt_read(f, exact, len, &clock, &rec);
		free(exact);
		expect(!rc || rc == -EBADMSG || rc == -ENOMSG);
		if (!rc) {
			expect(!record_check(&rec.h, sizeof(rec)));
			engine_feed(e, &rec.h);
		}
		p += len + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct engine_ops ops = { .finding = on_finding };
	struct w5_hdr tick = { .ts_ns = 4900 * NS_S, .type = W5_REC_TICK, .size = sizeof(tick) };
	char *text = calloc(1, size + 1);
	struct engine_cfg cfg;
	struct engine *e;
	struct logfmt *f;
	uint64_t found = 0;
	size_t first;

	expect(text);
	if (size)
		memcpy(text, data + 1, size - 1);
	engine_cfg_default(&cfg);
	expect(!engine_new(&e, &cfg, &ops, &found));
	engine_feed(e, &tick);
	feed_attempts(e, 4999 * NS_S);
	first = strcspn(text, "\n");
	if (size && data[0] % 9 >= 6)
		text[first] = '\0';
	else
		first = 0;
	f = format_of(size ? data[0] : 0, text);
	if (f)
		read_lines(e, f, text + first, text + (size ? size - 1 : 0));
	if (size)
		logfmt_free(logfmt_guess(text, size - 1));
	engine_finish(e);
	expect(engine_counters(e)->findings == found);
	expect(!engine_counters(e)->bad_records);
	logfmt_free(f);
	engine_free(e);
	free(text);
	return 0;
}
