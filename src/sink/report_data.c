/* SPDX-License-Identifier: BSD-2-Clause */
/* See report_data.h. */
#include "sink/report_data.h"

#include <string.h>

#include "base/util.h"
#include "engine/head.h"

#define LATE_NS 1000000000ull

int report_data_init(struct report_data *d)
{
	int err = 0;

	memset(d, 0, sizeof(*d));
	for (int i = 0; i < FACET_MAX && !err; i++)
		err = facet_table_init(&d->facets[i], (enum facet)i);
	if (err)
		report_data_fini(d);
	return err;
}

void report_data_fini(struct report_data *d)
{
	group_table_fini(&d->groups);
	for (int i = 0; i < FACET_MAX; i++)
		facet_table_fini(&d->facets[i]);
	for (int i = 0; i < CAUSE_MAX; i++) {
		finding_unref(d->causes[i].example);
		d->causes[i].example = NULL;
	}
}

/* ---- timeline ---- */

static void timeline_halve(struct timeline *t)
{
	uint64_t step = t->step_ns * 2, start = t->start_ns - t->start_ns % step;
	size_t shift = start != t->start_ns, n = 0;

	for (size_t i = 0; i < t->n; i++) {
		size_t to = (i + shift) / 2;

		if (to != i) {
			bool fresh = (i + shift) % 2 == 0;

			for (size_t c = 0; c < CAUSE_MAX; c++)
				t->count[to][c] = (fresh ? 0 : t->count[to][c]) + t->count[i][c];
		}
		n = to + 1;
	}
	t->start_ns = start;
	t->step_ns = step;
	t->n = n;
}

/* The step of that time: there is one afterwards. */
static size_t timeline_at(struct timeline *t, uint64_t wall_ns)
{
	size_t at, back;

	for (;;) {
		at = back = 0;
		if (wall_ns >= t->start_ns)
			at = (size_t)min_u64((wall_ns - t->start_ns) / t->step_ns, SIZE_MAX / 4);
		else /* a line of a log may come late */
			back = (size_t)((t->start_ns - wall_ns + t->step_ns - 1) / t->step_ns);
		if (at < TIMELINE_MAX && back + t->n <= TIMELINE_MAX)
			break;
		timeline_halve(t);
	}
	if (back) {
		memmove(t->count[back], t->count[0], t->n * sizeof(t->count[0]));
		memset(t->count[0], 0, back * sizeof(t->count[0]));
		t->n += back;
		t->start_ns -= back * t->step_ns;
	}
	if (at >= t->n) {
		memset(t->count[t->n], 0, (at + 1 - t->n) * sizeof(t->count[0]));
		t->n = at + 1;
	}
	return at;
}

void timeline_add(struct timeline *t, uint64_t wall_ns, enum cause cause)
{
	if (!t->step_ns) {
		t->step_ns = TIMELINE_FIRST_NS;
		t->start_ns = wall_ns - wall_ns % t->step_ns;
	}
	t->count[timeline_at(t, wall_ns)][cause]++;
}

void timeline_pad(struct timeline *t, uint64_t from_ns, uint64_t to_ns)
{
	size_t steps = min_size(TIMELINE_PAD, (TIMELINE_MAX - t->n) / 2);
	uint64_t room = steps * t->step_ns, end = t->start_ns + t->n * t->step_ns;

	if (!t->step_ns || !steps)
		return;
	if (from_ns < t->start_ns)
		timeline_at(t, t->start_ns - from_ns > room ? t->start_ns - room : from_ns);
	if (to_ns >= end)
		timeline_at(t, to_ns - end >= room ? end + room - 1 : to_ns);
}

/* ---- facts ---- */

static void count_status(struct report_facts *x, const struct finding *f)
{
	switch (f->status) {
	case 502: x->s502++; break;
	case 503: x->s503++; break;
	case 504: x->s504++; break;
	case 0:
		x->silent += !finding_unread(f);
		x->other += finding_unread(f);
		break;
	default: x->other++;
	}
}

static void count_attempt(struct report_facts *x, const struct finding *f, const struct w5_leg *l)
{
	uint64_t from = l->req_ns ? l->req_ns : l->open_ns;
	uint64_t to = l->resp_ns ? l->resp_ns : l->end_ns;
	uint8_t ttl = l->synack_ttl ? l->synack_ttl : l->data_ttl;

	x->tried++;
	x->established += l->phase != W5_PHASE_CONNECT;
	x->resent += l->retrans || l->syn_sent > 1 || l->rto_count;
	x->answered += f->verdict == VERDICT_PASSED_THROUGH;
	x->reused += l->nr > 1 || (l->flags & W5_F_OLDER);
	if (l->rst_in_ns && l->rst_ttl && ttl) {
		x->resets++;
		x->resets_alike += l->rst_ttl == ttl;
	}
	if (from && to >= from) {
		x->timed++;
		x->late += to - from >= LATE_NS;
		x->longest_ns = max_u64(x->longest_ns, to - from);
	}
}

static bool has_packets(const struct finding *f)
{
	for (size_t i = 0; i < f->nattempts; i++) {
		if (f->attempts[i].flight)
			return true;
	}
	return f->flight;
}

static void count(struct report_facts *x, const struct finding *f)
{
	const struct attempt *a = finding_last_attempt(f);

	x->bad++;
	count_status(x, f);
	if (a)
		count_attempt(x, f, &a->leg);
	x->older += (f->down.flags & W5_F_OLDER) != 0;
	x->log_only += f->sight == SIGHT_LOG;
	x->lossy += f->lost != 0;
	x->no_packets += !has_packets(f);
}

/* ---- causes, audit ---- */

/* How well it shows its cause. */
static int clarity(const struct finding *f)
{
	return (f->confidence == CONFIDENCE_CERTAIN  ? 4
		: f->confidence == CONFIDENCE_LIKELY ? 2
						     : 0) +
	       has_packets(f);
}

static void add_cause(struct report_cause *c, struct finding *f)
{
	if (!c->n++ || f->wall_ns < c->first_wall_ns)
		c->first_wall_ns = f->wall_ns;
	c->last_wall_ns = max_u64(c->last_wall_ns, f->wall_ns);
	c->by_confidence[f->confidence]++;
	if (c->example && clarity(c->example) >= clarity(f))
		return;
	finding_unref(c->example);
	c->example = finding_ref(f);
}

static void audit(struct audit_row *r, const struct finding *f)
{
	const struct attempt *a = finding_last_attempt(f);

	*r = (struct audit_row){ .id = f->id,
				 .wall_ns = f->wall_ns,
				 .status = f->status,
				 .cause = f->cause,
				 .confidence = f->confidence,
				 .verdict = f->verdict,
				 .has_client = finding_has_client(f),
				 .client = f->down.remote,
				 .ntries = f->nattempts };
	if (a) {
		r->has_upstream = true;
		r->upstream = a->leg.remote;
		r->upstream_port = a->leg.rport;
		r->backend_status = a->leg.status;
		r->backend_end = a->leg.end;
	}
	memcpy(r->method, f->method, sizeof(r->method));
	memcpy(r->target, f->target, sizeof(r->target));
	memcpy(r->host, f->host, sizeof(r->host) - 1);
	span_copy(r->agent, sizeof(r->agent), head_field(&f->down, "user-agent"));
}

void report_data_add(struct report_data *d, struct finding *f)
{
	uint64_t i = d->naudit;

	if (f->cause >= CAUSE_MAX || f->confidence >= CONFIDENCE_MAX)
		return;
	if (!group_is_bad(f)) {
		if (f->verdict == VERDICT_CLIENT)
			d->facts.client_left++;
		else
			d->facts.recovered++;
		return;
	}
	group_table_add(&d->groups, f);
	for (int k = 0; k < FACET_MAX; k++)
		facet_table_add(&d->facets[k], f);
	add_cause(&d->causes[f->cause], f);
	count(&d->facts, f);
	timeline_add(&d->timeline, f->wall_ns, f->cause);
	d->naudit++;
	audit(i < AUDIT_FIRST ? &d->first[i] : &d->newest[(i - AUDIT_FIRST) % AUDIT_NEWEST], f);
}

uint64_t report_audit_left_out(const struct report_data *d)
{
	return d->naudit > AUDIT_FIRST + AUDIT_NEWEST ? d->naudit - AUDIT_FIRST - AUDIT_NEWEST : 0;
}

const struct audit_row *report_audit_row(const struct report_data *d, size_t i)
{
	uint64_t left_out = report_audit_left_out(d);

	if (i >= d->naudit - left_out)
		return NULL;
	if (i < AUDIT_FIRST)
		return &d->first[i];
	return &d->newest[(i - AUDIT_FIRST + left_out) % AUDIT_NEWEST];
}
