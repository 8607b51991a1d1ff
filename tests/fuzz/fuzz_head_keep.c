/* SPDX-License-Identifier: BSD-2-Clause */
/* Connection and Keep-Alive of a response and of a request: of exactly these bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/head.h"

#define expect(c)                \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct w5_leg *l = calloc(1, sizeof(*l));
	struct keep_alive k, again;
	size_t n = size < W5_HEAD_RESP ? size : W5_HEAD_RESP;

	memcpy(l->resp, data, n);
	memcpy(l->head, data, n);
	l->resp_len = l->head_len = (uint16_t)n;
	expect(head_keep_alive(&k, l) == (k.timeout_ms || k.max));
	expect(k.timeout_ms % 1000 == 0);
	head_says_close(l);
	/* what lies behind the kept bytes says nothing */
	memset(l->resp + n, '5', W5_HEAD_RESP - n);
	head_keep_alive(&again, l);
	expect(again.timeout_ms == k.timeout_ms && again.max == k.max);
	free(l);
	return 0;
}
