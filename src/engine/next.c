/* SPDX-License-Identifier: BSD-2-Clause */
/* The next step, as the catalogue gives it. One row per cause. */
#include "engine/words.h"

static void put_ms(char *out, size_t cap, const char *fmt, uint32_t ms)
{
	char text[16];

	text_duration(text, sizeof(text), ms * NS_PER_MS);
	snprintf(out, cap, fmt, text);
}

SAY(next_race)
{
	const struct finding_idle *t = &in->f->idle;
	char ours[48] = "", theirs[48], seen[32] = "", said[48] = "";

	if (t->gateway_ms)
		put_ms(ours, sizeof(ours), " (%s)", t->gateway_ms);
	else if (t->elsewhere_ms)
		put_ms(ours, sizeof(ours), " (%s with other upstreams)", t->elsewhere_ms);
	if (t->backend_ms) {
		put_ms(theirs, sizeof(theirs), "%s", t->backend_ms);
		snprintf(seen, sizeof(seen), ", seen %u times", t->closed);
	} else {
		snprintf(theirs, sizeof(theirs), "it closed after %s", w->idle);
	}
	if (t->said_ms)
		put_ms(said, sizeof(said), "; its Keep-Alive header says %s", t->said_ms);
	words_put(
		out, cap,
		"make the gateway's upstream keepalive timeout%s shorter than the idle timeout of %s (%s%s%s)",
		ours, w->up, theirs, seen, said);
}

SAY(next_closed_on_request)
{
	const struct finding_idle *t = &in->f->idle;
	char limit[64] = "";

	if (t->max)
		snprintf(limit, sizeof(limit), " (its Keep-Alive header says max=%u)", t->max);
	words_put(out, cap,
		  "check the backend's requests-per-connection limit%s and its graceful shutdown",
		  limit);
}

SAY(next_refused)
{
	words_put(out, cap, "check that the service runs and listens on exactly %s (ss -ltn there)",
		  w->up);
}

SAY(next_timeout)
{
	const struct upstream *u = in->facts ? in->facts->up : NULL;

	if (u && in->facts->l->open_ns < u->last_connect_ok_ns + 60 * NS_PER_S)
		words_put(
			out, cap,
			"other connections to %s succeeded within a minute: check its accept queue (ss -ltn, ListenOverflows) first",
			w->up);
	else
		words_put(
			out, cap,
			"capture on %s: if SYNs arrive check its accept queue, otherwise firewall and route",
			w->up);
}

SAY(next_slow)
{
	const struct finding_timer *t = &in->f->timer;
	char late[16], timer[16];

	if (t->late_seen) {
		text_duration(late, sizeof(late), t->late_longest_ns);
		text_duration(timer, sizeof(timer), t->ns);
		words_put(out, cap,
			  "%s answers such requests after %s, the gateway waits %s: make the one "
			  "faster or the other longer",
			  w->up, late, timer);
		return;
	}
	words_put(out, cap, "compare the latency of %s with the gateway's timeout (%s)", w->up,
		  w->elapsed);
}

SAY(next_gateway_timeout)
{
	if (in->facts)
		words_put(out, cap, "the gateway's timer is %s: raise it or fix the slow part",
			  w->elapsed);
	else
		words_put(out, cap,
			  "make the gateway's client keepalive timeout longer than the client's");
}

SAY(next_no_live)
{
	if (in->earlier && in->earlier->finding_id)
		words_put(
			out, cap,
			"read finding %llu, the failure that caused the marking; reconsider max_fails",
			(unsigned long long)in->earlier->finding_id);
	else
		words_put(out, cap,
			  "find the earlier failure that caused the marking; reconsider max_fails");
}

SAY(next_client)
{
	words_put(out, cap, "compare the client's or front's timeout (%s) with the response time",
		  w->asked);
}

SAY(next_neigh)
{
	char ip[TEXT_ADDR_MAX];

	text_addr(ip, sizeof(ip), &in->facts->l->remote);
	words_put(out, cap, "check that the host of %s is up and in this subnet (ip neigh)", ip);
}

/* Administratively prohibited: RFC 1122 3.2.2.1 and RFC 1812 5.2.7.1; RFC 4443 3.1. */
static bool is_forbidden(const struct w5_leg *l)
{
	if (l->icmp_type == 3)
		return l->icmp_code == 9 || l->icmp_code == 10 || l->icmp_code == 13;
	return l->icmp_type == 1 && (l->icmp_code == 1 || l->icmp_code == 5);
}

SAY(next_icmp)
{
	const struct w5_leg *l = in->facts->l;
	char from[TEXT_ADDR_MAX] = "the router that reported it";

	if (l->icmp_type)
		text_addr(from, sizeof(from), &l->icmp_from);
	if (is_forbidden(l))
		words_put(out, cap, "%s forbids this: check its firewall", from);
	else
		words_put(out, cap, "fix the route or host behind %s", from);
}

struct next_row {
	say_fn say;
	const char *text; /* where no number belongs into it */
};

static const struct next_row nexts[] = {
	[CAUSE_NONE] = { .text = "" },
	[CAUSE_CONN_REFUSED] = { .say = next_refused },
	[CAUSE_CONN_REFUSED_FIREWALL] = { .text = "ask who owns the device on the way; check its rules for this port" },
	[CAUSE_CONN_TIMEOUT_SYN] = { .say = next_timeout },
	[CAUSE_HOST_UNREACHABLE_LOCAL] = { .say = next_neigh },
	[CAUSE_HOST_UNREACHABLE_ICMP] = { .say = next_icmp },
	[CAUSE_NO_ROUTE] = { .say = next_route },
	[CAUSE_LOCAL_PORT_EXHAUSTED] = { .say = next_local_port },
	[CAUSE_FD_LIMIT] = { .say = next_fd_limit },
	[CAUSE_POOL_LIMIT] = { .say = next_pool },
	[CAUSE_NO_LIVE_UPSTREAM] = { .say = next_no_live },
	[CAUSE_KEEPALIVE_RACE] = { .say = next_race },
	[CAUSE_KEEPALIVE_CLOSED_ON_REQUEST] = { .say = next_closed_on_request },
	[CAUSE_STALE_CONNECTION_RESET] = { .text = "correlate with restarts and failovers of the backend; enable TCP keepalive" },
	[CAUSE_STALE_CONNECTION_BLACKHOLE] = { .text = "shorten the pool's idle time or send TCP keepalives below the NAT/firewall timeout" },
	[CAUSE_RESET_BEFORE_RESPONSE] = { .text = "look at the backend's log for a crash or abort at this millisecond" },
	[CAUSE_CLOSED_BEFORE_RESPONSE] = { .text = "look for killed, crashed or timed-out workers on the backend (OOM, worker timeout)" },
	[CAUSE_BACKEND_KILLED] = { .say = next_killed },
	[CAUSE_TRUNCATED_HEADER] = { .text = "check the backend for a crash while it wrote the response" },
	[CAUSE_TRUNCATED_BODY] = { .text = "check backend errors: clients saw a good status with missing data" },
	[CAUSE_HEADER_TOO_BIG] = { .text = "raise the gateway's header buffer (nginx proxy_buffer_size) or shrink cookies/headers" },
	[CAUSE_INVALID_HEADER] = { .text = "fix the application's response header (bytes in the packets)" },
	[CAUSE_NOT_HTTP] = { .text = "check port and scheme of the upstream address" },
	[CAUSE_TLS_HANDSHAKE_FAILED] = { .say = next_tls },
	[CAUSE_TLS_PLAINTEXT_MISMATCH] = { .say = next_tls_mismatch },
	[CAUSE_H2_STREAM_RESET] = { .say = next_h2_reset },
	[CAUSE_H2_REFUSED_STREAM] = { .text = "raise the backend's limit of concurrent streams, or let the gateway retry: it did not process this one" },
	[CAUSE_H2_GOAWAY] = { .say = next_h2_goaway },
	[CAUSE_BACKEND_5XX] = { .text = "continue at the next hop" },
	[CAUSE_BACKEND_SLOW] = { .say = next_slow },
	[CAUSE_ACCEPT_QUEUE_OVERFLOW] = { .text = "raise the backend's backlog and somaxconn or add workers (ss -ltn, ListenOverflows there)" },
	[CAUSE_ZERO_WINDOW] = { .text = "find the blocked worker that stopped reading" },
	[CAUSE_PATH_LOSS] = { .text = "check the network path to the backend for loss" },
	[CAUSE_PMTU_BLACKHOLE] = { .text = "clamp the MSS or fix MTU/ICMP filtering on the path" },
	[CAUSE_MIDDLEBOX_RESET] = { .text = "inspect the WAF, IPS, NAT or load balancer at that hop distance" },
	[CAUSE_EARLY_RESPONSE_RESET] = { .text = "let the backend read the body, or reject earlier at the gateway" },
	[CAUSE_WRONG_PEER] = { .say = next_wrong_peer },
	[CAUSE_DNS_FAILURE] = { .say = next_dns },
	[CAUSE_CLIENT_ABORT] = { .say = next_client },
	[CAUSE_GATEWAY_TIMEOUT_LOCAL] = { .say = next_gateway_timeout },
	[CAUSE_UNIX_SOCKET_ERROR] = { .say = next_unix },
	[CAUSE_GATEWAY_GENERATED] = { .text = "check the gateway's rules for this request (return, error_page, limits, auth)" },
	[CAUSE_RETRY_RECOVERED] = { .text = "fix the cause before it hits requests that cannot be retried" },
	[CAUSE_INSUFFICIENT_EVIDENCE] = { .say = next_open },
};

_Static_assert(ARRAY_SIZE(nexts) == CAUSE_MAX, "one row per cause");

void sentence_next(char *out, size_t cap, const struct sentence_input *in)
{
	const struct next_row *r = &nexts[in->f->cause];
	struct words w;

	words_of(&w, in);
	out[0] = '\0';
	if (r->say)
		r->say(out, cap, in, &w);
	else
		words_put(out, cap, "%s", r->text);
}
