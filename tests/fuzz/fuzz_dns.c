/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader of DNS messages: nothing beyond the end is read, names are printable, and a shorter
 * piece of the same bytes never tells something else, only less.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/dns.h"

#define expect(c)                \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

/* The bytes on the heap, just long enough: a read beyond them is seen. */
static bool parse(struct dns_message *m, const uint8_t *p, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	bool ok;

	expect(copy);
	if (len)
		memcpy(copy, p, len);
	ok = dns_parse(m, copy, len);
	free(copy);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_message all, part;
	bool ok = parse(&all, data, size), has_part = parse(&part, data, size - size / 4);
	char text[32];

	if (!ok) {
		expect(!has_part);
		return 0;
	}
	expect(memchr(all.name, '\0', sizeof(all.name)));
	for (const char *c = all.name; *c; c++)
		expect(*c > 0x20 && *c < 0x7f);
	expect(all.naddrs <= DNS_ADDRS_MAX);
	expect(dns_rcode_text(text, all.rcode)[0]);
	if (!has_part)
		return 0;
	expect(!strcmp(all.name, part.name) && all.id == part.id && all.rcode == part.rcode);
	expect(part.naddrs <= all.naddrs && (!part.whole || all.whole));
	expect(!memcmp(all.addrs, part.addrs, part.naddrs * sizeof(all.addrs[0])));
	return 0;
}
