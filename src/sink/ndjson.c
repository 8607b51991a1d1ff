/* SPDX-License-Identifier: BSD-2-Clause */
/* See ndjson.h. Every name below is documented in man/why502.8 (OUTPUT: NDJSON). */
#include "sink/ndjson.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/util.h"
#include "sink/names.h"
#include "sink/ndjson_fields.h"
#include "sink/ndjson_host.h"
#include "sink/pcapout.h"
#include "sink/tally.h"
#include "sink/warnings.h"

#define NDJSON_FLUSH_AT (32 << 10) /* do not wait for the tick with more than this */
#define NDJSON_MAX	(4 << 20)  /* a reader that far behind loses findings, counted */

struct ndjson {
	int fd;
	struct buf out;
	struct pcap_dir *pcap;		  /* or NULL */
	const struct sink_filter *filter; /* or NULL */
	struct tally tally;
	struct warnings warnings;
	uint64_t unwritten;	     /* findings */
	const struct engine *engine; /* borrowed; while ready_waits */
	bool ready_waits;	     /* {"type":"ready"} is still to be written */
	bool has_begun;		     /* the session: a start may fail */
};

/* A line that did not fit is taken back whole, so the stream stays one of whole lines. */
static int end_line(struct ndjson *n, size_t from)
{
	int err;

	buf_put(&n->out, "\n", 1);
	err = n->out.err;
	if (err)
		buf_cut(&n->out, from);
	return err;
}

static void put_now(struct json *j, const struct engine_counters *c)
{
	if (c->wall_offset_ns || c->is_capture)
		ndjson_time(j, "ts", c->now_ns + c->wall_offset_ns);
}

static void put_watched(struct json *j, const struct engine_gateway *g, bool is_capture)
{
	json_open(j, NULL, '{');
	ndjson_known_str(j, "name", g->name);
	if (!is_capture) {
		ndjson_known(j, "group", g->group);
		json_uint(j, "processes", g->nprocs);
	}
	ndjson_known_str(j, "cgroup", g->cgroup);
	json_open(j, "ports", '[');
	for (size_t i = 0; i < min_size(g->nports, ARRAY_SIZE(g->ports)); i++)
		json_uint(j, NULL, g->ports[i]);
	json_close(j, ']');
	json_close(j, '}');
}

static void put_ready(struct ndjson *n, const struct engine *e)
{
	const struct engine_counters *c = engine_counters(e);
	struct json j = { .out = &n->out };
	const struct engine_gateway *g;
	size_t ngateways = engine_gateways(e, &g), from = n->out.len;

	n->ready_waits = false;
	json_open(&j, NULL, '{');
	json_str(&j, "type", "ready");
	put_now(&j, c);
	ndjson_known_str(&j, "host", c->host);
	ndjson_known_str(&j, "kernel", c->kernel);
	json_open(&j, "gateways", '[');
	for (size_t i = 0; i < ngateways; i++) {
		if (!g[i].unwanted)
			put_watched(&j, &g[i], c->is_capture);
	}
	json_close(&j, ']');
	json_close(&j, '}');
	end_line(n, from);
}

static int on_finding(void *self, struct finding *f)
{
	struct ndjson *n = self;
	struct json j = { .out = &n->out };
	size_t from;
	int err, flush_err = 0;

	if (n->ready_waits)
		put_ready(n, n->engine);
	n->has_begun = true;
	tally_add(&n->tally, f);
	if (n->out.len >= NDJSON_FLUSH_AT)
		flush_err = buf_flush(&n->out, n->fd);
	from = n->out.len;
	ndjson_finding(&j, f, n->pcap ? pcap_dir_saved(n->pcap, f) : NULL);
	err = end_line(n, from);
	if (err)
		n->unwritten++;
	return err ? err : flush_err;
}

static void put_warnings(struct ndjson *n, const struct engine *e)
{
	const struct engine_upstream *u;
	char text[WARNING_TEXT_MAX];

	while ((u = warnings_next(&n->warnings, e))) {
		struct json j = { .out = &n->out };
		size_t from = n->out.len;

		json_open(&j, NULL, '{');
		json_str(&j, "type", "warning");
		put_now(&j, engine_counters(e));
		json_str(&j, "warning", "keepalive-race-ahead");
		ndjson_endpoint(&j, "upstream", &u->ip, u->port);
		json_uint(&j, "backend_idle_ms", u->idle_backend_ms);
		ndjson_known(&j, "gateway_idle_ms", u->idle_gateway_ms);
		json_uint(&j, "seen", u->idle_closed);
		warning_text(text, u);
		json_str(&j, "text", text);
		warning_next_step(text, u);
		json_str(&j, "next", text);
		json_close(&j, '}');
		end_line(n, from);
	}
}

static int on_tick(void *self, const struct engine *e)
{
	struct ndjson *n = self;

	if (n->ready_waits)
		put_ready(n, e);
	put_warnings(n, e);
	return buf_flush(&n->out, n->fd);
}

static void put_tally(struct json *j, struct tally *t)
{
	tally_sort(t);
	json_open(j, "causes", '[');
	for (size_t i = 0; i < t->n; i++) {
		const struct tally_row *r = &t->rows[i];

		json_open(j, NULL, '{');
		json_str(j, "cause", cause_name(r->cause));
		if (r->has_upstream)
			ndjson_endpoint(j, "upstream", &r->ip, r->port);
		json_uint(j, "count", r->count);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_loss(struct json *j, const struct engine *e)
{
	const struct engine_counters *c = engine_counters(e);

	if (c->log_followed) {
		json_uint(j, "log_lines", c->log_lines);
		json_uint(j, "logged", c->logged);
	}
	json_uint(j, "unread_tls", c->unread_tls);
	json_uint(j, "unread_h2", c->unread_h2);
	json_uint(j, "undecoded", c->undecoded);
	json_uint(j, "lost", engine_lost(e));
	json_open(j, "loss", '{');
	for (unsigned int i = 0; i < W5_LOSS_MAX; i++)
		json_uint(j, loss_name(i), c->loss[i]);
	json_close(j, '}');
}

static void put_pcap_stats(struct json *j, const struct pcap_dir *pcap)
{
	struct pcap_dir_stats st;

	pcap_dir_stats(pcap, &st);
	json_open(j, "pcap", '{');
	json_uint(j, "files", st.files);
	json_uint(j, "bytes", st.bytes);
	json_uint(j, "packets", st.packets);
	json_uint(j, "skipped", st.skipped);
	json_uint(j, "alike", st.alike);
	json_uint(j, "failed", st.failed);
	json_close(j, '}');
}

/* What the gateways have open now. */
static void put_pools(struct json *j, const struct engine *e)
{
	const struct engine_upstream *const *v;
	size_t n = engine_upstreams(e, &v);

	json_open(j, "pools", '[');
	for (size_t i = 0; i < n; i++) {
		if (!v[i]->counted || v[i]->unwanted)
			continue;
		json_open(j, NULL, '{');
		ndjson_endpoint(j, "upstream", &v[i]->ip, v[i]->port);
		json_uint(j, "in_use", v[i]->in_use);
		json_uint(j, "in_use_max", v[i]->in_use_max);
		json_uint(j, "idle", v[i]->idle);
		json_uint(j, "connecting", v[i]->connecting);
		ndjson_known(j, "oldest_ms", v[i]->oldest_ms);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_capture(struct json *j, const struct w5_capture *k)
{
	json_open(j, "capture", '{');
	json_uint(j, "packets", k->packets);
	json_uint(j, "used", k->used);
	json_uint(j, "unread", k->unread);
	json_uint(j, "cut", k->cut);
	json_uint(j, "missing", k->missing);
	json_uint(j, "missing_bytes", k->missing_bytes);
	json_uint(j, "duplicates", k->duplicates);
	json_uint(j, "unordered", k->unordered);
	json_uint(j, "one_way", k->one_way);
	json_uint(j, "older", k->older);
	json_close(j, '}');
}

static void put_stats(struct json *j, struct ndjson *n, const struct engine *e)
{
	const struct engine_counters *c = engine_counters(e);

	json_open(j, NULL, '{');
	json_str(j, "type", "stats");
	put_now(j, c);
	ndjson_known_span(j, "duration_ms", c->start_ns, c->now_ns);
	json_uint(j, "exchanges", c->exchanges);
	json_uint(j, "attempts", c->attempts);
	json_uint(j, "bad", c->bad);
	json_uint(j, "status_502", c->s502);
	json_uint(j, "status_503", c->s503);
	json_uint(j, "status_504", c->s504);
	json_uint(j, "silent", c->silent);
	json_uint(j, "recovered", c->recovered);
	json_uint(j, "client_aborts", c->client_aborts);
	json_uint(j, "findings", c->findings);
	json_uint(j, "unwritten", n->unwritten);
	json_uint(j, "bad_records", c->bad_records);
	if (n->filter) {
		json_open(j, "filter", '{');
		json_str(j, "expr", n->filter->expr);
		json_uint(j, "matched", n->filter->matched);
		json_uint(j, "left_out", n->filter->left_out);
		json_close(j, '}');
	}
	put_loss(j, e);
	put_tally(j, &n->tally);
	ndjson_host(j, e);
	put_pools(j, e);
	if (n->pcap)
		put_pcap_stats(j, n->pcap);
	if (c->is_capture)
		put_capture(j, &c->capture);
	json_close(j, '}');
}

static void on_close(void *self, const struct engine *e)
{
	struct ndjson *n = self;
	struct json j = { .out = &n->out };
	size_t from;

	if (n->ready_waits)
		put_ready(n, e);
	if (n->has_begun) {
		from = n->out.len;
		put_stats(&j, n, e);
		end_line(n, from);
	}
	buf_flush(&n->out, n->fd);
	pcap_dir_unref(n->pcap);
	buf_fini(&n->out);
	free(n);
}

static const struct sink_ops ndjson_ops = {
	.name = "ndjson",
	.finding = on_finding,
	.tick = on_tick,
	.close = on_close,
};

int ndjson_new(struct sink *out, int fd)
{
	struct ndjson *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	n->fd = fd;
	buf_init(&n->out, NDJSON_MAX);
	*out = (struct sink){ .ops = &ndjson_ops, .self = n };
	return 0;
}

void ndjson_set_filter(const struct sink *s, const struct sink_filter *flt)
{
	struct ndjson *n = s->self;

	n->filter = flt;
}

void ndjson_set_pcap(const struct sink *s, const struct sink *pcap)
{
	struct ndjson *n = s->self;

	n->pcap = pcap_dir_ref(pcap);
}

/* A replay is ready before its first record: the line comes ahead of the first finding. */
int ndjson_ready(const struct sink *s, const struct engine *e)
{
	struct ndjson *n = s->self;

	n->engine = e;
	n->has_begun = n->ready_waits = true;
	if (!engine_counters(e)->now_ns)
		return 0;
	put_ready(n, e);
	return buf_flush(&n->out, n->fd);
}
