/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the engine's files share. Who owns what: the engine owns conns, atts,
 * gateways, upstreams and pendings; a conn's lists hold borrowed atts, which leave
 * the lists when either side goes.
 */
#ifndef ENGINE_INTERNAL_H
#define ENGINE_INTERNAL_H

#include "base/hash.h"
#include "base/hist.h"
#include "base/list.h"
#include "base/util.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/head.h"

#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull

/* Records of different CPUs may carry stamps that are this much out of order. */
#define SLACK_NS NS_PER_MS

#define TARGET_BUCKETS 4096 /* power of two */
#define SECONDS_KEPT   64
#define LOSS_SPANS     64
#define ATTS_MAX       16384 /* open attempts; the oldest give way */
#define PENDING_MAX    16384
#define UPSTREAMS_MAX  4096
#define GATEWAYS_MAX   1024
#define CANDIDATES_MAX 64
#define ATT_KEEP_NS    (180 * NS_PER_S) /* longer than any sane proxy timeout: 60 s x 3 tries */
#define CONN_KEEP_NS   (30 * NS_PER_S)	/* closed conns */
#define POSTPONE_NS    (5 * NS_PER_S)	/* a gateway's timer; longer ones leave it unexplained */
#define STREAM_KEEP_NS (2 * NS_PER_S)	/* HTTP/2 streams that are over */
#define STREAMS_MAX    8192		/* streams among the conns; the oldest give way */
#define FAILURES_KEPT  128

/* A close_notify alert, as sent just before closing: at most this many bytes (TLS 1.2, CBC). */
#define FAREWELL_BYTES 85

/* Each HTTP/2 stream is a conn of its own here, with a cookie no socket has. */
#define STREAM_COOKIE (1ull << 63)

static inline bool cookie_is_stream(uint64_t cookie)
{
	return cookie & STREAM_COOKIE;
}

/* The socket it was on. */
static inline uint64_t leg_conn(const struct w5_leg *l)
{
	return l->conn_cookie ? l->conn_cookie : l->h.cookie;
}

/* One upstream turn that can be the reason of an answer. */
struct turn {
	struct list by_target;
	uint64_t key; /* of its target; 0 = none */
	bool claimed;
	bool disputed; /* fitted two exchanges equally: stays to be listed with the other */
	bool is_att;   /* embedded in struct att, else in struct conn */
	struct w5_leg leg;
};

struct conn {
	struct list lru; /* engine.open or .closed; .streams or .streams_closed */
	uint64_t cookie;
	uint64_t touched_ns;
	uint64_t hole_ns; /* when a record of it was last missed */
	uint32_t seq;
	uint32_t missing;
	bool has_seq, closed, counted;
	bool silent_waits; /* downstream: a silent end is among the pendings */
	bool told;	   /* downstream: its last exchange is counted, or waits to be */
	uint32_t cut_told; /* downstream: number of the request that is told to have ended short */
	uint8_t role;
	uint32_t gw_tgid;
	int gw; /* index in engine.gws, -1 = not looked up */
	struct upstream *up;
	struct list atts;   /* att.by_conn: its own */
	struct list hinted; /* att.by_hint: those whose thread came from here */
	bool last_is_cut;   /* .last came from a record that ends before head[] */
	struct turn last;   /* upstream: last attempt; downstream: last exchange (leg only) */
};

/* An attempt that failed or was answered with an error; lives until explained or too old. */
struct att {
	struct list by_time; /* engine.atts, oldest first */
	struct list by_conn, by_hint;
	struct list by_open; /* texts.open_atts: of which stream it is, is open */
	uint64_t open_hint;  /* then: the conn */
	uint64_t arrived_ns;
	bool failed;	 /* no usable answer */
	struct cut *cut; /* a good answer whose body is short, and nobody was told of it yet */
	struct turn turn;
};

#define TTFB_SPAN_NS	(300 * NS_PER_S)
#define CONNECT_SECONDS 8 /* power of two */

#define POOL_SPANS 32

/* Conns of one process to one upstream. */
struct pool_share {
	uint32_t tgid, connecting, in_use, answering, idle, older;
	uint64_t oldest_ns;
};

/* So many requests were without a response at every count from one to the other. */
struct pool_span {
	uint64_t from_ns, to_ns;
	uint32_t waiting;
};

struct pools {
	struct pool_share *shares;
	size_t n, cap;
	struct pool_span spans[POOL_SPANS]; /* newest last */
	size_t nspans;
	uint64_t oldest_ns; /* when the oldest open request began; 0 = none */
};

/* Conns that were closed while idle, at about one time. */
struct idle_occasion {
	uint64_t from_ns;
	uint32_t min_ms, max_ms; /* how long they had been idle */
	uint32_t conns;
};

#define IDLE_OCCASIONS 8
struct idle_times {
	struct idle_occasion v[IDLE_OCCASIONS]; /* occasion i at i % IDLE_OCCASIONS */
	size_t n;
};

struct upstream {
	struct engine_upstream pub;
	struct idle_times idle_backend, idle_gateway; /* by who closed them */
	struct gateway *idle_by;		      /* whose conns they were last, or NULL */
	uint32_t idle_backend_max_ms;
	uint64_t said_ns; /* when an answer was last looked at for its Keep-Alive */
	struct pools pools;
	struct hist ttfb[2]; /* of the present span, and of the one before */
	uint64_t ttfb_span;  /* number of the present one: time / TTFB_SPAN_NS */
	bool ttfb_changed;   /* pub.ttfb_us is of before */
	struct {
		uint64_t sec;
		uint32_t n;
	} connects[CONNECT_SECONDS];
	uint64_t sampled_ns; /* when a route was looked at */
	uint64_t bares[16];  /* as pub.routes, by path alone */
	size_t next_host, next_route, next_bare;
	uint64_t last_connect_ok_ns, last_answer_ns;
	uint64_t last_acked_silent_ns; /* took a request and never answered */
	uint64_t last_fresh_death_ns;  /* took a first request and died of it */
	uint64_t last_overflow_ns;     /* a conn showed that its queue of new conns was full */
	uint8_t synack_ttl;
};

/* A failure kept to explain later answers that were made without any attempt. */
struct failure {
	uint64_t ts_ns;
	struct route route; /* of the client's request */
	uint64_t finding_id;
	struct w5_addr ip;
	uint16_t port;
	enum cause cause;
};

struct gateway {
	struct failure failures[FAILURES_KEPT];
	size_t nfailures;
	struct host *host;	/* NULL: nothing is known of its host */
	struct idle_times idle; /* conns that it closed, to whatever upstream */
	/* Newest time at which it had conns to an upstream that could not be read: pools_unread() */
	uint64_t unread_ns;
	uint32_t unread; /* so many it has now */
	bool used;	 /* an exchange or attempt of it was seen */
	bool unwanted;	 /* by --comm or --pid: nothing of it counts */
};

/* The gateway's own word in its log, and which kind of log it is of. */
struct line_code {
	char text[32];
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

	struct list atts;
	size_t natts;
	struct timers *timers;
	struct list cuts, cuts_old; /* struct cut; .cuts in order of when they are due */
	struct list att_targets[TARGET_BUCKETS];
	struct list conn_targets[TARGET_BUCKETS];

	struct list pendings;
	struct list postponed; /* pendings that wait longer, in order of their deadlines */
	size_t npendings;

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

/* ---- conns.c ---- */
struct conn *conns_find(const struct engine *e, uint64_t cookie);
struct conn *conns_get(struct engine *e, uint64_t cookie); /* makes it; NULL without memory */
void conns_seen(struct engine *e, struct conn *c, const struct w5_hdr *h, uint8_t role);
void conns_close(struct engine *e, struct conn *c);
/* The conn's last turn becomes leg; upstream turns are found by their target. */
void conns_set_last(struct engine *e, struct conn *c, const struct w5_leg *leg, uint64_t key,
		    bool by_target);
void conns_expire(struct engine *e);
void conns_free(struct engine *e);

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

/* ---- attempts.c ---- */
/* These three may change l: the stream it names. */
void on_attempt(struct engine *e, struct w5_leg *l);
void on_end(struct engine *e, struct w5_leg *l);
/* What goes over it cannot be read: only times, sizes and ends are known. A turn that has a
 * stream was made of frames that were. */
static inline bool leg_opaque(const struct w5_leg *l)
{
	return (l->proto == W5_PROTO_TLS || l->proto == W5_PROTO_H2) && !l->stream;
}
/* A stream that was answered, with a status that cannot be read (or, HTTP/0.9, has none). */
static inline bool leg_unread(const struct w5_leg *l)
{
	return l->stream && l->resp_ns && l->resp_bytes && !l->status &&
	       !(l->flags & W5_F_NOT_HTTP);
}
bool leg_answered(const struct w5_leg *l);
static inline bool leg_failed(const struct w5_leg *l) /* an attempt without a usable answer */
{
	return !leg_answered(l);
}
uint64_t leg_start_ns(const struct w5_leg *l);
uint64_t leg_settled_ns(const struct w5_leg *l); /* answered, or ended */
void atts_drop(struct engine *e, struct att *a);
void atts_expire(struct engine *e);
static inline struct att *turn_att(struct turn *t)
{
	return list_entry(t, struct att, turn);
}

/* ---- engine.c ---- */
static inline bool engine_is_done(const struct engine *e) /* as many as were asked for */
{
	return e->cfg.max_bad && e->c.bad >= e->cfg.max_bad;
}

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

/* ---- correlate.c ---- */
struct link {
	struct turn *turn;
	int score;
	unsigned witness;
	bool doubtful;	  /* another candidate fits as well */
	enum cause cause; /* explain.c: of this attempt alone */
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
bool explain(struct engine *e, struct pending *p); /* false: look again later */

/* ---- gateways.c ---- */
void on_gateway(struct engine *e, const struct w5_gateway *g);
int gateways_of(const struct engine *e, uint32_t tgid);		      /* index, or -1 */
struct gateway *gateways_find(const struct engine *e, uint32_t tgid); /* NULL = not known */
bool gateways_wanted(const struct engine *e, int gw);		      /* by --comm and --pid */
void gateways_used(struct engine *e, int gw); /* it has connected, or was asked */
/* Its threads' trail can be believed: one event loop, or one thread per request. */
bool gateways_trail_exact(const struct engine *e, int gw);
/* The threads that serve the streams of an HTTP/2 conn are not the one that reads it. */
bool gateways_streams_roam(const struct engine *e, int gw);
/* A connect's hint is the request whose turn it was; none: a later try, or a health check. */
bool gateways_queues(const struct engine *e, int gw);
/* Not beyond doubt, but what a thread sends after a failed connect is its retry. */
bool gateways_trail_follows(const struct engine *e, int gw);
uint64_t gateways_holddown_ns(const struct engine *e, int gw);
void gateways_free(struct engine *e);
/* It looks names up for its own list of servers, not for a request (HAProxy). */
bool gateways_asks_aside(const struct engine *e, int gw);
/* Whether it answers so when it does not try any upstream. */
bool gateways_may_be_untried(const struct engine *e, int gw, uint16_t status);

/* ---- failures.c ---- */
enum kinship {		    /* between a request and an earlier failure */
	       KIN_GATEWAY, /* the same gateway, no more is known */
	       KIN_HOST,    /* the same Host */
	       KIN_ROUTE,   /* the same Host and first path segment */
};
void failure_add(struct engine *e, int gw, const struct w5_leg *l);
void failure_explain(struct engine *e, int gw, const struct w5_leg *l, const struct route *r,
		     uint64_t finding_id, enum cause cause);
const struct failure *failure_find(const struct engine *e, int gw, const struct route *r,
				   uint64_t from_ns, uint64_t to_ns, enum kinship *kin);

/* ---- upstreams.c ---- */
struct upstream *upstreams_get(struct engine *e, const struct w5_leg *l);
/* Who uses it, and for what; told with every attempt, looked at now and then. */
void upstreams_note(struct engine *e, struct upstream *u, int gw, const struct w5_leg *l);
/* Of any port of the same address: the newest answer; TTL of its SYN-ACKs (0 = none seen). */
/* n answers that took sum_us together. */
void upstreams_add_ttfb(struct engine *e, struct upstream *u, uint64_t sum_us, uint64_t n);
void upstreams_add_connect(struct engine *e, struct upstream *u);
uint64_t upstreams_last_answer(struct engine *e, const struct w5_leg *l);
uint8_t upstreams_synack_ttl(struct engine *e, const struct w5_leg *l);
void upstreams_free(struct engine *e);

/* ---- idle.c ---- */
/* The conn did: was it idle? gw: whose it was, NULL = not known. */
void idle_ended(struct conn *c, struct gateway *gw, const struct w5_leg *l);
enum idle_by { IDLE_BY_BACKEND, IDLE_BY_GATEWAY };
/* Who ended it: over TLS the first goodbye tells, the other side's FIN may be there sooner. */
enum idle_by idle_left_by(const struct w5_leg *l);
/* It was idle from since_ns on, until one of them left. */
void idle_noted(struct upstream *u, struct gateway *gw, enum idle_by who, uint64_t since_ns,
		uint64_t left_ns);
void idle_tell(struct finding_idle *out, const struct upstream *u);
/* What is known by now of the gateway's other upstreams. */
void idle_refresh(struct upstream *u);
/* What the answer's head says of how long the backend keeps conns. */
void idle_answered(struct upstream *u, const struct w5_leg *l);

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
