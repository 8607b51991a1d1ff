/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What differs between kernels: a table of {what, how it is detected, which programs
 * run then, what the user loses without}. Asked from the kernel's own types, never
 * from its version. Drives program loading and `why502 doctor`.
 */
#ifndef KERNEL_FEATURE_H
#define KERNEL_FEATURE_H

#include <stdbool.h>
#include <stddef.h>

#define FEATURE_PROGRAMS 2

struct feature {
	const char *name;
	const char *tracepoint;	  /* its BTF type is btf_trace_<tracepoint> */
	unsigned args;		  /* arguments it, or the function, must have; 0 = any number */
	const char *helper;	  /* instead: a value of enum bpf_func_id */
	int prog_type, helper_id; /* instead: programs of this type may call this helper */
	const char *file;	  /* instead: this file is there */
	const char *function;	  /* instead: its BTF has this function */
	const char *older;	  /* or, instead of function, this one, with older_args */
	unsigned older_args;
	const char *attach_type;	       /* instead: a value of enum bpf_attach_type */
	const char *since;		       /* for the reader: first kernel with it */
	const char *with[FEATURE_PROGRAMS];    /* programs loaded if present */
	const char *without[FEATURE_PROGRAMS]; /* ... if absent */
	const char *spares[FEATURE_PROGRAMS];  /* of rows above, not loaded if present */
	bool needed;
	const char *loses; /* what is lost without it */
};

extern const struct feature features[];
extern const size_t nfeatures;

struct btf;
struct bpf_object;
/* Does this enum of the kernel have this value? */
bool feature_enum(const struct btf *vmlinux, const char *type, const char *value);
bool feature_present(const struct feature *f, const struct btf *vmlinux);
/* Chooses the programs to load. 0, or -ENOSYS with *missing set to what is needed. */
int features_apply(struct bpf_object *obj, const struct btf *vmlinux,
		   const struct feature **missing);

#endif
