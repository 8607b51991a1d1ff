/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Histogram of durations for quantiles: log-linear, each power of two is cut in eight, so
 * a quantile is at most 1/16 off. Fixed size, nothing allocates. Embedded.
 */
#ifndef BASE_HIST_H
#define BASE_HIST_H

#include <stddef.h>
#include <stdint.h>

#define HIST_SUB_BITS 3
#define HIST_MAX_BITS 36 /* of a value: 19 hours in microseconds; what is beyond counts as that */
#define HIST_BUCKETS  ((HIST_MAX_BITS - HIST_SUB_BITS + 1) << HIST_SUB_BITS)

struct hist {
	uint64_t n;
	uint64_t rough; /* of n: only the mean of several was known */
	uint32_t bucket[HIST_BUCKETS];
};

void hist_add(struct hist *h, uint64_t value);
/* n values of which only the sum is known: they count at their mean, and as rough. */
void hist_add_sum(struct hist *h, uint64_t sum, uint64_t n);
/* Value below which the share q (0..1) of both lies, the middle of its bucket; 0 if empty. */
uint64_t hist_quantile(const struct hist *a, const struct hist *b, double q);

#endif
