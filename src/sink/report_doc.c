/* SPDX-License-Identifier: BSD-2-Clause */
/* What Markdown and HTML share: see report_doc.h. */
#include "sink/report_doc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define TEXT_ROOM 1280

void doc_table(struct doc *d, const struct doc_column *columns, size_t n)
{
	d->ncolumns = n < DOC_COLUMNS_MAX ? n : DOC_COLUMNS_MAX;
	memcpy(d->columns, columns, d->ncolumns * sizeof(*columns));
	d->at = 0;
	d->ops->table_begin(d);
}

void doc_cellf(struct doc *d, const char *fmt, ...)
{
	char text[TEXT_ROOM];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->ops->cell(d, text);
}

void doc_paraf(struct doc *d, const char *fmt, ...)
{
	char text[TEXT_ROOM];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->ops->para(d, text);
}

void doc_itemf(struct doc *d, const char *lead, const char *fmt, ...)
{
	char text[TEXT_ROOM];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->ops->item(d, lead, text);
}

void doc_plain(char *out, size_t cap, const char *text)
{
	size_t n = 0;

	/* text_escape() also doubles what it uses itself: sentences of our own have none. */
	for (const char *p = text; *p; p++) {
		char one[8];
		size_t len = 1;

		one[0] = *p;
		if (*p < 0x20 || *p >= 0x7f)
			len = text_escape(one, sizeof(one), p, 1);
		if (n + len >= cap)
			break;
		memcpy(out + n, one, len);
		n += len;
	}
	out[n] = '\0';
}

/* ---- series ---- */

static void insert(struct doc_series *s, enum cause cause, uint64_t total)
{
	size_t at = s->n;

	while (at && s->total[at - 1] < total)
		at--;
	if (at == DOC_SERIES_MAX) {
		s->rest += total;
		return;
	}
	if (s->n == DOC_SERIES_MAX)
		s->rest += s->total[--s->n];
	for (size_t i = s->n; i > at; i--) {
		s->cause[i] = s->cause[i - 1];
		s->total[i] = s->total[i - 1];
	}
	s->cause[at] = cause;
	s->total[at] = total;
	s->n++;
}

void doc_series_of(struct doc_series *s, const struct timeline *t)
{
	*s = (struct doc_series){ 0 };
	for (int c = 0; c < CAUSE_MAX; c++) {
		uint64_t total = 0;

		for (size_t i = 0; i < t->n; i++)
			total += t->count[i][c];
		if (total)
			insert(s, (enum cause)c, total);
	}
	for (size_t i = 0; i < t->n; i++) {
		uint64_t sum = 0;

		for (int c = 0; c < CAUSE_MAX; c++)
			sum += t->count[i][c];
		if (sum > s->highest)
			s->highest = sum;
	}
}

uint32_t doc_series_rest(const struct doc_series *s, const struct timeline *t, size_t step)
{
	uint32_t n = 0;

	for (int c = 0; c < CAUSE_MAX; c++)
		n += t->count[step][c];
	for (size_t i = 0; i < s->n; i++)
		n -= t->count[step][s->cause[i]];
	return n;
}
