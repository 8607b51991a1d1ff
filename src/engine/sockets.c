/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local (unix) sockets that gateways connect to. A connect that failed is an attempt. One that did
 * not hides what came of it, as nothing of it is a packet: kept, so that nobody says that nothing
 * was tried. A ring of the newest; what is older has found its exchange.
 */
#include "engine/sockets.h"

#include <string.h>

#include "w5_service.h"

#define OPENS_KEPT  4096 /* where each request has a conn of its own */
#define ROUTES_KEPT 128

struct local_route {
	uint64_t path; /* of a struct route */
	int gw;
	struct w5_unix last;
};

struct sockets {
	struct w5_unix opens[OPENS_KEPT];
	size_t nopens; /* so far; the newest is [(n - 1) % KEPT] */
	struct local_route routes[ROUTES_KEPT];
	size_t nroutes; /* so far */
	uint64_t nunix; /* failed ones without a cookie */
	/* Told that they can be watched; since when, 0 = not now. */
	bool can_watch;
	uint64_t watched_ns;
};

static struct sockets *sockets_get(struct engine *e)
{
	if (!e->sockets)
		e->sockets = calloc(1, sizeof(*e->sockets));
	if (!e->sockets)
		loss_own(e, W5_LOSS_EVICTED);
	return e->sockets;
}

void sockets_free(struct engine *e)
{
	free(e->sockets);
}

/* ---- what is told ---- */

/* The path's end as an address: the same path is the same upstream everywhere. */
static void name_upstream(struct w5_leg *l, const uint8_t *path, size_t len)
{
	size_t n = min_size(len, W5_PATH_END);

	l->remote.ip[0] = l->remote.ip[1] = W5_PATH_MARK;
	memcpy(&l->remote.ip[sizeof(l->remote.ip) - n], path + len - n, n);
	l->rport = (uint16_t)(hash_bytes(path, len, 0) | 1);
}

/* A path ends with a zero, if it does not begin with one. */
static size_t path_len(const struct w5_unix *u)
{
	return u->len && u->path[0] ? strnlen((const char *)u->path, u->len) : u->len;
}

void on_unix(struct engine *e, const struct w5_unix *u)
{
	struct sockets *t = sockets_get(e);
	size_t len = path_len(u);
	uint64_t nr = u->h.cookie & (W5_UNIX_COOKIE - 1);
	struct w5_leg l = { .h = u->h,
			    .role = W5_ROLE_UPSTREAM,
			    .phase = W5_PHASE_CONNECT,
			    .end = W5_END_CONNECT,
			    .flags = W5_F_TID_EXACT | W5_F_BAD,
			    .open_ns = u->h.ts_ns,
			    .end_ns = u->h.ts_ns,
			    .hint_cookie = u->hint_cookie,
			    .hint_ns = u->hint_ns,
			    .after = u->after,
			    .tgid = u->tgid,
			    .tid = u->tid,
			    .err = u->err };

	if (!t || cookie_is_stream(u->hint_cookie) || w5_is_service(u->path))
		return;
	if (!u->err) {
		t->can_watch = true;
		t->watched_ns = u->watched ? u->h.ts_ns : 0;
		return;
	}
	l.h.cookie = W5_UNIX_COOKIE | (u->h.cookie ? nr : ++t->nunix);
	l.h.type = W5_REC_ATTEMPT;
	l.h.size = sizeof(l);
	l.head_len = (uint16_t)len;
	memcpy(l.head, u->path, len);
	name_upstream(&l, u->path, len);
	on_attempt(e, &l);
}

void on_unix_open(struct engine *e, const struct w5_unix *u)
{
	struct sockets *t = sockets_get(e);
	struct w5_unix *kept;

	if (!t || w5_is_service(u->path))
		return;
	kept = &t->opens[t->nopens++ % OPENS_KEPT];
	*kept = *u;
	kept->len = (uint16_t)path_len(u);
}

/* The i-th newest that is not older than since_ns, or NULL. */
static const struct w5_unix *newest(const struct sockets *t, size_t i, uint64_t since_ns)
{
	const struct w5_unix *u;

	if (!t || i >= t->nopens || i >= OPENS_KEPT)
		return NULL;
	u = &t->opens[(t->nopens - 1 - i) % OPENS_KEPT];
	return u->h.ts_ns >= since_ns ? u : NULL;
}

static struct local_route *route_get(struct sockets *t, int gw, uint64_t path)
{
	for (size_t i = 0; i < t->nroutes && i < ROUTES_KEPT; i++)
		if (t->routes[i].path == path && t->routes[i].gw == gw)
			return &t->routes[i];
	return &t->routes[t->nroutes++ % ROUTES_KEPT];
}

void sockets_learn(struct engine *e, int gw, const struct w5_leg *down)
{
	const struct w5_unix *u;
	struct head h;

	for (size_t i = 0; down->req_ns && (u = newest(e->sockets, i, down->req_ns)); i++) {
		if (u->h.ts_ns > down->h.ts_ns || u->tgid != down->tgid || !u->hint_cookie ||
		    u->hint_cookie != down->h.cookie)
			continue;
		if (head_parse(&h, down))
			*route_get(e->sockets, gw, head_route(&h).path) = (struct local_route){
				.path = head_route(&h).path, .gw = gw, .last = *u
			};
		return;
	}
}

/* ---- what is asked ---- */

bool sockets_unwatched(const struct engine *e, const struct pending *p)
{
	const struct sockets *t = e->sockets;

	return t && t->can_watch && (!t->watched_ns || t->watched_ns > p->leg.req_ns);
}

/* As tries do: where the trail can be believed only what it names is its own; else what its thread
 * did meanwhile may be, unless it was for another. Of several streams of a conn any may have been
 * meant. */
const struct w5_unix *sockets_tried(const struct engine *e, const struct pending *p, bool *sure)
{
	bool follows = trail_is_exact(e, p) || gateways_queues(e, p->gw);
	uint64_t from_ns = p->from_ns > SLACK_NS ? p->from_ns - SLACK_NS : 0;
	const struct w5_unix *maybe = NULL, *u;

	*sure = false;
	for (size_t i = 0; p->from_ns && (u = newest(e->sockets, i, from_ns)); i++) {
		if (u->tgid != p->leg.tgid || u->h.ts_ns > p->ts_ns)
			continue;
		if (u->hint_cookie && u->hint_cookie == p->leg.h.cookie) {
			*sure = true;
			return u;
		}
		if (follows && u->hint_cookie && u->hint_cookie != p->leg.conn_cookie)
			continue;
		if (!maybe && (u->tid == p->leg.tid || p->roams))
			maybe = u;
	}
	return maybe;
}

const struct w5_unix *sockets_of_route(const struct engine *e, const struct pending *p,
				       const struct route *route)
{
	const struct sockets *t = e->sockets;

	for (size_t i = 0; t && i < t->nroutes && i < ROUTES_KEPT; i++)
		if (t->routes[i].path == route->path && t->routes[i].gw == p->gw)
			return &t->routes[i].last;
	return NULL;
}

const struct w5_unix *sockets_used(const struct engine *e, const struct pending *p,
				   uint64_t since_ns)
{
	const struct w5_unix *u;

	for (size_t i = 0; (u = newest(e->sockets, i, since_ns)); i++) {
		if (u->h.ts_ns <= p->ts_ns && gateways_of(e, u->tgid) == p->gw)
			return u;
	}
	return NULL;
}
