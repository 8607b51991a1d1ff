// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/pool.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/clock.h"
#include "base/util.h"
#include "kernel/iter.h"
#include "w5_bpf.h"

#define OFTEN_NS   (200 * 1000 * 1000ull)
#define SOON_NS	   (40 * 1000 * 1000ull)
#define SELDOM_NS  (2 * 1000 * 1000 * 1000ull)
#define COST_SHARE 500
#define RETELL_NS  (1000 * 1000 * 1000ull)
#define FEW_ROWS   64 /* told at each count while they are at work: that they do not change, too */
#define ROWS_MAX   4096

struct row {
	struct w5_pool now, told;
	uint64_t key;
};

struct pool {
	struct bpf_link *link;
	pool_record_fn on_record;
	void *self;
	uint64_t next_ns, soon_ns, retell_ns;
	bool asked; /* something has failed since the last count */
	struct row *rows;
	size_t n, cap;
	struct hash by_key; /* index + 1 */
};

int pool_new(struct pool **out, const struct bpf_program *prog, const struct bpf_map *conns,
	     pool_record_fn on_record, void *self)
{
	union bpf_iter_link_info info = { .map.map_fd = bpf_map__fd(conns) };
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
	struct pool *p;
	int err;

	if (bpf_program__fd(prog) < 0)
		return -ENOSYS;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->link = bpf_program__attach_iter(prog, &opts);
	err = libbpf_get_error(p->link);
	if (err) {
		free(p);
		return err;
	}
	p->on_record = on_record;
	p->self = self;
	hash_init(&p->by_key);
	*out = p;
	return 0;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	bpf_link__destroy(p->link);
	hash_fini(&p->by_key);
	free(p->rows);
	free(p);
}

static bool is_row(const struct row *r, const struct w5_pool_conn *c)
{
	return r->now.tgid == c->tgid && r->now.port == c->port &&
	       !memcmp(&r->now.ip, &c->ip, sizeof(c->ip));
}

/* Beyond ROWS_MAX, or with a hash that is taken, an upstream is not counted at all. */
static struct row *row_of(struct pool *p, const struct w5_pool_conn *c)
{
	uint64_t key = hash_bytes(&c->ip, sizeof(c->ip), (uint64_t)c->tgid << 16 | c->port);
	uintptr_t at = (uintptr_t)hash_find(&p->by_key, key);
	struct row *r;

	if (at)
		return is_row(&p->rows[at - 1], c) ? &p->rows[at - 1] : NULL;
	if (p->n == ROWS_MAX || array_room(p->rows, &p->cap, p->n, 64))
		return NULL;
	if (hash_insert(&p->by_key, key, (void *)(p->n + 1)))
		return NULL;
	r = &p->rows[p->n++];
	memset(r, 0, sizeof(*r));
	r->key = key;
	r->now.ip = c->ip;
	r->now.port = c->port;
	r->now.tgid = c->tgid;
	return r;
}

static void count(void *self, const void *record)
{
	const struct w5_pool_conn *c = record;
	struct row *r = row_of(self, c);

	if (!r)
		return;
	r->now.connecting += c->state == W5_POOL_CONNECTING;
	r->now.in_use += c->state == W5_POOL_WAITING || c->state == W5_POOL_ANSWERING;
	r->now.answering += c->state == W5_POOL_ANSWERING;
	r->now.idle += c->state == W5_POOL_IDLE;
	r->now.older += c->older && r->now.older < UINT16_MAX;
	if (c->req_ns && (!r->now.oldest_ns || c->req_ns < r->now.oldest_ns))
		r->now.oldest_ns = c->req_ns;
}

static bool is_empty(const struct w5_pool *p)
{
	return !p->connecting && !p->in_use && !p->idle;
}

static void drop_row(struct pool *p, size_t i)
{
	struct row *last = &p->rows[--p->n];

	hash_remove(&p->by_key, p->rows[i].key);
	if (&p->rows[i] == last)
		return;
	p->rows[i] = *last;
	hash_insert(&p->by_key, last->key, (void *)(i + 1)); /* replaces: needs no memory */
}

static void tell(struct pool *p, uint64_t now_ns)
{
	bool again = p->n <= FEW_ROWS || now_ns - p->retell_ns >= RETELL_NS, told = false;

	if (again)
		p->retell_ns = now_ns;
	for (size_t i = 0; i < p->n;) {
		struct row *r = &p->rows[i];
		bool changed = r->now.connecting != r->told.connecting ||
			       r->now.in_use != r->told.in_use || r->now.idle != r->told.idle ||
			       r->now.older != r->told.older ||
			       r->now.answering != r->told.answering;

		if (changed || (again && (r->now.in_use || r->now.connecting))) {
			r->now.h = (struct w5_hdr){ .ts_ns = now_ns,
						    .type = W5_REC_POOL,
						    .size = sizeof(r->now) };
			r->told = r->now;
			told = true;
			p->on_record(p->self, &r->now);
		}
		if (is_empty(&r->now))
			drop_row(p, i);
		else
			i++;
	}
	if (!told)
		p->on_record(p->self, &(struct w5_pool){ .h = { .ts_ns = now_ns,
								.type = W5_REC_POOL,
								.size = sizeof(struct w5_pool) } });
}

void pool_poll(struct pool *p, uint64_t now_ns, bool failed)
{
	uint64_t took;

	if (!p)
		return;
	p->asked |= failed;
	if (now_ns < (p->asked ? p->soon_ns : p->next_ns))
		return;
	p->asked = false;
	for (size_t i = 0; i < p->n; i++) {
		struct w5_pool *w = &p->rows[i].now;

		w->connecting = w->in_use = w->answering = w->idle = w->older = 0;
		w->oldest_ns = 0;
	}
	now_ns = clock_ns(CLOCK_MONOTONIC);
	/* Not the time that others had the CPU meanwhile: a busy host must not make it seldom. */
	took = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	if (iter_read(p->link, sizeof(struct w5_pool_conn), count, p)) {
		p->next_ns = p->soon_ns = now_ns + SELDOM_NS;
		return; /* half a count is none */
	}
	took = clock_ns(CLOCK_THREAD_CPUTIME_ID) - took;
	p->next_ns = now_ns + min_u64(max_u64(OFTEN_NS, took * COST_SHARE), SELDOM_NS);
	p->soon_ns = now_ns + min_u64(max_u64(SOON_NS, took * COST_SHARE / 10), SELDOM_NS);
	tell(p, now_ns);
}
