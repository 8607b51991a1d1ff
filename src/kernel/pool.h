/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conns per process and upstream, counted now and then by the pool iterator. How often follows
 * from what it costs: at most one part in 500 of the time, 5 times a second to once in 2 s; when
 * something has failed at once, but no more than one part in 50.
 */
#ifndef KERNEL_POOL_H
#define KERNEL_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "w5_abi.h"

struct pool;
struct bpf_program;
struct bpf_map;

/* A record for each upstream that changed, or has conns at work; at least one per count. */
typedef void (*pool_record_fn)(void *self, const struct w5_pool *p);

/* -ENOSYS: the program was not loaded, this kernel has no such iterator. */
int pool_new(struct pool **out, const struct bpf_program *prog, const struct bpf_map *conns,
	     pool_record_fn on_record, void *self);
void pool_free(struct pool *p); /* NULL is fine */
/* Counts, if it is time to; something failed: sooner. NULL is fine. */
void pool_poll(struct pool *p, uint64_t now_ns, bool failed);

#endif
