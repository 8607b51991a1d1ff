/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packets of findings, gathered for a capture file: both legs and all attempts, in
 * time order, a packet that two dumps share once. Everything is borrowed from the
 * findings. Dumps come from the kernel ring or from a trace, so every number in them is
 * checked again.
 */
#ifndef SINK_CAPTURES_H
#define SINK_CAPTURES_H

#include "engine/finding.h"
#include "sink/pktfilter.h"

struct capture {
	uint64_t wall_ns, ts_ns, cookie;
	size_t pos;	/* in the order found: keeps packets of one instant in place */
	size_t finding; /* index */
	size_t dump;	/* index in captures.dumps */
	size_t same;	/* after captures_sort(): index of the one to write; itself, mostly */
	size_t word_off, word_len; /* its comment, in captures.words */
	const struct w5_packet *pkt;
};

/* A dump: one conn's packets, as one finding has them. */
struct capture_dump {
	const struct w5_packets *p;
	size_t finding;
	size_t attempt;	 /* index; SIZE_MAX: the client's leg */
	size_t left_out; /* by the filter */
	size_t iface;	 /* for writers that name interfaces */
};

struct captures {
	struct capture *v;
	size_t n, cap;
	struct capture_dump *dumps;
	size_t ndumps, dumps_cap;
	size_t npackets;		/* to write: without doubles */
	const struct pktfilter *filter; /* the same: packets it lets through; borrowed */
	bool backend_only; /* set before captures_collect(): without the client's legs */
};

/* 0 or -errno; -ENODATA: no packets. In the order found: captures_sort() comes next. */
int captures_collect(struct captures *c, const struct finding *const f[], size_t n);
void captures_sort(struct captures *c);
void captures_fini(struct captures *c);

size_t capture_len(const struct w5_packet *p); /* bytes that are there */

#endif
