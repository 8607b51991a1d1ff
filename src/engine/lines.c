/* SPDX-License-Identifier: BSD-2-Clause */
/* See lines.h. */
#include "engine/lines.h"

#include <string.h>

#define GRACE_NS   (300 * NS_PER_MS) /* records of the wire come with the next tick */
#define RIVALS_MAX 512
#define CLASSES	   5
#define SPANS	   3 /* seconds a surplus of lines must have lasted: records are gathered */
#define SLOTS	   (GATEWAYS_MAX + 1) /* the last one: gateway not known */

/* Exchanges of one gateway by class of status: in its logs, on the wire, added for the
 * difference. */
struct tally {
	uint64_t lines[CLASSES], wire[CLASSES], added[CLASSES];
	int64_t surplus[SPANS][CLASSES];
};

struct lines {
	struct lines_table *table;
	uint64_t made; /* exchanges */
	uint64_t sec;  /* of the newest surplus */
	struct tally tally[SLOTS];
};

static struct lines *lines_get(struct engine *e)
{
	struct lines *g = e->lines;

	if (g)
		return g;
	g = calloc(1, sizeof(*g));
	if (!g || lines_table_new(&g->table)) {
		free(g);
		loss_own(e, W5_LOSS_EVICTED);
		return NULL;
	}
	e->lines = g;
	e->c.log_followed = true;
	return g;
}

void lines_free(struct engine *e)
{
	if (e->lines)
		lines_table_free(e->lines->table);
	free(e->lines);
	e->lines = NULL;
}

/* ---- whose line ---- */

static bool is_kind(const struct engine_gateway *g, uint8_t kind)
{
	static const char *const names[][3] = {
		[W5_LOG_NGINX] = { "nginx", "openresty", "angie" },
		[W5_LOG_HAPROXY] = { "haproxy" },
		[W5_LOG_APACHE] = { "apache2", "httpd" },
		[W5_LOG_CADDY] = { "caddy" },
	};

	for (size_t i = 0; kind < ARRAY_SIZE(names) && i < 3 && names[kind][i]; i++) {
		if (!strcmp(g->name, names[kind][i]))
			return true;
	}
	return false;
}

/* By the process that holds the file, or the worker in the line; else the only gateway of such
 * a name that lives. */
static int gateway_of(struct engine *e, const struct w5_log *l)
{
	int gw = l->group ? gateways_of(e, l->group) : -1;

	if (gw < 0 && l->tgid)
		gw = gateways_of(e, l->tgid);
	for (size_t i = 0; gw < 0 && i < e->ngws; i++) {
		bool other = false;

		if (!e->gws[i].nprocs || !is_kind(&e->gws[i], l->kind))
			continue;
		for (size_t j = i + 1; j < e->ngws; j++)
			other = other || (e->gws[j].nprocs && is_kind(&e->gws[j], l->kind));
		if (other)
			return -1;
		gw = (int)i;
	}
	return gw;
}

/* ---- bad lines ---- */

static void leg_of(struct w5_leg *d, struct engine *e, const struct w5_log *l)
{
	*d = (struct w5_leg){
		.h = { .ts_ns = l->h.ts_ns,
		       .cookie = LOG_COOKIE | ++e->lines->made,
		       .type = W5_REC_EXCHANGE,
		       .size = sizeof(*d) },
		.resp_ns = l->end_ns,
		.req_ns = l->duration_us ? l->end_ns - l->duration_us * 1000ull : 0,
		.tgid = l->tgid,
		.status = l->status,
		.head_len = l->head_len,
		.role = W5_ROLE_DOWNSTREAM,
		.phase = W5_PHASE_RESPONSE,
		.remote = l->client,
		.rport = l->cport,
	};
	memcpy(d->head, l->head, l->head_len);
	if (l->head_len == sizeof(d->head))
		d->flags |= W5_F_REQ_CUT;
}

/* Nobody but the log has seen it. */
static void make_exchange(struct engine *e, struct w5_log *l, int gw)
{
	struct pending *p;
	struct w5_leg d;

	leg_of(&d, e, l);
	if (!leg_wanted(e, gw, &d)) {
		free(l);
		return;
	}
	p = pending_new(e, gw, &d);
	if (!p) {
		free(l);
		return;
	}
	p->log = l;
	lines_take_code(&p->code, l);
	e->c.logged++;
	p->uncounted = true;
}

static void mark_pending(struct engine *e, uint64_t cookie, uint32_t nr, const struct w5_log *l)
{
	int left = RIVALS_MAX;
	struct list *n;

	for (n = e->pendings.prev; n != &e->pendings && left--; n = n->prev) {
		struct pending *p = list_entry(n, struct pending, node);

		if (p->leg.h.cookie != cookie || p->leg.nr != nr)
			continue;
		p->in_log = true;
		lines_take_code(&p->code, l);
	}
}

static bool find_wire(struct engine *e, const struct w5_log *l, int gw, bool loose)
{
	uint64_t cookie;
	uint32_t nr;

	if (!lines_table_find(e->lines->table, l, gw, loose, &cookie, &nr))
		return false;
	mark_pending(e, cookie, nr, l);
	return true;
}

bool lines_wire(struct engine *e, int gw, const struct w5_leg *l, struct line_code *code)
{
	return e->lines && lines_table_wire(e->lines->table, gw, l, code);
}

void lines_forget(struct engine *e, const struct w5_leg *l)
{
	if (e->lines)
		lines_table_forget(e->lines->table, l->h.cookie, l->nr);
}

/* ---- healthy lines ---- */

static struct tally *tally_of(struct lines *g, int gw)
{
	return &g->tally[gw >= 0 && gw < GATEWAYS_MAX ? gw : GATEWAYS_MAX];
}

void lines_count(struct engine *e, int gw, uint16_t status, uint32_t n)
{
	if (e->lines && status < 500)
		tally_of(e->lines, gw)->wire[status / 100] += n;
}

/* What was in the log for some seconds and not on the wire will not come there any more. */
static void add_unseen(struct engine *e, struct tally *t, int gw, size_t span, bool is_last)
{
	for (size_t c = 0; c < CLASSES; c++) {
		int64_t least = INT64_MAX, more;

		t->surplus[span][c] = (int64_t)(t->lines[c] - t->wire[c]);
		if (is_last)
			least = t->surplus[span][c];
		for (size_t i = 0; i < SPANS && !is_last; i++)
			least = t->surplus[i][c] < least ? t->surplus[i][c] : least;
		more = least - (int64_t)t->added[c];
		if (more <= 0)
			continue;
		t->added[c] += (uint64_t)more;
		e->c.logged += (uint64_t)more;
		exchange_count_unseen(e, gw, (unsigned)c, (uint64_t)more);
	}
}

static void count_lines(struct engine *e, uint64_t now_ns)
{
	struct lines *g = e->lines;
	bool is_last = now_ns == UINT64_MAX;
	uint64_t sec = is_last ? g->sec : now_ns / NS_PER_S;

	if (sec == g->sec && !is_last)
		return;
	g->sec = sec;
	for (size_t i = 0; i < e->ngws; i++)
		add_unseen(e, &g->tally[i], (int)i, sec % SPANS, is_last);
	add_unseen(e, &g->tally[GATEWAYS_MAX], -1, sec % SPANS, is_last);
}

/* ---- records ---- */

void on_log(struct engine *e, const struct w5_log *l)
{
	struct lines *g = lines_get(e);
	int gw;

	if (l->ntries > W5_LOG_TRIES || l->head_len > W5_HEAD_REQ || l->status >= 1000 ||
	    !memchr(l->code, '\0', sizeof(l->code))) {
		e->c.bad_records++;
		return;
	}
	if (l->skipped)
		loss_add(e, W5_LOSS_LOG_LINES, l->skipped);
	if (!g || !l->kind)
		return;
	gw = gateway_of(e, l);
	for (size_t c = 0; c < CLASSES; c++) {
		tally_of(g, gw)->lines[c] += l->healthy[c];
		e->c.log_lines += l->healthy[c];
	}
	e->c.log_lines += l->status >= 500;
	/* Of before our time, or of a clock that is wrong. */
	if (l->status < 500 || l->end_ns + l->precision_us * 1000ull < e->c.start_ns ||
	    l->end_ns > l->h.ts_ns + NS_PER_S)
		return;
	if (find_wire(e, l, gw, false))
		return;
	if (lines_table_wait(g->table, l, gw, e->c.now_ns + GRACE_NS))
		loss_own(e, W5_LOSS_EVICTED);
}

void lines_run(struct engine *e, uint64_t now_ns)
{
	struct w5_log *l;
	int gw = -1;

	if (!e->lines)
		return;
	while ((l = lines_table_due(e->lines->table, now_ns, &gw))) {
		if (find_wire(e, l, gw, true))
			free(l);
		else
			make_exchange(e, l, gw);
	}
	count_lines(e, now_ns);
}
