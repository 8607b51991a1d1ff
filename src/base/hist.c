/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values below 8 have a bucket each; above, a bucket's number is the exponent and the
 * three bits behind the leading one.
 */
#include "base/hist.h"

#include "base/util.h"

#define SUB (1u << HIST_SUB_BITS)

static size_t bucket_of(uint64_t v)
{
	unsigned top;

	if (v >> HIST_MAX_BITS)
		return HIST_BUCKETS - 1;
	if (v < SUB)
		return (size_t)v;
	top = 63 - (unsigned)__builtin_clzll(v); /* >= HIST_SUB_BITS */
	return (size_t)((top - HIST_SUB_BITS + 1) << HIST_SUB_BITS |
			(v >> (top - HIST_SUB_BITS) & (SUB - 1)));
}

static uint64_t middle_of(size_t i)
{
	unsigned shift;
	uint64_t low;

	if (i < SUB)
		return i;
	shift = (unsigned)(i >> HIST_SUB_BITS) - 1;
	low = (uint64_t)(SUB | (i & (SUB - 1))) << shift;
	return low + (1ull << shift) / 2;
}

static void add(struct hist *h, uint64_t value, uint64_t n)
{
	uint32_t *b = &h->bucket[bucket_of(value)];

	h->n += n;
	*b = (uint32_t)min_u64(*b + n, UINT32_MAX);
}

void hist_add(struct hist *h, uint64_t value)
{
	add(h, value, 1);
}

void hist_add_sum(struct hist *h, uint64_t sum, uint64_t n)
{
	if (!n)
		return;
	add(h, sum / n, n);
	if (n > 1)
		h->rough += n;
}

uint64_t hist_quantile(const struct hist *a, const struct hist *b, double q)
{
	uint64_t n = 0, seen = 0, want;

	/* of the buckets, which may be full, not of .n */
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		n += (uint64_t)a->bucket[i] + b->bucket[i];
	if (!n)
		return 0;
	want = (uint64_t)((double)n * q);
	if (want >= n)
		want = n - 1;
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		seen += (uint64_t)a->bucket[i] + b->bucket[i];
		if (seen > want)
			return middle_of(i);
	}
	return 0;
}
