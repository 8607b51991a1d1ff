/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes on crypto/tls inside one Go executable. In: a path that opens it (/proc/PID/exe).
 * Out: uprobes by inode, for every process that runs it, now or later. Functions are found in
 * the table Go's own runtime reads (base/gobin.h), so a stripped binary will do. Returns are
 * seen by a probe on each RET instruction: a return probe would rewrite the stack that Go walks.
 *
 * One struct go_probe per executable (device and inode); the caller owns it.
 */
#ifndef KERNEL_GOPROBE_H
#define KERNEL_GOPROBE_H

#include <stdint.h>

#include "kernel/uprobe.h"

struct go_probe {
	struct uprobes at;
	char version[32]; /* "go1.19.8" */
	char error[256];  /* after a failure: one sentence for the user */
};

/*
 * Attaches the programs go_* of a loaded object. 0, or
 *	-ENOEXEC  not a Go executable: nothing to do
 *	-ENOENT   Go, but crypto/tls is not in it: nothing to do
 *	-ENOTSUP  Go, but cannot be read: .error says why
 *	other     .error says what failed
 * After a failure nothing stays attached and *g needs no go_probe_detach().
 * Takes the time to read some MB of the file: not on every scan for the same inode.
 */
int go_probe_attach(struct go_probe *g, const struct bpf_object *obj, const char *path);
/* Safe on a zeroed struct. */
void go_probe_detach(struct go_probe *g);

#endif
