/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which cgroups the packet and connect programs are attached to: those the gateways live in, or the root of the
 * hierarchy where that does not do. Every link hangs on a file descriptor of this process.
 */
#ifndef KERNEL_ATTACH_H
#define KERNEL_ATTACH_H

#include <stddef.h>
#include <stdint.h>

#define ATTACH_MAX 64 /* cgroups watched apart; more than that: the root watches for all */

struct bpf_link;
struct bpf_program;

/* In this order: what has them all sees the packets of whatever it sees connect. */
enum {
	ATTACH_IN,
	ATTACH_OUT,
	ATTACH_NEEDED,
	ATTACH_CONNECT4 = ATTACH_NEEDED,
	ATTACH_CONNECT6,
	ATTACH_CONNECT_UNIX,
	ATTACH_PROGRAMS
};

struct attachment {
	uint64_t id;
	struct bpf_link *links[ATTACH_PROGRAMS]; /* those beyond ATTACH_NEEDED may be NULL */
};

struct attach {
	const struct bpf_program *programs[ATTACH_PROGRAMS]; /* borrowed; NULL = not loaded */
	int root; /* fd of the hierarchy's root, borrowed */
	uint64_t root_id;
	struct attachment at[ATTACH_MAX];
	size_t n;
};

/* Watches a cgroup, unless it or the root is watched already. 0 or -errno. */
int attach_cgroup(struct attach *a, uint64_t id);
/* Watches the cgroup behind fd alone. */
int attach_cgroup_fd(struct attach *a, int fd, uint64_t id);
void attach_fini(struct attach *a);

#endif
