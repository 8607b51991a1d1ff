/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an incident report is made of, gathered finding by finding in bounded memory:
 * counts, one example per cause, a timeline, and rows for the audit table. Owns copies, and
 * references to the examples.
 */
#ifndef SINK_REPORT_DATA_H
#define SINK_REPORT_DATA_H

#include "sink/facet.h"
#include "sink/group.h"

#define TIMELINE_MAX	  120 /* steps; when they are used up, each gets twice as long */
#define TIMELINE_FIRST_NS (10 * 1000000000ull) /* length of a step at first */

struct timeline {
	uint64_t start_ns, step_ns; /* wall clock; 0 = empty */
	size_t n;
	uint32_t count[TIMELINE_MAX][CAUSE_MAX];
};

/* The first ones tell how it began, the newest how it is: what lies between is counted. */
#define AUDIT_FIRST  200
#define AUDIT_NEWEST 800

struct audit_row {
	uint64_t id, wall_ns;
	uint16_t status, backend_status;
	uint8_t backend_end; /* enum w5_end of the last attempt */
	bool has_upstream, has_client;
	enum cause cause;
	enum confidence confidence;
	enum verdict verdict;
	struct w5_addr upstream, client;
	uint16_t upstream_port;
	size_t ntries;
	/* bytes from the wire, NUL-terminated, not escaped */
	char method[17], host[73], target[W5_HEAD_REQ + 1], agent[129];
};

struct report_cause {
	uint64_t n, by_confidence[CONFIDENCE_MAX];
	uint64_t first_wall_ns, last_wall_ns;
	struct finding *example; /* the clearest one */
};

/* Over the bad exchanges, and the attempts that decided them. */
struct report_facts {
	uint64_t bad, s502, s503, s504, other, silent;
	uint64_t recovered, client_left;
	uint64_t tried;	       /* with an attempt: the next ones are of these */
	uint64_t established;  /* its connection had come to be */
	uint64_t resent;       /* something had to be sent again */
	uint64_t answered;     /* the backend answered with the status itself */
	uint64_t reused;       /* on a connection that had been used before */
	uint64_t resets;       /* ended by a RST from the backend's side ... */
	uint64_t resets_alike; /* ... with the TTL its other packets had */
	uint64_t timed, late;  /* time from request to end known; a second or more */
	uint64_t longest_ns;
	uint64_t older, log_only, lossy, no_packets;
};

struct report_data {
	struct group_table groups;
	struct facet_table facets[FACET_MAX];
	struct report_cause causes[CAUSE_MAX];
	struct report_facts facts;
	struct timeline timeline;
	struct audit_row first[AUDIT_FIRST], newest[AUDIT_NEWEST];
	uint64_t naudit; /* all rows so far; beyond AUDIT_FIRST: newest[(i - FIRST) % NEWEST] */
};

int report_data_init(struct report_data *d); /* -ENOMEM */
void report_data_fini(struct report_data *d);
void report_data_add(struct report_data *d, struct finding *f);

#define TIMELINE_PAD 6
/* Steps without any, before and after, as far as it was watched: never so many that the others
 * get longer. */
void timeline_pad(struct timeline *t, uint64_t from_ns, uint64_t to_ns);
void timeline_add(struct timeline *t, uint64_t wall_ns, enum cause cause);
/* Row i of those kept, in the order they came; NULL past the last. */
const struct audit_row *report_audit_row(const struct report_data *d, size_t i);
uint64_t report_audit_left_out(const struct report_data *d);

#endif
