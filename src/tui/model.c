/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps findings in a ring and makes snapshots of them. A snapshot costs what is new:
 * findings are matched against the filter once, when they come into the list, and those that
 * the ring or the window has let go leave it at its front.
 */
#include "tui/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "tui/select.h"

int model_init(struct model *m, size_t max_findings, bool is_replay)
{
	int err = 0;

	*m = (struct model){
		.cap = max_findings ? max_findings : 1,
		.is_replay = is_replay,
		.window = is_replay ? GROUP_WINDOW_ALL : GROUP_WINDOW_FIVE,
		.dirty = true,
	};
	m->ring = calloc(m->cap, sizeof(*m->ring));
	for (int i = 0; i < FACET_MAX && !err; i++)
		err = facet_table_init(&m->facets[i], (enum facet)i);
	if (!m->ring || err) {
		model_fini(m);
		return -ENOMEM;
	}
	return 0;
}

static void drop_rows(struct snapshot *s)
{
	for (size_t i = 0; i < s->nrows; i++)
		finding_unref(s->rows[i]);
	s->rows = s->buf;
	s->nrows = 0;
}

static void drop_held(struct model *m)
{
	for (size_t i = 0; i < m->nheld; i++)
		finding_unref(m->held[i]);
	free(take_ptr(m->held));
	m->nheld = 0;
	group_table_fini(&m->held_table);
	for (int i = 0; i < FACET_MAX; i++)
		facet_table_fini(&m->held_facets[i]);
}

static void drop_match(struct model *m)
{
	for (int i = 0; i < FACET_MAX; i++)
		facet_table_fini(&m->match_facets[i]);
	m->has_match = false;
	group_table_fini(&m->match_table);
}

void model_fini(struct model *m)
{
	drop_rows(&m->shown);
	drop_held(m);
	free(m->shown.buf);
	group_rank_fini(&m->shown.rank);
	group_rank_fini(&m->shown.why);
	free(m->shown.gateways);
	free(m->shown.upstreams);
	troubles_fini(&m->shown.troubles);
	for (size_t i = 0; i < m->n; i++)
		finding_unref(m->ring[(m->oldest + i) % m->cap]);
	free(m->ring);
	group_table_fini(&m->table);
	for (int i = 0; i < FACET_MAX; i++) {
		facet_table_fini(&m->facets[i]);
		facet_rank_fini(&m->shown.facets[i]);
	}
	drop_match(m);
	filter_free(m->filter);
	*m = (struct model){ 0 };
}

static struct finding *ring_at(const struct model *m, size_t i)
{
	return m->ring[(m->oldest + i) % m->cap];
}

static void match_add(struct model *m, struct finding *f)
{
	if (!m->filter || !filter_match(m->filter, f))
		return;
	group_table_add(&m->match_table, f);
	for (int i = 0; i < FACET_MAX && m->has_match; i++)
		facet_table_add(&m->match_facets[i], f);
}

/* Causes, endpoints, clients and processes of matching exchanges alone, counted anew. Without
 * memory for it the last three are those of all. */
static void rebuild_match(struct model *m)
{
	size_t n = m->paused ? m->nheld : m->n;
	int err = 0;

	drop_match(m);
	if (!m->filter)
		return;
	for (int i = 0; i < FACET_MAX && !err && !m->filters_list_only; i++)
		err = facet_table_init(&m->match_facets[i], (enum facet)i);
	if (err)
		drop_match(m);
	m->has_match = !err && !m->filters_list_only;
	for (size_t i = 0; i < n; i++)
		match_add(m, m->paused ? m->held[i] : ring_at(m, i));
}

static const struct facet_table *facets_of(const struct model *m, int facet)
{
	if (m->has_match)
		return &m->match_facets[facet];
	return m->paused ? &m->held_facets[facet] : &m->facets[facet];
}

void model_add(struct model *m, struct finding *f)
{
	if (m->n == m->cap) {
		finding_unref(m->ring[m->oldest]);
		m->oldest = (m->oldest + 1) % m->cap;
		m->n--;
		m->evicted++;
	}
	m->ring[(m->oldest + m->n++) % m->cap] = finding_ref(f);
	m->fresh = min_size(m->fresh + 1, m->n);
	group_table_add(&m->table, f);
	for (int i = 0; i < FACET_MAX; i++)
		facet_table_add(&m->facets[i], f);
	if (m->paused) {
		m->unseen++;
		m->dirty = true; /* the count is shown */
	} else {
		match_add(m, f);
	}
}

/* Where the list begins: with the window of the WHY panel, so that both tell one story. */
static uint64_t window_from(const struct model *m)
{
	uint64_t span = group_window_ns(m->shown.rank.window), now = m->shown.counters.now_ns;

	return span && now > span ? now - span : 0;
}

static int push_row(struct snapshot *s, struct finding *f)
{
	size_t used = (size_t)(s->rows - s->buf), cap = s->buf_cap ? s->buf_cap * 2 : 256;
	struct finding **buf;

	if (used + s->nrows == s->buf_cap && used > s->buf_cap / 2) {
		memmove(s->buf, s->rows, s->nrows * sizeof(*s->rows));
		s->rows = s->buf;
	} else if (used + s->nrows == s->buf_cap) {
		buf = realloc(s->buf, cap * sizeof(*buf));
		if (!buf)
			return -ENOMEM;
		s->buf = buf;
		s->buf_cap = cap;
		s->rows = buf + used;
	}
	s->rows[s->nrows++] = finding_ref(f);
	return 0;
}

static int push_matching(struct model *m, struct finding *f, uint64_t from_ns)
{
	if (f->ts_ns < from_ns || !filter_match(m->filter, f))
		return 0;
	return push_row(&m->shown, f);
}

static void drop_old_rows(struct model *m, uint64_t from_ns)
{
	struct snapshot *s = &m->shown;
	uint64_t oldest = m->n ? ring_at(m, 0)->id : 0;

	while (s->nrows && (s->rows[0]->id < oldest || s->rows[0]->ts_ns < from_ns)) {
		finding_unref(s->rows[0]);
		s->rows++;
		s->nrows--;
	}
}

/* The list, from what is new since the last time. */
static int snapshot_findings(struct model *m)
{
	uint64_t from_ns = window_from(m);
	int err = 0;

	drop_old_rows(m, from_ns);
	for (; m->fresh && !err; m->fresh--)
		err = push_matching(m, ring_at(m, m->n - m->fresh), from_ns);
	m->shown.nkept = m->n;
	m->version++;
	m->dirty = true;
	return err;
}

/* The same from scratch: another filter, another window. */
static int rebuild_findings(struct model *m)
{
	size_t n = m->paused ? m->nheld : m->n;
	uint64_t from_ns = window_from(m);
	int err = 0;

	drop_rows(&m->shown);
	for (size_t i = 0; i < n && !err; i++)
		err = push_matching(m, m->paused ? m->held[i] : ring_at(m, i), from_ns);
	if (!m->paused) {
		m->fresh = 0;
		m->shown.nkept = m->n;
	}
	m->version++;
	m->dirty = true;
	return err;
}

/* True: it is of another window than before. */
static bool snapshot_rank(struct model *m)
{
	struct snapshot *s = &m->shown;
	enum group_window before = s->rank.window;

	group_rank_fini(&s->rank);
	group_rank_make(&s->rank, m->paused ? &m->held_table : &m->table, s->counters.now_ns,
			m->window);
	group_rank_fini(&s->why);
	s->has_why = m->filter;
	if (s->has_why)
		group_rank_part(&s->why, &m->match_table, s->counters.now_ns, &s->rank);
	group_verdict_make(&s->verdict, &s->rank);
	group_verdict_siblings(&s->verdict, &s->rank, s->upstreams, s->nupstreams,
			       s->counters.wall_offset_ns);
	/* without memory the old ones stay */
	for (int i = 0; i < FACET_MAX; i++)
		facet_rank_make(&s->facets[i], facets_of(m, i), s->counters.now_ns, m->window);
	m->dirty = true;
	return s->rank.window != before;
}

int model_tick(struct model *m, const struct model_input *in)
{
	struct snapshot *s = &m->shown;

	if (m->lost != in->lost)
		m->dirty = true;
	m->lost = in->lost;
	if (m->paused)
		return 0;
	if (model_copy(m, in) ||
	    troubles_take(&s->troubles, &in->troubles, &s->counters, m->filter))
		return -ENOMEM;
	return snapshot_rank(m) ? rebuild_findings(m) : snapshot_findings(m);
}

static int hold_all(struct model *m)
{
	int err = 0;

	m->held = calloc(m->n ? m->n : 1, sizeof(*m->held));
	if (!m->held)
		return -ENOMEM;
	for (; m->nheld < m->n; m->nheld++)
		m->held[m->nheld] = finding_ref(ring_at(m, m->nheld));
	group_table_copy(&m->held_table, &m->table);
	for (int i = 0; i < FACET_MAX && !err; i++)
		err = facet_table_copy(&m->held_facets[i], &m->facets[i]);
	if (err)
		drop_held(m);
	return err;
}

int model_pause(struct model *m, bool paused)
{
	int err = 0;

	m->dirty = true;
	if (paused && !m->paused) {
		err = snapshot_findings(m);
		if (!err)
			err = hold_all(m);
		if (err)
			return err;
	}
	m->paused = paused;
	m->unseen = 0;
	if (paused)
		return 0;
	drop_held(m);
	rebuild_match(m); /* with what came meanwhile */
	snapshot_rank(m);
	return rebuild_findings(m);
}

int model_set_filter(struct model *m, struct filter *flt, bool list_only)
{
	m->filters_list_only = list_only;
	filter_free(m->filter);
	m->filter = flt;
	troubles_filter(&m->shown.troubles, flt);
	model_filter_upstreams(m);
	rebuild_match(m);
	snapshot_rank(m);
	return rebuild_findings(m);
}

int model_set_window(struct model *m, enum group_window w)
{
	m->window = w;
	snapshot_rank(m);
	return rebuild_findings(m);
}

struct finding *model_find(const struct model *m, uint64_t id)
{
	for (size_t i = 0; i < m->nheld; i++)
		if (m->held[i]->id == id)
			return m->held[i];
	for (size_t i = 0; i < m->n; i++)
		if (ring_at(m, i)->id == id)
			return ring_at(m, i);
	return NULL;
}

size_t snapshot_row_of(const struct snapshot *s, uint64_t id)
{
	return findings_place(s->rows, s->nrows, id);
}
