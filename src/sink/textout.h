/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Findings as text for people, when stdout is not a terminal: a few lines per
 * finding, a summary at the end. Written as printout.h says.
 */
#ifndef SINK_TEXTOUT_H
#define SINK_TEXTOUT_H

#include "sink/sink.h"

int textout_new(struct sink *out, int fd); /* fd is borrowed */

#endif
