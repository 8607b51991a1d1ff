/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings and packets for the tests of the view. The caller unrefs what it gets. */
#ifndef TUI_MAKE_H
#define TUI_MAKE_H

#include "../lib/packet.h"
#include "engine/finding.h"

struct finding *make_finding(uint64_t id, uint64_t ts_ns, unsigned status, enum cause cause);
/* Adds an attempt; the pointer is good until the next one. */
struct attempt *make_attempt(struct finding *f, const char *ip, unsigned port, enum cause cause);
struct flight *make_flight(void);

#endif
