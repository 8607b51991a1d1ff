/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's limits beside a finding: one row per limit, said where it was near or beyond, and
 * where it can bear on what happened. It supports a cause that the sockets have shown, and
 * gives none.
 */
#include "engine/words.h"

#include <string.h>

#define NEAR_PERCENT  95 /* of files, local ports, tracked connections */
#define STALL_PERCENT 50 /* of the last 10 s, in which tasks waited for CPU; */
#define STALL_OTHER   20 /* for memory, disk */
#define AROUND_NS     (2 * NS_PER_S)

struct scene {
	const struct sentence_input *in;
	const struct w5_leg *up; /* the attempt that decided, or NULL */
	const struct w5_host *now, *before;
	bool connecting, local; /* local: the upstream is on this host */
	char when[32];
};

typedef bool (*say_limit)(char *out, size_t cap, const struct scene *s);

static bool is_near(uint64_t n, uint64_t max)
{
	return n != W5_HOST_UNKNOWN && max != W5_HOST_UNKNOWN && max &&
	       (double)n * 100 >= (double)max * NEAR_PERCENT;
}

/* Nothing was sent that got anywhere: what the gateway had to have for it was of this host. */
static bool got_nowhere(const struct scene *s)
{
	return !s->up || (s->connecting && !s->up->syn_sent);
}

static bool say_files(char *out, size_t cap, const struct scene *s)
{
	const struct w5_host *h = s->now;

	if (!is_near(h->v[W5_HOST_FILES], h->v[W5_HOST_FILES_MAX]) ||
	    !(got_nowhere(s) || s->connecting || !s->in->f->status))
		return false;
	words_put(out, cap, "host: the gateway has %llu of %llu files open (process %u)",
		  (unsigned long long)h->v[W5_HOST_FILES],
		  (unsigned long long)h->v[W5_HOST_FILES_MAX], h->tgid);
	return true;
}

static bool say_ports(char *out, size_t cap, const struct scene *s)
{
	char where[TEXT_ENDPOINT_MAX];

	for (size_t i = 0; i < s->now->nports; i++) {
		const struct w5_host_ports *p = &s->now->ports[i];
		bool same = s->up && p->port == s->up->rport &&
			    !memcmp(&p->ip, &s->up->remote, sizeof(p->ip));

		if (!is_near(p->used, s->now->v[W5_HOST_PORTS_MAX]) ||
		    !(s->up ? same && s->connecting : true))
			continue;
		text_endpoint(where, sizeof(where), &p->ip, p->port);
		words_put(out, cap, "host: %u of %llu local ports are in use towards %s", p->used,
			  (unsigned long long)s->now->v[W5_HOST_PORTS_MAX], where);
		return true;
	}
	return false;
}

static bool listens_there(const struct w5_host_listener *l, const struct w5_leg *up)
{
	static const struct w5_addr any;

	return l->port == up->rport &&
	       (!memcmp(&l->ip, &any, sizeof(any)) || !memcmp(&l->ip, &up->remote, sizeof(any)));
}

/* The gateway's own, which clients feel; or the backend's, where it is on this host. */
static bool say_listener(char *out, size_t cap, const struct scene *s)
{
	char where[TEXT_ENDPOINT_MAX];

	for (size_t i = 0; s->before && i < s->now->nlisteners; i++) {
		const struct w5_host_listener *l = &s->now->listeners[i];
		uint64_t n = host_dropped(s->before, s->now, i);
		bool backends = s->local && listens_there(l, s->up);

		if (!n || !(backends || l->flags & W5_LISTENER_OWN))
			continue;
		text_listener(where, sizeof(where), &l->ip, l->port);
		words_put(out, cap,
			  "host: the listener of %s%s dropped %llu connection attempts %s "
			  "(accept queue: %u of %u)",
			  where, backends ? "" : " (the gateway)", (unsigned long long)n, s->when,
			  l->queue, l->max);
		return true;
	}
	return false;
}

static bool say_conntrack(char *out, size_t cap, const struct scene *s)
{
	const struct w5_host *h = s->now;
	uint64_t n = s->before ? host_grown(s->before, h, W5_HOST_CONNTRACK_DROPS) : 0;
	size_t at;

	if (!is_near(h->v[W5_HOST_CONNTRACK], h->v[W5_HOST_CONNTRACK_MAX]) ||
	    !(got_nowhere(s) || s->connecting))
		return false;
	words_put(out, cap, "host: %llu of %llu connections are tracked (conntrack)",
		  (unsigned long long)h->v[W5_HOST_CONNTRACK],
		  (unsigned long long)h->v[W5_HOST_CONNTRACK_MAX]);
	at = strlen(out);
	if (n)
		words_put(out + at, cap - at, ", %llu packets dropped %s", (unsigned long long)n,
			  s->when);
	return true;
}

static bool say_softnet(char *out, size_t cap, const struct scene *s)
{
	uint64_t n = s->before ? host_grown(s->before, s->now, W5_HOST_SOFTNET_DROPS) : 0;

	if (!n || !s->up || !(s->up->retrans || s->up->syn_sent > 1))
		return false;
	words_put(out, cap, "host: %llu packets dropped before the network stack (softnet) %s",
		  (unsigned long long)n, s->when);
	return true;
}

/* Waiting for a CPU, for memory or a disk only matters where time was what ran out. */
static bool say_stall(char *out, size_t cap, const struct scene *s)
{
	static const struct {
		enum w5_host_value own, host;
		unsigned int percent;
		const char *what;
	} rows[] = {
		{ W5_HOST_OWN_CPU, W5_HOST_CPU, STALL_PERCENT, "the CPU" },
		{ W5_HOST_OWN_MEMORY_FULL, W5_HOST_MEMORY_FULL, STALL_OTHER, "memory" },
		{ W5_HOST_OWN_IO, W5_HOST_IO, STALL_OTHER, "disks" },
	};

	if (s->in->f->duration_ns < NS_PER_S)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t own = s->now->v[rows[i].own], host = s->now->v[rows[i].host];
		bool has_own = own != W5_HOST_UNKNOWN;
		uint64_t v = has_own ? own : host;

		if (v == W5_HOST_UNKNOWN || v < rows[i].percent * 100)
			continue;
		words_put(out, cap, "host: tasks %s waited for %s in %llu%% of the last 10 s",
			  has_own ? "of the gateway's cgroup" : "of this host", rows[i].what,
			  (unsigned long long)(v / 100));
		return true;
	}
	return false;
}

static void set_scene(struct scene *s, const struct sentence_input *in)
{
	static const uint8_t loopback[13] = { [10] = 0xff, [11] = 0xff, [12] = 127 };
	const struct finding *f = in->f;
	uint64_t from = f->ts_ns - min_u64(f->ts_ns, AROUND_NS);
	bool is_long = f->req_ns && f->req_ns < from;

	*s = (struct scene){ .in = in, .now = host_now(in->host) };
	s->before = host_at(in->host, is_long ? f->req_ns : from);
	snprintf(s->when, sizeof(s->when), "%s", is_long ? "meanwhile" : "in the 2 s before");
	if (!in->facts)
		return;
	s->up = in->facts->l;
	s->connecting = in->facts->connecting;
	s->local = !memcmp(&s->up->local, &s->up->remote, sizeof(s->up->local)) ||
		   !memcmp(&s->up->remote, loopback, sizeof(loopback));
}

bool sentence_host(char *out, size_t cap, const struct sentence_input *in, unsigned int i)
{
	static const say_limit limits[] = { say_files,	   say_ports,	say_listener,
					    say_conntrack, say_softnet, say_stall };
	struct scene s;

	if (!in->host || in->f->verdict == VERDICT_PASSED_THROUGH ||
	    in->f->verdict == VERDICT_CLIENT)
		return false;
	set_scene(&s, in);
	for (size_t k = 0; k < ARRAY_SIZE(limits); k++)
		if (limits[k](out, cap, &s) && !i--)
			return true;
	return false;
}
