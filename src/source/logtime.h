/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stamps of access logs: bytes in, nanoseconds since the epoch (UTC) out. A stamp is taken as
 * the begin of a span of *precision_us, because loggers cut and do not round. Nothing is
 * read beyond s + len; false for anything that is not wholly such a stamp.
 */
#ifndef SOURCE_LOGTIME_H
#define SOURCE_LOGTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct logtime {
	uint64_t wall_ns;
	uint32_t precision_us;
	bool local; /* the stamp names no zone: taken as this host's */
};

bool logtime_clf(struct logtime *out, const char *s, size_t len); /* 22/Nov/2026:12:06:21 +0000 */
bool logtime_iso(struct logtime *out, const char *s, size_t len); /* 2026-11-22T12:06:21.3+01:00 */
bool logtime_hap(struct logtime *out, const char *s, size_t len); /* 22/Nov/2026:12:06:21.341 */
bool logtime_epoch(struct logtime *out, const char *s, size_t len); /* 1795349181.341 */

/* 12.345 as nanoseconds, *digits: how many decimals there were (NULL is fine). */
bool logtime_decimal(uint64_t *ns, unsigned int *digits, const char *s, size_t len);

#endif
