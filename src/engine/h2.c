/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of HTTP/2 out of texts (RFC 9113 4, 6): put together where they come in parts,
 * header blocks decoded in order, the rest handed on. Each direction has its own decoder; what
 * one side asks for in SETTINGS holds for what the other writes.
 */
#include "engine/h2.h"

#include <errno.h>
#include <string.h>

#include "base/mask.h"

#define SET_HEADER_TABLE 1 /* RFC 9113 6.5.2 */
#define SETTING_BYTES	 6
#define PRIORITY_BYTES	 5
#define STREAM_MASK	 0x7fffffffu

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* ---- header blocks ---- */

static struct h2_dir *dir_begin(struct text_conn *tc, uint8_t dir)
{
	struct h2_dir *d = &tc->h2->dir[dir];

	if (d->begun)
		return d;
	d->begun = true;
	if (!hpack_new(&d->hpack, !tc->missed[dir]) && d->table_size)
		hpack_table_size(d->hpack, d->table_size);
	tc->missed[dir] = false;
	return d;
}

static void dir_give_up(struct h2_dir *d)
{
	hpack_free(d->hpack);
	d->hpack = NULL;
}

/* Blocks of this direction were missed, or are not as they should be. */
static void dir_missed(struct h2_dir *d)
{
	d->in_frame = d->in_block = false;
	h2_bytes_reset(&d->frame);
	h2_bytes_reset(&d->block);
	if (d->hpack && hpack_missed(d->hpack))
		dir_give_up(d);
}

static void on_block(struct engine *e, struct text_conn *tc, struct h2_dir *d, const uint8_t *p,
		     size_t n)
{
	struct h2_head head;
	int err = -ENOMEM;

	memset(&head, 0, sizeof(head));
	head.bytes = (uint32_t)n;
	if (d->hpack)
		err = hpack_decode(d->hpack, p, n, h2_head_field, &head);
	if (err)
		e->c.undecoded++;
	if (err == -ENOMEM || (err && ++d->errors > H2_ERRORS_MAX)) {
		dir_give_up(d);
		return;
	}
	/* What came before the fault in a block is not sure either: the table may have been wrong. */
	if (err || d->type == W5_H2_PUSH_PROMISE)
		return;
	if (e->cfg.mask)
		h2_head_mask(&head, e->cfg.mask);
	h2_on_head(e, tc, d->stream, &head, d->flags & W5_H2_END_STREAM, &d->at);
}

/* Takes off padding and what comes ahead of the block: false if it is longer than the frame. */
static bool strip(const struct h2_dir *d, const uint8_t **p, size_t *n)
{
	size_t pad = 0, lead = 0;

	if (d->flags & W5_H2_PADDED) {
		if (!*n)
			return false;
		pad = **p;
		lead = 1;
	}
	if (d->type == W5_H2_PUSH_PROMISE)
		lead += 4;
	else if (d->flags & W5_H2_PRIO)
		lead += PRIORITY_BYTES;
	if (lead + pad > *n)
		return false;
	*p += lead;
	*n -= lead + pad;
	return true;
}

/* ---- frames ---- */

struct frame {
	const uint8_t *p; /* payload; DATA has none here */
	size_t n;
	uint32_t stream;
	uint8_t type, flags;
	const struct text_at *at;
};

static void on_headers(struct engine *e, struct text_conn *tc, const struct frame *f)
{
	struct h2_dir *d = dir_begin(tc, f->at->dir);
	const uint8_t *p = f->p;
	size_t n = f->n;

	if (d->in_block) /* a CONTINUATION is missing */
		dir_missed(d);
	d->type = f->type;
	d->flags = f->flags;
	d->stream = f->stream;
	d->at = *f->at;
	if (!strip(d, &p, &n)) {
		dir_missed(d);
		return;
	}
	if (f->flags & W5_H2_END_HEADERS) {
		on_block(e, tc, d, p, n);
		return;
	}
	d->in_block = h2_bytes_put(&d->block, p, n);
	if (!d->in_block)
		dir_missed(d);
}

static void on_continuation(struct engine *e, struct text_conn *tc, const struct frame *f)
{
	struct h2_dir *d = dir_begin(tc, f->at->dir);

	if (!d->in_block || f->stream != d->stream || !h2_bytes_put(&d->block, f->p, f->n)) {
		dir_missed(d);
		e->c.undecoded++;
		return;
	}
	if (!(f->flags & W5_H2_END_HEADERS))
		return;
	d->in_block = false;
	on_block(e, tc, d, d->block.p, d->block.len);
	h2_bytes_reset(&d->block);
}

static void on_data(struct engine *e, struct text_conn *tc, const struct frame *f)
{
	if (f->flags & W5_H2_END_STREAM)
		h2_on_last(e, tc, f->stream, f->at);
}

static void on_settings(struct engine *e, struct text_conn *tc, const struct frame *f)
{
	struct h2_dir *other = &tc->h2->dir[!f->at->dir];

	(void)e;
	for (size_t i = 0; i + SETTING_BYTES <= f->n; i += SETTING_BYTES) {
		if (f->p[i] || f->p[i + 1] != SET_HEADER_TABLE)
			continue;
		other->table_size = get32(f->p + i + 2);
		if (other->hpack)
			hpack_table_size(other->hpack, other->table_size);
	}
}

static void on_rst_stream(struct engine *e, struct text_conn *tc, const struct frame *f)
{
	if (f->n == 4)
		h2_on_reset(e, tc, f->stream, get32(f->p), f->at);
}

static void on_goaway(struct engine *e, struct text_conn *tc, const struct frame *f)
{
	if (f->n >= 8)
		h2_on_goaway(e, tc, get32(f->p) & STREAM_MASK, get32(f->p + 4), f->at);
}

static void on_frame(struct engine *e, struct text_conn *tc, const uint8_t *p, size_t n,
		     const struct text_at *at)
{
	static void (*const handlers[])(struct engine *, struct text_conn *,
					const struct frame *) = {
		[W5_H2_DATA] = on_data,
		[W5_H2_HEADERS] = on_headers,
		[W5_H2_RST_STREAM] = on_rst_stream,
		[W5_H2_SETTINGS] = on_settings,
		[W5_H2_PUSH_PROMISE] = on_headers,
		[W5_H2_GOAWAY] = on_goaway,
		[W5_H2_CONTINUATION] = on_continuation,
	};
	struct frame f = { .p = p + W5_H2_HDR,
			   .n = min_size(n - W5_H2_HDR, w5_h2_len(p)),
			   .stream = w5_h2_stream(p),
			   .type = p[3],
			   .flags = p[4],
			   .at = at };

	if (f.type < ARRAY_SIZE(handlers) && handlers[f.type])
		handlers[f.type](e, tc, &f);
}

/* Is all of it there? DATA comes without its payload. */
static bool is_whole(const uint8_t *p, size_t n)
{
	return n >= W5_H2_HDR && (p[3] == W5_H2_DATA || n - W5_H2_HDR >= w5_h2_len(p));
}

/* A part of a frame: adds it, and hands the frame on with its last one. */
static void on_part(struct engine *e, struct text_conn *tc, struct h2_dir *d,
		    const struct w5_text *t, const struct text_at *at)
{
	bool rest = t->flags & W5_TEXT_REST;

	if (rest != d->in_frame) { /* its start, or the rest of the one before, is missing */
		dir_missed(d);
		e->c.undecoded++;
		if (rest)
			return;
	}
	if (!rest)
		d->frame_at = *at;
	d->in_frame = true;
	if (!h2_bytes_put(&d->frame, t->data, t->len)) {
		dir_missed(d);
		e->c.undecoded++;
		return;
	}
	if (t->flags & W5_TEXT_MORE)
		return;
	d->in_frame = false;
	if (is_whole(d->frame.p, d->frame.len))
		on_frame(e, tc, d->frame.p, d->frame.len, &d->frame_at);
	else
		dir_missed(d);
	h2_bytes_reset(&d->frame);
}

static bool h2_begin(struct engine *e, struct text_conn *tc)
{
	if (tc->h2)
		return true;
	tc->h2 = calloc(1, sizeof(*tc->h2));
	if (!tc->h2) {
		loss_own(e, W5_LOSS_EVICTED);
		return false;
	}
	list_init(&tc->h2->open);
	list_init(&tc->h2->over);
	return true;
}

static void take_text(struct engine *e, struct text_conn *tc, const struct w5_text *t)
{
	struct h2_dir *d = &tc->h2->dir[t->dir];
	struct text_at at = text_at_of(t);

	if (tc->missed[t->dir] && d->begun) {
		tc->missed[t->dir] = false;
		dir_missed(d);
	}
	if ((t->flags & (W5_TEXT_MORE | W5_TEXT_REST)) || d->in_frame)
		on_part(e, tc, d, t, &at);
	else if (is_whole(t->data, t->len))
		on_frame(e, tc, t->data, t->len, &at);
	else
		e->c.undecoded++;
}

void h2_text(struct engine *e, struct text_conn *tc, const struct w5_text *t)
{
	if (!h2_begin(e, tc))
		return;
	tc->leg.proto = W5_PROTO_H2;
	take_text(e, tc, t);
	tc->leg.last_ns = t->h.ts_ns;
}

#define SETTLED_NS (150 * NS_PER_MS) /* acknowledgements of the last answer */

/*
 * No stream was open. A backend that says GOAWAY does not race: it names the last stream it has
 * taken, and what crosses it on the way can be sent again (RFC 9113 6.8). Bytes that nobody has
 * read may have been that. A gateway's GOAWAY is where it leaves.
 */
static void note_idle(struct engine *e, const struct text_conn *tc, const struct conn *c,
		      const struct w5_leg *end)
{
	const struct h2 *h2 = tc->h2;
	bool by_gateway = h2->goodbye_ns[W5_TEXT_OUT] != 0;

	if (tc->leg.role != W5_ROLE_UPSTREAM || !c->up || h2->nopen || !h2->busy_ns ||
	    end->end == W5_END_NONE || end->end >= W5_END_SK_ERR || h2->goodbye_ns[W5_TEXT_IN])
		return;
	if (!tc->is_plain && !by_gateway && end->last_ns > h2->busy_ns + SETTLED_NS)
		return;
	idle_noted(c->up, gateways_find(e, end->tgid),
		   by_gateway ? IDLE_BY_GATEWAY : idle_left_by(end), h2->busy_ns,
		   by_gateway ? h2->goodbye_ns[W5_TEXT_OUT] : end->end_ns);
}

void h2_end(struct engine *e, struct text_conn *tc, const struct w5_leg *end)
{
	struct conn *c = conns_find(e, tc->cookie);

	if (c)
		note_idle(e, tc, c, end);
	h2_streams_end(e, tc, end);
	c = conns_find(e, tc->cookie);
	if (c)
		conns_close(e, c);
}

void h2_stop(struct text_conn *tc)
{
	if (!tc->h2)
		return;
	for (int i = 0; i < 2; i++) {
		struct h2_dir *d = &tc->h2->dir[i];

		hpack_free(d->hpack);
		free(d->frame.p);
		free(d->block.p);
		*d = (struct h2_dir){ 0 };
		tc->missed[i] = true;
	}
}

void h2_free(struct engine *e, struct text_conn *tc)
{
	if (!tc->h2)
		return;
	h2_stop(tc);
	h2_streams_free(e, tc);
	free(tc->h2);
	tc->h2 = NULL;
}
