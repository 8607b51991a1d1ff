/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One exchange as a sequence of arrows between client, gateway and backend: packets
 * of the flight recorder, and where those are missing, the moments noted in the legs.
 * Pure: a finding in, rows out. Labels are plain text; wire bytes in them are escaped.
 */
#ifndef SINK_LADDER_H
#define SINK_LADDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/finding.h"

#define LADDER_ROWS_MAX	 256
#define LADDER_LABEL_MAX 96

enum ladder_lane {
	LADDER_CLIENT,	/* between client and gateway */
	LADDER_BACKEND, /* between gateway and backend */
	LADDER_GATEWAY, /* something the gateway's kernel did by itself */
};

enum ladder_kind {
	LADDER_PACKET,
	LADDER_MOMENT,	/* from the leg: its packet was not kept */
	LADDER_GAP,	/* silence */
	LADDER_ATTEMPT, /* a new attempt starts here */
};

/* What a row is about, to find it again: flags, or a message. */
enum ladder_what {
	LADDER_SYN,
	LADDER_SYNACK,
	LADDER_FIN,
	LADDER_RST,
	LADDER_REQUEST,
	LADDER_RESPONSE,
	LADDER_DATA,
	LADDER_ACK,
	LADDER_HELLO, /* ClientHello, ServerHello */
	LADDER_ALERT, /* of TLS */
	LADDER_FRAME, /* of HTTP/2: the one that ended the stream */
	LADDER_ERROR, /* the gateway's kernel gave up */
};

struct ladder_row {
	uint64_t ts_ns;
	int64_t rel_ns; /* to the first byte of the client's request */
	enum ladder_kind kind;
	enum ladder_lane lane;
	enum ladder_what what;
	size_t attempt;				   /* index; backend and gateway lanes */
	bool to_right;				   /* towards the backend's side of its lane */
	bool is_decisive, is_retransmit, is_minor; /* minor: hidden unless all are asked for */
	bool is_other;				   /* of another request on the same conn */
	const struct w5_packet *packet; /* of the finding's flights; NULL if from the leg */
	uint32_t seq, ack;
	uint8_t tcp_flags, ttl;
	char label[LADDER_LABEL_MAX];
	char note[LADDER_LABEL_MAX];
};

struct ladder {
	size_t n, cut; /* cut: rows that did not fit */
	struct ladder_row rows[LADDER_ROWS_MAX];
};

/* all: also bare ACKs and what belongs to earlier requests of the connections. */
void ladder_build(struct ladder *out, const struct finding *f, bool all);
/* "10.0.3.18:8080 from port 41022, reused #41, idle 60.0 s" */
void ladder_attempt_text(char *out, size_t cap, const struct finding *f, size_t attempt);

#endif
