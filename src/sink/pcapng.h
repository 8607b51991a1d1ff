/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes pcapng (draft-ietf-opsawg-pcapng, which libpcap only reads): a section that says
 * what the findings are, an interface for each side with its name, packets that say what
 * they mean, and how many were not kept. Comments are plain ASCII; a line of them that
 * begins with "why502." has key=value words for programs, and no other line begins so.
 */
#ifndef SINK_PCAPNG_H
#define SINK_PCAPNG_H

#include <stdio.h>

#include "base/buf.h"
#include "sink/captures.h"

struct pcapng; /* what is to be written, borrowed from the findings */

/* 0 or -errno; -ENODATA: none has packets. */
int pcapng_new(struct pcapng **out, const struct finding *const f[], size_t n, bool backend_only,
	       const struct pktfilter *filter);
void pcapng_free(struct pcapng *p); /* NULL is fine */
size_t pcapng_packets(const struct pcapng *p);
/* Writes it all to out; NULL: only counts. *bytes is its size. 0 or -errno. */
int pcapng_write(const struct pcapng *p, FILE *out, uint64_t *bytes);

/* ---- pcapng_words.c: what the comments say ---- */

struct ladder_row;

void pcapng_finding_words(struct buf *b, const struct finding *f);
void pcapng_packet_words(struct buf *b, const struct finding *f, const struct ladder_row *r);
/* "backend side 10.77.3.2:9001" */
#define PCAPNG_IFACE_MAX 160
void pcapng_iface_name(char out[PCAPNG_IFACE_MAX], const struct finding *f,
		       const struct w5_packets *p, size_t attempt);

#endif
