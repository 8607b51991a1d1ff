/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where functions lie in an ELF file (64 bit, this machine's byte order; System V gABI chapters 4
 * and 5). In: an open file, which may belong to a container and is hostile: every number in it
 * is checked against the file's size, nothing is mapped. Out: file offsets, as uprobes want them.
 * Nothing stays allocated; at most some 200 KiB while it reads, however long its tables are.
 */
#ifndef BASE_ELFSYM_H
#define BASE_ELFSYM_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_symbol {
	const char *name; /* in; borrowed; NULL = nothing is looked for */
	uint64_t offset;  /* out: of the function's first byte in the file; 0 = not defined there */
	uint64_t size;	  /* out: bytes of its code, as its file says */
};

#if defined(__x86_64__)
#define ELF_MACHINE EM_X86_64 /* whose code we can look into; other machines': EM_NONE */
#elif defined(__aarch64__)
#define ELF_MACHINE EM_AARCH64
#else
#define ELF_MACHINE EM_NONE
#endif

#define ELF_SYMBOLS_MAX 32 /* asked for at once */

/*
 * Looks v[n] up (the first has a name) among the dynamic symbols and, if one is missing and all is set, among those that
 * strip(1) removes. How many were found, or
 *	-ENOEXEC  not such an ELF file, or damaged: *why says it in words (never NULL then)
 *	other     it could not be read: *why as well
 */
int elf_find_functions(int fd, struct elf_symbol *v, size_t n, bool all, const char **why);

/* The first of these texts that the file holds, searched in its first max bytes: its index,
 * or -ENOENT, or another -errno. */
int elf_find_text(int fd, const char *const *text, size_t n, uint64_t max);

#endif
