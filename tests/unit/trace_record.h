/* SPDX-License-Identifier: BSD-2-Clause */
/* Records for tests of traces. */
#ifndef TESTS_UNIT_TRACE_RECORD_H
#define TESTS_UNIT_TRACE_RECORD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "source/trace.h"

union record {
	struct w5_hdr h;
	struct w5_leg leg;
	struct w5_packets packets;
	struct w5_listen listen;
	struct w5_gateway gateway;
	struct w5_stats stats;
	struct w5_session session;
	struct w5_log log;
	struct w5_dns dns;
	struct w5_name name;
	struct w5_limit limit;
	struct w5_killed killed;
	struct w5_unix local;
	struct w5_host host;
	uint8_t text[sizeof(struct w5_text) + W5_TEXT_MAX];
};

static const uint16_t sizes[] = {
	[W5_REC_SESSION] = sizeof(struct w5_session),
	[W5_REC_TICK] = sizeof(struct w5_hdr),
	[W5_REC_STATS] = sizeof(struct w5_stats),
	[W5_REC_GATEWAY] = sizeof(struct w5_gateway),
	[W5_REC_LISTEN] = sizeof(struct w5_listen),
	[W5_REC_EXCHANGE] = sizeof(struct w5_leg),
	[W5_REC_ATTEMPT] = W5_LEG_BULK,
	[W5_REC_END] = sizeof(struct w5_leg),
	[W5_REC_PACKETS] = sizeof(struct w5_packets),
	[W5_REC_OPEN] = offsetof(struct w5_leg, head),
	[W5_REC_TEXT] = sizeof(struct w5_text) + 64,
	[W5_REC_LOG] = sizeof(struct w5_log),
	[W5_REC_DNS] = sizeof(struct w5_dns),
	[W5_REC_POOL] = sizeof(struct w5_pool),
	[W5_REC_NAME] = sizeof(struct w5_name),
	[W5_REC_LIMIT] = sizeof(struct w5_limit),
	[W5_REC_KILLED] = sizeof(struct w5_killed),
	[W5_REC_UNIX] = sizeof(struct w5_unix),
	[W5_REC_HOST] = sizeof(struct w5_host),
	[W5_REC_CAPTURE] = sizeof(struct w5_capture),
	[W5_REC_LATE] = sizeof(struct w5_late),
	[W5_REC_UNIX_OPEN] = sizeof(struct w5_unix),
};
_Static_assert(sizeof(sizes) / sizeof(sizes[0]) == W5_REC_TYPE_MAX, "every type has its row");

static inline union record sample(uint16_t type, uint32_t seq)
{
	union record r = { .h = { .ts_ns = 1000 + seq,
				  .cookie = 42,
				  .seq = seq,
				  .type = type,
				  .size = sizes[type] } };

	if (type == W5_REC_TEXT)
		((struct w5_text *)&r)->kind = W5_TEXT_FRAME;
	if (type == W5_REC_DNS)
		r.dns.kind = W5_DNS_QUERY;
	if (type == W5_REC_LIMIT)
		r.limit.kind = W5_LIMIT_FILES;
	if (type == W5_REC_KILLED)
		r.killed.signal = 9;
	return r;
}

#endif
