/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conns and their turns: exchanges and attempts. The engine owns conns and atts; the lists of a
 * conn hold borrowed atts, which leave them when either side goes.
 */
#ifndef ENGINE_TURNS_H
#define ENGINE_TURNS_H

#include "base/list.h"
#include "engine/engine.h"
#include "w5_turn.h"

#define TARGET_BUCKETS 4096		/* power of two */
#define ATTS_MAX       16384		/* open attempts; the oldest give way */
#define ATT_KEEP_NS    (180 * NS_PER_S) /* longer than any sane proxy timeout: 60 s x 3 tries */
#define CONN_KEEP_NS   (30 * NS_PER_S)	/* closed conns */
#define STREAM_KEEP_NS (2 * NS_PER_S)	/* HTTP/2 streams that are over */
#define STREAMS_MAX    8192		/* streams among the conns; the oldest give way */

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

/* ---- attempts.c ---- */
/* These three may change l: the stream it names. */
void on_attempt(struct engine *e, struct w5_leg *l);
void on_end(struct engine *e, struct w5_leg *l);
/* What goes over it cannot be read: only times, sizes and ends are known. A turn that has a
 * stream was made of frames that were. */
static inline bool leg_opaque(const struct w5_leg *l)
{
	return w5_leg_veiled(l) && !l->stream;
}
/* Its request was read, and it was answered, but with what cannot be read (or, HTTP/0.9, it has no
 * status). */
static inline bool leg_unread(const struct w5_leg *l)
{
	bool is_text = l->stream || (l->proto == W5_PROTO_HTTP1 && (l->flags & W5_F_TEXT));

	return is_text && l->resp_ns && l->resp_bytes && !l->status && !(l->flags & W5_F_NOT_HTTP);
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

#endif
