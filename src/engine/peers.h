/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which addresses a gateway's names stand for now, by its configuration (W5_REC_NAME) and by the
 * answers it got itself (lookups.h): is the peer that a connect failed with still one of them?
 */
#ifndef ENGINE_PEERS_H
#define ENGINE_PEERS_H

#include "base/dns.h"
#include "engine/internal.h"

/* A peer that its name has left behind. */
struct stale {
	char name[DNS_NAME_MAX];
	struct w5_addr now; /* one of its addresses */
	size_t naddrs;	    /* it has so many; 0 = none any more */
	bool was_seen;	    /* it was seen to have that of the peer before */
	bool by_answer;	    /* the gateway's own look-ups say so, else its configuration */
	uint64_t looked_ns;
	enum cause plain; /* what the connect met */
};

void on_name(struct engine *e, const struct w5_name *n);
/* False where the address is current, or nothing is known. */
bool peers_stale(const struct engine *e, int gw, const struct w5_leg *l, uint64_t ts_ns,
		 struct stale *out);
void peers_free(struct engine *e);

#endif
