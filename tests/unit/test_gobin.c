/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/gobin_make.h"
#include "base/gobin.h"
#include "base/util.h"

#define GO_1_16 0xfffffffau
#define GO_1_18 0xfffffff0u
#define GO_1_20 0xfffffff1u

static const char *const wanted[] = { "crypto/tls.(*Conn).Write", "crypto/tls.(*Conn).Read",
				      "crypto/tls.(*Conn).Close" };

static void check_found(const uint8_t *file, size_t len, const char *version)
{
	struct gobin_func f[3];
	uint32_t ret[4];
	struct gobin g;

	assert_int_equal(gobin_open(&g, file, len), 0);
	assert_string_equal(g.version, version);
	assert_int_equal(gobin_find(&g, wanted, 3, f), 2);
	assert_int_equal(f[0].off, MADE_TEXT + 2 * MADE_STEP);
	assert_int_equal(f[0].addr, MADE_BASE + f[0].off);
	assert_int_equal(f[0].size, MADE_STEP);
	assert_int_equal(f[1].off, MADE_TEXT + MADE_STEP);
	assert_int_equal(f[2].size, 0);
	assert_ptr_equal(gobin_code(&g, &f[1]), file + f[1].off);
	assert_int_equal(gobin_body(g.elf.machine, gobin_code(&g, &f[1]), f[1].size), 6);
	assert_int_equal(gobin_returns(g.elf.machine, gobin_code(&g, &f[1]), f[1].size, ret, 4), 2);
	assert_int_equal(ret[0], MADE_RET1);
	assert_int_equal(ret[1], MADE_RET2);
}

/* Every way a linker lays it out that we know of. */
static void test_functions_are_found_in_every_layout(void **state)
{
	static const char *const names[] = { ".gopclntab", ".data.rel.ro.gopclntab" };
	static const uint32_t magics[] = { GO_1_16, GO_1_18, GO_1_20 };
	uint8_t *file = malloc(MADE_SIZE); /* exactly: ASan watches its ends */

	for (unsigned i = 0; i < 3 * 16; i++) {
		struct made m = { .magic = magics[i / 16],
				  .sections = i & 1,
				  .pie = i & 2,
				  .module = i & 4,
				  .old_info = i & 8,
				  .table_name = names[!!(i & 2)] };

		made_write(file, &m);
		check_found(file, MADE_SIZE, m.old_info ? "go1.17.3" : "go1.99");
	}
	free(file);
}

static void refused(const uint8_t *file, const char *says)
{
	struct gobin g;

	assert_int_equal(gobin_open(&g, file, MADE_SIZE), -ENOTSUP);
	assert_non_null(strstr(g.error, says));
	assert_string_equal(g.version, "go1.99");
}

static void test_what_is_not_known_is_refused_with_a_reason(void **state)
{
	struct made m = { .magic = 0xffffff77, .sections = true, .table_name = ".gopclntab" };
	uint8_t *file = malloc(MADE_SIZE);

	made_write(file, &m);
	refused(file, "unknown version");
	m.magic = 0xfffffffb; /* Go 1.2 to 1.15 */
	made_write(file, &m);
	refused(file, "older than 1.17");
	m.magic = GO_1_20;
	made_write(file, &m);
	made_put(file, MADE_TABLE + 8, 0x1000000, 8); /* more functions than the table can hold */
	refused(file, "damaged");
	made_write(file, &m);
	made_put(file, MADE_TABLE + 8, UINT64_MAX / 8 + 2, 8); /* their size overflows */
	refused(file, "damaged");
	m.module = true;
	made_write(file, &m);
	made_put(file, MADE_MODULE + 21 * 8, MADE_BASE, 8); /* ends elsewhere than the table */
	refused(file, "where the code starts");
	m.sections = false;
	made_write(file, &m);
	made_put(file, MADE_TABLE, 0, 4);
	refused(file, "not found");
	free(file);
}

static void test_other_programs_are_no_go_programs(void **state)
{
	struct made m = { .magic = GO_1_20, .sections = true, .table_name = ".rodata" };
	uint8_t *file = malloc(MADE_SIZE);
	struct gobin g;

	made_write(file, &m);
	memcpy(file + MADE_NAMES + 0x30, ".data\0", 6);
	assert_int_equal(gobin_open(&g, file, MADE_SIZE), -ENOEXEC);
	made_write(file, &m);
	file[EI_CLASS] = ELFCLASS32;
	assert_int_equal(gobin_open(&g, file, MADE_SIZE), -ENOEXEC);
	made_put(file, 0, 0x2f2123, 4); /* #!/ */
	assert_int_equal(gobin_open(&g, file, MADE_SIZE), -ENOEXEC);
	assert_int_equal(gobin_open(&g, file, 3), -ENOEXEC);
	free(file);
}

/* A function that is not code in the file is not found, whatever the table says. */
static void test_entries_outside_of_the_code_are_not_found(void **state)
{
	struct made m = { .magic = GO_1_20, .sections = true, .table_name = ".gopclntab" };
	static const uint32_t bad[] = { 0x60, 0x300, 0xfffffff0, 0x7fffffff };
	uint8_t *file = malloc(MADE_SIZE);
	struct gobin_func f[3];
	struct gobin g;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		made_write(file, &m);
		made_put(file, MADE_TABLE + 0x100 + 2 * 8, bad[i], 4); /* entry of Write */
		assert_int_equal(gobin_open(&g, file, MADE_SIZE), 0);
		assert_true(gobin_find(&g, wanted, 3, f) <= 1);
		assert_int_equal(f[0].size, 0);
	}
	made_write(file, &m);
	made_put(file, MADE_TABLE + 0x100 + 2 * 8 + 4, 0xffffff00, 4); /* its record */
	assert_int_equal(gobin_open(&g, file, MADE_SIZE), 0);
	assert_int_equal(gobin_find(&g, wanted, 3, f), 1);
	free(file);
}

/* Cut anywhere, it may be refused or have fewer functions; ASan watches the rest. */
static void test_a_file_cut_short_is_no_danger(void **state)
{
	struct made m = { .magic = GO_1_20, .pie = true, .module = true, .table_name = "" };
	uint8_t *file = malloc(MADE_SIZE), *cut;
	struct gobin_func f[3];
	struct gobin g;

	made_write(file, &m);
	for (size_t len = 0; len <= MADE_SIZE; len += len < 0x140 ? 1 : 7) {
		cut = malloc(len ? len : 1);
		memcpy(cut, file, len);
		if (!gobin_open(&g, cut, len))
			assert_true(gobin_find(&g, wanted, 3, f) <= 2);
		free(cut);
	}
	free(file);
}

static void test_returns_are_instructions_not_bytes(void **state)
{
	static const uint8_t code[] = {
		0x48, 0x8b, 0x05, 0xc3, 0xc3, 0xc3, 0xc3,		    /* mov rax,[rip+..] */
		0x0f, 0x84, 0xc3, 0x00, 0x00, 0x00,			    /* je */
		0xc3,							    /* ret */
		0x48, 0xb8, 0xc3, 0xc3, 0xc3, 0xc3, 0xc3, 0xc3, 0xc3, 0xc3, /* mov rax,imm64 */
		0xf3, 0xc3,						    /* rep ret */
		0xe8, 0xc3, 0xc3, 0x00, 0x00,				    /* call morestack */
		0xcc, 0xcc,						    /* padding */
	};
	static const uint8_t invalid[] = { 0x90, 0x06, 0xc3 }; /* push es: not in 64-bit mode */
	uint32_t ret[2];

	assert_int_equal(gobin_returns(EM_X86_64, code, sizeof(code), ret, 2), 2);
	assert_int_equal(ret[0], 13);
	assert_int_equal(ret[1], 24);
	assert_int_equal(gobin_returns(EM_X86_64, code, sizeof(code), ret, 1), -E2BIG);
	assert_int_equal(gobin_returns(EM_X86_64, code, 10, ret, 2), -EILSEQ); /* cut */
	assert_int_equal(gobin_returns(EM_X86_64, invalid, sizeof(invalid), ret, 2), -EILSEQ);
	assert_int_equal(gobin_returns(EM_X86_64, code, 0, ret, 2), 0);
	assert_int_equal(gobin_returns(EM_386, code, sizeof(code), ret, 2), -ENOTSUP);
}

static void test_returns_on_arm64(void **state)
{
	static const uint8_t code[] = {
		0x90, 0x0b, 0x40, 0xf9,				/* ldr x16,[x28,#16] */
		0xc0, 0x03, 0x5f, 0xd6,				/* ret */
		0x00, 0xc0, 0x03, 0x5f, 0xd6, 0,    0,	  0x14, /* its bytes, but not aligned; b */
		0xc0, 0x03, 0x5f, 0xd6, 0xc0, 0x03, 0x5f,
	};
	uint32_t ret[4];

	assert_int_equal(gobin_returns(EM_AARCH64, code, sizeof(code), ret, 4), 2);
	assert_int_equal(ret[0], 4);
	assert_int_equal(ret[1], 16);
	assert_int_equal(gobin_returns(EM_AARCH64, code, sizeof(code), ret, 1), -E2BIG);
}

static void test_the_body_begins_behind_the_stack_check(void **state)
{
	/* cmp rsp,[r14+16]; jbe; sub rsp,.. */
	static const uint8_t small[] = {
		0x49, 0x3b, 0x66, 0x10, 0x76, 0x40, 0x48, 0x83, 0xec, 0x30
	};
	/* lea r12,[rsp-0x90]; cmp r12,[r14+16]; jbe long; push rbp */
	static const uint8_t large[] = { 0x4c, 0x8d, 0xa4, 0x24, 0x70, 0xff, 0xff, 0xff, 0x4d, 0x3b,
					 0x66, 0x10, 0x0f, 0x86, 0x00, 0x07, 0x00, 0x00, 0x55 };
	/* ldr x16,[x28,#16]; cmp sp,x16; b.ls; str x30,[sp,..]! */
	static const uint8_t arm64[] = { 0x90, 0x0b, 0x40, 0xf9, 0xff, 0x63, 0x30, 0xeb,
					 0x89, 0x01, 0x00, 0x54, 0xfe, 0x0f, 0x1b, 0xf8 };

	assert_int_equal(gobin_body(EM_X86_64, small, sizeof(small)), 6);
	assert_int_equal(gobin_body(EM_X86_64, large, sizeof(large)), 18);
	assert_int_equal(gobin_body(EM_AARCH64, arm64, sizeof(arm64)), 12);
}

static void test_only_the_register_abi_is_taken(void **state)
{
	/* mov rcx,fs:-8; cmp rsp,[rcx+16]; jbe: before Go 1.17 */
	static const uint8_t old[] = { 0x64, 0x48, 0x8b, 0x0c, 0x25, 0xf8, 0xff, 0xff,
				       0xff, 0x48, 0x3b, 0x61, 0x10, 0x76, 0x40, 0x90 };
	/* the compare, but no branch on it: nothing a compiler makes */
	static const uint8_t odd[] = { 0x49, 0x3b, 0x66, 0x10, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90 };
	static const uint8_t arm64[] = { 0x89, 0x01, 0x00, 0x54, 0xfe, 0x0f,
					 0x1b, 0xf8, 0x90, 0x0b, 0x40, 0xf9 };

	assert_int_equal(gobin_body(EM_X86_64, old, sizeof(old)), -ENOENT);
	assert_int_equal(gobin_body(EM_X86_64, odd, sizeof(odd)), -ENOENT);
	assert_int_equal(gobin_body(EM_X86_64, old, 0), -ENOENT);
	assert_int_equal(gobin_body(EM_AARCH64, arm64, sizeof(arm64)), -ENOENT);
	assert_int_equal(gobin_body(EM_386, old, sizeof(old)), -ENOENT);
}

/* Caddy as the distribution ships it: stripped. */
static void test_a_real_gateway(void **state)
{
	static const char *const names[] = { "crypto/tls.(*Conn).Read", "crypto/tls.(*Conn).Write",
					     "crypto/tls.(*Conn).clientHandshake",
					     "crypto/tls.(*Conn).serverHandshake" };
	w5_auto(closep) int fd = open("/usr/bin/caddy", O_RDONLY | O_CLOEXEC);
	struct gobin_func f[4];
	uint32_t ret[64];
	struct stat st;
	struct gobin g;
	void *p;

	if (fd < 0 || fstat(fd, &st))
		skip();
	/* Shared: in a private mapping are the breakpoints of a why502 that runs elsewhere. */
	p = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	assert_int_equal(gobin_open(&g, p, st.st_size), 0);
	assert_int_equal(strncmp(g.version, "go1.", 4), 0);
	assert_int_equal(gobin_find(&g, names, 4, f), 4);
	for (int i = 0; i < 4; i++) {
		const uint8_t *code = gobin_code(&g, &f[i]);
		int n = gobin_returns(g.elf.machine, code, f[i].size, ret, 64);

		assert_true(gobin_body(g.elf.machine, code, f[i].size) > 0);
		assert_true(n > 0);
		for (int k = 0; k < n && g.elf.machine == EM_X86_64; k++)
			assert_int_equal(code[ret[k]], 0xc3);
	}
	munmap(p, st.st_size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions_are_found_in_every_layout),
		cmocka_unit_test(test_what_is_not_known_is_refused_with_a_reason),
		cmocka_unit_test(test_other_programs_are_no_go_programs),
		cmocka_unit_test(test_entries_outside_of_the_code_are_not_found),
		cmocka_unit_test(test_a_file_cut_short_is_no_danger),
		cmocka_unit_test(test_returns_are_instructions_not_bytes),
		cmocka_unit_test(test_returns_on_arm64),
		cmocka_unit_test(test_the_body_begins_behind_the_stack_check),
		cmocka_unit_test(test_only_the_register_abi_is_taken),
		cmocka_unit_test(test_a_real_gateway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
