/* SPDX-License-Identifier: BSD-2-Clause */
/* Fills a W5_REC_HOST record of one gateway, piece by piece. */
#ifndef SOURCE_LIMITS_HOST_H
#define SOURCE_LIMITS_HOST_H

#include "source/limits_space.h"

/* What all gateways have in common; the rest is not known yet. */
void limits_host_begin(struct w5_host *host);
/* Where this process is nearer to its own limit of files than those before it. */
void limits_host_files(struct w5_host *r, uint32_t tgid);
/* cgroup_root: directory fd, -1: not known. cgroup: path below it. */
void limits_host_own_pressure(struct w5_host *r, int cgroup_root, const char *cgroup);
/* Sorts c, the fullest first. */
void limits_host_ports(struct w5_host *r, struct counts *c);
/* own: the ports that the gateway itself listens on */
void limits_host_listeners(struct w5_host *r, const struct space *s, const uint16_t *own,
			   size_t nown);

#endif
