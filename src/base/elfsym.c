// SPDX-License-Identifier: BSD-2-Clause
#include "base/elfsym.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

#define CHUNK	     (64 * 1024)
#define SECTIONS_MAX 65536
#define SEGMENTS_MAX 128 /* programs have about 10 */
#define HITS_MAX     64	 /* places where a wanted name, or a longer one ending in it, is stored */
#define NAME_MAX_LEN 128 /* of a name or text searched for */
#define TABLE_MAX    (256u << 20) /* bytes of one table; the longest seen is some 100 MB */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST_DATA ELFDATA2LSB
#else
#define HOST_DATA ELFDATA2MSB
#endif

struct elf {
	int fd;
	uint64_t size;
	Elf64_Ehdr h;
	uint64_t nsections;
	Elf64_Phdr seg[SEGMENTS_MAX];
	size_t nseg;
	const char *why;
	uint8_t buf[CHUNK + NAME_MAX_LEN]; /* one part of a table at a time */
};

/* A place in the string table where a wanted name starts. */
struct hit {
	uint32_t at;
	uint32_t index;
};

static int refuse(struct elf *e, int err, const char *why)
{
	e->why = why;
	return err;
}

static int read_at(struct elf *e, void *out, size_t len, uint64_t off)
{
	uint8_t *to = out;

	if (off > e->size || len > e->size - off)
		return refuse(e, -ENOEXEC, "damaged: a table lies outside the file");
	while (len) {
		ssize_t n = pread(e->fd, to, len, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return refuse(e, -errno, "it cannot be read");
		if (!n)
			return refuse(e, -ENOEXEC, "it shrinks while it is read");
		to += n;
		off += n;
		len -= n;
	}
	return 0;
}

static int read_section(struct elf *e, uint64_t i, Elf64_Shdr *s)
{
	if (i >= e->nsections)
		return refuse(e, -ENOEXEC, "damaged: a section that does not exist is named");
	return read_at(e, s, sizeof(*s), e->h.e_shoff + i * sizeof(*s));
}

static int read_headers(struct elf *e)
{
	Elf64_Shdr first;
	struct stat st;
	int err;

	if (fstat(e->fd, &st))
		return refuse(e, -errno, "it cannot be read");
	e->size = st.st_size;
	if (e->size < sizeof(e->h) || read_at(e, &e->h, sizeof(e->h), 0) ||
	    memcmp(e->h.e_ident, ELFMAG, SELFMAG))
		return refuse(e, -ENOEXEC, "not an ELF file");
	if (e->h.e_ident[EI_CLASS] != ELFCLASS64 || e->h.e_ident[EI_DATA] != HOST_DATA)
		return refuse(e, -ENOEXEC, "not a 64-bit program of this machine");
	if (e->h.e_phentsize != sizeof(e->seg[0]) || !e->h.e_phnum)
		return refuse(e, -ENOEXEC, "damaged: no program headers");
	e->nseg = min_size(e->h.e_phnum, SEGMENTS_MAX);
	err = read_at(e, e->seg, e->nseg * sizeof(e->seg[0]), e->h.e_phoff);
	if (err || !e->h.e_shoff)
		return err; /* no sections: nothing will be found */
	if (e->h.e_shentsize != sizeof(first) || e->h.e_shoff > e->size)
		return refuse(e, -ENOEXEC, "damaged: its section table");
	e->nsections = e->h.e_shnum;
	if (e->nsections)
		return 0;
	/* 65280 sections and more: their number is in the first one (gABI, e_shnum). */
	e->nsections = 1;
	err = read_section(e, 0, &first);
	e->nsections = min_u64(first.sh_size, SECTIONS_MAX);
	return err;
}

/* File offset of an address in code; 0 if it is in none. */
static uint64_t file_offset(const struct elf *e, uint64_t addr)
{
	for (size_t i = 0; i < e->nseg; i++) {
		const Elf64_Phdr *p = &e->seg[i];
		uint64_t in = addr - p->p_vaddr;

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) || addr < p->p_vaddr)
			continue;
		if (in < p->p_filesz && in < e->size && p->p_offset < e->size - in)
			return p->p_offset + in;
	}
	return 0;
}

static size_t common_prefix(const struct elf_symbol *v, size_t n)
{
	size_t len = strlen(v[0].name);

	for (size_t i = 1; i < n; i++)
		for (size_t j = 0; v[i].name && j < len; j++)
			if (v[i].name[j] != v[0].name[j])
				len = j;
	return len;
}

/* The wanted names in one part of the string table. The part is followed by the bytes of the
 * next in which a name that starts here may end. */
static size_t find_names(const uint8_t *part, size_t len, size_t with_next, uint64_t base,
			 const struct elf_symbol *v, size_t n, struct hit *hits, size_t nhits)
{
	size_t prefix = common_prefix(v, n);
	const uint8_t *p = part, *end = part + with_next;

	while (nhits < HITS_MAX && (p = memmem(p, end - p, v[0].name, prefix)) && p < part + len) {
		for (size_t i = 0; i < n && nhits < HITS_MAX; i++) {
			size_t whole = v[i].name ? strlen(v[i].name) + 1 : 0;

			if (whole && (size_t)(end - p) >= whole && !memcmp(p, v[i].name, whole))
				hits[nhits++] = (struct hit){ base + (p - part), i };
		}
		p++;
	}
	return nhits;
}

static int scan_names(struct elf *e, const Elf64_Shdr *s, const struct elf_symbol *v, size_t n,
		      struct hit *hits, size_t *nhits)
{
	*nhits = 0;
	for (uint64_t at = 0; at < s->sh_size; at += CHUNK) {
		size_t all = min_u64(s->sh_size - at, sizeof(e->buf));
		int err = read_at(e, e->buf, all, s->sh_offset + at);

		if (err)
			return err;
		*nhits = find_names(e->buf, min_size(all, CHUNK), all, at, v, n, hits, *nhits);
	}
	return 0;
}

static void take_symbol(const struct elf *e, const Elf64_Sym *sym, struct elf_symbol *v,
			const struct hit *hits, size_t nhits)
{
	if (ELF64_ST_TYPE(sym->st_info) != STT_FUNC || sym->st_shndx == SHN_UNDEF)
		return;
	for (size_t i = 0; i < nhits; i++)
		if (hits[i].at == sym->st_name && !v[hits[i].index].offset) {
			v[hits[i].index].offset = file_offset(e, sym->st_value);
			v[hits[i].index].size = sym->st_size;
		}
}

static int scan_symbols(struct elf *e, const Elf64_Shdr *s, struct elf_symbol *v,
			const struct hit *hits, size_t nhits)
{
	const size_t step = CHUNK / sizeof(Elf64_Sym) * sizeof(Elf64_Sym);
	uint64_t size = s->sh_size / sizeof(Elf64_Sym) * sizeof(Elf64_Sym);

	for (uint64_t at = 0; at < size; at += step) {
		size_t len = min_u64(size - at, step);
		int err = read_at(e, e->buf, len, s->sh_offset + at);
		Elf64_Sym sym;

		if (err)
			return err;
		for (size_t i = 0; i < len; i += sizeof(sym)) {
			memcpy(&sym, e->buf + i, sizeof(sym));
			take_symbol(e, &sym, v, hits, nhits);
		}
	}
	return 0;
}

static int search_table(struct elf *e, const Elf64_Shdr *table, struct elf_symbol *v, size_t n)
{
	struct hit hits[HITS_MAX];
	Elf64_Shdr names;
	size_t nhits;
	int err;

	if (table->sh_entsize != sizeof(Elf64_Sym))
		return refuse(e, -ENOEXEC, "damaged: its symbol table");
	err = read_section(e, table->sh_link, &names);
	if (err)
		return err;
	if (names.sh_type != SHT_STRTAB || names.sh_size > TABLE_MAX || table->sh_size > TABLE_MAX)
		return refuse(e, -ENOEXEC, "damaged: its symbol names");
	err = scan_names(e, &names, v, n, hits, &nhits);
	if (err || !nhits)
		return err;
	return scan_symbols(e, table, v, hits, nhits);
}

static int search_tables(struct elf *e, struct elf_symbol *v, size_t n, uint32_t type)
{
	for (uint64_t i = 1; i < e->nsections; i++) {
		Elf64_Shdr s;
		int err = read_section(e, i, &s);

		if (err)
			return err;
		if (s.sh_type == type)
			return search_table(e, &s, v, n); /* there is at most one */
	}
	return 0;
}

static int count_found(const struct elf_symbol *v, size_t n)
{
	int found = 0;

	for (size_t i = 0; i < n; i++)
		found += v[i].offset != 0;
	return found;
}

static int count_wanted(const struct elf_symbol *v, size_t n)
{
	int wanted = 0;

	for (size_t i = 0; i < n; i++)
		wanted += v[i].name != NULL;
	return wanted;
}

int elf_find_functions(int fd, struct elf_symbol *v, size_t n, bool all, const char **why)
{
	w5_auto(freep) struct elf *e = calloc(1, sizeof(*e));
	int err;

	*why = "out of memory";
	if (!e)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		v[i].offset = 0;
	e->fd = fd;
	err = read_headers(e);
	if (!err)
		err = search_tables(e, v, n, SHT_DYNSYM);
	if (!err && all && count_found(v, n) < count_wanted(v, n))
		err = search_tables(e, v, n, SHT_SYMTAB);
	*why = e->why;
	return err ? err : count_found(v, n);
}

int elf_find_text(int fd, const char *const *text, size_t n, uint64_t max)
{
	w5_auto(freep) uint8_t *buf = malloc(CHUNK + NAME_MAX_LEN);
	size_t kept = 0;

	if (!buf)
		return -ENOMEM;
	for (uint64_t at = 0; at < max;) {
		ssize_t got = pread(fd, buf + kept, CHUNK, at);
		size_t have;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		at += got;
		have = kept + got;
		for (size_t i = 0; i < n; i++)
			if (memmem(buf, have, text[i], strlen(text[i])))
				return i;
		/* A text may lie across the border. */
		kept = min_size(have, NAME_MAX_LEN);
		memmove(buf, buf + have - kept, kept);
	}
	return -ENOENT;
}
