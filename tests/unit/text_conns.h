/* SPDX-License-Identifier: BSD-2-Clause */
/* Encrypted conns for tests whose text is read. */
#ifndef TESTS_UNIT_TEXT_CONNS_H
#define TESTS_UNIT_TEXT_CONNS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../lib/rec_text.h"

static inline struct wire down_open(struct bench *b, double t)
{
	return wire_open(b, D, W5_ROLE_DOWNSTREAM, t);
}

static inline struct wire up_open(struct bench *b, double t)
{
	struct w5_leg l = rec_conn(U, W5_ROLE_UPSTREAM, t);

	rec_hint(&l, D, t);
	feed(b, &l);
	return wire_of(b, U);
}

/* The kernel's view of a request on the wire that nothing answered. */
static inline struct w5_leg up_end(double open, double req, double t, int end)
{
	struct w5_leg l = rec_conn_end(U, W5_ROLE_UPSTREAM, open, t, end);

	l.h.type = W5_REC_ATTEMPT;
	l.phase = W5_PHASE_REQUEST;
	l.req_ns = l.req_last_ns = ms(req);
	l.req_bytes = 150;
	return l;
}

/* The same, with so many bytes of something that came since resp, and was perhaps no answer. */
static inline struct w5_leg up_end_with(double open, double req, double resp, uint32_t bytes,
					double t, int end)
{
	struct w5_leg l = up_end(open, req, t, end);

	l.h.type = W5_REC_END;
	l.phase = W5_PHASE_RESPONSE;
	l.resp_ns = ms(resp);
	l.resp_bytes = bytes;
	return l;
}

#endif
