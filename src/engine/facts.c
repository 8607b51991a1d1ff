/* SPDX-License-Identifier: BSD-2-Clause */
/* From a leg to the facts the rules ask for. */
#include "engine/facts.h"

#include <string.h>

#include "base/packet.h"
#include "engine/local.h"

/* Where nothing can be read turns are changes of direction: one request may make several. */
#define CHATTER_NS (10 * NS_PER_MS)

static bool is_chatter(const struct w5_leg *l)
{
	return leg_opaque(l) && l->nr > 1 && l->idle_ns < CHATTER_NS;
}

/* Older than us: what came before the first request we saw is not counted in nr. */
static bool is_reused(const struct w5_leg *l)
{
	if (is_chatter(l))
		return false;
	return l->nr > 1 || ((l->flags & W5_F_OLDER) && l->nr && l->idle_ns);
}

static bool client_gone(const struct w5_leg *d)
{
	return !d->status && (d->end == W5_END_FIN_IN || d->end == W5_END_RST_IN);
}

static uint64_t since(uint64_t from_ns, uint64_t to_ns)
{
	return from_ns && to_ns > from_ns ? to_ns - from_ns : 0;
}

/* A segment in the recorder that lies beyond what TCP could take in: one before it is missing. */
static bool has_gap(const struct flight *fl, const struct w5_leg *l)
{
	struct packet k;

	if (!fl || !l->rcv_nxt)
		return false;
	for (uint32_t i = 0; i < w5_packets_slots(&fl->p); i++) {
		const struct w5_packet *p = w5_packets_slot(&fl->p, i);

		if (p->cap && !p->out && !packet_parse(&k, p->data, p->cap, p->len) &&
		    k.payload_len && packet_seq_cmp(k.seq, l->rcv_nxt) > 0)
			return true;
	}
	return false;
}

#define TLS_DATA     23
#define GOODBYE_SIZE 24 /* close_notify in TLS 1.3: header, level and description, type, tag */

/* An HTTP/2 backend says why (GOAWAY), then goodbye. The RST that answers what it got after that
 * takes away what the gateway has not read yet. */
static bool is_overtaken(const struct flight *fl, const struct w5_leg *l)
{
	struct packet k;

	if (!fl || !l->stream || l->status || l->end != W5_END_RST_IN || l->alert_in != W5_ALERT)
		return false;
	for (uint32_t i = 0; i < w5_packets_slots(&fl->p); i++) {
		const struct w5_packet *p = w5_packets_slot(&fl->p, i);

		if (p->cap && !p->out && p->ts_ns > l->req_ns &&
		    !packet_parse(&k, p->data, p->cap, p->len) && k.payload_cap &&
		    p->data[k.payload_off] == TLS_DATA && k.payload_len != GOODBYE_SIZE)
			return true;
	}
	return false;
}

static uint64_t last_syn(const struct flight *fl)
{
	uint64_t last_ns = 0;
	struct packet k;

	for (uint32_t i = 0; fl && i < w5_packets_slots(&fl->p); i++) {
		const struct w5_packet *p = w5_packets_slot(&fl->p, i);

		if (p->cap && p->out && p->ts_ns > last_ns &&
		    !packet_parse(&k, p->data, p->cap, p->len) && (k.tcp_flags & W5_TCP_SYN))
			last_ns = p->ts_ns;
	}
	return last_ns;
}

/* A stream may end alone, or go with its conn: the frame that ended it comes first. The
 * gateway's own GOAWAY ends no stream of it; it may be the answer to what TCP tells. */
static void of_end(struct facts *f)
{
	const struct w5_leg *l = f->l;
	bool by_frame = l->h2_end != W5_H2_NONE && l->h2_end != W5_H2_GOAWAY_OUT;

	f->stream = l->stream != 0;
	f->stream_reset = l->h2_end == W5_H2_RST_IN;
	f->went_away = l->h2_end == W5_H2_GOAWAY_IN;
	f->by_frame = by_frame;
	f->by_gateway = by_frame ? l->h2_end == W5_H2_RST_OUT : leg_closed_by_gateway(l);
	if (by_frame || f->by_gateway || l->end == W5_END_NONE || l->end >= W5_END_SK_ERR) {
		f->by_kernel = !by_frame && l->end == W5_END_SK_ERR;
		return;
	}
	/* After its goodbye its RST only says that it did not read ours. */
	f->peer_rst = l->end == W5_END_RST_IN && l->alert_in != W5_ALERT;
	f->peer_fin = !f->peer_rst;
}

/* Headers in frames come whole or not at all. */
static enum resp_kind resp_kind(const struct w5_leg *l)
{
	if (l->stream)
		return l->status ? RESP_COMPLETE : RESP_EMPTY;
	return head_resp_kind(l);
}

void facts_of(struct facts *f, struct engine *e, const struct w5_leg *l, const struct pending *p,
	      const struct flight *flight, bool last)
{
	/* The last bytes of an encrypted turn may be the gateway's own farewell. */
	uint64_t asked = l->req_last_ns && !leg_opaque(l) ? l->req_last_ns : l->req_ns;
	uint64_t end = l->end_ns ? l->end_ns : l->h.ts_ns;

	memset(f, 0, sizeof(*f));
	f->l = l;
	f->d = &p->leg;
	f->d_ts_ns = p->ts_ns;
	f->up = upstreams_get(e, l);
	f->last = last;
	f->connecting = l->phase == W5_PHASE_CONNECT;
	f->reused = is_reused(l);
	f->chatter = is_chatter(l);
	f->acked = l->req_bytes &&
		   l->req_acked + (leg_opaque(l) && l->req_acked ? FAREWELL_BYTES : 0) >=
			   l->req_bytes;
	f->unacked = l->req_bytes && !l->req_acked;
	f->unheard = !l->data_ttl;
	of_end(f);
	f->fin_first = l->fin_in_ns && l->req_ns && l->fin_in_ns <= l->req_ns;
	f->client_gone = client_gone(&p->leg) && p->leg.end_ns <= end + SLACK_NS;
	f->opaque_answer = !l->status && leg_answered(l);
	f->answered_badly = l->status && last && !p->recovered && l->status != p->leg.status;
	f->cut = p->cut && last && l->status && l->status == p->leg.status;
	f->gap = !f->connecting && f->by_gateway && (l->gaps || has_gap(flight, l));
	f->overtaken = is_overtaken(flight, l);
	f->last_syn_ns = f->connecting ? last_syn(flight) : 0;
	f->path_ok_ns = upstreams_last_answer(e, l);
	f->err = l->err ? l->err : l->err_soft;
	f->elapsed_ns = since(f->connecting ? l->open_ns : asked, end);
	f->rtt_ns = l->srtt_us * 1000ull;
	f->ref_ttl = l->data_ttl ? l->data_ttl : l->synack_ttl;
	if (f->connecting)
		f->ref_ttl = upstreams_synack_ttl(e, l);
	f->resp = resp_kind(l);
	if (f->connecting && !l->lport)
		f->ports = limits_ports(e, l);
	if (!f->connecting && (f->peer_fin || f->peer_rst))
		f->killed = killed_behind(e, l);
	facts_of_tls(f);
}
