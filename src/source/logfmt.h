/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formats of access logs. A format string of nginx (log_format), Apache (LogFormat) or HAProxy
 * (log-format) is compiled to a matcher; Caddy's lines are JSON. One line in, one struct w5_log
 * out. Lines are hostile: length first, bounded work for each.
 *
 * Facts about formats: nginx ngx_http_log_module and ngx_http_upstream_module, Apache
 * mod_log_config "Custom Log Formats", HAProxy configuration manual 8.2, Caddy "log" directive.
 */
#ifndef SOURCE_LOGFMT_H
#define SOURCE_LOGFMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "w5_abi.h"

struct logfmt;

/* When a line is read: this host's clocks. */
struct log_clock {
	uint64_t now_ns;	 /* CLOCK_MONOTONIC */
	uint64_t wall_offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
};

#define LOGFMT_ERR_MAX 160

/*
 * text: a format string as the gateway's own configuration has it; pieces in quotes are put
 * together. *out is the caller's, to logfmt_free(). -EINVAL with a reason in err, -ENOMEM.
 */
int logfmt_new(struct logfmt **out, enum w5_log_kind kind, const char *text,
	       char err[LOGFMT_ERR_MAX]);
/* A word: "nginx" and "combined" (nginx's default), "apache", "haproxy", "caddy". -ENOENT. */
int logfmt_named(struct logfmt **out, const char *word);
/* What kind of gateway writes such a format string; 0 = no telling. */
enum w5_log_kind logfmt_kind_of(const char *text);
/* The first of the well known formats that reads this line; NULL = none. */
struct logfmt *logfmt_guess(const char *line, size_t len);
void logfmt_free(struct logfmt *f); /* NULL is fine */

const char *logfmt_name(const struct logfmt *f); /* "haproxy", or "nginx" for a given format */
enum w5_log_kind logfmt_kind(const struct logfmt *f);

/* 0 and *out as far as the line says (h.ts_ns is the clock's; of a status below 500 nothing
 * but the status); -ENOMSG: something else that
 * such a gateway writes to the same file; -EBADMSG. */
int logfmt_read(const struct logfmt *f, const char *line, size_t len, const struct log_clock *clock,
		struct w5_log *out);

#endif
