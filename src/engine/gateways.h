/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of a gateway, and its failures of late. Owned by the engine. */
#ifndef ENGINE_GATEWAYS_H
#define ENGINE_GATEWAYS_H

#include "engine/head.h"
#include "engine/upstreams.h"

#define GATEWAYS_MAX  1024
#define FAILURES_KEPT 128

/* A failure kept to explain later answers that were made without any attempt. */
struct failure {
	uint64_t ts_ns;
	struct route route; /* of the client's request */
	uint64_t finding_id;
	struct w5_addr ip;
	uint16_t port;
	enum cause cause;
};

struct gateway {
	struct failure failures[FAILURES_KEPT];
	size_t nfailures;
	struct host *host;	/* NULL: nothing is known of its host */
	struct idle_times idle; /* conns that it closed, to whatever upstream */
	/* Newest time at which it had conns to an upstream that could not be read: pools_unread() */
	uint64_t unread_ns;
	uint32_t unread; /* so many it has now */
	bool used;	 /* an exchange or attempt of it was seen */
	bool unwanted;	 /* by --comm or --pid: nothing of it counts */
};

/* ---- gateways.c ---- */
void on_gateway(struct engine *e, const struct w5_gateway *g);
int gateways_of(const struct engine *e, uint32_t tgid);		      /* index, or -1 */
struct gateway *gateways_find(const struct engine *e, uint32_t tgid); /* NULL = not known */
bool gateways_wanted(const struct engine *e, int gw);		      /* by --comm and --pid */
void gateways_used(struct engine *e, int gw); /* it has connected, or was asked */
/* Its threads' trail can be believed: one event loop, or one thread per request. */
bool gateways_trail_exact(const struct engine *e, int gw);
/* The threads that serve the streams of an HTTP/2 conn are not the one that reads it. */
bool gateways_streams_roam(const struct engine *e, int gw);
/* A connect's hint is the request whose turn it was; none: a later try, or a health check. */
bool gateways_queues(const struct engine *e, int gw);
/* Not beyond doubt, but what a thread sends after a failed connect is its retry. */
bool gateways_trail_follows(const struct engine *e, int gw);
uint64_t gateways_holddown_ns(const struct engine *e, int gw);
void gateways_free(struct engine *e);
/* It looks names up for its own list of servers, not for a request (HAProxy). */
bool gateways_asks_aside(const struct engine *e, int gw);
/* Whether it answers so when it does not try any upstream. */
bool gateways_may_be_untried(const struct engine *e, int gw, uint16_t status);

/* ---- failures.c ---- */
enum kinship {		    /* between a request and an earlier failure */
	       KIN_GATEWAY, /* the same gateway, no more is known */
	       KIN_HOST,    /* the same Host */
	       KIN_ROUTE,   /* the same Host and first path segment */
};
void failure_add(struct engine *e, int gw, const struct w5_leg *l);
void failure_explain(struct engine *e, int gw, const struct w5_leg *l, const struct route *r,
		     uint64_t finding_id, enum cause cause);
const struct failure *failure_find(const struct engine *e, int gw, const struct route *r,
				   uint64_t from_ns, uint64_t to_ns, enum kinship *kin);

#endif
