/* SPDX-License-Identifier: BSD-2-Clause */
/* What the rules look at: one attempt's facts, worked out once from its leg. */
#ifndef ENGINE_FACTS_H
#define ENGINE_FACTS_H

#include "engine/internal.h"

struct facts {
	const struct w5_leg *l;	   /* the attempt */
	const struct w5_leg *d;	   /* its exchange */
	const struct upstream *up; /* NULL if not known */
	uint64_t d_ts_ns;	   /* when the exchange was answered or ended */
	bool last;		   /* of the exchange's attempts */
	bool client_gone;	   /* the client had left when it ended */
	bool connecting;
	bool reused;
	bool acked;   /* every byte of the request */
	bool unacked; /* not a single byte */
	bool peer_fin, peer_rst, by_gateway, by_kernel;
	bool fin_first;	     /* the peer's FIN was here before the request left */
	bool opaque_answer;  /* bytes that cannot be read came in answer */
	bool answered_badly; /* it has a status, and the gateway sent another, bad one */
	bool cut;	     /* its response ended short, after its status had been passed on */
	bool gap;	     /* later bytes of the response came, the next ones never did */
	uint64_t path_ok_ns; /* newest answer from any port of the same address */
	int err;	     /* hard error, else the soft one */
	uint64_t elapsed_ns; /* request's last byte (or the SYN) to the end */
	uint64_t rtt_ns;
	uint8_t ref_ttl; /* of the peer's other packets */
	enum resp_kind resp;
};

void facts_of(struct facts *f, struct engine *e, const struct w5_leg *l, const struct pending *p,
	      const struct flight *flight, bool last);

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
	const char *doubt; /* why the cause is open, or NULL */
};
void sentence_why(char *out, size_t cap, const struct sentence_input *in);
void sentence_next(char *out, size_t cap, const struct sentence_input *in);
void sentence_evidence(struct finding *f, const struct sentence_input *in);

#endif
