/* SPDX-License-Identifier: BSD-2-Clause */
#include "sink/packet_text.h"

#include <stdio.h>
#include <string.h>

#include "base/phrase.h"
#include "base/tcpopt.h"
#include "base/text.h"
#include "base/util.h"

#define TCP_FIXED 20

size_t packet_kept(const struct w5_packet *pkt)
{
	return min_size(min_size(pkt->cap, w5_packet_room(pkt)), pkt->len);
}

void packet_flags_text(char *out, size_t cap, uint8_t flags)
{
	static const char *const names[] = {
		"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"
	};
	struct phrase w = phrase_begin(out, cap);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & 1u << i)
			phrase_item(&w, ",", "%s", names[i]);
	if (!w.n)
		phrase_put(&w, "none");
}

void packet_net_text(char *out, size_t cap, const struct w5_packet *pkt, const struct packet *p)
{
	char src[TEXT_ENDPOINT_MAX], dst[TEXT_ENDPOINT_MAX];
	struct phrase w = phrase_begin(out, cap);

	text_endpoint(src, sizeof(src), &p->src, p->sport);
	text_endpoint(dst, sizeof(dst), &p->dst, p->dport);
	phrase_put(&w, "IPv%u %s > %s, %s %u", p->ip_version, src, dst,
		   p->ip_version == 4 ? "ttl" : "hop limit", p->ttl);
	if (p->ip_version == 4 && packet_kept(pkt) > 7) {
		phrase_put(&w, ", id 0x%04x", p->ip_id);
		if (pkt->data[6] & 0x40)
			phrase_put(&w, ", DF");
		if (pkt->data[1])
			phrase_put(&w, ", tos 0x%02x", pkt->data[1]);
	}
	phrase_put(&w, ", %u bytes", pkt->len);
	if (packet_kept(pkt) < pkt->len)
		phrase_put(&w, ", first %zu kept", packet_kept(pkt));
}

void packet_tcp_text(char *out, size_t cap, const struct packet *p, const struct packet_base *b)
{
	struct phrase w = phrase_begin(out, cap);
	char flags[40];

	packet_flags_text(flags, sizeof(flags), p->tcp_flags);
	phrase_put(&w, "TCP %s, seq ", flags);
	if (b->has_own)
		phrase_put(&w, "%u (%u)", p->seq - b->own, p->seq);
	else
		phrase_put(&w, "%u", p->seq);
	if (p->tcp_flags & W5_TCP_ACK) {
		if (b->has_peer)
			phrase_put(&w, ", ack %u (%u)", p->ack - b->peer, p->ack);
		else
			phrase_put(&w, ", ack %u", p->ack);
	}
	phrase_put(&w, ", win %u, payload %zu", p->win, p->payload_len);
	if (p->payload_cap < p->payload_len)
		phrase_put(&w, ", first %zu kept", p->payload_cap);
}

void packet_options_text(char *out, size_t cap, const struct w5_packet *pkt, const struct packet *p,
			 const struct packet_base *b)
{
	size_t from = p->tcp_off + TCP_FIXED, end = min_size(p->payload_off, packet_kept(pkt));

	out[0] = '\0';
	if (end > from)
		tcpopt_text(out, cap, pkt->data + from, end - from, b->has_peer ? b->peer : 0);
}

bool packet_hex_text(char *out, size_t cap, const struct w5_packet *pkt, size_t off)
{
	struct phrase w = phrase_begin(out, cap);
	size_t kept = packet_kept(pkt), n = off < kept ? min_size(kept - off, 16) : 0;

	if (!n)
		return false;
	phrase_put(&w, "%04zx ", off);
	for (size_t i = 0; i < 16; i++) {
		if (i < n)
			phrase_put(&w, "%s%02x", i == 8 ? "  " : " ", pkt->data[off + i]);
		else
			phrase_put(&w, "%s  ", i == 8 ? "  " : " ");
	}
	phrase_put(&w, "  ");
	for (size_t i = 0; i < n; i++) {
		uint8_t ch = pkt->data[off + i];

		phrase_put(&w, "%c", ch >= 0x20 && ch < 0x7f ? ch : '.');
	}
	return true;
}
