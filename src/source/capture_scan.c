/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First pass: who is a gateway. A host is one that accepts HTTP requests and, while one is
 * open, sends another of the same target, or opens conns. Addresses need not be the same: a
 * gateway has one towards its clients and others towards its backends. capture_gateways.c
 * decides; here the evidence is gathered. And: which connects were never answered.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "source/capture_link.h"
#include "source/capture_scan.h"
#include "w5_http1.h"

#define LOOK_MAX 64 /* open requests looked at for a new conn */
#define SAME_MAX 16 /* open requests of one target looked at */

/* ---- what is remembered of addresses ---- */

struct svc *scan_svc(struct scan *s, const struct w5_addr *ip, uint16_t port)
{
	uint64_t key = capture_server_key(ip, port);
	uintptr_t at = (uintptr_t)hash_find(&s->svc_at, key);
	struct svc *v;

	if (at)
		return &s->svcs[at - 1];
	if (s->nsvcs == SVCS_MAX)
		return NULL;
	v = &s->svcs[s->nsvcs];
	*v = (struct svc){ .ip = *ip, .port = port };
	if (hash_insert(&s->svc_at, key, (void *)(s->nsvcs + 1)))
		return NULL;
	s->nsvcs++;
	return v;
}

static void note(struct w5_addr *set, size_t *n, const struct w5_addr *ip)
{
	for (size_t i = 0; i < *n; i++)
		if (capture_same_ip(&set[i], ip))
			return;
	if (*n < NOTED_MAX)
		set[(*n)++] = *ip;
}

static struct svc_link *svc_link(struct svc *v, const struct w5_addr *ip)
{
	for (size_t i = 0; i < v->nlinks; i++)
		if (capture_same_ip(&v->links[i].ip, ip))
			return &v->links[i];
	if (v->nlinks == LINKS_MAX)
		return NULL;
	v->links[v->nlinks] = (struct svc_link){ .ip = *ip };
	return &v->links[v->nlinks++];
}

/* The request is over: what happened meanwhile tells of the host it went to. */
static void close_request(struct scan *s, struct sconn *k, bool is_bad, bool is_answered)
{
	struct svc *v = k->asked ? scan_svc(s, &k->conn.ip[1], k->conn.port[1]) : NULL;
	struct svc_link *l;

	list_remove(&k->open);
	list_remove(&k->same);
	k->asked = false;
	if (!v)
		return;
	v->bad += is_bad;
	for (size_t i = 0; i < k->nnested && is_answered; i++)
		if ((l = svc_link(v, &k->nested[i])))
			l->nested++;
	for (size_t i = 0; i < k->nopened && is_bad; i++)
		if ((l = svc_link(v, &k->opened[i])))
			l->opened++;
}

/* ---- conns ---- */

static void keep_unanswered(struct capture *c, const struct sconn *k)
{
	struct unanswered *u;

	if (!k->has_syn || k->is_answered)
		return;
	u = calloc(1, sizeof(*u));
	if (!u)
		return;
	u->conn = conn_id(k->conn.ip, k->conn.port, k->isn);
	u->last_syn_ns = k->last_syn_ns;
	if (conn_id_add(&c->unanswered, &u->conn))
		free(u);
}

static void sconn_drop(struct capture *c, struct sconn *k)
{
	struct scan *s = c->scan;

	keep_unanswered(c, k);
	close_request(s, k, false, false);
	list_remove(&k->lru);
	conn_id_remove(&s->conns, &k->conn);
	free(k);
	s->nconns--;
}

static struct sconn *sconn_new(struct capture *c, struct conn_id conn)
{
	struct scan *s = c->scan;
	struct sconn *k;

	if (s->nconns >= SCONNS_MAX)
		sconn_drop(c, list_entry(list_first(&s->lru), struct sconn, lru));
	k = calloc(1, sizeof(*k));
	if (!k)
		return NULL;
	k->conn = conn;
	list_init(&k->open);
	list_init(&k->same);
	if (conn_id_add(&s->conns, &k->conn)) {
		free(k);
		return NULL;
	}
	list_push_back(&s->lru, &k->lru);
	s->nconns++;
	return k;
}

static void is_server(struct capture *c, const struct w5_addr *ip, uint16_t port)
{
	if (c->servers.count < 65536)
		hash_insert(&c->servers, capture_server_key(ip, port), c);
}

/* ---- events ---- */

/* Somebody opens a conn: while which requests? */
static void on_open(struct capture *c, const struct sconn *k, uint64_t ts_ns)
{
	uint64_t peer = capture_server_key(&k->conn.ip[1], k->conn.port[1]);
	struct scan *s = c->scan;
	bool is_prompt = false;
	int left = LOOK_MAX;
	struct list *n;

	route_count(&c->peers, peer);
	for (n = s->open.prev; n != &s->open && left--; n = n->prev) {
		struct sconn *a = list_entry(n, struct sconn, open);
		struct svc *v;

		if (ts_ns >= a->asked_ns)
			route_pair(c, a->route, peer, ts_ns - a->asked_ns);
		is_prompt = is_prompt || a->asked_ns + ROUTE_PROMPT_NS >= ts_ns;

		if (a->conn.port[1] == k->conn.port[1] &&
		    capture_same_ip(&a->conn.ip[1], &k->conn.ip[1]))
			continue; /* another client of the same service */
		if (capture_same_ip(&a->conn.ip[0], &a->conn.ip[1]))
			continue; /* on one host everybody has this address */
		if (capture_same_ip(&a->conn.ip[1], &k->conn.ip[0])) {
			v = scan_svc(s, &a->conn.ip[1], a->conn.port[1]);
			if (v)
				v->opens++;
		} else if (!capture_same_ip(&a->conn.ip[0], &k->conn.ip[0])) {
			note(a->opened, &a->nopened, &k->conn.ip[0]);
		}
	}
	if (is_prompt)
		route_prompt(c, peer);
}

static void on_request(struct capture *c, struct sconn *k, const uint8_t *head, size_t len,
		       uint64_t ts_ns)
{
	struct scan *s = c->scan;
	struct svc *v = scan_svc(s, &k->conn.ip[1], k->conn.port[1]);
	struct list *bucket, *n;
	int left = SAME_MAX;

	is_server(c, &k->conn.ip[1], k->conn.port[1]);
	if (!v)
		return;
	v->requests++;
	route_count(&s->askers, capture_server_key(&k->conn.ip[0], 0));
	k->asked = true;
	k->target = capture_target_key(head, len);
	k->route = capture_route_key(head, len);
	k->asked_ns = ts_ns;
	route_count(&c->routes, k->route);
	route_pair(c, k->route, capture_server_key(&k->conn.ip[1], k->conn.port[1]), 0);
	k->nnested = k->nopened = 0;
	list_move_back(&s->open, &k->open);
	bucket = &s->same[k->target % BUCKETS];
	list_for_each(n, bucket) {
		struct sconn *a = list_entry(n, struct sconn, same);

		if (!left--)
			break;
		if (!k->target || a->target != k->target ||
		    (a->conn.port[1] == k->conn.port[1] &&
		     capture_same_ip(&a->conn.ip[1], &k->conn.ip[1])))
			continue;
		/* the same client asks somebody else: a retry, unless they are all on one host */
		if (capture_same_ip(&a->conn.ip[0], &k->conn.ip[0]) &&
		    !capture_same_ip(&a->conn.ip[0], &a->conn.ip[1]))
			continue;
		note(a->nested, &a->nnested, &k->conn.ip[0]);
	}
	list_remove(&k->same);
	list_push_front(bucket, &k->same);
}

static uint16_t status_of(const uint8_t *p, size_t n)
{
	uint8_t peek[W5_HTTP1_PEEK] = { 0 };

	memcpy(peek, p, min_size(n, sizeof(peek)));
	return w5_http1_status(peek);
}

/* Behind interim ones, if they came in the same segment. */
static uint16_t final_status(const uint8_t *p, size_t n)
{
	uint16_t status = status_of(p, n), next;

	while (w5_http1_is_interim(status)) {
		uint8_t after_lf = 0;
		uint32_t skip = w5_http1_header_size(p, (uint32_t)n, &after_lf);

		p += skip;
		n -= skip;
		next = skip ? status_of(p, n) : 0;
		if (!next)
			break;
		status = next;
	}
	return status;
}

static void on_bytes(struct capture *c, struct sconn *k, int from, const uint8_t *p, size_t cap,
		     uint64_t ts_ns)
{
	uint16_t status;

	if (!cap)
		return;
	if (!from) {
		uint8_t peek[W5_HTTP1_PEEK] = { 0 };

		memcpy(peek, p, min_size(cap, sizeof(peek)));
		if (!k->asked && w5_http1_is_request(peek))
			on_request(c, k, p, cap, ts_ns);
		return;
	}
	if (!k->asked)
		return;
	status = final_status(p, cap);
	if (status >= 200 || !status)
		close_request(c->scan, k, status >= 500, status);
}

static struct sconn *sconn_of(struct capture *c, const struct packet *p, const uint8_t *ip,
			      int *from)
{
	struct sconn *k = (struct sconn *)conn_id_find_packet(&c->scan->conns, p, from);

	if (k)
		return k;
	*from = conn_id_from(c, p, ip);
	return *from < 0 ? NULL : sconn_new(c, conn_id_of(p, *from));
}

static void scan_packet(struct capture *c, const struct packet *p, const uint8_t *ip,
			uint64_t ts_ns)
{
	bool is_syn = (p->tcp_flags & (W5_TCP_SYN | W5_TCP_ACK)) == W5_TCP_SYN;
	int from;
	struct sconn *k = sconn_of(c, p, ip, &from);

	if (!k)
		return;
	list_move_back(&c->scan->lru, &k->lru);
	if (is_syn && !from) {
		if (!k->has_syn || k->isn != p->seq) { /* perhaps the same ports again */
			keep_unanswered(c, k);
			close_request(c->scan, k, false, false);
			k->has_syn = true;
			k->is_answered = false;
			k->isn = p->seq;
			on_open(c, k, ts_ns);
		}
		k->last_syn_ns = ts_ns;
	} else {
		/* even a RST: then the gateway hears of it */
		k->is_answered = true;
	}
	if (from && (p->tcp_flags & W5_TCP_SYN))
		is_server(c, &k->conn.ip[1], k->conn.port[1]);
	if (p->payload_len)
		on_bytes(c, k, from, ip + p->payload_off, p->payload_cap, ts_ns);
	if ((p->tcp_flags & (W5_TCP_FIN | W5_TCP_RST)) && k->asked &&
	    (from || (p->tcp_flags & W5_TCP_RST)))
		close_request(c->scan, k, from, false);
}

/* An ICMP error is an answer, too. */
static void scan_icmp(struct capture *c, const uint8_t *ip, size_t cap)
{
	struct icmp_error e;
	struct conn_id about;
	struct sconn *k;

	if (!capture_icmp_parse(&e, &about, ip, cap))
		return;
	k = (struct sconn *)conn_id_find(&c->scan->conns, &about);
	if (k)
		k->is_answered = true;
}

static struct scan *scan_new(void)
{
	struct scan *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	hash_init(&s->conns);
	hash_init(&s->svc_at);
	hash_init(&s->askers);
	list_init(&s->lru);
	list_init(&s->open);
	for (size_t i = 0; i < BUCKETS; i++)
		list_init(&s->same[i]);
	return s;
}

void capture_scan_free(struct capture *c)
{
	if (!c->scan)
		return;
	while (!list_empty(&c->scan->lru))
		sconn_drop(c, list_entry(list_first(&c->scan->lru), struct sconn, lru));
	hash_fini(&c->scan->conns);
	hash_fini(&c->scan->svc_at);
	hash_fini(&c->scan->askers);
	free(c->scan);
	c->scan = NULL;
}

void capture_scan(struct capture *c, const struct capture_packet *p)
{
	int off = capture_link_ip(p->dlt, p->data, p->cap);
	const uint8_t *ip;
	struct packet k;

	if (!c->scan)
		c->scan = scan_new();
	if (!c->scan || off < 0 || (size_t)off >= p->cap)
		return;
	ip = (const uint8_t *)p->data + off;
	c->scan->npackets++;
	c->first_ns = c->first_ns ? min_u64(c->first_ns, p->ts_ns) : p->ts_ns;
	c->end_ns = max_u64(c->end_ns, p->ts_ns);
	if (!packet_parse(&k, ip, p->cap - (size_t)off, max_size(p->len, p->cap) - (size_t)off))
		scan_packet(c, &k, ip, p->ts_ns);
	else
		scan_icmp(c, ip, p->cap - (size_t)off);
}

size_t capture_scan_end(struct capture *c, char why_none[CAPTURE_ERR_MAX])
{
	if (!c->scan)
		c->scan = scan_new();
	if (c->scan)
		capture_choose_gateways(c, why_none);
	capture_scan_free(c);
	return c->ngws;
}
