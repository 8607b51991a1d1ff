/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As much of an ELF file as a Go binary needs: bytes by address, sections by name, and words
 * as the dynamic loader would leave them. In: a whole file in memory, untrusted, which stays
 * the caller's. Pure, bounds-checked; 64-bit little-endian x86-64 and arm64 only.
 */
#ifndef BASE_GOBIN_ELF_H
#define BASE_GOBIN_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GOBIN_LOADS_MAX 32 /* linkers make 2 to 8 */

/* A piece of the file and where it is mapped (before the bias of a PIE). */
struct gobin_range {
	uint64_t addr, off, size;
	uint32_t flags; /* PF_*; of a section: 0 */
};

struct gobin_elf {
	const uint8_t *data;
	size_t len;
	uint16_t machine; /* EM_X86_64, EM_AARCH64 */
	bool has_sections;
	struct gobin_range load[GOBIN_LOADS_MAX]; /* only what the file holds */
	size_t nloads;
	struct gobin_range rela; /* table of relocations, size 0 if none */
	uint64_t shoff, shnum, shentsize;
	struct gobin_range shstr; /* names of sections */
};

/* 0, or -ENOEXEC: not an executable (or library) of these kinds. */
int gobin_elf_open(struct gobin_elf *e, const void *data, size_t len);
/* The section of exactly this name, or whose name ends with it (suffix). */
bool gobin_elf_section(const struct gobin_elf *e, const char *name, bool suffix,
		       struct gobin_range *out);
/* size bytes mapped at addr, or NULL if not all of them are in the file. */
const uint8_t *gobin_elf_at(const struct gobin_elf *e, uint64_t addr, uint64_t size);
/* The same the other way: file offset of an address that is mapped with these PF_* flags. */
bool gobin_elf_offset(const struct gobin_elf *e, uint64_t addr, uint32_t flags, uint64_t *off);
/* The 8-byte word at addr after relative relocation. */
bool gobin_elf_word(const struct gobin_elf *e, uint64_t addr, uint64_t *out);
/* Next address, above `after`, of a writable word that is value after relocation. */
bool gobin_elf_find_word(const struct gobin_elf *e, uint64_t value, uint64_t after, uint64_t *addr);

static inline uint32_t gobin_le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t gobin_le64(const uint8_t *p)
{
	return gobin_le32(p) | (uint64_t)gobin_le32(p + 4) << 32;
}

/* off..off+size lies within len. */
static inline bool gobin_fits(uint64_t off, uint64_t size, uint64_t len)
{
	return off <= len && size <= len - off;
}

#endif
