/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of a finding: why, next step, evidence, with the numbers filled in. Plain
 * ASCII; bytes from the wire come in escaped only.
 */
#include "engine/facts.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"

struct words {
	char up[TEXT_ENDPOINT_MAX]; /* upstream */
	char elapsed[16], idle[16], asked[16];
	char err[32];
};

static void put(char *out, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void put(char *out, size_t cap, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out, cap, fmt, ap);
	va_end(ap);
}

static void err_name(char *out, size_t cap, int err)
{
	static const struct {
		int err;
		const char *name;
	} names[] = {
		{ 99, "EADDRNOTAVAIL" }, { 101, "ENETUNREACH" },  { 104, "ECONNRESET" },
		{ 110, "ETIMEDOUT" },	 { 111, "ECONNREFUSED" }, { 113, "EHOSTUNREACH" },
		{ 13, "EACCES" },	 { 1, "EPERM" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].err == err) {
			put(out, cap, "%s", names[i].name);
			return;
		}
	}
	put(out, cap, "errno %d", err);
}

static void words_of(struct words *w, const struct sentence_input *in)
{
	const struct facts *x = in->facts;
	const struct finding *f = in->f;

	memset(w, 0, sizeof(*w));
	put(w->up, sizeof(w->up), "the backend");
	text_duration(w->asked, sizeof(w->asked), f->duration_ns);
	if (!x)
		return;
	text_endpoint(w->up, sizeof(w->up), &x->l->remote, x->l->rport);
	text_duration(w->elapsed, sizeof(w->elapsed), x->elapsed_ns);
	text_duration(w->idle, sizeof(w->idle), x->l->idle_ns);
	err_name(w->err, sizeof(w->err), x->err);
}

/* ---- why, next: one row per cause ---- */

typedef void (*say_fn)(char *out, size_t cap, const struct sentence_input *in,
		       const struct words *w);

#define SAY(name)                                                                \
	static void name(char *out, size_t cap, const struct sentence_input *in, \
			 const struct words *w)

SAY(why_conn_refused)
{
	put(out, cap, "%s refused the connection %s after the SYN: nothing listens there", w->up,
	    w->elapsed);
}

SAY(why_refused_firewall)
{
	const struct w5_leg *l = in->facts->l;

	if (l->rst_ttl)
		put(out, cap,
		    "a device on the way refused the connection to %s: TTL %u, but %u from %s",
		    w->up, l->rst_ttl, in->facts->ref_ttl, w->up);
	else
		put(out, cap,
		    "the connection to %s was refused by an ICMP message, not by %s itself", w->up,
		    w->up);
}

SAY(why_conn_timeout)
{
	put(out, cap, "%s did not answer %u connection attempt%s (SYN) in %s", w->up,
	    in->facts->l->syn_sent, in->facts->l->syn_sent == 1 ? "" : "s", w->elapsed);
}

SAY(why_host_local)
{
	put(out, cap,
	    "%s does not answer on the local network: ARP/ND failed, no SYN left this host", w->up);
}

SAY(why_host_icmp)
{
	put(out, cap, "a router reported %s unreachable (%s) %s after the SYN", w->up, w->err,
	    w->elapsed);
}

SAY(why_no_route)
{
	put(out, cap, "this host has no route to %s (%s)", w->up, w->err);
}

SAY(why_local_port)
{
	put(out, cap, "the gateway found no free local port towards %s (EADDRNOTAVAIL)", w->up);
}

SAY(why_no_live)
{
	const struct failure *e = in->earlier;
	char up[TEXT_ENDPOINT_MAX] = "", ago[16] = "";

	if (e) {
		text_endpoint(up, sizeof(up), &e->ip, e->port);
		text_duration(ago, sizeof(ago), in->f->ts_ns - e->ts_ns);
		put(out, cap,
		    "the gateway did not try: it had marked every backend as down; %s failed %s before%s%s",
		    up, ago, e->cause ? ": " : "", e->cause ? cause_name(e->cause) : "");
	}
}

SAY(why_race)
{
	if (in->facts->fin_first) {
		char before[16];

		text_duration(before, sizeof(before),
			      in->facts->l->req_ns - in->facts->l->fin_in_ns);
		put(out, cap,
		    "%s closed the connection, idle for %s, %s before the gateway reused it", w->up,
		    w->idle, before);
		return;
	}
	put(out, cap, "%s closed the connection, idle for %s, just as the gateway reused it", w->up,
	    w->idle);
}

SAY(why_closed_on_request)
{
	put(out, cap,
	    "%s closed the reused connection (request %u on it, idle %s) %s after the request",
	    w->up, in->facts->l->nr, w->idle, w->elapsed);
}

SAY(why_stale_reset)
{
	put(out, cap,
	    "%s no longer knew the connection after %s of silence (RST without ACK, no FIN before)",
	    w->up, w->idle);
}

SAY(why_blackhole)
{
	put(out, cap,
	    "after %s of silence nothing got through to %s any more: no ACK for the request in %s",
	    w->idle, w->up, w->elapsed);
}

SAY(why_reset)
{
	if (in->facts->acked)
		put(out, cap,
		    "%s took the request and reset the connection %s later, without a byte of response",
		    w->up, w->elapsed);
	else
		put(out, cap,
		    "%s reset the connection %s after the request, without a byte of response",
		    w->up, w->elapsed);
}

SAY(why_closed)
{
	if (in->facts->fin_first && !in->facts->reused)
		put(out, cap, "%s accepted the connection and closed it before the request came",
		    w->up);
	else
		put(out, cap,
		    "%s took the request and closed the connection %s later, without a byte of response",
		    w->up, w->elapsed);
}

SAY(why_truncated)
{
	put(out, cap, "%s stopped in the middle of the response header: %u bytes, then %s", w->up,
	    in->facts->l->resp_bytes, in->facts->peer_rst ? "RST" : "FIN");
}

SAY(why_cut)
{
	put(out, cap, "%s cut its response short: %u bytes, less than its Content-Length, then %s",
	    w->up, in->facts->l->resp_bytes, in->facts->peer_rst ? "RST" : "FIN");
}

SAY(why_too_big)
{
	put(out, cap,
	    "the response header of %s did not fit the gateway's buffer (%u bytes received)", w->up,
	    in->facts->l->resp_bytes);
}

SAY(why_invalid)
{
	put(out, cap, "%s sent a response header the gateway could not take", w->up);
}

SAY(why_not_http)
{
	const struct w5_leg *l = in->facts->l;
	char bytes[72];

	text_escape(bytes, sizeof(bytes), l->resp, l->resp_len < 16 ? l->resp_len : 16);
	put(out, cap, "%s did not answer in HTTP; first bytes: %s", w->up, bytes);
}

SAY(why_tls)
{
	const struct w5_leg *l = in->facts->l;

	if (in->facts->resp == RESP_TLS && l->resp_len >= 7)
		put(out, cap, "%s ended the TLS handshake with alert %u", w->up, l->resp[6]);
	else
		put(out, cap, "%s ended the connection during the TLS handshake", w->up);
}

SAY(why_tls_mismatch)
{
	if (in->facts->l->proto == W5_PROTO_TLS)
		put(out, cap, "the gateway spoke TLS to %s, which answered in plain HTTP", w->up);
	else
		put(out, cap, "the gateway spoke plain HTTP to %s, which answered in TLS", w->up);
}

SAY(why_5xx)
{
	put(out, cap, "%s answered %u itself; the gateway only passed it on", w->up, in->f->status);
}

SAY(why_slow)
{
	put(out, cap, "%s had the request but sent no byte in %s; then the gateway's timer ran out",
	    w->up, w->elapsed);
}

SAY(why_accept)
{
	put(out, cap,
	    "%s did not take the new connection in: its queue is full (or its listener restarted)",
	    w->up);
}

SAY(why_zero_window)
{
	const struct w5_leg *l = in->facts->l;

	put(out, cap, "%s stopped reading the request: window 0, %u of %u bytes taken", w->up,
	    l->req_acked, l->req_bytes);
}

SAY(why_loss)
{
	put(out, cap,
	    "packets to %s were lost: request sent %u more times in %s, never acknowledged", w->up,
	    in->facts->l->retrans, w->elapsed);
}

SAY(why_pmtu)
{
	if (in->facts->gap) {
		put(out, cap,
		    "only large packets from %s disappear: later bytes of its response came, the ones before never",
		    w->up);
		return;
	}
	put(out, cap,
	    "only large packets to %s disappear: %u bytes never got through, small requests do",
	    w->up, in->facts->l->req_bytes);
}

SAY(why_middlebox)
{
	put(out, cap,
	    "a device between gateway and %s forged the reset: TTL %u, but %u from the backend",
	    w->up, in->facts->l->rst_ttl, in->facts->ref_ttl);
}

SAY(why_early)
{
	put(out, cap, "%s answered %u and closed before the upload was finished", w->up,
	    in->facts->l->status);
}

SAY(why_client)
{
	put(out, cap, "the client left %s after its request, before the answer", w->asked);
}

SAY(why_gateway_timeout)
{
	if (in->facts)
		put(out, cap, "the gateway gave up on %s after %s; the kernel reported no error",
		    w->up, w->elapsed);
	else
		put(out, cap,
		    "the gateway had closed the idle client connection before the request came");
}

SAY(why_generated)
{
	put(out, cap,
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
	text_endpoint(up, sizeof(up), &a->leg.remote, a->leg.rport);
	put(out, cap, "%s %s, but a retry answered %u", up, cause_brief(a->cause), f->status);
}

SAY(why_open)
{
	put(out, cap, "%s", in->doubt ? in->doubt : "the facts do not single out one cause");
}

/* The next steps, as DESIGN and the catalogue give them. */
SAY(next_race)
{
	put(out, cap,
	    "make the gateway's upstream keepalive timeout shorter than the idle timeout of %s (it closed after %s)",
	    w->up, w->idle);
}

SAY(next_refused)
{
	put(out, cap, "check that the service runs and listens on exactly %s (ss -ltn there)",
	    w->up);
}

SAY(next_timeout)
{
	const struct upstream *u = in->facts ? in->facts->up : NULL;

	if (u && in->facts->l->open_ns < u->last_connect_ok_ns + 60 * NS_PER_S)
		put(out, cap,
		    "other connections to %s succeeded within a minute: check its accept queue (ss -ltn, ListenOverflows) first",
		    w->up);
	else
		put(out, cap,
		    "capture on %s: if SYNs arrive check its accept queue, otherwise firewall and route",
		    w->up);
}

SAY(next_slow)
{
	put(out, cap, "compare the latency of %s with the gateway's timeout (%s)", w->up,
	    w->elapsed);
}

SAY(next_gateway_timeout)
{
	if (in->facts)
		put(out, cap, "the gateway's timer is %s: raise it or fix the slow part",
		    w->elapsed);
	else
		put(out, cap,
		    "make the gateway's client keepalive timeout longer than the client's");
}

SAY(next_no_live)
{
	if (in->earlier && in->earlier->finding_id)
		put(out, cap,
		    "read finding %llu, the failure that caused the marking; reconsider max_fails",
		    (unsigned long long)in->earlier->finding_id);
	else
		put(out, cap,
		    "find the earlier failure that caused the marking; reconsider max_fails");
}

SAY(next_client)
{
	put(out, cap, "compare the client's or front's timeout (%s) with the response time",
	    w->asked);
}

SAY(next_route)
{
	char ip[TEXT_ADDR_MAX];

	text_addr(ip, sizeof(ip), &in->facts->l->remote);
	put(out, cap, "ip route get %s; add or repair the route", ip);
}

SAY(next_neigh)
{
	char ip[TEXT_ADDR_MAX];

	text_addr(ip, sizeof(ip), &in->facts->l->remote);
	put(out, cap, "check that the host of %s is up and in this subnet (ip neigh)", ip);
}

struct words_row {
	say_fn why, next;
	const char *next_text; /* where no number belongs into it */
};

#define INSUFFICIENT_NEXT "see the evidence; keep why502 running and catch the next one with -w"

static const struct words_row rows[CAUSE_MAX] = {
	[CAUSE_NONE] = { .why = why_open, .next_text = "" },
	[CAUSE_CONN_REFUSED] = { .why = why_conn_refused, .next = next_refused },
	[CAUSE_CONN_REFUSED_FIREWALL] = { .why = why_refused_firewall,
					  .next_text =
						  "ask who owns the device on the way; check its rules for this port" },
	[CAUSE_CONN_TIMEOUT_SYN] = { .why = why_conn_timeout, .next = next_timeout },
	[CAUSE_HOST_UNREACHABLE_LOCAL] = { .why = why_host_local, .next = next_neigh },
	[CAUSE_HOST_UNREACHABLE_ICMP] = { .why = why_host_icmp,
					  .next_text =
						  "fix the route or host behind the router that reported it (ICMP source in the packets)" },
	[CAUSE_NO_ROUTE] = { .why = why_no_route, .next = next_route },
	[CAUSE_LOCAL_PORT_EXHAUSTED] = { .why = why_local_port,
					 .next_text =
						 "enable upstream keep-alive or widen net.ipv4.ip_local_port_range" },
	[CAUSE_FD_LIMIT] = { .why = why_open, .next_text = "raise LimitNOFILE and look for leaks" },
	[CAUSE_POOL_LIMIT] = { .why = why_open,
			       .next_text =
				       "raise the gateway's connection limit or add backends" },
	[CAUSE_NO_LIVE_UPSTREAM] = { .why = why_no_live, .next = next_no_live },
	[CAUSE_KEEPALIVE_RACE] = { .why = why_race, .next = next_race },
	[CAUSE_KEEPALIVE_CLOSED_ON_REQUEST] = { .why = why_closed_on_request,
						.next_text =
							"check the backend's requests-per-connection limit and its graceful shutdown" },
	[CAUSE_STALE_CONNECTION_RESET] = { .why = why_stale_reset,
					   .next_text =
						   "correlate with restarts and failovers of the backend; enable TCP keepalive" },
	[CAUSE_STALE_CONNECTION_BLACKHOLE] = { .why = why_blackhole,
					       .next_text =
						       "shorten the pool's idle time or send TCP keepalives below the NAT/firewall timeout" },
	[CAUSE_RESET_BEFORE_RESPONSE] = { .why = why_reset,
					  .next_text =
						  "look at the backend's log for a crash or abort at this millisecond" },
	[CAUSE_CLOSED_BEFORE_RESPONSE] = { .why = why_closed,
					   .next_text =
						   "look for killed, crashed or timed-out workers on the backend (OOM, worker timeout)" },
	[CAUSE_BACKEND_KILLED] = { .why = why_closed,
				   .next_text = "check the OOM killer, signals and core dumps" },
	[CAUSE_TRUNCATED_HEADER] = { .why = why_truncated,
				     .next_text =
					     "check the backend for a crash while it wrote the response" },
	[CAUSE_TRUNCATED_BODY] = { .why = why_cut,
				   .next_text =
					   "check backend errors: clients saw a good status with missing data" },
	[CAUSE_HEADER_TOO_BIG] = { .why = why_too_big,
				   .next_text =
					   "raise the gateway's header buffer (nginx proxy_buffer_size) or shrink cookies/headers" },
	[CAUSE_INVALID_HEADER] = { .why = why_invalid,
				   .next_text =
					   "fix the application's response header (bytes in the packets)" },
	[CAUSE_NOT_HTTP] = { .why = why_not_http,
			     .next_text = "check port and scheme of the upstream address" },
	[CAUSE_TLS_HANDSHAKE_FAILED] = { .why = why_tls,
					 .next_text =
						 "check SNI, certificate and TLS version towards this backend" },
	[CAUSE_TLS_PLAINTEXT_MISMATCH] = { .why = why_tls_mismatch,
					   .next_text =
						   "correct http/https in the upstream address" },
	[CAUSE_BACKEND_5XX] = { .why = why_5xx, .next_text = "continue at the next hop" },
	[CAUSE_BACKEND_SLOW] = { .why = why_slow, .next = next_slow },
	[CAUSE_ACCEPT_QUEUE_OVERFLOW] = { .why = why_accept,
					  .next_text =
						  "raise the backend's backlog and somaxconn or add workers (ss -ltn, ListenOverflows there)" },
	[CAUSE_ZERO_WINDOW] = { .why = why_zero_window,
				.next_text = "find the blocked worker that stopped reading" },
	[CAUSE_PATH_LOSS] = { .why = why_loss,
			      .next_text = "check the network path to the backend for loss" },
	[CAUSE_PMTU_BLACKHOLE] = { .why = why_pmtu,
				   .next_text =
					   "clamp the MSS or fix MTU/ICMP filtering on the path" },
	[CAUSE_MIDDLEBOX_RESET] = { .why = why_middlebox,
				    .next_text =
					    "inspect the WAF, IPS, NAT or load balancer at that hop distance" },
	[CAUSE_EARLY_RESPONSE_RESET] = { .why = why_early,
					 .next_text =
						 "let the backend read the body, or reject earlier at the gateway" },
	[CAUSE_WRONG_PEER] = { .why = why_open, .next_text = "refresh DNS or endpoints" },
	[CAUSE_DNS_FAILURE] = { .why = why_open, .next_text = "check the resolver" },
	[CAUSE_CLIENT_ABORT] = { .why = why_client, .next = next_client },
	[CAUSE_GATEWAY_TIMEOUT_LOCAL] = { .why = why_gateway_timeout,
					  .next = next_gateway_timeout },
	[CAUSE_UNIX_SOCKET_ERROR] = { .why = why_open,
				      .next_text =
					      "check permissions and backlog of the socket file" },
	[CAUSE_GATEWAY_GENERATED] = { .why = why_generated,
				      .next_text =
					      "check the gateway's rules for this request (return, error_page, limits, auth)" },
	[CAUSE_RETRY_RECOVERED] = { .why = why_recovered,
				    .next_text =
					    "fix the cause before it hits requests that cannot be retried" },
	[CAUSE_INSUFFICIENT_EVIDENCE] = { .why = why_open, .next_text = INSUFFICIENT_NEXT },
};

void sentence_why(char *out, size_t cap, const struct sentence_input *in)
{
	const struct words_row *r = &rows[in->f->cause];
	struct words w;

	words_of(&w, in);
	out[0] = '\0';
	r->why(out, cap, in, &w);
}

void sentence_next(char *out, size_t cap, const struct sentence_input *in)
{
	const struct words_row *r = &rows[in->f->cause];
	struct words w;

	words_of(&w, in);
	out[0] = '\0';
	if (r->next)
		r->next(out, cap, in, &w);
	else
		put(out, cap, "%s", r->next_text);
}
