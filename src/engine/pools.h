/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gateway's pools: conns in use and idle per upstream, from W5_REC_POOL records, and whether
 * they stood at a limit. In: a count per process now and then; out: engine_upstream, and an answer
 * to "were all that it may use in use?".
 */
#ifndef ENGINE_POOLS_H
#define ENGINE_POOLS_H

#include "engine/internal.h"

/* The upstream at its limit. */
struct pool_full {
	struct w5_addr ip;
	uint16_t port;
	uint32_t in_use;    /* of this upstream: constant, and never more within a minute */
	uint32_t upstreams; /* of the route, all of them full */
	uint64_t since_ns, seen_ns, oldest_ns;
};

void on_pool(struct engine *e, const struct w5_pool *p);
enum pool_state {
	POOL_FREE,  /* or nothing is known of it */
	POOL_MAYBE, /* at its highest, but for no longer than a moment; or not counted since */
	POOL_FULL,
};

/* Did all upstreams of this gateway that serve the route stand at their highest, from one time to
 * the other? */
enum pool_state pools_state(struct engine *e, int gw, const struct route *route, uint64_t from_ns,
			    uint64_t to_ns, struct pool_full *out);
/* What a pool looked like then is not known before it is counted: false until that is done, or
 * cannot be expected any more. */
bool pools_counted(const struct engine *e, uint64_t ns, uint64_t now_ns);
/* Since then, has the gateway had conns to an upstream that are older than us, and encrypted, so
 * that what it asked there could not be read? pools_opened(): one of them is read from now on. */
bool pools_unread(const struct engine *e, int gw, uint64_t from_ns);
void pools_opened(struct engine *e, const struct w5_leg *l);

#endif
