/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A count over time: total, first and last, and the last five minutes in buckets, so
 * that one group can be asked for any window. Time comes from the findings; one that
 * comes late counts in its own time. Embedded; owns nothing.
 */
#ifndef SINK_SERIES_H
#define SINK_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/finding.h"

#define SERIES_BUCKETS	 60 /* of 5 s each: the last five minutes */
#define SERIES_BUCKET_NS 5000000000ull

/* Window of the counts shown. */
#define GROUP_WINDOWS(X)             \
	X(MINUTE, 60, "last minute") \
	X(FIVE, 300, "last 5 min")   \
	X(ALL, 0, "since the start")

enum group_window {
#define X(id, seconds, text) GROUP_WINDOW_##id,
	GROUP_WINDOWS(X)
#undef X
		GROUP_WINDOW_MAX,
};
const char *group_window_name(enum group_window w);
uint64_t group_window_ns(enum group_window w); /* 0: no bound */

enum group_trend { TREND_STEADY, TREND_UP, TREND_DOWN, TREND_OVER };

struct series {
	uint64_t total, first_wall_ns, last_wall_ns, last_ns;
	uint64_t epoch;			 /* newest bucket's number: its time / SERIES_BUCKET_NS */
	uint32_t bucket[SERIES_BUCKETS]; /* [number % SERIES_BUCKETS] */
};

void series_add(struct series *s, const struct finding *f);
/* What from counted, s counts from now on, too. */
void series_merge(struct series *s, const struct series *from);
/* Events of the window that ends now. */
uint64_t series_count(const struct series *s, uint64_t now_ns, enum group_window w);
/* n buckets, the newest of them `skip` buckets before the one of now. */
uint64_t series_sum(const struct series *s, uint64_t now_ns, uint64_t skip, uint64_t n);
enum group_trend series_trend(const struct series *s, uint64_t now_ns);
/* Monotonic time of the first one. */
uint64_t series_first_ns(const struct series *s);
/* Per second: count events of window w, where watching began with the first of all. */
double series_rate(uint64_t count, const struct series *all, uint64_t now_ns, enum group_window w);

#endif
