/* SPDX-License-Identifier: BSD-2-Clause */
/* Bad exchanges that wait for their explanation. Owned by the engine. */
#ifndef ENGINE_PENDINGS_H
#define ENGINE_PENDINGS_H

#include "engine/turns.h"

#define PENDING_MAX 16384
#define POSTPONE_NS (5 * NS_PER_S) /* a gateway's timer; longer ones leave it unexplained */

/* The gateway's own word in its log, and which kind of log it is of. */
struct line_code {
	char text[32];
	uint16_t status;
	uint8_t kind; /* enum w5_log_kind; 0 = no line was seen */
};

struct pending {
	struct list node;
	uint64_t deadline_ns, ts_ns, key;
	uint64_t from_ns; /* start of the request, or 0 */
	bool roams;	  /* a stream whose attempts are another thread's */
	bool recovered;	  /* answered well: only worth telling if an attempt failed */
	bool cut;	  /* answered well, but the body's end never came */
	bool cut_alone;	  /* the client's conn lives on, or is not known: .good is the attempt */
	bool uncounted;	  /* not in the counters yet */
	bool postponed;	  /* its attempt may be told later than its answer */
	bool in_log;	  /* a line of the gateway's log tells of it, too */
	struct line_code code;
	struct w5_log *log; /* only this line does; its own, NULL = it was seen on the wire */
	int gw;
	struct w5_leg leg;
	struct turn good; /* of a recovered one: the attempt that answered, while it is known */
};

/* ---- exchanges.c ---- */
void on_exchange(struct engine *e, struct w5_leg *l);
void exchange_count(struct engine *e, int gw, const struct w5_leg *l);
/* n more that only the log has seen, answered with class * 100 or so. */
void exchange_count_unseen(struct engine *e, int gw, unsigned int class, uint64_t n);
/* An exchange that waits for its grace; NULL = lost, and counted. */
struct pending *pending_new(struct engine *e, int gw, const struct w5_leg *l);
/* Is it of a gateway that --comm and --pid ask for? One that is not known is not. */
bool leg_wanted(const struct engine *e, int gw, const struct w5_leg *l);
/* A failed attempt that came after the record of the good answer it belongs to. */
void exchange_recheck(struct engine *e, struct conn *down, const struct att *a);
/* A good answer turned out to be bad; NULL = not wanted, or lost. */
struct pending *exchange_bad(struct engine *e, struct conn *down, const struct w5_leg *l);
void pendings_run(struct engine *e, uint64_t now_ns);
/* An attempt for this target was told: what waits for it is looked at again. */
void pendings_wake(struct engine *e, uint64_t key);
void pendings_free(struct engine *e);

/* ---- cuts.c ---- */
/* a is an answer whose body is short. */
void cuts_add(struct engine *e, struct att *a);
void cuts_drop(struct att *a);
void cuts_run(struct engine *e, uint64_t now_ns);
/* The client's conn closed after an answer: was it cut short? */
void exchange_ended(struct engine *e, struct conn *down);

#endif
