/* SPDX-License-Identifier: BSD-2-Clause */
/* Between ladder.c, ladder_packet.c and ladder_mark.c only. */
#ifndef SINK_LADDER_IMPL_H
#define SINK_LADDER_IMPL_H

#include "sink/ladder.h"

struct leg_side {
	enum ladder_lane lane;
	size_t attempt;
	const struct w5_leg *leg;
	uint64_t done_ns; /* its answer: a request after that is another exchange */
};

struct ladder_row *ladder_push(struct ladder *l); /* NULL when full: counted as cut */
void ladder_add_packets(struct ladder *l, const struct leg_side *side, const struct w5_packets *p,
			bool all);
/* Start line of a message, without the HTTP version, escaped; "" if there is none. */
void ladder_first_line(char *out, size_t cap, const void *bytes, size_t len);
/* False if the bytes begin with no TLS record; else a label, and what it is. */
bool ladder_tls(char *out, size_t cap, const void *bytes, size_t len, enum ladder_what *what);
/* Rows in order of time: finds the decisive one, and says what stands out. */
void ladder_mark(struct ladder *l, const struct finding *f);

#endif
