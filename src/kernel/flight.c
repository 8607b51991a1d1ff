/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Socket storage has values of one size, which must be that of their type in the object's BTF
 * (map_check_btf() in kernel/bpf/syscall.c): so both are changed, as libbpf itself does for
 * sections of data. Programs know the sizes as constants, and the verifier holds them to it.
 */
#include "kernel/flight.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include "w5_abi.h"

/* struct bpf_local_storage_elem, up to its data: three list links, an RCU head, the map. */
#define ELEM_BYTES 80
#define SLAB_MIN   64

static struct btf_member *last_member(struct btf_type *t)
{
	return btf_is_struct(t) && btf_vlen(t) ? btf_members(t) + btf_vlen(t) - 1 : NULL;
}

int flight_resize(struct bpf_object *obj, struct bpf_map *conns, uint32_t packets, uint32_t bytes)
{
	uint32_t want = W5_PACKETS_SIZE(packets, packets ? bytes : 0), offset;
	struct btf *btf = bpf_object__btf(obj);
	struct btf_member *flight;
	struct btf_type *t, *room;

	/* In place: what libbpf hands to the kernel is these bytes. Adding to the BTF instead would
	 * move its strings, to which the opened object points. */
	if (!btf)
		return -EINVAL;
	t = (struct btf_type *)btf__type_by_id(btf, bpf_map__btf_value_type_id(conns));
	flight = t ? last_member(t) : NULL;
	room = flight ? (struct btf_type *)btf__type_by_id(btf, flight->type) : NULL;
	if (!room || !btf_is_array(room) || btf_array(room)->nelems != W5_PACKETS_MAX)
		return -EINVAL; /* the test of this file fails before anybody sees it */
	offset = btf_member_bit_offset(t, btf_vlen(t) - 1) / 8;
	btf_array(room)->nelems = want;
	t->size = (offset + want + 7) & ~7u;
	return bpf_map__set_value_size(conns, t->size);
}

size_t flight_conn_bytes(const struct bpf_map *conns)
{
	size_t need = bpf_map__value_size(conns) + ELEM_BYTES, slab = SLAB_MIN;

	while (slab < need)
		slab *= 2;
	return slab;
}
