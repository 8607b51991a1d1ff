/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is read out of the kept bytes of a message head. The bytes are hostile and
 * may be cut anywhere: spans point into the leg, nothing is read beyond head_len.
 */
#ifndef ENGINE_HEAD_H
#define ENGINE_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "w5_abi.h"

struct span {
	const uint8_t *p; /* NULL = absent */
	size_t len;
};

struct head {
	struct span method, target; /* target: origin form, "http://host" taken off */
	struct span host;
	struct span request_id; /* X-Request-Id, else traceparent */
	bool target_cut;	/* the kept bytes end inside the target */
};

bool span_is(struct span s, const char *text); /* whatever the case of its letters */

/*
 * The next header line that is all there, taken apart; *p moves behind it. False at the end of
 * the header: only whole lines count, a cut value would compare unequal.
 */
bool head_next_field(const uint8_t **p, const uint8_t *end, struct span *name, struct span *value);

/* Request line only: cheap, for every record. False if this is no HTTP/1 request. */
bool head_parse_line(struct head *h, const struct w5_leg *l);
/* Request line and the fields above. */
bool head_parse(struct head *h, const struct w5_leg *l);

/* Value of the first field of that name that is all there; absent if there is none. */
struct span head_field(const struct w5_leg *l, const char *name);

/* A key for "the same target": 0 if there is none. */
uint64_t head_target_key(const struct head *h);

/* Requests of one route most likely share an upstream. */
struct route {
	uint64_t host; /* key of the Host, 0 if there is none */
	uint64_t path; /* of Host and first path segment */
	uint64_t bare; /* of the first path segment alone: a gateway may send another Host */
};
struct route head_route(const struct head *h);
/* One target ends (starts) as the other: the gateway took a prefix off or put one on. */
bool head_target_rewritten(const struct head *a, const struct head *b);
/* Same id, whatever the spelling; a traceparent by its trace id alone. */
bool head_same_id(const struct head *a, const struct head *b);

/* Copies into a NUL-terminated text of cap bytes; NUL bytes in it become '?'. */
void span_copy(char *out, size_t cap, struct span s);

enum resp_kind {
	RESP_EMPTY,	 /* no byte kept */
	RESP_STARTED,	 /* begins as HTTP/1, but the status line is not complete */
	RESP_HEADER,	 /* a status line; the kept bytes hold no end of the header */
	RESP_COMPLETE,	 /* the header's end is in the kept bytes */
	RESP_BAD_HEADER, /* a header line no parser should take (RFC 9110 5.1) */
	RESP_TLS,	 /* a TLS record */
	RESP_OTHER,	 /* anything else */
};
enum resp_kind head_resp_kind(const struct w5_leg *l);
/* Fewer bytes came (went) than the message's Content-Length says, or a chunked body had no end.
 * False if not known. */
bool head_resp_chunked(const struct w5_leg *l);
bool head_resp_short(const struct w5_leg *l);
bool head_req_short(const struct w5_leg *l);

/* ---- head_keep.c: for how long a conn is kept, as the messages on it say ---- */
struct keep_alive {
	uint32_t timeout_ms; /* 0 = not said */
	uint32_t max;	     /* more requests the conn may serve; 0 = not said */
};
/* "Keep-Alive: timeout=5, max=100" of the response (RFC 2068 19.7.1.1). False if it has none. */
bool head_keep_alive(struct keep_alive *out, const struct w5_leg *l);
/* "Connection: close" of the request or of the response: it was never meant to be kept. */
bool head_says_close(const struct w5_leg *l);

#endif
