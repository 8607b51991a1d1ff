/* SPDX-License-Identifier: BSD-2-Clause */
/* A report of findings that a test gives. */
#ifndef TESTS_UNIT_REPORT_BENCH_H
#define TESTS_UNIT_REPORT_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "sample.h"
#include "sink/report.h"

#define SECOND 1000000000ull

struct fixture {
	struct engine *e;
	struct sink s;
	char dir[64], path[96];
	char *text; /* what was written last */
};

static inline void no_finding(void *self, struct finding *f)
{
	(void)self;
	(void)f;
}

static inline int setup(void **state)
{
	static const struct engine_ops ops = { .finding = no_finding };
	struct fixture *x = calloc(1, sizeof(*x));
	struct report_cfg cfg = { .source = NULL };
	struct w5_session session = { .h = { .ts_ns = SAMPLE_TS_NS - 60 * SECOND,
					     .type = W5_REC_SESSION,
					     .size = sizeof(session) },
				      .realtime_ns = SAMPLE_WALL_NS - 60 * SECOND,
				      .abi = W5_ABI_VERSION,
				      .host = "gw-03" };
	struct engine_cfg ecfg;

	engine_cfg_default(&ecfg);
	if (!x || engine_new(&x->e, &ecfg, &ops, NULL) || report_new(&x->s, &cfg))
		return -1;
	engine_feed(x->e, &session.h);
	snprintf(x->dir, sizeof(x->dir), "/tmp/test_report.XXXXXX");
	if (!mkdtemp(x->dir))
		return -1;
	*state = x;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *x = *state;
	static const char *const names[] = { "a.md", "a.html" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(x->path, sizeof(x->path), "%s/%s", x->dir, names[i]);
		unlink(x->path);
	}
	rmdir(x->dir);
	x->s.ops->close(x->s.self, x->e);
	engine_free(x->e);
	free(x->text);
	free(x);
	return 0;
}

static inline const char *written(struct fixture *x, const char *name)
{
	FILE *f;
	long n;

	snprintf(x->path, sizeof(x->path), "%s/%s", x->dir, name);
	assert_int_equal(report_save(&x->s, x->e, x->path), 0);
	f = fopen(x->path, "r");
	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	n = ftell(f);
	rewind(f);
	free(x->text);
	x->text = calloc(1, (size_t)n + 1);
	assert_non_null(x->text);
	assert_int_equal(fread(x->text, 1, (size_t)n, f), n);
	fclose(f);
	return x->text;
}

static inline void add(struct fixture *x, struct finding *f)
{
	assert_int_equal(x->s.ops->finding(x->s.self, f), 0);
	finding_unref(f);
}

static inline void give_agent(struct finding *f, const char *agent)
{
	int n = snprintf((char *)f->down.head, sizeof(f->down.head),
			 "POST / HTTP/1.1\r\nUser-Agent: %s\r\n\r\n", agent);

	f->down.head_len = (uint16_t)n;
}

static inline void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("not in it: %s\n%s", part, text);
}

static inline void has_not(const char *text, const char *part)
{
	const char *at = strstr(text, part);

	if (at)
		fail_msg("in it: %s\n%.200s", part, at > text + 60 ? at - 60 : text);
}

#endif
