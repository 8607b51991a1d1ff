/* SPDX-License-Identifier: BSD-2-Clause */
/* Between textout.c, which tells of the session, and textout_finding.c. */
#ifndef SINK_TEXTOUT_PARTS_H
#define SINK_TEXTOUT_PARTS_H

#include "sink/printout.h"

void textout_finding(struct printout *p, const struct finding *f, const char *pcap_path);
/* Wire bytes, made harmless for a terminal. */
void textout_wire(struct buf *b, const char *s);
void textout_duration(struct buf *b, uint64_t ns);
void textout_endpoint(struct buf *b, const struct w5_addr *a, uint16_t port);

#endif
