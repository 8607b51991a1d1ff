/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live source: loads and attaches the eBPF programs, finds the gateways, and
 * hands every record, in order, to one callback. Everything it attaches hangs on
 * file descriptors of this process and is gone when it ends, however it ends.
 *
 * Errors: -errno, with one sentence (what is missing, what to do) in kernel_error().
 */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "w5_abi.h"

struct kernel;

struct kernel_cfg {
	uint64_t ring_bytes; /* power of two, multiple of the page size */
	/* Flight recorder: packets kept of each conn (0 = off), and bytes of each */
	uint32_t history_packets, history_bytes;
	const char *cgroup; /* watch this cgroup only (path below the cgroup2 mount or
				   absolute); NULL = where the gateways are */
	bool no_tls_probes; /* read nothing in TLS libraries */
	uint32_t pid;	    /* treat this process as a gateway whatever its name; 0 = none */
};

typedef int (*kernel_record_fn)(void *self, const struct w5_hdr *rec);

/* Loads the programs. *out is set even on failure where memory allows, so that
 * kernel_error() can tell why; free it in any case. */
int kernel_open(struct kernel **out, const struct kernel_cfg *cfg, kernel_record_fn on_record,
		void *self);
/* Attaches, then looks for connections and gateways older than us. */
int kernel_start(struct kernel *k);
/* Readable when something failed, or the ring fills up before the next tick. */
int kernel_fd(const struct kernel *k);
/* Takes everything out of the ring; then one TICK record (and STATS if counters changed).
 * The kernel side calls through kernel_fd() once, and again only after a poll on a tick:
 * so the caller's timer bounds how often. */
int kernel_poll(struct kernel *k, bool on_tick);
/* A gateway failed, and nothing that is watched shows why: watches its calls, too, for a minute
 * from now on. */
void kernel_look_closer(struct kernel *k);
/* Detaches and frees. NULL is fine. */
void kernel_close(struct kernel *k);

/* Gateway conns that have state, and what the kernel keeps for each; after kernel_start(). */
uint64_t kernel_conns(const struct kernel *k);
size_t kernel_conn_bytes(const struct kernel *k);
const char *kernel_error(const struct kernel *k);

struct tls;
/* The TLS libraries of the gateways found; borrowed. */
const struct tls *kernel_tls(const struct kernel *k);

/* What this host can and cannot do, a line each. 0 if the tool can run here, else -errno. */
struct kernel_doctor_ops {
	void (*gateway)(void *self, const struct w5_gateway *g); /* one was found */
	void (*limits)(void *self, uint32_t group);		 /* its lines are due */
	void *self;
};
int kernel_doctor(const struct kernel_cfg *cfg, const struct kernel_doctor_ops *ops, FILE *out);

#endif
