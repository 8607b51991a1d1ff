/* SPDX-License-Identifier: BSD-2-Clause */
#include "sample.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct w5_addr sample_addr(const char *ip)
{
	struct w5_addr a = { .ip = { [10] = 0xff, [11] = 0xff } };

	if (inet_pton(strchr(ip, ':') ? AF_INET6 : AF_INET, ip,
		      strchr(ip, ':') ? a.ip : a.ip + 12) != 1)
		abort();
	return a;
}

/* IPv4 and TCP headers without options; checksums are left to offload, as on the host. */
static void put_packet(struct w5_packet *p, uint64_t ts_ns, int out, uint32_t seq, uint8_t flags)
{
	static const uint8_t gateway[4] = { 10, 0, 3, 2 }, backend[4] = { 10, 0, 3, 18 };
	uint16_t ports[2] = { htons(41022), htons(8080) };
	uint32_t be_seq = htonl(seq);

	*p = (struct w5_packet){ .ts_ns = ts_ns, .len = 40, .cap = 40, .out = (uint8_t)out };
	p->data[0] = 0x45;
	p->data[3] = 40;
	p->data[8] = out ? 64 : 63;
	p->data[9] = 6;
	memcpy(p->data + 12, out ? gateway : backend, 4);
	memcpy(p->data + 16, out ? backend : gateway, 4);
	memcpy(p->data + 20, &ports[!out], 2);
	memcpy(p->data + 22, &ports[out], 2);
	memcpy(p->data + 24, &be_seq, 4);
	p->data[32] = 0x50;
	p->data[33] = flags;
	p->data[34] = 0x20;
}

struct flight *sample_flight(uint64_t cookie, uint32_t npackets, uint64_t last_ns,
			     uint8_t last_flags)
{
	struct flight *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->refs = 1;
	f->p.h = (struct w5_hdr){
		.ts_ns = last_ns, .cookie = cookie, .type = W5_REC_PACKETS, .size = sizeof(f->p)
	};
	f->p.total = npackets;
	for (uint32_t i = 0; i < npackets; i++)
		put_packet(&f->p.pkt[i % W5_PKT_SLOTS], last_ns - (npackets - 1 - i) * 1000000ull,
			   i % 2 == 0, 1000 + i, i + 1 == npackets ? last_flags : W5_TCP_ACK);
	return f;
}

static void sample_attempt(struct attempt *a)
{
	struct w5_leg *l = &a->leg;

	a->cause = CAUSE_KEEPALIVE_RACE;
	a->flight = sample_flight(77, 4, SAMPLE_TS_NS - 112000, W5_TCP_RST);
	*l = (struct w5_leg){
		.h = { .cookie = 77, .type = W5_REC_ATTEMPT, .size = sizeof(*l) },
		.local = sample_addr("10.0.3.2"),
		.remote = sample_addr("10.0.3.18"),
		.lport = 41022,
		.rport = 8080,
		.req_ns = SAMPLE_TS_NS - 321000,
		.end_ns = SAMPLE_TS_NS - 31000,
		.rst_in_ns = SAMPLE_TS_NS - 31000,
		.fin_in_ns = SAMPLE_TS_NS - 540000,
		.idle_ns = 60004100000,
		.nr = 42,
		.req_bytes = 120,
		.role = W5_ROLE_UPSTREAM,
		.phase = W5_PHASE_REQUEST,
		.end = W5_END_RST_IN,
		.synack_ttl = 63,
		.rst_ttl = 63,
		.fin_ttl = 63,
		.rst_flags = W5_TCP_RST,
	};
}

struct finding *sample_finding(void)
{
	struct finding *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	*f = (struct finding){
		.refs = 1,
		.id = 17,
		.ts_ns = SAMPLE_TS_NS,
		.wall_ns = SAMPLE_WALL_NS,
		.req_ns = SAMPLE_TS_NS - 402000,
		.duration_ns = 402000,
		.verdict = VERDICT_GATEWAY_MADE,
		.cause = CAUSE_KEEPALIVE_RACE,
		.confidence = CONFIDENCE_CERTAIN,
		.witness = WITNESS_TARGET | WITNESS_THREAD,
		.status = 502,
		.sight = SIGHT_WIRE,
		.gateway_name = "nginx",
		.gateway_cgroup = "/system.slice/nginx.service",
		.gateway_group = 2216,
		.method = "POST",
		.target = "/api/cart",
		.host = "shop.example",
		.nattempts = 1,
		.flight = sample_flight(78, 3, SAMPLE_TS_NS, W5_TCP_ACK),
		.nevidence = 1,
		.evidence = { "FIN from backend 0.219 ms before our request reached it" },
		.next = "make the gateway's upstream keepalive timeout shorter",
		.why = "the backend closed the idle connection just as the gateway reused it",
	};
	f->down = (struct w5_leg){
		.local = sample_addr("203.0.113.1"),
		.remote = sample_addr("198.51.100.4"),
		.lport = 80,
		.rport = 51034,
		.tgid = 2217,
		.tid = 2217,
		.nr = 1,
		.role = W5_ROLE_DOWNSTREAM,
	};
	f->attempts = calloc(1, sizeof(*f->attempts));
	if (!f->attempts)
		abort();
	sample_attempt(&f->attempts[0]);
	return f;
}
