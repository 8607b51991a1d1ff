/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packets of findings as capture files: both legs and all attempts, in time order,
 * from the IP header on, nanosecond stamps in wall clock time, IP and TCP
 * lengths as on the wire. A file appears whole (temporary name, then rename), mode
 * 0600. The format goes by the name: .pcap is classic, all else is pcapng (pcapng.h).
 * Only this file includes libpcap's writer.
 */
#ifndef SINK_PCAPOUT_H
#define SINK_PCAPOUT_H

#include "sink/pktfilter.h"
#include "sink/sink.h"

enum pcap_format { PCAP_FORMAT_PCAPNG, PCAP_FORMAT_PCAP, PCAP_FORMAT_MAX };
enum pcap_format pcap_format_of(const char *path);
const char *pcap_format_ending(enum pcap_format format); /* "pcapng", "pcap" */
/* What it costs to choose the classic one. */
#define PCAP_CLASSIC_LACKS                                                                       \
	"classic pcap has no room for the finding, the meaning of packets, names of the sides, " \
	"directions and drop counts: pcapng has"

/* Saves the packets of n findings in one file. A packet dump shared by several is
 * written once. *npackets may be NULL. 0 or -errno; -ENODATA: none has packets. */
int pcap_save(const char *path, const struct finding *const f[], size_t n, size_t *npackets);
/* The same in the format given, whatever the name says. backend_only: without the client's legs.
 * filter: packets it lets through, or NULL. */
int pcap_save_as(const char *path, enum pcap_format format, bool backend_only,
		 const struct pktfilter *filter, const struct finding *const f[], size_t n,
		 size_t *npackets);

/* 20261122-120621.341402-502-keepalive-race-17.pcapng */
#define PCAP_NAME_MAX 96
void pcap_name(char out[PCAP_NAME_MAX], const struct finding *f, enum pcap_format format);

struct pcap_dir_cfg {
	const char *dir; /* copied; made (0700) if only its last part is missing */
	uint64_t max_files, max_bytes;
	enum pcap_format format;
	const struct pktfilter *filter; /* of packets; borrowed; NULL = all */
};

/* A sink with a file per finding that has packets; in a burst of one kind, of the first, of
 * samples and of the newest (burst.h). Files over a bound are skipped and counted, never an
 * error. */
int pcap_dir_new(struct sink *out, const struct pcap_dir_cfg *cfg);

struct pcap_dir_stats {
	uint64_t files, bytes, packets;
	uint64_t skipped; /* findings not saved because of a bound */
	uint64_t alike;	  /* ... because enough like them were (burst.h) */
	uint64_t failed;  /* findings not saved because of an error */
};

/* For a sink that names the files: keeps the state alive until pcap_dir_unref(), so
 * the two may be closed in any order. NULL is fine. */
struct pcap_dir;
struct pcap_dir *pcap_dir_ref(const struct sink *s);
void pcap_dir_unref(struct pcap_dir *d);
void pcap_dir_stats(const struct pcap_dir *d, struct pcap_dir_stats *out);
/* Does --pcap-dir save such a finding? */
bool pcap_is_wanted(const struct finding *f);
/* Path of the file of the finding it was given last, or NULL if none was written for f. */
const char *pcap_dir_saved(const struct pcap_dir *d, const struct finding *f);

#endif
