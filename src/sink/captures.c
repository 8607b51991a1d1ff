/* SPDX-License-Identifier: BSD-2-Clause */
/* See captures.h. */
#include "sink/captures.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

void captures_fini(struct captures *c)
{
	free(c->v);
	free(c->dumps);
	*c = (struct captures){ 0 };
}

size_t capture_len(const struct w5_packet *p)
{
	return min_size(p->cap, w5_packet_room(p));
}

static bool is_ip(const struct w5_packet *p)
{
	return capture_len(p) && (p->data[0] >> 4 == 4 || p->data[0] >> 4 == 6);
}

static int make_room(struct captures *c)
{
	if (c->cap - c->n < W5_PKT_SLOTS_MAX) {
		size_t cap = c->cap * 2 + 2 * W5_PKT_SLOTS_MAX;
		struct capture *v = reallocarray(c->v, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		c->v = v;
		c->cap = cap;
	}
	if (c->ndumps == c->dumps_cap) {
		size_t cap = c->dumps_cap * 2 + 8;
		struct capture_dump *d = reallocarray(c->dumps, cap, sizeof(*d));

		if (!d)
			return -ENOMEM;
		c->dumps = d;
		c->dumps_cap = cap;
	}
	return 0;
}

static int add_dump(struct captures *c, const struct flight *flight, size_t finding, size_t attempt,
		    uint64_t offset_ns)
{
	const struct w5_packets *p;
	uint32_t first, slots;

	if (!flight)
		return 0;
	p = &flight->p;
	slots = w5_packets_slots(p);
	first = p->total > slots ? p->total - slots : 0;
	if (make_room(c))
		return -ENOMEM;
	c->dumps[c->ndumps] =
		(struct capture_dump){ .p = p, .finding = finding, .attempt = attempt };
	for (uint32_t i = first; i != p->total; i++) {
		const struct w5_packet *pkt = w5_packets_slot(p, i % slots);

		if (!is_ip(pkt))
			continue; /* a slot that was being written when the dump was made */
		if (!pktfilter_match(c->filter, pkt)) {
			c->dumps[c->ndumps].left_out++;
			continue;
		}
		c->v[c->n] = (struct capture){
			.wall_ns = pkt->ts_ns + offset_ns,
			.ts_ns = pkt->ts_ns,
			.cookie = p->h.cookie,
			.pos = c->n,
			.finding = finding,
			.dump = c->ndumps,
			.pkt = pkt,
		};
		c->n++;
	}
	c->ndumps++;
	return 0;
}

int captures_collect(struct captures *c, const struct finding *const f[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t offset_ns = f[i]->wall_ns ? f[i]->wall_ns - f[i]->ts_ns : 0;
		int err = c->backend_only ? 0 : add_dump(c, f[i]->flight, i, SIZE_MAX, offset_ns);

		for (size_t k = 0; !err && k < f[i]->nattempts; k++)
			err = add_dump(c, f[i]->attempts[k].flight, i, k, offset_ns);
		if (err)
			return err;
	}
	return c->n ? 0 : -ENODATA;
}

static int by_time(const void *va, const void *vb)
{
	const struct capture *a = va, *b = vb;

	if (a->wall_ns != b->wall_ns)
		return a->wall_ns < b->wall_ns ? -1 : 1;
	return a->pos < b->pos ? -1 : a->pos > b->pos;
}

/* Two dumps of one conn, made at different times, share packets. */
static bool is_same_packet(const struct capture *a, const struct capture *b)
{
	return a->cookie == b->cookie && a->ts_ns == b->ts_ns && a->pkt->out == b->pkt->out &&
	       a->pkt->len == b->pkt->len &&
	       !memcmp(a->pkt->data, b->pkt->data,
		       min_size(capture_len(a->pkt), capture_len(b->pkt)));
}

void captures_sort(struct captures *c)
{
	c->npackets = 0;
	if (c->n)
		qsort(c->v, c->n, sizeof(*c->v), by_time);
	for (size_t i = 0; i < c->n; i++) {
		size_t k = i;

		c->v[i].same = i;
		while (c->v[i].same == i && k && c->v[k - 1].wall_ns == c->v[i].wall_ns)
			if (is_same_packet(&c->v[--k], &c->v[i]))
				c->v[i].same = c->v[k].same;
		c->npackets += c->v[i].same == i;
	}
}
