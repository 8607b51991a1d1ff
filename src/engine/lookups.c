/* SPDX-License-Identifier: BSD-2-Clause */
/* See lookups.h: the tables, and whose connect follows an answer. */
#include "engine/lookups_impl.h"
#include "engine/peers.h"

#include <string.h>

#define ASKS_MAX  4096
#define NAMES_MAX 2048
#define GONE_NS	  (60 * NS_PER_S)  /* not among the answers for so long */
#define LEAD_NS	  (20 * NS_PER_MS) /* from an answer to its connect: an event loop's turn */

static struct lookups *lookups_get(struct engine *e)
{
	if (e->lookups)
		return e->lookups;
	e->lookups = calloc(1, sizeof(*e->lookups));
	if (!e->lookups) {
		loss_own(e, W5_LOSS_EVICTED);
		return NULL;
	}
	list_init(&e->lookups->asks);
	list_init(&e->lookups->lru);
	hash_init(&e->lookups->names);
	return e->lookups;
}

/* ---- names ---- */

static void ask_drop(struct lookups *g, struct ask *a)
{
	list_remove(&a->by_time);
	g->nasks--;
	free(a);
}

static void name_drop(struct lookups *g, struct name *n)
{
	struct list *i, *tmp;

	list_for_each_safe(i, tmp, &g->asks) {
		struct ask *a = list_entry(i, struct ask, by_time);

		if (a->name == n)
			ask_drop(g, a);
	}
	list_remove(&n->lru);
	hash_remove(&g->names, n->key);
	g->nnames--;
	free(n);
}

struct name *lookups_name(const struct lookups *g, int gw, const char *text)
{
	uint64_t key = hash_bytes(text, strlen(text), (uint64_t)gw + 1);
	struct name *n = hash_find(&g->names, key);

	return n && n->gw == gw && !strcmp(n->text, text) ? n : NULL;
}

static struct name *name_get(struct engine *e, int gw, const char *text)
{
	struct lookups *g = e->lookups;
	uint64_t key = hash_bytes(text, strlen(text), (uint64_t)gw + 1);
	struct name *n = lookups_name(g, gw, text);

	if (n) {
		list_move_back(&g->lru, &n->lru);
		return n;
	}
	if (hash_find(&g->names, key))
		return NULL; /* two names with one hash: the later one is not followed */
	if (g->nnames == NAMES_MAX)
		name_drop(g, list_entry(list_first(&g->lru), struct name, lru));
	n = calloc(1, sizeof(*n));
	if (!n || hash_insert(&g->names, key, n)) {
		free(n);
		loss_own(e, W5_LOSS_EVICTED);
		return NULL;
	}
	n->key = key;
	n->gw = gw;
	memcpy(n->text, text, strlen(text));
	list_push_back(&g->lru, &n->lru);
	g->nnames++;
	return n;
}

/* The address seen longest ago gives way. */
static void name_take(struct name *n, uint64_t now, const struct dns_message *m)
{
	n->ok_ns = now;
	for (size_t i = 0; i < m->naddrs; i++) {
		struct name_addr *a = NULL, *oldest = &n->addrs[0];

		for (size_t j = 0; j < n->naddrs && !a; j++) {
			if (!memcmp(&n->addrs[j].ip, &m->addrs[i], sizeof(m->addrs[i])))
				a = &n->addrs[j];
			else if (n->addrs[j].last_ns < oldest->last_ns)
				oldest = &n->addrs[j];
		}
		if (!a) {
			a = n->naddrs < NAME_ADDRS ? &n->addrs[n->naddrs++] : oldest;
			*a = (struct name_addr){ .ip = m->addrs[i], .first_ns = now };
		}
		a->last_ns = now;
	}
}

static bool name_has(const struct name *n, const struct w5_addr *ip)
{
	for (size_t i = 0; i < n->naddrs; i++) {
		if (!memcmp(&n->addrs[i].ip, ip, sizeof(*ip)))
			return true;
	}
	return false;
}

/* ---- records ---- */

/* As the connect would be that follows it. */
static uint64_t asker_of(struct engine *e, const struct ask *a)
{
	const struct w5_leg as_connect = {
		.hint_cookie = a->hint_cookie,
		.hint_ns = a->hint_ns,
		.open_ns = a->sent_ns,
		.tgid = a->tgid,
		.tid = a->tid,
		.role = W5_ROLE_UPSTREAM,
		.phase = W5_PHASE_CONNECT,
		.end = W5_END_CONNECT,
	};

	return trail_asks(e, &as_connect);
}

/* The other family of the same look-up, sent in the same breath. */
static bool is_twin(const struct ask *a, const struct ask *b)
{
	return a->name == b->name && a->tid == b->tid && a->hint_cookie == b->hint_cookie &&
	       a->hint_ns == b->hint_ns && b->sent_ns < a->sent_ns + NS_PER_MS;
}

static void find_asker(struct engine *e, struct ask *a)
{
	struct list *last = a->by_time.prev;

	if (last != &e->lookups->asks && is_twin(list_entry(last, struct ask, by_time), a))
		a->asker = list_entry(last, struct ask, by_time)->asker;
	else if (a->tid && a->hint_cookie)
		a->asker = asker_of(e, a);
}

static void on_query(struct engine *e, const struct w5_dns *d, const struct dns_message *m)
{
	int gw = gateways_of(e, d->tgid);
	struct name *n = gw >= 0 ? name_get(e, gw, m->name) : NULL;
	struct lookups *g = e->lookups;
	struct ask *a;

	if (!n)
		return;
	if (g->nasks == ASKS_MAX)
		ask_drop(g, list_entry(list_first(&g->asks), struct ask, by_time));
	a = calloc(1, sizeof(*a));
	if (!a) {
		loss_own(e, W5_LOSS_EVICTED);
		return;
	}
	*a = (struct ask){ .name = n,
			   .cookie = d->h.cookie,
			   .hint_cookie = d->hint_cookie,
			   .hint_ns = d->hint_ns,
			   .sent_ns = d->h.ts_ns,
			   .server = d->server,
			   .tgid = d->tgid,
			   .tid = d->tid,
			   .id = m->id };
	list_push_back(&g->asks, &a->by_time);
	g->nasks++;
	find_asker(e, a);
}

static void settle(struct ask *a, uint64_t now, enum ask_end end, uint8_t rcode)
{
	if (a->end == ASK_ANSWERED)
		return;
	if (a->end == ASK_OPEN)
		a->end_ns = now;
	a->end = (uint8_t)end;
	a->rcode = rcode;
}

/* The same question may have been sent several times. */
static void on_answer(struct engine *e, const struct w5_dns *d, const struct dns_message *m)
{
	struct lookups *g = e->lookups;
	bool is_part = m->is_cut || (!m->rcode && !m->naddrs && !m->whole);
	enum ask_end end = m->naddrs ? ASK_ANSWERED : is_part ? ASK_ELSEWHERE : ASK_FAILED;
	int gw = gateways_of(e, d->tgid);
	struct name *n = gw >= 0 && m->name[0] ? name_get(e, gw, m->name) : NULL;
	struct list *i;

	if (n && m->naddrs)
		name_take(n, d->h.ts_ns, m);
	list_for_each(i, &g->asks) {
		struct ask *a = list_entry(i, struct ask, by_time);

		if (a->cookie != d->h.cookie || a->id != m->id || (n && a->name != n))
			continue;
		settle(a, d->h.ts_ns, end, m->rcode);
		if (m->naddrs)
			trail_told(e, a->asker);
	}
}

static void on_error(struct engine *e, const struct w5_dns *d)
{
	struct list *i;

	list_for_each(i, &e->lookups->asks) {
		struct ask *a = list_entry(i, struct ask, by_time);

		if (a->cookie != d->h.cookie || a->end != ASK_OPEN)
			continue;
		settle(a, d->h.ts_ns, ASK_REFUSED, 0);
		a->err = d->err;
	}
}

void on_dns(struct engine *e, const struct w5_dns *d)
{
	struct dns_message m;

	if (d->len > W5_DNS_BYTES || !d->kind || d->kind >= W5_DNS_KIND_MAX) {
		e->c.bad_records++;
		return;
	}
	if (!lookups_get(e))
		return;
	if (d->kind == W5_DNS_ERROR) {
		on_error(e, d);
		return;
	}
	if (!dns_parse(&m, d->data, d->len) || m.is_answer != (d->kind == W5_DNS_ANSWER))
		return; /* another type than an address, or none of DNS at all */
	if (m.is_answer)
		on_answer(e, d, &m);
	else
		on_query(e, d, &m);
}

/* ---- whose connect it is ---- */

/*
 * A connect right after an answer: its thread's trail names the client it read last, but it is
 * for the one that asked.
 */
void lookups_lead(struct engine *e, struct w5_leg *l)
{
	int left = SCAN_MAX;
	struct list *n;
	bool known;

	if (!e->lookups || l->nr > 1 || !l->open_ns || !l->tid ||
	    !gateways_trail_exact(e, gateways_of(e, l->tgid)))
		return;
	for (n = e->lookups->asks.prev; n != &e->lookups->asks && left--; n = n->prev) {
		struct ask *a = list_entry(n, struct ask, by_time);

		if (a->end != ASK_ANSWERED || a->tid != l->tid || a->end_ns > l->open_ns ||
		    a->end_ns + LEAD_NS < l->open_ns || l->hint_ns > a->end_ns ||
		    !name_has(a->name, &l->remote))
			continue;
		/* Others may have waited for the same name: theirs is not known. And a client that
		 * was heard just before may have been read just after: it may be for that one. */
		known = a->hint_cookie && (!a->used_by || a->used_by == l->h.cookie) &&
			(l->hint_cookie == a->hint_cookie || l->hint_ns + LEAD_NS < a->end_ns);
		l->hint_cookie = known ? a->hint_cookie : 0;
		l->hint_ns = known ? a->hint_ns : 0;
		if (!a->used_by)
			a->used_by = l->h.cookie;
		return;
	}
}

/* ---- what a name stood for ---- */

static const struct name_addr *addr_of(const struct name *n, const struct w5_addr *a)
{
	for (size_t i = 0; i < n->naddrs; i++)
		if (!memcmp(&n->addrs[i].ip, a, sizeof(*a)))
			return &n->addrs[i];
	return NULL;
}

/* Servers may give a part of the addresses at a time: one is gone only after a while. */
bool lookups_is_current(const struct engine *e, int gw, const struct w5_addr *a)
{
	struct list *i;

	if (!e->lookups)
		return false;
	list_for_each(i, &e->lookups->lru) {
		const struct name *n = list_entry(i, struct name, lru);
		const struct name_addr *x = n->gw == gw ? addr_of(n, a) : NULL;

		if (x && x->last_ns + GONE_NS >= n->ok_ns)
			return true;
	}
	return false;
}

bool lookups_left(const struct engine *e, int gw, const struct w5_addr *a, uint64_t ns,
		  struct stale *out)
{
	struct list *i;

	if (!e->lookups)
		return false;
	list_for_each(i, &e->lookups->lru) {
		const struct name *n = list_entry(i, struct name, lru);
		const struct name_addr *x = n->gw == gw ? addr_of(n, a) : NULL;

		if (!x || n->ok_ns > ns)
			continue;
		*out = (struct stale){ .was_seen = true, .by_answer = true, .looked_ns = n->ok_ns };
		memcpy(out->name, n->text, sizeof(out->name));
		for (size_t j = 0; j < n->naddrs; j++) {
			if (n->addrs[j].last_ns + GONE_NS < n->ok_ns)
				continue;
			out->now = n->addrs[j].ip;
			out->naddrs++;
		}
		return true;
	}
	return false;
}

/* ---- the end ---- */

void lookups_expire(struct engine *e)
{
	struct lookups *g = e->lookups;

	while (g && !list_empty(&g->asks)) {
		struct ask *a = list_entry(list_first(&g->asks), struct ask, by_time);

		if (a->sent_ns + ATT_KEEP_NS > e->c.now_ns)
			return;
		ask_drop(g, a);
	}
}

void lookups_free(struct engine *e)
{
	struct lookups *g = e->lookups;

	if (!g)
		return;
	while (!list_empty(&g->asks))
		ask_drop(g, list_entry(list_first(&g->asks), struct ask, by_time));
	while (!list_empty(&g->lru))
		name_drop(g, list_entry(list_first(&g->lru), struct name, lru));
	hash_fini(&g->names);
	free(g);
	e->lookups = NULL;
}
