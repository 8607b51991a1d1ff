/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bad exchanges counted by cause and upstream: the rows of the WHY panel, and the
 * plain sentence above it. Counts live on when exchanges are pushed out of the list.
 * Time comes from the findings. Each group holds a reference to its newest finding.
 */
#ifndef TUI_GROUP_H
#define TUI_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/finding.h"

#define GROUP_MAX	128 /* cause and upstream pairs; more go to `rest` */
#define GROUP_BUCKETS	60  /* of 5 s each: the last five minutes */
#define GROUP_BUCKET_NS 5000000000ull

/* Window of the counts shown. */
#define GROUP_WINDOWS(X)             \
	X(MINUTE, 60, "last minute") \
	X(FIVE, 300, "last 5 min")   \
	X(ALL, 0, "since the start")

enum group_window {
#define X(id, seconds, text) GROUP_WINDOW_##id,
	GROUP_WINDOWS(X)
#undef X
		GROUP_WINDOW_MAX,
};
const char *group_window_name(enum group_window w);

enum group_trend { TREND_STEADY, TREND_UP, TREND_DOWN, TREND_OVER };

struct group {
	enum cause cause;
	bool has_upstream;
	struct w5_addr ip;
	uint16_t port;
	uint64_t total, first_wall_ns, last_wall_ns, last_ns;
	uint64_t epoch;			/* newest bucket's number: its time / GROUP_BUCKET_NS */
	uint32_t bucket[GROUP_BUCKETS]; /* [number % GROUP_BUCKETS] */
	struct finding *newest;
};

struct group_table {
	size_t n;
	struct group groups[GROUP_MAX];
	uint64_t total, rest; /* rest: of total, those without a group */
	uint64_t first_wall_ns, last_wall_ns, last_ns;
};

/* Is it a bad exchange (an alarm)? Recovered ones and clients that left are not. */
bool group_is_bad(const struct finding *f);
void group_table_add(struct group_table *t, struct finding *f); /* takes a reference */
void group_table_fini(struct group_table *t);

/* A group as the panel shows it, by share. */
struct group_row {
	enum cause cause;
	bool has_upstream;
	struct w5_addr ip;
	uint16_t port;
	uint64_t count; /* in the window */
	unsigned share; /* per cent of the window's bad exchanges */
	uint64_t first_wall_ns, last_wall_ns;
	enum group_trend trend;
	struct finding *newest; /* referenced */
};

struct group_rank {
	enum group_window window; /* what was used: ALL if the asked one was empty */
	bool widened;		  /* the asked window held no bad exchange */
	uint64_t total;		  /* bad exchanges in it */
	uint64_t since_wall_ns, last_wall_ns, last_ns;
	size_t n;
	struct group_row rows[GROUP_MAX];
};

void group_rank_make(struct group_rank *out, const struct group_table *t, uint64_t now_ns,
		     enum group_window w);
void group_rank_fini(struct group_rank *r); /* drops the references */

/* What most of it comes from, in plain words; false if there is nothing to say. */
enum group_dominance { DOMINANCE_NONE, DOMINANCE_PAIR, DOMINANCE_CAUSE, DOMINANCE_UPSTREAM };
struct group_verdict {
	enum group_dominance dominance;
	char text[256];
	const struct finding *example; /* newest of what dominates, or NULL; borrowed from rank */
};
bool group_verdict_make(struct group_verdict *out, const struct group_rank *r);

/* "10.0.3.17:8080 refuses connections (nothing listens)" */
void group_row_text(char *out, size_t cap, const struct group_row *row);

#endif
