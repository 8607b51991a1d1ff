/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings and packets for the tests of the view. The caller unrefs what it gets. */
#ifndef TUI_MAKE_H
#define TUI_MAKE_H

#include "engine/finding.h"

struct finding *make_finding(uint64_t id, uint64_t ts_ns, unsigned status, enum cause cause);
/* Adds an attempt; the pointer is good until the next one. */
struct attempt *make_attempt(struct finding *f, const char *ip, unsigned port, enum cause cause);
struct flight *make_flight(void);
/* Appends an IPv4/TCP packet; payload may be "". */
void make_packet(struct flight *f, uint64_t ts_ns, bool out, unsigned flags, uint32_t seq,
		 uint32_t ack, const char *payload);
void make_addr(struct w5_addr *a, const char *text);

#endif
