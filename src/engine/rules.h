/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of rules share. Each gives one table; rules.c knows their order. */
#ifndef ENGINE_RULES_H
#define ENGINE_RULES_H

#include "engine/facts.h"

/* A gateway's timers are tenths of seconds and more; it closed earlier for another reason. */
#define TIMER_MIN_NS	   (90 * NS_PER_MS)
/* What other conns to the same port met this lately still tells of its state. */
#define ACCEPTED_LATELY_NS (60 * NS_PER_S)

#define CERTAIN CONFIDENCE_CERTAIN
#define LIKELY	CONFIDENCE_LIKELY

struct rule_table {
	const struct rule *rows;
	size_t n;
};

extern const struct rule_table rules_tls, rules_h2, rules_connect, rules_silent, rules_bytes;

static inline bool rule_errno_is(int err, int a, int b)
{
	return err == a || err == b;
}

/* A request, or the first words of a handshake, went out and not a byte came back. */
static inline bool rule_silent(const struct facts *f)
{
	return !f->connecting && !f->l->status && !f->l->resp_bytes && (f->l->nr || f->handshake);
}

#endif
