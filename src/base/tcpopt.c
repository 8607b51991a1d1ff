/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/tcpopt.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/util.h"

struct words {
	char *out;
	size_t cap, n;
};

static void put(struct words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct words *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (w->n)
		w->n += (size_t)snprintf(w->out + w->n, w->cap - w->n, ", ");
	w->n = min_size(w->n, w->cap - 1);
	va_start(ap, fmt);
	n = vsnprintf(w->out + w->n, w->cap - w->n, fmt, ap);
	va_end(ap);
	if (n > 0)
		w->n = min_size(w->n + (size_t)n, w->cap - 1);
}

static uint32_t get(const uint8_t *p, size_t n)
{
	uint32_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static void put_one(struct words *w, const uint8_t *opt, size_t len, uint32_t base)
{
	switch (opt[0]) {
	case 2:
		if (len == 4)
			put(w, "mss %u", get(opt + 2, 2));
		return;
	case 3:
		if (len == 3)
			put(w, "ws %u", opt[2]);
		return;
	case 4: put(w, "sack-ok"); return;
	case 5:
		for (size_t at = 2; at + 8 <= len; at += 8)
			put(w, "sack %u-%u", get(opt + at, 4) - base, get(opt + at + 4, 4) - base);
		return;
	case 8:
		if (len == 10)
			put(w, "ts %u echo %u", get(opt + 2, 4), get(opt + 6, 4));
		return;
	case 34: put(w, "fast open"); return;
	default: put(w, "option %u", opt[0]);
	}
}

size_t tcpopt_text(char *out, size_t cap, const uint8_t *opt, size_t len, uint32_t sack_base)
{
	struct words w = { .out = out, .cap = cap };
	size_t at = 0;

	out[0] = '\0';
	while (at < len && opt[at] != 0) { /* end of the list */
		if (opt[at] == 1) {	   /* padding */
			at++;
			continue;
		}
		if (at + 1 >= len || opt[at + 1] < 2 || at + opt[at + 1] > len) {
			put(&w, "cut");
			break;
		}
		put_one(&w, opt + at, opt[at + 1], sack_base);
		at += opt[at + 1];
	}
	return w.n;
}
