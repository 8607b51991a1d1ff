/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "source/record.h"
#include "source/trace.h"
#include "trace_record.h"

/* ---- files ---- */

static char path[] = "/tmp/why502-trace-XXXXXX";

static int setup(void **state)
{
	int fd;

	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	return unlink(path);
}

struct seen {
	uint32_t n;
	uint32_t stop_at; /* 0 = never */
	uint16_t types[64];
};

static int on_record(void *self, const struct w5_hdr *rec)
{
	struct seen *s = self;

	assert_int_equal((uintptr_t)rec % 8, 0);
	assert_int_equal(rec->seq, s->n);
	assert_int_equal(rec->ts_ns, 1000 + s->n);
	assert_int_equal(rec->size, sizes[rec->type]);
	s->types[s->n++ % 64] = rec->type;
	return s->n == s->stop_at ? -ECANCELED : 0;
}

/* n records of all types in turn. */
static void write_trace(uint32_t n)
{
	struct trace_writer *w;

	assert_int_equal(trace_writer_new(&w, path), 0);
	for (uint32_t i = 0; i < n; i++) {
		union record r = sample((uint16_t)(1 + i % (W5_REC_TYPE_MAX - 1)), i);

		assert_int_equal(trace_write(w, &r.h), 0);
	}
	assert_int_equal(trace_lost(w), 0);
	assert_int_equal(trace_writer_close(w), 0);
}

static void patch(off_t at, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY);

	assert_int_equal(pwrite(fd, data, len, at), len);
	close(fd);
}

static void test_what_goes_in_comes_out(void **state)
{
	char err[TRACE_ERR_MAX] = "";
	struct seen s = { 0 };
	struct stat st;

	write_trace(1000);
	assert_int_equal(trace_read(path, on_record, &s, err), 0);
	assert_int_equal(s.n, 1000);
	assert_string_equal(err, "");
	for (int i = 0; i < 27; i++)
		assert_int_equal(s.types[(999 - i) % 64], 1 + (999 - i) % (W5_REC_TYPE_MAX - 1));
	stat(path, &st);
	assert_int_equal(st.st_mode & 077, 0);
}

static void test_reader_may_stop(void **state)
{
	char err[TRACE_ERR_MAX];
	struct seen s = { .stop_at = 7 };

	write_trace(20);
	assert_int_equal(trace_read(path, on_record, &s, err), -ECANCELED);
	assert_int_equal(s.n, 7);
}

/* A writer that was killed: every prefix of the file is readable, as far as it goes. */
static void test_every_prefix_is_readable(void **state)
{
	char err[TRACE_ERR_MAX], sentence[64];
	struct stat st;

	write_trace(9);
	stat(path, &st);
	for (off_t len = st.st_size - 1; len >= 0; len -= 3) {
		size_t at = sizeof(struct trace_header), want = 0;
		struct seen s = { 0 };
		int rc;

		assert_int_equal(truncate(path, len), 0);
		while (want < 9 && at + sizes[want + 1] <= (size_t)len)
			at += sizes[++want];
		rc = trace_read(path, on_record, &s, err);
		if (len < (off_t)sizeof(struct trace_header)) {
			assert_int_equal(rc, -EBADMSG);
		} else if (at == (size_t)len) {
			assert_int_equal(rc, 0);
		} else {
			assert_int_equal(rc, -ENODATA);
			snprintf(sentence, sizeof(sentence), "ends inside record %zu", want + 1);
			assert_non_null(strstr(err, sentence));
		}
		assert_int_equal(s.n, rc == -EBADMSG ? 0 : want);
	}
}

static void test_foreign_files_are_refused_in_one_sentence(void **state)
{
	const uint32_t other_abi = W5_ABI_VERSION + 1, swapped = __builtin_bswap32(TRACE_ENDIAN);
	const uint32_t nonsense = 7;
	char err[TRACE_ERR_MAX];
	struct seen s = { 0 };

	write_trace(3);
	patch(0, "PK", 2);
	assert_int_equal(trace_read(path, on_record, &s, err), -EBADMSG);
	assert_non_null(strstr(err, "is neither a trace of why502"));
	patch(0, TRACE_MAGIC, 2);
	patch(offsetof(struct trace_header, abi), &other_abi, 4);
	assert_int_equal(trace_read(path, on_record, &s, err), -EPROTO);
	assert_non_null(strstr(err, "version 2"));
	patch(offsetof(struct trace_header, endian), &swapped, 4);
	assert_int_equal(trace_read(path, on_record, &s, err), -EPROTO);
	assert_non_null(strstr(err, "byte order"));
	patch(offsetof(struct trace_header, endian), &nonsense, 4);
	assert_int_equal(trace_read(path, on_record, &s, err), -EBADMSG);
	assert_int_equal(trace_read("/nonexistent", on_record, &s, err), -ENOENT);
	assert_non_null(strstr(err, "/nonexistent"));
	assert_int_equal(trace_read("/tmp", on_record, &s, err), -EINVAL);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(trace_read(path, on_record, &s, err), -EBADMSG);
	assert_int_equal(s.n, 0);
}

static void test_damage_is_found_where_it_is(void **state)
{
	const uint16_t type = 999;
	char err[TRACE_ERR_MAX];
	struct seen s = { 0 };
	off_t second = sizeof(struct trace_header) + sizes[1];

	write_trace(3);
	patch(second + (off_t)offsetof(struct w5_hdr, type), &type, 2);
	assert_int_equal(trace_read(path, on_record, &s, err), -EBADMSG);
	assert_non_null(strstr(err, "record 2"));
	assert_int_equal(s.n, 1);
}

/* A file that may not grow stands for a full disk: EFBIG instead of ENOSPC. */
static void test_full_disk_is_counted_and_leaves_a_readable_prefix(void **state)
{
	union record r = sample(W5_REC_PACKETS, 0);
	struct rlimit old, small;
	struct trace_writer *w;
	struct seen s = { 0 };
	char err[TRACE_ERR_MAX];
	int failed = 0, rc;

	assert_int_equal(trace_writer_new(&w, "/dev/full"), -ENOSPC);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = (struct rlimit){ .rlim_cur = 300001, .rlim_max = old.rlim_max };
	assert_int_equal(trace_writer_new(&w, path), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (uint32_t i = 0; i < 2000; i++) {
		r.h.seq = i;
		r.h.ts_ns = 1000 + i;
		failed += trace_write(w, &r.h) != 0;
	}
	assert_true(failed > 0);
	assert_true(trace_lost(w) > 0);
	assert_int_equal(trace_writer_close(w), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &old);
	rc = trace_read(path, on_record, &s, err);
	assert_int_equal(rc, -ENODATA);
	assert_int_equal(s.n, (300001 - sizeof(struct trace_header)) / sizeof(struct w5_packets));
}

/* ---- while it is written ---- */

/* A FIFO in the place of the file, and its writing end. */
static int open_fifo(struct trace_stream **t)
{
	char err[TRACE_ERR_MAX] = "";
	int fd;

	assert_false(trace_is_stream(path));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_true(trace_is_stream(path));
	fd = open(path, O_RDWR | O_CLOEXEC); /* there is a writer: the reader need not wait */
	assert_true(fd >= 0);
	assert_int_equal(trace_stream_open(t, path, err), 0);
	return fd;
}

static void test_a_stream_is_read_however_it_is_cut(void **state)
{
	static const size_t steps[] = { 1, 7, 24, 4096, 60000 };
	char err[TRACE_ERR_MAX] = "";
	static uint8_t all[1 << 20];
	size_t len, pos = 0, step = 0;
	struct seen s = { 0 };
	struct trace_stream *t;
	FILE *f;
	int fd;

	write_trace(300);
	f = fopen(path, "r");
	len = fread(all, 1, sizeof(all), f);
	fclose(f);
	assert_true(len > 0 && len < sizeof(all));
	fd = open_fifo(&t);
	assert_int_equal(trace_stream_read(t, on_record, &s, err), 1); /* nothing yet */
	while (pos < len) {
		size_t n = min_size(steps[step++ % 5], len - pos);

		assert_int_equal(write(fd, all + pos, n), n);
		pos += n;
		assert_int_equal(trace_stream_read(t, on_record, &s, err), 1);
	}
	assert_int_equal(s.n, 300);
	close(fd);
	assert_int_equal(trace_stream_read(t, on_record, &s, err), 0);
	trace_stream_close(t);
}

static void test_a_stream_that_breaks_says_where(void **state)
{
	char err[TRACE_ERR_MAX] = "";
	struct trace_header head;
	struct trace_stream *t;
	struct seen s = { 0 };
	union record r;
	int fd;

	write_trace(1);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, &head, sizeof(head)), sizeof(head));
	close(fd);
	/* cut inside its second record */
	fd = open_fifo(&t);
	assert_int_equal(write(fd, &head, sizeof(head)), sizeof(head));
	for (uint32_t i = 0; i < 2; i++) {
		r = sample(W5_REC_TICK, i);
		assert_true(write(fd, &r, i ? 8 : r.h.size) > 0);
	}
	close(fd);
	assert_int_equal(trace_stream_read(t, on_record, &s, err), 1);
	assert_int_equal(trace_stream_read(t, on_record, &s, err), -ENODATA);
	assert_non_null(strstr(err, "record 2"));
	assert_int_equal(s.n, 1);
	trace_stream_close(t);
	/* not a trace at all, and one with a damaged record */
	assert_int_equal(unlink(path), 0);
	write_trace(1);
	fd = open_fifo(&t);
	assert_int_equal(write(fd, "GET / HTTP/1.1\r\n", 16), 16);
	assert_int_equal(trace_stream_read(t, on_record, &s, err), -EBADMSG);
	close(fd);
	trace_stream_close(t);
	assert_int_equal(unlink(path), 0);
	write_trace(1);
	fd = open_fifo(&t);
	r = sample(W5_REC_TICK, 1);
	r.h.size = 16;
	assert_int_equal(write(fd, &head, sizeof(head)), sizeof(head));
	assert_int_equal(write(fd, &r, sizeof(r.h)), sizeof(r.h));
	assert_int_equal(trace_stream_read(t, on_record, &s, err), -EBADMSG);
	assert_non_null(strstr(err, "damaged"));
	close(fd);
	trace_stream_close(t);
}

/* ---- dumps of other sizes ---- */

static int take_dump(void *self, const struct w5_hdr *rec)
{
	memcpy(self, rec, rec->size);
	return 0;
}

static void test_dumps_of_every_size_are_read_back(void **state)
{
	static const struct {
		uint8_t slots;
		uint16_t bytes;
	} sizes_of[] = { { 1, W5_PKT_BYTES_MIN },
			 { 7, 72 },
			 { 16, 128 },
			 { 32, 256 },
			 { W5_PKT_SLOTS_MAX, W5_PKT_BYTES_MAX } };
	static union {
		struct w5_packets p;
		uint8_t bytes[W5_PACKETS_MAX];
	} in, back;
	const struct trace_header head = { .magic = TRACE_MAGIC,
					   .abi = W5_ABI_VERSION,
					   .endian = TRACE_ENDIAN };
	static uint8_t file[sizeof(head) + W5_PACKETS_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(sizes_of); i++) {
		uint8_t slots = sizes_of[i].slots;
		uint16_t bytes = sizes_of[i].bytes;
		size_t size = W5_PACKETS_SIZE(slots, bytes);
		char err[TRACE_ERR_MAX];

		memset(&in, 0, sizeof(in));
		in.p.h = (struct w5_hdr){ .type = W5_REC_PACKETS, .size = (uint16_t)size };
		in.p.slots = slots;
		in.p.bytes8 = (uint8_t)(bytes / 8);
		assert_int_equal(w5_packets_slots(&in.p), slots);
		assert_int_equal(w5_packets_bytes(&in.p), bytes);
		w5_packets_slot(&in.p, slots - 1u)->cap = bytes;
		memset(w5_packets_slot(&in.p, slots - 1u)->data, 0xab, bytes);
		assert_int_equal(in.bytes[size - 1], 0xab);
		assert_int_equal(record_check(&in.p.h, sizeof(in)), 0);
		memcpy(file, &head, sizeof(head));
		memcpy(file + sizeof(head), &in, size);
		assert_int_equal(
			trace_read_mem("t", file, sizeof(head) + size, take_dump, &back, err), 0);
		assert_memory_equal(&in, &back, size);
		w5_packets_slot(&in.p, slots - 1u)->cap++;
		assert_int_equal(record_check(&in.p.h, sizeof(in)), -EBADMSG);
	}
	in.p.slots = W5_PKT_SLOTS_MAX + 1;
	assert_int_equal(record_check(&in.p.h, sizeof(in)), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define FILE_TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		FILE_TEST(test_what_goes_in_comes_out),
		FILE_TEST(test_reader_may_stop),
		FILE_TEST(test_every_prefix_is_readable),
		FILE_TEST(test_foreign_files_are_refused_in_one_sentence),
		FILE_TEST(test_damage_is_found_where_it_is),
		FILE_TEST(test_a_stream_is_read_however_it_is_cut),
		FILE_TEST(test_a_stream_that_breaks_says_where),
		FILE_TEST(test_full_disk_is_counted_and_leaves_a_readable_prefix),
		cmocka_unit_test(test_dumps_of_every_size_are_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
