/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scanner that the kernel side and user space share: never reads beyond the peek,
 * and what it says agrees with a slow, obvious reading of the same bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "w5_http1.h"

#define expect(c)                \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

static int slow_status(const uint8_t *p)
{
	char text[W5_HTTP1_PEEK + 1] = { 0 };

	memcpy(text, p, W5_HTTP1_PEEK);
	if (strncmp(text, "HTTP/1.", 7) || text[8] != ' ' || strspn(text + 9, "0123456789") < 3 ||
	    text[9] == '0')
		return 0;
	text[12] = '\0';
	return (int)strtol(text + 9, NULL, 10);
}

/* In one piece or in two, a header is as long. */
static void check_header_size(const uint8_t *data, size_t size)
{
	size_t cut = size ? data[0] % size : 0;
	uint8_t *a = malloc(cut + 1), *b = malloc(size - cut + 1), lf = 0, lf2 = 0;
	uint32_t n = w5_http1_header_size(data, (uint32_t)size, &lf), first;

	memcpy(a, data, cut);
	memcpy(b, data + cut, size - cut);
	first = w5_http1_header_size(a, (uint32_t)cut, &lf2);
	if (first) {
		expect(first == n);
	} else {
		uint32_t rest = w5_http1_header_size(b, (uint32_t)(size - cut), &lf2);

		expect(rest ? cut + rest == n : !n);
	}
	expect(n <= size && (!n || data[n - 1] == '\n'));
	free(a);
	free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *p = calloc(1, W5_HTTP1_PEEK); /* on the heap: a read beyond it is seen */
	int status, is_request;

	memcpy(p, data, size < W5_HTTP1_PEEK ? size : W5_HTTP1_PEEK);
	status = w5_http1_status(p);
	is_request = w5_http1_is_request(p);
	expect(status == slow_status(p));
	expect(!status || (status >= 100 && status <= 999));
	expect(!(status && is_request));
	if (is_request) {
		const uint8_t *sp = memchr(p, ' ', W5_HTTP1_PEEK);

		expect(sp && sp - p >= W5_HTTP1_METHOD_MIN && sp - p <= W5_HTTP1_METHOD_MAX);
		expect(sp[1] > ' ');
	}
	if (w5_http1_is_h2_preface(p))
		expect(!is_request); /* "PRI" is reserved */
	check_header_size(data, size);
	free(p);
	return 0;
}
