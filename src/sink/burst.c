/* SPDX-License-Identifier: BSD-2-Clause */
/* See burst.h. */
#include "sink/burst.h"

#include <string.h>

#include "base/util.h"

static bool is_kind(const struct burst_kind *k, const struct finding *f, const struct attempt *a)
{
	if (k->cause != f->cause || k->has_upstream != !!a)
		return false;
	return !a || (k->port == a->leg.rport && !memcmp(&k->ip, &a->leg.remote, sizeof(k->ip)));
}

static void pass_over(struct burst *b, struct burst_kind *k)
{
	b->passed += k->newest != NULL;
	finding_unref(take_ptr(k->newest));
}

static struct burst_kind *oldest(struct burst *b)
{
	struct burst_kind *k = &b->kinds[0];

	for (size_t i = 1; i < b->nkinds; i++) {
		if (b->kinds[i].last_ns < k->last_ns)
			k = &b->kinds[i];
	}
	pass_over(b, k);
	return k;
}

static struct burst_kind *kind_of(struct burst *b, const struct finding *f)
{
	const struct attempt *a = finding_last_attempt(f);
	struct burst_kind *k;

	for (size_t i = 0; i < b->nkinds; i++) {
		if (is_kind(&b->kinds[i], f, a))
			return &b->kinds[i];
	}
	k = b->nkinds < BURST_KINDS ? &b->kinds[b->nkinds++] : oldest(b);
	*k = (struct burst_kind){ .cause = f->cause, .has_upstream = a };
	if (a) {
		k->ip = a->leg.remote;
		k->port = a->leg.rport;
	}
	return k;
}

bool burst_take(struct burst *b, struct finding *f)
{
	struct burst_kind *k = kind_of(b, f);

	k->n++;
	k->last_ns = f->ts_ns;
	pass_over(b, k);
	if (k->n <= BURST_FIRST || f->ts_ns >= k->taken_ns + BURST_EVERY_NS) {
		k->taken_ns = f->ts_ns;
		return true;
	}
	k->newest = finding_ref(f);
	return false;
}

struct finding *burst_newest(struct burst *b)
{
	for (size_t i = 0; i < b->nkinds; i++) {
		if (b->kinds[i].newest)
			return take_ptr(b->kinds[i].newest);
	}
	return NULL;
}

void burst_fini(struct burst *b)
{
	for (size_t i = 0; i < b->nkinds; i++)
		finding_unref(take_ptr(b->kinds[i].newest));
	b->nkinds = 0;
}
