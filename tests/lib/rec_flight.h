/* SPDX-License-Identifier: BSD-2-Clause */
/* A flight recorder's dump for tests: IPv4 segments of a conn of rec_up() or rec_connect(). */
#ifndef TESTS_LIB_REC_FLIGHT_H
#define TESTS_LIB_REC_FLIGHT_H

#include "packet.h"
#include "rec.h"

/* The next packet: t in ms, payload in bytes (its content is not kept). */
static inline void flight_add(struct w5_packets *f, double t, bool out, uint32_t seq, uint8_t flags,
			      uint32_t payload)
{
	struct w5_packet *p = &f->pkt[f->total++ % W5_PKT_SLOTS];
	uint8_t *ip = p->data, *tcp = ip + 20;

	memset(p, 0, sizeof(*p));
	p->ts_ns = ms(t);
	p->out = out;
	p->len = 40 + payload;
	p->cap = 40;
	ip[0] = 0x45;
	put16(ip + 2, p->len);
	ip[8] = 63;
	ip[9] = 6;
	put16(tcp, out ? 41022 : 8080);
	put16(tcp + 2, out ? 8080 : 41022);
	put32(tcp + 4, seq);
	tcp[12] = 0x50;
	tcp[13] = flags;
}

static inline void flight_feed(struct engine *e, struct w5_packets *f, double t, uint64_t cookie)
{
	f->h = (struct w5_hdr){
		.ts_ns = ms(t), .cookie = cookie, .type = W5_REC_PACKETS, .size = sizeof(*f)
	};
	f->role = W5_ROLE_UPSTREAM;
	engine_feed(e, &f->h);
}

#endif
