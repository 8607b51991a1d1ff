/* SPDX-License-Identifier: BSD-2-Clause */
/* See ndjson.h. Every name below is documented in man/why502.8 (OUTPUT: NDJSON). */
#include "sink/ndjson.h"

#include "base/json.h"
#include "base/util.h"
#include "sink/names.h"
#include "sink/ndjson_fields.h"
#include "sink/ndjson_host.h"
#include "sink/printout.h"

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

static void on_ready(struct printout *p, const struct engine *e)
{
	const struct engine_counters *c = engine_counters(e);
	struct json j = { .out = &p->out };
	const struct engine_gateway *g;
	size_t ngateways = engine_gateways(e, &g);

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
	buf_str(&p->out, "\n");
}

static void on_finding(struct printout *p, const struct finding *f, const char *pcap_path)
{
	struct json j = { .out = &p->out };

	ndjson_finding(&j, f, pcap_path);
	buf_str(&p->out, "\n");
}

static void on_warning(struct printout *p, const struct engine *e, const struct engine_upstream *u)
{
	struct json j = { .out = &p->out };
	char text[WARNING_TEXT_MAX];

	json_open(&j, NULL, '{');
	json_str(&j, "type", "warning");
	put_now(&j, engine_counters(e));
	json_str(&j, "warning", "keepalive-race-ahead");
	ndjson_endpoint(&j, "upstream", &u->ip, u->port);
	json_str(&j, "source", u->idle_backend_ms ? "closes" : "keep-alive-header");
	json_uint(&j, "backend_idle_ms", warning_idle_ms(u));
	ndjson_known(&j, "keep_alive_ms", u->idle_said_ms);
	ndjson_known(&j, "gateway_idle_ms", u->idle_gateway_ms);
	ndjson_known(&j, "gateway_elsewhere_ms", u->idle_elsewhere_ms);
	json_uint(&j, "seen", u->idle_closed);
	warning_text(text, u);
	json_str(&j, "text", text);
	warning_next_step(text, u);
	json_str(&j, "next", text);
	json_close(&j, '}');
	buf_str(&p->out, "\n");
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
		ndjson_known(j, "backend_idle_ms", v[i]->idle_backend_ms);
		ndjson_known(j, "keep_alive_ms", v[i]->idle_said_ms);
		ndjson_known(j, "keep_alive_max", v[i]->keep_alive_max);
		ndjson_known(j, "gateway_idle_ms", v[i]->idle_gateway_ms);
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

static void put_stats(struct json *j, struct printout *p, const struct engine *e)
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
	json_uint(j, "unwritten", p->unwritten);
	json_uint(j, "bad_records", c->bad_records);
	if (p->filter) {
		json_open(j, "filter", '{');
		json_str(j, "expr", p->filter->expr);
		json_uint(j, "matched", p->filter->matched);
		json_uint(j, "left_out", p->filter->left_out);
		json_close(j, '}');
	}
	put_loss(j, e);
	put_tally(j, &p->tally);
	ndjson_host(j, e);
	put_pools(j, e);
	if (p->pcap)
		put_pcap_stats(j, p->pcap);
	if (c->is_capture)
		put_capture(j, &c->capture);
	json_close(j, '}');
}

static void on_summary(struct printout *p, const struct engine *e)
{
	struct json j = { .out = &p->out };
	size_t from = p->out.len;

	put_stats(&j, p, e);
	buf_str(&p->out, "\n");
	printout_end_block(p, from);
}

static bool knows_time(const struct engine *e)
{
	return engine_counters(e)->now_ns;
}

static const struct printout_ops ndjson_ops = {
	.sink = { .name = "ndjson",
		  .finding = printout_finding,
		  .tick = printout_tick,
		  .close = printout_close },
	.is_ready = knows_time,
	.sums_up_nothing = true,
	.ready = on_ready,
	.finding = on_finding,
	.warning = on_warning,
	.summary = on_summary,
};

int ndjson_new(struct sink *out, int fd)
{
	return printout_new(out, &ndjson_ops, fd);
}
