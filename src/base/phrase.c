/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/phrase.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/util.h"

struct phrase phrase_begin(char *out, size_t cap)
{
	out[0] = '\0';
	return (struct phrase){ .out = out, .cap = cap };
}

static void put(struct phrase *p, const char *fmt, va_list ap)
{
	int n = vsnprintf(p->out + p->n, p->cap - p->n, fmt, ap);

	if (n > 0)
		p->n = min_size(p->n + (size_t)n, p->cap - 1);
}

void phrase_put(struct phrase *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(p, fmt, ap);
	va_end(ap);
}

void phrase_item(struct phrase *p, const char *sep, const char *fmt, ...)
{
	va_list ap;

	if (p->n)
		phrase_put(p, "%s", sep);
	va_start(ap, fmt);
	put(p, fmt, ap);
	va_end(ap);
}
