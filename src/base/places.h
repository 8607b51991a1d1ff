/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where in a function a uprobe is cheap. The kernel runs a probed instruction out of line and steps
 * over it, unless it can do its work itself (arch/x86/kernel/uprobes.c: push of a register,
 * nop, jump, conditional jump, call). A step is an exception that a hypervisor takes part in: measured
 * in a virtual machine 15 us against 1 us. So: not at a function's first instruction and its
 * return, but near them, where such an instruction comes by in any case.
 *
 * In: a function's code, hostile; out: offsets into it. x86-64; elsewhere nothing is found.
 */
#ifndef BASE_PLACES_H
#define BASE_PLACES_H

#include <stddef.h>
#include <stdint.h>

#define PLACES_CODE_MAX 4096 /* bytes of a function looked at */
#define PLACES_MAX	16   /* returns */

struct places {
	uint32_t enter; /* passed once in a call, the first four arguments still in place */
	uint32_t exit[PLACES_MAX]; /* one of them is passed last, the result in its register */
	size_t nexits;
};

/* 0, -ENOTSUP (machine), or -ENOENT: the function may leave otherwise than by a return (it ends in
 * another one, or jumps through a table), or has too many. */
int places_find(uint16_t machine, const uint8_t *code, size_t len, struct places *out);

#endif
