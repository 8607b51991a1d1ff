/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP/2 of one conn: what its files share. h2.c puts frames together, h2_head.c reads header
 * blocks, h2_stream.c makes turns of streams, which h2_table.c keeps; h2_status.c learns statuses.
 */
#ifndef ENGINE_H2_H
#define ENGINE_H2_H

#include "engine/h2_bytes.h"
#include "engine/hpack.h"
#include "engine/texts.h"
#include "w5_h2.h"

#define H2_AGREED     2	 /* of one and the same status: then it is no chance */
#define H2_LEARNED    8	 /* statuses of one conn: more than a server has errors */
#define H2_ERRORS_MAX 16 /* blocks that made no sense, then a direction is given up */

struct h2_dir {
	struct hpack *hpack; /* NULL: not begun, or given up */
	struct h2_bytes frame, block;
	bool begun;
	bool in_frame;	     /* the frame in .frame goes on */
	bool in_block;	     /* the block in .block goes on with a CONTINUATION */
	uint8_t type, flags; /* of the frame that began the block */
	uint32_t stream;     /* same */
	uint32_t errors;
	uint32_t table_size;	     /* asked for before the first block; 0 = not */
	struct text_at frame_at, at; /* when and where the frame, the block began */
};

struct h2 {
	struct h2_dir dir[2];
	struct list open, over; /* h2_stream.by_conn */
	size_t nopen;
	uint32_t first_id, last_id; /* newest request's stream; 0 = none yet */
	bool has_goaway;	    /* from who is asked: streams above .served are left out */
	uint32_t served;
	uint32_t goaway_error; /* of a GOAWAY with an error code */
	uint8_t goaway;	       /* enum w5_h2_end, with it */
	/* What entries from before us stood for, once something else has told. */
	struct {
		uint16_t ref, status; /* ref: w5_leg.status_ref */
		uint32_t times;	      /* told so often, and never otherwise since */
	} learned[H2_LEARNED];
	size_t nlearned;
	uint64_t busy_ns;	/* newest frame of a request or an answer */
	uint64_t goodbye_ns[2]; /* first GOAWAY, by direction */
};

/* What a header block says; spans point into .room. */
struct h2_head {
	char room[1024];
	size_t used;
	struct span method, path, authority, request_id, traceparent, length, server, agent;
	uint16_t status;      /* 0 = none, or not known */
	uint16_t grpc_status; /* 1 + grpc-status; 0 = none */
	uint16_t status_ref;  /* status not known: 1 + number of the entry it refers to, or 0 */
	unsigned int nfields;
	bool has_status;   /* even one that makes no sense */
	bool is_no_status; /* a number below 100: HTTP/0.9 passed on as it came (nginx) */
	bool has_unknown;  /* fields that refer to what was missed */
	bool is_cut;	   /* a value was longer than what is kept */
	uint32_t bytes;	   /* of the block */
};

/* ---- h2_head.c ---- */
/* A field that ends up there: the others are of no use to anybody here. */
bool h2_head_reads(const struct hpack_field *f);
void h2_head_field(void *self, const struct hpack_field *f); /* self: struct h2_head, zeroed */
struct mask;
void h2_head_mask(struct h2_head *h, const struct mask *m);
/* What is asked for; empty if that, or the method, is not known. */
struct span h2_head_target(const struct h2_head *h);
/* As HTTP/1 would write it, into l->head or l->resp. */
void h2_head_request(struct w5_leg *l, const struct h2_head *h);
void h2_head_response(struct w5_leg *l, const struct h2_head *h);

/* ---- h2_stream.c ---- */
void h2_on_head(struct engine *e, struct text_conn *tc, uint32_t stream, const struct h2_head *h,
		bool is_last, const struct text_at *at);
/* END_STREAM of that direction without headers. */
void h2_on_last(struct engine *e, struct text_conn *tc, uint32_t stream, const struct text_at *at);
void h2_on_reset(struct engine *e, struct text_conn *tc, uint32_t stream, uint32_t error,
		 const struct text_at *at);
void h2_on_goaway(struct engine *e, struct text_conn *tc, uint32_t last, uint32_t error,
		  const struct text_at *at);
void h2_streams_end(struct engine *e, struct text_conn *tc, const struct w5_leg *end);

/* ---- h2_table.c ---- */
struct h2_stream *h2_stream_find(const struct engine *e, const struct text_conn *tc, uint32_t id);
/* NULL without memory: the loss is counted. */
struct h2_stream *h2_stream_new(struct engine *e, struct text_conn *tc, uint32_t id);
void h2_stream_free(struct engine *e, struct h2_stream *s);
/* Its turn is over: what is left of it serves attempts that are told late. */
void h2_stream_finish(struct engine *e, struct h2_stream *s, uint64_t now_ns);
void h2_streams_free(struct engine *e, struct text_conn *tc);

/* ---- h2_status.c ---- */
/* What a w5_leg.status_ref of that conn stands for, if so many exchanges have told so, else 0.
 * learn(): one does. */
uint16_t h2_status_of(const struct engine *e, uint64_t conn_cookie, uint16_t ref, uint32_t agreed);
void h2_status_learn(struct engine *e, uint64_t conn_cookie, uint16_t ref, uint16_t status);

#endif
