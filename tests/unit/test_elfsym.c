/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions looked up in this very program, and in damaged copies of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/elfsym.h"
#include "base/util.h"

/* Names of which one ends in the other: a linker may keep them in one place. */
int elfsym_probe(int x);
int other_elfsym_probe(int x);
__attribute__((noinline, used)) int elfsym_probe(int x)
{
	return x * 3 + 7;
}
__attribute__((noinline, used)) int other_elfsym_probe(int x)
{
	return x * 5 + 11;
}

static int open_self(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* The first bytes of the function in memory are those at its offset in the file. */
static void check_code(int fd, uint64_t offset, const void *code)
{
	uint8_t in_file[8];

	assert_int_equal(pread(fd, in_file, sizeof(in_file), offset), sizeof(in_file));
	assert_memory_equal(in_file, code, sizeof(in_file));
}

static void test_functions_are_found_in_the_full_table_only_when_asked(void **state)
{
	struct elf_symbol v[] = { { .name = "elfsym_probe" },
				  { .name = "other_elfsym_probe" },
				  { .name = "elfsym_probe_that_is_not_there" } };
	w5_auto(closep) int fd = open_self();
	const char *why;

	assert_int_equal(elf_find_functions(fd, v, 3, true, &why), 2);
	check_code(fd, v[0].offset, (const void *)elfsym_probe);
	check_code(fd, v[1].offset, (const void *)other_elfsym_probe);
	assert_int_equal(v[2].offset, 0);
	/* Nothing exports them. */
	assert_int_equal(elf_find_functions(fd, v, 3, false, &why), 0);
}

static void test_imported_functions_are_not_defined_here(void **state)
{
	struct elf_symbol v[] = { { .name = "pread" }, { .name = NULL } };
	w5_auto(closep) int fd = open_self();
	const char *why;

	assert_int_equal(elf_find_functions(fd, v, 2, true, &why), 0);
	assert_int_equal(v[0].offset, 0);
}

/* A copy of this program that a test may damage. */
struct copy {
	uint8_t *data;
	size_t len;
};

static int setup_copy(void **state)
{
	struct copy *c = calloc(1, sizeof(*c));
	int fd = open_self();
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	c->len = st.st_size;
	c->data = malloc(c->len);
	assert_int_equal(pread(fd, c->data, c->len, 0), c->len);
	close(fd);
	*state = c;
	return 0;
}

static int teardown_copy(void **state)
{
	struct copy *c = *state;

	free(c->data);
	free(c);
	return 0;
}

static int find_in(const uint8_t *data, size_t len, struct elf_symbol *v, const char **why)
{
	int fd = memfd_create("elf", MFD_CLOEXEC), n;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	n = elf_find_functions(fd, v, 1, true, why);
	close(fd);
	return n;
}

static void expect_refused(const struct copy *c, const char *words)
{
	struct elf_symbol v = { .name = "elfsym_probe" };
	const char *why = NULL;

	assert_int_equal(find_in(c->data, c->len, &v, &why), -ENOEXEC);
	assert_non_null(strstr(why, words));
	assert_int_equal(v.offset, 0);
}

static void test_other_files_are_refused_in_words(void **state)
{
	struct copy *c = *state;
	struct copy script = { (uint8_t *)"#!/bin/sh\n", 10 };

	expect_refused(&script, "not an ELF file");
	c->data[EI_CLASS] = ELFCLASS32;
	expect_refused(c, "64-bit");
}

static void test_damaged_tables_are_refused_in_words(void **state)
{
	const struct copy *c = *state;
	Elf64_Ehdr *h = (Elf64_Ehdr *)c->data, good = *h;

	h->e_shoff = UINT64_MAX - 10;
	expect_refused(c, "damaged");
	*h = good;
	h->e_shoff = c->len - 10; /* begins inside, ends outside */
	expect_refused(c, "damaged");
	*h = good;
	h->e_shentsize = 8;
	expect_refused(c, "damaged");
	*h = good;
	h->e_phnum = 0;
	expect_refused(c, "damaged");
}

static Elf64_Shdr *section_of_type(const struct copy *c, uint32_t type)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)c->data;
	Elf64_Shdr *s = (Elf64_Shdr *)(c->data + h->e_shoff);

	for (size_t i = 0; i < h->e_shnum; i++)
		if (s[i].sh_type == type)
			return &s[i];
	fail();
	return NULL;
}

static void test_damaged_symbol_tables_are_refused_in_words(void **state)
{
	const struct copy *c = *state;
	Elf64_Shdr *s = section_of_type(c, SHT_SYMTAB), good = *s;

	s->sh_size = UINT64_MAX;
	expect_refused(c, "damaged");
	*s = good;
	s->sh_offset = UINT64_MAX - 5;
	expect_refused(c, "damaged");
	*s = good;
	s->sh_link = 0xffffff;
	expect_refused(c, "damaged");
	*s = good;
	s->sh_link = 0; /* a section that is no table of names */
	expect_refused(c, "damaged");
}

static void test_an_address_outside_of_code_is_not_found(void **state)
{
	struct elf_symbol v = { .name = "elfsym_probe" };
	const struct copy *c = *state;
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)c->data;
	Elf64_Phdr *p = (Elf64_Phdr *)(c->data + h->e_phoff);
	const char *why;

	assert_int_equal(find_in(c->data, c->len, &v, &why), 1);
	for (size_t i = 0; i < h->e_phnum; i++)
		if (p[i].p_flags & PF_X)
			p[i].p_offset = UINT64_MAX - 1;
	assert_int_equal(find_in(c->data, c->len, &v, &why), 0);
}

static void test_a_file_cut_short_anywhere_is_no_trouble(void **state)
{
	const struct copy *c = *state;

	for (size_t part = 0; part < 64; part++) {
		struct elf_symbol v = { .name = "elfsym_probe" };
		const char *why = NULL;

		if (find_in(c->data, c->len / 64 * part, &v, &why) < 0)
			assert_non_null(why);
	}
}

static void test_texts_are_found_across_reads(void **state)
{
	static const char *const texts[] = { "not in there", "needle-7" };
	const size_t len = 300000;
	int fd = memfd_create("text", MFD_CLOEXEC);
	uint8_t *data = calloc(1, len);

	/* 64 KiB are read at a time. */
	for (size_t at = 65536 - 8; at <= 65536; at++) {
		memset(data, 'x', len);
		memcpy(data + at, "needle-7", 8);
		assert_int_equal(pwrite(fd, data, len, 0), len);
		assert_int_equal(elf_find_text(fd, texts, 2, len), 1);
		assert_int_equal(elf_find_text(fd, texts, 1, len), -ENOENT);
	}
	free(data);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions_are_found_in_the_full_table_only_when_asked),
		cmocka_unit_test(test_imported_functions_are_not_defined_here),
		cmocka_unit_test_setup_teardown(test_other_files_are_refused_in_words, setup_copy,
						teardown_copy),
		cmocka_unit_test_setup_teardown(test_damaged_tables_are_refused_in_words,
						setup_copy, teardown_copy),
		cmocka_unit_test_setup_teardown(test_damaged_symbol_tables_are_refused_in_words,
						setup_copy, teardown_copy),
		cmocka_unit_test_setup_teardown(test_an_address_outside_of_code_is_not_found,
						setup_copy, teardown_copy),
		cmocka_unit_test_setup_teardown(test_a_file_cut_short_anywhere_is_no_trouble,
						setup_copy, teardown_copy),
		cmocka_unit_test(test_texts_are_found_across_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
