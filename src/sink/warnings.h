/* SPDX-License-Identifier: BSD-2-Clause */
/* Warnings of what has not happened yet: each is told once by every sink of lines. */
#ifndef SINK_WARNINGS_H
#define SINK_WARNINGS_H

#include "engine/engine.h"

#define WARNINGS_MAX 256 /* upstreams told of; more are not */

struct warnings {
	struct {
		struct w5_addr ip;
		uint16_t port;
	} told[WARNINGS_MAX];
	size_t n;
};

/* The next upstream with a keep-alive race ahead that was not told yet; NULL = none. Counts as
 * told from then on. Borrowed from the engine, which may be NULL. */
const struct engine_upstream *warnings_next(struct warnings *w, const struct engine *e);

/* When the backend closes idle conns: as it does, else as it says. 0 = not known. */
uint32_t warning_idle_ms(const struct engine_upstream *u);
/* "10.0.3.18:8080 closes idle connections after 5.00 s, and the gateway keeps them longer: ..." */
#define WARNING_TEXT_MAX 384
void warning_text(char out[WARNING_TEXT_MAX], const struct engine_upstream *u);
void warning_next_step(char out[WARNING_TEXT_MAX], const struct engine_upstream *u);

#endif
