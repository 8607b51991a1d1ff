/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of a Go executable, by name. In: the whole file in memory, untrusted. Out: where
 * a function's code is in memory and in the file, and where in it the function returns.
 *
 * The names come from the table that Go's runtime itself reads for stack traces (.gopclntab):
 * it is there when the binary is stripped. Known are the tables of Go 1.16 to 1.26 and what
 * keeps to their shape; of an unknown one nothing is believed. Layouts: runtime/symtab.go and
 * debug/gosym of the Go sources, by magic number.
 */
#ifndef BASE_GOBIN_H
#define BASE_GOBIN_H

#include "base/gobin_elf.h"

struct gobin {
	struct gobin_elf elf;
	char version[32];	  /* "go1.19.8"; "" if the file does not say */
	const char *error;	  /* after -ENOTSUP: why, a part of a sentence */
	struct gobin_range table; /* .gopclntab */
	uint64_t text;		  /* what entries are relative to; 0: they are not */
	uint64_t nfunc;		  /* entries */
	uint64_t names, funcs;	  /* offsets in the table: names; entries and what they lead to */
	uint32_t magic;
};

struct gobin_func {
	uint64_t addr; /* before the bias of a PIE */
	uint64_t off;  /* in the file: what an uprobe wants */
	uint64_t size; /* to the start of the next function; 0: not found */
};

/* 0; -ENOEXEC: not a Go program of this kind of machine; -ENOTSUP: Go, but see ->error.
 * data is borrowed until the last gobin_find(). */
int gobin_open(struct gobin *g, const void *data, size_t len);
/* Fills out[i] for names[i]; returns how many of n were found. */
size_t gobin_find(const struct gobin *g, const char *const *names, size_t n,
		  struct gobin_func *out);
/* The code of a function that gobin_find() found. */
const uint8_t *gobin_code(const struct gobin *g, const struct gobin_func *f);

/*
 * A function that takes its arguments in registers and keeps the goroutine in one begins with a
 * check of the stack that names that register (x86-64: r14, since Go 1.17; arm64: x28). Returns
 * the offset of what follows: arguments are in place there, and it is passed once for a call,
 * while one that has to move its stack enters twice. -ENOENT: not such a function's start.
 */
int gobin_body(uint16_t machine, const uint8_t *code, size_t len);
/*
 * Offsets of the instructions at which the function returns. Returns how many, -EILSEQ (code
 * that cannot be read), -E2BIG (more than cap) or -ENOTSUP (machine).
 */
int gobin_returns(uint16_t machine, const uint8_t *code, size_t len, uint32_t *out, size_t cap);

#endif
