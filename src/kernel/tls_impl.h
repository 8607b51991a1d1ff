/* SPDX-License-Identifier: BSD-2-Clause */
/* What tls.c keeps and tls_report.c reads. */
#ifndef KERNEL_TLS_IMPL_H
#define KERNEL_TLS_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/mapped.h"
#include "kernel/tls.h"

struct libssl_probe;
struct go_probe;

/* A file with code in it that some gateway process has mapped. Most are of no interest, and
 * kept so that nobody looks into them again. */
struct tls_file {
	struct file_key key;
	size_t refs; /* processes */
	enum tls_state state;
	bool exe;
	struct libssl_probe *libssl; /* owned; NULL = none of its functions in there */
	struct go_probe *go;	     /* the same; set without probes if it is Go without TLS */
	const char *why;	     /* of TLS_UNREAD; NULL = out of memory */
	char path[MAPPED_PATH_MAX];
};

struct tls_proc {
	uint32_t tgid;
	unsigned int looks;
	unsigned int calm; /* times in a row that all its mappings were read in vain */
	uint64_t due_ns;   /* next look */
	uint64_t size, fingerprint;
	bool complete; /* every file could be opened */
	struct tls_file **files;
	size_t nfiles;
};

struct tls {
	const struct bpf_object *obj;
	uint64_t now_ns;
	struct tls_file **files;
	size_t nfiles, cap;
	struct tls_proc *procs;
	size_t nprocs, procs_cap;
};

const struct tls_proc *tls_find_proc(const struct tls *t, uint32_t tgid);
size_t tls_file_probes(const struct tls_file *f);

#endif
