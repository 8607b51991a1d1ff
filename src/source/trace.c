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
		return refuse(err, -EBADMSG, "%s is not a trace file of why502", path);
	if (h->endian == __builtin_bswap32(TRACE_ENDIAN))
		return refuse(err, -EPROTO,
			      "%s was recorded on a machine of the other byte order; read it there",
			      path);
	if (h->endian != TRACE_ENDIAN)
		return refuse(err, -EBADMSG, "%s is not a trace file of why502", path);
	if (h->abi != W5_ABI_VERSION)
		return refuse(err, -EPROTO,
			      "%s holds records of version %u, this why502 reads version %u; "
			      "read it with the why502 that wrote it",
			      path, h->abi, W5_ABI_VERSION);
	return 0;
}

int trace_read_mem(const char *path, const void *data, size_t len,
		   int (*on_record)(void *self, const struct w5_hdr *rec), void *self,
		   char err[TRACE_ERR_MAX])
{
	/* Records are 8-byte aligned in the file; data need not be. */
	union {
		struct w5_hdr h;
		struct w5_packets biggest;
	} rec;
	size_t pos = sizeof(struct trace_header), n = 0;
	struct trace_header head = { 0 };
	int rc;

	memcpy(&head, data, min_size(len, sizeof(head)));
	rc = check_header(path, &head, len, err);
	for (; !rc && pos < len; n++) {
		size_t avail = len - pos;

		memset(&rec, 0, sizeof(rec));
		memcpy(&rec, (const char *)data + pos, min_size(avail, sizeof(rec)));
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
_Static_assert(sizeof(struct w5_packets) >= sizeof(struct w5_leg), "the biggest record");

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
		return refuse(err, -EBADMSG, "%s is empty, not a trace file of why502", path);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return refuse(err, -errno, "cannot read %s: %m", path);
	rc = trace_read_mem(path, data, (size_t)st.st_size, on_record, self, err);
	munmap(data, (size_t)st.st_size);
	return rc;
}
