/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that may be gateways. In: seed entries and LISTEN records. Out: for each
 * process that turned out a gateway one call of on_gateway, with the record to emit.
 * Also keeps the kernel side's process map and port map filled.
 */
#ifndef KERNEL_PROCS_H
#define KERNEL_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "w5_abi.h"
#include "w5_bpf.h"

struct procs;

struct procs_cfg {
	int procs_map, ports_map; /* fds, borrowed */
	uint32_t pid;		  /* a gateway whatever its name; 0 = none */
};

typedef void (*procs_gateway_fn)(void *self, const struct w5_gateway *g);

int procs_new(struct procs **out, const struct procs_cfg *cfg, procs_gateway_fn on_gateway,
	      void *self);
void procs_free(struct procs *p);

/* One socket of the first seed pass. */
int procs_seed_socket(struct procs *p, const struct w5_seed *s);
/* After the last one: candidates and gateways are decided. */
int procs_seed_done(struct procs *p);
/* A process listens (port > 0) or connects (port 0). */
int procs_listen(struct procs *p, const struct w5_listen *r);
/* A process of the table has forked another (W5_LISTEN_FORKED). */
int procs_forked(struct procs *p, const struct w5_listen *r);
/* Lets go of processes that have ended. */
void procs_reap(struct procs *p);

#endif
