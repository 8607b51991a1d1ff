/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcap-filter(7) expressions on kept packets, which begin at the IP header. Compiled once by
 * libpcap. Names of hosts, networks and services are not looked up: that would wait for a
 * server while everything else stands still.
 */
#ifndef SINK_PKTFILTER_H
#define SINK_PKTFILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "w5_abi.h"

struct pktfilter;

#define PKTFILTER_WHY_MAX 96

/* *out changes only on success; an empty expression matches everything. -EINVAL fills why
 * and *at, the byte of the expression it is about; -ENOMEM. */
int pktfilter_new(struct pktfilter **out, const char *expr, char why[PKTFILTER_WHY_MAX],
		  size_t *at);
void pktfilter_free(struct pktfilter *flt); /* NULL is fine */
/* flt NULL matches everything. */
bool pktfilter_match(const struct pktfilter *flt, const struct w5_packet *pkt);

#endif
