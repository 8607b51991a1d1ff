/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trace files: the record stream exactly as it came, behind a 16-byte header. What a
 * killed or full-disk writer leaves behind is a readable prefix. Files are native
 * byte order and of one ABI version; the reader says so when they are not.
 */
#ifndef SOURCE_TRACE_H
#define SOURCE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "w5_abi.h"

#define TRACE_MAGIC  "W5TRACE"
#define TRACE_ENDIAN 0x01020304

struct trace_header {
	char magic[8]; /* TRACE_MAGIC and a NUL */
	uint32_t abi;  /* W5_ABI_VERSION */
	uint32_t endian;
};

struct trace_writer;

/* Creates or truncates path, mode 0600. */
int trace_writer_new(struct trace_writer **out, const char *path);
/* Buffers; writes when enough has gathered. 0 or -errno: then this record, and those
 * still buffered, may be missing; whole records that fit later are still written. */
int trace_write(struct trace_writer *w, const struct w5_hdr *rec);
int trace_flush(struct trace_writer *w);
uint64_t trace_lost(const struct trace_writer *w); /* records that could not be written */
/* Flushes; -errno of that. NULL is fine. Frees in any case. */
int trace_writer_close(struct trace_writer *w);

#define TRACE_ERR_MAX 256

/*
 * Hands every record to on_record, in file order; rec is 8-byte aligned and borrowed.
 * A value other than 0 from on_record ends the reading and is returned.
 * 0, or -errno with one sentence in err that names path:
 * -ENOENT etc.; -EBADMSG not a trace, or a bad record; -EPROTO other version or byte
 * order; -ENODATA the last record is cut (all before it were handed out).
 */
int trace_read(const char *path, int (*on_record)(void *self, const struct w5_hdr *rec), void *self,
	       char err[TRACE_ERR_MAX]);

/* The same from memory; for tests and the fuzzer. path is only for the sentence. */
int trace_read_mem(const char *path, const void *data, size_t len,
		   int (*on_record)(void *self, const struct w5_hdr *rec), void *self,
		   char err[TRACE_ERR_MAX]);

/*
 * A trace that is being written while it is read, out of a FIFO or pipe:
 * why502 -r <(ssh gw-03 'why502 -w /dev/fd/3 3>&1 >/dev/null'). For an event loop: nothing
 * here waits but the opening, for the writer of a FIFO.
 */
struct trace_stream;

bool trace_is_stream(const char *path);
int trace_stream_open(struct trace_stream **out, const char *path, char err[TRACE_ERR_MAX]);
void trace_stream_close(struct trace_stream *s); /* NULL is fine */
int trace_stream_fd(const struct trace_stream *s);
/* Hands out what has come since, some hundred records at most. 1: more may come, 0: that was
 * all; else as trace_read(). A value other than 0 from on_record ends the call and is dropped. */
int trace_stream_read(struct trace_stream *s,
		      int (*on_record)(void *self, const struct w5_hdr *rec), void *self,
		      char err[TRACE_ERR_MAX]);

#endif
