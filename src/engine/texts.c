/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conns whose messages come as texts: the table, their records, their ends. The kernel tells
 * of an end when the packet is there, and the gateway's thread reads what came before it later:
 * an end by the peer waits a little for texts.
 */
#include "engine/pools.h"
#include "engine/texts.h"

#include <errno.h>
#include <string.h>

int texts_new(struct texts **out)
{
	struct texts *x = calloc(1, sizeof(*x));

	if (!x)
		return -ENOMEM;
	hash_init(&x->conns);
	hash_init(&x->streams);
	list_init(&x->live);
	list_init(&x->done);
	list_init(&x->open);
	list_init(&x->over);
	list_init(&x->bodies);
	list_init(&x->bodies_wait);
	list_init(&x->open_atts);
	list_init(&x->waits);
	*out = x;
	return 0;
}

struct text_conn *texts_find(const struct engine *e, uint64_t cookie)
{
	return e->texts->conns.count ? hash_find(&e->texts->conns, cookie) : NULL;
}

static void conn_free(struct engine *e, struct text_conn *tc)
{
	h2_free(e, tc);
	list_remove(&tc->waiting);
	list_remove(&tc->node);
	hash_remove(&e->texts->conns, tc->cookie);
	free(tc->end);
	free(tc);
}

void texts_free(struct engine *e)
{
	struct texts *x = e->texts;

	while (!list_empty(&x->live))
		conn_free(e, list_entry(list_first(&x->live), struct text_conn, node));
	while (!list_empty(&x->done))
		conn_free(e, list_entry(list_first(&x->done), struct text_conn, node));
	hash_fini(&x->conns);
	hash_fini(&x->streams);
	free(x);
}

static void make_room(struct engine *e)
{
	struct texts *x = e->texts;

	if (!list_empty(&x->done)) {
		conn_free(e, list_entry(list_first(&x->done), struct text_conn, node));
		return;
	}
	loss_own(e, W5_LOSS_EVICTED);
	conn_free(e, list_entry(list_first(&x->live), struct text_conn, node));
}

/* What is known of it without its OPEN record, which was lost, or used up by an end before. */
static void leg_guess(const struct engine *e, struct w5_leg *l, uint64_t cookie)
{
	const struct conn *c = conns_find(e, cookie);

	memset(l, 0, sizeof(*l));
	if (c && c->last.leg.h.cookie)
		*l = c->last.leg;
	l->h.cookie = cookie;
	l->nr = 0;
	l->flags = W5_F_OLDER;
	l->phase = W5_PHASE_IDLE;
}

static struct text_conn *conn_get(struct engine *e, uint64_t cookie)
{
	struct texts *x = e->texts;
	struct text_conn *tc = texts_find(e, cookie);

	if (tc)
		return tc;
	if (x->conns.count >= e->cfg.max_conns)
		make_room(e);
	tc = calloc(1, sizeof(*tc));
	if (!tc || hash_insert(&x->conns, cookie, tc)) {
		free(tc);
		loss_own(e, W5_LOSS_EVICTED);
		return NULL;
	}
	tc->cookie = cookie;
	leg_guess(e, &tc->leg, cookie);
	list_init(&tc->waiting);
	list_push_back(&x->live, &tc->node);
	return tc;
}

static void conn_use(struct engine *e, struct text_conn *tc)
{
	tc->touched_ns = e->c.now_ns;
	tc->is_done = false;
	list_move_back(&e->texts->live, &tc->node);
}

static void conn_done(struct engine *e, struct text_conn *tc)
{
	h2_stop(tc);
	tc->touched_ns = e->c.now_ns;
	tc->is_done = true;
	list_move_back(&e->texts->done, &tc->node);
}

/* ---- ends ---- */

static void end_now(struct engine *e, struct text_conn *tc)
{
	struct w5_leg *end = take_ptr(tc->end);

	list_remove(&tc->waiting);
	if (!end)
		return;
	if (tc->h2)
		h2_end(e, tc, end);
	else
		http1_end(e, tc, end);
	free(end);
	conn_done(e, tc);
}

void texts_run(struct engine *e, uint64_t now_ns)
{
	struct list *waits = &e->texts->waits;

	while (!list_empty(waits)) {
		struct text_conn *tc = list_entry(list_first(waits), struct text_conn, waiting);

		if (tc->due_ns > now_ns)
			return;
		end_now(e, tc);
	}
}

void texts_end_early(struct engine *e, struct text_conn *tc)
{
	if (tc->end)
		end_now(e, tc);
}

/* The gateway's own close comes after all it has read and written. */
static bool by_peer(const struct w5_leg *l)
{
	return l->end == W5_END_FIN_IN || l->end == W5_END_RST_IN || l->end == W5_END_SK_ERR;
}

/* No byte came after what was asked, and what was asked is known: nothing is left to read. */
static bool all_is_read(const struct text_conn *tc, const struct w5_leg *end)
{
	if (tc->is_plain)
		return true; /* its texts are packets */
	/* Its goodbye came: so may have what it said before, while the gateway was writing. */
	if (end->phase != W5_PHASE_REQUEST || end->role != W5_ROLE_UPSTREAM || end->alert_in)
		return false;
	return tc->h2 ? h2_is_asked_since(tc->h2, end->req_ns) : tc->leg.phase == W5_PHASE_REQUEST;
}

/* Something was asked before this end, and has no answer yet. */
static bool has_open_turn(const struct text_conn *tc, uint64_t end_ns)
{
	if (tc->h2)
		return h2_has_open(tc->h2, end_ns);
	return tc->leg.phase == W5_PHASE_REQUEST && tc->leg.req_ns <= end_ns;
}

static void take_end(struct engine *e, struct text_conn *tc, const struct w5_leg *l)
{
	/* What the gateway still sends when it has not read the end is answered by another one. */
	if (tc->end && has_open_turn(tc, tc->end->end_ns))
		return;
	texts_end_early(e, tc);
	tc->end = malloc(sizeof(*tc->end));
	if (!tc->end) {
		loss_own(e, W5_LOSS_EVICTED);
		return;
	}
	*tc->end = *l;
	if (!by_peer(l) || all_is_read(tc, l)) {
		end_now(e, tc);
		return;
	}
	tc->due_ns = e->c.now_ns + TEXT_WAIT_NS;
	list_push_back(&e->texts->waits, &tc->waiting);
}

bool texts_wait(const struct engine *e)
{
	return !list_empty(&e->texts->waits);
}

/* An attempt that most likely failed, but whose end still waits for what may be read of it. */
bool texts_may_fail(const struct engine *e, const struct w5_leg *down, uint64_t key)
{
	int left = WAITS_MAX;
	struct list *n;

	list_for_each(n, &e->texts->waits) {
		const struct text_conn *tc = list_entry(n, struct text_conn, waiting);
		const struct w5_leg *l = &tc->leg;
		struct head h;

		if (!left--)
			break;
		if (l->role == W5_ROLE_UPSTREAM && l->phase == W5_PHASE_REQUEST &&
		    l->req_ns >= down->req_ns && l->req_ns <= down->resp_ns &&
		    head_parse_line(&h, l) && head_target_key(&h) == key)
			return true;
	}
	return false;
}

/* ---- records ---- */

/* TCP's facts that a turn needs before its conn ends. */
static void take_facts(struct w5_leg *to, const struct w5_leg *l)
{
	if (l->rport && !to->rport) {
		to->local = l->local;
		to->remote = l->remote;
		to->lport = l->lport;
		to->rport = l->rport;
		to->netns = l->netns;
	}
	if (l->srtt_us)
		to->srtt_us = l->srtt_us;
	if (l->data_ttl)
		to->data_ttl = l->data_ttl;
	if (l->synack_ttl)
		to->synack_ttl = l->synack_ttl;
	if (!to->role)
		to->role = l->role;
}

/* An answer that cannot be read is there: tells it once its request is known, too. */
static void tell_unread(struct engine *e, struct text_conn *tc)
{
	struct text_at at = { .ts_ns = tc->unread_ns };
	struct w5_leg *l = &tc->leg;

	if (!tc->unread_ns || tc->h2 || tc->has_seq[W5_TEXT_IN] || l->phase != W5_PHASE_REQUEST ||
	    l->req_ns > tc->unread_ns)
		return;
	l->resp_bytes = tc->unread_bytes;
	tc->unread_ns = 0;
	turn_tell(e, l, &at);
}

bool texts_take_leg(struct engine *e, const struct w5_leg *l)
{
	struct text_conn *tc = texts_find(e, l->h.cookie);
	struct conn *c;

	if (!tc || l->proto == W5_PROTO_HTTP1 || l->phase == W5_PHASE_CONNECT)
		return false;
	take_facts(&tc->leg, l);
	/* The handshake failed, or nothing was asked after it: nothing for texts to tell. */
	if ((l->flags & W5_F_HANDSHAKE) && !tc->leg.nr && !tc->h2) {
		if (l->end)
			conn_done(e, tc);
		return false;
	}
	c = conns_get(e, l->h.cookie);
	if (c)
		conns_seen(e, c, &l->h, l->role);
	if (l->end) {
		take_end(e, tc, l);
	} else if (l->role == W5_ROLE_UPSTREAM && l->resp_ns) {
		tc->unread_ns = l->resp_ns;
		tc->unread_bytes = l->resp_bytes;
		tell_unread(e, tc);
	}
	return true;
}

bool texts_is_plain(const struct engine *e, uint64_t cookie)
{
	const struct text_conn *tc = texts_find(e, cookie);

	return tc && tc->is_plain;
}

bool texts_is_h2(const struct engine *e, uint64_t cookie)
{
	const struct text_conn *tc = texts_find(e, cookie);

	return tc && tc->h2;
}

void on_open(struct engine *e, struct w5_leg *l)
{
	struct conn *c = conns_get(e, l->h.cookie);
	struct text_conn *tc = conn_get(e, l->h.cookie);

	if (c) {
		conns_seen(e, c, &l->h, l->role);
		if (!c->last.leg.h.cookie)
			c->last.leg = *l;
	}
	if (!tc)
		return;
	conn_use(e, tc);
	if (tc->leg.nr || tc->h2) { /* it comes late, or again */
		take_facts(&tc->leg, l);
		return;
	}
	tc->is_plain = l->proto == W5_PROTO_H2;
	if (!tc->is_plain)
		pools_opened(e, l);
	tc->leg = *l;
	tc->leg.nr = 0;
	tc->leg.head_len = tc->leg.resp_len = 0;
	tc->leg.status = 0;
	tc->leg.end = W5_END_NONE;
	tc->leg.phase = W5_PHASE_IDLE;
	tc->leg.flags &= W5_F_OLDER | W5_F_TID_EXACT;
	/* What goes out now has begun a turn; the text of it follows, and begins its own. */
	if (l->phase == W5_PHASE_REQUEST && l->idle_ns && l->req_ns > l->idle_ns)
		tc->leg.last_ns = l->req_ns - l->idle_ns;
}

/* A text may be missing, or come late: false = it is of no use any more. */
static bool check_seq(struct engine *e, struct text_conn *tc, const struct w5_text *t)
{
	uint32_t ahead = t->seq - tc->seq[t->dir];
	bool first = !tc->has_seq[t->dir];
	struct conn *c;

	if (!first && (int32_t)ahead <= 0)
		return t->kind == W5_TEXT_HTTP1 && ahead;
	tc->has_seq[t->dir] = true;
	tc->seq[t->dir] = t->seq;
	if (t->flags & (W5_TEXT_GAP | (first ? W5_TEXT_OLDER : 0)))
		tc->missed[t->dir] = true;
	if (first ? t->seq <= 1 || (t->flags & W5_TEXT_OLDER) : ahead == 1)
		return true;
	tc->missed[t->dir] = true;
	loss_own(e, W5_LOSS_SEQ_HOLE);
	c = conns_find(e, tc->cookie);
	if (c) {
		c->missing++;
		c->hole_ns = t->h.ts_ns;
	}
	return true;
}

void on_text(struct engine *e, const struct w5_text *t)
{
	struct text_conn *tc = conn_get(e, t->h.cookie);
	struct conn *c = conns_get(e, t->h.cookie);
	struct w5_hdr seen = { .ts_ns = t->h.ts_ns, .cookie = t->h.cookie, .type = W5_REC_TEXT };

	if (!tc)
		return;
	conn_use(e, tc);
	if (c)
		conns_seen(e, c, &seen, tc->leg.role);
	if (!check_seq(e, tc, t))
		return;
	if (t->kind == W5_TEXT_FRAME)
		h2_text(e, tc, t);
	else if (!tc->h2)
		http1_text(e, tc, t);
	tell_unread(e, tc);
}

void texts_expire(struct engine *e)
{
	struct list *done = &e->texts->done;

	h2_expire(e);
	while (!list_empty(done)) {
		struct text_conn *tc = list_entry(list_first(done), struct text_conn, node);

		if (tc->touched_ns + TEXT_DONE_KEEP_NS > e->c.now_ns)
			return;
		conn_free(e, tc);
	}
}
