/* SPDX-License-Identifier: BSD-2-Clause */
/* See h2_store.h. Follows blocks as h2.c does, one state per conn and direction. */
#include "engine/h2_store.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "base/list.h"
#include "engine/h2.h"
#include "engine/h2_block.h"

#define CONNS_MAX      16384
#define DONE_KEEP_NS   (2000 * NS_PER_MS) /* texts may be read after the end */
#define PRIORITY_BYTES 5
#define SETTING_BYTES  6
#define TABLE_SETTING  1 /* RFC 9113 6.5.2 */

struct store_dir {
	struct hpack *hpack;
	struct h2_bytes frame, block;
	bool begun, in_frame, in_block, passing;
	uint32_t seq;  /* of the newest text that came in */
	int32_t shift; /* texts that went out less those that came in */
	uint32_t table_size;
	uint8_t type, flags; /* of the frame that began the block */
	uint32_t stream;
	struct w5_text first, frame_first; /* where the block, the frame began */
};

struct store_conn {
	struct list node; /* h2_store.live or .done, longest unused first */
	uint64_t cookie, used_ns;
	struct store_dir dir[2];
};

struct h2_store {
	const struct mask *mask;
	struct h2_store_ops ops;
	void *self;
	struct hash conns;
	struct list live, done;
	struct h2_block block;
	union {
		struct w5_text t;
		uint8_t bytes[sizeof(struct w5_text) + W5_TEXT_MAX];
	} out;
};

int h2_store_new(struct h2_store **out, const struct mask *mask, const struct h2_store_ops *ops,
		 void *self)
{
	struct h2_store *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->mask = s->block.mask = mask;
	s->ops = *ops;
	s->self = self;
	hash_init(&s->conns);
	list_init(&s->live);
	list_init(&s->done);
	*out = s;
	return 0;
}

static void conn_drop(struct h2_store *s, struct store_conn *c)
{
	for (int i = 0; i < 2; i++) {
		hpack_free(c->dir[i].hpack);
		free(c->dir[i].frame.p);
		free(c->dir[i].block.p);
	}
	list_remove(&c->node);
	hash_remove(&s->conns, c->cookie);
	free(c);
}

void h2_store_free(struct h2_store *s)
{
	if (!s)
		return;
	while (!list_empty(&s->live))
		conn_drop(s, list_entry(list_first(&s->live), struct store_conn, node));
	while (!list_empty(&s->done))
		conn_drop(s, list_entry(list_first(&s->done), struct store_conn, node));
	hash_fini(&s->conns);
	free(s);
}

static struct store_conn *conn_get(struct h2_store *s, uint64_t cookie)
{
	struct store_conn *c = hash_find(&s->conns, cookie);

	if (!c) {
		if (s->conns.count >= CONNS_MAX)
			conn_drop(s,
				  list_entry(list_first(list_empty(&s->done) ? &s->live : &s->done),
					     struct store_conn, node));
		c = calloc(1, sizeof(*c));
		if (!c || hash_insert(&s->conns, cookie, c)) {
			free(c);
			return NULL;
		}
		c->cookie = cookie;
		list_init(&c->node);
	}
	list_move_back(&s->live, &c->node);
	return c;
}

static void store_expire(struct h2_store *s, uint64_t now_ns)
{
	while (!list_empty(&s->done)) {
		struct store_conn *c = list_entry(list_first(&s->done), struct store_conn, node);

		if (c->used_ns + DONE_KEEP_NS > now_ns)
			return;
		conn_drop(s, c);
	}
}

/* ---- texts out ---- */

static void emit_text(struct h2_store *s, const struct w5_text *like, uint32_t seq,
		      const uint8_t *p, size_t n)
{
	struct w5_text *t = &s->out.t;
	size_t size = (sizeof(*t) + n + 7) & ~(size_t)7;

	memset(s->out.bytes, 0, size);
	*t = *like;
	memcpy(t->data, p, n);
	t->h.size = (uint16_t)size;
	t->len = (uint16_t)n;
	t->seq = seq;
	t->flags &= (uint8_t) ~(W5_TEXT_MORE | W5_TEXT_REST);
	s->ops.emit(s->self, &t->h);
}

static void pass(struct h2_store *s, const struct store_dir *d, const struct w5_text *t)
{
	memcpy(s->out.bytes, t, min_size(t->h.size, sizeof(s->out)));
	s->out.t.seq = t->seq + (uint32_t)d->shift;
	s->ops.emit(s->self, &s->out.t.h);
}

static void dir_missed(struct store_dir *d)
{
	d->in_frame = d->in_block = d->passing = false;
	h2_bytes_reset(&d->frame);
	h2_bytes_reset(&d->block);
	if (d->hpack && hpack_missed(d->hpack)) {
		hpack_free(d->hpack);
		d->hpack = NULL;
	}
}

/* The block is all here: its text goes out in place of the newest one that came in. */
static void store_block(struct h2_store *s, struct store_dir *d, const uint8_t *p, size_t n)
{
	static const uint8_t senseless[] = { 0x80 }; /* index 0: nobody can decode it */
	uint8_t frame[W5_H2_HDR + H2_BLOCK_ROOM] = { 0 };
	struct h2_block *b = &s->block;

	b->len = 0;
	if (!d->hpack || hpack_decode(d->hpack, p, n, h2_block_field, b)) {
		memcpy(b->p, senseless, sizeof(senseless));
		b->len = sizeof(senseless);
	} else {
		h2_block_pad(b, n);
	}
	if (d->type == W5_H2_PUSH_PROMISE) /* nobody reads it */
		return;
	frame[1] = (uint8_t)(b->len >> 8);
	frame[2] = (uint8_t)b->len;
	frame[3] = W5_H2_HEADERS;
	frame[4] = (uint8_t)((d->flags & W5_H2_END_STREAM) | W5_H2_END_HEADERS);
	for (int i = 0; i < 4; i++)
		frame[5 + i] = (uint8_t)(d->stream >> (24 - 8 * i));
	memcpy(frame + W5_H2_HDR, b->p, b->len);
	d->shift++;
	emit_text(s, &d->first, d->seq + (uint32_t)d->shift, frame, W5_H2_HDR + b->len);
}

/* ---- frames ---- */

static bool strip(uint8_t type, uint8_t flags, const uint8_t **p, size_t *n)
{
	size_t padding = 0, lead = 0;

	if (flags & W5_H2_PADDED) {
		if (!*n)
			return false;
		padding = **p;
		lead = 1;
	}
	if (type == W5_H2_PUSH_PROMISE)
		lead += 4;
	else if (flags & W5_H2_PRIO)
		lead += PRIORITY_BYTES;
	if (lead + padding > *n)
		return false;
	*p += lead;
	*n -= lead + padding;
	return true;
}

static void store_frame(struct h2_store *s, struct store_dir *d, const struct w5_text *first,
			const uint8_t *f, size_t len)
{
	const uint8_t *p = f + W5_H2_HDR;
	size_t n = min_size(len - W5_H2_HDR, w5_h2_len(f));
	bool is_rest = f[3] == W5_H2_CONTINUATION;

	if (is_rest != d->in_block || (is_rest && w5_h2_stream(f) != d->stream)) {
		dir_missed(d);
		if (is_rest)
			return;
	}
	if (!is_rest) {
		d->type = f[3];
		d->flags = f[4];
		d->stream = w5_h2_stream(f);
		d->first = *first;
		if (!strip(f[3], f[4], &p, &n)) {
			dir_missed(d);
			return;
		}
	}
	if (!h2_bytes_put(&d->block, p, n)) {
		dir_missed(d);
		return;
	}
	d->in_block = !(f[4] & W5_H2_END_HEADERS);
	if (d->in_block)
		return;
	store_block(s, d, d->block.p, d->block.len);
	h2_bytes_reset(&d->block);
}

static bool has_block(uint8_t type)
{
	return type == W5_H2_HEADERS || type == W5_H2_CONTINUATION || type == W5_H2_PUSH_PROMISE;
}

static void on_settings(struct store_conn *c, const struct w5_text *t)
{
	struct store_dir *other = &c->dir[!t->dir];
	size_t end = min_size(t->len, W5_H2_HDR + w5_h2_len(t->data));

	for (size_t i = W5_H2_HDR; i + SETTING_BYTES <= end; i += SETTING_BYTES) {
		const uint8_t *p = t->data + i;

		if (p[0] || p[1] != TABLE_SETTING)
			continue;
		other->table_size = (uint32_t)p[2] << 24 | (uint32_t)p[3] << 16 |
				    (uint32_t)p[4] << 8 | p[5];
		if (other->hpack)
			hpack_table_size(other->hpack, other->table_size);
	}
}

/* A part of a frame with a block: it goes no further as it is. */
static void on_part(struct h2_store *s, struct store_dir *d, const struct w5_text *t)
{
	d->shift--;
	if (!(t->flags & W5_TEXT_REST))
		d->frame_first = *t;
	d->in_frame = t->flags & W5_TEXT_MORE;
	if (!h2_bytes_put(&d->frame, t->data, t->len)) {
		dir_missed(d);
		return;
	}
	if (d->in_frame)
		return;
	if (d->frame.len >= W5_H2_HDR && has_block(d->frame.p[3]) &&
	    d->frame.len - W5_H2_HDR >= w5_h2_len(d->frame.p))
		store_frame(s, d, &d->frame_first, d->frame.p, d->frame.len);
	else
		dir_missed(d);
	h2_bytes_reset(&d->frame);
}

/* The first text of this direction, or one whose forerunners are missing. */
static void follow(struct store_dir *d, const struct w5_text *t)
{
	bool missed = t->flags & W5_TEXT_GAP;

	if (!d->begun) {
		missed |= t->seq > 1 || (t->flags & W5_TEXT_OLDER);
		d->begun = true;
		if (!hpack_new(&d->hpack, !missed) && d->table_size)
			hpack_table_size(d->hpack, d->table_size);
	} else if (missed || t->seq != d->seq + 1) {
		dir_missed(d);
	}
	d->seq = t->seq;
}

static void store_text(struct h2_store *s, const struct w5_text *t)
{
	struct store_conn *c = conn_get(s, t->h.cookie);
	bool rest = t->flags & W5_TEXT_REST;
	struct store_dir *d;

	if (!c || t->len > W5_TEXT_MAX || t->dir > W5_TEXT_OUT)
		return; /* better nothing than what may hold anything */
	c->used_ns = t->h.ts_ns;
	d = &c->dir[t->dir];
	if (d->begun && (int32_t)(t->seq - d->seq) <= 0)
		return; /* late: the engine has no use for it either */
	follow(d, t);
	if (rest != (d->in_frame || d->passing)) {
		dir_missed(d);
		if (rest) { /* whose start is missing: it may be of a block */
			d->shift--;
			return;
		}
	}
	if (!rest && t->len < W5_H2_HDR && !(t->flags & W5_TEXT_MORE)) {
		d->shift--;
		return;
	}
	if (d->passing || (!d->in_frame && t->len >= W5_H2_HDR && !has_block(t->data[3]))) {
		d->passing = t->flags & W5_TEXT_MORE;
		if (!rest && t->data[3] == W5_H2_SETTINGS)
			on_settings(c, t);
		pass(s, d, t);
		return;
	}
	on_part(s, d, t);
}

void h2_store_record(struct h2_store *s, const struct w5_hdr *rec)
{
	const struct w5_text *t = (const struct w5_text *)rec;
	struct store_conn *c;

	store_expire(s, rec->ts_ns);
	if (rec->type == W5_REC_TEXT && t->kind == W5_TEXT_FRAME) {
		store_text(s, t);
		return;
	}
	if (rec->type == W5_REC_END && (c = hash_find(&s->conns, rec->cookie))) {
		c->used_ns = rec->ts_ns;
		list_move_back(&s->done, &c->node);
	}
	s->ops.emit(s->self, rec);
}
