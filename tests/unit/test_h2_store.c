/* SPDX-License-Identifier: BSD-2-Clause */
/* What a trace keeps of HTTP/2: engines behind it and beside it must see the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../lib/rec_text.h"
#include "base/util.h"
#include "engine/h2_store.h"
#include "source/trace.h"

static const uint8_t key[MASK_KEY_BYTES] = "sixteen bytes ok";

/* Records made by rec_text.h go to a bench: this one hands them on as a trace would. */
struct store {
	struct mask mask;
	struct h2_store *s;
	uint8_t *bytes; /* all that was stored */
	size_t len;
	struct w5_text last;
	size_t texts;
};

static void on_stored(void *self, const struct w5_hdr *rec)
{
	struct store *st = self;

	st->bytes = realloc(st->bytes, st->len + rec->size);
	assert_non_null(st->bytes);
	memcpy(st->bytes + st->len, rec, rec->size);
	st->len += rec->size;
	if (rec->type == W5_REC_TEXT) {
		memcpy(&st->last, rec, sizeof(st->last));
		st->texts++;
	}
}

static void store_init(struct store *st)
{
	static const struct h2_store_ops ops = { .emit = on_stored };

	*st = (struct store){ .len = 0 };
	mask_init(&st->mask, key);
	assert_int_equal(h2_store_new(&st->s, &st->mask, &ops, st), 0);
}

static void store_fini(struct store *st)
{
	h2_store_free(st->s);
	free(st->bytes);
}

static bool holds(const struct store *st, const char *text)
{
	return memmem(st->bytes, st->len, text, strlen(text)) != NULL;
}

static void put(struct store *st, uint32_t seq, uint8_t dir, uint8_t flags, const void *p,
		size_t len)
{
	size_t size = (sizeof(struct w5_text) + len + 7) / 8 * 8;
	w5_auto(freep) void *room = calloc(1, size);
	struct w5_text *t = room;

	t->h = (struct w5_hdr){
		.ts_ns = ms(1000 + seq), .cookie = D, .type = W5_REC_TEXT, .size = (uint16_t)size
	};
	t->seq = seq;
	t->dir = dir;
	t->kind = W5_TEXT_FRAME;
	t->flags = flags;
	t->len = (uint16_t)len;
	memcpy(t->data, p, len);
	h2_store_record(st->s, &t->h);
}

static void request(struct frame *f, uint8_t flags)
{
	frame_begin(f, W5_H2_HEADERS, flags, 1);
	frame_field(f, 0x40, ":method", "GET");
	frame_field(f, 0x40, ":path", "/a?token=s3cr3t-s3cr3t");
	frame_field(f, 0x40, "cookie", "c00kie=1");
	frame_field(f, 0x40, "authorization", "Bearer b34rer");
	frame_field(f, 0, "user-agent", "curl/8");
}

static void test_credentials_do_not_reach_the_trace(void **state)
{
	struct store st;
	struct frame f;

	store_init(&st);
	request(&f, H2_WHOLE | H2_LAST);
	put(&st, 1, IN, 0, f.p, f.len);
	assert_int_equal(st.texts, 1);
	assert_int_equal(st.last.seq, 1);
	/* What was left out is made up for: its length is the request's. */
	assert_int_equal(st.last.len, f.len);
	assert_false(holds(&st, "s3cr3t"));
	assert_false(holds(&st, "c00kie"));
	assert_false(holds(&st, "b34rer"));
	assert_true(holds(&st, "/a?token=*"));
	assert_true(holds(&st, "curl/8"));
	store_fini(&st);
}

/* An entry of the table is told again, masked, where only its index is sent. */
static void test_what_refers_to_the_table_is_written_out(void **state)
{
	static const uint8_t indexed[] = { 0x80 | 64, 0x80 | 65 }; /* path, method of before */
	struct store st;
	struct frame f;

	store_init(&st);
	request(&f, H2_WHOLE | H2_LAST);
	put(&st, 1, IN, 0, f.p, f.len);
	free(take_ptr(st.bytes));
	st.len = 0;
	frame_begin(&f, W5_H2_HEADERS, H2_WHOLE | H2_LAST, 3);
	frame_put(&f, indexed, sizeof(indexed));
	put(&st, 2, IN, 0, f.p, f.len);
	assert_int_equal(st.last.seq, 2);
	assert_true(holds(&st, "/a?token=*"));
	assert_true(holds(&st, "GET"));
	store_fini(&st);
}

static void test_a_block_in_parts_becomes_one_text(void **state)
{
	struct store st;
	struct frame f, rest;

	store_init(&st);
	request(&f, H2_LAST);
	put(&st, 1, IN, W5_TEXT_MORE, f.p, 20);
	put(&st, 2, IN, W5_TEXT_REST, f.p + 20, f.len - 20);
	assert_int_equal(st.texts, 0);
	frame_begin(&rest, W5_H2_CONTINUATION, H2_WHOLE, 1);
	frame_field(&rest, 0, "x-api-key", "k3y");
	put(&st, 3, IN, 0, rest.p, rest.len);
	assert_int_equal(st.texts, 1);
	assert_int_equal(st.last.seq, 1);
	assert_int_equal(st.last.h.ts_ns, ms(1001));
	assert_false(holds(&st, "k3y"));
	assert_true(holds(&st, "/a?token=*"));
	/* Those that follow are numbered behind it. */
	frame_begin(&rest, W5_H2_RST_STREAM, 0, 1);
	frame_u32(&rest, 8);
	put(&st, 4, IN, 0, rest.p, rest.len);
	assert_int_equal(st.texts, 2);
	assert_int_equal(st.last.seq, 2);
	/* A hole stays one. */
	put(&st, 6, IN, 0, rest.p, rest.len);
	assert_int_equal(st.last.seq, 4);
	store_fini(&st);
}

static void test_parts_whose_others_were_lost_are_dropped(void **state)
{
	struct store st;
	struct frame f;

	store_init(&st);
	request(&f, H2_LAST | H2_WHOLE);
	put(&st, 2, IN, W5_TEXT_REST, f.p + 20, f.len - 20);
	put(&st, 3, IN, W5_TEXT_MORE, f.p, 20);
	put(&st, 5, IN, W5_TEXT_REST | W5_TEXT_GAP, f.p + 40, f.len - 40);
	put(&st, 6, IN, 0, f.p, 5);
	put(&st, 6, IN, 0, f.p, f.len); /* late */
	assert_int_equal(st.texts, 0);
	put(&st, 7, IN, 0, f.p, f.len);
	assert_int_equal(st.texts, 1);
	assert_false(holds(&st, "c00kie"));
	store_fini(&st);
}

struct replay {
	struct engine *direct, *stored;
	struct h2_store *store;
	struct finding *f[2][REC_MAX];
	size_t n[2];
};

static void take(struct replay *r, int which, struct finding *f)
{
	assert_in_range(r->n[which], 0, REC_MAX - 1);
	r->f[which][r->n[which]++] = finding_ref(f);
}

static void on_direct(void *self, struct finding *f)
{
	take(self, 0, f);
}

static void on_later(void *self, struct finding *f)
{
	take(self, 1, f);
}

static void feed_stored(void *self, const struct w5_hdr *rec)
{
	struct replay *r = self;

	engine_feed(r->stored, rec);
}

static int on_record(void *self, const struct w5_hdr *rec)
{
	struct replay *r = self;

	engine_feed(r->direct, rec);
	h2_store_record(r->store, rec);
	return 0;
}

static void test_a_stored_session_is_explained_as_the_live_one(void **state)
{
	static const struct engine_ops direct = { .finding = on_direct },
				       later = { .finding = on_later };
	static const struct h2_store_ops ops = { .emit = feed_stored };
	static struct replay r;
	char err[TRACE_ERR_MAX] = "";
	struct engine_cfg cfg;
	struct mask mask;
	size_t streams = 0;

	mask_init(&mask, key);
	engine_cfg_default(&cfg);
	cfg.mask = &mask;
	assert_int_equal(engine_new(&r.direct, &cfg, &direct, &r), 0);
	assert_int_equal(engine_new(&r.stored, &cfg, &later, &r), 0);
	assert_int_equal(h2_store_new(&r.store, &mask, &ops, &r), 0);
	if (trace_read("tests/replay/veiled.w5", on_record, &r, err))
		fail_msg("%s", err);
	engine_finish(r.direct);
	engine_finish(r.stored);
	assert_true(r.n[0] > 20);
	assert_int_equal(r.n[0], r.n[1]);
	for (size_t i = 0; i < r.n[0]; i++) {
		const struct finding *a = r.f[0][i], *b = r.f[1][i];

		assert_int_equal(a->cause, b->cause);
		assert_int_equal(a->verdict, b->verdict);
		assert_int_equal(a->confidence, b->confidence);
		assert_int_equal(a->witness, b->witness);
		assert_int_equal(a->nattempts, b->nattempts);
		assert_int_equal(a->lost, b->lost);
		assert_int_equal(a->ts_ns, b->ts_ns);
		assert_string_equal(a->target, b->target);
		assert_string_equal(a->host, b->host);
		assert_string_equal(a->request_id, b->request_id);
		assert_string_equal(a->why, b->why);
		streams += a->down.stream != 0;
	}
	assert_true(streams > 5);
	for (int w = 0; w < 2; w++) {
		for (size_t i = 0; i < r.n[w]; i++)
			finding_unref(r.f[w][i]);
	}
	engine_free(r.direct);
	engine_free(r.stored);
	h2_store_free(r.store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_credentials_do_not_reach_the_trace),
		cmocka_unit_test(test_what_refers_to_the_table_is_written_out),
		cmocka_unit_test(test_a_block_in_parts_becomes_one_text),
		cmocka_unit_test(test_parts_whose_others_were_lost_are_dropped),
		cmocka_unit_test(test_a_stored_session_is_explained_as_the_live_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
