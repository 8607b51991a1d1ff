/* SPDX-License-Identifier: BSD-2-Clause */
/* What an event says, in words: facts with their numbers. Bytes from the wire are escaped. */
#ifndef SINK_EVENT_TEXT_H
#define SINK_EVENT_TEXT_H

#include "engine/events.h"

#define EVENT_TEXT_MAX 160

/* "no answer to 3 SYNs in 4.0 s (ETIMEDOUT)" */
void event_text(char *out, size_t cap, const struct engine_event *ev);
/* "POST shop.example/api/cart, reused 41 times, idle 60.0 s"; "" if nothing is known */
void event_context(char *out, size_t cap, const struct engine_event *ev);

#endif
