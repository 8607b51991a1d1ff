/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows from the flight recorder: order of the ring, what each packet is, which were
 * sent again, and which belong to this exchange at all.
 */
#include "sink/ladder_impl.h"

#include <stdio.h>
#include <string.h>

#include "base/packet.h"
#include "base/text.h"
#include "base/util.h"

/* Two hooks that see one packet are not this far apart. */
#define SAME_INSTANT_NS 1000

static const char *const methods[] = { "GET ",	 "POST ",    "PUT ",   "HEAD ",	   "DELETE ",
				       "PATCH ", "OPTIONS ", "TRACE ", "CONNECT ", "PRI " };

void ladder_first_line(char *out, size_t cap, const void *bytes, size_t len)
{
	const char *p = bytes, *end = memchr(p, '\r', len), *nl = memchr(p, '\n', len);
	size_t n = end ? (size_t)(end - p) : nl ? (size_t)(nl - p) : len;

	/* the version says little and costs nine columns */
	if (n > 9 && !memcmp(p, "HTTP/1.", 7)) {
		p += 9;
		n -= 9;
	} else if (n > 9 && !memcmp(p + n - 9, " HTTP/1.", 8)) {
		n -= 9;
	}
	text_escape(out, cap, p, n);
}

static bool starts_request(const char *p, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		size_t len = strlen(methods[i]);

		if (n >= len && !memcmp(p, methods[i], len))
			return true;
	}
	return false;
}

static enum ladder_what what_of(const struct packet *p, const char *payload)
{
	if (p->tcp_flags & W5_TCP_RST)
		return LADDER_RST;
	if (p->tcp_flags & W5_TCP_SYN)
		return p->tcp_flags & W5_TCP_ACK ? LADDER_SYNACK : LADDER_SYN;
	if (p->payload_len) {
		if (p->payload_cap >= 5 && !memcmp(payload, "HTTP/", 5))
			return LADDER_RESPONSE;
		return starts_request(payload, p->payload_cap) ? LADDER_REQUEST : LADDER_DATA;
	}
	return p->tcp_flags & W5_TCP_FIN ? LADDER_FIN : LADDER_ACK;
}

/* The ClientHello as the leg has it, which keeps more of it. */
static bool hello_of_leg(char *out, size_t cap, const struct ladder_row *r,
			 const struct leg_side *side)
{
	const struct w5_leg *leg = side->leg;
	enum ladder_what what;

	return r->what == LADDER_HELLO && side->lane == LADDER_BACKEND && r->to_right &&
	       (leg->flags & W5_F_HANDSHAKE) &&
	       ladder_tls(out, cap, leg->head, min_size(leg->head_len, W5_HEAD_REQ), &what);
}

static void label_packet(struct ladder_row *r, const struct packet *p, const char *payload,
			 const struct leg_side *side)
{
	char tls[LADDER_LABEL_MAX - 24] = "";
	size_t n = 0;

	if (r->what == LADDER_DATA)
		ladder_tls(tls, sizeof(tls), payload, p->payload_cap, &r->what);
	hello_of_leg(tls, sizeof(tls), r, side);
	switch (r->what) {
	case LADDER_REQUEST:
	case LADDER_RESPONSE:
		ladder_first_line(r->label, sizeof(r->label) - 16, payload, p->payload_cap);
		n = strlen(r->label);
		break;
	case LADDER_DATA:
		n = (size_t)snprintf(r->label, sizeof(r->label), "%s%s%zu bytes", tls,
				     tls[0] ? ", " : "", p->payload_len);
		break;
	case LADDER_HELLO:
	case LADDER_ALERT: n = (size_t)snprintf(r->label, sizeof(r->label), "%s", tls); break;
	case LADDER_SYN:
	case LADDER_SYNACK:
		n = (size_t)snprintf(r->label, sizeof(r->label), "%s",
				     packet_flags_name(p->tcp_flags));
		if (r->what == LADDER_SYNACK)
			n += (size_t)snprintf(r->label + n, sizeof(r->label) - n, " ttl %u",
					      p->ttl);
		if (p->mss)
			snprintf(r->label + n, sizeof(r->label) - n, " mss %u", p->mss);
		return;
	case LADDER_RST:
		snprintf(r->label, sizeof(r->label), "%s ttl %u",
			 p->tcp_flags & W5_TCP_ACK ? "RST-ACK" : "RST (no ACK)", p->ttl);
		return;
	default:
		snprintf(r->label, sizeof(r->label), "%s", packet_flags_name(p->tcp_flags));
		return;
	}
	if (p->tcp_flags & W5_TCP_FIN)
		snprintf(r->label + n, sizeof(r->label) - n, " + FIN");
}

/* A segment that covers sequence space another one of the same direction had already. */
static bool sent_before(const struct ladder *l, size_t from, const struct ladder_row *r)
{
	if (r->what == LADDER_ACK || r->what == LADDER_RST)
		return false;
	for (size_t i = from; i < l->n - 1; i++) {
		const struct ladder_row *old = &l->rows[i];

		if (old->to_right == r->to_right && old->seq == r->seq && old->what == r->what)
			return true;
	}
	return false;
}

/*
 * Packets of earlier requests on a reused conn are minor: everything up to the last
 * payload before this request. A FIN or RST there belongs to the story.
 */
static bool is_earlier(const struct w5_leg *leg, const struct ladder_row *r)
{
	uint64_t start = leg->req_ns;

	if ((leg->nr <= 1 && !(leg->flags & W5_F_OLDER)) || !start || r->what == LADDER_FIN ||
	    r->what == LADDER_RST)
		return false;
	return r->ts_ns + SAME_INSTANT_NS < start;
}

void ladder_add_packets(struct ladder *l, const struct leg_side *side, const struct w5_packets *p,
			bool all)
{
	uint32_t slots = w5_packets_slots(p);
	size_t n = min_size(p->total, slots);
	size_t first = p->total > slots ? p->total % slots : 0;
	size_t from = l->n;
	bool is_later = false; /* the next request of this conn was seen */

	for (size_t i = 0; i < n; i++) {
		const struct w5_packet *pkt = w5_packets_slot(p, (uint32_t)(first + i) % slots);
		size_t cap = min_size(pkt->cap, w5_packet_room(pkt));
		struct ladder_row *r;
		struct packet dec;
		const char *payload;

		if (!pkt->ts_ns || packet_parse(&dec, pkt->data, cap, max_size(pkt->len, cap)))
			continue;
		payload = (const char *)pkt->data + dec.payload_off;
		r = ladder_push(l);
		if (!r)
			return;
		r->ts_ns = pkt->ts_ns;
		r->kind = LADDER_PACKET;
		r->packet = pkt;
		r->lane = side->lane;
		r->attempt = side->attempt;
		r->to_right = (side->lane == LADDER_BACKEND) == !!pkt->out;
		r->what = what_of(&dec, payload);
		r->seq = dec.seq;
		r->ack = dec.ack;
		r->tcp_flags = dec.tcp_flags;
		r->ttl = dec.ttl;
		label_packet(r, &dec, payload, side);
		r->is_retransmit = sent_before(l, from, r);
		is_later |= r->what == LADDER_REQUEST && !r->is_retransmit && side->done_ns &&
			    r->ts_ns > side->done_ns + SAME_INSTANT_NS;
		r->is_other = is_later || is_earlier(side->leg, r);
		r->is_minor = r->what == LADDER_ACK || r->is_other;
		if (r->is_minor && !all) {
			l->n--;
			continue;
		}
	}
}
