/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What can stand at a place of a filter expression: fields, operators, values. Values are the
 * names a field knows, and what the findings at hand have in it, most frequent first.
 * Pure: expression and findings in, candidates out.
 */
#ifndef SINK_FILTER_COMPLETE_H
#define SINK_FILTER_COMPLETE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/finding.h"

#define FILTER_CANDIDATES_MAX 64
#define FILTER_CANDIDATE_MAX  96 /* longer values are not offered */

struct filter_completion {
	size_t from; /* byte of the expression that a candidate replaces, up to the cursor */
	size_t n;
	char text[FILTER_CANDIDATES_MAX][FILTER_CANDIDATE_MAX];
};

/* at: cursor, at most strlen(expr). findings: oldest first, borrowed for the call. */
void filter_complete(struct filter_completion *out, const char *expr, size_t at,
		     struct finding *const *findings, size_t nfindings);
/* Bytes that all candidates have in common. */
size_t filter_completion_common(const struct filter_completion *c);

#endif
