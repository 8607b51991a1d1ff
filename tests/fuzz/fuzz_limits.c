/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts of /proc and answers of socket dumps, whatever is in them: the first byte chooses. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "source/limits_parse.h"

#define expect(c)                \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

static void on_socket(void *self, const struct limits_socket *s)
{
	size_t *n = self;

	++*n;
	expect(s->lport <= UINT16_MAX);
}

static void texts(const char *text)
{
	uint64_t v = limits_pressure(text, "some");

	expect(v == W5_HOST_UNKNOWN || v <= 101099);
	limits_pressure(text, "full");
	limits_netstat(text, "TcpExt:", "ListenDrops");
	limits_sockstat(text, "TCP:", "tw");
	limits_stat_sum(text, "drop");
	limits_softnet(text, 1);
	limits_soft(text, "Max open files");
	limits_number(text, 0);
	limits_number(text, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t choice = size ? data[0] : 0;
	size_t len = size ? size - 1 : 0, n = 0;
	char *copy = malloc(len + 1); /* on the heap: a read beyond it is seen */

	if (len)
		memcpy(copy, data + 1, len);
	copy[len] = '\0';
	if (choice & 1)
		limits_diag_parse(copy, len, on_socket, &n);
	else
		texts(copy);
	expect(n <= len / 16);
	free(copy);
	return 0;
}
