/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connects that failed on this host before a packet left: the socket has no errno for us, so the
 * kernel is asked what such a connect meets, as the process sees the network: the routing table,
 * or the range of local ports and what is in use of it. Each peer at most once a second or so.
 */
#ifndef KERNEL_LOCAL_H
#define KERNEL_LOCAL_H

#include "w5_bpf.h"

#define LOCAL_KEPT 32 /* peers whose last answer is remembered */

struct local_answer {
	uint64_t when_ns;
	uint32_t netns, tgid;
	struct w5_addr to, from;
	struct w5_route_key how;
	uint16_t port, kind;
	int err;	       /* of the routing table */
	struct w5_limit ports; /* .limit 0: could not be had */
};

struct local {
	struct local_answer kept[LOCAL_KEPT];
};

/* Completes the record of a failed connect. asked: what follows it in the ring, or NULL. Returns
 * a record to hand on before it, or NULL; it is l's until the next call. */
const struct w5_limit *local_explain(struct local *l, struct w5_leg *leg,
				     const struct w5_route_key *asked);

#endif
