/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader of Go executables, fed with a file. Invariants: what it finds is code that lies in
 * the file; returns are inside their function, in order. Then the same bytes as code.
 */
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/gobin.h"
#include "base/util.h"

#define expect(c)                \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

#define RETURNS 64

static void check_code(uint16_t machine, const uint8_t *code, size_t len)
{
	uint32_t ret[RETURNS];
	int n = gobin_returns(machine, code, len, ret, RETURNS);

	expect(gobin_body(machine, code, len) < (int64_t)len);
	expect(n <= RETURNS);
	for (int i = 0; i < n; i++)
		expect(ret[i] < len && (!i || ret[i] > ret[i - 1]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "crypto/tls.(*Conn).Read", "crypto/tls.(*Conn).Write",
					     "main.main" };
	struct gobin_func f[ARRAY_SIZE(names)];
	struct gobin g;

	if (!gobin_open(&g, data, size)) {
		expect(memchr(g.version, 0, sizeof(g.version)));
		expect(gobin_find(&g, names, ARRAY_SIZE(names), f) <= ARRAY_SIZE(names));
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			const uint8_t *code = gobin_code(&g, &f[i]);

			if (!f[i].size)
				continue;
			expect(code && gobin_fits(f[i].off, f[i].size, size));
			check_code(g.elf.machine, code, f[i].size);
		}
	}
	check_code(EM_X86_64, data, size);
	check_code(EM_AARCH64, data, size);
	return 0;
}
