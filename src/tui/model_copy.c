/* SPDX-License-Identifier: BSD-2-Clause */
/* What a snapshot copies of the engine: counters, rates, gateways, upstreams, host. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "tui/model.h"

/* Rates are means over this many whole seconds: steady enough to read, quick to react. */
#define RATE_SECONDS 5

void model_filter_upstreams(struct model *m)
{
	const struct filter *flt = m->filters_list_only ? NULL : m->filter;
	struct snapshot *s = &m->shown;

	s->nupstream_rows = 0;
	for (size_t i = 0; i < s->nupstreams; i++)
		if (filter_match_upstream(flt, &s->upstreams[i].ip, s->upstreams[i].port))
			s->upstream_rows[s->nupstream_rows++] = (uint16_t)i;
}

/* Those that live; in a replay all of them, they have ended since. */
static int copy_gateways(struct snapshot *s, const struct model_input *in)
{
	size_t n = 0, max = min_size(in->ngateways, MODEL_GATEWAYS_MAX);
	struct engine_gateway *copy = calloc(max ? max : 1, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < in->ngateways && n < max; i++)
		if (!in->gateways[i].unwanted &&
		    (in->gateways[i].nprocs || in->gateways[i].exchanges))
			copy[n++] = in->gateways[i];
	free(s->gateways);
	s->gateways = copy;
	s->ngateways = n;
	return 0;
}

/* The worst first, then by address. */
static int by_failures(const void *a, const void *b)
{
	const struct engine_upstream *x = a, *y = b;
	uint64_t fx = x->failures + x->s5xx, fy = y->failures + y->s5xx;
	int d = memcmp(&x->ip, &y->ip, sizeof(x->ip));

	if (fx != fy)
		return fx < fy ? 1 : -1;
	return d ? d : (x->port > y->port) - (x->port < y->port);
}

static int copy_upstreams(struct model *m, const struct model_input *in)
{
	struct snapshot *s = &m->shown;
	double run_s = (double)(in->counters->now_ns - in->counters->start_ns) / 1e9;
	size_t n = 0, max = min_size(in->nupstreams, MODEL_UPSTREAMS_MAX);
	struct engine_upstream *copy = calloc(max ? max : 1, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < in->nupstreams && n < max; i++)
		if (!in->upstreams[i]->unwanted)
			copy[n++] = *in->upstreams[i];
	/* of the whole run: the last seconds of a file are no present */
	for (size_t i = 0; m->is_replay && i < n; i++)
		copy[i].connects_per_s = run_s > 0 ? (double)copy[i].connects / run_s : 0;
	qsort(copy, n, sizeof(*copy), by_failures);
	free(s->upstreams);
	s->upstreams = copy;
	s->nupstreams = n;
	model_filter_upstreams(m);
	return 0;
}

static void rates_of_run(struct model_rates *r, const struct engine_counters *c)
{
	double s = (double)(c->now_ns - c->start_ns) / 1e9;

	if (c->now_ns <= c->start_ns || s < 0.001)
		return;
	*r = (struct model_rates){
		.requests = (double)c->exchanges / s,
		.s502 = (double)c->s502 / s,
		.s503 = (double)c->s503 / s,
		.s504 = (double)c->s504 / s,
		.silent = (double)c->silent / s,
	};
}

static void copy_hosts(struct snapshot *s, const struct model_input *in)
{
	struct host_row row;

	s->nhosts = min_size(in->nhosts, MODEL_HOSTS_MAX);
	if (s->nhosts)
		memcpy(s->hosts, in->hosts, s->nhosts * sizeof(s->hosts[0]));
	s->has_limit = false;
	for (size_t i = 0; i < s->nhosts; i++) {
		if (!host_worst(&row, &s->hosts[i]) ||
		    (s->has_limit && row.level <= s->limit.level))
			continue;
		s->limit = row;
		s->has_limit = true;
	}
}

/* Of the last whole seconds: the newest entry is still filling. */
static void rates_of_history(struct model_rates *r, const struct snapshot *s)
{
	size_t end = s->nhistory > 1 ? s->nhistory - 1 : s->nhistory;
	size_t n = min_size(end, RATE_SECONDS);

	for (size_t i = end - n; i < end; i++) {
		r->requests += s->history[i].exchanges;
		r->s502 += s->history[i].s502;
		r->s503 += s->history[i].s503;
		r->s504 += s->history[i].s504;
		r->silent += s->history[i].silent;
	}
	if (!n)
		return;
	r->requests /= (double)n;
	r->s502 /= (double)n;
	r->s503 /= (double)n;
	r->s504 /= (double)n;
	r->silent /= (double)n;
}

static void snapshot_rates(struct model *m)
{
	struct snapshot *s = &m->shown;

	s->rates = (struct model_rates){ 0 };
	if (m->is_replay)
		rates_of_run(&s->rates, &s->counters);
	else
		rates_of_history(&s->rates, s);
	if (s->rates.requests > 0)
		s->rates.share502 = s->rates.s502 * 100 / s->rates.requests;
}

int model_copy(struct model *m, const struct model_input *in)
{
	struct snapshot *s = &m->shown;

	s->counters = *in->counters;
	s->nhistory = min_size(in->nhistory, MODEL_HISTORY);
	memcpy(s->history, in->history, s->nhistory * sizeof(s->history[0]));
	snapshot_rates(m);
	copy_hosts(s, in);
	if (copy_gateways(s, in))
		return -ENOMEM;
	return copy_upstreams(m, in);
}
