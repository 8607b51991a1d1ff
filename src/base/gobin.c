// SPDX-License-Identifier: BSD-2-Clause
#include "base/gobin.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/util.h"

/* Header: magic, two zero bytes, instruction quantum, pointer size; then words. Entries of the
 * table of functions are pairs {entry, offset of its record} and a last entry: the end of the
 * last function. A record begins with the entry again, then the offset of the name. */
struct layout {
	uint32_t magic;
	uint8_t width;	  /* bytes of an entry's fields */
	uint8_t text;	  /* word that holds the start of the code; 0 if entries are addresses */
	uint8_t names;	  /* word: offset of the names */
	uint8_t funcs;	  /* word: offset of the table of functions */
	const char *says; /* why it is not read */
};

static const struct layout layouts[] = {
	{ .magic = 0xfffffff1, .width = 4, .text = 2, .names = 3, .funcs = 7 }, /* 1.20 */
	{ .magic = 0xfffffff0, .width = 4, .text = 2, .names = 3, .funcs = 7 }, /* 1.18 */
	{ .magic = 0xfffffffa, .width = 8, .names = 2, .funcs = 6 },		/* 1.16 */
	{ .magic = 0xfffffffb, .says = "it is built by a Go older than 1.17" }, /* 1.2 */
};

#define HEADER	     8
#define HEADER_BYTES (HEADER + 8 * 8)
#define FUNC_MAX     (1u << 20) /* bytes; the largest we look for has some 10^4 */

/* Words of runtime.moduledata up to the one we want have been the same since Go 1.16. */
#define MODULE_MINPC 20
#define MODULE_MAXPC 21
#define MODULE_TEXT  22
#define MODULE_TRIES 64

static const char BUILDINFO[] = "\xff Go buildinf:"; /* 14 bytes, then pointer size, flags */
#define BUILDINFO_LEN	 (sizeof(BUILDINFO) - 1)
#define BUILDINFO_INLINE 0x2 /* the version follows (1.18); else the address of a string */
#define BUILDINFO_HEADER 32

static const struct layout *layout_of(uint32_t magic)
{
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		if (layouts[i].magic == magic)
			return &layouts[i];
	}
	return NULL;
}

static void keep_version(struct gobin *g, const uint8_t *s, uint64_t len)
{
	size_t n = 0;

	if (!s || len < 3)
		return;
	/* A version is one word; build experiments may follow it. */
	while (n < len && n < sizeof(g->version) - 1 && s[n] > ' ' && s[n] < 0x7f)
		n++;
	memcpy(g->version, s, n);
	g->version[n] = 0;
}

static void read_version(struct gobin *g, const struct gobin_range *r)
{
	const uint8_t *p = g->elf.data + r->off;
	uint64_t at, str, len;

	if (r->size <= BUILDINFO_HEADER)
		return;
	if (p[15] & BUILDINFO_INLINE) { /* length as a varint: versions are short */
		len = p[BUILDINFO_HEADER];
		if (len < 0x80 && gobin_fits(BUILDINFO_HEADER + 1, len, r->size))
			keep_version(g, p + BUILDINFO_HEADER + 1, len);
		return;
	}
	if (gobin_elf_word(&g->elf, r->addr + 16, &at) && at < UINT64_MAX - 16 &&
	    gobin_elf_word(&g->elf, at, &str) && gobin_elf_word(&g->elf, at + 8, &len))
		keep_version(g, gobin_elf_at(&g->elf, str, len), len);
}

/* The block that every Go linker since 1.13 puts at the start of the data. */
static bool find_buildinfo(const struct gobin_elf *e, struct gobin_range *out)
{
	if (gobin_elf_section(e, ".go.buildinfo", false, out))
		return out->size > BUILDINFO_LEN &&
		       !memcmp(e->data + out->off, BUILDINFO, BUILDINFO_LEN);
	if (e->has_sections)
		return false;
	for (size_t i = 0; i < e->nloads; i++) {
		const struct gobin_range *l = &e->load[i];

		for (uint64_t at = -l->addr & 15; gobin_fits(at, BUILDINFO_HEADER, l->size);
		     at += 16) {
			if (memcmp(e->data + l->off + at, BUILDINFO, BUILDINFO_LEN))
				continue;
			*out = (struct gobin_range){ .addr = l->addr + at,
						     .off = l->off + at,
						     .size = l->size - at };
			return true;
		}
	}
	return false;
}

static bool is_header(const struct gobin_elf *e, const uint8_t *p)
{
	return p[4] == 0 && p[5] == 0 && p[6] == (e->machine == EM_AARCH64 ? 4 : 1) && p[7] == 8;
}

static uint64_t word(const struct gobin *g, unsigned i)
{
	return gobin_le64(g->elf.data + g->table.off + HEADER + i * 8);
}

/* The table as its header describes it fits into the range found for it. */
static bool take_layout(struct gobin *g, const struct layout *l)
{
	uint64_t n, size = g->table.size;

	if (size < HEADER_BYTES)
		return false;
	n = word(g, 0);
	g->nfunc = n;
	g->names = word(g, l->names);
	g->funcs = word(g, l->funcs);
	g->magic = l->magic;
	return n && n < size && g->names < size &&
	       gobin_fits(g->funcs, (2 * n + 1) * l->width, size);
}

/* Without a section to name it (position independent, or no section headers): by its looks. */
static bool search_table(struct gobin *g)
{
	const struct gobin_elf *e = &g->elf;

	for (size_t i = 0; i < e->nloads; i++) {
		const struct gobin_range *l = &e->load[i];
		const uint8_t *p = e->data + l->off;

		for (uint64_t at = -l->addr & 7; gobin_fits(at, HEADER_BYTES, l->size); at += 8) {
			const struct layout *y;

			if (p[at + 3] != 0xff || p[at + 2] != 0xff || p[at + 1] != 0xff ||
			    !is_header(e, p + at))
				continue;
			y = layout_of(gobin_le32(p + at));
			g->table = (struct gobin_range){ .addr = l->addr + at,
							 .off = l->off + at,
							 .size = l->size - at };
			if (y && (y->says || take_layout(g, y)))
				return true;
		}
	}
	return false;
}

static uint64_t field(const struct gobin *g, uint64_t off, unsigned width)
{
	const uint8_t *p = g->elf.data + g->table.off + off;

	return width == 4 ? gobin_le32(p) : gobin_le64(p);
}

/* Since 1.26 the header no longer says where the code starts. The runtime's description of the
 * module does; it begins with the address of the table, and its bounds must agree with it. */
static uint64_t text_of_module(const struct gobin *g)
{
	uint64_t first = field(g, g->funcs, 4), last = field(g, g->funcs + g->nfunc * 8, 4);
	uint64_t at = 0, text, min, max;

	for (int i = 0; i < MODULE_TRIES; i++) {
		if (!gobin_elf_find_word(&g->elf, g->table.addr, at, &at) ||
		    at > UINT64_MAX - 8 * (MODULE_TEXT + 1))
			return 0;
		if (gobin_elf_word(&g->elf, at + 8 * MODULE_TEXT, &text) &&
		    gobin_elf_word(&g->elf, at + 8 * MODULE_MINPC, &min) &&
		    gobin_elf_word(&g->elf, at + 8 * MODULE_MAXPC, &max) && text &&
		    min == text + first && max == text + last)
			return text;
	}
	return 0;
}

static int fail(struct gobin *g, const char *says)
{
	g->error = says;
	return -ENOTSUP;
}

static int read_table(struct gobin *g, bool named)
{
	const struct layout *l;

	if (named) {
		const uint8_t *p = g->elf.data + g->table.off;

		l = g->table.size >= HEADER && is_header(&g->elf, p) ? layout_of(gobin_le32(p))
								     : NULL;
		if (!l)
			return fail(g, "its function table is of an unknown version");
	} else if (search_table(g)) {
		l = layout_of(gobin_le32(g->elf.data + g->table.off));
	} else {
		return fail(g, "its function table was not found");
	}
	if (l->says)
		return fail(g, l->says);
	if (!take_layout(g, l))
		return fail(g, "its function table is damaged");
	if (!l->text)
		return 0;
	if (!gobin_elf_word(&g->elf, g->table.addr + HEADER + l->text * 8u, &g->text) || !g->text)
		g->text = text_of_module(g);
	return g->text ? 0 : fail(g, "its function table does not say where the code starts");
}

int gobin_open(struct gobin *g, const void *data, size_t len)
{
	struct gobin_range info;
	bool named, told;
	int rc;

	memset(g, 0, sizeof(*g));
	rc = gobin_elf_open(&g->elf, data, len);
	if (rc)
		return rc;
	told = find_buildinfo(&g->elf, &info);
	/* ".gopclntab", or ".data.rel.ro.gopclntab" where it has addresses to relocate */
	named = gobin_elf_section(&g->elf, ".gopclntab", true, &g->table);
	if (!told && !named)
		return -ENOEXEC;
	if (told)
		read_version(g, &info);
	return read_table(g, named);
}

/* Name at this offset of the table: exactly this one? */
static bool is_named(const struct gobin *g, uint64_t off, const char *name)
{
	size_t n = strlen(name) + 1;

	return gobin_fits(off, n, g->table.size) &&
	       !memcmp(g->elf.data + g->table.off + off, name, n);
}

/* Entry i of the table, or the end of the last function. Addresses may wait for relocation. */
static bool entry_addr(const struct gobin *g, uint64_t i, const struct layout *l, uint64_t *addr)
{
	uint64_t off = g->funcs + i * 2 * l->width;

	if (!l->text)
		return gobin_elf_word(&g->elf, g->table.addr + off, addr);
	*addr = g->text + field(g, off, l->width);
	return true;
}

static bool take_func(const struct gobin *g, uint64_t i, const struct layout *l,
		      struct gobin_func *out)
{
	uint64_t addr, end, off;

	if (!entry_addr(g, i, l, &addr) || !entry_addr(g, i + 1, l, &end) || end <= addr ||
	    end - addr > FUNC_MAX || !gobin_elf_offset(&g->elf, addr, PF_X, &off) ||
	    !gobin_fits(off, end - addr, g->elf.len))
		return false;
	*out = (struct gobin_func){ .addr = addr, .off = off, .size = end - addr };
	return true;
}

size_t gobin_find(const struct gobin *g, const char *const *names, size_t n, struct gobin_func *out)
{
	const struct layout *l = layout_of(g->magic);
	size_t found = 0;

	memset(out, 0, n * sizeof(*out));
	for (uint64_t i = 0; l && i < g->nfunc && found < n; i++) {
		uint64_t rec = field(g, g->funcs + (i * 2 + 1) * l->width, l->width), name;

		/* Records lie behind the entries, counted from where those start. */
		if (!gobin_fits(g->funcs, rec, g->table.size) ||
		    !gobin_fits(g->funcs + rec, l->width + 4u, g->table.size))
			continue;
		name = g->names + field(g, g->funcs + rec + l->width, 4);
		for (size_t k = 0; k < n; k++) {
			if (!out[k].size && is_named(g, name, names[k]))
				found += take_func(g, i, l, &out[k]);
		}
	}
	return found;
}

const uint8_t *gobin_code(const struct gobin *g, const struct gobin_func *f)
{
	return gobin_fits(f->off, f->size, g->elf.len) ? g->elf.data + f->off : NULL;
}
