/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the engine's files share. Who owns what: the engine owns conns, atts,
 * gateways, upstreams and pendings; a conn's lists hold borrowed atts, which leave
 * the lists when either side goes.
 */
#ifndef ENGINE_INTERNAL_H
#define ENGINE_INTERNAL_H

#include "base/hash.h"
#include "base/util.h"
#include "engine/events.h"
#include "engine/gateways.h"
#include "engine/pendings.h"

/* Records of different CPUs may carry stamps that are this much out of order. */
#define SLACK_NS NS_PER_MS

#define SECONDS_KEPT   64
#define LOSS_SPANS     64
#define CANDIDATES_MAX 64

#define HOST_SAMPLES 32 /* once a second, five times after failed connects */

struct host {
	uint64_t n; /* samples taken */
	struct w5_host v[HOST_SAMPLES];
};

struct loss_span {
	uint64_t from_ns, to_ns, count;
};

struct engine {
	struct engine_cfg cfg;
	struct engine_ops ops;
	void *self;
	struct engine_counters c;
	uint64_t own_loss[W5_LOSS_MAX], told_loss[W5_LOSS_MAX];
	uint64_t last_beat_ns; /* newest TICK or STATS */
	struct loss_span losses[LOSS_SPANS];
	size_t nlosses;
	struct loss_kept {
		uint64_t first_ns, last_ns;
		struct {
			uint64_t sec, n;
		} seconds[SECONDS_KEPT];
	} losses_kept[W5_LOSS_MAX];

	struct events *events; /* NULL: none yet */
	uint64_t events_version, event_counts[EVENT_MAX];

	struct hash conns;
	struct list open, closed;
	struct list streams, streams_closed;
	size_t nconns, nstreams; /* nstreams are not among nconns */
	struct texts *texts;
	struct lines *lines;	 /* NULL: no log is followed */
	struct peers *peers;	 /* NULL: no configured name is known */
	struct lookups *lookups; /* NULL: no gateway has asked for a name */
	struct local *local;	 /* NULL: nothing was told */
	struct sockets *sockets; /* the same */

	struct list atts;
	size_t natts;
	struct timers *timers;
	struct list cuts, cuts_old; /* struct cut; .cuts in order of when they are due */
	struct list att_targets[TARGET_BUCKETS];
	struct list conn_targets[TARGET_BUCKETS];

	struct list pendings;
	struct list postponed; /* pendings that wait longer, in order of their deadlines */
	size_t npendings;
	uint64_t pools_ns; /* of the last count of all pools; 0: they are not counted */

	struct hash procs; /* tgid -> index into gws + 1 */
	struct engine_gateway *gws;
	struct gateway **gw_priv;
	size_t ngws, gws_cap;

	struct hash upstreams;
	struct engine_upstream **upv; /* sorted by address */
	size_t nups, ups_cap;

	struct hash flights;
	struct list flight_lru;
	size_t nflights;

	struct {
		uint64_t sec;
		struct engine_second s;
	} seconds[SECONDS_KEPT];
};

/* ---- texts.c ---- */
bool texts_is_plain(const struct engine *e, uint64_t cookie); /* not encrypted (h2c) */
bool texts_is_h2(const struct engine *e, uint64_t cookie);    /* frames of it were read */
bool texts_wait(const struct engine *e); /* ends are not told yet: something may be read first */
/* A request of that target, within that exchange, that has lost its conn and waits to be told. */
bool texts_may_fail(const struct engine *e, const struct w5_leg *down, uint64_t key);

/* ---- h2_trail.c ---- */
/* Where its hint is an HTTP/2 conn: names the stream instead, if exactly one fits. False: it is
 * open which one, and what is told later may tell. */
bool trail_resolve(struct engine *e, struct w5_leg *l);
/* The same for a question for a name, which comes before the connect: the stream, the conn as it
 * was, or 0 where it is open. trail_told(): it has its answer, the connect can follow. */
uint64_t trail_asks(struct engine *e, const struct w5_leg *l);
void trail_told(struct engine *e, uint64_t cookie);
/* A failed attempt whose stream is open; hint: what the kernel said. */
void trail_add_open(struct engine *e, struct att *a, uint64_t hint);
/* Looks again at those: before something is decided on. */
void trail_settle(struct engine *e);

/* ---- engine.c ---- */
static inline bool engine_is_done(const struct engine *e) /* as many as were asked for */
{
	return e->cfg.max_bad && e->c.bad >= e->cfg.max_bad;
}

/* ---- correlate.c ---- */
struct link {
	struct turn *turn;
	int score;
	unsigned witness;
	bool doubtful;	  /* another candidate fits as well */
	enum cause cause; /* explain_attempts.c: of this one alone */
};
/* The attempts of p, in order of start; the last one decides. *tied: several fit equally. */
size_t correlate(struct engine *e, const struct pending *p, struct link *out, size_t max,
		 bool *tied);
#define SCORE_MIN 4
bool hint_is_exact(const struct engine *e, int gw, const struct w5_leg *l);
/* Its thread came from down, not long before. */
bool hint_names(const struct engine *e, int gw, const struct w5_leg *up, const struct w5_leg *down);
/* Was this well answered request of down the retry of a failed connect? */
bool retry_followed(const struct engine *e, int gw, const struct w5_leg *down, uint64_t key);
/* Can the trail be believed for this one? */
bool trail_is_exact(const struct engine *e, const struct pending *p);
/* The same, where one thread serves one stream: had it failed before, for this one? */
bool thread_failed(const struct engine *e, const struct w5_leg *down, uint64_t key);
/* Keeps the attempt that answered p: its conn may serve another request within the grace. */
void correlate_good(struct engine *e, struct pending *p);

/* ---- explain.c ---- */
enum explained {
	EXPLAINED,
	EXPLAIN_SOON, /* after another grace */
	EXPLAIN_LATE, /* when its attempt is told, or the longest timer is over */
};
/* now_ns: UINT64_MAX: nothing will come any more. */
enum explained explain(struct engine *e, struct pending *p, uint64_t now_ns);

/* ---- flights.c ---- */
void on_packets(struct engine *e, const struct w5_packets *p);
/* The dump made at ts_ns or first after it, else the newest. A reference, or NULL. */
struct flight *flights_get(struct engine *e, uint64_t cookie, uint64_t ts_ns);
void flights_free(struct engine *e);

/* ---- events.c ---- */
void events_leg(struct engine *e, const struct w5_leg *l);

/* ---- host.c ---- */
void on_host(struct engine *e, const struct w5_host *r);
const struct host *host_of(const struct engine *e, int gw); /* NULL if nothing is known */
/* The newest sample; it holds until the next one, however old it is. */
const struct w5_host *host_now(const struct host *h);
/* The sample that held at ts_ns; NULL if that is before the first one kept. */
const struct w5_host *host_at(const struct host *h, uint64_t ts_ns);
/* Growth of a counter between two samples; 0 if it cannot be told. */
uint64_t host_grown(const struct w5_host *from, const struct w5_host *to, enum w5_host_value v);
uint64_t host_dropped(const struct w5_host *from, const struct w5_host *to, size_t listener);

/* ---- loss.c ---- */
void on_stats(struct engine *e, const struct w5_stats *s);
void on_capture(struct engine *e, const struct w5_capture *k);
void loss_own(struct engine *e, enum w5_loss kind);
void loss_add(struct engine *e, enum w5_loss kind, uint64_t n);
uint64_t loss_within(const struct engine *e, uint64_t from_ns, uint64_t to_ns);

#endif
