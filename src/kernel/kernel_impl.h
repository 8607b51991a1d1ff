/* SPDX-License-Identifier: BSD-2-Clause */
/* Between kernel.c and kernel_load.c. */
#ifndef KERNEL_KERNEL_IMPL_H
#define KERNEL_KERNEL_IMPL_H

#include "kernel/attach.h"
#include "kernel/closer.h"
#include "kernel/kernel.h"
#include "kernel/local.h"
#include "why502.skel.h"

struct kernel {
	struct kernel_cfg cfg;
	kernel_record_fn on_record;
	void *self;
	struct w5_bpf *skel;
	struct ring_buffer *ring;
	struct procs *procs;
	struct tls *tls;
	struct local local;
	struct pool *pool; /* NULL: this kernel cannot */
	struct closer closer;
	int cgroup_root;
	struct attach cgroups;
	struct w5_stats stats;
	uint64_t stats_ns, reap_ns;
	size_t batch;
	char error[320];
};

/* Keeps the sentence for kernel_error(), and returns err. */
int kernel_fail(struct kernel *k, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Checks the host, opens the object and loads it: what it opened is in k, whatever it returns. */
int kernel_load(struct kernel *k);

#endif
