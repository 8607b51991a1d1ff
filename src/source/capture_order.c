/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of a conn in order. What is ahead of a missing segment waits until that comes, or
 * until the other end acknowledges what never did: then the capture lacks it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "source/capture_impl.h"

#define FAR_BYTES (16u << 20) /* ahead of what is known: the numbers mean nothing */

void order_drop(struct flow *f)
{
	while (!list_empty(&f->queue)) {
		struct queued *q = list_entry(list_first(&f->queue), struct queued, node);

		list_remove(&q->node);
		free(q);
	}
	f->nqueued = 0;
}

static void deliver(struct capture *c, struct track *t, int from, struct seg s)
{
	struct flow *f = &t->flow[from];

	seg_skip(&s, f->next - s.seq);
	f->next = s.seq + s.payload;
	for (int i = 0; i < 2; i++)
		if (t->side[i])
			side_data(c, t->side[i], &s, i == from);
}

static void fin_in_order(struct capture *c, struct track *t, int from)
{
	struct flow *f = &t->flow[from];

	if (!f->has_fin || f->fin_done || f->next != f->fin_seq)
		return;
	f->fin_done = true;
	f->next++;
	for (int i = 0; i < 2; i++)
		if (t->side[i])
			side_fin(c, t->side[i], &f->fin, i == from, true);
}

static void drain(struct capture *c, struct track *t, int from)
{
	struct flow *f = &t->flow[from];

	while (!list_empty(&f->queue)) {
		struct queued *q = list_entry(list_first(&f->queue), struct queued, node);

		if ((int32_t)(q->s.seq - f->next) > 0)
			break;
		list_remove(&q->node);
		f->nqueued--;
		if ((int32_t)(q->s.seq + q->s.payload - f->next) > 0)
			deliver(c, t, from, q->s);
		free(q);
	}
	fin_in_order(c, t, from);
}

/* The capture does not have what lies before `to`. */
static void skip_to(struct capture *c, struct track *t, int from, uint32_t to, uint64_t ts_ns)
{
	struct flow *f = &t->flow[from];
	uint32_t n = to - f->next;

	f->next = to;
	c->n.missing++;
	c->n.missing_bytes += n;
	for (int i = 0; i < 2; i++)
		if (t->side[i])
			side_gap(c, t->side[i], n, i == from, ts_ns);
}

/* Ahead of something that is missing. */
static void enqueue(struct capture *c, struct track *t, int from, const struct seg *s)
{
	struct flow *f = &t->flow[from];
	struct list *at = &f->queue;
	struct queued *q;

	if (f->nqueued >= QUEUE_MAX) {
		q = list_entry(list_first(&f->queue), struct queued, node);
		skip_to(c, t, from, q->s.seq, s->ts_ns);
		drain(c, t, from);
	}
	q = malloc(sizeof(*q));
	if (!q)
		return;
	q->s = *s;
	q->s.cap = min_size(s->cap, sizeof(q->data));
	memcpy(q->data, s->data, q->s.cap);
	q->s.data = q->data;
	while (at->prev != &f->queue &&
	       (int32_t)(list_entry(at->prev, struct queued, node)->s.seq - s->seq) > 0)
		at = at->prev;
	list_insert_between(&q->node, at->prev, at);
	f->nqueued++;
}

static void payload(struct capture *c, struct track *t, int from, const struct seg *s)
{
	struct flow *f = &t->flow[from];
	int32_t ahead, fresh;

	if (!f->begun) {
		f->begun = true;
		f->next = s->seq;
	}
	ahead = (int32_t)(s->seq - f->next);
	fresh = (int32_t)(s->seq + s->payload - f->next);
	if (ahead < 0 && !(s->payload == 1 && fresh <= 0)) /* one byte: a keepalive */
		for (int i = 0; i < 2; i++)
			if (t->side[i] && i == from)
				side_again(t->side[i], s);
	if (fresh <= 0)
		return;
	if (!f->rtt_runs) {
		f->rtt_runs = true;
		f->rtt_end = s->seq + s->payload;
		f->sent_ns = s->ts_ns;
	}
	if (f->has_acked && f->acked == f->next)
		f->again_ns = s->ts_ns;
	if (ahead > (int32_t)FAR_BYTES)
		skip_to(c, t, from, s->seq, s->ts_ns);
	else if (ahead > 0) {
		enqueue(c, t, from, s);
		return;
	}
	deliver(c, t, from, *s);
	drain(c, t, from);
}

/* End `from` says what it has got of the other's bytes. */
static void acked(struct capture *c, struct track *t, int from, const struct seg *s)
{
	struct flow *f = &t->flow[!from];
	uint32_t to = s->ack;

	if (!f->begun) {
		f->begun = true;
		f->next = to;
	}
	while ((int32_t)(to - f->next) > 0) {
		uint32_t next = to;

		if (f->has_fin && !f->fin_done && f->next == f->fin_seq)
			break;
		if (!list_empty(&f->queue)) {
			struct queued *q = list_entry(list_first(&f->queue), struct queued, node);

			if ((int32_t)(q->s.seq - next) < 0)
				next = q->s.seq;
		}
		skip_to(c, t, !from, next, s->ts_ns);
		drain(c, t, !from);
	}
	if (f->has_acked && (int32_t)(to - f->acked) <= 0)
		return;
	f->acked = to;
	f->has_acked = true;
	if (!f->rtt_runs || (int32_t)(to - f->rtt_end) < 0)
		return;
	f->rtt_runs = false;
	if (!from) /* the client's host is not whom the gateway waits for */
		return;
	{
		uint32_t us = (uint32_t)min_u64((s->ts_ns - f->sent_ns) / 1000, UINT32_MAX);

		t->srtt_us = t->srtt_us ? (uint32_t)((7ull * t->srtt_us + us) / 8) : us;
	}
}

static void fin(struct capture *c, struct track *t, int from, const struct seg *s)
{
	struct flow *f = &t->flow[from];

	if (f->has_fin)
		return;
	f->has_fin = true;
	f->fin = *s;
	f->fin.data = NULL; /* dies with the packet */
	f->fin.cap = f->fin.payload = 0;
	f->fin_seq = s->seq + s->payload;
	if (!f->begun) {
		f->begun = true;
		f->next = f->fin_seq;
	}
	for (int i = 0; i < 2; i++)
		if (t->side[i] && f->next != f->fin_seq)
			side_fin(c, t->side[i], &f->fin, i == from, false);
	fin_in_order(c, t, from);
}

static void syn(struct capture *c, struct track *t, int from, struct seg *s)
{
	struct flow *f = &t->flow[from];

	if (!f->begun) {
		f->begun = true;
		f->next = s->seq + 1;
		f->sent_ns = s->ts_ns;
		f->rtt_end = s->seq + 1;
		f->rtt_runs = true;
	} else if (t->side[from] && !(s->flags & W5_TCP_ACK)) {
		side_again(t->side[from], s);
	}
	for (int i = 0; i < 2; i++)
		if (t->side[i])
			side_syn(c, t->side[i], s, i == from);
	s->seq++;
}

/* Whoever speaks of the other's bytes has them: the handshake is done. */
static void established_unseen(struct capture *c, struct track *t, int from, const struct seg *s)
{
	struct side *d = t->side[0];

	if (!d || from || d->leg.phase != W5_PHASE_CONNECT || !(s->flags & W5_TCP_ACK) ||
	    (s->flags & W5_TCP_RST))
		return;
	c->n.missing++;
	side_established(c, d, s->ts_ns);
}

static void over(struct capture *c, struct track *t)
{
	if (t->is_over)
		return;
	t->is_over = true;
	list_move_back(&c->over, &t->lru);
}

void order_segment(struct capture *c, struct track *t, int from, struct seg *s)
{
	bool is_syn = s->flags & W5_TCP_SYN;

	if (!is_syn)
		established_unseen(c, t, from, s);
	if (is_syn)
		syn(c, t, from, s);
	if ((s->flags & W5_TCP_ACK) && !(s->flags & W5_TCP_RST))
		acked(c, t, from, s);
	if (!(s->flags & (W5_TCP_SYN | W5_TCP_RST))) {
		t->flow[from].window = s->win;
		t->flow[from].has_window = true;
		t->flow[from].sacked = s->sacked;
	}
	if (s->payload)
		payload(c, t, from, s);
	if (s->flags & W5_TCP_FIN)
		fin(c, t, from, s);
	if (s->flags & W5_TCP_RST) {
		for (int i = 0; i < 2; i++)
			if (t->side[i])
				side_rst(c, t->side[i], s, i == from);
		over(c, t);
	}
	if (t->flow[0].fin_done && t->flow[1].fin_done)
		over(c, t);
}
