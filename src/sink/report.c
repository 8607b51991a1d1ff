/* SPDX-License-Identifier: BSD-2-Clause */
/* See report.h: gathers, puts the parts in order, writes files. */
#include "sink/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/save.h"
#include "base/util.h"
#include "sink/report_parts.h"

#define REPORT_MAX (32 << 20)

struct report {
	struct report_cfg cfg;
	struct report_data data;
};

static void title_of(char *out, size_t cap, const struct report_input *in)
{
	const struct report_facts *x = &in->d->facts;
	const char *host = engine_counters(in->e)->host;
	const char *status = x->s502 >= x->s503 && x->s502 >= x->s504 ? "502"
			     : x->s504 >= x->s503		      ? "504"
								      : "503";

	if (!x->bad)
		snprintf(out, cap, "%s: no bad answer", *host ? host : "Gateway");
	else
		snprintf(out, cap, "Why %s answered %s%s", *host ? host : "the gateway", status,
			 x->s502 + x->s503 + x->s504 > max_u64(x->s502, max_u64(x->s503, x->s504))
				 ? " and others"
				 : "");
}

static void put_about(struct doc *d, const struct report_input *in)
{
	const struct engine_counters *c = engine_counters(in->e);
	uint64_t start = c->start_ns + c->wall_offset_ns, now = c->now_ns + c->wall_offset_ns;
	char from[REPORT_TIME_MAX], to[REPORT_TIME_MAX];

	report_time(from, start);
	report_time(to, now);
	d->ops->heading(d, "About this report");
	doc_paraf(d, "Made by why502 %s from %s%s. Watched: %s to %s UTC%s%s%s%s.", W5_VERSION,
		  in->source ? "the file " : "a live session", in->source ? in->source : "", from,
		  to, *c->host ? ", host " : "", c->host, *c->kernel ? ", Linux " : "", c->kernel);
	doc_paraf(d,
		  "A cause is called certain only where the witnesses leave one explanation and "
		  "nothing was lost; the catalogue is in docs/causes.md. A value that starts with "
		  "* and goes on in hex digits is a masked secret.");
}

static void write_doc(struct buf *out, const struct doc_ops *ops, const struct report_input *in)
{
	struct doc d = { .ops = ops, .out = out };
	char title[160];

	title_of(title, sizeof(title), in);
	ops->begin(&d, title);
	report_scope(&d, in);
	if (in->d->facts.bad) {
		report_causes(&d, in);
		report_where(&d, in);
		report_ruled_out(&d, in);
	}
	report_unseen(&d, in);
	if (in->d->facts.bad) {
		report_next(&d, in);
		report_audit(&d, in);
	}
	put_about(&d, in);
	ops->end(&d);
}

/* ---- files ---- */

static int write_all(int fd, struct buf *out)
{
	while (out->len) {
		size_t before = out->len;
		int err = buf_flush(out, fd);

		if (err)
			return err;
		if (out->len == before)
			return -EIO;
	}
	return 0;
}

static int write_to(void *self, FILE *file)
{
	return write_all(fileno(file), self);
}

static int save_as(const struct doc_ops *ops, const struct report_input *in, const char *path,
		   int fd)
{
	struct buf out;
	int err;

	buf_init(&out, REPORT_MAX);
	write_doc(&out, ops, in);
	err = out.err;
	if (!err)
		err = path ? save_file(path, write_to, &out) : write_all(fd, &out);
	buf_fini(&out);
	return err;
}

static bool ends_in(const char *path, const char *suffix)
{
	size_t n = strlen(path), len = strlen(suffix);

	return n > len && !strcmp(path + n - len, suffix);
}

bool report_is_one_file(const char *path)
{
	return ends_in(path, doc_markdown.suffix) || ends_in(path, doc_html.suffix);
}

static struct report_input input_of(const struct report *r, const struct engine *e)
{
	return (struct report_input){
		.d = &r->data, .e = e, .filter = r->cfg.filter, .source = r->cfg.source
	};
}

int report_save(const struct sink *s, const struct engine *e, const char *path)
{
	static const struct doc_ops *const kinds[] = { &doc_markdown, &doc_html };
	struct report_input in = input_of(s->self, e);
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (ends_in(path, kinds[i]->suffix))
			return save_as(kinds[i], &in, path, -1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && !err; i++) {
		w5_auto(freep) char *full = NULL;

		if (asprintf(&full, "%s%s", path, kinds[i]->suffix) < 0) {
			full = NULL;
			return -ENOMEM;
		}
		err = save_as(kinds[i], &in, full, -1);
	}
	return err;
}

/* ---- the sink ---- */

static int on_finding(void *self, struct finding *f)
{
	struct report *r = self;

	report_data_add(&r->data, f);
	return 0;
}

int report_write(const struct sink *s, const struct engine *e, int fd)
{
	struct report_input in = input_of(s->self, e);

	return save_as(&doc_markdown, &in, NULL, fd);
}

static void on_close(void *self, const struct engine *e)
{
	struct report *r = self;

	(void)e;
	report_data_fini(&r->data);
	free(r);
}

static const struct sink_ops report_ops = {
	.name = "report",
	.finding = on_finding,
	.close = on_close,
};

int report_new(struct sink *out, const struct report_cfg *cfg)
{
	struct report *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->cfg = *cfg;
	err = report_data_init(&r->data);
	if (err) {
		free(r);
		return err;
	}
	*out = (struct sink){ .ops = &report_ops, .self = r };
	return 0;
}
