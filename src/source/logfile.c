/* SPDX-License-Identifier: BSD-2-Clause */
/* See logfile.h. */
#include "source/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

#define LOOK_NS	   (200 * NS_PER_MS)  /* how often the name is looked up */
#define DRAIN_NS   (5000 * NS_PER_MS) /* workers write on to a renamed file until they reopen */
#define ROUNDS_MAX 64		      /* reads of LOGFILE_LINE_MAX per call and file */

/* One open file and the begin of the line that is not whole yet. */
struct stream {
	int fd;
	dev_t dev;
	ino_t ino;
	uint64_t off;
	uint64_t last_ns; /* when it had something new */
	size_t have;
	bool skipping; /* inside a line that is too long */
	char *buf;     /* LOGFILE_LINE_MAX */
};

struct logfile {
	char *path;
	struct stream now, old; /* fd -1: none */
	uint64_t looked_ns, skipped;
	bool has_looked;
};

static void stream_close(struct stream *s)
{
	closep(&s->fd);
	freep(&s->buf);
	*s = (struct stream){ .fd = -1 };
}

/* O_NONBLOCK: a FIFO must not hold us up until somebody writes. */
static int stream_open(struct stream *s, const char *path, bool at_end)
{
	struct stat st;

	*s = (struct stream){ .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) };
	if (s->fd < 0)
		return -errno;
	if (fstat(s->fd, &st) || !S_ISREG(st.st_mode)) {
		stream_close(s);
		return -EINVAL;
	}
	s->buf = malloc(LOGFILE_LINE_MAX);
	if (!s->buf) {
		stream_close(s);
		return -ENOMEM;
	}
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	s->off = at_end ? (uint64_t)st.st_size : 0;
	return 0;
}

/* The first line may have begun before us: its rest is no whole line. */
static void skip_begun(struct stream *s)
{
	char last;

	if (s->off && pread(s->fd, &last, 1, (off_t)s->off - 1) == 1 && last != '\n')
		s->skipping = true;
}

int logfile_open(struct logfile **out, const char *path)
{
	struct logfile *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	f->now.fd = f->old.fd = -1;
	f->path = strdup(path);
	err = f->path ? stream_open(&f->now, path, true) : -ENOMEM;
	if (err && err != -ENOENT) {
		logfile_close(f);
		return err;
	}
	if (!err)
		skip_begun(&f->now);
	*out = f;
	return 0;
}

void logfile_close(struct logfile *f)
{
	if (!f)
		return;
	stream_close(&f->now);
	stream_close(&f->old);
	free(f->path);
	free(f);
}

/* Whole lines out of the buffer; what is left moves to its front. */
static void hand_out(struct logfile *f, struct stream *s,
		     void (*on_line)(void *self, const char *line, size_t len), void *self)
{
	size_t from = 0;
	const char *nl;

	while ((nl = memchr(s->buf + from, '\n', s->have - from))) {
		size_t len = (size_t)(nl - s->buf) - from;

		if (!s->skipping) {
			bool cr = len && nl[-1] == '\r';

			on_line(self, s->buf + from, len - cr);
		}
		s->skipping = false;
		from += len + 1;
	}
	if (!from && s->have == LOGFILE_LINE_MAX) {
		f->skipped += !s->skipping;
		s->skipping = true;
		from = s->have;
	}
	if (s->skipping)
		from = s->have;
	s->have -= from;
	memmove(s->buf, s->buf + from, s->have);
}

/* copytruncate: what is there now was written after. */
static void check_truncated(struct stream *s)
{
	struct stat st;

	if (fstat(s->fd, &st) || (uint64_t)st.st_size >= s->off)
		return;
	s->off = 0;
	s->have = 0;
	s->skipping = false;
}

/* false: not at its end yet. */
static bool drain(struct logfile *f, struct stream *s, uint64_t now_ns,
		  void (*on_line)(void *self, const char *line, size_t len), void *self)
{
	check_truncated(s);
	for (int i = 0; i < ROUNDS_MAX; i++) {
		ssize_t n =
			pread(s->fd, s->buf + s->have, LOGFILE_LINE_MAX - s->have, (off_t)s->off);

		if (n <= 0)
			return true;
		s->off += (uint64_t)n;
		s->have += (size_t)n;
		s->last_ns = now_ns;
		hand_out(f, s, on_line, self);
	}
	return false;
}

/* Is the file of this name another one than the one that is read? */
static int look(struct logfile *f, uint64_t now_ns)
{
	struct stream next;
	struct stat st;
	int err;

	f->has_looked = true;
	f->looked_ns = now_ns;
	if (stat(f->path, &st))
		return -errno;
	if (f->now.fd >= 0 && st.st_dev == f->now.dev && st.st_ino == f->now.ino)
		return 0;
	err = stream_open(&next, f->path, false);
	if (err)
		return err;
	/* Two rotations within the drain: the older file has had its time. */
	stream_close(&f->old);
	f->old = f->now;
	f->now = next;
	f->old.last_ns = now_ns;
	return 0;
}

int logfile_poll(struct logfile *f, uint64_t now_ns,
		 void (*on_line)(void *self, const char *line, size_t len), void *self)
{
	bool at_end = true;
	int err = 0;

	if (f->old.fd >= 0) {
		at_end = drain(f, &f->old, now_ns, on_line, self);
		if (at_end && now_ns - f->old.last_ns >= DRAIN_NS)
			stream_close(&f->old);
	}
	if (f->now.fd >= 0 && at_end)
		at_end = drain(f, &f->now, now_ns, on_line, self);
	if (!at_end || (f->has_looked && now_ns - f->looked_ns < LOOK_NS))
		return 0;
	err = look(f, now_ns);
	/* A new file: what came to the old one in between is older. */
	if (!err && f->now.fd >= 0 && !f->now.off &&
	    (f->old.fd < 0 || drain(f, &f->old, now_ns, on_line, self)))
		drain(f, &f->now, now_ns, on_line, self);
	return err;
}

uint64_t logfile_skipped(const struct logfile *f)
{
	return f->skipped;
}

const char *logfile_path(const struct logfile *f)
{
	return f->path;
}

bool logfile_id(const struct logfile *f, dev_t *dev, ino_t *ino)
{
	*dev = f->now.dev;
	*ino = f->now.ino;
	return f->now.fd >= 0;
}
