/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live view on made-up data: driver SCENE COLSxROWS [KEYS [ascii]] writes the
 * screen as text; driver SCENE tty shows it on the terminal until q, SIGTERM or
 * SIGABRT. Everything is fixed, clock included, so that screens can be compared.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/util.h"
#include "tui/model.h"
#include "tui/tui.h"

#define MS	    1000000ull
#define SECOND	    1000000000ull
/* 2026-11-22 12:03:00 UTC is the time of the first record, 1000 s after boot */
#define START_NS    (1000 * SECOND)
#define WALL_OFFSET (1795348980ull * SECOND - START_NS)
#define BACKEND_SEQ 7000u
#define GATEWAY_SEQ 5000u

struct scene {
	const char *name;
	void (*make)(struct tui *t, struct model_input *in);
	bool is_replay;
};

static struct engine_counters counters;
static uint64_t event_counts[EVENT_MAX];
static struct engine_gateway gateways[2];
static struct engine_upstream upstreams[40];
static const struct engine_upstream *upstream_list[40];

static void addr(struct w5_addr *a, const char *text)
{
	memset(a, 0, sizeof(*a));
	if (strchr(text, ':')) {
		inet_pton(AF_INET6, text, a->ip);
		return;
	}
	a->ip[10] = a->ip[11] = 0xff;
	inet_pton(AF_INET, text, a->ip + 12);
}

/* ---- packets ---- */

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static void packet(struct w5_packets *d, uint64_t ts, bool out, unsigned flags, uint32_t seq,
		   uint32_t ack, const char *payload)
{
	struct w5_packet *pkt = &d->pkt[d->total++ % W5_PKT_SLOTS];
	size_t len = 40 + strlen(payload);
	uint8_t *p = pkt->data;

	memset(pkt, 0, sizeof(*pkt));
	pkt->ts_ns = ts;
	pkt->out = out;
	pkt->len = (uint32_t)len;
	pkt->cap = (uint16_t)(len < W5_PKT_BYTES ? len : W5_PKT_BYTES);
	p[0] = 0x45;
	put16(p + 2, (unsigned)len);
	p[8] = out ? 64 : 63;
	p[9] = 6;
	memcpy(p + 12, out ? d->local.ip + 12 : d->remote.ip + 12, 4);
	memcpy(p + 16, out ? d->remote.ip + 12 : d->local.ip + 12, 4);
	put16(p + 20, out ? d->lport : d->rport);
	put16(p + 22, out ? d->rport : d->lport);
	put32(p + 24, seq);
	put32(p + 28, ack);
	p[32] = 0x50;
	p[33] = (uint8_t)flags;
	put16(p + 34, flags & W5_TCP_RST ? 0 : 502);
	memcpy(p + 40, payload, pkt->cap - 40);
}

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

/* ---- findings ---- */

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
	addr(&f->down.remote, client);
	addr(&f->down.local, "198.51.100.1");
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
	addr(&a->leg.remote, ip);
	addr(&a->leg.local, "10.0.3.2");
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

static struct finding *make_refused(uint64_t ts, const char *request)
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
		packet(p, leg->open_ns, true, W5_TCP_SYN, GATEWAY_SEQ, 0, "");
		packet(p, leg->end_ns - 5000, false, W5_TCP_RST | W5_TCP_ACK, 0, GATEWAY_SEQ + 1,
		       "");
	}
	evidence(f, "SYN answered by RST with ACK after 0.205 ms, ttl 63");
	say(f, "10.0.3.17 answered the connection attempt with a reset: nothing listens on 8080.",
	    "check that the service runs on 10.0.3.17 and listens on port 8080");
	return f;
}

static struct finding *make_race(uint64_t ts)
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
	packet(p, leg->req_ns - leg->idle_ns, false, W5_TCP_ACK | W5_TCP_PSH, BACKEND_SEQ,
	       GATEWAY_SEQ, "HTTP/1.1 200 OK\r\n");
	packet(p, leg->fin_in_ns, false, W5_TCP_FIN | W5_TCP_ACK, BACKEND_SEQ + 17, GATEWAY_SEQ,
	       "");
	packet(p, leg->fin_in_ns + 40000, true, W5_TCP_ACK, GATEWAY_SEQ, BACKEND_SEQ + 18, "");
	packet(p, leg->req_ns, true, W5_TCP_ACK | W5_TCP_PSH, GATEWAY_SEQ, BACKEND_SEQ + 18,
	       "POST /api/cart HTTP/1.1\r\nHost: shop.example\r\n");
	packet(p, leg->rst_in_ns, false, W5_TCP_RST, BACKEND_SEQ + 18, 0, "");
	evidence(f, "FIN from the backend 0.300 ms before our request was sent");
	evidence(f, "RST without ACK 0.209 ms after the request: no socket there any more");
	say(f, "the backend closed the idle connection just as the gateway reused it.",
	    "make the gateway's upstream keepalive timeout (60 s) shorter than the backend's idle "
	    "timeout (60 s)");
	return f;
}

static struct finding *make_syn_timeout(uint64_t ts)
{
	struct finding *f = finding(ts, 4 * SECOND, 504, CAUSE_CONN_TIMEOUT_SYN, "2001:db8:5::77",
				    "GET /report?year=2026");
	struct attempt *a = attempt(f, "10.0.3.19", 8080, CAUSE_CONN_TIMEOUT_SYN);

	a->leg.open_ns = f->req_ns + 90000;
	a->leg.end_ns = f->req_ns + 4 * SECOND - 100000;
	a->leg.end = W5_END_CONNECT;
	a->leg.syn_sent = 3;
	a->flight = flight_of(&a->leg);
	packet(&a->flight->p, a->leg.open_ns, true, W5_TCP_SYN, GATEWAY_SEQ, 0, "");
	packet(&a->flight->p, a->leg.open_ns + SECOND, true, W5_TCP_SYN, GATEWAY_SEQ, 0, "");
	packet(&a->flight->p, a->leg.open_ns + 3 * SECOND, true, W5_TCP_SYN, GATEWAY_SEQ, 0, "");
	evidence(f, "3 SYNs in 4.0 s, nothing came back");
	f->confidence = CONFIDENCE_LIKELY;
	say(f, "3 connection attempts got no answer at all.",
	    "capture on 10.0.3.19: if the SYNs arrive there, look at its accept queue, else at the "
	    "firewall between");
	return f;
}

/* No packets at all: only what the leg noted. */
static struct finding *make_recovered(uint64_t ts)
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

static struct finding *make_abort(uint64_t ts)
{
	struct finding *f = finding(ts, SECOND, 0, CAUSE_CLIENT_ABORT, "192.0.2.55", "GET /slow");

	f->verdict = VERDICT_CLIENT;
	f->down.fin_in_ns = ts;
	say(f, "the client closed the connection after 1.000 s without an answer.",
	    "compare the client's timeout with the response time");
	return f;
}

static struct finding *make_no_live(uint64_t ts)
{
	struct finding *f = finding(ts, MS / 10, 502, CAUSE_NO_LIVE_UPSTREAM, "203.0.113.10",
				    "GET /video/play?id=9");

	f->linked_id = 1;
	say(f, "the gateway did not try: it had marked every backend as down.",
	    "read the earlier failure that caused the marking");
	return f;
}

static struct finding *make_silent(uint64_t ts)
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

/* ---- events ---- */

static struct engine_event events[8];

static struct engine_event *event(struct model_input *in, enum event_kind kind, uint64_t ts,
				  const struct finding *f)
{
	struct engine_event *ev = &events[in->troubles.nevents++];

	*ev = (struct engine_event){ .id = in->troubles.nevents, .kind = kind, .ts_ns = ts };
	snprintf(ev->gateway, sizeof(ev->gateway), "nginx");
	ev->leg = f->nattempts ? f->attempts[0].leg : f->down;
	in->troubles.events = events;
	in->troubles.version++;
	event_counts[kind]++;
	in->troubles.counts = event_counts;
	return ev;
}

/* ---- scenes ---- */

static void add(struct tui *t, struct finding *f)
{
	struct sink s = tui_sink(t);

	s.ops->finding(s.self, f);
	finding_unref(f);
}

/* The same finding, and what TCP did as an event. */
static void add_with_event(struct tui *t, struct model_input *in, struct finding *f,
			   enum event_kind kind)
{
	for (size_t i = 0; i < f->nattempts; i++)
		f->attempts[i].leg.h.cookie = f->id * 10 + i;
	f->down.h.cookie = f->id * 10 + 9;
	event(in, kind, f->ts_ns - MS / 10, f);
	add(t, f);
}

static struct engine_upstream *upstream(struct model_input *in, const char *ip)
{
	struct engine_upstream *u = &upstreams[in->nupstreams];

	addr(&u->ip, ip);
	u->port = 8080;
	u->connects = 120;
	u->requests = 4100;
	u->reused = 3900;
	u->ttfb_count = 4000;
	u->ttfb_us_sum = 4000ull * 1250;
	u->srtt_us = 210;
	u->ttfb_us[0] = 880;
	u->ttfb_us[1] = 3170;
	u->ttfb_us[2] = 41300;
	u->connects_per_s = 0.4;
	u->counted = true;
	u->in_use = 3;
	u->idle = 9;
	u->in_use_max = 7;
	u->open = 12;
	upstream_list[in->nupstreams++] = u;
	in->upstreams = upstream_list;
	return u;
}

static void make_idle(struct tui *t, struct model_input *in)
{
	counters.now_ns = START_NS + 12 * SECOND;
}

static void make_healthy(struct tui *t, struct model_input *in)
{
	struct engine_gateway *g = &gateways[0];

	counters.now_ns = START_NS + 192 * SECOND;
	counters.exchanges = 12345;
	*g = (struct engine_gateway){ .name = "nginx",
				      .cgroup = "/system.slice/nginx.service",
				      .group = 2210,
				      .nprocs = 4,
				      .ports = { 80, 443 },
				      .nports = 2,
				      .exchanges = 12345 };
	gateways[1] = (struct engine_gateway){
		.name = "haproxy", .group = 990, .nprocs = 1, .named_only = true
	};
	in->gateways = gateways;
	in->ngateways = 2;
	upstream(in, "10.0.3.17");
	upstream(in, "10.0.3.18")->ttfb_is_rough = true;
	upstream(in, "10.0.3.19")->retrans = 3;
	for (size_t i = 0; i < MODEL_HISTORY; i++)
		in->history[i].exchanges = 64;
	in->nhistory = MODEL_HISTORY;
}

static void make_incident(struct tui *t, struct model_input *in)
{
	char request[64];

	make_healthy(t, in);
	in->ngateways = 1;
	counters.s502 = 620;
	counters.recovered = 1;
	counters.client_aborts = 1;
	for (size_t i = 0; i < 40; i++) {
		in->history[i + 20].s502 = (uint32_t)(i < 4 ? 1 : 8 + i % 5);
		in->history[i + 20].s504 = i % 10 == 3;
	}
	upstreams[0].failures = upstreams[0].connect_failures = 94;
	upstreams[0].first_fail_ns = START_NS + 11 * SECOND;
	upstreams[0].last_fail_ns = START_NS + 191 * SECOND;
	upstreams[1].failures = upstreams[1].resets = 5;
	upstreams[1].last_fail_ns = START_NS + 190 * SECOND;
	for (int i = 0; i < 100; i++) {
		uint64_t ts = START_NS + 11337 * MS + (uint64_t)i * 1800 * MS;

		snprintf(request, sizeof(request), "GET /video/play?id=%d", i);
		if (i % 20 == 19)
			add(t, make_race(ts));
		else if (i == 50)
			add(t, make_syn_timeout(ts));
		else
			add(t, make_refused(ts, request));
	}
	add_with_event(t, in, make_recovered(START_NS + 191 * SECOND), EVENT_RESET_IN);
	events[0].leg.retrans = 2;
	events[0].leg.srtt_us = 210;
	event(in, EVENT_RETRANSMIT, START_NS + 191200 * MS, &(struct finding){ 0 })->leg =
		events[0].leg;
	add_with_event(t, in, make_abort(START_NS + 191500 * MS), EVENT_CLIENT_LEFT);
	add_with_event(t, in, make_race(START_NS + 191700 * MS), EVENT_RESET_IN);
}

/* Several causes, none of them dominant; ends long before now. */
static void make_mixed(struct tui *t, struct model_input *in)
{
	make_healthy(t, in);
	counters.now_ns = START_NS + 1000 * SECOND;
	in->lost = 17;
	for (int i = 0; i < 3; i++) {
		uint64_t ts = START_NS + (uint64_t)(20 + i) * SECOND;

		add(t, make_refused(ts, "GET /a"));
		add(t, make_race(ts + 1 * MS));
		add(t, make_no_live(ts + 2 * MS));
		add(t, make_silent(ts + 3 * MS));
		add(t, make_syn_timeout(ts + 4 * MS));
	}
}

static struct engine_host hosts[2];

/* A host near several limits, and a second gateway that is far from all. */
static void make_hosts(struct model_input *in)
{
	static const uint64_t v[W5_HOST_SLOTS] = {
		[W5_HOST_LISTEN_OVERFLOWS] = 4711,
		[W5_HOST_TIME_WAIT] = 21877,
		[W5_HOST_TIME_WAIT_MAX] = 131072,
		[W5_HOST_CONNTRACK] = 214000,
		[W5_HOST_CONNTRACK_MAX] = 262144,
		[W5_HOST_PORTS_MAX] = 28232,
		[W5_HOST_FILES] = 1021,
		[W5_HOST_FILES_MAX] = 1024,
		[W5_HOST_SOFTNET_DROPS] = 3,
		[W5_HOST_CPU] = 4120,
		[W5_HOST_OWN_CPU] = 9713,
		[W5_HOST_OWN_MEMORY_FULL] = W5_HOST_UNKNOWN,
		[W5_HOST_IO] = 310,
	};

	for (size_t i = 0; i < 2; i++) {
		struct w5_host *h = &hosts[i].now;

		h->group = i ? 990 : 2210;
		h->netns = 4026531840u;
		memcpy(h->v, v, sizeof(h->v));
		h->tgid = i ? 990 : 2217;
		h->nlisteners = 1;
		h->listeners[0] = (struct w5_host_listener){ .port = i ? 8443 : 80,
							     .max = 511,
							     .flags = W5_LISTENER_OWN };
	}
	snprintf(hosts[0].name, sizeof(hosts[0].name), "nginx");
	snprintf(hosts[1].name, sizeof(hosts[1].name), "haproxy");
	hosts[0].now.listeners[0].queue = 512;
	hosts[0].drop_rate[0] = hosts[0].rate[W5_HOST_LISTEN_OVERFLOWS] = 12.4;
	hosts[0].now.nports = 2;
	for (size_t i = 0; i < 2; i++) {
		hosts[0].now.ports[i].port = 8080;
		hosts[0].now.ports[i].used = i ? 131 : 21034;
		addr(&hosts[0].now.ports[i].ip, i ? "10.0.3.18" : "10.0.3.17");
	}
	hosts[1].now.v[W5_HOST_FILES] = 40;
	hosts[1].now.v[W5_HOST_CONNTRACK] = W5_HOST_UNKNOWN;
	hosts[1].now.v[W5_HOST_OWN_CPU] = 12;
	in->hosts = hosts;
	in->nhosts = 2;
}

static void make_limits(struct tui *t, struct model_input *in)
{
	make_healthy(t, in);
	make_hosts(in);
}

/* One bad backend of three that serve the same, met by many clients through many paths. */
static void make_spread(struct tui *t, struct model_input *in)
{
	static const char *const paths[] = { "/users/%d", "/users/%d/orders/20261122",
					     "/api/cart?n=%d", "/static/app.3f2a9c1b7d.js?%d" };
	char request[64], path[48], client[40];

	make_healthy(t, in);
	in->ngateways = 1;
	counters.s502 = 37;
	for (size_t i = 0; i < in->nupstreams; i++) {
		upstreams[i].groups[0] = 2210;
		upstreams[i].hosts[0] = upstreams[i].routes[0] = 7;
		upstreams[i].last_answer_ns = START_NS + (i ? 191 : 100) * SECOND;
	}
	upstreams[0].failures = upstreams[0].connect_failures = 37;
	upstreams[0].last_fail_ns = START_NS + 180 * SECOND;
	for (int i = 0; i < 37; i++) {
		struct finding *f;

		snprintf(path, sizeof(path), paths[i % 8 < 5 ? 0 : i % 4], i);
		snprintf(request, sizeof(request), "GET %s", path);
		f = make_refused(START_NS + (uint64_t)(130 + 50 * i / 37) * SECOND, request);
		snprintf(client, sizeof(client), i % 6 ? "203.0.113.%d" : "198.51.100.%d",
			 i % 6 ? 9 : 1 + i);
		addr(&f->down.remote, i % 9 == 8 ? "2001:db8:5::77" : client);
		f->down.tgid = 2211 + (uint32_t)(i % 3);
		add(t, f);
	}
}

static void make_lossy(struct tui *t, struct model_input *in)
{
	make_mixed(t, in);
	in->troubles.losses[W5_LOSS_RING_BULK] =
		(struct engine_loss){ .count = 15,
				      .minute = 5,
				      .first_ns = START_NS + 20 * SECOND,
				      .last_ns = START_NS + 990 * SECOND };
	in->troubles.losses[W5_LOSS_EVICTED] = (struct engine_loss){
		.count = 2, .first_ns = START_NS + 60 * SECOND, .last_ns = START_NS + 60 * SECOND
	};
	counters.unread_tls = 3;
}

static const struct scene scenes[] = {
	{ "idle", make_idle, false },	      { "healthy", make_healthy, false },
	{ "incident", make_incident, false }, { "mixed", make_mixed, false },
	{ "lossy", make_lossy, false },	      { "replay", make_mixed, true },
	{ "spread", make_spread, false },     { "limits", make_limits, false },
};

static int save(void *self, const struct tui_save *w, char *msg, size_t msglen)
{
	static const char *const formats[] = { "pcapng", "pcap", "ndjson", "text" };

	if (!strncmp(w->path, "/nowhere/", 9)) {
		snprintf(msg, msglen, "no such directory: /nowhere");
		return -ENOENT;
	}
	snprintf(msg, msglen, "Saved %zu exchange%s (first: %llu) as %s%s to %s", w->n,
		 w->n == 1 ? "" : "s", (unsigned long long)w->f[0]->id, formats[w->format],
		 w->backend_only ? ", backend only," : "", w->path);
	return 0;
}

static int report(void *self, const char *path, char *msg, size_t msglen)
{
	(void)self;
	if (!strncmp(path, "/nowhere/", 9)) {
		snprintf(msg, msglen, "no such directory: /nowhere");
		return -ENOENT;
	}
	snprintf(msg, msglen, "Report written to %s.md and .html", path);
	return 0;
}

static void run_on_terminal(struct tui *t, const struct model_input *in)
{
	struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .events = POLLIN } };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fds[1].fd = signalfd(-1, &set, SFD_CLOEXEC);
	for (;;) {
		tui_tick(t, in);
		tui_draw(t);
		if (poll(fds, 2, 100) > 0) {
			if (fds[1].revents || (fds[0].revents && tui_key(t) & TUI_QUIT))
				return;
		}
		counters.now_ns += SECOND / 10;
	}
}

int main(int argc, char **argv)
{
	struct tui_cfg cfg = { .save = save, .report = report, .formats = 0xf, .dump = stdout };
	struct model_input in = { .counters = &counters };
	const struct scene *scene = NULL;
	struct tui *t;
	int err;

	for (size_t i = 0; argc > 2 && i < ARRAY_SIZE(scenes); i++)
		if (!strcmp(scenes[i].name, argv[1]))
			scene = &scenes[i];
	if (!scene) {
		fprintf(stderr, "usage: driver SCENE COLSxROWS|tty [KEYS [ascii]]\n");
		return 2;
	}
	if (sscanf(argv[2], "%dx%d", &cfg.cols, &cfg.rows) != 2)
		cfg.dump = NULL;
	cfg.keys = argc > 3 ? argv[3] : "";
	cfg.ascii = argc > 4 && !strcmp(argv[4], "ascii");
	cfg.is_replay = scene->is_replay;
	err = tui_new(&t, &cfg);
	if (err) {
		fprintf(stderr, "driver: %s\n", strerror(-err));
		return 1;
	}
	snprintf(counters.host, sizeof(counters.host), "gw-03");
	counters.start_ns = START_NS;
	counters.wall_offset_ns = WALL_OFFSET;
	scene->make(t, &in);
	tui_tick(t, &in);
	if (cfg.dump)
		err = tui_play(t);
	else
		run_on_terminal(t, &in);
	tui_free(t);
	return err ? 1 : 0;
}
