/* SPDX-License-Identifier: BSD-2-Clause */
/* What the lab's programs need of the machine: clocks and life as a daemon. */
#ifndef LAB_PROCESS_H
#define LAB_PROCESS_H

#include <stdint.h>
#include <time.h>

#define MS  1000000ull	  /* in ns */
#define SEC 1000000000ull /* in ns */

uint64_t now_ns(clockid_t clock);

/* The parent writes the child's pid to pidfile (NULL: nowhere) and exits; the child goes on
 * without a terminal. 0 or -errno. */
int daemonize(const char *pidfile);

#endif
