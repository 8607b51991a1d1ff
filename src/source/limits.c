/* SPDX-License-Identifier: BSD-2-Clause */
/* See limits.h. Owns the spaces and the tables of processes and gateways. */
#include "source/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "source/limits_host.h"

#define PROCS_MAX    1024
#define GATEWAYS_MAX 16
#define SPACES_MAX   8
#define FILES_LOOKED 64 /* processes of one gateway whose files are looked at, per sample */

#define SAMPLE_NS      1000000000ull
#define SAMPLE_SOON_NS 200000000ull /* after a failed connect */
#define COUNT_NS       10000000000ull
#define COUNT_SOON_NS  1000000000ull
#define COUNT_SHARE    50 /* a count may cost so many parts of the time until the next one */
#define SLICE_NS       2000000ull

struct proc {
	uint32_t tgid, group, netns;
};

struct gate {
	uint32_t group;
	char cgroup[128];
	uint16_t ports[16], nports;
	struct w5_host told; /* last record */
};

struct limits {
	struct limits_cfg cfg;
	size_t nprocs, ngates, nspaces, first; /* first: where the next look at files begins */
	struct proc procs[PROCS_MAX];
	struct gate gates[GATEWAYS_MAX];
	struct space spaces[SPACES_MAX];
	uint64_t sampled_ns;
	bool hinted;
};

int limits_new(struct limits **out, const struct limits_cfg *cfg)
{
	struct limits *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->cfg = *cfg;
	*out = l;
	return 0;
}

void limits_free(struct limits *l)
{
	for (size_t i = 0; l && i < l->nspaces; i++)
		space_close(&l->spaces[i]);
	free(l);
}

void limits_connect_failed(struct limits *l)
{
	l->hinted = true;
}

/* ---- who there is ---- */

static struct gate *gate_of(struct limits *l, uint32_t group)
{
	for (size_t i = 0; i < l->ngates; i++)
		if (l->gates[i].group == group)
			return &l->gates[i];
	if (l->ngates == GATEWAYS_MAX)
		return NULL;
	l->gates[l->ngates] = (struct gate){ .group = group };
	return &l->gates[l->ngates++];
}

static bool has_proc(const struct limits *l, uint32_t group)
{
	for (size_t i = 0; i < l->nprocs; i++)
		if (l->procs[i].group == group)
			return true;
	return false;
}

static const struct proc *proc_in(const struct limits *l, uint32_t netns)
{
	for (size_t i = 0; i < l->nprocs; i++)
		if (l->procs[i].netns == netns)
			return &l->procs[i];
	return NULL;
}

static void forget(struct limits *l, uint32_t tgid)
{
	for (size_t i = 0; i < l->nprocs; i++)
		if (l->procs[i].tgid == tgid)
			l->procs[i--] = l->procs[--l->nprocs];
	for (size_t i = 0; i < l->ngates; i++)
		if (!has_proc(l, l->gates[i].group))
			l->gates[i--] = l->gates[--l->ngates];
	for (size_t i = 0; i < l->nspaces; i++) {
		if (proc_in(l, l->spaces[i].netns))
			continue;
		space_close(&l->spaces[i]);
		l->spaces[i--] = l->spaces[--l->nspaces];
	}
}

static void add_ports(struct gate *t, const struct w5_gateway *g)
{
	for (size_t i = 0; i < min_size(g->nports, ARRAY_SIZE(g->ports)); i++) {
		bool known = false;

		for (size_t k = 0; k < t->nports; k++)
			known |= t->ports[k] == g->ports[i];
		if (!known && t->nports < ARRAY_SIZE(t->ports))
			t->ports[t->nports++] = g->ports[i];
	}
}

void limits_gateway(struct limits *l, const struct w5_gateway *g)
{
	uint32_t group = g->group ? g->group : g->tgid;
	struct gate *t;

	forget(l, g->tgid); /* it may be known by another group */
	if (g->flags & W5_GW_ENDED || l->nprocs == PROCS_MAX)
		return;
	t = gate_of(l, group);
	if (!t)
		return;
	if (!t->cgroup[0] || g->tgid == group) {
		memcpy(t->cgroup, g->cgroup, sizeof(t->cgroup));
		t->cgroup[sizeof(t->cgroup) - 1] = '\0';
	}
	add_ports(t, g);
	l->procs[l->nprocs++] = (struct proc){ .tgid = g->tgid, .group = group, .netns = g->netns };
}

static struct space *space_of(struct limits *l, const struct proc *p)
{
	struct space *s;

	for (size_t i = 0; i < l->nspaces; i++)
		if (l->spaces[i].netns == p->netns)
			return &l->spaces[i];
	if (l->nspaces == SPACES_MAX || !p->netns)
		return NULL;
	s = &l->spaces[l->nspaces];
	if (space_open(s, p->netns, p->tgid)) {
		space_close(s);
		return NULL;
	}
	l->nspaces++;
	return s;
}

/* ---- one gateway's record ---- */

/* The process of the gateway that is nearest to its own limit. */
static void sample_files(const struct limits *l, struct w5_host *r)
{
	size_t looked = 0;

	r->v[W5_HOST_FILES] = r->v[W5_HOST_FILES_MAX] = W5_HOST_UNKNOWN;
	for (size_t i = 0; i < l->nprocs && looked < FILES_LOOKED; i++) {
		const struct proc *p = &l->procs[(l->first + i) % l->nprocs];

		if (p->group != r->group)
			continue;
		looked++;
		limits_host_files(r, p->tgid);
	}
}

static void tell(struct limits *l, struct gate *t, const struct w5_host *host, uint64_t now_ns)
{
	struct w5_host r = *host;
	struct space *s = NULL;

	r.h = (struct w5_hdr){ .ts_ns = now_ns, .type = W5_REC_HOST, .size = sizeof(r) };
	r.group = t->group;
	for (size_t i = 0; i < l->nprocs && !s; i++) {
		if (l->procs[i].group != t->group)
			continue;
		s = space_of(l, &l->procs[i]);
		r.netns = l->procs[i].netns;
	}
	if (s) {
		for (size_t i = 0; i <= W5_HOST_PORTS_MAX; i++)
			r.v[i] = s->v[i];
		limits_host_ports(&r, s->done);
		limits_host_listeners(&r, s, t->ports, t->nports);
	}
	sample_files(l, &r);
	limits_host_own_pressure(&r, l->cfg.cgroup_root, t->cgroup);
	if (!memcmp((char *)&r + sizeof(r.h), (char *)&t->told + sizeof(r.h),
		    sizeof(r) - sizeof(r.h)))
		return;
	t->told = r;
	l->cfg.record(l->cfg.self, &r.h);
}

static void sample(struct limits *l, uint64_t now_ns)
{
	struct w5_host host;

	limits_host_begin(&host);
	for (size_t i = 0; i < l->nprocs; i++)
		space_of(l, &l->procs[i]); /* opens those that are new */
	for (size_t i = 0; i < l->nspaces; i++)
		space_sample(&l->spaces[i], proc_in(l, l->spaces[i].netns)->tgid);
	for (size_t i = 0; i < l->ngates; i++)
		tell(l, &l->gates[i], &host, now_ns);
	l->first += FILES_LOOKED;
}

static void count_ports(struct limits *l, uint64_t now_ns, bool hinted)
{
	for (size_t i = 0; i < l->nspaces; i++) {
		struct space *s = &l->spaces[i];
		uint64_t since = now_ns - s->started_ns;
		uint64_t wait = hinted ? COUNT_SOON_NS : COUNT_NS;

		if (!s->started_ns || since >= max_u64(wait, COUNT_SHARE * s->last_cost_ns))
			space_count_start(s, now_ns);
		space_count_go_on(s, SLICE_NS);
	}
}

void limits_poll(struct limits *l, uint64_t now_ns)
{
	uint64_t since = now_ns - l->sampled_ns;
	bool hinted = l->hinted;

	count_ports(l, now_ns, hinted);
	if (l->sampled_ns && since < (hinted ? SAMPLE_SOON_NS : SAMPLE_NS))
		return;
	l->hinted = false;
	l->sampled_ns = now_ns;
	sample(l, now_ns);
}

void limits_once(struct limits *l, uint32_t group, uint64_t now_ns)
{
	struct w5_host host;

	for (size_t i = 0; i < l->nprocs; i++) {
		struct space *s = l->procs[i].group == group ? space_of(l, &l->procs[i]) : NULL;

		if (!s || s->started_ns)
			continue;
		space_sample(s, l->procs[i].tgid);
		space_count_start(s, now_ns);
		while (s->family)
			space_count_go_on(s, UINT64_MAX - 1);
	}
	limits_host_begin(&host);
	for (size_t i = 0; i < l->ngates; i++)
		if (l->gates[i].group == group)
			tell(l, &l->gates[i], &host, now_ns);
}
