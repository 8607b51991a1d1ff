/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gateways: processes grouped by their master, what is known of each kind, and the
 * recent upstream failures of each group.
 */
#include "engine/internal.h"

#include <string.h>

#define HOLDDOWN_DEFAULT_NS (10 * NS_PER_S) /* nginx fail_timeout; health checks run more often */

/* What a gateway's name tells. trail_exact: an event loop that works on both conns of one
 * request in one go (nginx), or a thread that serves one request at a time (Apache).
 * trail_follows: a thread reads a request and goes on with it (Go), where others read several
 * before they connect for the first (HAProxy).
 * queues: and goes on with them in that order, which the kernel side follows (bpf/trail.h).
 * streams_roam: one thread reads an HTTP/2 conn, others serve its streams. */
struct kind {
	const char *comm;
	bool trail_exact, trail_follows, queues, streams_roam;
	bool asks_aside;	 /* resolves names for its list of servers, not for a request */
	uint64_t holddown_ns;	 /* how long a failed peer is not tried */
	uint16_t untried_status; /* what it says then; 0 = not known */
};

static const struct kind kinds[] = {
	{ .comm = "nginx",
	  .trail_exact = true,
	  .holddown_ns = HOLDDOWN_DEFAULT_NS,
	  .untried_status = 502 },
	{ .comm = "openresty",
	  .trail_exact = true,
	  .holddown_ns = HOLDDOWN_DEFAULT_NS,
	  .untried_status = 502 },
	{ .comm = "angie",
	  .trail_exact = true,
	  .holddown_ns = HOLDDOWN_DEFAULT_NS,
	  .untried_status = 502 },
	/* retry=60 of a balancer member */
	{ .comm = "apache2",
	  .trail_exact = true,
	  .streams_roam = true,
	  .holddown_ns = 60 * NS_PER_S,
	  .untried_status = 503 },
	{ .comm = "httpd",
	  .trail_exact = true,
	  .streams_roam = true,
	  .holddown_ns = 60 * NS_PER_S,
	  .untried_status = 503 },
	{ .comm = "haproxy",
	  .asks_aside = true,
	  .queues = true,
	  .holddown_ns = HOLDDOWN_DEFAULT_NS,
	  .untried_status = 503 },
	{ .comm = "caddy",
	  .trail_follows = true,
	  .streams_roam = true,
	  .holddown_ns = HOLDDOWN_DEFAULT_NS,
	  .untried_status = 503 },
};

static const struct kind *kind_of(const struct engine *e, int gw)
{
	if (gw < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(e->gws[gw].name, kinds[i].comm))
			return &kinds[i];
	}
	return NULL;
}

bool gateways_trail_exact(const struct engine *e, int gw)
{
	const struct kind *k = kind_of(e, gw);

	return k && k->trail_exact;
}

bool gateways_streams_roam(const struct engine *e, int gw)
{
	const struct kind *k = kind_of(e, gw);

	return k && k->streams_roam;
}

bool gateways_queues(const struct engine *e, int gw)
{
	const struct kind *k = kind_of(e, gw);

	return k && k->queues;
}

bool gateways_trail_follows(const struct engine *e, int gw)
{
	const struct kind *k = kind_of(e, gw);

	return k && k->trail_follows;
}

bool gateways_asks_aside(const struct engine *e, int gw)
{
	const struct kind *k = kind_of(e, gw);

	return k && k->asks_aside;
}

uint64_t gateways_holddown_ns(const struct engine *e, int gw)
{
	const struct kind *k = kind_of(e, gw);

	return k ? k->holddown_ns : HOLDDOWN_DEFAULT_NS;
}

bool gateways_may_be_untried(const struct engine *e, int gw, uint16_t status)
{
	const struct kind *k = kind_of(e, gw);

	return !k || !k->untried_status || k->untried_status == status || !status;
}

static int group_find(const struct engine *e, uint32_t group)
{
	for (size_t i = 0; i < e->ngws; i++) {
		if (e->gws[i].group == group)
			return (int)i;
	}
	return -1;
}

static int group_add(struct engine *e, uint32_t group)
{
	size_t cap = e->gws_cap ? e->gws_cap * 2 : 8;

	if (e->ngws >= GATEWAYS_MAX)
		return -1;
	if (e->ngws == e->gws_cap) {
		struct engine_gateway *g = realloc(e->gws, cap * sizeof(*g));
		struct gateway **p;

		if (!g)
			return -1;
		e->gws = g;
		p = realloc(e->gw_priv, cap * sizeof(*p));
		if (!p)
			return -1;
		e->gw_priv = p;
		e->gws_cap = cap;
	}
	e->gw_priv[e->ngws] = calloc(1, sizeof(struct gateway));
	if (!e->gw_priv[e->ngws])
		return -1;
	memset(&e->gws[e->ngws], 0, sizeof(e->gws[0]));
	e->gws[e->ngws].group = group;
	return (int)e->ngws++;
}

static void text_take(char *out, size_t cap, const char *in, size_t in_size)
{
	size_t n = strnlen(in, in_size);

	if (n > cap - 1)
		n = cap - 1;
	memcpy(out, in, n);
	out[n] = '\0';
}

static void describe(struct engine_gateway *pub, const struct w5_gateway *g, bool was_used)
{
	size_t n = g->nports < 16 ? g->nports : 16;

	/* The master's own name and place win over a worker's that came before it. */
	if (!pub->name[0] || g->tgid == g->group)
		text_take(pub->name, sizeof(pub->name), g->comm, sizeof(g->comm));
	if (!pub->cgroup[0] || g->tgid == g->group)
		text_take(pub->cgroup, sizeof(pub->cgroup), g->cgroup, sizeof(g->cgroup));
	if (n >= pub->nports) {
		memcpy(pub->ports, g->ports, n * sizeof(g->ports[0]));
		pub->nports = n;
	}
	pub->named_only = (g->flags & W5_GW_NAMED) && !was_used;
}

bool gateways_wanted(const struct engine *e, int gw)
{
	if (!e->cfg.comm[0] && !e->cfg.pid)
		return true;
	return gw >= 0 && !e->gw_priv[gw]->unwanted;
}

/* Is path asked, or below it? asked may be the path in the file system, as in a shell. */
static bool cgroup_within(const char *path, const char *asked)
{
	static const char mount[] = "/sys/fs/cgroup";
	size_t n;

	if (!strncmp(asked, mount, sizeof(mount) - 1)) {
		asked += sizeof(mount) - 1;
		if (!strncmp(asked, "/unified", 8) && (!asked[8] || asked[8] == '/'))
			asked += 8;
	}
	asked += *asked == '/';
	path += *path == '/';
	for (n = strlen(asked); n && asked[n - 1] == '/'; n--)
		;
	return !n || (!strncmp(path, asked, n) && (!path[n] || path[n] == '/'));
}

/* The master's record may come after a worker's, and the process asked for after both. */
static void narrow(struct engine *e)
{
	const struct engine_cfg *cfg = &e->cfg;
	int asked = cfg->pid ? gateways_of(e, cfg->pid) : -1;

	for (size_t i = 0; i < e->ngws; i++) {
		struct engine_gateway *g = &e->gws[i];
		bool elsewhere = cfg->cgroup[0] && g->cgroup[0] && !g->exchanges &&
				 !cgroup_within(g->cgroup, cfg->cgroup);

		e->gw_priv[i]->unwanted =
			(cfg->comm[0] && strncmp(g->name, cfg->comm, sizeof(cfg->comm))) ||
			(cfg->pid && (int)i != asked && g->group != cfg->pid);
		g->unwanted = e->gw_priv[i]->unwanted || elsewhere;
	}
}

void gateways_used(struct engine *e, int gw)
{
	if (gw < 0)
		return;
	e->gw_priv[gw]->used = true;
	e->gws[gw].named_only = false;
}

/* engine.procs: which group a process is of, and whether it lives. The name stays known when
 * it ends: records of its last exchanges may still come. */
static void *proc_value(int gw, bool lives)
{
	return (void *)(((uintptr_t)gw + 1) << 1 | lives);
}

static void leave_group(struct engine *e, const void *proc)
{
	if ((uintptr_t)proc & 1)
		e->gws[((uintptr_t)proc >> 1) - 1].nprocs--;
}

void on_gateway(struct engine *e, const struct w5_gateway *g)
{
	uint32_t group = g->group ? g->group : g->tgid;
	void *known = hash_find(&e->procs, g->tgid);
	int i;

	if (g->flags & W5_GW_ENDED) {
		leave_group(e, known);
		if (known) /* replaces: needs no memory */
			hash_insert(&e->procs, g->tgid, (void *)((uintptr_t)known & ~(uintptr_t)1));
		return;
	}
	i = group_find(e, group);
	if (i < 0)
		i = group_add(e, group);
	if (i < 0)
		return;
	if (known != proc_value(i, true)) {
		if (hash_insert(&e->procs, g->tgid, proc_value(i, true)))
			return;
		leave_group(e, known);
		e->gws[i].nprocs++;
	}
	describe(&e->gws[i], g, e->gw_priv[i]->used);
	narrow(e);
}

int gateways_of(const struct engine *e, uint32_t tgid)
{
	return (int)((uintptr_t)hash_find(&e->procs, tgid) >> 1) - 1;
}

struct gateway *gateways_find(const struct engine *e, uint32_t tgid)
{
	int gw = gateways_of(e, tgid);

	return gw < 0 ? NULL : e->gw_priv[gw];
}

size_t engine_gateways(const struct engine *e, const struct engine_gateway **out)
{
	*out = e->gws;
	return e->ngws;
}

void gateways_free(struct engine *e)
{
	for (size_t i = 0; i < e->ngws; i++) {
		free(e->gw_priv[i]->host);
		free(e->gw_priv[i]);
	}
	free(e->gws);
	free(e->gw_priv);
	hash_fini(&e->procs);
}
