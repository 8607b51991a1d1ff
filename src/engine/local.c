/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this host told of failures that leave no packet: limits its processes ran into, and
 * processes that were killed. Two rings of the newest; what is older has found its exchange.
 */
#include "engine/local.h"

#include <string.h>

#define LIMITS_KEPT 1024
#define KILLED_KEPT 4096 /* a worker with thousands of conns tells of each */
/* An event loop that found no descriptor answers in the same turn of its loop. */
#define ANSWER_NS   (20 * NS_PER_MS)

struct local {
	struct w5_limit limits[LIMITS_KEPT];
	size_t nlimits; /* so far; the newest is [(n - 1) % KEPT] */
	struct w5_killed killed[KILLED_KEPT];
	size_t nkilled;
};

static struct local *local_get(struct engine *e)
{
	if (!e->local)
		e->local = calloc(1, sizeof(*e->local));
	if (!e->local)
		loss_own(e, W5_LOSS_EVICTED);
	return e->local;
}

void on_limit(struct engine *e, const struct w5_limit *l)
{
	struct local *t = local_get(e);

	if (t && l->kind && l->kind < W5_LIMIT_KIND_MAX)
		t->limits[t->nlimits++ % LIMITS_KEPT] = *l;
}

void on_killed(struct engine *e, const struct w5_killed *k)
{
	struct local *t = local_get(e);

	if (!t || !k->signal)
		return;
	t->killed[t->nkilled % KILLED_KEPT] = *k;
	t->killed[t->nkilled++ % KILLED_KEPT].comm[sizeof(k->comm) - 1] = '\0';
}

void local_free(struct engine *e)
{
	free(e->local);
}

/* The i-th newest of n told so far, of which a ring holds kept. */
static bool newest(size_t n, size_t kept, size_t i, size_t *at)
{
	if (i >= n || i >= kept)
		return false;
	*at = (n - 1 - i) % kept;
	return true;
}

const struct w5_limit *limits_ports(const struct engine *e, const struct w5_leg *l)
{
	const struct local *t = e->local;
	size_t at;

	for (size_t i = 0; t && newest(t->nlimits, LIMITS_KEPT, i, &at); i++) {
		if (t->limits[at].kind == W5_LIMIT_PORTS && t->limits[at].h.cookie == l->h.cookie)
			return &t->limits[at];
	}
	return NULL;
}

static bool names(const struct w5_limit *l, const struct w5_leg *d)
{
	return l->hint_cookie &&
	       (l->hint_cookie == d->h.cookie || l->hint_cookie == d->conn_cookie);
}

static const struct w5_limit *limit_of(const struct engine *e, const struct pending *p,
				       unsigned int kind, uint64_t after_ns, bool *sure)
{
	const struct w5_limit *best = NULL;
	const struct local *t = e->local;
	bool exact = trail_is_exact(e, p);
	size_t at;

	*sure = false;
	for (size_t i = 0; t && p->from_ns && newest(t->nlimits, LIMITS_KEPT, i, &at); i++) {
		const struct w5_limit *l = &t->limits[at];
		bool named = names(l, &p->leg);

		if (l->kind != kind || l->tgid != p->leg.tgid || l->h.ts_ns > p->ts_ns + SLACK_NS ||
		    l->h.ts_ns < p->from_ns || l->h.ts_ns + SLACK_NS < after_ns)
			continue;
		if (named && exact) {
			*sure = true;
			return l;
		}
		/* Where the trail can be believed it is another's. */
		if ((l->hint_cookie && exact) || l->h.ts_ns + ANSWER_NS < p->ts_ns)
			continue;
		if (!best || (named && !names(best, &p->leg)))
			best = l;
	}
	return best;
}

const struct w5_limit *limits_files(const struct engine *e, const struct pending *p,
				    uint64_t after_ns, bool *sure)
{
	return limit_of(e, p, W5_LIMIT_FILES, after_ns, sure);
}

bool limits_unused(const struct engine *e, const struct pending *p)
{
	bool sure;

	return limit_of(e, p, W5_LIMIT_UNUSED, 0, &sure);
}

static bool is_between(const struct w5_killed *k, const struct w5_leg *l)
{
	return k->lport == l->rport && k->rport == l->lport &&
	       !memcmp(&k->local, &l->remote, sizeof(k->local)) &&
	       !memcmp(&k->remote, &l->local, sizeof(k->remote));
}

const struct w5_killed *killed_behind(const struct engine *e, const struct w5_leg *l)
{
	const struct local *t = e->local;
	size_t at;

	for (size_t i = 0; t && newest(t->nkilled, KILLED_KEPT, i, &at); i++) {
		const struct w5_killed *k = &t->killed[at];

		if (is_between(k, l) && k->h.ts_ns + SLACK_NS >= l->open_ns &&
		    k->h.ts_ns <= l->end_ns + SLACK_NS)
			return k;
	}
	return NULL;
}
