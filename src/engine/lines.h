/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gateway's access log as a second witness. A line of 500 or above that tells of an exchange
 * seen on the wire only marks it; one that tells of no such exchange becomes an exchange of its
 * own, with the kernel's attempts as candidates. Healthy lines are counted where the wire
 * showed fewer.
 *
 * In: W5_REC_LOG records, and a call for each bad exchange of the wire. Nothing is kept before
 * the first such record: without a log this costs nothing.
 */
#ifndef ENGINE_LINES_H
#define ENGINE_LINES_H

#include <string.h>

#include "engine/internal.h"

/* Cookies of exchanges that only a log has seen: no socket and no stream has them. */
#define LOG_COOKIE (1ull << 62)

/* Clocks are read at different moments: a line's end and the packet's. */
#define LOG_SLACK_NS (50 * NS_PER_MS)

/* ---- lines.c ---- */
void on_log(struct engine *e, const struct w5_log *l);
/* A bad or silent exchange was seen on the wire. True: a line that waits tells of it. */
bool lines_wire(struct engine *e, int gw, const struct w5_leg *l, struct line_code *code);
/* Exchanges seen on the wire, for what healthy lines add to them. */
void lines_count(struct engine *e, int gw, uint16_t status, uint32_t n);
/* Nothing was told of that one: a line of it will be an exchange of its own. */
void lines_forget(struct engine *e, const struct w5_leg *l);
void lines_run(struct engine *e, uint64_t now_ns); /* lines that have waited long enough */
void lines_free(struct engine *e);

/* ---- lines_wire.c: which line tells of which exchange of the wire ---- */
struct log_wait;
struct lines_table;

int lines_table_new(struct lines_table **out);
void lines_table_free(struct lines_table *t);
/* Remembers the exchange, unless a waiting line of the same client tells of it: true. */
bool lines_table_wire(struct lines_table *t, int gw, const struct w5_leg *l,
		      struct line_code *code);
/* Is there an exchange that this line tells of? Then *cookie and *nr name it. It will not
 * match another line. loose: of any client. */
bool lines_table_find(struct lines_table *t, const struct w5_log *l, int gw, bool loose,
		      uint64_t *cookie, uint32_t *nr);
void lines_table_forget(struct lines_table *t, uint64_t cookie, uint32_t nr);
/* The line waits until deadline_ns for its exchange. -ENOMEM; -ENOBUFS: too many wait. */
int lines_table_wait(struct lines_table *t, const struct w5_log *l, int gw, uint64_t deadline_ns);
/* The oldest line whose time is over, out of the table, to free(); NULL = none. */
struct w5_log *lines_table_due(struct lines_table *t, uint64_t now_ns, int *gw);

static inline void lines_take_code(struct line_code *code, const struct w5_log *l)
{
	_Static_assert(sizeof(code->text) == sizeof(l->code), "both hold the same");
	memcpy(code->text, l->code, sizeof(l->code));
	code->status = l->status;
	code->kind = l->kind;
}

/* ---- lines_tries.c ---- */
/* As correlate(), for an exchange that only a log has seen. */
size_t lines_correlate(struct engine *e, const struct pending *p, struct link *out, size_t max,
		       bool *tied);
/* The end of the exchange lies in a span: the end of its last attempt says where. */
void lines_settle(struct pending *p, const struct link *links, size_t n);
enum confidence lines_confidence(const struct pending *p, const struct link *last, size_t n);

#endif
