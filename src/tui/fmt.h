/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of a finding as short text for a column. Wire bytes come out escaped. */
#ifndef TUI_FMT_H
#define TUI_FMT_H

#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

void fmt_request(char *out, size_t cap, const struct finding *f); /* POST /api/cart */
void fmt_status(char *out, size_t cap, const struct finding *f);  /* 502, or --- */
void fmt_ms(char *out, size_t cap, uint64_t ns);		  /* 0.40  60.4  60004 */
void fmt_rate(char *out, size_t cap, double per_second);	  /* 0  0.3  37.2  4.1k */
void fmt_uptime(char *out, size_t cap, uint64_t ns);		  /* 00:03:12 */
void fmt_time_of_day(char *out, size_t cap, uint64_t wall_ns);	  /* 12:03:11 */
void fmt_client(char *out, size_t cap, const struct finding *f);  /* address only */
void fmt_upstream(char *out, size_t cap, const struct finding *f);
/* The attempt that the finding is about, or NULL. */
const struct attempt *fmt_deciding_attempt(const struct finding *f);
/* Two digits, for what is not known better: 0.068 ms, 3.2 ms, 140 ms, 1.5 s, 30 s */
void fmt_about(char *out, size_t cap, uint64_t us);
/* Of an upstream: conns with and without a request, "-" if they were not counted; and its
 * time to the first byte, quantile i, with "~" if that is rough. */
void fmt_in_use(char *out, size_t cap, const struct engine_upstream *u);
void fmt_idle(char *out, size_t cap, const struct engine_upstream *u);
void fmt_quantile(char *out, size_t cap, const struct engine_upstream *u, size_t i);
/* Signed, relative to the request: +0.402 ms, -60.004 s */
void fmt_relative(char *out, size_t cap, int64_t ns);
/* "a minute", "3 min", "2 h": how long, for a sentence */
void fmt_ago(char *out, size_t cap, uint64_t ns);

#endif
