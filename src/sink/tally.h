/* SPDX-License-Identifier: BSD-2-Clause */
/* How often each cause met each upstream: the summary at the end of text and NDJSON. */
#ifndef SINK_TALLY_H
#define SINK_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "engine/finding.h"

#define TALLY_MAX 256 /* causes x upstreams; what comes later counts as .other */

struct tally_row {
	enum cause cause;
	struct w5_addr ip; /* of the attempt that decided */
	uint16_t port;
	bool has_upstream; /* false: the exchange had no attempt */
	uint64_t count;
};

struct tally {
	struct tally_row rows[TALLY_MAX];
	size_t n;
	uint64_t other;
};

void tally_add(struct tally *t, const struct finding *f);
void tally_sort(struct tally *t); /* most frequent first */

#endif
