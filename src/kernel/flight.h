/* SPDX-License-Identifier: BSD-2-Clause */
/* The flight recorder's part of each conn's state: as long as it was asked to be. */
#ifndef KERNEL_FLIGHT_H
#define KERNEL_FLIGHT_H

#include <stddef.h>
#include <stdint.h>

struct bpf_map;
struct bpf_object;

/*
 * Before the object is loaded: cuts struct conn, whose last member is room for the largest
 * recorder, and the value of the map that holds it. 0 or -errno.
 */
int flight_resize(struct bpf_object *obj, struct bpf_map *conns, uint32_t packets, uint32_t bytes);
/* What the kernel's allocator takes for one conn of that map. */
size_t flight_conn_bytes(const struct bpf_map *conns);

#endif
