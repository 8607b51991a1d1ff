// SPDX-License-Identifier: BSD-2-Clause
#include "base/places.h"

#include <capstone/capstone.h>
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define INSNS_MAX   1024
#define ENTRY_INSNS 24 /* looked at from the start */

struct insn {
	uint32_t at, target; /* target: of a direct jump or call, if has_target */
	uint16_t id;
	bool is_cheap, is_jump, is_conditional, is_call, is_target;
	bool has_target;
	bool writes_args, writes_result;
};

struct code {
	struct insn v[INSNS_MAX];
	size_t n, len;
};

static bool is_cheap(const cs_insn *i)
{
	uint8_t op = i->bytes[0];

	if (op == 0x41 && i->size == 2) /* push r8 to r15 */
		return (i->bytes[1] & 0xf8) == 0x50;
	if (i->size == 1)
		return (op & 0xf8) == 0x50 || op == 0x90;
	if (op == 0xeb || op == 0xe9 || op == 0xe8 || (op & 0xf0) == 0x70)
		return true;
	return op == 0x0f && (i->bytes[1] & 0xf0) == 0x80;
}

/* A register by the family it belongs to: eax and al are part of rax. */
static bool is_arg(x86_reg r)
{
	static const x86_reg args[] = { X86_REG_RDI, X86_REG_EDI, X86_REG_DI,  X86_REG_DIL,
					X86_REG_RSI, X86_REG_ESI, X86_REG_SI,  X86_REG_SIL,
					X86_REG_RDX, X86_REG_EDX, X86_REG_DX,  X86_REG_DL,
					X86_REG_DH,  X86_REG_RCX, X86_REG_ECX, X86_REG_CX,
					X86_REG_CL,  X86_REG_CH };

	for (size_t i = 0; i < ARRAY_SIZE(args); i++)
		if (args[i] == r)
			return true;
	return false;
}

static bool is_result(x86_reg r)
{
	return r == X86_REG_RAX || r == X86_REG_EAX || r == X86_REG_AX || r == X86_REG_AL ||
	       r == X86_REG_AH;
}

static void take_writes(csh cs, const cs_insn *i, struct insn *out)
{
	cs_regs read, written;
	uint8_t nread, nwritten;

	if (cs_regs_access(cs, i, read, &nread, written, &nwritten)) {
		out->writes_args = out->writes_result = true; /* not known */
		return;
	}
	for (uint8_t k = 0; k < nwritten; k++) {
		out->writes_args |= is_arg(written[k]);
		out->writes_result |= is_result(written[k]);
	}
}

static void take_insn(csh cs, const cs_insn *i, struct insn *out)
{
	const cs_x86 *x = &i->detail->x86;

	*out = (struct insn){ .at = (uint32_t)i->address, .id = (uint16_t)i->id };
	out->is_cheap = is_cheap(i);
	out->is_call = cs_insn_group(cs, i, CS_GRP_CALL);
	out->is_jump = cs_insn_group(cs, i, CS_GRP_JUMP);
	out->is_conditional = out->is_jump && i->id != X86_INS_JMP;
	if ((out->is_call || out->is_jump) && x->op_count == 1 &&
	    x->operands[0].type == X86_OP_IMM) {
		out->has_target = true;
		out->target = (uint32_t)x->operands[0].imm;
	}
	take_writes(cs, i, out);
}

static int disassemble(struct code *c, const uint8_t *p, size_t len)
{
	uint64_t at = 0;
	cs_insn *i;
	csh cs;
	int rc = 0;

	if (cs_open(CS_ARCH_X86, CS_MODE_64, &cs) != CS_ERR_OK)
		return -ENOTSUP;
	cs_option(cs, CS_OPT_DETAIL, CS_OPT_ON);
	i = cs_malloc(cs);
	while (i && len && !rc) {
		if (c->n == INSNS_MAX || !cs_disasm_iter(cs, &p, &len, &at, i))
			rc = -ENOENT;
		else
			take_insn(cs, i, &c->v[c->n++]);
	}
	rc = i ? rc : -ENOMEM;
	if (i)
		cs_free(i, 1);
	cs_close(&cs);
	return rc;
}

static struct insn *find(struct code *c, uint32_t at)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].at == at)
			return &c->v[i];
	return NULL;
}

/* Every jump stays inside. Marks where they go. */
static bool is_closed(struct code *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct insn *j = &c->v[i];
		struct insn *to;

		if (!j->is_jump)
			continue;
		to = j->has_target && j->target < c->len ? find(c, j->target) : NULL;
		if (!to)
			return false;
		to->is_target = true;
	}
	return true;
}

static uint32_t entry(const struct code *c)
{
	for (size_t i = 0; i < c->n && i < ENTRY_INSNS; i++) {
		const struct insn *k = &c->v[i];

		if (i && k->is_target)
			return 0; /* a loop: passed more than once */
		if (k->is_cheap)
			return k->at;
		if (k->writes_args || k->is_jump || k->is_call || k->id == X86_INS_RET)
			return 0;
	}
	return 0;
}

/* The check of the stack before a return: its other way ends in a call that does not return. */
static bool is_last_check(struct code *c, const struct insn *j)
{
	const struct insn *to = j->is_conditional && j->has_target ? find(c, j->target) : NULL;

	return to && to->is_call;
}

/* The return at v[ret], or what comes before it in any case and is cheaper. */
static uint32_t last_place(struct code *c, size_t ret)
{
	for (size_t i = ret; i > 0 && !c->v[i].is_target; i--) {
		const struct insn *before = &c->v[i - 1];

		if (before->is_cheap && !before->is_jump && !before->is_call)
			return before->at;
		if (before->is_cheap && is_last_check(c, before))
			return before->at;
		if (before->writes_result || before->is_jump || before->is_call)
			break;
	}
	return c->v[ret].at;
}

int places_find(uint16_t machine, const uint8_t *code, size_t len, struct places *out)
{
	w5_auto(freep) struct code *c = NULL;
	int err;

	memset(out, 0, sizeof(*out));
	if (machine != EM_X86_64)
		return -ENOTSUP;
	if (!len || len > PLACES_CODE_MAX)
		return -ENOENT;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->len = len;
	err = disassemble(c, code, len);
	if (err)
		return err;
	if (!is_closed(c))
		return -ENOENT;
	out->enter = entry(c);
	for (size_t i = 0; i < c->n; i++) {
		if (c->v[i].id != X86_INS_RET)
			continue;
		if (out->nexits == PLACES_MAX)
			return -ENOENT;
		out->exit[out->nexits++] = last_place(c, i);
	}
	return out->nexits ? 0 : -ENOENT;
}
