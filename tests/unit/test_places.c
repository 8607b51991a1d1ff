/* SPDX-License-Identifier: BSD-2-Clause */
/* Cheap places for uprobes, in small functions written byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <errno.h>

#include "base/places.h"

#define FIND(...)                         \
	uint8_t code[] = { __VA_ARGS__ }; \
	struct places p;                  \
	int rc = places_find(EM_X86_64, code, sizeof(code), &p)

/* sub rsp, 8; xor eax, eax; test edx, edx; js +4; mov eax, [rdi]; cmp al, al; jne +5; add rsp, 8; ret; call */
#define GUARDED                                                                                   \
	0x48, 0x83, 0xec, 0x08, 0x31, 0xc0, 0x85, 0xd2, 0x78, 0x02, 0x8b, 0x07, 0x38, 0xc0, 0x75, \
		0x05, 0x48, 0x83, 0xc4, 0x08, 0xc3, 0xe8, 0, 0, 0, 0

static void test_a_branch_near_the_start_and_the_stack_check_near_the_end(void **state)
{
	FIND(GUARDED);

	(void)state;
	assert_int_equal(rc, 0);
	assert_int_equal(p.enter, 8);
	assert_int_equal(p.nexits, 1);
	assert_int_equal(p.exit[0], 14);
}

static void test_a_push_is_the_first_and_the_return_the_last(void **state)
{
	FIND(0x53, 0x31, 0xc0, 0x5b, 0xc3); /* push rbx; xor eax, eax; pop rbx; ret */

	(void)state;
	assert_int_equal(rc, 0);
	assert_int_equal(p.enter, 0);
	assert_int_equal(p.exit[0], 4);
}

static void test_arguments_that_are_gone_end_the_search(void **state)
{
	FIND(0x31, 0xff, 0x85, 0xd2, 0x78, 0x00, 0xc3); /* xor edi, edi; test; js +0; ret */

	(void)state;
	assert_int_equal(rc, 0);
	assert_int_equal(p.enter, 0);
}

static void test_a_result_that_still_changes_is_not_the_last(void **state)
{
	/* jne +2 to a call that may return; mov eax, 1; ret: only the return is sure */
	FIND(0x75, 0x06, 0xb8, 0x01, 0, 0, 0, 0xc3, 0xe8, 0, 0, 0, 0, 0xc3);

	(void)state;
	assert_int_equal(rc, 0);
	assert_int_equal(p.nexits, 2);
	assert_int_equal(p.exit[0], 7);
	assert_int_equal(p.exit[1], 13);
}

static void test_a_return_that_others_jump_to_stands_for_itself(void **state)
{
	/* test; je ret; xor eax, eax; nop; ret */
	FIND(0x85, 0xd2, 0x74, 0x03, 0x31, 0xc0, 0x90, 0xc3);

	(void)state;
	assert_int_equal(rc, 0);
	assert_int_equal(p.exit[0], 7);
}

static void test_a_loop_back_to_the_start_is_no_entry(void **state)
{
	/* mov eax, eax; dec r8d; nop <- jne; jne nop; ret */
	FIND(0x89, 0xc0, 0x41, 0xff, 0xc8, 0x90, 0x75, 0xfd, 0xc3);

	(void)state;
	assert_int_equal(rc, 0);
	assert_int_equal(p.enter, 0);
}

static void test_functions_that_leave_elsewhere_are_refused(void **state)
{
	struct places p;
	const uint8_t tail[] = { 0x31, 0xc0, 0xe9, 0x00, 0x10, 0, 0, 0xc3 };
	const uint8_t table[] = { 0xff, 0xe0, 0xc3 }; /* jmp rax */
	const uint8_t endless[] = { 0xeb, 0xfe };     /* jmp self */
	const uint8_t cut[] = { 0x48, 0x83 };
	const uint8_t inside[] = { 0xeb, 0x01, 0xb8, 1, 0, 0, 0, 0xc3 }; /* into an instruction */

	(void)state;
	assert_int_equal(places_find(EM_X86_64, tail, sizeof(tail), &p), -ENOENT);
	assert_int_equal(places_find(EM_X86_64, table, sizeof(table), &p), -ENOENT);
	assert_int_equal(places_find(EM_X86_64, endless, sizeof(endless), &p), -ENOENT);
	assert_int_equal(places_find(EM_X86_64, cut, sizeof(cut), &p), -ENOENT);
	assert_int_equal(places_find(EM_X86_64, inside, sizeof(inside), &p), -ENOENT);
	assert_int_equal(places_find(EM_X86_64, tail, 0, &p), -ENOENT);
	assert_int_equal(places_find(EM_AARCH64, tail, sizeof(tail), &p), -ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_branch_near_the_start_and_the_stack_check_near_the_end),
		cmocka_unit_test(test_a_push_is_the_first_and_the_return_the_last),
		cmocka_unit_test(test_arguments_that_are_gone_end_the_search),
		cmocka_unit_test(test_a_result_that_still_changes_is_not_the_last),
		cmocka_unit_test(test_a_return_that_others_jump_to_stands_for_itself),
		cmocka_unit_test(test_a_loop_back_to_the_start_is_no_entry),
		cmocka_unit_test(test_functions_that_leave_elsewhere_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
