/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bad exchanges counted by cause and upstream: the rows of the WHY panel, and the
 * plain sentence above it. Counts live on when exchanges are pushed out of the list.
 * Time comes from the findings. Each group holds a reference to its newest finding.
 */
#ifndef SINK_GROUP_H
#define SINK_GROUP_H

#include "engine/engine.h"
#include "sink/series.h"

#define GROUP_MAX 128 /* cause and upstream pairs; those not seen for longest go to `rest` */

struct group {
	enum cause cause;
	bool has_upstream;
	struct w5_addr ip;
	uint16_t port;
	struct series s;
	struct finding *newest;
};

struct group_table {
	size_t n;
	struct group groups[GROUP_MAX];
	struct series all, rest; /* rest: of all, those without a group any more */
	uint64_t folded;	 /* groups that went to rest */
};

/* Is it a bad exchange (an alarm)? Recovered ones and clients that left are not. */
bool group_is_bad(const struct finding *f);
void group_table_add(struct group_table *t, struct finding *f); /* takes a reference */
void group_table_copy(struct group_table *to, const struct group_table *from);
void group_table_fini(struct group_table *t);

/* A group as the panel shows it, by share. */
struct group_row {
	enum cause cause;
	bool has_upstream;
	struct w5_addr ip;
	uint16_t port;
	uint64_t count; /* in the window */
	unsigned share; /* per cent of the window's bad exchanges */
	double rate;	/* per second of the window */
	uint64_t first_wall_ns, last_wall_ns;
	enum group_trend trend;
	struct finding *newest; /* referenced */
};

struct group_rank {
	enum group_window window; /* what was used: ALL if the asked one was empty */
	bool widened;		  /* the asked window held no bad exchange */
	uint64_t total;		  /* bad exchanges in it */
	uint64_t rest;		  /* of total, those of no row */
	uint64_t since_wall_ns, last_wall_ns, last_ns;
	size_t n;
	struct group_row rows[GROUP_MAX];
};

void group_rank_make(struct group_rank *out, const struct group_table *t, uint64_t now_ns,
		     enum group_window w);
/* The same of a part of what is ranked in all: its window, even if that holds none of the part. */
void group_rank_part(struct group_rank *out, const struct group_table *part, uint64_t now_ns,
		     const struct group_rank *all);
void group_rank_fini(struct group_rank *r); /* drops the references */

/* What most of it comes from, in plain words; false if there is nothing to say. */
enum group_dominance { DOMINANCE_NONE, DOMINANCE_PAIR, DOMINANCE_CAUSE, DOMINANCE_UPSTREAM };
struct group_verdict {
	enum group_dominance dominance;
	char text[256];
	const struct finding *example; /* newest of what dominates, or NULL; borrowed from rank */
};
bool group_verdict_make(struct group_verdict *out, const struct group_rank *r);

/*
 * The siblings of an upstream: those that serve what it serves. Used by the same gateway, and
 * for a common route (Host and first path segment, as the backends got them), or a common Host
 * on the same port - or, where no request of one of the two could be read, on the same port. Only those count that answered
 * well since since_ns.
 */
struct group_siblings {
	size_t n;     /* that answered */
	size_t clean; /* of them: without a failed attempt since then */
};
void group_siblings_find(struct group_siblings *out, const struct engine_upstream *v, size_t n,
			 const struct w5_addr *ip, uint16_t port, uint64_t since_ns);
/* "all 37 failures are 10.0.3.17:8080 (conn-refused); its 5 siblings have none": where that is
 * so, it becomes the verdict. wall_offset_ns: as in engine_counters. */
void group_verdict_siblings(struct group_verdict *v, const struct group_rank *r,
			    const struct engine_upstream *upstreams, size_t nupstreams,
			    uint64_t wall_offset_ns);

/* "10.0.3.17:8080 refuses connections (nothing listens)" */
void group_row_text(char *out, size_t cap, const struct group_row *row);

#endif
