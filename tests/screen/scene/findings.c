/* SPDX-License-Identifier: BSD-2-Clause */
/* The findings of scenes: one function per kind of failure, with its packets and its words. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"

#define BACKEND_SEQ 7000u
#define GATEWAY_SEQ 5000u

static struct flight *flight_of(const struct w5_leg *leg)
{
	struct flight *f = calloc(1, sizeof(*f));

	if (!f)
		exit(1);
	f->refs = 1;
	f->p.local = leg->local;
	f->p.remote = leg->remote;
	f->p.lport = leg->lport;
	f->p.rport = leg->rport;
	f->p.role = leg->role;
	return f;
}

static uint64_t next_id;

static struct finding *finding(uint64_t ts_ns, uint64_t took_ns, unsigned status, enum cause cause,
			       const char *client, const char *request)
{
	struct finding *f = calloc(1, sizeof(*f));
	const char *blank = strchr(request, ' ');

	if (!f)
		exit(1);
	f->refs = 1;
	f->id = ++next_id;
	f->ts_ns = ts_ns;
	f->wall_ns = ts_ns + WALL_OFFSET;
	f->req_ns = ts_ns - took_ns;
	f->duration_ns = took_ns;
	f->status = (uint16_t)status;
	f->sight = SIGHT_WIRE;
	f->cause = cause;
	f->verdict = status ? VERDICT_GATEWAY_MADE : VERDICT_SILENT;
	snprintf(f->gateway_name, sizeof(f->gateway_name), "nginx");
	f->gateway_group = 2210;
	snprintf(f->method, sizeof(f->method), "%.*s", (int)(blank - request), request);
	snprintf(f->target, sizeof(f->target), "%s", blank + 1);
	snprintf(f->host, sizeof(f->host), "shop.example");
	make_addr(&f->down.remote, client);
	make_addr(&f->down.local, "198.51.100.1");
	f->down.rport = 51034;
	f->down.lport = 80;
	f->down.role = W5_ROLE_DOWNSTREAM;
	f->down.tgid = f->down.tid = 2217;
	f->down.nr = 1;
	f->down.open_ns = f->req_ns - MS / 10;
	f->down.req_ns = f->req_ns;
	f->down.resp_ns = status ? ts_ns : 0;
	f->down.status = (uint16_t)status;
	f->down.head_len = (uint16_t)snprintf((char *)f->down.head, sizeof(f->down.head),
					      "%s HTTP/1.1\r\nHost: shop.example\r\n", request);
	if (status)
		f->down.resp_len = (uint16_t)snprintf((char *)f->down.resp, sizeof(f->down.resp),
						      "HTTP/1.1 %u %s\r\nServer: nginx\r\n", status,
						      status == 502   ? "Bad Gateway"
						      : status == 504 ? "Gateway Time-out"
								      : "OK");
	return f;
}

static struct attempt *attempt(struct finding *f, const char *ip, unsigned port, enum cause cause)
{
	struct attempt *more = realloc(f->attempts, (f->nattempts + 1) * sizeof(*more)), *a;

	if (!more)
		exit(1);
	f->attempts = more;
	a = &f->attempts[f->nattempts++];
	*a = (struct attempt){ .cause = cause };
	make_addr(&a->leg.remote, ip);
	make_addr(&a->leg.local, "10.0.3.2");
	a->leg.rport = (uint16_t)port;
	a->leg.lport = 41022;
	a->leg.role = W5_ROLE_UPSTREAM;
	a->leg.tgid = a->leg.tid = 2217;
	memcpy(a->leg.head, f->down.head, sizeof(a->leg.head));
	return a;
}

static void say(struct finding *f, const char *why, const char *next)
{
	snprintf(f->why, sizeof(f->why), "%s", why);
	snprintf(f->next, sizeof(f->next), "%s", next);
}

static void evidence(struct finding *f, const char *text)
{
	snprintf(f->evidence[f->nevidence++], sizeof(f->evidence[0]), "%s", text);
}

struct finding *make_refused(uint64_t ts, const char *request)
{
	struct finding *f = finding(ts, 1200000, 502, CAUSE_CONN_REFUSED, "203.0.113.9", request);

	for (int i = 0; i < 2; i++) {
		struct attempt *a = attempt(f, "10.0.3.17", 8080, CAUSE_CONN_REFUSED);
		struct w5_leg *leg = &a->leg;
		struct w5_packets *p;

		leg->lport = (uint16_t)(41030 + i);
		leg->open_ns = f->req_ns + 80000 + (uint64_t)i * 500000;
		leg->end_ns = leg->open_ns + 210000;
		leg->end = W5_END_CONNECT;
		leg->err = ECONNREFUSED;
		leg->syn_sent = 1;
		a->flight = flight_of(leg);
		p = &a->flight->p;
		make_packet(p, leg->open_ns, true, W5_TCP_SYN, GATEWAY_SEQ, 0, "");
		make_packet(p, leg->end_ns - 5000, false, W5_TCP_RST | W5_TCP_ACK, 0,
			    GATEWAY_SEQ + 1, "");
	}
	evidence(f, "SYN answered by RST with ACK after 0.205 ms, ttl 63");
	say(f, "10.0.3.17 answered the connection attempt with a reset: nothing listens on 8080.",
	    "check that the service runs on 10.0.3.17 and listens on port 8080");
	return f;
}

struct finding *make_race(uint64_t ts)
{
	struct finding *f =
		finding(ts, 402000, 502, CAUSE_KEEPALIVE_RACE, "198.51.100.4", "POST /api/cart");
	struct attempt *a = attempt(f, "10.0.3.18", 8080, CAUSE_KEEPALIVE_RACE);
	struct w5_leg *leg = &a->leg;
	struct w5_packets *p;

	leg->nr = 42;
	leg->idle_ns = 60004100000ull;
	leg->req_ns = f->req_ns + 81000;
	leg->fin_in_ns = f->req_ns - 219000;
	leg->rst_in_ns = f->req_ns + 290000;
	leg->end = W5_END_FIN_IN;
	leg->synack_ttl = 63;
	leg->rst_ttl = 63;
	leg->head_len = f->down.head_len;
	a->flight = flight_of(leg);
	p = &a->flight->p;
	make_packet(p, leg->req_ns - leg->idle_ns, false, W5_TCP_ACK | W5_TCP_PSH, BACKEND_SEQ,
		    GATEWAY_SEQ, "HTTP/1.1 200 OK\r\n");
	make_packet(p, leg->fin_in_ns, false, W5_TCP_FIN | W5_TCP_ACK, BACKEND_SEQ + 17,
		    GATEWAY_SEQ, "");
	make_packet(p, leg->fin_in_ns + 40000, true, W5_TCP_ACK, GATEWAY_SEQ, BACKEND_SEQ + 18, "");
	make_packet(p, leg->req_ns, true, W5_TCP_ACK | W5_TCP_PSH, GATEWAY_SEQ, BACKEND_SEQ + 18,
		    "POST /api/cart HTTP/1.1\r\nHost: shop.example\r\n");
	make_packet(p, leg->rst_in_ns, false, W5_TCP_RST, BACKEND_SEQ + 18, 0, "");
	evidence(f, "FIN from the backend 0.300 ms before our request was sent");
	evidence(f, "RST without ACK 0.209 ms after the request: no socket there any more");
	say(f, "the backend closed the idle connection just as the gateway reused it.",
	    "make the gateway's upstream keepalive timeout (60 s) shorter than the backend's idle "
	    "timeout (60 s)");
	return f;
}

struct finding *make_syn_timeout(uint64_t ts)
{
	struct finding *f = finding(ts, 4 * SECOND, 504, CAUSE_CONN_TIMEOUT_SYN, "2001:db8:5::77",
				    "GET /report?year=2026");
	struct attempt *a = attempt(f, "10.0.3.19", 8080, CAUSE_CONN_TIMEOUT_SYN);

	a->leg.open_ns = f->req_ns + 90000;
	a->leg.end_ns = f->req_ns + 4 * SECOND - 100000;
	a->leg.end = W5_END_CONNECT;
	a->leg.syn_sent = 3;
	a->flight = flight_of(&a->leg);
	make_packet(&a->flight->p, a->leg.open_ns, true, W5_TCP_SYN, GATEWAY_SEQ, 0, "");
	make_packet(&a->flight->p, a->leg.open_ns + SECOND, true, W5_TCP_SYN, GATEWAY_SEQ, 0, "");
	make_packet(&a->flight->p, a->leg.open_ns + 3 * SECOND, true, W5_TCP_SYN, GATEWAY_SEQ, 0,
		    "");
	evidence(f, "3 SYNs in 4.0 s, nothing came back");
	f->confidence = CONFIDENCE_LIKELY;
	say(f, "3 connection attempts got no answer at all.",
	    "capture on 10.0.3.19: if the SYNs arrive there, look at its accept queue, else at the "
	    "firewall between");
	return f;
}

/* No packets at all: only what the leg noted. */
struct finding *make_recovered(uint64_t ts)
{
	struct finding *f =
		finding(ts, 2 * MS, 200, CAUSE_RETRY_RECOVERED, "198.51.100.4", "GET /api/items");
	struct attempt *a = attempt(f, "10.0.3.18", 8080, CAUSE_RESET_BEFORE_RESPONSE);

	f->verdict = VERDICT_RECOVERED;
	a->leg.nr = 7;
	a->leg.idle_ns = 12 * SECOND;
	a->leg.req_ns = f->req_ns + 100000;
	a->leg.rst_in_ns = a->leg.end_ns = f->req_ns + 900000;
	a->leg.rst_flags = W5_TCP_RST | W5_TCP_ACK;
	a->leg.rst_ttl = 63;
	a->leg.data_ttl = 63;
	a->leg.end = W5_END_RST_IN;
	a->leg.head_len = f->down.head_len;
	a = attempt(f, "10.0.3.20", 8080, CAUSE_NONE);
	a->leg.nr = 1;
	a->leg.open_ns = f->req_ns + 950000;
	a->leg.estab_ns = f->req_ns + 1100000;
	a->leg.synack_ttl = 63;
	a->leg.syn_sent = 1;
	a->leg.req_ns = f->req_ns + 1110000;
	a->leg.resp_ns = f->req_ns + 1900000;
	a->leg.status = 200;
	a->leg.head_len = f->down.head_len;
	say(f, "the first attempt was reset after the request; the retry answered 200.",
	    "fix the cause before it hits requests that cannot be retried");
	return f;
}

struct finding *make_abort(uint64_t ts)
{
	struct finding *f = finding(ts, SECOND, 0, CAUSE_CLIENT_ABORT, "192.0.2.55", "GET /slow");

	f->verdict = VERDICT_CLIENT;
	f->down.fin_in_ns = ts;
	say(f, "the client closed the connection after 1.000 s without an answer.",
	    "compare the client's timeout with the response time");
	return f;
}

struct finding *make_no_live(uint64_t ts)
{
	struct finding *f = finding(ts, MS / 10, 502, CAUSE_NO_LIVE_UPSTREAM, "203.0.113.10",
				    "GET /video/play?id=9");

	f->linked_id = 1;
	say(f, "the gateway did not try: it had marked every backend as down.",
	    "read the earlier failure that caused the marking");
	return f;
}

struct finding *make_silent(uint64_t ts)
{
	struct finding *f = finding(ts, 3 * MS, 0, CAUSE_CLOSED_BEFORE_RESPONSE, "203.0.113.77",
				    "POST /pay\x1b[31m\xe6\x97\xa5\x07");
	struct attempt *a = attempt(f, "2001:db8:3::18", 8080, CAUSE_CLOSED_BEFORE_RESPONSE);

	a->leg.nr = 1;
	a->leg.open_ns = f->req_ns + 100000;
	a->leg.estab_ns = f->req_ns + 300000;
	a->leg.synack_ttl = 63;
	a->leg.req_ns = f->req_ns + 310000;
	a->leg.fin_in_ns = a->leg.end_ns = f->req_ns + 2900000;
	a->leg.end = W5_END_FIN_IN;
	a->leg.head_len = f->down.head_len;
	f->confidence = CONFIDENCE_AMBIGUOUS;
	f->lost = 2;
	say(f, "the backend took the request and closed without an answer.",
	    "look for killed or timed-out workers");
	return f;
}
