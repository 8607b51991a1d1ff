/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples the limits of the host that the gateways run on. In: the gateways' records, and the
 * word that a connect has failed. Out: W5_REC_HOST records through one callback: per gateway
 * one a second, if something changed; after a failed connect at once, so that the record
 * comes before the finding.
 *
 * Never blocks: short files, and socket dumps in slices. What costs with the number of
 * sockets, local ports per upstream, is counted every 10 s, after a failed connect as soon as
 * the last count's cost allows. Counters are those of the gateway's own network namespace.
 */
#ifndef SOURCE_LIMITS_H
#define SOURCE_LIMITS_H

#include <stdint.h>

#include "w5_abi.h"

struct limits;

struct limits_cfg {
	int cgroup_root; /* directory fd of the cgroup v2 root, borrowed; -1: no pressure of cgroups */
	void (*record)(void *self, const struct w5_hdr *rec);
	void *self;
};

int limits_new(struct limits **out, const struct limits_cfg *cfg); /* -ENOMEM */
void limits_free(struct limits *l);				   /* NULL is fine */
void limits_gateway(struct limits *l, const struct w5_gateway *g);
void limits_connect_failed(struct limits *l);
void limits_poll(struct limits *l, uint64_t now_ns);
/* Everything of one gateway, to its end, whatever it costs: one record. */
void limits_once(struct limits *l, uint32_t group, uint64_t now_ns);

#endif
