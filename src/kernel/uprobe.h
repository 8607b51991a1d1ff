/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Uprobes on one file, for every process that maps it, now or later. Where the kernel has links
 * for many places at once (6.6+), one link per program: a link takes 20 to 50 ms to go, one place per link
 * 100 ms each, and whoever closes it waits. Elsewhere a perf event per place.
 *
 * Everything hangs on descriptors of this process.
 */
#ifndef KERNEL_UPROBE_H
#define KERNEL_UPROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_link;
struct bpf_object;
struct bpf_program;
struct btf;

#define UPROBES_MAX 128 /* links; Go's functions come to some 40 places */

struct uprobes {
	struct {
		struct bpf_link *perf; /* or NULL, and fd */
		int fd;
	} link[UPROBES_MAX];
	size_t n;
	size_t places; /* probed */
};

/* Before the object is loaded: programs of SEC("uprobe") and SEC("uretprobe") whose names start so
 * get the kind of link this kernel has. */
void uprobes_prepare(struct bpf_object *obj, const struct btf *vmlinux, const char *prefix);

/*
 * Attaches a loaded program at these offsets of the file; ret: on return from the functions
 * that start there. path: whatever opens the file. 0, -ENOTSUP if the program is not loaded, or
 * -errno; the places before the one refused stay attached.
 */
int uprobes_add(struct uprobes *u, const struct bpf_object *obj, const char *program,
		const char *path, const uint64_t *offsets, size_t n, bool ret);
/* Last to first. Safe on a zeroed struct. */
void uprobes_detach(struct uprobes *u);

#endif
