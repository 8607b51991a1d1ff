/* SPDX-License-Identifier: BSD-2-Clause */
/* What the rules look at: one attempt's facts, worked out once from its leg. */
#ifndef ENGINE_FACTS_H
#define ENGINE_FACTS_H

#include "engine/internal.h"

/* How a TLS handshake with an upstream came to its end. */
enum tls_end {
	TLS_NOT,	  /* no handshake, or it was done and nothing was wrong with it */
	TLS_ALERT_IN,	  /* the backend said why: facts.alert */
	TLS_ALERT_OUT,	  /* the gateway said why: facts.alert */
	TLS_ALERT_VEILED, /* the gateway sent an alert that is encrypted, and closed */
	TLS_BROKEN_OFF,	  /* the gateway closed after the backend's answer, without an alert */
	TLS_DROPPED,	  /* the gateway closed as soon as it was done, before any request */
	TLS_SILENCE,	  /* not a byte for the ClientHello until the gateway gave up */
	TLS_STALLED,	  /* the backend answered, then fell silent until the gateway gave up */
	TLS_CLOSED,	  /* the backend ended it at the ClientHello */
	TLS_CLOSED_LATER, /* the backend ended it after its first answer */
};

struct lookup;
struct pool_full;
struct stale;

struct facts {
	const struct w5_leg *l;	   /* the attempt */
	const struct w5_leg *d;	   /* its exchange */
	const struct upstream *up; /* NULL if not known */
	uint64_t d_ts_ns;	   /* when the exchange was answered or ended */
	bool last;		   /* of the exchange's attempts */
	bool client_gone;	   /* the client had left when it ended */
	bool connecting;
	bool reused;
	bool chatter; /* unread, and it had said something just before: one request, or two */
	bool acked;   /* every byte of the request */
	bool unacked; /* not a single byte */
	bool unheard; /* no byte but its SYN-ACK ever came from the peer */
	bool peer_fin, peer_rst, by_gateway, by_kernel;
	bool fin_first;	     /* the peer's FIN was here before the request left */
	bool opaque_answer;  /* bytes that cannot be read came in answer */
	bool answered_badly; /* it has a status, and the gateway sent another, bad one */
	bool cut;	     /* its response ended short, after its status had been passed on */
	bool gap;	     /* later bytes of the response came, the next ones never did */
	bool handshake;	     /* TLS, and no request was sent yet */
	enum tls_end tls;
	uint16_t alert;	      /* the TLS alert that ended it: 0x100 | description */
	bool stream;	      /* an HTTP/2 stream, whose frames were read */
	bool by_frame;	      /* it ended by a frame, not with its conn */
	bool stream_reset;    /* by the peer's RST_STREAM */
	bool overtaken;	      /* its conn's RST took away what the gateway had not read */
	bool went_away;	      /* the peer's GOAWAY left it out, or came before its conn's end */
	uint64_t last_syn_ns; /* the last SYN of a connect, if its packets were kept */
	uint64_t path_ok_ns;  /* newest answer from any port of the same address */
	int err;	      /* hard error, else the soft one */
	uint64_t elapsed_ns;  /* request's last byte (or the SYN) to the end */
	uint64_t rtt_ns;
	uint8_t ref_ttl; /* of the peer's other packets */
	enum resp_kind resp;
	const struct w5_limit *ports;	/* connecting: of a lack of them; NULL = not known */
	const struct w5_killed *killed; /* the peer's process, before its FIN or RST; or NULL */
};

void facts_of(struct facts *f, struct engine *e, const struct w5_leg *l, const struct pending *p,
	      const struct flight *flight, bool last);

/* With TLS the side that says goodbye first ends it, whoever's FIN is first on the wire. */
static inline bool leg_closed_by_gateway(const struct w5_leg *l)
{
	bool out = l->end == W5_END_FIN_OUT || l->end == W5_END_RST_OUT;
	bool in = l->end == W5_END_FIN_IN || l->end == W5_END_RST_IN;

	return (out && !(l->alert_in && !l->alert_out)) || (in && l->alert_out && !l->alert_in);
}

/* ---- facts_tls.c ---- */
void facts_of_tls(struct facts *f);
/* A flight after the ClientHello: the server had answered before. */
bool tls_is_later_flight(const struct w5_leg *l);
/* The handshake was completed, as far as sizes and record types show. */
bool tls_handshake_done(const struct w5_leg *l);

/* ---- rules.c ---- */
struct rule {
	enum cause cause;
	enum confidence at_best; /* what these facts can prove */
	bool (*test)(const struct facts *f);
};
/* The first row that holds; insufficient-evidence if none does. */
const struct rule *rule_of(const struct facts *f);

/* ---- why.c, next.c, evidence.c ---- */
struct sentence_input {
	const struct finding *f;
	const struct facts *facts;     /* of the attempt that decided, or NULL */
	const struct failure *earlier; /* no-live-upstream: the failure before */
	enum kinship kin;
	const char *doubt;	      /* why the cause is open, or NULL */
	const struct w5_log *log;     /* the line that tells of it alone, or NULL */
	const struct lookup *lookup;  /* dns-failure: of which name */
	const struct w5_limit *limit; /* fd-limit: the descriptor it did not get */
	/* insufficient-evidence: a local socket that hides it, or NULL; connected to during this
	 * exchange, or before */
	const struct w5_unix *local;
	bool local_is_of_this;
	const struct host *host;      /* of the gateway, or NULL */
	const struct stale *stale;    /* wrong-peer: the name that has moved on */
	const struct pool_full *pool; /* pool-limit: of which upstream, or NULL */
	bool queued;		      /* pool-limit: the gateway's log says that it waited */
	bool is_capture;	      /* made of packets alone */
};
void sentence_why(char *out, size_t cap, const struct sentence_input *in);
void sentence_next(char *out, size_t cap, const struct sentence_input *in);
void sentence_evidence(struct finding *f, const struct sentence_input *in);
/* The host's limits where they bear on this finding: support, never a cause. The i-th sentence
 * in out; false if there are no more. */
bool sentence_host(char *out, size_t cap, const struct sentence_input *in, unsigned int i);

#endif
