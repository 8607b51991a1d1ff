/* SPDX-License-Identifier: BSD-2-Clause */
/* How an answer begins and ends: its status line behind interim ones, its last bytes. */
#include <string.h>

#include "source/capture_impl.h"

bool answer_keep(struct w5_leg *l, const struct seg *s)
{
	size_t have = l->resp_len, n = min_size(s->cap, W5_HEAD_RESP - W5_HTTP1_PEEK);

	/* The rest of a status line that was cut: only bytes that fill it up to the peek. */
	if (have > W5_HTTP1_PEEK)
		have = 0;
	if (!n)
		return false;
	memcpy(l->resp + have, s->data, n);
	l->resp_len = (uint16_t)(have + n);
	return true;
}

/* The status line, perhaps in several segments. False: it is not there yet. */
static bool take_status(struct w5_leg *l, const struct seg *s)
{
	uint8_t p[W5_HTTP1_PEEK] = { 0 };

	l->resp_bytes += s->payload;
	if (!answer_keep(l, s))
		return false;
	if (l->resp_len < 12 && l->resp[0] == 'H' && s->cap == s->payload)
		return false;
	memcpy(p, l->resp, min_size(l->resp_len, sizeof(p)));
	l->status = w5_http1_status(p);
	return true;
}

static void begin_interim(struct side *d)
{
	struct w5_leg *l = &d->leg;

	l->flags |= W5_F_INTERIM;
	l->status = 0;
	l->resp_len = 0;
	l->resp_bytes = 0;
	d->is_interim = true;
	d->after_lf = 0;
}

/* *s becomes the segment without what was interim. False: that is all there is in it. */
static bool skip_interim(struct side *d, struct seg *s)
{
	uint32_t n = w5_http1_header_size(s->data, (uint32_t)s->cap, &d->after_lf);

	d->is_blind = !n && s->cap < s->payload;
	d->is_interim = !n && !d->is_blind;
	if (!n)
		return false;
	seg_skip(s, n);
	return s->payload > 0;
}

bool answer_begin(struct capture *c, struct side *d, const struct seg *s)
{
	struct w5_leg *l = &d->leg;
	struct seg rest = *s;

	do {
		if (d->is_interim && !skip_interim(d, &rest))
			return false;
		if (!take_status(l, &rest))
			return false;
		if (w5_http1_is_interim(l->status))
			begin_interim(d);
	} while (d->is_interim);
	if (!l->status && d->is_blind) { /* the final head went by, where the capture is cut */
		list_remove(&d->node);
		side_lost(c, d, s->ts_ns);
		return false;
	}
	if (!l->status)
		l->flags |= W5_F_NOT_HTTP;
	if (l->status == 101)
		l->flags |= W5_F_UPGRADE;
	l->resp_ns = s->ts_ns;
	l->phase = W5_PHASE_RESPONSE;
	return true;
}

void answer_tail(struct side *d, const struct seg *s)
{
	uint32_t n = s->payload < 4 ? s->payload : 4;

	if (s->ntail < n) {
		d->ntail = 0;
		return;
	}
	d->tail = n == 4 ? s->tail : d->tail << 8 * n | (s->tail & ((1u << 8 * n) - 1));
	d->ntail = (uint8_t)min_size(d->ntail + n, 4);
}
