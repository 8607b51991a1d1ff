/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses, and packets of the flight recorder, for tests. */
#ifndef TESTS_LIB_PACKET_H
#define TESTS_LIB_PACKET_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "w5_abi.h"

static inline void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static inline void make_addr(struct w5_addr *a, const char *text)
{
	memset(a, 0, sizeof(*a));
	if (strchr(text, ':')) {
		inet_pton(AF_INET6, text, a->ip);
		return;
	}
	a->ip[10] = a->ip[11] = 0xff;
	inet_pton(AF_INET, text, a->ip + 12);
}

/* Appends an IPv4/TCP packet between the addresses of d; payload may be "". */
static inline void make_packet(struct w5_packets *d, uint64_t ts_ns, bool out, unsigned flags,
			       uint32_t seq, uint32_t ack, const char *payload)
{
	struct w5_packet *pkt = &d->pkt[d->total++ % W5_PKT_SLOTS];
	size_t len = 40 + strlen(payload);
	uint8_t *p = pkt->data;

	memset(pkt, 0, sizeof(*pkt));
	pkt->ts_ns = ts_ns;
	pkt->out = out;
	pkt->len = (uint32_t)len;
	pkt->cap = (uint16_t)(len < W5_PKT_BYTES ? len : W5_PKT_BYTES);
	p[0] = 0x45;
	put16(p + 2, (uint32_t)len);
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
	memcpy(p + 40, payload, pkt->cap - 40u);
}

#endif
