/* SPDX-License-Identifier: BSD-2-Clause */
/* What there is to say about an HTTP/2 stream that ended without its answer, and of gRPC. */
#include "engine/words.h"

#include "engine/codes.h"

SAY_SHARED(why_h2_reset)
{
	const struct w5_leg *l = in->facts->l;
	char code[CODE_TEXT_MAX];

	words_put(out, cap,
		  "%s reset the stream of the request (RST_STREAM, %s) %s after it, without a "
		  "response header",
		  w->up, h2_error_text(code, l->h2_error), w->elapsed);
}

SAY_SHARED(why_h2_refused)
{
	words_put(out, cap,
		  "%s refused the stream of the request (RST_STREAM, REFUSED_STREAM) %s after it: "
		  "nothing of it was processed",
		  w->up, w->elapsed);
}

SAY_SHARED(why_h2_goaway)
{
	const struct w5_leg *l = in->facts->l;
	char code[CODE_TEXT_MAX];

	h2_error_text(code, l->h2_error);
	if (l->fin_in_ns || l->rst_in_ns || l->fin_out_ns || l->rst_out_ns)
		words_put(out, cap,
			  "%s gave up the HTTP/2 connection (GOAWAY, %s); it ended %s after the "
			  "request, without a response header",
			  w->up, code, w->elapsed);
	else
		words_put(out, cap,
			  "%s closed the HTTP/2 connection (GOAWAY, %s) %s after the request, and "
			  "did not process its stream %u",
			  w->up, code, w->elapsed, l->stream);
}

SAY_SHARED(why_h2_cut)
{
	const struct w5_leg *l = in->facts->l;
	const char *frame = l->h2_end == W5_H2_RST_IN ? "RST_STREAM" : "GOAWAY";
	char code[CODE_TEXT_MAX];

	if (in->facts->by_frame)
		words_put(out, cap, "%s answered %u and cut the response short with %s (%s)", w->up,
			  l->status, frame, h2_error_text(code, l->h2_error));
	else
		words_put(out, cap,
			  "%s answered %u and cut the response short: %s before the stream's end",
			  w->up, l->status, in->facts->peer_rst ? "RST" : "FIN");
}

SAY_SHARED(why_grpc)
{
	const struct w5_leg *l = in->facts->l;
	char status[CODE_TEXT_MAX];

	words_put(out, cap,
		  "%s answered %u with grpc-status %u (%s); the gateway made the %u of it", w->up,
		  l->status, l->grpc_status - 1u, grpc_status_text(status, l->grpc_status - 1u),
		  in->f->status);
}

/* ---- next: by the error code ---- */

struct code_row {
	uint32_t code;
	const char *text;
};

#define ASK_LOG "read the error in the backend's log at this millisecond"

static const struct code_row resets[] = {
	{ H2_NO_ERROR,
	  "the backend answered nothing and saw no error: look for a handler that returns early" },
	{ H2_PROTOCOL_ERROR,
	  "the backend did not like what the gateway sent: compare header sizes, forbidden headers, versions" },
	{ H2_INTERNAL_ERROR,
	  "look at the backend's log for a crash or panic of the handler at this millisecond" },
	{ H2_CANCEL,
	  "the backend gave this request up: look for its own deadline, or that of the next hop" },
	{ H2_ENHANCE_YOUR_CALM,
	  "the backend limits how often: pings, resets or requests of a connection; its limits against the gateway's" },
	{ H2_HTTP_1_1_REQUIRED, "let the gateway speak HTTP/1.1 to this backend" },
};

static const struct code_row goaways[] = {
	{ H2_NO_ERROR,
	  "a restart, or a limit of age or requests per connection: let the gateway retry such requests" },
	{ H2_PROTOCOL_ERROR,
	  "the backend did not like what the gateway sent on this connection: compare their HTTP/2 versions" },
	{ H2_ENHANCE_YOUR_CALM,
	  "the backend limits how often: pings, resets or requests of a connection; its limits against the gateway's" },
};

static const char *by_code(const struct code_row *rows, size_t n, uint32_t code)
{
	for (size_t i = 0; i < n; i++) {
		if (rows[i].code == code)
			return rows[i].text;
	}
	return ASK_LOG;
}

SAY_SHARED(next_h2_reset)
{
	(void)w;
	words_put(out, cap, "%s",
		  by_code(resets, ARRAY_SIZE(resets), in->facts ? in->facts->l->h2_error : ~0u));
}

SAY_SHARED(next_h2_goaway)
{
	(void)w;
	words_put(out, cap, "%s",
		  by_code(goaways, ARRAY_SIZE(goaways), in->facts ? in->facts->l->h2_error : ~0u));
}
