/* SPDX-License-Identifier: BSD-2-Clause */
/* See tally.h. */
#include "sink/tally.h"

#include <stdlib.h>
#include <string.h>

/* The backend a finding is about: of a recovered one the first that failed. */
static const struct attempt *about(const struct finding *f)
{
	for (size_t i = 0; f->verdict == VERDICT_RECOVERED && i < f->nattempts; i++) {
		if (f->attempts[i].cause != CAUSE_NONE)
			return &f->attempts[i];
	}
	return finding_last_attempt(f);
}

void tally_add(struct tally *t, const struct finding *f)
{
	const struct attempt *a = about(f);
	struct tally_row new = { .cause = f->cause, .has_upstream = a, .count = 1 };

	if (a) {
		new.ip = a->leg.remote;
		new.port = a->leg.rport;
	}
	for (size_t i = 0; i < t->n; i++) {
		struct tally_row *r = &t->rows[i];

		if (r->cause == new.cause && r->port == new.port &&
		    r->has_upstream == new.has_upstream &&
		    !memcmp(&r->ip, &new.ip, sizeof(r->ip))) {
			r->count++;
			return;
		}
	}
	if (t->n < TALLY_MAX)
		t->rows[t->n++] = new;
	else
		t->other++;
}

static int by_count(const void *va, const void *vb)
{
	const struct tally_row *a = va, *b = vb;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	if (a->cause != b->cause)
		return a->cause < b->cause ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return memcmp(&a->ip, &b->ip, sizeof(a->ip));
}

void tally_sort(struct tally *t)
{
	qsort(t->rows, t->n, sizeof(t->rows[0]), by_count);
}
