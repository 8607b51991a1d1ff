/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One network namespace that gateways are in: its sysctls, counters and sockets. Files and
 * socket are opened inside once; afterwards they tell of it from anywhere.
 */
#ifndef SOURCE_LIMITS_SPACE_H
#define SOURCE_LIMITS_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "w5_abi.h"

#define SPACE_TOWARDS_MAX   1024 /* upstreams that are counted; those that come later are not */
#define SPACE_LISTENERS_MAX 64

/* Local ports in use from one local address towards one upstream. */
struct towards {
	struct w5_addr from, to;
	uint16_t port;
	uint32_t used;
};

struct counts {
	size_t n;
	struct towards v[SPACE_TOWARDS_MAX];
};

struct space {
	uint32_t netns;	   /* inode number */
	int diag;	   /* netlink socket in it, -1: none */
	int sysctl[4];	   /* enum space_sysctl */
	uint16_t from, to; /* ip_local_port_range */
	uint64_t v[W5_HOST_SLOTS];
	size_t nlisteners;
	struct w5_host_listener listeners[SPACE_LISTENERS_MAX];
	/* the count of local ports: the one under way, and the last whole one */
	struct counts *running, *done;
	int family; /* of the dump under way, 0 = none */
	uint64_t started_ns, cost_ns, last_cost_ns;
};

/* Through a process in it. -errno: it is gone, or cannot be entered. */
int space_open(struct space *s, uint32_t netns, uint32_t pid);
void space_close(struct space *s);
/* Values, and listeners with their queues. pid: any process in it that lives. */
void space_sample(struct space *s, uint32_t pid);
/* Counts local ports: starts it, and goes on for at most budget_ns (of CPU time). */
void space_count_start(struct space *s, uint64_t now_ns);
void space_count_go_on(struct space *s, uint64_t budget_ns);

/* The whole of a small file, NUL-terminated; "" if it cannot be read. */
void space_read(char *buf, size_t cap, int dir, const char *path);

#endif
