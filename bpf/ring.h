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

#endif
