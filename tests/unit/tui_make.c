/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui_make.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void make_addr(struct w5_addr *a, const char *text)
{
	memset(a, 0, sizeof(*a));
	if (strchr(text, ':')) {
		inet_pton(AF_INET6, text, a->ip);
		return;
	}
	a->ip[10] = a->ip[11] = 0xff;
	inet_pton(AF_INET, text, a->ip + 12);
}

struct finding *make_finding(uint64_t id, uint64_t ts_ns, unsigned status, enum cause cause)
{
	struct finding *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->refs = 1;
	f->id = id;
	f->ts_ns = ts_ns;
	f->wall_ns = ts_ns + 1700000000000000000ull;
	f->req_ns = ts_ns - 2000000;
	f->duration_ns = 2000000;
	f->status = (uint16_t)status;
	f->sight = SIGHT_WIRE;
	f->cause = cause;
	snprintf(f->method, sizeof(f->method), "GET");
	snprintf(f->target, sizeof(f->target), "/api/items?id=%llu", (unsigned long long)id);
	snprintf(f->host, sizeof(f->host), "shop.example");
	snprintf(f->gateway_name, sizeof(f->gateway_name), "nginx");
	make_addr(&f->down.remote, "198.51.100.4");
	f->down.rport = 51034;
	f->down.tgid = 2217;
	f->down.nr = 1;
	f->down.req_ns = f->req_ns;
	f->down.resp_ns = status ? ts_ns : 0;
	f->down.status = (uint16_t)status;
	return f;
}

struct attempt *make_attempt(struct finding *f, const char *ip, unsigned port, enum cause cause)
{
	struct attempt *more = realloc(f->attempts, (f->nattempts + 1) * sizeof(*more));

	if (!more)
		abort();
	f->attempts = more;
	more = &f->attempts[f->nattempts++];
	*more = (struct attempt){ .cause = cause };
	make_addr(&more->leg.remote, ip);
	more->leg.rport = (uint16_t)port;
	more->leg.lport = 41022;
	return more;
}

struct flight *make_flight(void)
{
	struct flight *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->refs = 1;
	return f;
}

void make_packet(struct flight *f, uint64_t ts_ns, bool out, unsigned flags, uint32_t seq,
		 uint32_t ack, const char *payload)
{
	struct w5_packet *pkt = &f->p.pkt[f->p.total++ % W5_PKT_SLOTS];
	size_t len = 40 + strlen(payload);
	uint8_t *p = pkt->data;

	memset(pkt, 0, sizeof(*pkt));
	pkt->ts_ns = ts_ns;
	pkt->out = out;
	pkt->len = (uint32_t)len;
	pkt->cap = (uint16_t)(len < W5_PKT_BYTES ? len : W5_PKT_BYTES);
	p[0] = 0x45;
	p[2] = (uint8_t)(len >> 8);
	p[3] = (uint8_t)len;
	p[8] = 63;
	p[9] = 6;
	for (int i = 0; i < 4; i++) {
		p[24 + i] = (uint8_t)(seq >> (24 - 8 * i));
		p[28 + i] = (uint8_t)(ack >> (24 - 8 * i));
	}
	p[32] = 0x50;
	p[33] = (uint8_t)flags;
	memcpy(p + 40, payload, pkt->cap - 40u);
}
