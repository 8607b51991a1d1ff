/* SPDX-License-Identifier: BSD-2-Clause */
/* See peers.h. */
#include "engine/peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/lookups.h"

#define NAMES_MAX 512
#define FRESH_NS  (60 * NS_PER_S) /* what was looked up longer ago may have changed since */

struct conf_name {
	int gw;
	uint16_t port;
	uint8_t flags;
	uint64_t ts_ns;
	size_t n, nold;
	struct w5_addr addrs[W5_NAME_ADDRS], old[W5_NAME_ADDRS]; /* old: it had before */
	char name[W5_NAME_BYTES];
};

struct peers {
	struct conf_name v[NAMES_MAX];
	size_t n;
};

static bool has(const struct w5_addr *v, size_t n, const struct w5_addr *a)
{
	for (size_t i = 0; i < n; i++)
		if (!memcmp(&v[i], a, sizeof(*a)))
			return true;
	return false;
}

static void remember(struct conf_name *c, const struct w5_addr *a)
{
	if (has(c->old, c->nold, a))
		return;
	if (c->nold == W5_NAME_ADDRS)
		memmove(c->old, c->old + 1, --c->nold * sizeof(c->old[0]));
	c->old[c->nold++] = *a;
}

static struct conf_name *name_get(struct engine *e, int gw, const struct w5_name *r)
{
	struct peers *p = e->peers;
	struct conf_name *c;

	for (size_t i = 0; i < p->n; i++) {
		c = &p->v[i];
		if (c->gw == gw && c->port == r->port && !strcmp(c->name, r->name))
			return c;
	}
	if (p->n == NAMES_MAX)
		return NULL;
	c = &p->v[p->n++];
	memset(c, 0, sizeof(*c));
	c->gw = gw;
	c->port = r->port;
	snprintf(c->name, sizeof(c->name), "%s", r->name);
	return c;
}

void on_name(struct engine *e, const struct w5_name *r)
{
	int gw = gateways_of(e, r->group);
	struct conf_name *c;

	if (r->naddrs > W5_NAME_ADDRS || !memchr(r->name, '\0', sizeof(r->name))) {
		e->c.bad_records++;
		return;
	}
	if (gw < 0)
		return;
	if (!e->peers)
		e->peers = calloc(1, sizeof(*e->peers));
	c = e->peers ? name_get(e, gw, r) : NULL;
	if (!c) {
		loss_own(e, W5_LOSS_EVICTED);
		return;
	}
	for (size_t i = 0; i < c->n; i++)
		if (!has(r->addrs, r->naddrs, &c->addrs[i]))
			remember(c, &c->addrs[i]);
	memcpy(c->addrs, r->addrs, sizeof(c->addrs));
	c->n = r->naddrs;
	c->flags = r->flags;
	c->ts_ns = r->h.ts_ns;
}

static bool is_literal(const struct conf_name *c)
{
	return strchr(c->name, ':') || c->name[strspn(c->name, "0123456789.")] == '\0';
}

static void tell(struct stale *out, const struct conf_name *c, bool was_seen)
{
	*out = (struct stale){ .naddrs = c->n, .was_seen = was_seen, .looked_ns = c->ts_ns };
	snprintf(out->name, sizeof(out->name), "%s", c->name);
	if (c->n)
		out->now = c->addrs[0];
}

/* By its configuration: a name that had the address before, or, where its configuration alone
 * says where it connects to, the only name of this port. */
static bool by_configuration(const struct engine *e, int gw, const struct w5_leg *l, uint64_t ts,
			     struct stale *out)
{
	const struct conf_name *only = NULL;
	bool others = false;
	size_t n = 0;

	for (size_t i = 0; e->peers && i < e->peers->n; i++) {
		const struct conf_name *c = &e->peers->v[i];

		if (c->gw != gw || c->ts_ns + FRESH_NS < ts)
			continue;
		others = others || (c->flags & W5_NAME_OTHERS);
		if (is_literal(c) || (c->port && c->port != l->rport))
			continue;
		if (has(c->old, c->nold, &l->remote)) {
			tell(out, c, true);
			return true;
		}
		only = c;
		n++;
	}
	if (n != 1 || others)
		return false;
	tell(out, only, false);
	return true;
}

/* Any name or address of the configuration, however long ago it was looked up. */
static bool is_current(const struct engine *e, int gw, const struct w5_addr *a)
{
	for (size_t i = 0; e->peers && i < e->peers->n; i++) {
		const struct conf_name *c = &e->peers->v[i];

		if (c->gw == gw && has(c->addrs, c->n, a))
			return true;
	}
	return lookups_is_current(e, gw, a);
}

bool peers_stale(const struct engine *e, int gw, const struct w5_leg *l, uint64_t ts_ns,
		 struct stale *out)
{
	if (gw < 0 || (!e->peers && !e->lookups) || is_current(e, gw, &l->remote))
		return false;
	return by_configuration(e, gw, l, ts_ns, out) ||
	       lookups_left(e, gw, &l->remote, ts_ns, out);
}

void peers_free(struct engine *e)
{
	free(e->peers);
	e->peers = NULL;
}
