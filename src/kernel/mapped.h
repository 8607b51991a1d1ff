/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files whose code a process has mapped. They are opened through the mapping itself
 * (/proc/PID/map_files), so that it is the very file, also in another mount namespace, replaced or deleted
 * since; by its path in the process's root where that is not allowed.
 */
#ifndef KERNEL_MAPPED_H
#define KERNEL_MAPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAPPED_PATH_MAX 256 /* longer ones are cut: they are for people */

struct mapped {
	uint64_t start, end;
	uint64_t dev, ino; /* as /proc/PID/maps has them: equal for one file of one process */
	bool deleted;
	char path[MAPPED_PATH_MAX]; /* as the process sees it */
};

/* What makes one file out of two: the same for every process that maps it. */
struct file_key {
	uint64_t dev, ino;
	uint64_t size, mtime_ns, ctime_ns; /* overlay files only, whose dev is not one */
};

/* Each file once, in the order of addresses. *out: malloc'ed, the caller's. -errno if the process is gone. */
int mapped_list(uint32_t pid, struct mapped **out, size_t *n);
/* A number that changes with the list. */
uint64_t mapped_fingerprint(const struct mapped *v, size_t n);
/* A read-only descriptor of a regular file and its key, or -errno. */
int mapped_open(uint32_t pid, const struct mapped *m, struct file_key *key);
/* True if it is the process's own program. */
bool mapped_is_exe(uint32_t pid, int fd);

/* One line of /proc/PID/maps. 0, or -ENOENT if it is not code out of a file. */
int mapped_parse(const char *line, struct mapped *m);

#endif
