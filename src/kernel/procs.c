// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/procs.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kernel/cgroup.h"

/* Programs that are gateways before they have connected anywhere. A name is only a head
 * start: any other process becomes one with its first connect. */
static const char *const gateway_names[] = {
	"nginx",     "haproxy", "apache2", "httpd",    "caddy", "envoy", "traefik", "varnishd",
	"openresty", "angie",	"tengine", "lighttpd", "h2o",	"squid", "kong",    "pound",
};

#define TCP_STATE_ESTABLISHED 1 /* include/net/tcp_states.h */
#define TCP_STATE_LISTEN      10

struct proc {
	uint32_t tgid, ppid, netns;
	uint32_t group; /* as announced */
	uint64_t cgroup_id;
	uint16_t ports[16], nports;
	bool listens, connects, named, announced;
	char comm[16];
};

struct conn_seen {
	uint32_t tgid, netns;
	uint16_t lport;
};

struct procs {
	struct procs_cfg cfg;
	procs_gateway_fn on_gateway;
	void *self;
	struct proc *v;
	size_t n, cap;
	struct conn_seen *seen; /* established conns of the seed, until it is done */
	size_t nseen, seen_cap;
};

int procs_new(struct procs **out, const struct procs_cfg *cfg, procs_gateway_fn on_gateway,
	      void *self)
{
	struct procs *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->cfg = *cfg;
	p->on_gateway = on_gateway;
	p->self = self;
	*out = p;
	return 0;
}

void procs_free(struct procs *p)
{
	if (!p)
		return;
	free(p->v);
	free(p->seen);
	free(p);
}

static struct proc *find(struct procs *p, uint32_t tgid)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].tgid == tgid)
			return &p->v[i];
	return NULL;
}

static bool known_name(const char *comm)
{
	for (size_t i = 0; i < ARRAY_SIZE(gateway_names); i++)
		if (!strncmp(comm, gateway_names[i], 15))
			return true;
	return false;
}

/* comm: 16 bytes, or NULL. 0 if the process is gone. */
static uint32_t parent_of(uint32_t tgid, char *comm)
{
	w5_auto(fclosep) FILE *f = NULL;
	char path[40], line[512], *name, *end;
	unsigned int ppid;

	snprintf(path, sizeof(path), "/proc/%u/stat", tgid);
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f))
		return 0;
	name = strchr(line, '(');
	end = strrchr(line, ')'); /* the name before it may hold anything */
	if (!name || !end || sscanf(end + 1, " %*c %u", &ppid) != 1)
		return 0;
	*end = '\0';
	if (comm)
		snprintf(comm, 16, "%.15s", name + 1);
	return ppid;
}

static struct proc *find_or_add(struct procs *p, uint32_t tgid, uint32_t ppid, const char *comm)
{
	struct proc *q = find(p, tgid);

	if (q)
		return q;
	if (array_room(p->v, &p->cap, p->n, 64))
		return NULL;
	q = &p->v[p->n++];
	memset(q, 0, sizeof(*q));
	q->tgid = tgid;
	q->ppid = ppid ? ppid : parent_of(tgid, NULL);
	memcpy(q->comm, comm, sizeof(q->comm) - 1);
	q->named = known_name(q->comm) || tgid == p->cfg.pid;
	return q;
}

static void add_port(struct proc *q, uint16_t port)
{
	for (size_t i = 0; i < q->nports; i++)
		if (q->ports[i] == port)
			return;
	if (q->nports < ARRAY_SIZE(q->ports))
		q->ports[q->nports++] = port;
}

/* The master: the farthest ancestor that is a candidate too. */
static uint32_t group_of(struct procs *p, const struct proc *q)
{
	for (int depth = 0; depth < 8; depth++) {
		const struct proc *up = find(p, q->ppid);

		if (!up || up == q || (kill(up->tgid, 0) && errno == ESRCH))
			break; /* a daemon's first process ends at once */
		q = up;
	}
	return q->tgid;
}

static int publish(struct procs *p, struct proc *q)
{
	struct w5_proc v = { .flags = W5_PROC_CANDIDATE, .group = group_of(p, q) };

	if (q->named || q->connects)
		v.flags |= W5_PROC_GATEWAY;
	if (!strcmp(q->comm, "haproxy"))
		v.flags |= W5_PROC_QUEUES;
	return bpf_map_update_elem(p->cfg.procs_map, &q->tgid, &v, BPF_ANY);
}

static void announce(struct procs *p, struct proc *q, uint16_t extra_flags)
{
	struct w5_gateway g = { .h = { .type = W5_REC_GATEWAY, .size = sizeof(g) } };
	const struct proc *listener = q;

	g.tgid = q->tgid;
	g.group = q->group = group_of(p, q);
	g.netns = q->netns;
	g.cgroup_id = q->cgroup_id;
	g.flags = extra_flags | (q->named && !q->connects ? W5_GW_NAMED : 0);
	if (!q->nports && find(p, g.group)) /* a new worker: its master's ports */
		listener = find(p, g.group);
	g.nports = listener->nports;
	memcpy(g.ports, listener->ports, sizeof(g.ports));
	memcpy(g.comm, q->comm, sizeof(g.comm));
	cgroup_path_of(q->tgid, g.cgroup, sizeof(g.cgroup));
	p->on_gateway(p->self, &g);
}

static void consider(struct procs *p, struct proc *q)
{
	if (q->announced || !(q->named || q->connects))
		return;
	q->announced = true;
	announce(p, q, 0);
}

int procs_seed_socket(struct procs *p, const struct w5_seed *s)
{
	struct proc *q;

	if (s->state == TCP_STATE_LISTEN) {
		struct w5_port_key key = { .netns = s->netns, .port = s->lport };
		uint8_t one = 1;

		q = find_or_add(p, s->tgid, s->ppid, s->comm);
		if (!q)
			return -ENOMEM;
		q->listens = true;
		q->netns = s->netns;
		q->cgroup_id = s->cgroup_id;
		add_port(q, s->lport);
		/* A full map costs the role of some older conns only. */
		bpf_map_update_elem(p->cfg.ports_map, &key, &one, BPF_ANY);
		return 0;
	}
	if (s->state != TCP_STATE_ESTABLISHED)
		return 0;
	if (array_room(p->seen, &p->seen_cap, p->nseen, 256))
		return -ENOMEM;
	p->seen[p->nseen++] = (struct conn_seen){ s->tgid, s->netns, s->lport };
	return 0;
}

int procs_seed_done(struct procs *p)
{
	for (size_t i = 0; i < p->nseen; i++) {
		struct w5_port_key key = { .netns = p->seen[i].netns, .port = p->seen[i].lport };
		struct proc *q = find(p, p->seen[i].tgid);
		uint8_t one;

		if (q && bpf_map_lookup_elem(p->cfg.ports_map, &key, &one))
			q->connects = true; /* an own connection, not an accepted one */
	}
	free(take_ptr(p->seen));
	p->nseen = p->seen_cap = 0;
	for (size_t i = 0; i < p->n; i++)
		if (publish(p, &p->v[i]))
			return -errno;
	for (size_t i = 0; i < p->n; i++)
		consider(p, &p->v[i]);
	return 0;
}

int procs_listen(struct procs *p, const struct w5_listen *r)
{
	char comm[16];
	struct proc *q;

	memcpy(comm, r->comm, sizeof(comm));
	comm[15] = '\0';
	q = find_or_add(p, r->tgid, 0, comm);
	if (!q)
		return -ENOMEM;
	q->netns = r->netns;
	q->cgroup_id = r->cgroup_id;
	if (r->port) {
		q->listens = true;
		add_port(q, r->port);
	} else {
		q->connects = true;
	}
	if (publish(p, q))
		return -errno;
	consider(p, q);
	return 0;
}

/*
 * A child of a process in the table has its parent's entry already. It stays if it may serve
 * with the sockets it inherited: it still runs its parent's program, or a gateway's. A helper
 * (CGI, a log's pipe) is another program by now, or gone.
 */
int procs_forked(struct procs *p, const struct w5_listen *r)
{
	const struct proc *up = find(p, r->tid);
	char comm[16] = "";
	uint32_t ppid = parent_of(r->tgid, comm);
	struct proc *q;

	if (find(p, r->tgid))
		return 0;
	if (!ppid || !up || (strcmp(comm, up->comm) && !known_name(comm))) {
		bpf_map_delete_elem(p->cfg.procs_map, &r->tgid);
		return 0;
	}
	q = find_or_add(p, r->tgid, ppid, comm);
	if (!q)
		return -ENOMEM;
	q->netns = r->netns;
	q->cgroup_id = r->cgroup_id;
	up = find(p, r->tid); /* the table may have moved */
	q->connects = up && up->connects;
	if (publish(p, q))
		return -errno;
	consider(p, q);
	return 0;
}

void procs_reap(struct procs *p)
{
	size_t n = p->n;

	for (size_t i = 0; i < p->n;) {
		struct proc *q = &p->v[i];

		if (!kill(q->tgid, 0) || errno != ESRCH) {
			i++;
			continue;
		}
		bpf_map_delete_elem(p->cfg.procs_map, &q->tgid);
		if (q->announced)
			announce(p, q, W5_GW_ENDED);
		*q = p->v[--p->n];
	}
	/* A master that has ended leaves its workers to the next. */
	for (size_t i = 0; n != p->n && i < p->n; i++) {
		struct proc *q = &p->v[i];

		if (q->announced && q->group != group_of(p, q) && !publish(p, q))
			announce(p, q, 0);
	}
}
