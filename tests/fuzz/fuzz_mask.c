/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Masks over heads and targets. Invariants: nothing outside is touched, line ends stay where
 * they are, what was a secret's value under a plain name is gone, and every way to mask twice
 * ends in bytes that are masks.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mask.h"

#define expect(c)                \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

static const uint8_t key[MASK_KEY_BYTES] = "sixteen bytes ok";

static void check_lines(const uint8_t *before, const uint8_t *after, size_t len)
{
	for (size_t i = 0; i < len; i++)
		expect((before[i] == '\n') == (after[i] == '\n'));
}

/* "?token=" in plain letters, as a parameter, is never followed by what was there. */
static void check_token(const uint8_t *p, size_t len)
{
	static const char name[] = "?token=";
	const uint8_t *at = p, *end = p + len;

	while ((at = memmem(at, (size_t)(end - at), name, sizeof(name) - 1))) {
		at += sizeof(name) - 1;
		if (at == end)
			return;
		expect(*at <= ' ' || *at == '"' || *at == '&' || *at == '?' || *at == '*' ||
		       *at == '%');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *head = malloc(size ? size : 1), *target = malloc(size ? size : 1);
	struct mask m;
	size_t n;

	expect(head && target);
	mask_init(&m, key);
	if (size) {
		memcpy(head, data, size);
		memcpy(target, data, size);
	}
	n = mask_head(&m, head, size);
	expect(n <= size);
	check_lines(data, head, n);
	expect(!memcmp(head + n, data + n, size - n));
	mask_target(&m, target, size);
	if (size && *data == '/')
		check_token(target, size);
	free(head);
	free(target);
	return 0;
}
