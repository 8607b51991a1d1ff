/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole of user space behind a trace file: reader, record gate, engine, and every
 * sink that prints or saves findings. Input: the records of a trace, without its header.
 * Invariants: nothing crashes, counters never run backwards, NDJSON lines parse.
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/engine.h"
#include "sink/ndjson.h"
#include "sink/pcapout.h"
#include "sink/printout.h"
#include "sink/textout.h"
#include "engine/h2_store.h"
#include "source/masker.h"
#include "source/record.h"
#include "source/trace.h"

#define expect(c)                \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

struct run {
	struct engine *e;
	struct sink json, text;
	struct masker *masker;
	struct h2_store *store;
	uint64_t findings, bad;
};

static void on_finding(void *self, struct finding *f)
{
	const struct finding *one = f;
	struct run *r = self;

	r->findings++;
	expect(f->nevidence <= FINDING_EVIDENCE_MAX);
	expect(f->cause < CAUSE_MAX && f->verdict < VERDICT_MAX && f->confidence < CONFIDENCE_MAX);
	/* A finding whose window lost records is never certain. */
	expect(!f->lost || f->confidence != CONFIDENCE_CERTAIN);
	r->json.ops->finding(r->json.self, f);
	r->text.ops->finding(r->text.self, f);
	pcap_save("/dev/null/none", &one, 1, NULL); /* sorts and checks; opens nothing */
}

static void on_stored(void *self, const struct w5_hdr *rec)
{
	(void)self;
	expect(!record_check(rec, rec->size));
}

static int on_record(void *self, const struct w5_hdr *rec)
{
	const struct engine_counters *c;
	struct run *r = self;

	rec = masker_record(r->masker, rec);
	expect(!record_check(rec, rec->size));
	h2_store_record(r->store, rec);
	engine_feed(r->e, rec);
	c = engine_counters(r->e);
	expect(c->bad >= r->bad && c->findings >= c->bad);
	r->bad = c->bad;
	return 0;
}

/* Every line must parse, whatever the records said. */
static void check_json(int fd)
{
	size_t len = (size_t)lseek(fd, 0, SEEK_END);
	char *text = calloc(1, len + 1);

	expect(text && pread(fd, text, len, 0) == (ssize_t)len);
	for (char *p = text, *end; *p; p = end + 1) {
		json_t *v;

		end = strchr(p, '\n');
		expect(end);
		v = json_loadb(p, (size_t)(end - p), JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
		expect(v);
		json_decref(v);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct trace_header head = { .magic = TRACE_MAGIC,
					   .abi = W5_ABI_VERSION,
					   .endian = TRACE_ENDIAN };
	static const struct h2_store_ops store_ops = { .emit = on_stored };
	static const uint8_t key[MASK_KEY_BYTES];
	static const struct engine_ops ops = { .finding = on_finding };
	static int json_fd = -1, text_fd = -1;
	char *file = malloc(sizeof(head) + size), err[TRACE_ERR_MAX] = "";
	struct run r = { 0 };
	struct engine_cfg cfg;
	int rc;

	if (json_fd < 0) {
		json_fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
		text_fd = open("/dev/null", O_WRONLY);
	}
	expect(file && json_fd >= 0 && !ftruncate(json_fd, 0));
	lseek(json_fd, 0, SEEK_SET);
	memcpy(file, &head, sizeof(head));
	memcpy(file + sizeof(head), data, size);
	engine_cfg_default(&cfg);
	cfg.max_conns = 64; /* evictions are part of the game */
	expect(!masker_new(&r.masker, key, size & 1));
	expect(!h2_store_new(&r.store, masker_mask(r.masker), &store_ops, &r));
	cfg.mask = masker_mask(r.masker);
	expect(!engine_new(&r.e, &cfg, &ops, &r));
	expect(!ndjson_new(&r.json, json_fd) && !textout_new(&r.text, text_fd));
	printout_ready(&r.json, r.e);
	printout_ready(&r.text, r.e);
	rc = trace_read_mem("fuzz", file, sizeof(head) + size, on_record, &r, err);
	expect(!rc == !*err);
	engine_finish(r.e);
	expect(engine_counters(r.e)->findings == r.findings);
	r.json.ops->close(r.json.self, r.e);
	r.text.ops->close(r.text.self, r.e);
	check_json(json_fd);
	engine_free(r.e);
	h2_store_free(r.store);
	masker_free(r.masker);
	free(file);
	return 0;
}
