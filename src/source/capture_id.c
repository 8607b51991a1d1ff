/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conns by their ends: which one a packet is of, and who opened it. In a hash, conns of equal keys
 * are chained.
 */
#include <string.h>

#include "base/util.h"
#include "source/capture_impl.h"
#include "w5_http1.h"

struct conn_id conn_id(const struct w5_addr ip[2], const uint16_t port[2], uint32_t isn)
{
	struct conn_id id = { .isn = isn };
	uint8_t b[40];

	memcpy(id.ip, ip, sizeof(id.ip));
	memcpy(id.port, port, sizeof(id.port));
	memcpy(b, ip, 32);
	memcpy(b + 32, port, 4);
	memcpy(b + 36, &isn, 4);
	id.key = hash_bytes(b, sizeof(b), 1);
	return id;
}

struct conn_id conn_id_of(const struct packet *p, int from)
{
	const struct w5_addr ip[2] = { from ? p->dst : p->src, from ? p->src : p->dst };
	const uint16_t port[2] = { from ? p->dport : p->sport, from ? p->sport : p->dport };

	return conn_id(ip, port, 0);
}

static bool starts_request(const struct packet *p, const uint8_t *ip)
{
	uint8_t peek[W5_HTTP1_PEEK] = { 0 };

	memcpy(peek, ip + p->payload_off, min_size(p->payload_cap, sizeof(peek)));
	return p->payload_cap && w5_http1_is_request(peek);
}

int conn_id_from(const struct capture *c, const struct packet *p, const uint8_t *ip)
{
	bool from, to;

	if (p->tcp_flags & W5_TCP_SYN)
		return !!(p->tcp_flags & W5_TCP_ACK);
	from = hash_find(&c->servers, capture_server_key(&p->src, p->sport));
	to = hash_find(&c->servers, capture_server_key(&p->dst, p->dport));
	if (from != to)
		return from;
	return starts_request(p, ip) ? 0 : -1;
}

/* ---- in a hash ---- */

static bool is_same(const struct conn_id *a, const struct conn_id *b)
{
	return a->isn == b->isn && a->port[0] == b->port[0] && a->port[1] == b->port[1] &&
	       capture_same_ip(&a->ip[0], &b->ip[0]) && capture_same_ip(&a->ip[1], &b->ip[1]);
}

struct conn_id *conn_id_find(const struct hash *h, const struct conn_id *id)
{
	struct conn_id *k = hash_find(h, id->key);

	while (k && !is_same(k, id))
		k = k->twin;
	return k;
}

struct conn_id *conn_id_find_packet(const struct hash *h, const struct packet *p, int *from)
{
	for (*from = 0; *from < 2; ++*from) {
		struct conn_id id = conn_id_of(p, *from), *k = conn_id_find(h, &id);

		if (k)
			return k;
	}
	return NULL;
}

int conn_id_add(struct hash *h, struct conn_id *id)
{
	id->twin = hash_find(h, id->key);
	return hash_insert(h, id->key, id);
}

void conn_id_remove(struct hash *h, struct conn_id *id)
{
	struct conn_id *first = hash_find(h, id->key), **at;

	if (first == id) {
		if (id->twin)
			hash_insert(h, id->key, id->twin); /* replaces: no memory needed */
		else
			hash_remove(h, id->key);
		return;
	}
	for (at = &first->twin; *at && *at != id; at = &(*at)->twin)
		;
	if (*at)
		*at = id->twin;
}
