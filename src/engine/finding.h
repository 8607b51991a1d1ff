/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A finding: the explanation of one bad exchange, as every sink receives it.
 * Made by the engine, never changed afterwards. Reference counted (one thread):
 * a sink that keeps one past its callback calls finding_ref() and later finding_unref().
 * Text fields hold bytes from the wire, NUL-terminated but NOT escaped: whoever
 * writes them to a terminal or file escapes them (base/text.h).
 */
#ifndef ENGINE_FINDING_H
#define ENGINE_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/cause.h"
#include "w5_abi.h"

enum verdict {
	VERDICT_GATEWAY_MADE,	/* the gateway invented the status */
	VERDICT_PASSED_THROUGH, /* a backend answered it */
	VERDICT_SILENT,		/* the client got no byte: the gateway closed or reset */
	VERDICT_CLIENT,		/* the client left first */
	VERDICT_RECOVERED,	/* an attempt failed, a later one answered: no alarm */
	VERDICT_UNKNOWN,	/* cannot be said (evidence missing) */
	VERDICT_MAX,
};
const char *verdict_name(enum verdict v); /* "gateway-made", ... */

enum confidence {
	CONFIDENCE_CERTAIN, /* the witnesses leave one candidate, nothing was lost */
	CONFIDENCE_LIKELY,
	CONFIDENCE_AMBIGUOUS, /* several candidates fit equally; all are listed */
	CONFIDENCE_MAX,
};
const char *confidence_name(enum confidence c);

/* What tied the attempts to the exchange. Bits of finding.witness. */
enum witness {
	WITNESS_TARGET = 0x01,	   /* same request target on both legs */
	WITNESS_TRAIL = 0x02,	   /* the gateway thread went from one conn to the other */
	WITNESS_THREAD = 0x04,	   /* same thread */
	WITNESS_TIME = 0x08,	   /* the only attempt that ended just before the response */
	WITNESS_STATUS = 0x10,	   /* same status, received then sent */
	WITNESS_REQUEST_ID = 0x20, /* same X-Request-Id / traceparent */
	WITNESS_UPSTREAM = 0x40,   /* the gateway's log names its upstream */
};
#define WITNESS_COUNT 7
const char *witness_name(unsigned bit); /* bit index 0..WITNESS_COUNT-1 */

/* Who saw what the client got. Bits of finding.sight. */
enum sight {
	SIGHT_WIRE = 1, /* packets that can be read */
	SIGHT_TLS = 2,	/* plain text of a TLS library's calls */
	SIGHT_LOG = 4,	/* a line of the gateway's access log; alone: the wire cannot be read */
};
const char *sight_name(unsigned sight); /* "wire", "tls", "log", "wire+log", "tls+log" */

/* A flight-recorder dump, shared between findings. With more or longer slots than the usual
 * ones p goes on behind the struct: w5_packets_slot() finds them, w5_packet_room() bounds them. */
struct flight {
	int refs;
	struct w5_packets p;
};
void flight_unref(struct flight *f); /* NULL is fine */

struct attempt {
	struct w5_leg leg;	 /* the upstream conn and what happened on it */
	enum cause cause;	 /* of this attempt alone; CAUSE_NONE if it answered well */
	bool doubtful;		 /* a candidate only: the finding is ambiguous */
	struct flight *flight;	 /* its packets, or NULL */
	struct w5_killed killed; /* the backend's process that died of a signal; .signal 0 = none */
	struct w5_limit ports;	 /* of a connect without a local port; .limit 0 = not known */
};

/* The gateway's timer that ended the attempt, and what the backend needs for such requests. */
enum timer_phase {
	TIMER_CONNECT,
	TIMER_HANDSHAKE,
	TIMER_SEND,
	TIMER_ANSWER,
	TIMER_BODY,
	TIMER_PHASES,
};
const char *timer_phase_name(enum timer_phase p); /* "connect", ... */

struct finding_timer {
	enum timer_phase phase;
	uint32_t seen; /* times this value was met, this one included; 0 = no timer */
	uint64_t ns;   /* the shortest of them */
	/* Answers to the same route of the upstream that came after the gateway had given up. */
	uint32_t late_seen;
	uint64_t late_shortest_ns, late_longest_ns;
};

/* Of a conn that was closed when it was used again: when its upstream's idle conns are closed,
 * as far as that was learned before. Times in ms, 0 = not known. */
struct finding_idle {
	uint32_t backend_ms, closed; /* by the backend, so many of late */
	uint32_t said_ms;	     /* as its Keep-Alive header says */
	uint32_t gateway_ms;	     /* by the gateway */
	uint32_t elsewhere_ms;	     /* by the gateway, with other upstreams; if gateway_ms is 0 */
	uint32_t max;		     /* requests per conn, as that header says */
};

#define FINDING_EVIDENCE_MAX 8

/* pool-limit: the upstream whose connections were all in use; in_use 0 = not known. */
struct finding_pool {
	struct w5_addr ip;
	uint16_t port;
	uint32_t in_use;
};

/* dns-failure: the name that was asked for. Printable ASCII, perhaps cut. */
struct finding_dns {
	char name[128];
	struct w5_addr server; /* asked last */
	unsigned asked;	       /* questions sent; 0 = this finding is about something else */
	bool unanswered;
	uint8_t rcode; /* 0: unanswered, or an answer without an address */
};

struct finding {
	int refs;
	uint64_t id;	      /* 1, 2, 3 ... in the order made */
	uint64_t ts_ns;	      /* monotonic: response head sent, or conn closed without one */
	uint64_t wall_ns;     /* the same instant, CLOCK_REALTIME */
	uint64_t req_ns;      /* monotonic: first byte of the request; 0 if not seen */
	uint64_t duration_ns; /* ts_ns - req_ns; 0 if req_ns is 0 */

	enum verdict verdict;
	enum cause cause;
	enum confidence confidence;
	unsigned witness; /* enum witness bits */
	uint16_t status;  /* what the client got; 0 = no status line, or finding_unread() */
	uint64_t lost;	  /* records lost within the window of this finding */
	unsigned sight;	  /* enum sight bits */
	/* Of ts_ns, where only a log has it: at most so much later. */
	uint64_t precision_ns;
	char log_code[32];  /* the gateway's own word in its log, or "" */
	uint64_t linked_id; /* finding that caused this one (no-live-upstream), 0 if none */

	struct w5_limit limit; /* fd-limit: the descriptors; .limit 0 otherwise */

	struct w5_leg down; /* the downstream conn and turn */
	char gateway_name[17];
	char gateway_cgroup[129];
	uint32_t gateway_group; /* tgid of the master process */

	char method[17];
	char target[W5_HEAD_REQ + 1];
	char host[W5_HEAD_REQ + 1];
	char request_id[129]; /* X-Request-Id or traceparent, "" if none */

	size_t nattempts;
	struct attempt *attempts; /* in order of start; the last one decides */
	struct flight *flight;	  /* packets of the downstream conn, or NULL */
	struct finding_dns dns;
	struct finding_pool pool;

	struct finding_timer timer;
	struct finding_idle idle;

	size_t nevidence;
	char evidence[FINDING_EVIDENCE_MAX]
		     [192]; /* plain sentences, ASCII, no wire bytes unescaped */
	char next[256];	    /* the next step, numbers filled in */
	char why[256];	    /* the cause's sentence, numbers filled in */
};

struct finding *finding_ref(struct finding *f);
void finding_unref(struct finding *f); /* NULL is fine */
/* The client's address is known; its port may be 0. A log need not have either, and of a response
 * that an upstream cut short, the client may be open. */
bool finding_has_client(const struct finding *f);
/* The client was answered, and the status could not be read (HTTP/2 older than us). */
static inline bool finding_unread(const struct finding *f)
{
	return !f->status && f->down.status_ref;
}
/* The attempt that decided, or NULL. */
const struct attempt *finding_last_attempt(const struct finding *f);

#endif
