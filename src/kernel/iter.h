/* SPDX-License-Identifier: BSD-2-Clause */
/* What an eBPF iterator writes: records of one size. */
#ifndef KERNEL_ITER_H
#define KERNEL_ITER_H

#include <stddef.h>

struct bpf_link;

/* From begin to end, each record to on_record(). 0 or -errno; then some may have come already. */
int iter_read(const struct bpf_link *link, size_t record_size,
	      void (*on_record)(void *self, const void *record), void *self);

#endif
