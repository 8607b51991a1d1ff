/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watching connects to local sockets (bpf/unix.bpf.c), as well as this kernel lets us: every result
 * all the time; or from the first such connect of a gateway on, as long as they go on; or for a
 * minute after a failure that nothing explains. The last two put every task of the host on a slower
 * way into the kernel, so not for longer. Records say what cannot have gone unseen.
 */
#ifndef KERNEL_CLOSER_H
#define KERNEL_CLOSER_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/kernel.h"

struct bpf_link;
struct bpf_program;
struct btf;
struct w5_bpf;

struct closer {
	const struct bpf_program *program; /* borrowed; NULL: nothing to attach for a while */
	volatile uint32_t *watched;	   /* for the hook: the program is attached */
	bool always;			   /* no connect goes unseen */
	kernel_record_fn on_record;
	void *self;
	struct bpf_link *link;
	uint64_t until_ns;
	bool asked, told;
};

/* Between choosing programs and loading them. False: without the one that follows each connect,
 * which this kernel has, or says it has. */
bool closer_prepare(struct w5_bpf *skel, const struct btf *vmlinux, bool may_follow);
/* The one of the loaded programs that sees connects begin, or NULL. */
const struct bpf_program *closer_hook(const struct w5_bpf *skel);
/* Says what can be seen, and whether it is. */
void closer_start(struct closer *c, struct w5_bpf *skel, uint64_t now);
/* A gateway failed, and nothing explains it: on from now on, for a minute. May be called from
 * on_record: what it has to tell waits. */
void closer_ask(struct closer *c);
/* A record of the kernel's came: of a connect to a local socket? */
void closer_see(struct closer *c, const struct w5_hdr *h);
void closer_mind(struct closer *c, uint64_t now);
void closer_fini(struct closer *c);

#endif
