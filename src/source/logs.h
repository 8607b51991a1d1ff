/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The access logs that are followed: files in, W5_REC_LOG records out. Formats not given are
 * looked up in the configuration of the gateway that has the file open, else guessed from
 * the first line. One thread; no clock of its own.
 */
#ifndef SOURCE_LOGS_H
#define SOURCE_LOGS_H

#include "source/logfmt.h"

#define LOGS_MAX     16
#define LOGS_ERR_MAX 320

struct logs;

struct logs_ops {
	/* A record, complete and 8-byte aligned; borrowed. */
	void (*record)(void *self, const struct w5_hdr *rec);
	/* One sentence for the person at the screen. */
	void (*say)(void *self, bool is_warning, const char *text);
};

int logs_new(struct logs **out, const struct logs_ops *ops, void *self);
void logs_free(struct logs *l); /* NULL is fine */

/*
 * path is followed from its present end. format: a word of logfmt_named(), a format string, or
 * NULL or "auto". 0, or -errno with one sentence in err.
 */
int logs_add(struct logs *l, const char *path, const char *format, char err[LOGS_ERR_MAX]);
/* A gateway was found or has ended: whose the logs are is asked again. */
void logs_gateway(struct logs *l, const struct w5_gateway *g);
/* Reads what is new. */
void logs_poll(struct logs *l, const struct log_clock *clock);

#endif
