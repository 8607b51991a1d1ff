/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Of the snapshot: TCP trouble as the engine tells it, those events that match the filter,
 * and everything that was lost or could not be read. Owns copies.
 */
#ifndef TUI_TROUBLES_H
#define TUI_TROUBLES_H

#include "engine/engine.h"
#include "engine/events.h"
#include "sink/filter.h"

/* What the engine tells on a tick; borrowed for the call. */
struct troubles_input {
	const struct engine_event *events; /* NULL: version says they are the same as before */
	size_t nevents;
	uint64_t version;
	const uint64_t *counts; /* of EVENT_MAX, or NULL */
	struct engine_loss losses[W5_LOSS_MAX];
	uint64_t unlisted; /* findings pushed out of the list */
};

struct loss_row {
	uint64_t id;
	const char *name, *what, *means, *help;
	uint64_t count, minute, first_ns, last_ns;
	bool is_loss; /* counted in the title; else: not read, left out */
};
#define LOSS_ROWS_MAX (W5_LOSS_MAX + 8)

struct troubles {
	struct engine_event *events; /* oldest first */
	size_t nevents;
	const struct engine_event **rows; /* those that match */
	size_t nrows;
	uint64_t version, seen;
	struct loss_row loss[LOSS_ROWS_MAX];
	size_t nloss;
};

/* -ENOMEM leaves what was there. */
int troubles_take(struct troubles *t, const struct troubles_input *in,
		  const struct engine_counters *c, const struct filter *flt);
void troubles_filter(struct troubles *t, const struct filter *flt);
void troubles_fini(struct troubles *t);

#endif
