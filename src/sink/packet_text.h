/* SPDX-License-Identifier: BSD-2-Clause */
/* One kept packet in words and in bytes. What the packet says is escaped; nothing is trusted. */
#ifndef SINK_PACKET_TEXT_H
#define SINK_PACKET_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/packet.h"

/* First sequence numbers seen of each side: what the others are told relative to. */
struct packet_base {
	bool has_own, has_peer; /* of the sender, of the other side */
	uint32_t own, peer;
};

/* "PSH,ACK", "SYN", "RST"; "none" */
void packet_flags_text(char *out, size_t cap, uint8_t flags);
/* "IPv4 10.0.3.2:41022 > 10.0.3.18:8080, ttl 64, id 0x1c46, DF, 87 bytes" */
void packet_net_text(char *out, size_t cap, const struct w5_packet *pkt, const struct packet *p);
/* "TCP PSH,ACK, seq 1 (5000), ack 18 (7018), win 502, header 20" */
void packet_tcp_text(char *out, size_t cap, const struct packet *p, const struct packet_base *b);
/* "mss 1460, ws 7, ..."; "" if there are none */
void packet_options_text(char *out, size_t cap, const struct w5_packet *pkt, const struct packet *p,
			 const struct packet_base *b);
/* 16 bytes from off on: "0010  45 00 ...  |E..|"; false past the end of what was kept */
bool packet_hex_text(char *out, size_t cap, const struct w5_packet *pkt, size_t off);
/* Kept bytes, whatever the record says. */
size_t packet_kept(const struct w5_packet *pkt);

#endif
