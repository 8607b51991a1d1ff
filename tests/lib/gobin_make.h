/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small Go executable (x86-64) in memory, as far as src/base/gobin*.c reads one: three
 * functions with code, the table of them, the runtime's module, the build info. For tests.
 */
#ifndef TESTS_GOBIN_MAKE_H
#define TESTS_GOBIN_MAKE_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define MADE_BASE    0x400000u
#define MADE_TEXT    0x200u /* offsets in the file; in memory the same above MADE_BASE */
#define MADE_TABLE   0x400u
#define MADE_DATA    0x800u
#define MADE_MODULE  (MADE_DATA + 0x40)
#define MADE_INFO    (MADE_DATA + 0x200)
#define MADE_STRING  (MADE_DATA + 0x260)
#define MADE_DYNAMIC (MADE_DATA + 0x300)
#define MADE_RELA    (MADE_DATA + 0x340)
#define MADE_SHDRS   0xd00u
#define MADE_NAMES   0xe00u
#define MADE_SIZE    0xe80u

struct made {
	uint32_t magic;
	bool sections; /* section headers */
	bool pie;      /* addresses come by relocation; the words themselves are 0 */
	bool module;   /* the start of the code is only in the runtime's module (Go 1.26) */
	bool old_info; /* build info of Go 1.17: the version through pointers */
	const char *table_name;
};

static const char *const made_functions[] = {
	"main.main",
	"crypto/tls.(*Conn).Read",
	"crypto/tls.(*Conn).Write",
};
#define MADE_FUNCTIONS 3
#define MADE_STEP      0x20 /* bytes of code each */

/* cmp rsp,[r14+16]; jbe; mov eax,0xc3c3c3c3; ret; xor eax,eax; ret; int3... */
static const uint8_t made_code[] = { 0x49, 0x3b, 0x66, 0x10, 0x76, 0x08, 0xb8, 0xc3, 0xc3,
				     0xc3, 0xc3, 0xc3, 0x31, 0xc0, 0xc3, 0xcc, 0xcc };
#define MADE_RET1 11
#define MADE_RET2 14

static inline void made_put(uint8_t *f, uint32_t off, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		f[off + i] = v >> (8 * i);
}

/* A word that holds an address. */
static inline void made_addr(uint8_t *f, const struct made *m, uint32_t off, uint64_t v, int *nrela)
{
	Elf64_Rela r = { .r_offset = MADE_BASE + off,
			 .r_info = ELF64_R_INFO(0, R_X86_64_RELATIVE),
			 .r_addend = (Elf64_Sxword)v };

	if (!m->pie) {
		made_put(f, off, v, 8);
		return;
	}
	memcpy(f + MADE_RELA + (*nrela)++ * sizeof(r), &r, sizeof(r));
}

static inline void made_segments(uint8_t *f, const struct made *m, int nrela)
{
	static const struct {
		uint32_t off, size, flags;
	} seg[] = { { MADE_TEXT, MADE_TABLE - MADE_TEXT, PF_R | PF_X },
		    { MADE_TABLE, MADE_DATA - MADE_TABLE, PF_R },
		    { MADE_DATA, MADE_SHDRS - MADE_DATA, PF_R | PF_W } };
	Elf64_Phdr p = { .p_type = PT_DYNAMIC, .p_offset = MADE_DYNAMIC, .p_filesz = 0x30 };
	Elf64_Dyn d[3] = { { .d_tag = DT_RELA, .d_un.d_ptr = MADE_BASE + MADE_RELA },
			   { .d_tag = DT_RELASZ, .d_un.d_val = nrela * sizeof(Elf64_Rela) } };

	memcpy(f + 64 + 3 * sizeof(p), &p, sizeof(p));
	memcpy(f + MADE_DYNAMIC, d, sizeof(d));
	for (int i = 0; i < 3; i++) {
		p = (Elf64_Phdr){ .p_type = PT_LOAD,
				  .p_flags = seg[i].flags,
				  .p_offset = seg[i].off,
				  .p_vaddr = MADE_BASE + seg[i].off,
				  .p_filesz = seg[i].size };
		memcpy(f + 64 + i * sizeof(p), &p, sizeof(p));
	}
}

static inline void made_sections(uint8_t *f, const struct made *m)
{
	Elf64_Shdr s[4] = {
		{ 0 },
		{ .sh_type = SHT_PROGBITS,
		  .sh_name = 1,
		  .sh_addr = MADE_BASE + MADE_TABLE,
		  .sh_offset = MADE_TABLE,
		  .sh_size = MADE_DATA - MADE_TABLE },
		{ .sh_type = SHT_PROGBITS,
		  .sh_name = 0x30,
		  .sh_addr = MADE_BASE + MADE_INFO,
		  .sh_offset = MADE_INFO,
		  .sh_size = 0x60 },
		{ .sh_type = SHT_STRTAB, .sh_name = 0x40, .sh_offset = MADE_NAMES, .sh_size = 0x60 },
	};

	memcpy(f + MADE_SHDRS, s, sizeof(s));
	memcpy(f + MADE_NAMES + 1, m->table_name, strlen(m->table_name));
	memcpy(f + MADE_NAMES + 0x30, ".go.buildinfo", 13);
	memcpy(f + MADE_NAMES + 0x40, ".shstrtab", 9);
}

static inline void made_info(uint8_t *f, const struct made *m, int *nrela)
{
	memcpy(f + MADE_INFO, "\xff Go buildinf:\x08", 15);
	if (!m->old_info) {
		f[MADE_INFO + 15] = 2;
		memcpy(f + MADE_INFO + 32, "\x06go1.99", 7);
		return;
	}
	made_addr(f, m, MADE_INFO + 16, MADE_BASE + MADE_STRING, nrela);
	made_addr(f, m, MADE_STRING, MADE_BASE + MADE_STRING + 16, nrela);
	made_put(f, MADE_STRING + 8, 8, 8);
	memcpy(f + MADE_STRING + 16, "go1.17.3", 8);
}

static inline void made_table(uint8_t *f, const struct made *m, int *nrela)
{
	const bool rel = m->magic != 0xfffffffa; /* Go 1.16 and 1.17 keep addresses */
	const uint32_t w = rel ? 4 : 8, names = 0x60, funcs = 0x100;
	uint32_t name = names, rec = (2 * MADE_FUNCTIONS + 1) * w, words = MADE_TABLE + 8;

	made_put(f, MADE_TABLE, m->magic, 4);
	f[MADE_TABLE + 6] = 1;
	f[MADE_TABLE + 7] = 8;
	made_put(f, words, MADE_FUNCTIONS, 8);
	if (rel && !m->module)
		made_addr(f, m, words + 16, MADE_BASE + MADE_TEXT, nrela);
	made_put(f, words + (rel ? 24 : 16), names, 8);
	made_put(f, words + (rel ? 56 : 48), funcs, 8);
	for (uint32_t i = 0; i <= MADE_FUNCTIONS; i++) {
		uint32_t at = MADE_TABLE + funcs + i * 2 * w;

		if (rel)
			made_put(f, at, i * MADE_STEP, 4);
		else
			made_addr(f, m, at, MADE_BASE + MADE_TEXT + i * MADE_STEP, nrela);
		if (i == MADE_FUNCTIONS)
			break;
		made_put(f, at + w, rec, w);
		made_put(f, MADE_TABLE + funcs + rec + w, name - names, 4);
		strcpy((char *)f + MADE_TABLE + name, made_functions[i]);
		name += strlen(made_functions[i]) + 1;
		rec += w + 8;
		memset(f + MADE_TEXT + i * MADE_STEP, 0xcc, MADE_STEP);
		memcpy(f + MADE_TEXT + i * MADE_STEP, made_code, sizeof(made_code));
	}
}

/* f: MADE_SIZE bytes. */
static inline void made_write(uint8_t *f, const struct made *m)
{
	Elf64_Ehdr h = { .e_type = m->pie ? ET_DYN : ET_EXEC,
			 .e_machine = EM_X86_64,
			 .e_phoff = 64,
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_phnum = 4,
			 .e_shoff = m->sections ? MADE_SHDRS : 0,
			 .e_shentsize = sizeof(Elf64_Shdr),
			 .e_shnum = m->sections ? 4 : 0,
			 .e_shstrndx = 3 };
	int nrela = 0;

	memset(f, 0, MADE_SIZE);
	memcpy(h.e_ident,
	       "\x7f"
	       "ELF\x02\x01\x01",
	       7);
	memcpy(f, &h, sizeof(h));
	made_table(f, m, &nrela);
	made_info(f, m, &nrela);
	/* A word with the table's address that is no module comes first. */
	made_addr(f, m, MADE_DATA + 8, MADE_BASE + MADE_TABLE, &nrela);
	made_addr(f, m, MADE_MODULE, MADE_BASE + MADE_TABLE, &nrela);
	made_addr(f, m, MADE_MODULE + 20 * 8, MADE_BASE + MADE_TEXT, &nrela);
	made_addr(f, m, MADE_MODULE + 21 * 8, MADE_BASE + MADE_TEXT + MADE_FUNCTIONS * MADE_STEP,
		  &nrela);
	made_addr(f, m, MADE_MODULE + 22 * 8, MADE_BASE + MADE_TEXT, &nrela);
	made_segments(f, m, nrela);
	if (m->sections)
		made_sections(f, m);
}

#endif
