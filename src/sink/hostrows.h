/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's limits as rows: what, now, limit, used, change, how near, what it means and
 * what to do. One table for the screen, NDJSON's warnings and `why502 doctor`. Pure.
 */
#ifndef SINK_HOSTROWS_H
#define SINK_HOSTROWS_H

#include "engine/engine.h"

enum host_level { HOST_UNKNOWN, HOST_OK, HOST_WARN, HOST_BAD };

struct host_row {
	char what[80];
	const char *brief;	 /* the same in a word or two */
	char now[16], limit[16]; /* "1021", "97.1%"; limit "" = there is none */
	int percent;		 /* of the limit in use; -1 = no limit */
	double rate;		 /* counters: per second */
	bool has_rate;
	bool of_host; /* the same for every gateway */
	bool hard;    /* at this limit requests fail at once; else it only slows down */
	enum host_level level;
	const char *means, *todo; /* plain sentences */
};

#define HOST_ROWS_MAX 40

/* Rows of one gateway; how many. */
size_t host_rows(struct host_row *out, size_t max, const struct engine_host *h);
/* The hard limit that is nearest: at least HOST_WARN, or false. */
bool host_worst(struct host_row *out, const struct engine_host *h);

#endif
