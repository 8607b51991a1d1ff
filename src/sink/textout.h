/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Findings as text for people, when stdout is not a terminal: a few lines per
 * finding, a summary at the end. Written as ndjson.h says.
 */
#ifndef SINK_TEXTOUT_H
#define SINK_TEXTOUT_H

#include "sink/sink.h"

int textout_new(struct sink *out, int fd); /* fd is borrowed */
/* Says which gateways are watched; call once, as ndjson_ready(). */
/* Says in the summary what was left out; flt is borrowed. */
void textout_set_filter(const struct sink *s, const struct sink_filter *flt);
int textout_ready(const struct sink *s, const struct engine *e);
/* As ndjson_set_pcap(). */
void textout_set_pcap(const struct sink *s, const struct sink *pcap);

#endif
