/* SPDX-License-Identifier: BSD-2-Clause */
/* Conns of gateways: which conn a packet is of, and whose ends that has. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "source/capture_impl.h"

#define OVER_NS	  (10 * NS_PER_S)  /* a conn that has ended, for what still comes */
#define DOUBLE_NS (20 * NS_PER_MS) /* between the copies of a packet captured twice */

/* ---- the table ---- */

static void track_free(struct capture *c, struct track *t)
{
	conn_id_remove(&c->tracks, &t->conn);
	list_remove(&t->lru);
	for (int i = 0; i < 2; i++) {
		order_drop(&t->flow[i]);
		side_free(t->side[i]);
	}
	c->n.one_way += t->has_data && !(t->from_seen[0] && t->from_seen[1]);
	free(t);
	c->ntracks--;
}

void capture_tracks_free(struct capture *c)
{
	void *val;
	size_t pos = 0;

	while (hash_next(&c->tracks, &pos, NULL, &val)) {
		track_free(c, val);
		pos = 0;
	}
	hash_fini(&c->tracks);
}

static void make_room(struct capture *c, uint64_t ts_ns)
{
	while (!list_empty(&c->over)) {
		struct track *t = list_entry(list_first(&c->over), struct track, lru);

		if (t->last_ns + OVER_NS > ts_ns && c->ntracks < CONNS_MAX)
			break;
		track_free(c, t);
	}
	while (c->ntracks >= CONNS_MAX && !list_empty(&c->lru)) {
		track_free(c, list_entry(list_first(&c->lru), struct track, lru));
		c->evicted++;
	}
}

static struct track *track_new(struct capture *c, struct conn_id conn, bool has_syn, uint32_t isn,
			       uint64_t ts_ns)
{
	int down = capture_service_gw(c, &conn.ip[1], conn.port[1]);
	int up = capture_source_gw(c, &conn.ip[0]);
	struct track *t;

	/* A conn to itself is its client's, as far as can be told; a question for a name is no
	 * request. */
	if ((up >= 0 && up == down) || conn.port[1] == W5_DNS_PORT)
		up = -1;
	if (up < 0 && down < 0)
		return NULL;
	make_room(c, ts_ns);
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->conn = conn;
	t->has_syn = has_syn;
	t->isn = isn;
	for (int i = 0; i < 2; i++)
		list_init(&t->flow[i].queue);
	t->side[0] = up >= 0 ? side_new(c, t, 0) : NULL;
	t->side[1] = down >= 0 ? side_new(c, t, 1) : NULL;
	if (conn_id_add(&c->tracks, &t->conn)) {
		side_free(t->side[0]);
		side_free(t->side[1]);
		free(t);
		return NULL;
	}
	list_push_back(&c->lru, &t->lru);
	c->ntracks++;
	c->n.older += !has_syn;
	return t;
}

/* The conn of a packet, and (in *from) which end sent it. */
static struct track *track_of(struct capture *c, const struct packet *p, const uint8_t *ip,
			      uint64_t ts_ns, int *from)
{
	bool is_syn = (p->tcp_flags & (W5_TCP_SYN | W5_TCP_ACK)) == W5_TCP_SYN;
	struct track *t = (struct track *)conn_id_find_packet(&c->tracks, p, from);

	if (t && is_syn && !*from && (!t->has_syn || t->isn != p->seq)) {
		track_free(c, t); /* the same ports again */
		t = NULL;
	}
	if (t)
		return t;
	*from = conn_id_from(c, p, ip);
	if (*from < 0 || (p->tcp_flags & W5_TCP_RST))
		return NULL;
	return track_new(c, conn_id_of(p, *from), p->tcp_flags & W5_TCP_SYN,
			 *from ? p->ack - 1 : p->seq, ts_ns);
}

/* ---- packets ---- */

/* Seen a moment ago, but for what routers change: captured at two places. */
static bool is_double(struct capture *c, const struct packet *p, const uint8_t *ip, size_t cap,
		      uint64_t ts_ns)
{
	size_t n = min_size(cap, p->payload_off), slot;
	uint8_t h[256] = { 0 };
	uint64_t key;
	bool known;

	n = min_size(n, sizeof(h) - 2);
	memcpy(h, ip, n);
	if (p->ip_version == 4 && n >= 20)
		h[1] = h[8] = h[10] = h[11] = 0; /* DSCP, TTL, checksum */
	else if (n >= 8)
		h[7] = 0; /* hop limit */
	if (n >= p->tcp_off + 18)
		h[p->tcp_off + 16] = h[p->tcp_off + 17] = 0; /* offloaded checksums differ */
	key = hash_bytes(h, n, p->payload_len);
	slot = key % ARRAY_SIZE(c->lately);
	known = c->lately[slot].hash == key && c->lately[slot].ts_ns <= ts_ns &&
		ts_ns - c->lately[slot].ts_ns < DOUBLE_NS;
	c->lately[slot].hash = key;
	c->lately[slot].ts_ns = ts_ns;
	return known;
}

void capture_packet(struct capture *c, const struct packet *p, const uint8_t *ip, size_t cap,
		    size_t len, uint64_t ts_ns, bool is_cut)
{
	struct seg s = {
		.ts_ns = ts_ns,
		.seq = p->seq,
		.ack = p->ack,
		.payload = (uint32_t)min_size(p->payload_len, 1u << 20),
		.win = p->win,
		.ipid = p->ip_id,
		.mss = p->mss,
		.flags = p->tcp_flags,
		.ttl = p->ttl,
		.data = ip + min_size(p->payload_off, cap),
		.cap = p->payload_cap,
		.sacked = p->sacked,
	};
	struct track *t;
	int from;

	/* A pure ACK has no number of its own in IPv6, and two may well be the same. */
	if ((p->payload_len || (p->tcp_flags & (W5_TCP_SYN | W5_TCP_FIN | W5_TCP_RST))) &&
	    is_double(c, p, ip, cap, ts_ns)) {
		c->n.duplicates++;
		return;
	}
	t = track_of(c, p, ip, ts_ns, &from);
	if (!t)
		return;
	c->n.used++;
	c->n.cut += is_cut && p->payload_cap < p->payload_len;
	if (s.cap == s.payload)
		s.ntail = (uint8_t)min_size(s.cap, sizeof(s.tail));
	for (uint8_t i = 0; i < s.ntail; i++)
		s.tail = s.tail << 8 | s.data[s.cap - s.ntail + i];
	t->last_ns = ts_ns;
	t->from_seen[from] = true;
	t->has_data |= p->payload_len > 0;
	if (!t->is_over)
		list_move_back(&c->lru, &t->lru);
	if (s.payload || (s.flags & (W5_TCP_SYN | W5_TCP_FIN | W5_TCP_RST)))
		for (int i = 0; i < 2; i++)
			if (t->side[i])
				side_keep(t->side[i], ip, cap, len, i == from, ts_ns);
	order_segment(c, t, from, &s);
}

void capture_icmp(struct capture *c, const uint8_t *ip, size_t cap, uint64_t ts_ns)
{
	struct icmp_error e;
	struct conn_id about;
	struct track *t;

	if (!capture_icmp_parse(&e, &about, ip, cap))
		return;
	t = (struct track *)conn_id_find(&c->tracks, &about);
	if (t && t->side[0])
		side_unreachable(c, t->side[0], &e, ts_ns);
}
