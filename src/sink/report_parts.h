/* SPDX-License-Identifier: BSD-2-Clause */
/* What a report says, part by part: see report.h. For the files of the report only. */
#ifndef SINK_REPORT_PARTS_H
#define SINK_REPORT_PARTS_H

#include "sink/report_doc.h"
#include "sink/sink.h"

struct report_input {
	const struct report_data *d;
	const struct engine *e;
	const struct sink_filter *filter; /* or NULL */
	const char *source;		  /* name of the file that was read, or NULL */
};

void report_scope(struct doc *d, const struct report_input *in);  /* report_scope.c */
void report_causes(struct doc *d, const struct report_input *in); /* report_causes.c */
void report_next(struct doc *d, const struct report_input *in);
void report_where(struct doc *d, const struct report_input *in); /* report_where.c */
void report_audit(struct doc *d, const struct report_input *in);
void report_ruled_out(struct doc *d, const struct report_input *in); /* report_limits.c */
void report_unseen(struct doc *d, const struct report_input *in);

/* "2026-11-22 12:06:21" */
#define REPORT_TIME_MAX 24
void report_time(char out[REPORT_TIME_MAX], uint64_t wall_ns);
/* "0.9 %" */
#define REPORT_SHARE_MAX 16
void report_share(char out[REPORT_SHARE_MAX], uint64_t n, uint64_t of);
/* Most frequent first; returns how many there are. */
size_t report_causes_by_count(const struct report_data *d, enum cause out[CAUSE_MAX]);

#endif
