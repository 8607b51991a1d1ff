/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was lost, and when. Totals come with STATS records; their growth happened
 * between the beat (TICK or STATS) before and this one, so findings whose window
 * touches that span are never certain.
 */
#include "engine/internal.h"

static void span_add(struct engine *e, uint64_t from, uint64_t to, uint64_t count)
{
	struct loss_span *last = &e->losses[(e->nlosses - 1) % LOSS_SPANS];

	if (e->nlosses && from <= last->to_ns) {
		last->to_ns = to > last->to_ns ? to : last->to_ns;
		last->count += count;
		return;
	}
	e->losses[e->nlosses++ % LOSS_SPANS] =
		(struct loss_span){ .from_ns = from, .to_ns = to, .count = count };
}

static void keep(struct engine *e, int kind, uint64_t n, uint64_t ts_ns)
{
	struct loss_kept *k = &e->losses_kept[kind];
	uint64_t sec = ts_ns / NS_PER_S;
	size_t i = sec % SECONDS_KEPT;

	if (k->seconds[i].sec != sec) {
		k->seconds[i].sec = sec;
		k->seconds[i].n = 0;
	}
	k->seconds[i].n += n;
	k->last_ns = ts_ns;
	if (!k->first_ns)
		k->first_ns = ts_ns;
}

void engine_losses(const struct engine *e, struct engine_loss out[W5_LOSS_MAX])
{
	uint64_t now = e->c.now_ns / NS_PER_S;

	for (int i = 0; i < W5_LOSS_MAX; i++) {
		const struct loss_kept *k = &e->losses_kept[i];

		out[i] = (struct engine_loss){ .count = e->c.loss[i],
					       .first_ns = k->first_ns,
					       .last_ns = k->last_ns };
		for (int s = 0; s < SECONDS_KEPT; s++)
			if (k->seconds[s].sec + 60 > now)
				out[i].minute += k->seconds[s].n;
		/* a record that comes late takes a hole back */
		out[i].minute = min_u64(out[i].minute, out[i].count);
	}
}

static void total(struct engine *e, int i)
{
	e->c.loss[i] = e->told_loss[i] + e->own_loss[i];
}

void on_stats(struct engine *e, const struct w5_stats *s)
{
	uint64_t grown = 0;

	for (int i = 0; i < W5_LOSS_MAX; i++) {
		if (s->loss[i] > e->told_loss[i]) {
			grown += s->loss[i] - e->told_loss[i];
			keep(e, i, s->loss[i] - e->told_loss[i], s->h.ts_ns);
		}
		e->told_loss[i] = s->loss[i];
		total(e, i);
	}
	if (grown)
		span_add(e, e->last_beat_ns, s->h.ts_ns, grown);
	e->c.unread_tls = s->tls_conns;
	e->c.unread_h2 = s->h2_conns;
}

/* Segments that the capture lacks: an answer, or an attempt, may be among them. */
void on_capture(struct engine *e, const struct w5_capture *k)
{
	uint64_t was = e->c.capture.missing;

	e->c.capture = *k;
	if (k->missing > was)
		span_add(e, k->h.ts_ns, k->h.ts_ns, k->missing - was);
}

void loss_add(struct engine *e, enum w5_loss kind, uint64_t n)
{
	e->own_loss[kind] += n;
	keep(e, (int)kind, n, e->c.now_ns);
	total(e, kind);
}

void loss_own(struct engine *e, enum w5_loss kind)
{
	loss_add(e, kind, 1);
	if (kind == W5_LOSS_EVICTED)
		span_add(e, e->c.now_ns, e->c.now_ns, 1);
}

uint64_t loss_within(const struct engine *e, uint64_t from_ns, uint64_t to_ns)
{
	size_t n = e->nlosses < LOSS_SPANS ? e->nlosses : LOSS_SPANS;
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		const struct loss_span *s = &e->losses[i];

		if (s->from_ns <= to_ns && s->to_ns >= from_ns)
			sum += s->count;
	}
	return sum;
}

uint64_t engine_lost(const struct engine *e)
{
	uint64_t sum = 0;

	for (int i = 0; i < W5_LOSS_MAX; i++)
		sum += e->c.loss[i];
	return sum;
}
