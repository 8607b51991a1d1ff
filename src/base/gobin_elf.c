// SPDX-License-Identifier: BSD-2-Clause
#include "base/gobin_elf.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

/* A table of relocations beyond this is hostile: the largest real ones have some 10^5. */
#define RELA_MAX ((uint64_t)sizeof(Elf64_Rela) << 22)

static bool load_segment(struct gobin_elf *e, const Elf64_Phdr *p)
{
	if (!p->p_filesz || !gobin_fits(p->p_offset, p->p_filesz, e->len) ||
	    p->p_vaddr > UINT64_MAX - p->p_filesz)
		return true;
	if (e->nloads == GOBIN_LOADS_MAX)
		return false;
	e->load[e->nloads++] = (struct gobin_range){
		.addr = p->p_vaddr, .off = p->p_offset, .size = p->p_filesz, .flags = p->p_flags
	};
	return true;
}

/* DT_RELA and DT_RELASZ: not by section, so that a file without section headers will do. */
static void find_rela(struct gobin_elf *e, uint64_t off, uint64_t size)
{
	uint64_t addr = 0, bytes = 0;
	Elf64_Dyn d;

	if (!gobin_fits(off, size, e->len))
		return;
	for (; size >= sizeof(d); off += sizeof(d), size -= sizeof(d)) {
		memcpy(&d, e->data + off, sizeof(d));
		if (d.d_tag == DT_NULL)
			break;
		if (d.d_tag == DT_RELA)
			addr = d.d_un.d_ptr;
		else if (d.d_tag == DT_RELASZ)
			bytes = d.d_un.d_val;
	}
	if (bytes > RELA_MAX || !gobin_elf_at(e, addr, bytes))
		return;
	e->rela.addr = addr;
	e->rela.off = (uint64_t)(gobin_elf_at(e, addr, bytes) - e->data);
	e->rela.size = bytes;
}

static bool section_at(const struct gobin_elf *e, uint64_t i, Elf64_Shdr *out)
{
	if (i >= e->shnum)
		return false;
	memcpy(out, e->data + e->shoff + i * e->shentsize, sizeof(*out));
	return true;
}

static void find_sections(struct gobin_elf *e, const Elf64_Ehdr *h)
{
	Elf64_Shdr names;

	if (!h->e_shoff || !h->e_shnum || h->e_shentsize < sizeof(Elf64_Shdr) ||
	    !gobin_fits(h->e_shoff, (uint64_t)h->e_shnum * h->e_shentsize, e->len))
		return;
	e->shoff = h->e_shoff;
	e->shnum = h->e_shnum;
	e->shentsize = h->e_shentsize;
	if (!section_at(e, h->e_shstrndx, &names) ||
	    !gobin_fits(names.sh_offset, names.sh_size, e->len))
		return;
	e->shstr.off = names.sh_offset;
	e->shstr.size = names.sh_size;
	e->has_sections = true;
}

int gobin_elf_open(struct gobin_elf *e, const void *data, size_t len)
{
	uint64_t dyn_off = 0, dyn_size = 0;
	Elf64_Ehdr h;
	Elf64_Phdr p;

	*e = (struct gobin_elf){ .data = data, .len = len };
	if (len < sizeof(h))
		return -ENOEXEC;
	memcpy(&h, data, sizeof(h));
	if (memcmp(h.e_ident, ELFMAG, SELFMAG) || h.e_ident[EI_CLASS] != ELFCLASS64 ||
	    h.e_ident[EI_DATA] != ELFDATA2LSB || (h.e_type != ET_EXEC && h.e_type != ET_DYN) ||
	    (h.e_machine != EM_X86_64 && h.e_machine != EM_AARCH64) || h.e_phentsize < sizeof(p) ||
	    !gobin_fits(h.e_phoff, (uint64_t)h.e_phnum * h.e_phentsize, len))
		return -ENOEXEC;
	e->machine = h.e_machine;
	for (uint64_t i = 0; i < h.e_phnum; i++) {
		memcpy(&p, e->data + h.e_phoff + i * h.e_phentsize, sizeof(p));
		if (p.p_type == PT_LOAD && !load_segment(e, &p))
			return -ENOEXEC;
		if (p.p_type != PT_DYNAMIC)
			continue;
		dyn_off = p.p_offset;
		dyn_size = p.p_filesz;
	}
	find_rela(e, dyn_off, dyn_size);
	find_sections(e, &h);
	return 0;
}

bool gobin_elf_section(const struct gobin_elf *e, const char *name, bool suffix,
		       struct gobin_range *out)
{
	size_t want = strlen(name), have;
	const char *s;
	Elf64_Shdr h;

	if (!e->has_sections)
		return false;
	for (uint64_t i = 0; section_at(e, i, &h); i++) {
		if (h.sh_name >= e->shstr.size || h.sh_type == SHT_NOBITS ||
		    !gobin_fits(h.sh_offset, h.sh_size, e->len))
			continue;
		s = (const char *)e->data + e->shstr.off + h.sh_name;
		have = strnlen(s, e->shstr.size - h.sh_name);
		if (have == e->shstr.size - h.sh_name || have < want || (have > want && !suffix) ||
		    memcmp(s + have - want, name, want))
			continue;
		*out = (struct gobin_range){ .addr = h.sh_addr,
					     .off = h.sh_offset,
					     .size = h.sh_size };
		return true;
	}
	return false;
}

const uint8_t *gobin_elf_at(const struct gobin_elf *e, uint64_t addr, uint64_t size)
{
	for (size_t i = 0; i < e->nloads; i++) {
		const struct gobin_range *l = &e->load[i];

		if (addr >= l->addr && gobin_fits(addr - l->addr, size, l->size))
			return e->data + l->off + (addr - l->addr);
	}
	return NULL;
}

bool gobin_elf_offset(const struct gobin_elf *e, uint64_t addr, uint32_t flags, uint64_t *off)
{
	for (size_t i = 0; i < e->nloads; i++) {
		const struct gobin_range *l = &e->load[i];

		if ((l->flags & flags) != flags || addr < l->addr || addr - l->addr >= l->size)
			continue;
		*off = l->off + (addr - l->addr);
		return true;
	}
	return false;
}

/* Relocations "base of the program + addend", the kind that fills pointers of a PIE. */
static bool is_relative(const struct gobin_elf *e, const Elf64_Rela *r)
{
	return ELF64_R_TYPE(r->r_info) ==
	       (e->machine == EM_X86_64 ? R_X86_64_RELATIVE : R_AARCH64_RELATIVE);
}

bool gobin_elf_word(const struct gobin_elf *e, uint64_t addr, uint64_t *out)
{
	const uint8_t *p = gobin_elf_at(e, addr, 8);
	Elf64_Rela r;

	if (!p)
		return false;
	*out = gobin_le64(p);
	for (uint64_t i = 0; i + sizeof(r) <= e->rela.size; i += sizeof(r)) {
		memcpy(&r, e->data + e->rela.off + i, sizeof(r));
		if (r.r_offset == addr && is_relative(e, &r)) {
			*out = (uint64_t)r.r_addend;
			break;
		}
	}
	return true;
}

bool gobin_elf_find_word(const struct gobin_elf *e, uint64_t value, uint64_t after, uint64_t *addr)
{
	uint64_t best = UINT64_MAX;
	Elf64_Rela r;

	for (uint64_t i = 0; i + sizeof(r) <= e->rela.size; i += sizeof(r)) {
		memcpy(&r, e->data + e->rela.off + i, sizeof(r));
		if ((uint64_t)r.r_addend == value && r.r_offset > after && r.r_offset < best &&
		    is_relative(e, &r))
			best = r.r_offset;
	}
	for (size_t i = 0; i < e->nloads; i++) {
		const struct gobin_range *l = &e->load[i];
		uint64_t from = after < l->addr ? l->addr : after + 1;

		if (!(l->flags & PF_W) || from > UINT64_MAX - 7)
			continue;
		/* Words are aligned in memory. */
		for (uint64_t at = (from + 7) & ~7ull;
		     at < best && gobin_fits(at - l->addr, 8, l->size); at += 8) {
			if (gobin_le64(e->data + l->off + (at - l->addr)) == value)
				best = at;
		}
	}
	if (best == UINT64_MAX)
		return false;
	*addr = best;
	return true;
}
