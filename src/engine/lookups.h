/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names that gateways ask for while they serve: every question that has not got an address yet,
 * and what each name stood for, now and before. In: W5_REC_DNS records. Nothing is kept before
 * the first one.
 */
#ifndef ENGINE_LOOKUPS_H
#define ENGINE_LOOKUPS_H

#include "base/dns.h"
#include "engine/internal.h"

/* How the look-up of one name failed. */
struct lookup {
	char name[DNS_NAME_MAX];
	struct w5_addr server; /* asked last */
	unsigned asked;	       /* questions sent, each time one was sent again included */
	uint64_t first_ns;     /* of them */
	uint64_t failed_ns;    /* the last answer, or when the gateway gave up */
	bool unanswered;
	uint16_t err;  /* an ICMP error in place of an answer (errno), or 0 */
	uint8_t rcode; /* of the last answer; 0 = it has no address */
	bool tied;     /* the thread's trail names the exchange */
	bool aside;    /* not for this request: the name of one of the gateway's servers */
	unsigned others;
	char other[DNS_NAME_MAX]; /* one more name that failed then */
};

void on_dns(struct engine *e, const struct w5_dns *d);
/* Corrects the trail of a connect that had to wait for a name. */
void lookups_lead(struct engine *e, struct w5_leg *l);
/* Did the gateway of p fail to resolve a name while it served it? */
bool lookups_failed(const struct engine *e, const struct pending *p, struct lookup *out);
/* For gateways that ask aside, not for a request: a name that does not resolve at ns. */
bool lookups_failing(const struct engine *e, int gw, uint64_t ns, struct lookup *out);
struct stale;
/* A name of this gateway has this address by its newest answers. */
bool lookups_is_current(const struct engine *e, int gw, const struct w5_addr *a);
/* One had it, and has not had it in its answers for a while. */
bool lookups_left(const struct engine *e, int gw, const struct w5_addr *a, uint64_t ns,
		  struct stale *out);
void lookups_expire(struct engine *e);
void lookups_free(struct engine *e);

#endif
