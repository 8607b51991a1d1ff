/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines and exchanges of the wire, whichever comes first. Each exchange has one line: a line of
 * the same client takes it at once, any other only when its wait is over. Then addresses may
 * differ (realip, a log written by name), and what is left over is the same exchange.
 */
#include "engine/lines.h"

#include <errno.h>
#include <string.h>

#define BUCKETS	   1024 /* power of two */
#define WIRES_MAX  8192
#define WAITS_MAX  8192
#define SCAN_MAX   512		  /* looked at where there is no target to go by */
#define UNTIMED_NS (2 * NS_PER_S) /* a line that has no duration: at most this long ago */
#define PATH_BYTES (W5_HEAD_BULK - 16)

struct keys {
	uint64_t path;	 /* target without its query; 0 = not known */
	uint64_t target; /* with it */
};

struct wire {
	struct list bucket, age;
	struct keys keys;
	uint64_t cookie, at_ns;
	uint32_t nr;
	uint16_t status, cport;
	bool is_unread; /* it has a status that could not be read */
	int gw;
	struct w5_addr client;
};

struct log_wait {
	struct list bucket, age;
	struct keys keys;
	uint64_t deadline_ns;
	int gw;
	struct w5_log log;
};

struct lines_table {
	struct list wires[BUCKETS], waits[BUCKETS]; /* by path */
	struct list wires_age, waits_age;	    /* oldest first */
	size_t nwires, nwaits;
};

int lines_table_new(struct lines_table **out)
{
	struct lines_table *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < BUCKETS; i++) {
		list_init(&t->wires[i]);
		list_init(&t->waits[i]);
	}
	list_init(&t->wires_age);
	list_init(&t->waits_age);
	*out = t;
	return 0;
}

static void wire_free(struct lines_table *t, struct wire *w)
{
	list_remove(&w->bucket);
	list_remove(&w->age);
	free(w);
	t->nwires--;
}

static void wait_free(struct lines_table *t, struct log_wait *w)
{
	list_remove(&w->bucket);
	list_remove(&w->age);
	free(w);
	t->nwaits--;
}

void lines_table_free(struct lines_table *t)
{
	if (!t)
		return;
	while (!list_empty(&t->wires_age))
		wire_free(t, list_entry(list_first(&t->wires_age), struct wire, age));
	while (!list_empty(&t->waits_age))
		wait_free(t, list_entry(list_first(&t->waits_age), struct log_wait, age));
	free(t);
}

/* ---- what is compared ---- */

static struct keys keys_of(const uint8_t *bytes, size_t len)
{
	struct keys k = { 0 };
	const uint8_t *query;
	struct w5_leg l = { .head_len = (uint16_t)min_size(len, W5_HEAD_REQ) };
	struct head h;
	size_t n;

	memcpy(l.head, bytes, l.head_len);
	if (!head_parse_line(&h, &l))
		return k;
	query = memchr(h.target.p, '?', h.target.len);
	n = query ? (size_t)(query - h.target.p) : h.target.len;
	k.target = head_target_key(&h);
	h.target.len = n;
	k.path = head_target_key(&h);
	return k;
}

static bool is_known(const struct w5_addr *a)
{
	static const struct w5_addr none;

	return memcmp(a, &none, sizeof(none));
}

static bool same_client(const struct wire *w, const struct w5_log *l)
{
	bool has_ip = is_known(&l->client);

	if (has_ip && memcmp(&w->client, &l->client, sizeof(w->client)))
		return false;
	return l->cport ? l->cport == w->cport : has_ip;
}

static bool same_time(const struct wire *w, const struct w5_log *l)
{
	uint64_t lasted = l->duration_us ? l->duration_us * 1000ull : UNTIMED_NS;
	uint64_t to = l->end_ns + l->precision_us * 1000ull + LOG_SLACK_NS;

	return w->at_ns <= to && w->at_ns + lasted + LOG_SLACK_NS >= l->end_ns;
}

static bool same_target(const struct wire *w, const struct w5_log *l, const struct keys *k)
{
	if (!k->path || !w->keys.path)
		return true;
	return l->flags & W5_LOG_PATH ? w->keys.path == k->path : w->keys.target == k->target;
}

/* status 0: cut off on the wire before the answer that the log tells of, or not to be read. */
static bool may_tell(const struct wire *w, const struct w5_log *l, int gw, bool loose)
{
	return (w->status == l->status || w->is_unread || (loose && !w->status)) &&
	       (w->gw < 0 || gw < 0 || w->gw == gw) && same_time(w, l) &&
	       (loose || same_client(w, l));
}

/* ---- exchanges ---- */

/* A client that is the same from its port on has one request at a time, mostly: then a
 * rewritten path does not matter. */
static bool is_same(const struct wire *w, const struct w5_log *l, const struct keys *k, int gw,
		    bool loose)
{
	bool rewritten = loose && (l->flags & W5_LOG_PATH) && same_client(w, l);

	return may_tell(w, l, gw, loose) && (rewritten || same_target(w, l, k));
}

bool lines_table_wire(struct lines_table *t, int gw, const struct w5_leg *l, struct line_code *code)
{
	struct wire *w = calloc(1, sizeof(*w));
	struct list *bucket, *n;

	if (!w)
		return false;
	*w = (struct wire){ .keys = keys_of(l->head, l->head_len),
			    .cookie = l->h.cookie,
			    .at_ns = l->resp_ns ? l->resp_ns : l->h.ts_ns,
			    .nr = l->nr,
			    .status = l->status,
			    .is_unread = l->status_ref && !l->status,
			    .cport = l->rport,
			    .gw = gw,
			    .client = l->remote };
	bucket = &t->waits[w->keys.path & (BUCKETS - 1)];
	list_for_each(n, bucket) {
		struct log_wait *x = list_entry(n, struct log_wait, bucket);

		if (!is_same(w, &x->log, &x->keys, x->gw, false))
			continue;
		lines_take_code(code, &x->log);
		wait_free(t, x);
		free(w);
		return true;
	}
	if (t->nwires == WIRES_MAX)
		wire_free(t, list_entry(list_first(&t->wires_age), struct wire, age));
	list_push_front(&t->wires[w->keys.path & (BUCKETS - 1)], &w->bucket);
	list_push_back(&t->wires_age, &w->age);
	t->nwires++;
	return false;
}

static struct wire *find_in_bucket(struct lines_table *t, const struct w5_log *l,
				   const struct keys *k, int gw, bool loose)
{
	struct list *n;

	list_for_each(n, &t->wires[k->path & (BUCKETS - 1)]) {
		struct wire *w = list_entry(n, struct wire, bucket);

		if (is_same(w, l, k, gw, loose))
			return w;
	}
	return NULL;
}

static struct wire *find_by_age(struct lines_table *t, const struct w5_log *l, const struct keys *k,
				int gw, bool loose)
{
	int left = SCAN_MAX;
	struct list *n;

	for (n = t->wires_age.prev; n != &t->wires_age && left--; n = n->prev) {
		struct wire *w = list_entry(n, struct wire, age);

		if (is_same(w, l, k, gw, loose))
			return w;
	}
	return NULL;
}

static struct wire *find(struct lines_table *t, const struct w5_log *l, const struct keys *k,
			 int gw, bool loose)
{
	struct wire *w = find_in_bucket(t, l, k, gw, loose);

	return w || (k->path && !loose) ? w : find_by_age(t, l, k, gw, loose);
}

bool lines_table_find(struct lines_table *t, const struct w5_log *l, int gw, bool loose,
		      uint64_t *cookie, uint32_t *nr)
{
	struct keys k = keys_of(l->head, l->head_len);
	struct wire *w = find(t, l, &k, gw, loose);

	if (!w)
		return false;
	*cookie = w->cookie;
	*nr = w->nr;
	wire_free(t, w);
	return true;
}

void lines_table_forget(struct lines_table *t, uint64_t cookie, uint32_t nr)
{
	int left = SCAN_MAX;
	struct list *n;

	for (n = t->wires_age.prev; n != &t->wires_age && left--; n = n->prev) {
		struct wire *w = list_entry(n, struct wire, age);

		if (w->cookie == cookie && w->nr == nr) {
			wire_free(t, w);
			return;
		}
	}
}

/* ---- lines ---- */

int lines_table_wait(struct lines_table *t, const struct w5_log *l, int gw, uint64_t deadline_ns)
{
	struct log_wait *w;

	if (t->nwaits == WAITS_MAX)
		return -ENOBUFS;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->log = *l;
	w->gw = gw;
	w->deadline_ns = deadline_ns;
	w->keys = keys_of(l->head, l->head_len);
	list_push_back(&t->waits[w->keys.path & (BUCKETS - 1)], &w->bucket);
	list_push_back(&t->waits_age, &w->age);
	t->nwaits++;
	return 0;
}

struct w5_log *lines_table_due(struct lines_table *t, uint64_t now_ns, int *gw)
{
	struct list *n = list_first(&t->waits_age);
	struct log_wait *w = n ? list_entry(n, struct log_wait, age) : NULL;
	struct w5_log *l;

	if (!w || w->deadline_ns > now_ns)
		return NULL;
	l = malloc(sizeof(*l));
	if (l) {
		*l = w->log;
		*gw = w->gw;
	}
	wait_free(t, w);
	return l;
}
