/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See capture.h: the file by libpcap, twice, and its packets in order of time. What a program
 * that captures on several interfaces writes is out of order by a few packets: a heap of them
 * waits for those that come late.
 */
#include "source/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "source/capture_impl.h"
#include "source/capture_link.h"

#define HEAP_MAX 512
#define KEEP_MAX 65664 /* bytes of a packet that waits: the most that IP has, and a link header */
#define SWEEP_NS NS_PER_S

uint64_t capture_server_key(const struct w5_addr *ip, uint16_t port)
{
	uint8_t b[18];

	memcpy(b, ip, 16);
	memcpy(b + 16, &port, 2);
	return hash_bytes(b, sizeof(b), 2);
}

const struct unanswered *capture_unanswered(const struct capture *c, const struct track *t)
{
	struct conn_id id = conn_id(t->conn.ip, t->conn.port, t->isn);

	return (struct unanswered *)conn_id_find(&c->unanswered, &id);
}

/* ---- without a file ---- */

int capture_new(struct capture **out, const struct capture_cfg *cfg, const struct capture_ops *ops,
		void *self)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->cfg = *cfg;
	c->ops = *ops;
	c->self = self;
	hash_init(&c->tracks);
	hash_init(&c->servers);
	hash_init(&c->routes);
	hash_init(&c->peers);
	hash_init(&c->pairs);
	hash_init(&c->unanswered);
	hash_init(&c->established);
	list_init(&c->lru);
	list_init(&c->over);
	list_init(&c->asked);
	list_init(&c->dead);
	list_init(&c->leaving);
	*out = c;
	return 0;
}

void capture_free(struct capture *c)
{
	size_t pos = 0;
	void *val;

	if (!c)
		return;
	capture_scan_free(c);
	capture_tracks_free(c);
	while (hash_next(&c->unanswered, &pos, NULL, &val))
		for (struct conn_id *u = val, *next; u; u = next) {
			next = u->twin;
			free(u);
		}
	for (pos = 0; hash_next(&c->established, &pos, NULL, &val);)
		free(val);
	hash_fini(&c->unanswered);
	hash_fini(&c->established);
	hash_fini(&c->servers);
	hash_fini(&c->routes);
	hash_fini(&c->peers);
	hash_fini(&c->pairs);
	free(c);
}

static void capture_freep(struct capture **c)
{
	capture_free(*c);
}

int capture_feed(struct capture *c, const struct capture_packet *p)
{
	int off = capture_link_ip(p->dlt, p->data, p->cap);
	uint64_t ts_ns = p->ts_ns;
	const uint8_t *ip;
	size_t cap, len;
	struct packet k;
	int err;

	c->n.packets++;
	if (ts_ns < c->last_ts_ns)
		ts_ns = c->last_ts_ns; /* later than any it could wait for */
	c->last_ts_ns = ts_ns;
	if (off < 0 || (size_t)off >= p->cap || !ts_ns)
		return c->rc;
	ip = (const uint8_t *)p->data + off;
	cap = p->cap - (size_t)off;
	len = max_size(p->len, p->cap) - (size_t)off;
	tell_time(c, ts_ns);
	if (ts_ns >= c->swept_ns + SWEEP_NS) {
		giveup_run(c, ts_ns);
		c->swept_ns = ts_ns;
	}
	err = packet_parse(&k, ip, cap, len);
	if (!err)
		capture_packet(c, &k, ip, cap, len, ts_ns, p->is_cut);
	else if (err == -EPROTONOSUPPORT)
		capture_icmp(c, ip, cap, ts_ns);
	else
		c->n.unread++;
	return c->rc;
}

int capture_end(struct capture *c)
{
	if (!c->has_begun)
		return c->rc;
	giveup_leaving(c, UINT64_MAX);
	giveup_run(c, UINT64_MAX / 2);
	capture_tracks_free(c);
	tell_counters(c, c->now_ns);
	return c->rc;
}

/* ---- the file ---- */

__attribute__((format(printf, 3, 4))) static int refuse(char err[CAPTURE_ERR_MAX], int code,
							const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, CAPTURE_ERR_MAX, fmt, ap);
	va_end(ap);
	return code;
}

bool capture_is(const char *path)
{
	static const uint32_t magics[] = { 0xa1b2c3d4, 0xa1b23c4d, 0x0a0d0d0a };
	w5_auto(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint32_t magic = 0;

	if (fd < 0 || pread(fd, &magic, sizeof(magic), 0) != sizeof(magic))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (magic == magics[i] || magic == __builtin_bswap32(magics[i]))
			return true;
	return false;
}

static void pcap_closep(pcap_t **p)
{
	if (*p)
		pcap_close(*p);
}

/* Waiting packets, the earliest first. */
struct waiting {
	uint64_t ts_ns, nr;
	uint32_t cap, len;
	bool is_cut;
	uint8_t *data; /* KEEP_MAX bytes */
};

struct reader {
	struct capture *c;
	int (*feed)(struct capture *c, const struct capture_packet *p); /* in order of time */
	struct waiting heap[HEAP_MAX];
	size_t n;
	uint64_t nr, newest_ns;
	int dlt;
	uint8_t room[HEAP_MAX][KEEP_MAX];
};

static bool earlier(const struct waiting *a, const struct waiting *b)
{
	return a->ts_ns != b->ts_ns ? a->ts_ns < b->ts_ns : a->nr < b->nr;
}

static void swap(struct waiting *a, struct waiting *b)
{
	struct waiting t = *a;

	*a = *b;
	*b = t;
}

static void sift_up(struct reader *r, size_t i)
{
	for (; i && earlier(&r->heap[i], &r->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&r->heap[i], &r->heap[(i - 1) / 2]);
}

static void sift_down(struct reader *r)
{
	for (size_t i = 0, k; (k = 2 * i + 1) < r->n; i = k) {
		if (k + 1 < r->n && earlier(&r->heap[k + 1], &r->heap[k]))
			k++;
		if (!earlier(&r->heap[k], &r->heap[i]))
			return;
		swap(&r->heap[i], &r->heap[k]);
	}
}

static int feed_first(struct reader *r)
{
	struct waiting *w = &r->heap[0];
	struct capture_packet p = {
		.ts_ns = w->ts_ns,
		.dlt = r->dlt,
		.data = w->data,
		.cap = w->cap,
		.len = w->len,
		.is_cut = w->is_cut,
	};
	int rc = r->feed(r->c, &p);

	swap(w, &r->heap[--r->n]);
	sift_down(r);
	return rc;
}

static int take(struct reader *r, const struct capture_packet *p)
{
	struct waiting *w;
	int rc = 0;

	if (r->n == HEAP_MAX)
		rc = feed_first(r);
	if (p->ts_ns < r->newest_ns)
		r->c->n.unordered++;
	else
		r->newest_ns = p->ts_ns;
	w = &r->heap[r->n];
	w->ts_ns = p->ts_ns;
	w->nr = r->nr++;
	w->is_cut = p->is_cut;
	w->cap = (uint32_t)min_size(p->cap, KEEP_MAX);
	w->len = (uint32_t)min_size(max_size(p->len, p->cap), UINT32_MAX);
	memcpy(w->data, p->data, w->cap);
	sift_up(r, r->n++);
	return rc;
}

/* Every packet of the file to r. 0, -errno, or what its feed() says. */
static int walk(const char *path, struct reader *r, char err[CAPTURE_ERR_MAX])
{
	char why[PCAP_ERRBUF_SIZE] = "";
	w5_auto(pcap_closep) pcap_t *p =
		pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
	struct pcap_pkthdr *h;
	const unsigned char *data;
	int rc, stop = 0;

	if (!p)
		return refuse(err, -EBADMSG, "cannot read %s as a capture: %s", path, why);
	r->dlt = pcap_datalink(p);
	if (!capture_link_known(r->dlt)) {
		const char *name = pcap_datalink_val_to_description(r->dlt);

		return refuse(
			err, -EPROTO,
			"%s has packets of link type %s, which why502 does not read: it reads "
			"Ethernet, Linux cooked (any), raw IP and loopback",
			path, name ? name : "unknown");
	}
	while (!stop && (rc = pcap_next_ex(p, &h, &data)) == 1) {
		struct capture_packet k = {
			.ts_ns = (uint64_t)h->ts.tv_sec * NS_PER_S + (uint64_t)h->ts.tv_usec,
			.dlt = r->dlt,
			.data = data,
			.cap = h->caplen,
			.len = h->len,
			.is_cut = h->caplen < h->len,
		};

		stop = take(r, &k);
	}
	if (!stop && rc == PCAP_ERROR)
		return refuse(err, -ENODATA,
			      "%s cannot be read to its end (%s); what came before "
			      "is used",
			      path, pcap_geterr(p));
	return stop;
}

static int scan_one(struct capture *c, const struct capture_packet *p)
{
	capture_scan(c, p);
	return 0;
}

/* All of the file, in order, to feed. */
static int pass(const char *path, struct reader *r,
		int (*feed)(struct capture *c, const struct capture_packet *p),
		char err[CAPTURE_ERR_MAX])
{
	int rc, end;

	r->feed = feed;
	r->nr = r->newest_ns = 0;
	r->c->n.unordered = 0;
	rc = walk(path, r, err);
	while (r->n && (!rc || rc == -ENODATA)) {
		end = feed_first(r);
		rc = end ? end : rc;
	}
	r->n = 0;
	return rc;
}

int capture_read(const char *path, const struct capture_cfg *cfg, const struct capture_ops *ops,
		 void *self, char err[CAPTURE_ERR_MAX])
{
	w5_auto(capture_freep) struct capture *c = NULL;
	w5_auto(freep) struct reader *r = calloc(1, sizeof(*r));
	char why_none[CAPTURE_ERR_MAX - 128] = "";
	char none[CAPTURE_ERR_MAX] = "";
	struct stat st;
	int rc, end;

	if (stat(path, &st))
		return refuse(err, -errno, "cannot read %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(err, -EINVAL, "%s is not a regular file; it is read twice", path);
	if (!r || capture_new(&c, cfg, ops, self))
		return refuse(err, -ENOMEM, "out of memory");
	r->c = c;
	for (size_t i = 0; i < HEAP_MAX; i++)
		r->heap[i].data = r->room[i];
	rc = pass(path, r, scan_one, err);
	if (rc && rc != -ENODATA)
		return rc;
	if (!capture_scan_end(c, none)) {
		memcpy(why_none, none, sizeof(why_none) - 1);
		return refuse(err, -ENOENT, "%s: %s", path, why_none);
	}
	rc = pass(path, r, capture_feed, err);
	end = capture_end(c);
	return rc ? rc : end;
}
