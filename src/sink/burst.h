/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thousand failures a second are a few kinds of failure: which of them are worth a file.
 * Of each kind (cause and upstream) the first ones, then one every BURST_EVERY_NS, and in the
 * end the newest. Time comes from the findings. Embedded; owns references.
 */
#ifndef SINK_BURST_H
#define SINK_BURST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/finding.h"

#define BURST_FIRST    10
#define BURST_EVERY_NS (10 * 1000000000ull)
#define BURST_KINDS    64 /* told apart; the one not seen for longest makes room */

struct burst_kind {
	enum cause cause;
	bool has_upstream;
	struct w5_addr ip;
	uint16_t port;
	uint64_t n, last_ns, taken_ns;
	struct finding *newest; /* that was passed over since taken_ns, or NULL */
};

struct burst {
	size_t nkinds;
	struct burst_kind kinds[BURST_KINDS];
	uint64_t passed; /* for good: neither taken nor the newest of its kind */
};

/* True: it is one to save. False: it is the newest of its kind now. */
bool burst_take(struct burst *b, struct finding *f);
/* In the end, again and again until NULL: the newest of each kind. The caller's reference. */
struct finding *burst_newest(struct burst *b);
void burst_fini(struct burst *b);

#endif
