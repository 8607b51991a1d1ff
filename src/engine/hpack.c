/* SPDX-License-Identifier: BSD-2-Clause */
/* See hpack.h. */
#include "engine/hpack.h"

#include <errno.h>
#include <stdlib.h>

#include <nghttp2/nghttp2.h>

#define TABLE_DEFAULT 4096u  /* RFC 9113 6.5.2 */
#define TABLE_MAX     65536u /* the most that browsers and gateways ask for */
#define ENTRY_MIN     32u    /* what an entry without name and value takes (RFC 7541 4.1) */
#define GROWTH	      4u     /* a reference beyond the assumed table: the real one is larger */
#define FILLED	      (ENTRY_MIN + HPACK_UNKNOWN_LEN) /* what an entry made here takes */

struct hpack {
	nghttp2_hd_inflater *inflater;
	uint32_t limit;	  /* bytes the writer's table may have */
	uint16_t unknown; /* entries made here so far */
};

static void stop(struct hpack *h)
{
	if (h->inflater)
		nghttp2_hd_inflate_del(h->inflater);
	h->inflater = NULL;
}

static int start(struct hpack *h)
{
	stop(h);
	return nghttp2_hd_inflate_new(&h->inflater) ? -ENOMEM : 0;
}

static int allow(struct hpack *h, uint32_t bytes)
{
	return nghttp2_hd_inflate_change_table_size(h->inflater, bytes) ? -ENOMEM : 0;
}

static ssize_t inflate(struct hpack *h, nghttp2_nv *nv, int *flags, const uint8_t *in, size_t len,
		       bool final)
{
	*flags = 0;
	return nghttp2_hd_inflate_hd2(h->inflater, nv, flags, in, len, final);
}

/* Feeds one small block made here. */
static int feed_own(struct hpack *h, const uint8_t *in, size_t len)
{
	while (1) {
		nghttp2_nv nv;
		int flags;
		ssize_t n = inflate(h, &nv, &flags, in, len, true);

		if (n < 0)
			return -ENOMEM;
		in += n;
		len -= (size_t)n;
		if (flags & NGHTTP2_HD_INFLATE_FINAL)
			return nghttp2_hd_inflate_end_headers(h->inflater) ? -ENOMEM : 0;
		if (!n && !(flags & NGHTTP2_HD_INFLATE_EMIT))
			return -ENOMEM;
	}
}

/* Dynamic table size update (RFC 7541 6.3). */
static int use_table(struct hpack *h, uint32_t bytes)
{
	uint8_t b[6];
	size_t n = 0;

	b[n++] = 0x3f;
	for (bytes -= 31; bytes >= 128; bytes >>= 7)
		b[n++] = (uint8_t)(0x80 | (bytes & 127));
	b[n++] = (uint8_t)bytes;
	return feed_own(h, b, n);
}

/* Literal with incremental indexing, new name, which is empty (RFC 7541 6.2.1). */
static int fill(struct hpack *h, uint32_t entries)
{
	while (entries--) {
		uint16_t id = h->unknown++;
		const uint8_t nameless[] = { 0x40, 0, HPACK_UNKNOWN_LEN, (uint8_t)(id >> 8),
					     (uint8_t)id };

		if (feed_own(h, nameless, sizeof(nameless)))
			return -ENOMEM;
	}
	return 0;
}

int hpack_missed(struct hpack *h)
{
	const uint32_t entries = h->limit / ENTRY_MIN;

	if (start(h) || allow(h, entries * FILLED) || use_table(h, entries * FILLED))
		return -ENOMEM;
	return fill(h, entries);
}

int hpack_new(struct hpack **out, bool is_known)
{
	struct hpack *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->limit = TABLE_DEFAULT;
	if (is_known ? start(h) : hpack_missed(h)) {
		hpack_free(h);
		return -ENOMEM;
	}
	*out = h;
	return 0;
}

void hpack_free(struct hpack *h)
{
	if (!h)
		return;
	stop(h);
	free(h);
}

void hpack_table_size(struct hpack *h, uint32_t bytes)
{
	if (bytes > TABLE_MAX)
		bytes = TABLE_MAX;
	if (bytes <= h->limit || !h->inflater)
		return;
	if (!allow(h, bytes))
		h->limit = bytes;
}

/* The block made no sense: of an unknown table too little may have been assumed. */
static int recover(struct hpack *h)
{
	if (h->limit < TABLE_MAX)
		h->limit *= GROWTH;
	return hpack_missed(h) ? -ENOMEM : -EBADMSG;
}

int hpack_decode(struct hpack *h, const uint8_t *block, size_t len, hpack_fn fn, void *self)
{
	if (!h->inflater)
		return -ENOMEM;
	while (1) {
		nghttp2_nv nv;
		int flags;
		ssize_t n = inflate(h, &nv, &flags, block, len, true);

		if (n < 0)
			return recover(h);
		block += n;
		len -= (size_t)n;
		if (flags & NGHTTP2_HD_INFLATE_EMIT)
			fn(self, &(struct hpack_field){ .name = nv.name,
							.name_len = nv.namelen,
							.value = nv.value,
							.value_len = nv.valuelen });
		if (flags & NGHTTP2_HD_INFLATE_FINAL)
			return nghttp2_hd_inflate_end_headers(h->inflater) ? -ENOMEM : 0;
		if (!n && !(flags & NGHTTP2_HD_INFLATE_EMIT))
			return recover(h);
	}
}
