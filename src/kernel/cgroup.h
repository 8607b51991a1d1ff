/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cgroup v2 hierarchy: where it is mounted (unified, hybrid, or nowhere: then a
 * private mount that vanishes with its file descriptor), and cgroups by id.
 */
#ifndef KERNEL_CGROUP_H
#define KERNEL_CGROUP_H

#include <stddef.h>
#include <stdint.h>

/* Directory fd of the hierarchy's root (caller closes), or -errno. */
int cgroup_root_open(void);
/* Directory fd of a cgroup by its id (what the kernel keeps in a socket), or -errno. */
int cgroup_open_id(int root_fd, uint64_t id);
/* By path: absolute, or below the root. */
int cgroup_open_path(int root_fd, const char *path);
/* The id of an open cgroup directory; 0 if it cannot be told. */
uint64_t cgroup_id(int fd);
/* "/system.slice/nginx.service" of a process, from /proc; "" if it cannot be told. */
void cgroup_path_of(uint32_t pid, char *out, size_t cap);

#endif
