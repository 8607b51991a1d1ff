/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns out of plain text: conns that are encrypted, or speak HTTP/2. In: OPEN and TEXT
 * records, and the kernel's own leg records of the same conns, which bring what TCP did.
 * Out: legs as the kernel makes them for plain HTTP/1, through on_exchange(), on_attempt()
 * and on_end(). Each HTTP/2 stream is a conn of its own there (stream_cookie()).
 *
 * struct texts owns text conns, these own their h2 and their kept end, h2 owns its streams.
 */
#ifndef ENGINE_TEXTS_H
#define ENGINE_TEXTS_H

#include "engine/internal.h"

#define TEXT_WAIT_NS	  (30 * NS_PER_MS) /* from bytes in the socket to the thread's reading them */
#define WAITS_MAX	  64		   /* of them looked at for an exchange */
#define TEXT_DONE_KEEP_NS (2 * NS_PER_S)   /* ended conns, for texts read after the end */
#define H2_STREAMS_MAX	  1024		   /* of one conn */
#define H2_OVER_MAX	  4096		   /* streams that are over, of all conns */

struct h2;

/* A conn whose messages come as texts. */
struct text_conn {
	struct list node;    /* texts.live or texts.done, longest unused first */
	struct list waiting; /* texts.waits while .end waits for what may still be read */
	uint64_t cookie;
	uint64_t touched_ns, due_ns;
	uint32_t seq[2];
	bool has_seq[2];
	/* Upstream: an answer that no text tells of, the first one to us: when, how much of it.
	 * Over HTTP/2 it may be of any kind, to whatever stream was open then. */
	uint64_t unread_ns;
	uint32_t unread_bytes;
	bool missed[2]; /* texts of this direction were missed, and this is not yet made good */
	bool is_done;	/* ended, and nothing was read since */
	bool is_plain;	/* its texts come from packets: HTTP/2 in the clear */
	/* HTTP/1: the turn, told when its response is there; .phase says how far it is.
	 * HTTP/2: what every stream starts from. */
	struct w5_leg leg;
	struct w5_leg *end; /* the kernel's terminal record, while it waits */
	struct h2 *h2;	    /* NULL until a frame is seen */
};

/* Where a text was seen: what its turn takes from it. */
struct text_at {
	uint64_t ts_ns, hint_cookie, hint_ns;
	uint32_t tgid, tid;
	uint8_t dir, after;
};

static inline struct text_at text_at_of(const struct w5_text *t)
{
	return (struct text_at){ .ts_ns = t->h.ts_ns,
				 .hint_cookie = t->hint_cookie,
				 .hint_ns = t->hint_ns,
				 .tgid = t->tgid,
				 .tid = t->tid,
				 .dir = t->dir,
				 .after = t->after };
}

/* The direction of requests. */
static inline uint8_t text_request_dir(const struct w5_leg *l)
{
	return l->role == W5_ROLE_UPSTREAM ? W5_TEXT_OUT : W5_TEXT_IN;
}

/* An HTTP/2 stream. One that is over stays a while: its attempts may be told later. */
struct h2_stream {
	struct list by_conn; /* h2.open in the order of the requests, or h2.over, oldest first */
	struct list by_age;  /* texts.open or texts.over */
	struct list by_body; /* texts.bodies, in the order they were complete */
	struct list by_wait; /* texts.bodies_wait, while .begun_by_ns may still shrink */
	struct text_conn *tc;
	uint32_t id;
	bool is_told, is_over; /* its response head, its last frame is there */
	uint64_t key;	       /* of its target; 0 = not known */
	uint64_t over_ns;
	uint64_t begun_by_ns; /* has a body: its first attempt has begun by then */
	/* Attempts known to be its: begin of the first, end of the newest if that failed. */
	uint64_t tried_ns, failed_ns;
	struct w5_leg leg;
};

struct texts {
	struct hash conns, streams; /* by cookie; streams that are not over, by theirs */
	struct list live, done;	    /* text_conn.node */
	struct list waits;	    /* text_conn.waiting, in order of .due_ns */
	struct list open, over;	    /* h2_stream.by_age, oldest first */
	struct list bodies, bodies_wait;
	struct list open_atts; /* att.by_open, oldest first */
	size_t nopen, nover;
};

/* ---- texts.c: what engine.c calls ---- */
int texts_new(struct texts **out);
void texts_free(struct engine *e);
void on_open(struct engine *e, struct w5_leg *l);
void on_text(struct engine *e, const struct w5_text *t);
/* True: the record is of a conn with texts, and is dealt with. */
bool texts_take_leg(struct engine *e, const struct w5_leg *l);
void texts_run(struct engine *e, uint64_t now_ns); /* ends that have waited long enough */
void texts_expire(struct engine *e);

struct text_conn *texts_find(const struct engine *e, uint64_t cookie);
/* Waits no longer, if its end waits. */
void texts_end_early(struct engine *e, struct text_conn *tc);

/* ---- text_turn.c: legs ---- */
/* A turn's leg with what the kernel knows of its conn's end. */
void turn_take_end(struct w5_leg *turn, const struct w5_leg *end);
/* Did the kernel count the bytes of this turn alone? */
bool turn_is_same(const struct w5_leg *turn, const struct w5_leg *end);
void turn_begin(struct w5_leg *l, const struct text_at *at);
/* Its response is there: hands the turn on. */
void turn_tell(struct engine *e, struct w5_leg *l, const struct text_at *at);
/* It ended without one. */
void turn_tell_failed(struct engine *e, struct w5_leg *l);

/* ---- text_http1.c ---- */
void http1_text(struct engine *e, struct text_conn *tc, const struct w5_text *t);
void http1_end(struct engine *e, struct text_conn *tc, struct w5_leg *end);

/* ---- h2.c: frames ---- */
void h2_text(struct engine *e, struct text_conn *tc, const struct w5_text *t);
/* Its conn ended: end is the kernel's record. */
void h2_end(struct engine *e, struct text_conn *tc, const struct w5_leg *end);
void h2_stop(struct text_conn *tc); /* what is left is for late attempts */
void h2_free(struct engine *e, struct text_conn *tc);

/* ---- h2_table.c ---- */
/* A stream asked for by then has no answer yet. */
bool h2_has_open(const struct h2 *h2, uint64_t by_ns);
/* All its streams without an answer were asked for after that, and there are some. */
bool h2_is_asked_since(const struct h2 *h2, uint64_t ns);
void h2_expire(struct engine *e);

/* ---- h2_trail.c ---- */
/* The body of s is all here: only now may the gateway go on with it. */
void trail_add_body(struct engine *e, struct h2_stream *s);

#endif
