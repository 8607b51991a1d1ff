/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One TCP/IP packet out of untrusted bytes that start at the IP header: what the
 * ladder and the packet writers need to know of it. Pure, bounds-checked; nothing
 * is read beyond the bytes that were kept, so a cut packet gives what it has.
 */
#ifndef BASE_PACKET_H
#define BASE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "w5_abi.h"

struct packet {
	uint8_t ip_version;    /* 4 or 6 */
	uint8_t ttl;	       /* IPv6: hop limit */
	uint8_t tcp_flags;     /* W5_TCP_* */
	uint16_t ip_id;	       /* IPv4 only */
	uint16_t sport, dport; /* host order */
	uint16_t win;	       /* as sent, not scaled */
	uint16_t mss;	       /* from the option, 0 if none */
	uint32_t seq, ack;
	uint32_t sacked; /* bytes beyond ack that the sender has (RFC 2018); blocks below do not count */
	struct w5_addr src, dst;
	size_t tcp_off; /* TCP header */
	size_t payload_off;
	size_t payload_len; /* on the wire */
	size_t payload_cap; /* of these, kept: data + payload_off .. + payload_cap */
};

/* cap: bytes kept at data; wire_len: bytes there were. 0, -EBADMSG (malformed),
 * -EPROTONOSUPPORT (not TCP, or not the first fragment) or -ENODATA (cut too early). */
int packet_parse(struct packet *out, const void *data, size_t cap, size_t wire_len);

/* "SYN", "SYN-ACK", "FIN", "RST", "RST-ACK", "ACK", "PSH": the flag that matters most. */
const char *packet_flags_name(uint8_t tcp_flags);
/* -1, 0, 1: a before, at, after b in sequence space (RFC 9293 3.4) */
int packet_seq_cmp(uint32_t a, uint32_t b);

#endif
