/* SPDX-License-Identifier: BSD-2-Clause */
/* See masker.h. One row per record type. */
#include "source/masker.h"

#include <errno.h>
#include <string.h>

#include "base/packet.h"
#include "base/util.h"
#include "w5_h2.h"
#include "w5_http1.h"

#define FILLER '*' /* in place of a body's bytes where the length must stay */

struct masker {
	struct mask mask;
	bool keep_bodies;
	union {
		struct w5_hdr h;
		struct w5_leg leg;
		struct w5_packets packets;
		struct w5_text text;
		struct w5_log log;
		struct w5_session session;
		uint8_t bytes[W5_PACKETS_MAX];
	} copy;
};
_Static_assert(W5_PACKETS_MAX >= sizeof(struct w5_text) + W5_TEXT_MAX, "the biggest record");

int masker_new(struct masker **out, const uint8_t key[MASK_KEY_BYTES], bool keep_bodies)
{
	struct masker *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	mask_init(&m->mask, key);
	m->keep_bodies = keep_bodies;
	*out = m;
	return 0;
}

void masker_free(struct masker *m)
{
	free(m);
}

const struct mask *masker_mask(const struct masker *m)
{
	return &m->mask;
}

/* ---- heads ---- */

struct opening {
	bool is_request;
	uint16_t status; /* 0 = no status line */
};

static struct opening opening_of(const uint8_t *p, size_t len)
{
	uint8_t peek[W5_HTTP1_PEEK] = { 0 };
	struct opening o;

	memcpy(peek, p, min_size(len, sizeof(peek)));
	o.is_request = w5_http1_is_request(peek);
	o.status = o.is_request ? 0 : w5_http1_status(peek);
	return o;
}

/* Masks the head of a message, and of those that follow an interim one (RFC 9110 15.2) in the same
 * bytes. Returns where the body begins; *last: of the last head. 0 = no message begins here. */
static size_t mask_heads(const struct masker *m, uint8_t *p, size_t len, struct opening *last)
{
	struct opening o = opening_of(p, len);
	size_t at = 0;

	while (o.is_request || o.status) {
		*last = o;
		at += mask_head(&m->mask, p + at, len - at);
		if (o.is_request || !w5_http1_is_interim(o.status))
			break;
		o = opening_of(p + at, len - at);
	}
	return at;
}

/*
 * A message whose length is told elsewhere: its body stays as long as it is, but unread.
 * The text of a 400 is kept: it is how servers say that they had been spoken to in plain HTTP.
 */
static void mask_message(const struct masker *m, uint8_t *p, size_t len)
{
	struct opening o = { 0 };
	size_t head = mask_heads(m, p, len, &o);

	if (head && !m->keep_bodies && o.status != 400)
		memset(p + head, FILLER, len - head);
}

/* Of room bytes len are the message; the rest may be left of one before. */
static void mask_kept(const struct masker *m, uint8_t *p, size_t len, size_t room)
{
	len = min_size(len, room);
	mask_message(m, p, len);
	memset(p + len, 0, room - len);
}

static void on_leg(struct masker *m)
{
	struct w5_leg *l = &m->copy.leg;
	size_t size = min_size(l->h.size, sizeof(*l));
	size_t at = offsetof(struct w5_leg, head);

	if (size <= at)
		return;
	mask_kept(m, l->head, l->head_len, min_size(sizeof(l->head), size - at));
	if (size >= W5_LEG_ANSWER)
		mask_kept(m, l->resp, l->resp_len, sizeof(l->resp));
}

static void on_text(struct masker *m)
{
	struct w5_text *t = &m->copy.text;

	if (t->kind == W5_TEXT_HTTP1)
		mask_message(m, t->data, min_size(t->len, W5_TEXT_MAX));
}

static void on_log(struct masker *m)
{
	struct w5_log *l = &m->copy.log;

	mask_head(&m->mask, l->head, min_size(l->head_len, sizeof(l->head)));
}

static void on_session(struct masker *m)
{
	if (m->copy.session.flags & W5_SESSION_MASKED)
		m->mask.off = true;
	m->copy.session.flags |= W5_SESSION_MASKED;
}

/* ---- packets ---- */

static bool has_words(uint8_t type)
{
	return type == W5_H2_DATA || type == W5_H2_HEADERS || type == W5_H2_PUSH_PROMISE ||
	       type == W5_H2_CONTINUATION;
}

/* Frames up to the first one whose payload is a message's, and the header of that. */
static size_t frames_len(const uint8_t *p, size_t len)
{
	size_t at = 0;
	uint8_t peek[W5_HTTP1_PEEK] = { 0 };

	memcpy(peek, p, min_size(len, sizeof(peek)));
	if (w5_http1_is_h2_preface(peek))
		at = min_size(len, W5_H2_PREFACE);
	while (len - at >= W5_H2_HDR && w5_h2_plausible(p + at)) {
		if (has_words(p[at + 3]))
			return at + W5_H2_HDR;
		at += min_size(W5_H2_HDR + w5_h2_len(p + at), len - at);
	}
	return at;
}

static bool is_tls_record(const uint8_t *p, size_t len)
{
	return len >= 5 && p[0] >= 0x14 && p[0] <= 0x17 && p[1] == 3;
}

/* Masks, and says how many bytes may stay. */
static size_t payload_kept(const struct masker *m, uint8_t *p, size_t len)
{
	struct opening o = { 0 };
	size_t head = mask_heads(m, p, len, &o);

	if (head)
		return m->keep_bodies ? len : head;
	/* What goes on with a head, or with anything, cannot be told apart from a body. */
	if (m->keep_bodies || is_tls_record(p, len))
		return len;
	return frames_len(p, len);
}

static void mask_packet(const struct masker *m, uint8_t *data, uint16_t *cap, size_t wire_len)
{
	struct packet p;
	size_t kept;

	if (packet_parse(&p, data, *cap, wire_len))
		return;
	if (!p.payload_cap)
		return;
	kept = p.payload_off + payload_kept(m, data + p.payload_off, p.payload_cap);
	memset(data + kept, 0, *cap - kept);
	*cap = (uint16_t)kept;
}

static void on_packets(struct masker *m)
{
	struct w5_packets *p = &m->copy.packets;

	uint32_t slots = w5_packets_slots(p), bytes = w5_packets_bytes(p);

	if (p->h.size < W5_PACKETS_SIZE(slots, bytes))
		return;
	for (uint32_t i = 0; i < slots; i++) {
		struct w5_packet *k = w5_packets_slot(p, i);

		k->cap = (uint16_t)min_size(k->cap, bytes);
		mask_packet(m, k->data, &k->cap, k->len);
	}
}

/* ---- records ---- */

static void (*const handlers[W5_REC_TYPE_MAX])(struct masker *m) = {
	[W5_REC_SESSION] = on_session, [W5_REC_EXCHANGE] = on_leg,    [W5_REC_ATTEMPT] = on_leg,
	[W5_REC_END] = on_leg,	       [W5_REC_PACKETS] = on_packets, [W5_REC_OPEN] = on_leg,
	[W5_REC_TEXT] = on_text,       [W5_REC_LOG] = on_log,
};

const struct w5_hdr *masker_record(struct masker *m, const struct w5_hdr *rec)
{
	if (m->mask.off || rec->type >= W5_REC_TYPE_MAX || !handlers[rec->type] ||
	    rec->size > sizeof(m->copy))
		return rec;
	/* Most records of a busy gateway hold no head: nothing to do, nothing to copy. */
	if (handlers[rec->type] == on_leg && rec->size <= offsetof(struct w5_leg, head))
		return rec;
	memcpy(&m->copy, rec, rec->size);
	handlers[rec->type](m);
	return &m->copy.h;
}
