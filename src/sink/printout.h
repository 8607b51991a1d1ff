/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Findings written out in blocks: what ndjson.h and textout.h have in common. Blocks are gathered
 * and written with one write(2) per tick, or earlier when many wait. What a full disk or a slow
 * reader did not take stays in the buffer, so the output never breaks inside a block. A reader that
 * is gone gives -EPIPE (the app ignores SIGPIPE).
 */
#ifndef SINK_PRINTOUT_H
#define SINK_PRINTOUT_H

#include "base/buf.h"
#include "sink/pcapout.h"
#include "sink/sink.h"
#include "sink/tally.h"
#include "sink/warnings.h"

/* Who is watched, said once: call when the hooks are attached and the first scan is done. */
int printout_ready(const struct sink *s, const struct engine *e);
/* The summary says what was left out; flt is borrowed. */
void printout_set_filter(const struct sink *s, const struct sink_filter *flt);
/* pcap: a sink of pcap_dir_new() that is given each finding before this one: its files
 * are named in the findings, its counters in the summary. */
void printout_set_pcap(const struct sink *s, const struct sink *pcap);

/* ---- for ndjson.c and textout.c ---- */

struct printout;

/* Each appends one block to p->out; one that does not fit is taken back whole. */
struct printout_ops {
	struct sink_ops sink;
	/* The gateways can be told; else they are with the first finding, or tick. */
	bool (*is_ready)(const struct engine *e);
	bool sums_up_nothing; /* also a session without any record */
	void (*ready)(struct printout *p, const struct engine *e);
	void (*finding)(struct printout *p, const struct finding *f, const char *pcap_path);
	void (*warning)(struct printout *p, const struct engine *e,
			const struct engine_upstream *u);
	void (*summary)(struct printout *p, const struct engine *e); /* may be several blocks */
};

struct printout {
	const struct printout_ops *ops;
	int fd; /* borrowed */
	struct buf out;
	struct pcap_dir *pcap;		  /* or NULL */
	const struct sink_filter *filter; /* or NULL */
	struct tally tally;
	struct warnings warnings;
	uint64_t unwritten;	     /* findings */
	const struct engine *engine; /* borrowed; while ready_waits */
	bool ready_waits;	     /* gateways are still to be told */
	bool has_begun;		     /* the session: a start may fail */
};

int printout_new(struct sink *out, const struct printout_ops *ops, int fd);
/* Takes back what has come since `from`, if it did not fit: 0, or why not (-errno). */
int printout_end_block(struct printout *p, size_t from);

/* The functions of .sink; self is a struct printout. */
int printout_finding(void *self, struct finding *f);
int printout_tick(void *self, const struct engine *e);
void printout_close(void *self, const struct engine *e);

#endif
