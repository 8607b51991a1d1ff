/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking at the network as another process sees it: this thread goes into its namespace for one
 * question and comes back. */
#ifndef KERNEL_NETNS_H
#define KERNEL_NETNS_H

#include <stdint.h>

/* The way back for netns_leave() in *back, -1 if it is our own namespace. 0 or -errno. */
int netns_enter(uint32_t pid, int *back);
void netns_leave(int *back);

#endif
