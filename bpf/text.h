/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From a stream of plain text to TEXT records: the starts of HTTP/1 messages, and the frames of
 * HTTP/2. The stream comes in chunks, from a TLS library's buffers (tls.bpf.c, go.bpf.c) or from
 * packets (frames.h), and is followed byte by byte, so that a frame may be spread over several.
 * bpf_loop (5.17) walks the frames; without it there are no frames.
 */
#ifndef BPF_TEXT_H
#define BPF_TEXT_H

#include "conn.h"
#include "look.h"

#define FRAMES_MAX 2048 /* per chunk: 16 KiB of the smallest frames */

/* What one walk over a chunk knows. Lives on the stack, shared with the loop's callback. */
struct chunk {
	struct text_stream *t;
	struct text_dir *d;
	struct __sk_buff *skb; /* NULL: user memory */
	__u64 base;	       /* address, or offset in skb */
	__u32 n, pos;
	__u64 ts_ns, cookie, hint_cookie, hint_ns;
	__u32 tgid, tid;
	__u8 dir, rare, after;
	__u8 led; /* HTTP/1: the byte before, read alone, is kept in d->hdr */
};

static __always_inline bool have_loop(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop);
}

/* n bytes at pos: 1 <= n <= max. */
static __always_inline void chunk_load(struct chunk *k, __u32 pos, void *dst, __u32 n, __u32 max,
				       const bool from_skb)
{
	n--;
	asm volatile("" : "+r"(n)); /* as in load_some(), packet.h */
	if (n >= max)
		return;
	if (from_skb)
		bpf_skb_load_bytes(k->skb, k->base + pos, dst, n + 1);
	else
		bpf_probe_read_user(dst, n + 1, (void *)(k->base + pos));
}

static __always_inline void text_header(struct w5_text *r, struct chunk *k, __u32 size, __u8 kind)
{
	r->h.ts_ns = k->ts_ns;
	r->h.cookie = k->cookie;
	r->h.seq = 0;
	r->h.type = W5_REC_TEXT;
	r->h.size = size;
	r->hint_cookie = k->hint_cookie;
	r->hint_ns = k->hint_ns;
	r->off = k->d->off + k->pos;
	r->tgid = k->tgid;
	r->tid = k->tid;
	r->seq = k->d->seq;
	r->total = 0;
	r->dir = k->dir;
	r->kind = kind;
	r->flags = (k->t->older ? W5_TEXT_OLDER : 0) | (k->d->gap ? W5_TEXT_GAP : 0);
	r->after = k->after;
	__builtin_memset(r->pad, 0, sizeof(r->pad));
	k->d->gap = 0;
}

/* A record for up to `room` bytes: reserved, because the text goes straight into it. */
static __always_inline struct w5_text *text_reserve(struct chunk *k, const __u32 room, __u8 kind)
{
	const __u32 size = sizeof(struct w5_text) + room;
	struct w5_text *r = NULL;

	k->d->seq++;
	if (k->rare || bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) <= cfg.bulk_limit)
		r = bpf_ringbuf_reserve(&ring, size, 0);
	if (!r) {
		lose(RING_BULK);
		return NULL;
	}
	text_header(r, k, size, kind);
	return r;
}

static __always_inline void text_submit(struct w5_text *r, const struct chunk *k)
{
	__u64 used = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);

	bpf_ringbuf_submit(r, ring_wake(used, k->rare));
}

/* ---- HTTP/1 ---- */

static __always_inline void emit_head(struct chunk *k, const __u32 room, const bool from_skb)
{
	struct w5_text *r = text_reserve(k, room, W5_TEXT_HTTP1);
	__u32 n = k->n, at = k->led ? 1 : 0;

	if (!r)
		return;
	if (n > room - 1)
		n = room - 1;
	r->total = k->n + at;
	r->off -= at;
	r->len = n + at;
	r->data[0] = k->d->hdr[0];
	chunk_load(k, 0, r->data + at, n, room - 1, from_skb);
	text_submit(r, k);
}

/* ---- HTTP/2 ---- */

/* The next `n` payload bytes of the frame, after its header if no text has said that. */
static __always_inline void emit_piece(struct chunk *k, __u32 n, const __u32 room,
				       const bool from_skb)
{
	struct w5_text *r = text_reserve(k, room, W5_TEXT_FRAME);
	struct text_dir *d = k->d;
	__u32 at = d->untold ? W5_H2_HDR : 0;

	if (!r)
		return;
	r->len = at + n;
	if (d->left > n && d->type != W5_H2_DATA)
		r->flags |= W5_TEXT_MORE;
	if (at)
		__builtin_memcpy(r->data, d->hdr, W5_H2_HDR);
	else
		r->flags |= W5_TEXT_REST;
	if (n)
		chunk_load(k, k->pos, r->data + at, n, room - W5_H2_HDR, from_skb);
	text_submit(r, k);
}

/* What a record can hold: the ring's room goes by classes. */
#define ROOM_S 56
#define ROOM_M 248
#define ROOM_X 4088

static __always_inline void emit_frame(struct chunk *k, __u32 n, const bool from_skb)
{
	if (n <= ROOM_S - W5_H2_HDR)
		emit_piece(k, n, ROOM_S, from_skb);
	else if (n <= ROOM_M - W5_H2_HDR)
		emit_piece(k, n, ROOM_M, from_skb);
	else
		emit_piece(k, n, ROOM_X, from_skb);
	k->d->untold = 0;
}

static __always_inline void lose_frames(struct chunk *k)
{
	k->d->lost = 1;
	k->d->gap = 1;
	k->d->have = 0;
	k->d->left = 0;
}

/* The thread has a request to go on with, or has answered one. From packets, which no thread
 * has read yet: socket_read() tells it. */
static __always_inline void note_head(struct chunk *k)
{
	const struct task_struct *t = bpf_get_current_task_btf();
	__u32 stream = 0;

	if (k->skb) {
		if (k->dir == W5_TEXT_IN && k->t->heads < W5_ASKED)
			k->t->heads++;
		return;
	}
	if (k->t->proto == W5_PROTO_H2)
		__builtin_memcpy(&stream, &k->d->hdr[5], sizeof(stream));
	if (k->dir == W5_TEXT_IN)
		trail_asked(t, k->cookie, stream, k->ts_ns);
	else
		trail_answered(t, k->cookie, stream);
}

/* A whole header is there: what becomes of its frame. True if its text can go at once. */
static __always_inline bool begin_frame(struct chunk *k)
{
	struct text_dir *d = k->d;

	d->have = 0;
	d->pass = 0;
	if (d->hdr[0] == 'P' && d->hdr[1] == 'R' && d->hdr[2] == 'I' && d->hdr[3] == ' ') {
		d->left = W5_H2_PREFACE - W5_H2_HDR;
		return false;
	}
	if (!w5_h2_valid(d->hdr)) {
		lose_frames(k);
		return false;
	}
	d->left = w5_h2_len(d->hdr);
	d->type = d->hdr[3];
	if (d->type == W5_H2_HEADERS && k->t->role == W5_ROLE_DOWNSTREAM)
		note_head(k);
	d->pass = d->type == W5_H2_HEADERS || d->type == W5_H2_CONTINUATION ||
		  d->type == W5_H2_RST_STREAM || d->type == W5_H2_GOAWAY ||
		  d->type == W5_H2_PUSH_PROMISE ||
		  (d->type == W5_H2_SETTINGS && !(d->hdr[4] & W5_H2_ACK));
	d->untold = d->pass; /* goes with the first bytes of its payload */
	if (d->type == W5_H2_DATA && (d->hdr[4] & W5_H2_END_STREAM))
		d->untold = 1;
	return d->untold && (!d->pass || !d->left);
}

/* One piece of a header or of a payload. The one place that emits: each costs the verifier. */
static __always_inline long frame_step(struct chunk *k, const bool from_skb)
{
	struct text_dir *d = k->d;
	__u32 n = k->n - k->pos, have = d->have;
	bool emit;

	if (k->pos >= k->n || d->lost)
		return 1;
	if (d->left) {
		if (n > d->left)
			n = d->left;
		emit = d->pass;
		if (emit && n > ROOM_X - W5_H2_HDR)
			n = ROOM_X - W5_H2_HDR;
	} else {
		if (have >= W5_H2_HDR)
			have = 0;
		if (n > W5_H2_HDR - have)
			n = W5_H2_HDR - have;
		chunk_load(k, k->pos, &d->hdr[have & 15], n, W5_H2_HDR, from_skb);
		d->have = have + n;
		k->pos += n;
		n = 0;
		emit = d->have == W5_H2_HDR && begin_frame(k);
	}
	if (emit)
		emit_frame(k, n, from_skb);
	d->left -= n;
	k->pos += n;
	return 0;
}

static long frame_of_user(__u32 i, struct chunk *k)
{
	return frame_step(k, false);
}

static long frame_of_skb(__u32 i, struct chunk *k)
{
	return frame_step(k, true);
}

static __always_inline void walk_frames(struct chunk *k, int kind, const bool from_skb)
{
	if (!have_loop())
		return;
	if (k->d->lost) { /* in step again where a chunk begins with a frame */
		if (k->n < W5_H2_HDR || !(kind & LOOK_FRAME))
			return;
		k->d->lost = 0;
	}
	if (from_skb)
		bpf_loop(FRAMES_MAX, frame_of_skb, k, 0);
	else
		bpf_loop(FRAMES_MAX, frame_of_user, k, 0);
	if (k->pos < k->n && !k->d->lost) {
		lose(RING_BULK);
		lose_frames(k);
	}
}

/* A healthy answer going to the client explains nothing but its status. */
static __always_inline void emit_answer(struct chunk *k, __u16 status, const bool from_skb)
{
	if (k->dir == W5_TEXT_OUT && status && status < 500)
		emit_head(k, ROOM_S, from_skb);
	else
		emit_head(k, W5_HEAD_RESP, from_skb);
}

/* ---- both ---- */

static __always_inline void http1_text(struct chunk *k, int kind, const bool from_skb)
{
	__u16 status = kind & LOOK_STATUS;
	bool answers = k->t->asked && k->t->asked != k->dir + 1;

	if (kind & LOOK_REQUEST) {
		k->t->asked = k->dir + 1;
		if (k->t->role == W5_ROLE_DOWNSTREAM && k->dir == W5_TEXT_IN)
			note_head(k);
		emit_head(k, W5_HEAD_REQ, from_skb);
		return;
	}
	if (!status && !answers)
		return;
	if (answers && k->t->role == W5_ROLE_DOWNSTREAM && k->dir == W5_TEXT_OUT)
		note_head(k);
	if (answers && (!status || status >= 200))
		k->t->asked = 0;
	emit_answer(k, status, from_skb); /* whatever it is: what is no HTTP explains a lot */
}

/*
 * Go's and Apache's servers ask for one byte to see whether the client has more to say, or is
 * still there. That byte may be the next request's first: it goes with what comes then. Returns
 * what the chunk begins with.
 */
static __always_inline int with_lead(struct chunk *k, const struct peeked *p, int kind)
{
	struct peeked led;
	int both;

	k->d->have = 0;
	led.b[0] = k->d->hdr[0];
	__builtin_memcpy(&led.b[1], p->b, sizeof(led.b) - 1);
	both = look(&led);
	k->led = !!(both & LOOK_REQUEST);
	return k->led ? both : kind;
}

static __always_inline __u8 proto_of(int kind, __u32 n)
{
	if (kind & (LOOK_REQUEST | LOOK_STATUS))
		return W5_PROTO_HTTP1;
	if ((kind & LOOK_PREFACE) || (n >= W5_H2_HDR && (kind & LOOK_FRAME)))
		return W5_PROTO_H2;
	return W5_PROTO_NONE;
}

/* The next k->n bytes of one direction. Returns what they begin with, LOOK_*. */
static __always_inline int text_chunk(struct chunk *k, const bool from_skb)
{
	struct peeked p = {};
	__u32 n = k->n < sizeof(p) ? k->n : sizeof(p);
	int kind;

	if (!k->n)
		return 0;
	chunk_load(k, 0, &p, n, sizeof(p), from_skb);
	kind = look(&p);
	if (!k->t->proto)
		k->t->proto = proto_of(kind, k->n);
	if (k->t->proto == W5_PROTO_H2) {
		walk_frames(k, kind, from_skb);
	} else if (k->t->proto == W5_PROTO_HTTP1 && k->n == 1) {
		k->d->hdr[0] = p.b[0];
		k->d->have = 1;
	} else if (k->t->proto == W5_PROTO_HTTP1) {
		http1_text(k, k->d->have ? with_lead(k, &p, kind) : kind, from_skb);
	}
	k->d->off += k->n;
	return kind;
}

#endif
