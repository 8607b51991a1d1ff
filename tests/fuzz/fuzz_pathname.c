/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Folding a hostile request target: stays in its room, writes printable ASCII, and is
 * stable - the same path with another query, and the folded path itself, fold alike.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sink/pathname.h"

#define expect(c)                \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t cap = size ? 8 + data[0] % (PATHNAME_MAX - 8) : 8, n;
	char *target, *query, *out = malloc(cap), full[PATHNAME_MAX], other[PATHNAME_MAX];

	if (size) {
		data++;
		size--;
	}
	target = malloc(size + 1); /* on the heap, and exactly so long: a read beyond is seen */
	query = malloc(size + 4);
	memcpy(target, data, size);
	target[size] = '\0';
	n = pathname_fold(out, cap, target);
	expect(n < cap && strlen(out) == n);
	for (size_t i = 0; i < n; i++)
		expect(out[i] > ' ' && out[i] < 0x7f && out[i] != '"' && out[i] != '\\');
	n = pathname_fold(full, sizeof(full), target);
	expect(n < sizeof(full));
	if (target[0] == '/') {
		memcpy(query, target, strcspn(target, "?#"));
		memcpy(query + strcspn(target, "?#"), "?x", 3);
		pathname_fold(other, sizeof(other), query);
		expect(!strcmp(full, other));
	}
	free(target);
	free(query);
	free(out);
	return 0;
}
