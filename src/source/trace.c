/* SPDX-License-Identifier: BSD-2-Clause */
/* See trace.h. */
#include "source/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/util.h"
#include "source/record.h"

#define NOT_OURS "%s is neither a trace of why502 (-w) nor a file with a capture (pcap, pcapng)"

#define TRACE_FLUSH_AT (64 << 10)
#define TRACE_MAX      (1 << 20) /* kept back while the disk takes nothing */

struct trace_writer {
	int fd;
	struct buf out;
	uint64_t lost;
};

int trace_writer_new(struct trace_writer **out, const char *path)
{
	const struct trace_header head = {
		.magic = TRACE_MAGIC,
		.abi = W5_ABI_VERSION,
		.endian = TRACE_ENDIAN,
	};
	struct trace_writer *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	buf_init(&w->out, TRACE_MAX);
	w->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (w->fd < 0) {
		err = -errno;
		free(w);
		return err;
	}
	buf_put(&w->out, &head, sizeof(head));
	err = w->out.err ? w->out.err : buf_flush(&w->out, w->fd);
	if (err) {
		trace_writer_close(w);
		return err;
	}
	*out = w;
	return 0;
}

int trace_write(struct trace_writer *w, const struct w5_hdr *rec)
{
	size_t from = w->out.len;

	buf_put(&w->out, rec, rec->size);
	if (w->out.err) { /* whole records only */
		int err = w->out.err;

		buf_cut(&w->out, from);
		w->lost++;
		trace_flush(w);
		return err;
	}
	return w->out.len >= TRACE_FLUSH_AT ? trace_flush(w) : 0;
}

int trace_flush(struct trace_writer *w)
{
	return buf_flush(&w->out, w->fd);
}

uint64_t trace_lost(const struct trace_writer *w)
{
	return w->lost;
}

int trace_writer_close(struct trace_writer *w)
{
	int err;

	if (!w)
		return 0;
	err = trace_flush(w);
	if (close(w->fd) && !err)
		err = -errno;
	buf_fini(&w->out);
	free(w);
	return err;
}

/* ---- reading ---- */

__attribute__((format(printf, 3, 4))) static int refuse(char err[TRACE_ERR_MAX], int code,
							const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, TRACE_ERR_MAX, fmt, ap);
	va_end(ap);
	return code;
}

static int check_header(const char *path, const struct trace_header *h, size_t len, char *err)
{
	if (len < sizeof(*h) || memcmp(h->magic, TRACE_MAGIC, sizeof(h->magic)))
		return refuse(err, -EBADMSG, NOT_OURS, path);
	if (h->endian == __builtin_bswap32(TRACE_ENDIAN))
		return refuse(err, -EPROTO,
			      "%s was recorded on a machine of the other byte order; read it there",
			      path);
	if (h->endian != TRACE_ENDIAN)
		return refuse(err, -EBADMSG, NOT_OURS, path);
	if (h->abi != W5_ABI_VERSION)
		return refuse(err, -EPROTO,
			      "%s holds records of version %u, this why502 reads version %u; "
			      "read it with the why502 that wrote it",
			      path, h->abi, W5_ABI_VERSION);
	return 0;
}

/* Records are 8-byte aligned in the file; what is read need not be. */
union record {
	struct w5_hdr h;
	struct w5_leg leg;
	uint8_t biggest[W5_PACKETS_MAX];
};
_Static_assert(W5_PACKETS_MAX >= sizeof(struct w5_text) + W5_TEXT_MAX, "the biggest record");

/* As much of it as is there; what a cut leg does not hold reads as 0. */
static void record_take(union record *rec, const uint8_t *from, size_t avail)
{
	memset(&rec->leg, 0, sizeof(rec->leg));
	memcpy(&rec->h, from, min_size(avail, sizeof(rec->h)));
	memcpy(rec, from, min_size(min_size(avail, rec->h.size), sizeof(*rec)));
}

int trace_read_mem(const char *path, const void *data, size_t len,
		   int (*on_record)(void *self, const struct w5_hdr *rec), void *self,
		   char err[TRACE_ERR_MAX])
{
	union record rec;
	size_t pos = sizeof(struct trace_header), n = 0;
	struct trace_header head = { 0 };
	int rc;

	memcpy(&head, data, min_size(len, sizeof(head)));
	rc = check_header(path, &head, len, err);
	for (; !rc && pos < len; n++) {
		size_t avail = len - pos;

		record_take(&rec, (const uint8_t *)data + pos, avail);
		if (avail < sizeof(rec.h) || (rec.h.size > avail && record_name(rec.h.type)))
			return refuse(err, -ENODATA,
				      "%s ends inside record %zu: its writer was stopped, or the "
				      "disk was full; everything before that was read",
				      path, n + 1);
		if (record_check(&rec.h, min_size(avail, sizeof(rec))))
			return refuse(err, -EBADMSG,
				      "%s is damaged at byte %zu (record %zu); everything before "
				      "that was read",
				      path, pos, n + 1);
		rc = on_record(self, &rec.h);
		pos += rec.h.size;
	}
	return rc;
}

int trace_read(const char *path, int (*on_record)(void *self, const struct w5_hdr *rec), void *self,
	       char err[TRACE_ERR_MAX])
{
	w5_auto(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *data;
	int rc;

	if (fd < 0 || fstat(fd, &st))
		return refuse(err, -errno, "cannot read %s: %m", path);
	if (!S_ISREG(st.st_mode))
		return refuse(err, -EINVAL, "%s is not a regular file", path);
	if (!st.st_size)
		return refuse(
			err, -EBADMSG,
			"%s is empty: -r reads traces of why502 (-w) and captures (pcap, pcapng)",
			path);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return refuse(err, -errno, "cannot read %s: %m", path);
	rc = trace_read_mem(path, data, (size_t)st.st_size, on_record, self, err);
	munmap(data, (size_t)st.st_size);
	return rc;
}

/* ---- reading while it is written ---- */

#define STREAM_BYTES (256 << 10) /* more than the largest record */

struct trace_stream {
	int fd;
	char *path;
	bool has_header;
	size_t nrecords, len;
	uint8_t buf[STREAM_BYTES];
};
_Static_assert(STREAM_BYTES > UINT16_MAX, "a whole record fits");

bool trace_is_stream(const char *path)
{
	struct stat st;

	return !stat(path, &st) && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

void trace_stream_close(struct trace_stream *s)
{
	if (!s)
		return;
	closep(&s->fd);
	free(s->path);
	free(s);
}

static void stream_closep(struct trace_stream **s)
{
	trace_stream_close(*s);
}

int trace_stream_fd(const struct trace_stream *s)
{
	return s->fd;
}

int trace_stream_open(struct trace_stream **out, const char *path, char err[TRACE_ERR_MAX])
{
	w5_auto(stream_closep) struct trace_stream *s = calloc(1, sizeof(*s));
	int flags;

	if (!s)
		return -ENOMEM;
	s->fd = open(path, O_RDONLY | O_CLOEXEC);
	s->path = strdup(path);
	if (s->fd < 0 || !s->path)
		return refuse(err, -errno, "cannot read %s: %m", path);
	flags = fcntl(s->fd, F_GETFL);
	if (flags < 0 || fcntl(s->fd, F_SETFL, flags | O_NONBLOCK))
		return refuse(err, -errno, "cannot read %s: %m", path);
	*out = take_ptr(s);
	return 0;
}

/* Whole records of the buffer; what is left of it moves to its front. */
static int stream_records(struct trace_stream *s,
			  int (*on_record)(void *self, const struct w5_hdr *rec), void *self,
			  char *err)
{
	union record rec;
	size_t pos = 0;
	int rc = 1;

	while (rc > 0 && s->len - pos >= sizeof(rec.h)) {
		size_t avail = s->len - pos;

		record_take(&rec, s->buf + pos, avail);
		if (rec.h.size > avail && record_name(rec.h.type))
			break;
		if (record_check(&rec.h, min_size(avail, sizeof(rec)))) {
			rc = refuse(err, -EBADMSG, "%s is damaged at record %zu", s->path,
				    s->nrecords + 1);
			break;
		}
		pos += rec.h.size;
		s->nrecords++;
		if (on_record(self, &rec.h))
			break;
	}
	s->len -= pos;
	memmove(s->buf, s->buf + pos, s->len);
	return rc;
}

static int stream_header(struct trace_stream *s, char *err)
{
	struct trace_header head;
	int rc;

	if (s->has_header || s->len < sizeof(head))
		return 0;
	memcpy(&head, s->buf, sizeof(head));
	rc = check_header(s->path, &head, sizeof(head), err);
	if (rc)
		return rc;
	s->has_header = true;
	s->len -= sizeof(head);
	memmove(s->buf, s->buf + sizeof(head), s->len);
	return 0;
}

int trace_stream_read(struct trace_stream *s,
		      int (*on_record)(void *self, const struct w5_hdr *rec), void *self,
		      char err[TRACE_ERR_MAX])
{
	ssize_t n = read(s->fd, s->buf + s->len, sizeof(s->buf) - s->len);
	int rc;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 1;
	if (n < 0)
		return refuse(err, -errno, "cannot read %s: %m", s->path);
	s->len += (size_t)n;
	rc = stream_header(s, err);
	if (!rc && s->has_header)
		rc = stream_records(s, on_record, self, err);
	if (rc < 0 || n)
		return rc < 0 ? rc : 1;
	if (!s->has_header)
		return refuse(err, -EBADMSG, "%s ended before it was a trace of why502", s->path);
	if (s->len)
		return refuse(err, -ENODATA,
			      "%s ends inside record %zu; everything before that was read", s->path,
			      s->nrecords + 1);
	return 0;
}
