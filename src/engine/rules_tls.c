/* SPDX-License-Identifier: BSD-2-Clause */
/* Causes of a TLS handshake that failed, and of TLS spoken on one side only. */
#include "engine/rules.h"

#include <string.h>

/* ---- one side speaks TLS, the other does not ---- */

static bool answered_in_plain(const struct facts *f)
{
	bool http = f->resp == RESP_HEADER || f->resp == RESP_COMPLETE || f->resp == RESP_STARTED ||
		    f->resp == RESP_BAD_HEADER;

	return f->l->proto == W5_PROTO_TLS && !f->stream &&
	       (http || (f->handshake && f->resp == RESP_OTHER));
}

static bool answered_in_tls(const struct facts *f)
{
	return f->l->proto == W5_PROTO_HTTP1 && !f->l->status && f->resp == RESP_TLS;
}

static bool says(const struct w5_leg *l, const char *text)
{
	return memmem(l->resp, min_size(l->resp_len, W5_HEAD_RESP), text, strlen(text)) != NULL;
}

/* What nginx, Go and Apache say on a TLS port to a request in plain HTTP. */
static bool told_to_speak_tls(const struct facts *f)
{
	const struct w5_leg *l = f->l;

	return l->proto == W5_PROTO_HTTP1 && l->status == 400 && f->answered_badly &&
	       (says(l, "plain HTTP request was sent to HTTPS") ||
		says(l, "HTTP request to an HTTPS server") ||
		says(l, "plain HTTP to an SSL-enabled server"));
}

/* ---- the handshake ---- */

/* Full segments of the certificate disappear; small ones come through. */
static bool certificate_lost(const struct facts *f)
{
	return f->handshake && f->gap && f->tls == TLS_STALLED;
}

static bool alerted(const struct facts *f)
{
	return f->tls == TLS_ALERT_IN || f->tls == TLS_ALERT_OUT;
}

static bool broken_off(const struct facts *f)
{
	return f->tls == TLS_ALERT_VEILED || f->tls == TLS_BROKEN_OFF || f->tls == TLS_DROPPED ||
	       f->tls == TLS_STALLED;
}

/* The backend had our bytes. Else nobody may have been there to read them, or the reset is
 * another's: rules_silent.c. */
static bool closed_by_peer(const struct facts *f)
{
	bool forged = f->l->rst_ttl && f->ref_ttl && f->l->rst_ttl != f->ref_ttl;

	if (f->peer_rst && forged)
		return false;
	return f->tls == TLS_CLOSED_LATER || (f->tls == TLS_CLOSED && f->acked && !f->fin_first);
}

/* Sent again and again, or never acknowledged: that speaks of the path. */
static bool never_answered(const struct facts *f)
{
	return f->tls == TLS_SILENCE && f->acked && f->l->retrans < 2;
}

static const struct rule rows[] = {
	{ .cause = CAUSE_TLS_PLAINTEXT_MISMATCH, .at_best = CERTAIN, .test = answered_in_plain },
	{ .cause = CAUSE_TLS_PLAINTEXT_MISMATCH, .at_best = CERTAIN, .test = answered_in_tls },
	{ .cause = CAUSE_TLS_PLAINTEXT_MISMATCH, .at_best = CERTAIN, .test = told_to_speak_tls },
	{ .cause = CAUSE_TLS_HANDSHAKE_FAILED, .at_best = CERTAIN, .test = alerted },
	{ .cause = CAUSE_PMTU_BLACKHOLE, .at_best = LIKELY, .test = certificate_lost },
	{ .cause = CAUSE_TLS_HANDSHAKE_FAILED, .at_best = LIKELY, .test = broken_off },
	{ .cause = CAUSE_TLS_HANDSHAKE_FAILED, .at_best = LIKELY, .test = closed_by_peer },
	{ .cause = CAUSE_TLS_HANDSHAKE_FAILED, .at_best = LIKELY, .test = never_answered },
};

const struct rule_table rules_tls = { .rows = rows, .n = ARRAY_SIZE(rows) };
