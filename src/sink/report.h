/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An incident report: a sink that gathers, and writes what it has when asked: as Markdown, or
 * as one HTML file that needs nothing beside it. Bytes of the network are made harmless in both.
 */
#ifndef SINK_REPORT_H
#define SINK_REPORT_H

#include <stdbool.h>

#include "sink/filter.h"
#include "sink/sink.h"

struct report_cfg {
	const char *source;		  /* name of the file that is read, or NULL: live */
	const struct sink_filter *filter; /* or NULL; borrowed */
};

int report_new(struct sink *out, const struct report_cfg *cfg);
/*
 * Writes path, whole or not at all, mode 0600: HTML where it ends in .html, Markdown where in
 * .md, else both, with these endings put on. 0 or -errno.
 */
int report_save(const struct sink *s, const struct engine *e, const char *path);
bool report_is_one_file(const char *path); /* it ends in one of these */
/* Markdown, to a file that is open. 0 or -errno. */
int report_write(const struct sink *s, const struct engine *e, int fd);

#endif
