/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenes: what the engine would tell of a gateway that is idle, healthy, or in trouble. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "scene.h"

static uint64_t event_counts[EVENT_MAX];
static struct engine_gateway gateways[2];
static struct engine_upstream upstreams[40];
static const struct engine_upstream *upstream_list[40];

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

	make_addr(&u->ip, ip);
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

static void make_idle(struct tui *t, struct model_input *in, struct engine_counters *c)
{
	c->now_ns = START_NS + 12 * SECOND;
}

static void make_healthy(struct tui *t, struct model_input *in, struct engine_counters *c)
{
	struct engine_gateway *g = &gateways[0];

	c->now_ns = START_NS + 192 * SECOND;
	c->exchanges = 12345;
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

static void make_incident(struct tui *t, struct model_input *in, struct engine_counters *c)
{
	char request[64];

	make_healthy(t, in, c);
	in->ngateways = 1;
	c->s502 = 620;
	c->recovered = 1;
	c->client_aborts = 1;
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
static void make_mixed(struct tui *t, struct model_input *in, struct engine_counters *c)
{
	make_healthy(t, in, c);
	c->now_ns = START_NS + 1000 * SECOND;
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
		make_addr(&hosts[0].now.ports[i].ip, i ? "10.0.3.18" : "10.0.3.17");
	}
	hosts[1].now.v[W5_HOST_FILES] = 40;
	hosts[1].now.v[W5_HOST_CONNTRACK] = W5_HOST_UNKNOWN;
	hosts[1].now.v[W5_HOST_OWN_CPU] = 12;
	in->hosts = hosts;
	in->nhosts = 2;
}

static void make_limits(struct tui *t, struct model_input *in, struct engine_counters *c)
{
	make_healthy(t, in, c);
	make_hosts(in);
}

/* One bad backend of three that serve the same, met by many clients through many paths. */
static void make_spread(struct tui *t, struct model_input *in, struct engine_counters *c)
{
	static const char *const paths[] = { "/users/%d", "/users/%d/orders/20261122",
					     "/api/cart?n=%d", "/static/app.3f2a9c1b7d.js?%d" };
	char request[64], path[48], client[40];

	make_healthy(t, in, c);
	in->ngateways = 1;
	c->s502 = 37;
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
		make_addr(&f->down.remote, i % 9 == 8 ? "2001:db8:5::77" : client);
		f->down.tgid = 2211 + (uint32_t)(i % 3);
		add(t, f);
	}
}

static void make_lossy(struct tui *t, struct model_input *in, struct engine_counters *c)
{
	make_mixed(t, in, c);
	in->troubles.losses[W5_LOSS_RING_BULK] =
		(struct engine_loss){ .count = 15,
				      .minute = 5,
				      .first_ns = START_NS + 20 * SECOND,
				      .last_ns = START_NS + 990 * SECOND };
	in->troubles.losses[W5_LOSS_EVICTED] = (struct engine_loss){
		.count = 2, .first_ns = START_NS + 60 * SECOND, .last_ns = START_NS + 60 * SECOND
	};
	c->unread_tls = 3;
}

static const struct scene scenes[] = {
	{ "idle", make_idle, false },	      { "healthy", make_healthy, false },
	{ "incident", make_incident, false }, { "mixed", make_mixed, false },
	{ "lossy", make_lossy, false },	      { "replay", make_mixed, true },
	{ "spread", make_spread, false },     { "limits", make_limits, false },
};

const struct scene *scene_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++)
		if (!strcmp(scenes[i].name, name))
			return &scenes[i];
	return NULL;
}
