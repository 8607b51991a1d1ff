/* SPDX-License-Identifier: BSD-2-Clause */
/* Between capture_scan.c, which gathers evidence, and capture_gateways.c, which decides. */
#ifndef SOURCE_CAPTURE_SCAN_H
#define SOURCE_CAPTURE_SCAN_H

#include "source/capture_impl.h"

#define SCONNS_MAX 65536
#define SVCS_MAX   2048
#define LINKS_MAX  8
#define NOTED_MAX  4
#define BUCKETS	   1024

/* A conn, and the request that is open on it. */
struct sconn {
	struct conn_id conn;
	struct list lru, open, same; /* of the scan; same: by target */
	uint64_t target, route, asked_ns, last_syn_ns;
	uint32_t isn;
	bool has_syn, is_answered, asked;
	size_t nnested, nopened;
	struct w5_addr nested[NOTED_MAX]; /* who asked for the same meanwhile */
	struct w5_addr opened[NOTED_MAX]; /* who opened conns meanwhile */
};

/* Who did so during how many requests of a service. */
struct svc_link {
	struct w5_addr ip;
	uint64_t nested, opened; /* opened: of those that went wrong */
};

/* An address that HTTP requests go to. */
struct svc {
	struct w5_addr ip;
	uint16_t port;
	uint64_t requests, bad;
	uint64_t opens; /* conns it opened itself meanwhile */
	struct svc_link links[LINKS_MAX];
	size_t nlinks;
};

struct scan {
	struct hash conns, svc_at;
	struct hash askers; /* addresses that send requests */
	struct list lru, open;
	struct list same[BUCKETS];
	size_t nconns, nsvcs;
	uint64_t npackets; /* of IP */
	struct svc svcs[SVCS_MAX];
};

struct svc *scan_svc(struct scan *s, const struct w5_addr *ip, uint16_t port);
void capture_choose_gateways(struct capture *c, char why_none[CAPTURE_ERR_MAX]);

#endif
