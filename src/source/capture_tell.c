/* SPDX-License-Identifier: BSD-2-Clause */
/* Records out of sides, as bpf/emit.h makes them; and the time, which is that of the packets. */
#include <string.h>

#include "base/util.h"
#include "source/capture_impl.h"

#define BEAT_NS	 (50 * NS_PER_MS)
#define BEATS	 8 /* after the last packet of a silence: enough for any grace */
#define COUNT_NS NS_PER_S

static void hand_on(struct capture *c, const struct w5_hdr *h)
{
	if (!c->rc)
		c->rc = c->ops.record(c->self, h);
}

static void tick(struct capture *c, uint64_t ts_ns)
{
	struct w5_hdr h = { .ts_ns = ts_ns, .type = W5_REC_TICK, .size = sizeof(h) };

	c->ticked_ns = ts_ns;
	hand_on(c, &h);
}

static void tell_gateways(struct capture *c, uint64_t ts_ns)
{
	for (size_t i = 0; i < c->ngws; i++) {
		struct w5_gateway g = {
			.h = { .ts_ns = ts_ns, .type = W5_REC_GATEWAY, .size = sizeof(g) },
			.tgid = (uint32_t)i + 1, /* a number: there is no process to know of */
			.group = (uint32_t)i + 1,
			.comm = "gateway",
		};

		for (size_t k = 0; k < c->nservices && g.nports < ARRAY_SIZE(g.ports); k++)
			if (c->services[k].gw == (int)i)
				g.ports[g.nports++] = c->services[k].port;
		hand_on(c, &g.h);
	}
}

static void begin(struct capture *c, uint64_t ts_ns)
{
	struct w5_session s = {
		.h = { .ts_ns = ts_ns, .type = W5_REC_SESSION, .size = sizeof(s) },
		.realtime_ns = ts_ns,
		.abi = W5_ABI_VERSION,
		.flags = W5_SESSION_CAPTURE,
	};

	c->has_begun = true;
	c->ticked_ns = ts_ns;
	hand_on(c, &s.h);
	tell_gateways(c, ts_ns);
}

void tell_time(struct capture *c, uint64_t ts_ns)
{
	if (!c->has_begun)
		begin(c, ts_ns);
	if (ts_ns > c->now_ns)
		c->now_ns = ts_ns;
	for (int i = 0; i < BEATS && c->ticked_ns + BEAT_NS <= ts_ns; i++) {
		giveup_leaving(c, c->ticked_ns + BEAT_NS);
		tick(c, c->ticked_ns + BEAT_NS);
	}
	giveup_leaving(c, ts_ns);
	if (c->ticked_ns + BEAT_NS <= ts_ns)
		tick(c, ts_ns);
}

void tell_counters(struct capture *c, uint64_t ts_ns)
{
	struct w5_stats s = { .h = { .ts_ns = ts_ns, .type = W5_REC_STATS, .size = sizeof(s) } };

	c->n.h = (struct w5_hdr){ .ts_ns = ts_ns, .type = W5_REC_CAPTURE, .size = sizeof(c->n) };
	hand_on(c, &c->n.h);
	s.tls_conns = c->tls_conns;
	s.h2_conns = c->h2_conns;
	s.conns = c->cookies;
	s.loss[W5_LOSS_EVICTED] = c->evicted;
	hand_on(c, &s.h);
}

void tell_turn(struct capture *c, struct side *d, uint16_t type, uint64_t ts_ns)
{
	d->leg.h.ts_ns = ts_ns;
	d->leg.h.type = type;
	d->leg.h.size = sizeof(d->leg);
	d->leg.h.seq++;
	hand_on(c, &d->leg.h);
}

void tell_packets(struct capture *c, struct side *d, uint64_t ts_ns)
{
	struct w5_packets *f = &d->flight;

	if (!d->packets)
		return;
	f->h = (struct w5_hdr){ .ts_ns = ts_ns,
				.cookie = d->leg.h.cookie,
				.seq = ++d->leg.h.seq,
				.type = W5_REC_PACKETS,
				.size = sizeof(*f) };
	f->total = d->packets;
	f->local = d->leg.local;
	f->remote = d->leg.remote;
	f->lport = d->leg.lport;
	f->rport = d->leg.rport;
	f->role = d->leg.role;
	hand_on(c, &f->h);
}

void tell_late(struct capture *c, struct side *d, uint64_t ts_ns)
{
	const struct w5_leg *l = &d->leg;
	struct w5_late r = {
		.h = { .ts_ns = ts_ns,
		       .cookie = l->h.cookie,
		       .type = W5_REC_LATE,
		       .size = sizeof(r) },
		.local = l->local,
		.remote = l->remote,
		.lport = l->lport,
		.rport = l->rport,
		.req_ns = l->req_ns,
		.req_last_ns = l->req_last_ns,
		.closed_ns = l->end_ns,
		.bytes = d->late_bytes,
		.status = d->late_status,
	};

	if (!d->late_bytes)
		return;
	d->late_bytes = 0;
	hand_on(c, &r.h);
}

/* ---- what TCP knows ---- */

#define MSS_USUAL 1460

void side_acked(struct side *d, uint32_t ack)
{
	w5_turn_acked(&d->leg, (int32_t)(ack - d->req_seq));
}

void side_facts(struct side *d)
{
	const struct flow *out = &d->t->flow[d->end], *in = &d->t->flow[!d->end];
	struct w5_leg *l = &d->leg;
	uint32_t mss = l->synack_mss ? l->synack_mss : MSS_USUAL;

	l->srtt_us = d->t->srtt_us;
	l->snd_wnd = in->window;
	l->snd_una = out->has_acked ? out->acked : 0;
	l->rcv_nxt = in->begun ? in->next : 0;
	l->gaps = in->nqueued > 0;
	l->sacked = (uint8_t)min_size((in->sacked + mss - 1) / mss, UINT8_MAX);
	l->retrans = (uint16_t)min_size(d->sent_again - d->sent_again0, UINT16_MAX);
	if (l->phase == W5_PHASE_CONNECT)
		return;
	if (out->has_acked)
		side_acked(d, out->acked);
	if (in->has_window && !in->window)
		l->flags |= W5_F_ZERO_WND;
}

bool side_end_once(struct side *d, uint8_t end, uint64_t ts_ns)
{
	if (d->reported)
		return false;
	d->reported = true;
	d->leg.end = end;
	d->leg.end_ns = ts_ns;
	return true;
}

/* The backend ended a conn in or after a response. */
static bool is_cut(struct side *d)
{
	struct w5_leg *l = &d->leg;

	if (!w5_ended_after_answer(l))
		return false;
	if (d->ntail == 4 && d->tail != W5_CHUNKED_END)
		l->flags |= W5_F_ENDS_OPEN;
	return w5_ends_short(l);
}

void side_tell_end(struct capture *c, struct side *d, uint64_t ts_ns)
{
	struct w5_leg *l = &d->leg;
	bool is_up = l->role == W5_ROLE_UPSTREAM;
	bool is_open = l->phase == W5_PHASE_REQUEST || (is_up && l->phase == W5_PHASE_CONNECT);
	bool cut;

	/* Not one packet of the backend is there: who knows what it said. */
	if (is_up && l->phase == W5_PHASE_REQUEST && !d->t->from_seen[!d->end]) {
		owner_hears(d, ts_ns);
		side_lost(c, d, ts_ns);
		return;
	}
	if (is_open) {
		l->flags |= W5_F_BAD;
		if (is_up)
			owner_hears(d, ts_ns);
		else
			owner_answered(c, d, ts_ns);
		tell_turn(c, d, is_up ? W5_REC_ATTEMPT : W5_REC_EXCHANGE, ts_ns);
		tell_packets(c, d, ts_ns);
		return;
	}
	/* After a response: harmless mostly, but it tells a cut header or body. */
	cut = is_cut(d);
	tell_turn(c, d, W5_REC_END, ts_ns);
	if (cut || ((l->gaps || l->end == W5_END_RST_IN) && l->phase == W5_PHASE_RESPONSE))
		tell_packets(c, d, ts_ns);
}
