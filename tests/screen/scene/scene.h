/* SPDX-License-Identifier: BSD-2-Clause */
/* What the screens of the tests show: everything is fixed, clock included. */
#ifndef TESTS_SCREEN_SCENE_H
#define TESTS_SCREEN_SCENE_H

#include "../../lib/packet.h"
#include "engine/engine.h"
#include "tui/model.h"
#include "tui/tui.h"

#define MS	    1000000ull
#define SECOND	    1000000000ull
/* 2026-11-22 12:03:00 UTC is the time of the first record, 1000 s after boot */
#define START_NS    (1000 * SECOND)
#define WALL_OFFSET (1795348980ull * SECOND - START_NS)

struct scene {
	const char *name;
	/* c is in->counters. */
	void (*make)(struct tui *t, struct model_input *in, struct engine_counters *c);
	bool is_replay;
};
const struct scene *scene_find(const char *name); /* NULL: there is none */

/* ---- findings.c: the caller unrefs what it gets ---- */
struct finding *make_refused(uint64_t ts, const char *request);
struct finding *make_race(uint64_t ts);
struct finding *make_syn_timeout(uint64_t ts);
struct finding *make_recovered(uint64_t ts);
struct finding *make_abort(uint64_t ts);
struct finding *make_no_live(uint64_t ts);
struct finding *make_silent(uint64_t ts);

#endif
