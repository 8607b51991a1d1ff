/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the verdict share. Each decides, or leaves it to the next: true once decided. */
#ifndef ENGINE_VERDICT_H
#define ENGINE_VERDICT_H

#include "engine/correlate.h"
#include "engine/work.h"

/* A gateway that does not try answers at once; one that waited did something unseen. */
#define NOT_TRIED_NS (100 * NS_PER_MS)
/* The tool may have missed the attempts of a request that began this soon after its start. */
#define WARM_UP_NS   (200 * NS_PER_MS)

void verdict_set(struct work *w, enum verdict v, enum cause c, enum confidence conf);
bool verdict_unknown(struct work *w, const char *doubt);

static inline bool verdict_warming_up(const struct work *w)
{
	return w->p->leg.req_ns < w->e->c.start_ns + WARM_UP_NS;
}

/* It may have gone to an upstream in a way that we cannot read yet. */
static inline bool verdict_asked_unread(const struct work *w)
{
	return pools_unread(w->e, w->p->gw, w->p->from_ns);
}

/* ---- verdict_untried.c: no attempt is known ---- */
bool verdict_untried(struct work *w);

/* ---- verdict_lookup.c: it asked for a name ---- */
/* x: an earlier failure that would explain an answer at once, or NULL */
bool verdict_lookup(struct work *w, const struct failure *x);
bool verdict_unresolved(struct work *w);

/* ---- verdict_pool.c: it waited for a connection, or was turned away ---- */
bool verdict_queued(struct work *w, const struct route *r);
bool verdict_pool(struct work *w, const struct route *r, bool waited);

/* ---- verdict_local.c: a local socket may hide it ---- */
bool verdict_hidden_by(struct work *w, const struct w5_unix *u, bool is_of_this);
bool verdict_local(struct work *w, bool must_be_sure);
const struct w5_unix *verdict_local_instead(const struct work *w, const struct route *route,
					    const struct failure *x);

#endif
