/* SPDX-License-Identifier: BSD-2-Clause */
/* The fields a filter can name: one row each (filter_field.c). */
#ifndef SINK_FILTER_FIELD_H
#define SINK_FILTER_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/finding.h"

#define FILTER_VALUE_MAX (W5_HEAD_REQ + 1)

struct filter_field_row {
	const char *name, *what;
	/* The i-th value as text (upstream has one per attempt); false past the last. */
	bool (*text)(const struct finding *f, size_t i, char *out, size_t cap);
	double (*number)(const struct finding *f); /* set: the field is a number */
	bool (*known)(const char *value);	   /* set: == takes only these */
	bool endpoint; /* == without a port compares the address alone */
	bool searched; /* a bare word looks here */
};

const struct filter_field_row *filter_field_find(const char *name, size_t len);
const struct filter_field_row *filter_field_at(size_t i); /* NULL past the end */
bool filter_field_equal(const struct filter_field_row *row, const char *have, const char *want);
bool filter_field_any_contains(const struct finding *f, const char *word);

#endif
