/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Writing to the ring: when user space is called, what is lost. */
#ifndef BPF_RING_H
#define BPF_RING_H

#include "maps.h"

#define lose(what) __sync_fetch_and_add(&loss[W5_LOSS_##what], 1)

/* Healthy records wait for user space's tick, a failure calls it, and so does a ring that
 * fills up. One call is enough (each costs 2 us) until user space has been there. */
static __always_inline __u64 ring_wake(__u64 used, bool rare)
{
	if (woken || (!rare && used <= cfg.wake_at))
		return BPF_RB_NO_WAKEUP;
	woken = 1;
	return BPF_RB_FORCE_WAKEUP;
}

/* A record of no conn, for a rare event: all 0 but for its header. NULL: lost, and counted. */
static __always_inline void *ring_record(__u32 size, __u16 type)
{
	struct w5_hdr *h = bpf_ringbuf_reserve(&ring, size, 0);

	if (!h) {
		lose(RING_RARE);
		return NULL;
	}
	__builtin_memset(h, 0, size);
	h->ts_ns = bpf_ktime_get_ns();
	h->type = type;
	h->size = size;
	return h;
}

#endif
