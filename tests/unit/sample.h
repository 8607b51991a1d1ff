/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings for tests of sinks: a keep-alive race with packets on both legs. */
#ifndef TESTS_UNIT_SAMPLE_H
#define TESTS_UNIT_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/finding.h"

#define SAMPLE_WALL_NS 1795349181341402000ull /* 2026-11-22T12:06:21.341402Z */
#define SAMPLE_TS_NS   5000000000000ull

struct w5_addr sample_addr(const char *ip);
/* The example of the manual: one finding_unref() frees all. */
struct finding *sample_finding(void);
/* A dump of npackets TCP packets, 1 ms apart, the last one at last_ns. Flags of the last
 * one: last_flags. More than W5_PKT_SLOTS wrap around as in the kernel. */
struct flight *sample_flight(uint64_t cookie, uint32_t npackets, uint64_t last_ns,
			     uint8_t last_flags);

#endif
