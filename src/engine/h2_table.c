/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams of HTTP/2 as they come and go: found by conn and number, the oldest pushed out. */
#include "engine/h2.h"

/* Kernel cookies count sockets: 32 bits of them last. */
static uint64_t stream_cookie(uint64_t cookie, uint32_t stream)
{
	return STREAM_COOKIE | (cookie << 31 | stream);
}

struct h2_stream *h2_stream_find(const struct engine *e, const struct text_conn *tc, uint32_t id)
{
	return e->texts->nopen ? hash_find(&e->texts->streams, stream_cookie(tc->cookie, id))
			       : NULL;
}

void h2_stream_free(struct engine *e, struct h2_stream *s)
{
	list_remove(&s->by_conn);
	list_remove(&s->by_age);
	list_remove(&s->by_body);
	list_remove(&s->by_wait);
	if (s->is_over) {
		e->texts->nover--;
	} else {
		hash_remove(&e->texts->streams, s->leg.h.cookie);
		s->tc->h2->nopen--;
		e->texts->nopen--;
	}
	free(s);
}

/* What was not answered when it is pushed out will not be explained. */
static void evict(struct engine *e, struct h2_stream *s)
{
	if (!s->is_told)
		loss_own(e, W5_LOSS_EVICTED);
	h2_stream_free(e, s);
}

struct h2_stream *h2_stream_new(struct engine *e, struct text_conn *tc, uint32_t id)
{
	struct texts *x = e->texts;
	struct h2 *h2 = tc->h2;
	uint64_t cookie = stream_cookie(tc->cookie, id);
	struct h2_stream *s;

	if (h2->nopen >= H2_STREAMS_MAX)
		evict(e, list_entry(list_first(&h2->open), struct h2_stream, by_conn));
	if (x->nopen >= e->cfg.max_conns)
		evict(e, list_entry(list_first(&x->open), struct h2_stream, by_age));
	s = malloc(sizeof(*s));
	if (!s || hash_insert(&x->streams, cookie, s)) {
		free(s);
		loss_own(e, W5_LOSS_EVICTED);
		return NULL;
	}
	s->tc = tc;
	s->id = id;
	s->is_told = s->is_over = false;
	s->key = s->over_ns = s->begun_by_ns = s->tried_ns = s->failed_ns = 0;
	s->leg = tc->leg;
	s->leg.h.cookie = cookie;
	s->leg.conn_cookie = tc->cookie;
	s->leg.stream = id;
	s->leg.proto = W5_PROTO_H2;
	list_init(&s->by_body);
	list_init(&s->by_wait);
	list_push_back(&h2->open, &s->by_conn);
	list_push_back(&x->open, &s->by_age);
	h2->nopen++;
	x->nopen++;
	if (id > h2->last_id)
		h2->last_id = id;
	return s;
}

void h2_stream_finish(struct engine *e, struct h2_stream *s, uint64_t now_ns)
{
	struct conn *c = conns_find(e, s->leg.h.cookie);
	struct texts *x = e->texts;

	if (c && !c->closed)
		conns_close(e, c);
	hash_remove(&x->streams, s->leg.h.cookie);
	s->tc->h2->nopen--;
	x->nopen--;
	s->is_over = true;
	s->over_ns = now_ns;
	list_move_back(&s->tc->h2->over, &s->by_conn);
	list_move_back(&x->over, &s->by_age);
	if (x->nover++ >= H2_OVER_MAX)
		h2_stream_free(e, list_entry(list_first(&x->over), struct h2_stream, by_age));
}

void h2_expire(struct engine *e)
{
	struct list *over = &e->texts->over;

	while (!list_empty(over)) {
		struct h2_stream *s = list_entry(list_first(over), struct h2_stream, by_age);

		if (s->over_ns + STREAM_KEEP_NS > e->c.now_ns)
			return;
		h2_stream_free(e, s);
	}
}

bool h2_has_open(const struct h2 *h2, uint64_t by_ns)
{
	const struct list *n;

	list_for_each(n, &h2->open) {
		const struct h2_stream *s = list_entry(n, struct h2_stream, by_conn);

		if (!s->is_told && s->leg.req_ns <= by_ns)
			return true;
	}
	return false;
}

bool h2_is_asked_since(const struct h2 *h2, uint64_t ns)
{
	bool any = false;
	const struct list *n;

	list_for_each(n, &h2->open) {
		const struct h2_stream *s = list_entry(n, struct h2_stream, by_conn);

		if (!s->is_told && s->leg.req_ns + SLACK_NS < ns)
			return false;
		any = any || !s->is_told;
	}
	return any;
}

void h2_streams_free(struct engine *e, struct text_conn *tc)
{
	struct list *const all[] = { &tc->h2->open, &tc->h2->over };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		while (!list_empty(all[i]))
			h2_stream_free(e,
				       list_entry(list_first(all[i]), struct h2_stream, by_conn));
	}
}
