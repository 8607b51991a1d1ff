/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two questions to the kernel about one peer, in the namespace this thread is in: what a connect
 * to it would meet in the routing table, and how many sockets there are to it.
 */
#ifndef KERNEL_NETLINK_H
#define KERNEL_NETLINK_H

#include "w5_bpf.h"

/* The errno that connect() gets from the routing table; 0 = there is a route, or it cannot be
 * asked. from may be all zeroes. */
int netlink_route_error(const struct w5_addr *to, uint16_t port, const struct w5_addr *from,
			const struct w5_route_key *how);

struct netlink_sockets {
	uint32_t all, waiting; /* any state but LISTEN; of them in TIME_WAIT */
};
/* 0 or -errno. */
int netlink_count_sockets(struct netlink_sockets *n, const struct w5_addr *to, uint16_t port);

#endif
