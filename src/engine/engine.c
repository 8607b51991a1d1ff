/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way in: one handler per record type, time and counters. A record is checked
 * for size, copied where it may be short, and only then handed on.
 */
#include "engine/lines.h"
#include "engine/lookups.h"
#include "engine/local.h"
#include "engine/sockets.h"
#include "engine/peers.h"
#include "engine/pools.h"
#include "engine/texts.h"
#include "engine/timers.h"

#include <errno.h>
#include <string.h>

#define DEFAULT_GRACE_NS (60 * NS_PER_MS) /* two beats of 25 ms and some */

void engine_cfg_default(struct engine_cfg *cfg)
{
	*cfg = (struct engine_cfg){
		.grace_ns = DEFAULT_GRACE_NS,
		.max_conns = 65536,
		.max_flights = 2048,
	};
	cfg->bad_status[2] = cfg->bad_status[3] = cfg->bad_status[4] = 1;
}

int engine_new(struct engine **out, const struct engine_cfg *cfg, const struct engine_ops *ops,
	       void *self)
{
	struct engine *e;

	if (!cfg->max_conns || !cfg->max_flights)
		return -EINVAL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	if (texts_new(&e->texts) || timers_new(&e->timers)) {
		free(e->texts);
		free(e);
		return -ENOMEM;
	}
	e->cfg = *cfg;
	e->ops = *ops;
	e->self = self;
	hash_init(&e->conns);
	hash_init(&e->procs);
	hash_init(&e->upstreams);
	hash_init(&e->flights);
	list_init(&e->open);
	list_init(&e->closed);
	list_init(&e->streams);
	list_init(&e->streams_closed);
	list_init(&e->atts);
	list_init(&e->cuts);
	list_init(&e->cuts_old);
	list_init(&e->pendings);
	list_init(&e->postponed);
	list_init(&e->flight_lru);
	for (size_t i = 0; i < TARGET_BUCKETS; i++) {
		list_init(&e->att_targets[i]);
		list_init(&e->conn_targets[i]);
	}
	*out = e;
	return 0;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	pendings_free(e);
	while (!list_empty(&e->atts))
		atts_drop(e, list_entry(list_first(&e->atts), struct att, by_time));
	texts_free(e);
	lines_free(e);
	lookups_free(e);
	peers_free(e);
	local_free(e);
	sockets_free(e);
	conns_free(e);
	upstreams_free(e);
	gateways_free(e);
	flights_free(e);
	free(e->events);
	timers_free(e->timers);
	free(e);
}

/* ---- handlers: the record has at least the row's size ---- */

static void text_of(char *out, size_t cap, const char *in, size_t size)
{
	size_t n = strnlen(in, size < cap ? size : cap - 1);

	memcpy(out, in, n);
	out[n] = '\0';
}

static void on_session(struct engine *e, const struct w5_hdr *h)
{
	const struct w5_session *s = (const struct w5_session *)h;

	e->c.wall_offset_ns = s->realtime_ns - h->ts_ns;
	e->last_beat_ns = h->ts_ns;
	e->c.is_capture = s->flags & W5_SESSION_CAPTURE;
	text_of(e->c.host, sizeof(e->c.host), s->host, sizeof(s->host));
	text_of(e->c.kernel, sizeof(e->c.kernel), s->kernel, sizeof(s->kernel));
}

static void on_tick(struct engine *e, const struct w5_hdr *h)
{
	e->last_beat_ns = h->ts_ns;
	cuts_run(e, e->c.now_ns);
	atts_expire(e);
	conns_expire(e);
	texts_expire(e);
	lookups_expire(e);
}

static void on_stats_rec(struct engine *e, const struct w5_hdr *h)
{
	on_stats(e, (const struct w5_stats *)h);
	e->last_beat_ns = h->ts_ns;
}

static void on_gateway_rec(struct engine *e, const struct w5_hdr *h)
{
	on_gateway(e, (const struct w5_gateway *)h);
}

static void on_listen(struct engine *e, const struct w5_hdr *h)
{
	(void)e;
	(void)h; /* user space turns it into a GATEWAY record where it is one */
}

static void on_packets_rec(struct engine *e, const struct w5_hdr *h)
{
	const struct w5_packets *p = (const struct w5_packets *)h;
	struct conn *c = conns_find(e, h->cookie);

	if (c)
		conns_seen(e, c, h, p->role);
	on_packets(e, p);
}

/* What a cut record does not hold reads as 0, and no length claims more than is there. */
static bool leg_take(struct w5_leg *l, const struct w5_hdr *h)
{
	size_t size = h->size < sizeof(*l) ? h->size : sizeof(*l);
	size_t head_room =
		size > offsetof(struct w5_leg, head) ? size - offsetof(struct w5_leg, head) : 0;

	memcpy(l, h, size);
	memset((char *)l + size, 0, sizeof(*l) - size);
	if (head_room > W5_HEAD_REQ)
		head_room = W5_HEAD_REQ;
	if (l->head_len > head_room)
		l->head_len = (uint16_t)head_room;
	if (size < W5_LEG_ANSWER)
		l->resp_len = 0;
	if (l->resp_len > W5_HEAD_RESP)
		l->resp_len = W5_HEAD_RESP;
	return l->h.cookie && !cookie_is_stream(l->h.cookie) && l->role <= W5_ROLE_UPSTREAM &&
	       l->phase <= W5_PHASE_RESPONSE && l->end < W5_END_MAX && l->status < 1000;
}

/* What a brief record leaves out, its conn's last one said. */
static void leg_restore(struct engine *e, struct w5_leg *l)
{
	const struct conn *c = conns_find(e, l->h.cookie);

	if (!c)
		return;
	l->local = c->last.leg.local;
	l->remote = c->last.leg.remote;
	l->lport = c->last.leg.lport;
	l->rport = c->last.leg.rport;
	l->netns = c->last.leg.netns;
	l->open_ns = c->last.leg.open_ns;
}

static void on_leg(struct engine *e, const struct w5_hdr *h)
{
	static void (*const handlers[])(struct engine *, struct w5_leg *) = {
		[W5_REC_EXCHANGE] = on_exchange,
		[W5_REC_ATTEMPT] = on_attempt,
		[W5_REC_END] = on_end,
		[W5_REC_OPEN] = on_open,
	};
	struct w5_leg l;

	if (!leg_take(&l, h)) {
		e->c.bad_records++;
		return;
	}
	if (h->size < offsetof(struct w5_leg, head))
		leg_restore(e, &l);
	if (h->type != W5_REC_OPEN)
		events_leg(e, &l);
	l.flags &= ~W5_F_TEXT; /* in here it means: made of texts */
	if (h->type == W5_REC_OPEN || !texts_take_leg(e, &l))
		handlers[h->type](e, &l);
}

static void on_text_rec(struct engine *e, const struct w5_hdr *h)
{
	const struct w5_text *t = (const struct w5_text *)h;

	if (!h->cookie || cookie_is_stream(h->cookie) || t->len > h->size - sizeof(*t) ||
	    t->len > W5_TEXT_MAX || t->dir > W5_TEXT_OUT) {
		e->c.bad_records++;
		return;
	}
	on_text(e, t);
}

static void on_late_rec(struct engine *e, const struct w5_hdr *h)
{
	on_late(e, (const struct w5_late *)h);
}

static void on_log_rec(struct engine *e, const struct w5_hdr *h)
{
	on_log(e, (const struct w5_log *)h);
}

static void on_dns_rec(struct engine *e, const struct w5_hdr *h)
{
	on_dns(e, (const struct w5_dns *)h);
}

static void on_limit_rec(struct engine *e, const struct w5_hdr *h)
{
	on_limit(e, (const struct w5_limit *)h);
}

static void on_unix_rec(struct engine *e, const struct w5_hdr *h)
{
	const struct w5_unix *u = (const struct w5_unix *)h;

	if (u->len > sizeof(u->path))
		e->c.bad_records++;
	else if (h->type == W5_REC_UNIX)
		on_unix(e, u);
	else
		on_unix_open(e, u);
}

static void on_killed_rec(struct engine *e, const struct w5_hdr *h)
{
	on_killed(e, (const struct w5_killed *)h);
}

static void on_host_rec(struct engine *e, const struct w5_hdr *h)
{
	const struct w5_host *r = (const struct w5_host *)h;

	if (r->nports > W5_HOST_PORTS || r->nlisteners > W5_HOST_LISTENERS) {
		e->c.bad_records++;
		return;
	}
	on_host(e, r);
}

static void on_pool_rec(struct engine *e, const struct w5_hdr *h)
{
	on_pool(e, (const struct w5_pool *)h);
}

static void on_capture_rec(struct engine *e, const struct w5_hdr *h)
{
	on_capture(e, (const struct w5_capture *)h);
}

static void on_name_rec(struct engine *e, const struct w5_hdr *h)
{
	on_name(e, (const struct w5_name *)h);
}

struct handler {
	size_t min_size;
	void (*fn)(struct engine *e, const struct w5_hdr *h);
};

#define LEG_MIN W5_LEG_BRIEF

static const struct handler handlers[W5_REC_TYPE_MAX] = {
	[W5_REC_SESSION] = { .min_size = sizeof(struct w5_session), .fn = on_session },
	[W5_REC_TICK] = { .min_size = sizeof(struct w5_hdr), .fn = on_tick },
	[W5_REC_STATS] = { .min_size = sizeof(struct w5_stats), .fn = on_stats_rec },
	[W5_REC_GATEWAY] = { .min_size = sizeof(struct w5_gateway), .fn = on_gateway_rec },
	[W5_REC_LISTEN] = { .min_size = sizeof(struct w5_listen), .fn = on_listen },
	[W5_REC_EXCHANGE] = { .min_size = LEG_MIN, .fn = on_leg },
	[W5_REC_ATTEMPT] = { .min_size = LEG_MIN, .fn = on_leg },
	[W5_REC_END] = { .min_size = LEG_MIN, .fn = on_leg },
	[W5_REC_PACKETS] = { .min_size = W5_PACKETS_SIZE(1, W5_PKT_BYTES_MIN),
			     .fn = on_packets_rec },
	[W5_REC_OPEN] = { .min_size = LEG_MIN, .fn = on_leg },
	[W5_REC_TEXT] = { .min_size = sizeof(struct w5_text), .fn = on_text_rec },
	[W5_REC_LOG] = { .min_size = sizeof(struct w5_log), .fn = on_log_rec },
	[W5_REC_DNS] = { .min_size = sizeof(struct w5_dns), .fn = on_dns_rec },
	[W5_REC_LIMIT] = { .min_size = sizeof(struct w5_limit), .fn = on_limit_rec },
	[W5_REC_UNIX] = { .min_size = sizeof(struct w5_unix), .fn = on_unix_rec },
	[W5_REC_UNIX_OPEN] = { .min_size = sizeof(struct w5_unix), .fn = on_unix_rec },
	[W5_REC_KILLED] = { .min_size = sizeof(struct w5_killed), .fn = on_killed_rec },
	[W5_REC_LATE] = { .min_size = sizeof(struct w5_late), .fn = on_late_rec },
	[W5_REC_HOST] = { .min_size = sizeof(struct w5_host), .fn = on_host_rec },
	[W5_REC_POOL] = { .min_size = sizeof(struct w5_pool), .fn = on_pool_rec },
	[W5_REC_CAPTURE] = { .min_size = sizeof(struct w5_capture), .fn = on_capture_rec },
	[W5_REC_NAME] = { .min_size = sizeof(struct w5_name), .fn = on_name_rec },
};

void engine_feed(struct engine *e, const struct w5_hdr *rec)
{
	const struct handler *h = rec->type < W5_REC_TYPE_MAX ? &handlers[rec->type] : NULL;

	if (!h || !h->fn || rec->size < h->min_size) {
		e->c.bad_records++;
		return;
	}
	if (engine_is_done(e))
		return;
	if (!e->c.start_ns)
		e->c.start_ns = rec->ts_ns;
	if (rec->ts_ns > e->c.now_ns)
		e->c.now_ns = rec->ts_ns;
	texts_run(e, e->c.now_ns);
	h->fn(e, rec);
	lines_run(e, e->c.now_ns);
	pendings_run(e, e->c.now_ns);
}

void engine_finish(struct engine *e)
{
	texts_run(e, UINT64_MAX);
	lines_run(e, UINT64_MAX);
	cuts_run(e, UINT64_MAX);
	pendings_run(e, UINT64_MAX);
}

const struct engine_counters *engine_counters(const struct engine *e)
{
	return &e->c;
}

size_t engine_history(const struct engine *e, struct engine_second *out, size_t n)
{
	uint64_t now = e->c.now_ns / NS_PER_S, have = now - e->c.start_ns / NS_PER_S + 1;

	if (n > 60)
		n = 60;
	if (n > have)
		n = (size_t)have;
	for (size_t i = 0; i < n; i++) {
		uint64_t sec = now - (n - 1 - i);

		out[i] = (struct engine_second){ 0 };
		if (e->seconds[sec % SECONDS_KEPT].sec == sec)
			out[i] = e->seconds[sec % SECONDS_KEPT].s;
	}
	return n;
}
