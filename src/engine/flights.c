/* SPDX-License-Identifier: BSD-2-Clause */
/* Packet dumps by conn, the newest few of each, bounded; findings share them by reference. */
#include "engine/internal.h"

#include <string.h>

/* A keep-alive conn may fail several times within one grace: each finding wants its own. */
#define FLIGHTS_PER_CONN 4

struct flight_slot {
	struct list lru;
	uint64_t cookie;
	size_t n; /* dumps so far; the newest is f[(n - 1) % FLIGHTS_PER_CONN] */
	struct flight *f[FLIGHTS_PER_CONN];
};

static void slot_free(struct engine *e, struct flight_slot *s)
{
	list_remove(&s->lru);
	hash_remove(&e->flights, s->cookie);
	for (size_t i = 0; i < FLIGHTS_PER_CONN; i++)
		flight_unref(s->f[i]);
	free(s);
	e->nflights--;
}

static struct flight_slot *slot_get(struct engine *e, uint64_t cookie)
{
	struct flight_slot *s = hash_find(&e->flights, cookie);

	if (s)
		return s;
	if (e->nflights && e->nflights >= e->cfg.max_flights)
		slot_free(e, list_entry(list_first(&e->flight_lru), struct flight_slot, lru));
	s = calloc(1, sizeof(*s));
	if (!s || hash_insert(&e->flights, cookie, s)) {
		free(s);
		return NULL;
	}
	s->cookie = cookie;
	list_push_back(&e->flight_lru, &s->lru);
	e->nflights++;
	return s;
}

void on_packets(struct engine *e, const struct w5_packets *p)
{
	uint32_t slots = w5_packets_slots(p), bytes = w5_packets_bytes(p);
	size_t size = W5_PACKETS_SIZE(slots, bytes);
	struct flight_slot *s;
	struct flight *f;

	if (slots > W5_PKT_SLOTS_MAX || bytes > W5_PKT_BYTES_MAX || p->h.size < size) {
		e->c.bad_records++;
		return;
	}
	/* never shorter than the struct says */
	f = calloc(1, offsetof(struct flight, p) + (size > sizeof(*p) ? size : sizeof(*p)));
	if (!f) {
		loss_own(e, W5_LOSS_COPY_CUT);
		return;
	}
	f->refs = 1;
	memcpy(&f->p, p, size);
	for (uint32_t i = 0; i < slots; i++) {
		struct w5_packet *k = w5_packets_slot(&f->p, i);

		if (k->cap > bytes)
			k->cap = (uint16_t)bytes;
		k->room8 = p->bytes8;
	}
	s = slot_get(e, p->h.cookie);
	if (!s) {
		flight_unref(f);
		loss_own(e, W5_LOSS_COPY_CUT);
		return;
	}
	flight_unref(s->f[s->n % FLIGHTS_PER_CONN]);
	s->f[s->n++ % FLIGHTS_PER_CONN] = f;
	list_move_back(&e->flight_lru, &s->lru);
}

struct flight *flights_get(struct engine *e, uint64_t cookie, uint64_t ts_ns)
{
	struct flight_slot *s = hash_find(&e->flights, cookie);
	size_t kept, i;
	struct flight *f;

	if (!s)
		return NULL;
	kept = s->n < FLIGHTS_PER_CONN ? s->n : FLIGHTS_PER_CONN;
	for (i = s->n - kept; i + 1 < s->n; i++)
		if (s->f[i % FLIGHTS_PER_CONN]->p.h.ts_ns >= ts_ns)
			break;
	f = s->f[i % FLIGHTS_PER_CONN];
	f->refs++;
	return f;
}

void flights_free(struct engine *e)
{
	while (!list_empty(&e->flight_lru))
		slot_free(e, list_entry(list_first(&e->flight_lru), struct flight_slot, lru));
	hash_fini(&e->flights);
}
