/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets of a made-up network, for tests of capture files: a client, a gateway with an
 * address on either side, backends. Each host keeps its sequence numbers.
 */
#ifndef TESTS_LIB_NET_H
#define TESTS_LIB_NET_H

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "packet.h"
#include "source/capture.h"

#define NET_START_NS 1795350000000000000ull
#define NET_DLT_RAW  12
#define NET_MAX	     512
#define US	     1000ull
#define MS	     1000000ull

struct net_packet {
	uint8_t data[512];
	struct capture_packet k;
};

struct net {
	struct net_packet p[NET_MAX];
	size_t n;
	uint64_t now_ns;
	uint16_t ipid;
};

struct net_conn {
	const char *ip[2];
	uint16_t port[2];
	uint32_t seq[2];
	uint8_t ttl[2];
};

static inline struct net_conn net_conn(const char *client, uint16_t cport, const char *server,
				       uint16_t sport)
{
	return (struct net_conn){ .ip = { client, server },
				  .port = { cport, sport },
				  .seq = { 1000u + cport, 5000u + sport },
				  .ttl = { 64, 63 } };
}

static inline size_t net_ip(uint8_t *p, const char *src, const char *dst, uint8_t proto,
			    uint8_t ttl, uint16_t id, size_t len)
{
	p[0] = 0x45;
	put16(p + 2, (uint16_t)(20 + len));
	put16(p + 4, id);
	p[8] = ttl;
	p[9] = proto;
	inet_pton(AF_INET, src, p + 12);
	inet_pton(AF_INET, dst, p + 16);
	return 20;
}

static inline struct net_packet *net_new(struct net *n, uint64_t after_ns)
{
	struct net_packet *p = &n->p[n->n++];

	if (n->n > NET_MAX)
		abort();
	memset(p, 0, sizeof(*p));
	n->now_ns = (n->now_ns ? n->now_ns : NET_START_NS) + after_ns;
	p->k.ts_ns = n->now_ns;
	p->k.dlt = NET_DLT_RAW;
	p->k.data = p->data;
	return p;
}

/* One segment of end `from` (0: who opened the conn). */
static inline struct net_packet *net_seg(struct net *n, uint64_t after_ns, struct net_conn *c,
					 int from, uint8_t flags, const char *payload)
{
	struct net_packet *p = net_new(n, after_ns);
	size_t len = payload ? strlen(payload) : 0, off;
	uint8_t *t;

	off = net_ip(p->data, c->ip[from], c->ip[!from], 6, c->ttl[from], ++n->ipid, 20 + len);
	t = p->data + off;
	put16(t, c->port[from]);
	put16(t + 2, c->port[!from]);
	put32(t + 4, c->seq[from]);
	put32(t + 8, flags & W5_TCP_ACK ? c->seq[!from] : 0);
	t[12] = 0x50;
	t[13] = flags;
	put16(t + 14, 500);
	if (len)
		memcpy(t + 20, payload, len);
	p->k.cap = p->k.len = off + 20 + len;
	c->seq[from] += (uint32_t)len + !!(flags & (W5_TCP_SYN | W5_TCP_FIN));
	return p;
}

static inline void net_open(struct net *n, uint64_t after_ns, struct net_conn *c)
{
	net_seg(n, after_ns, c, 0, W5_TCP_SYN, NULL);
	net_seg(n, 20 * US, c, 1, W5_TCP_SYN | W5_TCP_ACK, NULL);
	net_seg(n, 10 * US, c, 0, W5_TCP_ACK, NULL);
}

static inline struct net_packet *net_data(struct net *n, uint64_t after_ns, struct net_conn *c,
					  int from, const char *payload)
{
	return net_seg(n, after_ns, c, from, W5_TCP_ACK | W5_TCP_PSH, payload);
}

/* The router that cannot send on the last packet of c's opener says so. */
static inline void net_icmp(struct net *n, uint64_t after_ns, const struct net_conn *c,
			    const char *router, uint8_t type, uint8_t code)
{
	struct net_packet *p = net_new(n, after_ns);
	size_t off = net_ip(p->data, router, c->ip[0], 1, 64, ++n->ipid, 8 + 28);

	p->data[off] = type;
	p->data[off + 1] = code;
	off += 8;
	off += net_ip(p->data + off, c->ip[0], c->ip[1], 6, 63, 1, 20);
	put16(p->data + off, c->port[0]);
	put16(p->data + off + 2, c->port[1]);
	p->k.cap = p->k.len = off + 8;
}

#endif
