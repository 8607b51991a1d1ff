/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bad exchanges counted by one side of them: by endpoint, by the client's network, by
 * gateway process. For the live view and for a report. Counts live on when exchanges
 * are pushed out of the list; memory is bounded: when FACET_GROUPS are known, the one
 * seen least recently is folded into "others".
 *
 * A label is printable ASCII and names its group: what of it is shown is also what the
 * filter fields `endpoint` and `network` compare with.
 */
#ifndef SINK_FACET_H
#define SINK_FACET_H

#include "sink/series.h"

enum facet { FACET_ENDPOINT, FACET_CLIENT, FACET_GATEWAY, FACET_MAX };

#define FACET_GROUPS	256
#define FACET_CAUSES	4 /* per group, those seen last */
#define FACET_LABEL_MAX 208

/* "shop.example/users/{id}", "198.51.100.0/24", "nginx/2210 pid 2217" */
void facet_label(char *out, size_t cap, enum facet facet, const struct finding *f);

struct facet_group;
struct facet_table {
	enum facet facet;
	struct facet_group *groups; /* of FACET_GROUPS; owned */
	size_t n;
	struct series all, others; /* others: of groups that were folded */
	uint64_t folded;	   /* how many those were */
};

int facet_table_init(struct facet_table *t, enum facet facet); /* -ENOMEM */
void facet_table_fini(struct facet_table *t);
/* to: an initialised or a zeroed one; -ENOMEM leaves it as it was. */
int facet_table_copy(struct facet_table *to, const struct facet_table *from);
void facet_table_add(struct facet_table *t, const struct finding *f);

struct facet_row {
	char label[FACET_LABEL_MAX];
	bool exact; /* a client's network: most of it is the one address below */
	struct w5_addr ip;
	uint32_t tgid;	/* gateway process */
	uint64_t count; /* in the window */
	unsigned share; /* per cent of the window's bad exchanges */
	double rate;	/* per second of the window */
	uint64_t first_wall_ns, last_wall_ns;
	enum group_trend trend;
	enum cause cause; /* the most frequent one */
	unsigned cause_share;
	uint32_t recent[12]; /* the last minute in steps of 5 s, newest last */
};

struct facet_rank {
	enum group_window window; /* what was used: ALL if the asked one was empty */
	bool widened;
	uint64_t total;	 /* bad exchanges in it */
	uint64_t others; /* of total, those of no row */
	uint64_t folded; /* groups that went to others so far */
	size_t n;
	struct facet_row *rows; /* by count; owned, kept for the next time */
};

/* -ENOMEM leaves the old rank. Start with a zeroed one. */
int facet_rank_make(struct facet_rank *out, const struct facet_table *t, uint64_t now_ns,
		    enum group_window w);
void facet_rank_fini(struct facet_rank *r);

/* What is shown of a row: as its label, but the address where one dominates. */
void facet_row_text(char *out, size_t cap, enum facet facet, const struct facet_row *row);
/* The filter that lists this group: endpoint=="shop.example/users/{id}" */
void facet_row_filter(char *out, size_t cap, enum facet facet, const struct facet_row *row);

#endif
