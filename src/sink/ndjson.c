/* SPDX-License-Identifier: BSD-2-Clause */
/* See ndjson.h. Every name below is documented in man/why502.8 (OUTPUT: NDJSON). */
#include "sink/ndjson.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/util.h"
#include "sink/names.h"
#include "sink/pcapout.h"
#include "sink/tally.h"

#define NDJSON_FLUSH_AT (32 << 10) /* do not wait for the tick with more than this */
#define NDJSON_MAX	(4 << 20)  /* a reader that far behind loses findings, counted */

struct ndjson {
	int fd;
	struct buf out;
	struct pcap_dir *pcap; /* or NULL */
	struct tally tally;
	uint64_t unwritten;	     /* findings */
	const struct engine *engine; /* borrowed; while ready_waits */
	bool ready_waits;	     /* {"type":"ready"} is still to be written */
};

static void put_time(struct json *j, const char *key, uint64_t wall_ns)
{
	char text[TEXT_TIME_MAX];

	text_time_utc(text, sizeof(text), wall_ns);
	json_str(j, key, text);
}

static void put_endpoint(struct json *j, const char *key, const struct w5_addr *a, uint16_t port)
{
	char ip[TEXT_ADDR_MAX];

	text_addr(ip, sizeof(ip), a);
	json_open(j, key, '{');
	json_str(j, "ip", ip);
	json_uint(j, "port", port);
	json_close(j, '}');
}

/* Absent means not known: these leave out zero and "". */
static void put_known(struct json *j, const char *key, uint64_t val)
{
	if (val)
		json_uint(j, key, val);
}

static void put_known_str(struct json *j, const char *key, const char *val)
{
	if (*val)
		json_str(j, key, val);
}

static void put_known_span(struct json *j, const char *key, uint64_t from_ns, uint64_t to_ns)
{
	if (from_ns && to_ns >= from_ns)
		json_ms(j, key, (int64_t)(to_ns - from_ns));
}

static void put_errno(struct json *j, const char *key, unsigned int err)
{
	char name[32];

	if (!err)
		return;
	errno_name(name, sizeof(name), err);
	json_str(j, key, name);
}

/* How the conn ended: the packets that came in keep their own facts. */
static void put_end(struct json *j, const struct w5_leg *l)
{
	put_known_str(j, "end", end_name(l->end));
	put_errno(j, "err", l->err);
	put_errno(j, "err_soft", l->err_soft);
	if (l->rst_in_ns) {
		json_open(j, "rst", '{');
		put_known(j, "ttl", l->rst_ttl);
		json_bool(j, "ack", l->rst_flags & W5_TCP_ACK);
		json_uint(j, "win", l->rst_win);
		json_uint(j, "ipid", l->rst_ipid);
		json_close(j, '}');
	}
	if (l->fin_in_ns) {
		json_open(j, "fin", '{');
		put_known(j, "ttl", l->fin_ttl);
		json_close(j, '}');
	}
	put_known(j, "reset_reason", l->reason);
}

static void put_attempt_times(struct json *j, const struct finding *f, const struct w5_leg *l)
{
	uint64_t start_ns = l->nr > 1 || !l->open_ns ? l->req_ns : l->open_ns;

	/* Relative to the client's request; a conn opened ahead of it starts below zero. */
	if (f->req_ns && start_ns)
		json_ms(j, "start_ms", (int64_t)(start_ns - f->req_ns));
	if (f->req_ns && l->end_ns)
		json_ms(j, "end_ms", (int64_t)(l->end_ns - f->req_ns));
	put_known_span(j, "connect_ms", l->open_ns, l->estab_ns);
	put_known_span(j, "ttfb_ms", l->req_ns, l->resp_ns);
	if (l->idle_ns)
		json_ms(j, "idle_ms", (int64_t)l->idle_ns);
}

static void put_attempt(struct json *j, const struct finding *f, size_t i)
{
	const struct attempt *a = &f->attempts[i];
	const struct w5_leg *l = &a->leg;

	json_open(j, NULL, '{');
	json_uint(j, "n", i + 1);
	put_endpoint(j, "upstream", &l->remote, l->rport);
	put_endpoint(j, "local", &l->local, l->lport);
	if (l->nr)
		json_uint(j, "reused", l->nr - 1);
	if (l->flags & W5_F_OLDER)
		json_bool(j, "older",
			  true); /* the conn is older than why502: reused is a minimum */
	put_attempt_times(j, f, l);
	if (l->req_bytes) {
		json_uint(j, "request_bytes", l->req_bytes);
		json_bool(j, "request_acked", l->req_acked >= l->req_bytes);
	}
	put_known(j, "status", l->status);
	put_known(j, "response_bytes", l->resp_bytes);
	put_end(j, l);
	put_known(j, "synack_ttl", l->synack_ttl);
	json_uint(j, "retransmits", l->retrans);
	put_known(j, "syn", l->syn_sent);
	put_known(j, "rto_count", l->rto_count);
	put_known(j, "srtt_us", l->srtt_us);
	if (l->flags & W5_F_LOCAL_UNREACH)
		json_bool(j, "neighbour_failed", true);
	if (l->flags & W5_F_ZERO_WND)
		json_bool(j, "zero_window", true);
	if (l->flags & W5_F_NOT_HTTP)
		json_bool(j, "not_http", true);
	if (a->doubtful)
		json_bool(j, "doubtful", true);
	json_str(j, "cause", cause_name(a->cause));
	json_close(j, '}');
}

static void put_gateway(struct json *j, const struct finding *f)
{
	json_open(j, "gateway", '{');
	put_known_str(j, "name", f->gateway_name);
	put_known(j, "pid", f->down.tgid);
	put_known(j, "tid", f->down.tid);
	put_known(j, "group", f->gateway_group);
	put_known_str(j, "cgroup", f->gateway_cgroup);
	json_close(j, '}');
}

static void put_request(struct json *j, const struct finding *f)
{
	json_open(j, "request", '{');
	put_known_str(j, "method", f->method);
	put_known_str(j, "target", f->target);
	put_known_str(j, "host", f->host);
	put_known_str(j, "id", f->request_id);
	if (f->down.flags & W5_F_REQ_CUT)
		json_bool(j, "cut", true);
	json_close(j, '}');
}

static void put_downstream(struct json *j, const struct w5_leg *l)
{
	put_endpoint(j, "client", &l->remote, l->rport);
	json_open(j, "downstream", '{');
	put_endpoint(j, "local", &l->local, l->lport);
	if (l->nr)
		json_uint(j, "reused", l->nr - 1);
	put_known(j, "request_bytes", l->req_bytes);
	put_known(j, "response_bytes", l->resp_bytes);
	put_end(j, l);
	json_close(j, '}');
}

static void put_lists(struct json *j, const struct finding *f)
{
	json_open(j, "attempts", '[');
	for (size_t i = 0; i < f->nattempts; i++)
		put_attempt(j, f, i);
	json_close(j, ']');
	json_open(j, "evidence", '[');
	for (size_t i = 0; i < min_size(f->nevidence, FINDING_EVIDENCE_MAX); i++)
		json_str(j, NULL, f->evidence[i]);
	json_close(j, ']');
	json_open(j, "witness", '[');
	for (unsigned int bit = 0; bit < WITNESS_COUNT; bit++) {
		if (f->witness & 1u << bit)
			json_str(j, NULL, witness_name(bit));
	}
	json_close(j, ']');
}

static void put_finding(struct json *j, const struct ndjson *n, const struct finding *f)
{
	const char *pcap = n->pcap ? pcap_dir_saved(n->pcap, f) : NULL;

	json_open(j, NULL, '{');
	json_str(j, "type", "finding");
	json_uint(j, "id", f->id);
	put_time(j, "ts", f->wall_ns);
	put_known(j, "status", f->status);
	json_bool(j, "silent", f->verdict == VERDICT_SILENT);
	json_str(j, "verdict", verdict_name(f->verdict));
	json_str(j, "cause", cause_name(f->cause));
	json_str(j, "confidence", confidence_name(f->confidence));
	put_known_str(j, "proxy_status", cause_proxy_status(f->cause));
	if (f->req_ns)
		json_ms(j, "duration_ms", (int64_t)f->duration_ns);
	put_gateway(j, f);
	put_request(j, f);
	put_downstream(j, &f->down);
	put_lists(j, f);
	put_known_str(j, "why", f->why);
	put_known_str(j, "next", f->next);
	put_known(j, "linked", f->linked_id);
	json_uint(j, "lost", f->lost);
	if (pcap)
		json_str(j, "pcap", pcap);
	json_close(j, '}');
}

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
	if (c->wall_offset_ns)
		put_time(j, "ts", c->now_ns + c->wall_offset_ns);
}

static void put_watched(struct json *j, const struct engine_gateway *g)
{
	json_open(j, NULL, '{');
	put_known_str(j, "name", g->name);
	put_known(j, "group", g->group);
	json_uint(j, "processes", g->nprocs);
	put_known_str(j, "cgroup", g->cgroup);
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
	put_known_str(&j, "host", c->host);
	put_known_str(&j, "kernel", c->kernel);
	json_open(&j, "gateways", '[');
	for (size_t i = 0; i < ngateways; i++)
		put_watched(&j, &g[i]);
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
	tally_add(&n->tally, f);
	if (n->out.len >= NDJSON_FLUSH_AT)
		flush_err = buf_flush(&n->out, n->fd);
	from = n->out.len;
	put_finding(&j, n, f);
	err = end_line(n, from);
	if (err)
		n->unwritten++;
	return err ? err : flush_err;
}

static int on_tick(void *self, const struct engine *e)
{
	struct ndjson *n = self;

	if (n->ready_waits)
		put_ready(n, e);
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
			put_endpoint(j, "upstream", &r->ip, r->port);
		json_uint(j, "count", r->count);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_loss(struct json *j, const struct engine *e)
{
	const struct engine_counters *c = engine_counters(e);

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
	json_uint(j, "failed", st.failed);
	json_close(j, '}');
}

static void put_stats(struct json *j, struct ndjson *n, const struct engine *e)
{
	const struct engine_counters *c = engine_counters(e);

	json_open(j, NULL, '{');
	json_str(j, "type", "stats");
	put_now(j, c);
	put_known_span(j, "duration_ms", c->start_ns, c->now_ns);
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
	put_loss(j, e);
	put_tally(j, &n->tally);
	if (n->pcap)
		put_pcap_stats(j, n->pcap);
	json_close(j, '}');
}

static void on_close(void *self, const struct engine *e)
{
	struct ndjson *n = self;
	struct json j = { .out = &n->out };
	size_t from;

	if (n->ready_waits)
		put_ready(n, e);
	from = n->out.len;
	put_stats(&j, n, e);
	end_line(n, from);
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
	n->ready_waits = true;
	if (!engine_counters(e)->now_ns)
		return 0;
	put_ready(n, e);
	return buf_flush(&n->out, n->fd);
}
