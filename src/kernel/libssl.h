/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes on the functions of a TLS library with OpenSSL's interface (OpenSSL, BoringSSL, LibreSSL,
 * AWS-LC), in a shared library or built into a program. In: an open file. Out: uprobes by inode,
 * for every process that maps it, now or later.
 */
#ifndef KERNEL_LIBSSL_H
#define KERNEL_LIBSSL_H

#include <stdbool.h>

#include "kernel/uprobe.h"

struct libssl_probe {
	struct uprobes at;
	char error[160]; /* after a failure: why, for people */
};

/*
 * Attaches the programs ssl_* of a loaded object. exe: a program, whose symbols strip(1) may have left.
 * 0, or
 *	-ENOENT   it defines no such functions: nothing to do
 *	-ENOEXEC  no ELF file that can be read: .error says why
 *	-ENOTSUP  the programs are not loaded on this kernel
 *	other     .error says what failed
 * After a failure nothing stays attached.
 */
int libssl_attach(struct libssl_probe *p, const struct bpf_object *obj, int fd, bool exe);
/* Safe on a zeroed struct. */
void libssl_detach(struct libssl_probe *p);
#endif
