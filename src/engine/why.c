/* SPDX-License-Identifier: BSD-2-Clause */
/* Why: the cause's sentence with the numbers of this case. One row per cause. */
#include "engine/words.h"

SAY(why_conn_refused)
{
	words_put(out, cap, "%s refused the connection %s after the SYN: nothing listens there",
		  w->up, w->elapsed);
}

SAY(why_refused_firewall)
{
	const struct w5_leg *l = in->facts->l;
	char from[TEXT_ADDR_MAX] = "an ICMP message";

	if (l->icmp_type)
		text_addr(from, sizeof(from), &l->icmp_from);
	if (l->rst_ttl)
		words_put(
			out, cap,
			"a device on the way refused the connection to %s: TTL %u, but %u from %s",
			w->up, l->rst_ttl, in->facts->ref_ttl, w->up);
	else
		words_put(out, cap,
			  "the connection to %s was refused by %s, not by a RST of %s itself",
			  w->up, from, w->up);
}

SAY(why_conn_timeout)
{
	words_put(out, cap, "%s did not answer %u connection attempt%s (SYN) in %s", w->up,
		  in->facts->l->syn_sent, in->facts->l->syn_sent == 1 ? "" : "s", w->elapsed);
}

SAY(why_host_local)
{
	words_put(out, cap,
		  "%s does not answer on the local network: ARP/ND failed, no SYN left this host",
		  w->up);
}

SAY(why_host_icmp)
{
	const struct w5_leg *l = in->facts->l;
	char from[TEXT_ADDR_MAX];

	if (l->icmp_type) {
		text_addr(from, sizeof(from), &l->icmp_from);
		words_put(out, cap,
			  "%s reported %s unreachable (ICMP type %u code %u) %s after the SYN",
			  from, w->up, l->icmp_type, l->icmp_code, w->elapsed);
		return;
	}
	words_put(out, cap, "a router reported %s unreachable (%s) %s after the SYN", w->up, w->err,
		  w->elapsed);
}

SAY(why_no_live)
{
	const struct failure *e = in->earlier;
	char up[TEXT_ENDPOINT_MAX] = "", ago[16] = "";

	if (e) {
		text_endpoint(up, sizeof(up), &e->ip, e->port);
		text_duration(ago, sizeof(ago), in->f->ts_ns - e->ts_ns);
		words_put(
			out, cap,
			"the gateway did not try: it had marked every backend as down; %s failed %s before%s%s",
			up, ago, e->cause ? ": " : "", e->cause ? cause_name(e->cause) : "");
	} else if (in->log) {
		words_put(out, cap,
			  "the gateway found no server to try: its log has the name of "
			  "the group in place of an address");
	}
}

SAY(why_race)
{
	if (in->facts->fin_first) {
		char before[16];

		text_duration(before, sizeof(before),
			      in->facts->l->req_ns - in->facts->l->fin_in_ns);
		words_put(out, cap,
			  "%s closed the connection, idle for %s, %s before the gateway reused it",
			  w->up, w->idle, before);
		return;
	}
	words_put(out, cap, "%s closed the connection, idle for %s, just as the gateway reused it",
		  w->up, w->idle);
}

SAY(why_closed_on_request)
{
	words_put(
		out, cap,
		"%s closed the reused connection (request %u on it, idle %s) %s after the request",
		w->up, in->facts->l->nr, w->idle, w->elapsed);
}

SAY(why_stale_reset)
{
	words_put(
		out, cap,
		"%s no longer knew the connection after %s of silence (RST without ACK, no FIN before)",
		w->up, w->idle);
}

SAY(why_blackhole)
{
	words_put(
		out, cap,
		"after %s of silence nothing got through to %s any more: no ACK for the request in %s",
		w->idle, w->up, w->elapsed);
}

SAY(why_reset)
{
	if (in->facts->acked)
		words_put(
			out, cap,
			"%s took the request and reset the connection %s later, without a byte of response",
			w->up, w->elapsed);
	else
		words_put(
			out, cap,
			"%s reset the connection %s after the request, without a byte of response",
			w->up, w->elapsed);
}

SAY(why_closed)
{
	if (in->facts->fin_first && !in->facts->reused)
		words_put(out, cap,
			  "%s accepted the connection and closed it before the request came",
			  w->up);
	else
		words_put(
			out, cap,
			"%s took the request and closed the connection %s later, without a byte of response",
			w->up, w->elapsed);
}

SAY(why_truncated)
{
	words_put(out, cap, "%s stopped in the middle of the response header: %u bytes, then %s",
		  w->up, in->facts->l->resp_bytes, in->facts->peer_rst ? "RST" : "FIN");
}

SAY(why_cut)
{
	if (in->facts->stream) {
		why_h2_cut(out, cap, in, w);
		return;
	}
	words_put(out, cap, "%s cut its response short: %u bytes%s, %s, then %s", w->up,
		  in->facts->l->resp_bytes, in->facts->l->flags & W5_F_TEXT ? " at most (TLS)" : "",
		  head_resp_chunked(in->facts->l) ? "without the last chunk"
						  : "less than its Content-Length",
		  in->facts->peer_rst ? "RST" : "FIN");
}

SAY(why_too_big)
{
	words_put(out, cap,
		  "the response header of %s did not fit the gateway's buffer (%u bytes received)",
		  w->up, in->facts->l->resp_bytes);
}

SAY(why_invalid)
{
	words_put(out, cap, "%s sent a response header the gateway could not take", w->up);
}

SAY(why_not_http)
{
	const struct w5_leg *l = in->facts->l;
	char bytes[72];

	text_escape(bytes, sizeof(bytes), l->resp, l->resp_len < 16 ? l->resp_len : 16);
	words_put(out, cap, "%s did not answer in HTTP; first bytes: %s", w->up, bytes);
}

static const char *unread_because(const struct facts *x)
{
	if (x->l->proto == W5_PROTO_TLS)
		return "TLS";
	return x->l->stream || x->l->proto == W5_PROTO_H2
		       ? "HTTP/2"
		       : "the first one on a TLS connection older than why502";
}

SAY(why_5xx)
{
	if (in->facts->opaque_answer) {
		words_put(out, cap,
			  "%s sent an answer that cannot be read (%s); it looks passed on: the %s",
			  w->up, unread_because(in->facts),
			  in->facts->stream ? "stream was not reset" : "connection was kept");
		return;
	}
	if (in->facts->answered_badly) {
		why_grpc(out, cap, in, w);
		return;
	}
	words_put(out, cap, "%s answered %u itself; the gateway only passed it on", w->up,
		  in->f->status);
}

SAY(why_slow)
{
	words_put(out, cap,
		  "%s had the request but sent no byte in %s; then the gateway's timer ran out",
		  w->up, w->elapsed);
}

SAY(why_accept)
{
	const struct w5_leg *l = in->facts->l;

	if (l->flags & W5_F_QUEUE_FULL)
		words_put(out, cap,
			  "%s had no room for the new connection: its listener, on this host, had "
			  "a full queue",
			  w->up);
	else if (in->facts->connecting && l->estab_ns > l->open_ns)
		words_put(
			out, cap,
			"%s let others in but ignored %u attempts (SYN) of this connection in %s: "
			"its queue is full",
			w->up, l->syn_sent, w->elapsed);
	else if (!in->facts->connecting && !l->nr)
		words_put(out, cap,
			  "%s reset the new connection at once, without ACK: its queue is full "
			  "(tcp_abort_on_overflow)",
			  w->up);
	else
		words_put(out, cap,
			  "%s did not take the new connection in: its queue is full (or its "
			  "listener restarted)",
			  w->up);
}

SAY(why_zero_window)
{
	const struct w5_leg *l = in->facts->l;

	words_put(out, cap, "%s stopped reading the request: window 0, %u of %u bytes taken", w->up,
		  l->req_acked, l->req_bytes);
}

SAY(why_loss)
{
	words_put(out, cap,
		  "packets to %s were lost: request sent %u more times in %s, never acknowledged",
		  w->up, in->facts->l->retrans, w->elapsed);
}

SAY(why_pmtu)
{
	if (in->facts->gap) {
		words_put(
			out, cap,
			"only large packets from %s disappear: later bytes of its response came, the ones before never",
			w->up);
		return;
	}
	words_put(
		out, cap,
		"only large packets to %s disappear: %u bytes never got through, small requests do",
		w->up, in->facts->l->req_bytes);
}

SAY(why_middlebox)
{
	words_put(
		out, cap,
		"a device between gateway and %s forged the reset: TTL %u, but %u from the backend",
		w->up, in->facts->l->rst_ttl, in->facts->ref_ttl);
}

SAY(why_early)
{
	words_put(out, cap, "%s answered %u and closed before the upload was finished", w->up,
		  in->facts->l->status);
}

SAY(why_client)
{
	words_put(out, cap, "the client left %s after its request, before the answer", w->asked);
}

SAY(why_gateway_timeout)
{
	if (in->facts)
		words_put(out, cap,
			  "the gateway gave up on %s after %s; the kernel reported no error", w->up,
			  w->elapsed);
	else
		words_put(
			out, cap,
			"the gateway had closed the idle client connection before the request came");
}

SAY(why_generated)
{
	words_put(out, cap,
		  "the gateway made this status itself: no upstream was tried and none had failed");
}

SAY(why_recovered)
{
	const struct finding *f = in->f;
	const struct attempt *a = NULL;
	char up[TEXT_ENDPOINT_MAX];

	for (size_t i = 0; i < f->nattempts && !a; i++)
		a = f->attempts[i].cause ? &f->attempts[i] : NULL;
	if (!a)
		return;
	text_upstream(up, sizeof(up), &a->leg);
	words_put(out, cap, "%s %s, but a retry answered %u", up, cause_brief(a->cause), f->status);
}

static const say_fn whys[] = {
	[CAUSE_NONE] = why_open,
	[CAUSE_CONN_REFUSED] = why_conn_refused,
	[CAUSE_CONN_REFUSED_FIREWALL] = why_refused_firewall,
	[CAUSE_CONN_TIMEOUT_SYN] = why_conn_timeout,
	[CAUSE_HOST_UNREACHABLE_LOCAL] = why_host_local,
	[CAUSE_HOST_UNREACHABLE_ICMP] = why_host_icmp,
	[CAUSE_NO_ROUTE] = why_no_route,
	[CAUSE_LOCAL_PORT_EXHAUSTED] = why_local_port,
	[CAUSE_FD_LIMIT] = why_fd_limit,
	[CAUSE_POOL_LIMIT] = why_pool,
	[CAUSE_NO_LIVE_UPSTREAM] = why_no_live,
	[CAUSE_KEEPALIVE_RACE] = why_race,
	[CAUSE_KEEPALIVE_CLOSED_ON_REQUEST] = why_closed_on_request,
	[CAUSE_STALE_CONNECTION_RESET] = why_stale_reset,
	[CAUSE_STALE_CONNECTION_BLACKHOLE] = why_blackhole,
	[CAUSE_RESET_BEFORE_RESPONSE] = why_reset,
	[CAUSE_CLOSED_BEFORE_RESPONSE] = why_closed,
	[CAUSE_BACKEND_KILLED] = why_killed,
	[CAUSE_TRUNCATED_HEADER] = why_truncated,
	[CAUSE_TRUNCATED_BODY] = why_cut,
	[CAUSE_HEADER_TOO_BIG] = why_too_big,
	[CAUSE_INVALID_HEADER] = why_invalid,
	[CAUSE_NOT_HTTP] = why_not_http,
	[CAUSE_TLS_HANDSHAKE_FAILED] = why_tls,
	[CAUSE_TLS_PLAINTEXT_MISMATCH] = why_tls_mismatch,
	[CAUSE_H2_STREAM_RESET] = why_h2_reset,
	[CAUSE_H2_REFUSED_STREAM] = why_h2_refused,
	[CAUSE_H2_GOAWAY] = why_h2_goaway,
	[CAUSE_BACKEND_5XX] = why_5xx,
	[CAUSE_BACKEND_SLOW] = why_slow,
	[CAUSE_ACCEPT_QUEUE_OVERFLOW] = why_accept,
	[CAUSE_ZERO_WINDOW] = why_zero_window,
	[CAUSE_PATH_LOSS] = why_loss,
	[CAUSE_PMTU_BLACKHOLE] = why_pmtu,
	[CAUSE_MIDDLEBOX_RESET] = why_middlebox,
	[CAUSE_EARLY_RESPONSE_RESET] = why_early,
	[CAUSE_WRONG_PEER] = why_wrong_peer,
	[CAUSE_DNS_FAILURE] = why_dns,
	[CAUSE_CLIENT_ABORT] = why_client,
	[CAUSE_GATEWAY_TIMEOUT_LOCAL] = why_gateway_timeout,
	[CAUSE_UNIX_SOCKET_ERROR] = why_unix,
	[CAUSE_GATEWAY_GENERATED] = why_generated,
	[CAUSE_RETRY_RECOVERED] = why_recovered,
	[CAUSE_INSUFFICIENT_EVIDENCE] = why_open,
};

_Static_assert(ARRAY_SIZE(whys) == CAUSE_MAX, "one row per cause");

void sentence_why(char *out, size_t cap, const struct sentence_input *in)
{
	struct words w;

	words_of(&w, in);
	out[0] = '\0';
	whys[in->f->cause](out, cap, in, &w);
}
