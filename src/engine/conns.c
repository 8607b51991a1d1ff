/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The conn table: by socket cookie, bounded. Closed conns wait in a list of their own
 * and go first; only pushing out an open one is a loss. HTTP/2 streams have a bound of their
 * own: however many there are, they push out no conn.
 */
#include "engine/internal.h"

#include <string.h>

static void unlink_atts(struct conn *c)
{
	while (!list_empty(&c->atts))
		list_remove(list_first(&c->atts));
	while (!list_empty(&c->hinted))
		list_remove(list_first(&c->hinted));
}

static void uncount(struct engine *e, struct conn *c)
{
	if (!c->counted)
		return;
	c->counted = false;
	if (c->role == W5_ROLE_DOWNSTREAM)
		e->c.conns_down--;
	else
		e->c.conns_up--;
	if (c->up && c->up->pub.open)
		c->up->pub.open--;
}

static void conn_free(struct engine *e, struct conn *c)
{
	uncount(e, c);
	unlink_atts(c);
	list_remove(&c->last.by_target);
	list_remove(&c->lru);
	hash_remove(&e->conns, c->cookie);
	if (cookie_is_stream(c->cookie))
		e->nstreams--;
	else
		e->nconns--;
	free(c);
}

static void make_room(struct engine *e)
{
	struct list *n = list_first(&e->closed);

	if (!n) {
		n = list_first(&e->open);
		/* One known only as a hint holds nothing of its own. */
		if (n && list_entry(n, struct conn, lru)->counted)
			loss_own(e, W5_LOSS_EVICTED);
	}
	if (n)
		conn_free(e, list_entry(n, struct conn, lru));
}

/* One that is pushed out has been told, or was only a hint. */
static void make_room_for_stream(struct engine *e)
{
	struct list *n = list_first(&e->streams_closed);

	if (!n)
		n = list_first(&e->streams);
	if (n)
		conn_free(e, list_entry(n, struct conn, lru));
}

struct conn *conns_find(const struct engine *e, uint64_t cookie)
{
	return cookie ? hash_find(&e->conns, cookie) : NULL;
}

struct conn *conns_get(struct engine *e, uint64_t cookie)
{
	struct conn *c = conns_find(e, cookie);
	bool is_stream = cookie_is_stream(cookie);

	if (c || !cookie)
		return c;
	if (is_stream && e->nstreams >= min_size(STREAMS_MAX, e->cfg.max_conns))
		make_room_for_stream(e);
	else if (!is_stream && e->nconns >= e->cfg.max_conns)
		make_room(e);
	c = malloc(sizeof(*c));
	if (!c || hash_insert(&e->conns, cookie, c)) {
		free(c);
		return NULL;
	}
	memset(c, 0, sizeof(*c));
	c->cookie = cookie;
	c->gw = -1;
	c->touched_ns = e->c.now_ns;
	list_init(&c->atts);
	list_init(&c->hinted);
	list_init(&c->last.by_target);
	list_push_back(is_stream ? &e->streams : &e->open, &c->lru);
	if (is_stream)
		e->nstreams++;
	else
		e->nconns++;
	return c;
}

/* A jump of the sequence is a loss; a record that comes late takes it back. */
static void check_seq(struct engine *e, struct conn *c, const struct w5_hdr *h)
{
	uint32_t ahead = h->seq - c->seq;

	if (!h->seq) /* made by the engine */
		return;
	if (!c->has_seq) {
		c->has_seq = true;
		c->seq = h->seq;
		return;
	}
	if ((int32_t)ahead > 0) {
		if (ahead > 1) {
			c->missing += ahead - 1;
			c->hole_ns = h->ts_ns;
			loss_own(e, W5_LOSS_SEQ_HOLE);
		}
		c->seq = h->seq;
		return;
	}
	if (ahead && c->missing && --c->missing == 0) {
		c->hole_ns = 0;
		e->own_loss[W5_LOSS_SEQ_HOLE]--;
		e->c.loss[W5_LOSS_SEQ_HOLE]--;
	}
}

void conns_seen(struct engine *e, struct conn *c, const struct w5_hdr *h, uint8_t role)
{
	check_seq(e, c, h);
	if (c->closed || h->type == W5_REC_PACKETS)
		return;
	c->touched_ns = e->c.now_ns;
	list_move_back(cookie_is_stream(c->cookie) ? &e->streams : &e->open, &c->lru);
	if (c->counted || role == W5_ROLE_UNKNOWN)
		return;
	c->role = role;
	if (cookie_is_stream(c->cookie))
		return;
	c->counted = true;
	if (role == W5_ROLE_DOWNSTREAM)
		e->c.conns_down++;
	else
		e->c.conns_up++;
}

void conns_close(struct engine *e, struct conn *c)
{
	uncount(e, c);
	c->closed = true;
	c->touched_ns = e->c.now_ns;
	list_move_back(cookie_is_stream(c->cookie) ? &e->streams_closed : &e->closed, &c->lru);
}

void conns_set_last(struct engine *e, struct conn *c, const struct w5_leg *leg, uint64_t key,
		    bool by_target)
{
	bool is_cut = leg->h.size <= offsetof(struct w5_leg, head);

	/* A brief leg reads as 0 behind its addresses, and so does the one it replaces. */
	if (is_cut && c->last_is_cut)
		memcpy(&c->last.leg, leg, offsetof(struct w5_leg, head));
	else
		c->last.leg = *leg;
	c->last_is_cut = is_cut;
	c->last.claimed = c->last.disputed = false;
	list_remove(&c->last.by_target);
	c->last.key = key;
	if (by_target && key)
		list_push_front(&e->conn_targets[key & (TARGET_BUCKETS - 1)], &c->last.by_target);
}

static void expire(struct engine *e, struct list *closed, uint64_t keep_ns)
{
	while (!list_empty(closed)) {
		struct conn *c = list_entry(list_first(closed), struct conn, lru);

		if (c->touched_ns + keep_ns > e->c.now_ns)
			return;
		conn_free(e, c);
	}
}

/* A few at a time: called for every TICK. */
void conns_expire(struct engine *e)
{
	expire(e, &e->closed, CONN_KEEP_NS);
	expire(e, &e->streams_closed, STREAM_KEEP_NS);
}

void conns_free(struct engine *e)
{
	struct list *const all[] = { &e->open, &e->closed, &e->streams, &e->streams_closed };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		while (!list_empty(all[i]))
			conn_free(e, list_entry(list_first(all[i]), struct conn, lru));
	}
	hash_fini(&e->conns);
}
