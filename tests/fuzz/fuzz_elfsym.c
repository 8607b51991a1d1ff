/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The look-up of functions in an ELF file, fed with a file. Invariants: no offset lies outside
 * the file; what is found is counted; a failure has words.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/elfsym.h"

#define expect(c)                \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

#define NAMES 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_symbol v[NAMES] = { { .name = "SSL_read" },
				       { .name = NULL },
				       { .name = "SSL_read_ex" } };
	const char *why = NULL;
	int fd = memfd_create("elf", MFD_CLOEXEC), found = 0, n;

	expect(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	n = elf_find_functions(fd, v, NAMES, true, &why);
	for (size_t i = 0; i < NAMES; i++) {
		expect(v[i].offset < size || !v[i].offset);
		found += v[i].offset != 0;
	}
	expect(n < 0 ? !!why : n == found);
	close(fd);
	return 0;
}
