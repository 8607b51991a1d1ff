/* SPDX-License-Identifier: BSD-2-Clause */
/* The catalogue's strings, straight from the X-macro in cause.h. */
#include "engine/cause.h"

struct cause_row {
	const char *name, *token, *brief;
};

static const struct cause_row causes[] = {
#define X(id, n, t, b) [CAUSE_##id] = { .name = n, .token = t, .brief = b },
	CAUSES(X)
#undef X
};

_Static_assert(sizeof(causes) / sizeof(causes[0]) == CAUSE_MAX, "one row per cause");

static const struct cause_row *row(enum cause c)
{
	return &causes[(unsigned)c < CAUSE_MAX ? c : CAUSE_NONE];
}

const char *cause_name(enum cause c)
{
	return row(c)->name;
}

const char *cause_proxy_status(enum cause c)
{
	return row(c)->token;
}

const char *cause_brief(enum cause c)
{
	return row(c)->brief;
}
