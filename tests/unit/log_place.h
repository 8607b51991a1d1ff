/* SPDX-License-Identifier: BSD-2-Clause */
/* A folder for the logs of a test. */
#ifndef TESTS_UNIT_LOG_PLACE_H
#define TESTS_UNIT_LOG_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/logfile.h"
#include "source/logs.h"

#define S (1000ull * 1000 * 1000)

struct place {
	char dir[128], log[160], other[160];
	struct logfile *f;
	uint64_t now;
	char got[4096]; /* lines, with '|' behind each */
	size_t longest;
};

static inline struct place *place_new(void)
{
	const char *tmp = getenv("TMPDIR");
	struct place *p = calloc(1, sizeof(*p));

	snprintf(p->dir, sizeof(p->dir), "%s/why502-logs.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->log, sizeof(p->log), "%s/access.log", p->dir);
	snprintf(p->other, sizeof(p->other), "%s/access.log.1", p->dir);
	p->now = 100 * S;
	return p;
}

static inline void place_free(struct place *p)
{
	logfile_close(p->f);
	unlink(p->log);
	unlink(p->other);
	rmdir(p->dir);
	free(p);
}

static inline void append(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

struct seen {
	struct place *p;
	struct logs *l;
	struct w5_log rec[16];
	size_t n, begins; /* begins: the first record, if it tells nothing but that */
	char said[2048];
};

static inline void on_record(void *self, const struct w5_hdr *h)
{
	struct seen *s = self;

	assert_int_equal(h->type, W5_REC_LOG);
	assert_int_equal(h->size, sizeof(struct w5_log));
	if (!((const struct w5_log *)h)->kind && !((const struct w5_log *)h)->skipped) {
		assert_int_equal(s->n + s->begins, 0);
		s->begins++;
		return;
	}
	assert_true(s->n < 16);
	memcpy(&s->rec[s->n++], h, sizeof(struct w5_log));
}

static inline void on_say(void *self, bool is_warning, const char *text)
{
	struct seen *s = self;
	size_t have = strlen(s->said);

	snprintf(s->said + have, sizeof(s->said) - have, "%s%s\n", is_warning ? "!" : "", text);
}

static inline void seen_open(struct seen *s, const char *format)
{
	static const struct logs_ops ops = { .record = on_record, .say = on_say };
	char err[LOGS_ERR_MAX] = "";

	memset(s, 0, sizeof(*s));
	s->p = place_new();
	append(s->p->log, "");
	assert_int_equal(logs_new(&s->l, &ops, s), 0);
	if (logs_add(s->l, s->p->log, format, err))
		fail_msg("%s", err);
}

static inline void seen_close(struct seen *s)
{
	logs_free(s->l);
	place_free(s->p);
}

static inline void seen_poll(struct seen *s)
{
	struct log_clock c = { .now_ns = s->p->now += 3 * S, .wall_offset_ns = 1795349000 * S };

	logs_poll(s->l, &c);
}

#endif
