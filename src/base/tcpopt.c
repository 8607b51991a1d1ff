/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/tcpopt.h"

#include "base/phrase.h"

static uint32_t get(const uint8_t *p, size_t n)
{
	uint32_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static void put_one(struct phrase *w, const uint8_t *opt, size_t len, uint32_t base)
{
	switch (opt[0]) {
	case 2:
		if (len == 4)
			phrase_item(w, ", ", "mss %u", get(opt + 2, 2));
		return;
	case 3:
		if (len == 3)
			phrase_item(w, ", ", "ws %u", opt[2]);
		return;
	case 4: phrase_item(w, ", ", "sack-ok"); return;
	case 5:
		for (size_t at = 2; at + 8 <= len; at += 8)
			phrase_item(w, ", ", "sack %u-%u", get(opt + at, 4) - base,
				    get(opt + at + 4, 4) - base);
		return;
	case 8:
		if (len == 10)
			phrase_item(w, ", ", "ts %u echo %u", get(opt + 2, 4), get(opt + 6, 4));
		return;
	case 34: phrase_item(w, ", ", "fast open"); return;
	default: phrase_item(w, ", ", "option %u", opt[0]);
	}
}

size_t tcpopt_text(char *out, size_t cap, const uint8_t *opt, size_t len, uint32_t sack_base)
{
	struct phrase w = phrase_begin(out, cap);
	size_t at = 0;

	while (at < len && opt[at] != 0) { /* end of the list */
		if (opt[at] == 1) {	   /* padding */
			at++;
			continue;
		}
		if (at + 1 >= len || opt[at + 1] < 2 || at + opt[at + 1] > len) {
			phrase_item(&w, ", ", "cut");
			break;
		}
		put_one(&w, opt + at, opt[at + 1], sack_base);
		at += opt[at + 1];
	}
	return w.n;
}
