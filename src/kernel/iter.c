/* SPDX-License-Identifier: BSD-2-Clause */
/* See iter.h. A read may end inside a record: the rest of it comes with the next one. */
#include "kernel/iter.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

int iter_read(const struct bpf_link *link, size_t record_size,
	      void (*on_record)(void *self, const void *record), void *self)
{
	w5_auto(closep) int fd = bpf_iter_create(bpf_link__fd(link));
	uint64_t buf[2048]; /* aligned as the records are */
	char *const bytes = (char *)buf;
	size_t have = 0, at;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, bytes + have, sizeof(buf) - have)) != 0) {
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		have += (size_t)n;
		for (at = 0; have - at >= record_size; at += record_size)
			on_record(self, bytes + at);
		have -= at;
		memmove(bytes, bytes + at, have);
	}
	return 0;
}
