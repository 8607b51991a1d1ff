/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers and names every sentence may use, as text. */
#include "engine/words.h"

#include <stdarg.h>
#include <string.h>

void words_put(char *out, size_t cap, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out, cap, fmt, ap);
	va_end(ap);
}

void words_of(struct words *w, const struct sentence_input *in)
{
	const struct facts *x = in->facts;
	const struct finding *f = in->f;

	memset(w, 0, sizeof(*w));
	words_put(w->up, sizeof(w->up), "the backend");
	text_duration(w->asked, sizeof(w->asked), f->duration_ns);
	if (!x)
		return;
	text_upstream(w->up, sizeof(w->up), x->l);
	text_duration(w->elapsed, sizeof(w->elapsed), x->elapsed_ns);
	text_duration(w->idle, sizeof(w->idle), x->l->idle_ns);
	text_errno(w->err, sizeof(w->err), (unsigned)x->err);
}
