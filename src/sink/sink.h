/* SPDX-License-Identifier: BSD-2-Clause */
/* The one contract of everything that takes findings out: ndjson, text, pcap, tui model. */
#ifndef SINK_SINK_H
#define SINK_SINK_H

#include "engine/engine.h"

/* --filter, for those that sum up at their end; counted by whoever hands findings out. */
struct sink_filter {
	const char *expr;
	uint64_t matched, left_out;
};

struct sink_ops {
	const char *name;
	/* f is borrowed. 0 or -errno; an error is counted as W5_LOSS_SINK by the caller. */
	int (*finding)(void *self, struct finding *f);
	/* Called about ten times a second and at the end. May be NULL. */
	int (*tick)(void *self, const struct engine *e);
	void (*close)(void *self, const struct engine *e); /* final summary; frees self */
};

struct sink {
	const struct sink_ops *ops;
	void *self;
};

#endif
