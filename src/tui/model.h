/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the screen shows. Findings come in one by one, counters once per tick; views
 * read only `shown`, a snapshot that is renewed on a tick and stands still while
 * paused. Everything is bounded: the newest findings are kept, the rest is counted.
 *
 * The model owns references to the findings it keeps and copies of everything else.
 */
#ifndef TUI_MODEL_H
#define TUI_MODEL_H

#include "sink/facet.h"
#include "sink/filter.h"
#include "sink/group.h"
#include "sink/hostrows.h"
#include "sink/sink.h"
#include "tui/troubles.h"

#define MODEL_HISTORY	    60
#define MODEL_UPSTREAMS_MAX 1024
#define MODEL_GATEWAYS_MAX  64
#define MODEL_HOSTS_MAX	    16

/* What the engine tells on a tick; borrowed for the call. */
struct model_input {
	const struct engine_counters *counters;
	uint64_t lost;
	const struct engine_gateway *gateways;
	size_t ngateways;
	const struct engine_upstream *const *upstreams;
	size_t nupstreams;
	const struct engine_host *hosts; /* at most MODEL_HOSTS_MAX */
	size_t nhosts;
	struct engine_second history[MODEL_HISTORY];
	size_t nhistory;
	struct troubles_input troubles;
};

struct model_rates {
	double requests, s502, s503, s504, silent; /* per second */
	double share502;			   /* per cent of requests */
};

struct snapshot {
	struct engine_counters counters;
	struct model_rates rates;
	struct engine_gateway *gateways;
	size_t ngateways;
	struct engine_upstream *upstreams;
	size_t nupstreams;
	struct engine_host hosts[MODEL_HOSTS_MAX];
	size_t nhosts;
	struct host_row limit; /* the nearest one, if has_limit */
	bool has_limit;
	uint16_t upstream_rows[MODEL_UPSTREAMS_MAX]; /* those the filter leaves */
	size_t nupstream_rows;
	struct engine_second history[MODEL_HISTORY];
	size_t nhistory;
	struct group_rank rank; /* of all, whatever the filter */
	struct group_rank why;	/* with a filter: of those it leaves, in the same window */
	bool has_why;
	struct group_verdict verdict;
	struct facet_rank facets[FACET_MAX];
	struct troubles troubles;
	struct finding **rows; /* of the window, that match the filter, oldest first */
	size_t nrows;
	size_t nkept; /* before window and filter */
	/* not for views: rows is a part of it */
	struct finding **buf;
	size_t buf_cap;
};

struct model {
	struct snapshot shown;
	bool dirty; /* shown changed since the last drawing */
	bool is_replay, paused;
	uint64_t lost;	  /* newest, also while paused */
	uint64_t unseen;  /* findings that came while paused */
	uint64_t evicted; /* findings pushed out of the list */
	uint64_t version; /* another one: rows of shown may have changed */
	enum group_window window;
	/* not for views */
	struct finding **ring;
	size_t cap, n, oldest;
	size_t fresh;	       /* newest of the ring that no snapshot has looked at */
	struct finding **held; /* paused: what the ring had then, which it may lose meanwhile */
	size_t nheld;
	struct group_table held_table;
	struct facet_table held_facets[FACET_MAX];
	struct group_table table;
	struct facet_table facets[FACET_MAX];
	struct filter *filter;
	bool filters_list_only;
	struct group_table match_table; /* of what is kept and matches; empty without a filter */
	struct facet_table match_facets[FACET_MAX]; /* the same */
	bool has_match; /* match_facets: there is a filter, and room for them */
};

int model_init(struct model *m, size_t max_findings, bool is_replay);
void model_fini(struct model *m);
void model_add(struct model *m, struct finding *f); /* takes a reference */
/* -ENOMEM leaves the old snapshot. */
int model_tick(struct model *m, const struct model_input *in);
int model_pause(struct model *m, bool paused);
/* Takes flt (may be NULL). list_only: rows of upstreams and groups stay as they are. */
int model_set_filter(struct model *m, struct filter *flt, bool list_only);
int model_set_window(struct model *m, enum group_window w);

/* A kept finding, whether listed or not; NULL if there is none. Borrowed. */
struct finding *model_find(const struct model *m, uint64_t id);
/* Row of the finding with this id, or of the next newer one that is listed; nrows if none. */
size_t snapshot_row_of(const struct snapshot *s, uint64_t id);

/* model_copy.c, for model.c alone: what a tick brings but findings. 0 or -ENOMEM. */
int model_copy(struct model *m, const struct model_input *in);
void model_filter_upstreams(struct model *m);

#endif
