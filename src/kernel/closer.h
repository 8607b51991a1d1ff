/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watching calls of connect() that fail, for local sockets: attached only for a while, because it
 * puts every task of the host on a slower way into the kernel. Records say when it is on.
 */
#ifndef KERNEL_CLOSER_H
#define KERNEL_CLOSER_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/kernel.h"

struct bpf_link;
struct bpf_program;

struct closer {
	const struct bpf_program *program; /* borrowed */
	kernel_record_fn on_record;
	void *self;
	struct bpf_link *link;
	uint64_t until_ns;
	bool asked, told;
};

/* Says that it can be done, and is not yet. */
void closer_start(struct closer *c, uint64_t now);
/* On from now on, for a minute. May be called from on_record: what it has to tell waits. */
void closer_ask(struct closer *c);
void closer_mind(struct closer *c, uint64_t now);
void closer_fini(struct closer *c);

#endif
