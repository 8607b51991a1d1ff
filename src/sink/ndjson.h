/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Findings as NDJSON: one object per line, names as in man/why502.8 (stable; a
 * field that is absent is not known). Lines are gathered and written with one
 * write(2) per tick, or earlier when many wait. What a full disk or a slow reader
 * did not take stays in the buffer, so the stream never breaks inside a line.
 * A reader that is gone gives -EPIPE (the app ignores SIGPIPE).
 */
#ifndef SINK_NDJSON_H
#define SINK_NDJSON_H

#include "sink/sink.h"

int ndjson_new(struct sink *out, int fd); /* fd is borrowed */
/* {"type":"ready"}: call once, when the hooks are attached and the first scan is done. */
/* Says in the summary what was left out; flt is borrowed. */
void ndjson_set_filter(const struct sink *s, const struct sink_filter *flt);
int ndjson_ready(const struct sink *s, const struct engine *e);
/* pcap: a sink of pcap_dir_new() that is given each finding before this one: its files
 * are named in the findings, its counters in the summary. */
void ndjson_set_pcap(const struct sink *s, const struct sink *pcap);

#endif
