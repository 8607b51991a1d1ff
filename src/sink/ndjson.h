/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Findings as NDJSON: one object per line, names as in man/why502.8 (stable; a
 * field that is absent is not known). Written as printout.h says.
 */
#ifndef SINK_NDJSON_H
#define SINK_NDJSON_H

#include "sink/sink.h"

int ndjson_new(struct sink *out, int fd); /* fd is borrowed */

#endif
