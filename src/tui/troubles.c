/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies, and the rows of the loss screen with what each of them means. */
#include "tui/troubles.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "sink/names.h"

/* What a reader has to conclude from it. */
static const char *const meanings[W5_LOSS_MAX] = {
	[W5_LOSS_RING_BULK] = "Healthy requests are missing from the rates and counts; "
			      "failures are all there.",
	[W5_LOSS_RING_RARE] = "Failures are missing: some bad exchanges are not listed, and those "
			      "of that time are not certain.",
	[W5_LOSS_MAP_FULL] = "Connections are not followed at all: what goes wrong on them is not "
			     "seen.",
	[W5_LOSS_COPY_CUT] = "Some ladders and saved files lack packets; causes do not depend on "
			     "them.",
	[W5_LOSS_EVICTED] = "An exchange or attempt was forgotten before it could be explained.",
	[W5_LOSS_SEQ_HOLE] = "A connection's records have a gap: findings that touch it are not "
			     "certain.",
	[W5_LOSS_SINK] = "The output is incomplete; the screen is not.",
	[W5_LOSS_LOG_LINES] = "Failures that only the access log knows may be missing.",
};

static void add(struct troubles *t, const struct loss_row *row)
{
	if (t->nloss == LOSS_ROWS_MAX)
		return;
	t->loss[t->nloss] = *row;
	t->loss[t->nloss].id = t->nloss;
	t->nloss++;
}

static void add_count(struct troubles *t, uint64_t count, const char *name, const char *what,
		      const char *means, const char *help)
{
	const struct loss_row row = {
		.name = name, .what = what, .means = means, .help = help, .count = count
	};

	add(t, &row);
}

static void take_losses(struct troubles *t, const struct troubles_input *in,
			const struct engine_counters *c)
{
	t->nloss = 0;
	for (unsigned i = 0; i < W5_LOSS_MAX; i++) {
		const struct engine_loss *l = &in->losses[i];
		const struct loss_row row = {
			.name = loss_name(i),
			.what = loss_what(i),
			.means = meanings[i] ? meanings[i] : "Something is missing here.",
			.help = loss_help(i),
			.count = l->count,
			.minute = l->minute,
			.first_ns = l->count ? l->first_ns : 0,
			.last_ns = l->count ? l->last_ns : 0,
			.is_loss = true,
		};

		add(t, &row);
	}
	add_count(t, c->unread_tls, "unread-tls", "client connections with TLS that is not read",
		  "Of a 502 on them only an access log tells.", "--access-log; why502 doctor");
	add_count(t, c->unread_h2, "unread-h2", "client connections with HTTP/2 that is not read",
		  "Of a 502 on them only an access log tells.", "--access-log; why502 doctor");
	add_count(t, c->undecoded, "undecoded", "HTTP/2 messages that could not be decoded",
		  "Their connections are older than why502: status or target is not known.",
		  "start why502 before, or wait for new connections");
	add_count(t, c->bad_records, "rejected", "records that were malformed, and ignored",
		  "A trace of another version, or a damaged one.", "record it anew");
	add_count(t, in->unlisted, "unlisted", "bad exchanges pushed out of the list",
		  "They are in the counts and in WHY, and no longer in the list.",
		  "--max-exchanges");
}

void troubles_filter(struct troubles *t, const struct filter *flt)
{
	t->nrows = 0;
	for (size_t i = 0; i < t->nevents; i++)
		if (filter_match_event(flt, &t->events[i]))
			t->rows[t->nrows++] = &t->events[i];
}

static int make_room(struct troubles *t)
{
	if (t->events)
		return 0;
	t->events = calloc(EVENTS_KEPT, sizeof(*t->events));
	t->rows = calloc(EVENTS_KEPT, sizeof(*t->rows));
	if (t->events && t->rows)
		return 0;
	troubles_fini(t);
	return -ENOMEM;
}

int troubles_take(struct troubles *t, const struct troubles_input *in,
		  const struct engine_counters *c, const struct filter *flt)
{
	take_losses(t, in, c);
	if (in->counts) {
		t->seen = 0;
		for (int k = 0; k < EVENT_MAX; k++)
			t->seen += in->counts[k];
	}
	if (!in->events || in->version == t->version)
		return 0;
	if (make_room(t))
		return -ENOMEM;
	t->nevents = min_size(in->nevents, EVENTS_KEPT);
	memcpy(t->events, in->events, t->nevents * sizeof(*t->events));
	t->version = in->version;
	troubles_filter(t, flt);
	return 0;
}

void troubles_fini(struct troubles *t)
{
	free(t->events);
	free(t->rows);
	t->events = NULL;
	t->rows = NULL;
	t->nevents = t->nrows = 0;
}
