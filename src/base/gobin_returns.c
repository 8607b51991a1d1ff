// SPDX-License-Identifier: BSD-2-Clause
#include <capstone/capstone.h>
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/gobin.h"
#include "base/util.h"

#define PROLOGUE_MAX 48 /* bytes; a large frame is compared after a few instructions */
#define ARM64_RET    0xd65f03c0u
#define ARM64_LIMIT  0xf9400b90u /* ldr x16, [x28, #16]: the goroutine's stack limit */
#define ARM64_BLS    0x54000009u /* b.ls */

/* The check ends with a branch to where the stack is moved: jbe, short or long. */
static int body_x86(const uint8_t *code, size_t len)
{
	/* cmp REG, [r14 + 16], REG being rsp, or r12 where the frame is large */
	static const uint8_t limit[][4] = { { 0x49, 0x3b, 0x66, 0x10 },
					    { 0x4d, 0x3b, 0x66, 0x10 } };

	for (size_t i = 0; i + 10 <= len; i++) {
		if (memcmp(code + i, limit[0], 4) && memcmp(code + i, limit[1], 4))
			continue;
		if (code[i + 4] == 0x76)
			return i + 6;
		if (code[i + 4] == 0x0f && code[i + 5] == 0x86)
			return i + 10;
	}
	return -ENOENT;
}

static int body_arm64(const uint8_t *code, size_t len)
{
	bool loaded = false;

	for (size_t i = 0; i + 8 <= len; i += 4) {
		loaded |= gobin_le32(code + i) == ARM64_LIMIT;
		if (loaded && (gobin_le32(code + i) & 0xff00001fu) == ARM64_BLS)
			return i + 4;
	}
	return -ENOENT;
}

int gobin_body(uint16_t machine, const uint8_t *code, size_t len)
{
	len = min_size(len, PROLOGUE_MAX);
	if (machine == EM_X86_64)
		return body_x86(code, len);
	return machine == EM_AARCH64 ? body_arm64(code, len) : -ENOENT;
}

static int returns_arm64(const uint8_t *code, size_t len, uint32_t *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i + 4 <= len; i += 4) {
		if (gobin_le32(code + i) != ARM64_RET)
			continue;
		if (n == cap)
			return -E2BIG;
		out[n++] = i;
	}
	return n;
}

static int returns_x86(csh cs, const uint8_t *code, size_t len, uint32_t *out, size_t cap)
{
	const uint8_t *p = code;
	cs_insn *insn = cs_malloc(cs);
	uint64_t at = 0;
	size_t n = 0;
	int rc = 0;

	if (!insn)
		return -ENOMEM;
	while (len && !rc) {
		if (!cs_disasm_iter(cs, &p, &len, &at, insn))
			rc = -EILSEQ;
		else if (insn->id != X86_INS_RET)
			continue;
		else if (n == cap)
			rc = -E2BIG;
		else
			out[n++] = insn->address;
	}
	cs_free(insn, 1);
	return rc ? rc : (int)n;
}

int gobin_returns(uint16_t machine, const uint8_t *code, size_t len, uint32_t *out, size_t cap)
{
	csh cs;
	int rc;

	if (len > UINT32_MAX)
		return -E2BIG;
	if (machine == EM_AARCH64)
		return returns_arm64(code, len, out, cap);
	if (machine != EM_X86_64 || cs_open(CS_ARCH_X86, CS_MODE_64, &cs) != CS_ERR_OK)
		return -ENOTSUP;
	rc = returns_x86(cs, code, len, out, cap);
	cs_close(&cs);
	return rc;
}
