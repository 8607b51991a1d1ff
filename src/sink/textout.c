/* SPDX-License-Identifier: BSD-2-Clause */
/* See textout.h. */
#include "sink/textout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/util.h"
#include "sink/names.h"
#include "sink/pcapout.h"
#include "sink/tally.h"
#include "sink/warnings.h"

#define TEXTOUT_FLUSH_AT (32 << 10)
#define TEXTOUT_MAX	 (4 << 20)
#define TEXTOUT_TALLY	 20 /* lines of the summary */

struct textout {
	int fd;
	struct buf out;
	struct pcap_dir *pcap;		  /* or NULL */
	const struct sink_filter *filter; /* or NULL */
	struct tally tally;
	struct warnings warnings;
	const struct engine *engine; /* borrowed; while ready_waits */
	bool ready_waits;	     /* gateways are still to be listed */
	bool has_begun;		     /* the session: a start may fail */
};

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* Wire bytes, made harmless for a terminal. */
static void put_wire(struct buf *b, const char *s)
{
	char text[4 * (W5_HEAD_REQ + 1)];

	text_escape(text, sizeof(text), s, strlen(s));
	buf_str(b, text);
}

static void put_duration(struct buf *b, uint64_t ns)
{
	char text[16];

	text_duration(text, sizeof(text), ns);
	buf_str(b, text);
}

static void put_endpoint(struct buf *b, const struct w5_addr *a, uint16_t port)
{
	char text[TEXT_ENDPOINT_MAX];

	text_endpoint(text, sizeof(text), a, port);
	buf_str(b, text);
}

/* What stands in place of a status. */
static const char *no_status(const struct finding *f)
{
	if (f->verdict == VERDICT_CLIENT)
		return "aborted";
	return f->down.resp_bytes ? "no status" : "silent";
}

/* A log need not have the address, nor the port. */
static void put_client(struct buf *b, const struct finding *f)
{
	char text[TEXT_ADDR_MAX];

	if (!finding_has_client(f))
		return;
	buf_str(b, "  from ");
	if (f->down.rport || f->sight != SIGHT_LOG) {
		put_endpoint(b, &f->down.remote, f->down.rport);
		return;
	}
	text_addr(text, sizeof(text), &f->down.remote);
	buf_str(b, text);
}

/* 12:06:21.341  502 POST shop.example/api/cart  from 198.51.100.4:51034  after 0.402 ms ... */
static void put_headline(struct buf *b, const struct finding *f)
{
	char time[TEXT_TIME_MAX], status[16];

	text_time_of_day(time, sizeof(time), f->wall_ns);
	if (f->status)
		snprintf(status, sizeof(status), "%u", f->status);
	else
		snprintf(status, sizeof(status), "%s", no_status(f));
	buf_printf(b, "%s  %s ", time, status);
	if (*f->method) {
		put_wire(b, f->method);
		buf_str(b, " ");
		put_wire(b, f->host);
		put_wire(b, f->target);
	} else {
		buf_str(b, "(request not seen)");
	}
	put_client(b, f);
	if (f->req_ns) {
		buf_str(b, "  after ");
		put_duration(b, f->duration_ns);
	}
	if (*f->gateway_name) {
		buf_str(b, "  by ");
		put_wire(b, f->gateway_name);
		if (f->down.tgid)
			buf_printf(b, "[%u]", f->down.tgid);
	}
	buf_str(b, "\n");
}

static void put_verdict(struct buf *b, const struct finding *f)
{
	buf_printf(b, "  %s (%s), %s, finding %llu", cause_name(f->cause),
		   confidence_name(f->confidence), verdict_name(f->verdict),
		   (unsigned long long)f->id);
	if (f->sight != SIGHT_WIRE)
		buf_printf(b, ", status seen by %s", sight_name(f->sight));
	if (f->linked_id)
		buf_printf(b, ", follows from finding %llu", (unsigned long long)f->linked_id);
	if (f->lost)
		buf_printf(b, ", %llu records lost around it", (unsigned long long)f->lost);
	buf_str(b, "\n");
}

/* Since when the conn was there for this request. */
static void put_conn(struct buf *b, const struct w5_leg *l)
{
	if (l->end == W5_END_CONNECT || l->phase == W5_PHASE_CONNECT) {
		if (w5_addr_is_path(&l->remote))
			buf_str(b, "connect");
		else if (!l->lport && !l->syn_sent)
			buf_str(b, "connect, no packet left");
		else
			buf_printf(b, "connect, %u SYN%s", l->syn_sent, plural(l->syn_sent));
		return;
	}
	if (l->nr > 1)
		buf_printf(b, "reused %u time%s%s", l->nr - 1, plural(l->nr - 1),
			   l->flags & W5_F_OLDER ? " or more" : "");
	else
		buf_str(b, l->flags & W5_F_OLDER ? "older connection" : "new connection");
	if (l->idle_ns) {
		buf_str(b, ", idle ");
		put_duration(b, l->idle_ns);
	}
	if (l->req_bytes && !l->resp_bytes)
		buf_str(b, l->req_acked >= l->req_bytes ? ", request acknowledged"
							: ", request not acknowledged");
}

static void put_conn_end(struct buf *b, const struct w5_leg *l)
{
	static const char *const says[] = {
		[W5_END_NONE] = "",
		[W5_END_FIN_IN] = "backend closed (FIN)",
		[W5_END_RST_IN] = "backend reset (RST)",
		[W5_END_FIN_OUT] = "gateway closed",
		[W5_END_RST_OUT] = "gateway reset",
		[W5_END_SK_ERR] = "kernel gave up",
		[W5_END_CONNECT] = "failed",
	};
	uint64_t from_ns = l->nr > 1 || l->req_ns ? l->req_ns : l->open_ns;
	char err[32];

	_Static_assert(ARRAY_SIZE(says) == W5_END_MAX, "every end has its words");
	if (l->status) {
		buf_printf(b, ", answered %u", l->status);
		if (l->req_ns && l->resp_ns >= l->req_ns) {
			buf_str(b, " after ");
			put_duration(b, l->resp_ns - l->req_ns);
		}
	}
	if (l->retrans)
		buf_printf(b, ", %u retransmit%s", l->retrans, plural(l->retrans));
	if (l->end == W5_END_NONE || l->end >= W5_END_MAX)
		return;
	buf_printf(b, ", %s", says[l->end]);
	if (l->err && (l->end == W5_END_CONNECT || l->end == W5_END_SK_ERR)) {
		text_errno(err, sizeof(err), l->err);
		buf_printf(b, " with %s", err);
	}
	if (from_ns && l->end_ns >= from_ns && !w5_addr_is_path(&l->remote)) {
		buf_str(b, " after ");
		put_duration(b, l->end_ns - from_ns);
	}
}

static void put_attempts(struct buf *b, const struct finding *f)
{
	for (size_t i = 0; i < f->nattempts; i++) {
		const struct attempt *a = &f->attempts[i];
		char upstream[TEXT_ENDPOINT_MAX];

		buf_printf(b, "  %s %zu  ", a->doubtful ? "maybe" : "try", i + 1);
		text_upstream(upstream, sizeof(upstream), &a->leg);
		buf_str(b, upstream);
		buf_str(b, "  ");
		put_conn(b, &a->leg);
		put_conn_end(b, &a->leg);
		if (a->cause != CAUSE_NONE && a->cause != f->cause)
			buf_printf(b, ": %s", cause_name(a->cause));
		buf_str(b, "\n");
	}
}

/* Where the cause is not certain, the reader weighs the facts. */
static void put_evidence(struct buf *b, const struct finding *f)
{
	for (size_t i = 0; i < min_size(f->nevidence, FINDING_EVIDENCE_MAX); i++) {
		buf_str(b, "  fact ");
		buf_str(b, f->evidence[i]); /* escaped by the engine */
		buf_str(b, "\n");
	}
}

static bool has_packets(const struct finding *f)
{
	for (size_t i = 0; i < f->nattempts; i++) {
		if (f->attempts[i].flight)
			return true;
	}
	return f->flight;
}

static void put_finding(struct textout *t, const struct finding *f)
{
	const char *pcap = t->pcap ? pcap_dir_saved(t->pcap, f) : NULL;
	struct buf *b = &t->out;

	put_headline(b, f);
	put_verdict(b, f);
	put_attempts(b, f);
	if (f->confidence != CONFIDENCE_CERTAIN)
		put_evidence(b, f);
	if (*f->why) {
		buf_str(b, "  WHY  ");
		buf_str(b, f->why); /* escaped by the engine */
		buf_str(b, "\n");
	}
	if (*f->next) {
		buf_str(b, "  NEXT ");
		buf_str(b, f->next); /* escaped by the engine */
		buf_str(b, "\n");
	}
	if (pcap) {
		buf_str(b, "  PCAP ");
		put_wire(b, pcap);
		buf_str(b, "\n");
	} else if (t->pcap && pcap_is_wanted(f) && !has_packets(f)) {
		buf_str(b, "  PCAP no packets were kept of this exchange\n");
	}
	buf_str(b, "\n");
}

/* Takes back what did not fit, so that no finding is shown by half. */
static int end_block(struct textout *t, size_t from)
{
	int err = t->out.err;

	if (err)
		buf_cut(&t->out, from);
	return err;
}

static void put_gateway(struct buf *b, const struct engine_gateway *g, bool is_capture)
{
	buf_str(b, is_capture ? "Reading " : "Watching ");
	put_wire(b, g->name);
	if (is_capture)
		buf_printf(b, " %u", g->group);
	else
		buf_printf(b, "[%u], %zu process%s", g->group, g->nprocs,
			   g->nprocs == 1 ? "" : "es");
	for (size_t i = 0; i < min_size(g->nports, ARRAY_SIZE(g->ports)); i++)
		buf_printf(b, "%s%u",
			   i		   ? ", "
			   : g->nports > 1 ? ", ports "
					   : ", port ",
			   g->ports[i]);
	if (*g->cgroup) {
		buf_str(b, ", ");
		put_wire(b, g->cgroup);
	}
	buf_str(b, "\n");
}

static void put_ready(struct textout *t, const struct engine *e)
{
	const struct engine_gateway *g;
	size_t n = engine_gateways(e, &g), from = t->out.len, shown = 0;

	t->ready_waits = false;
	for (size_t i = 0; i < n; i++) {
		if (g[i].unwanted || !(g[i].nprocs || g[i].exchanges))
			continue;
		put_gateway(&t->out, &g[i], engine_counters(e)->is_capture);
		shown++;
	}
	if (!shown && n)
		buf_str(&t->out, "No gateway found yet that --pid, --comm and --cgroup allow.\n");
	else if (!shown)
		buf_str(&t->out, "No gateway found yet: one shows up with its first request that "
				 "it sends on to a backend.\n");
	buf_str(&t->out, "\n");
	end_block(t, from);
}

static int on_finding(void *self, struct finding *f)
{
	struct textout *t = self;
	int err, flush_err = 0;
	size_t from;

	if (t->ready_waits)
		put_ready(t, t->engine);
	t->has_begun = true;
	tally_add(&t->tally, f);
	if (t->out.len >= TEXTOUT_FLUSH_AT)
		flush_err = buf_flush(&t->out, t->fd);
	from = t->out.len;
	put_finding(t, f);
	err = end_block(t, from);
	return err ? err : flush_err;
}

static void put_warnings(struct textout *t, const struct engine *e)
{
	const struct engine_upstream *u;
	char text[WARNING_TEXT_MAX];

	while ((u = warnings_next(&t->warnings, e))) {
		size_t from = t->out.len;

		warning_text(text, u);
		buf_printf(&t->out, "WARNING  %s\n", text);
		warning_next_step(text, u);
		buf_printf(&t->out, "  NEXT %s\n\n", text);
		end_block(t, from);
	}
}

static int on_tick(void *self, const struct engine *e)
{
	struct textout *t = self;

	if (t->ready_waits)
		put_ready(t, e);
	put_warnings(t, e);
	return buf_flush(&t->out, t->fd);
}

/* ---- summary ---- */

static void put_totals(struct buf *b, const struct engine_counters *c)
{
	buf_str(b, "Watched ");
	put_duration(b, c->now_ns - c->start_ns);
	buf_printf(b, ": %llu exchange%s, %llu bad (502: %llu, 503: %llu, 504: %llu, silent: %llu)",
		   (unsigned long long)c->exchanges, plural(c->exchanges),
		   (unsigned long long)c->bad, (unsigned long long)c->s502,
		   (unsigned long long)c->s503, (unsigned long long)c->s504,
		   (unsigned long long)c->silent);
	if (c->recovered)
		buf_printf(b, ", %llu saved by a retry", (unsigned long long)c->recovered);
	if (c->client_aborts)
		buf_printf(b, ", %llu left by the client", (unsigned long long)c->client_aborts);
	buf_str(b, "\n");
	if (c->unread_tls || c->unread_h2)
		buf_printf(b, "NOT READ: %llu TLS and %llu HTTP/2 client connections; %s\n",
			   (unsigned long long)c->unread_tls, (unsigned long long)c->unread_h2,
			   c->log_followed ? "of a 502 on them only the access log tells"
					   : "a 502 on them is not in these numbers");
	if (c->undecoded)
		buf_printf(
			b,
			"NOT DECODED: %llu HTTP/2 messages; their connections are older than why502\n",
			(unsigned long long)c->undecoded);
}

static void put_filter(struct buf *b, const struct sink_filter *flt)
{
	buf_str(b, "Filter ");
	put_wire(b, flt->expr);
	buf_printf(b, ": %llu finding%s matched, %llu left out; the line above counts all\n",
		   (unsigned long long)flt->matched, plural(flt->matched),
		   (unsigned long long)flt->left_out);
}

static void put_tally(struct buf *b, struct tally *t)
{
	uint64_t rest = t->other;

	tally_sort(t);
	for (size_t i = 0; i < t->n; i++) {
		const struct tally_row *r = &t->rows[i];

		if (i >= TEXTOUT_TALLY) {
			rest += r->count;
			continue;
		}
		buf_printf(b, "%8llu  %-27s ", (unsigned long long)r->count, cause_name(r->cause));
		if (r->has_upstream)
			put_endpoint(b, &r->ip, r->port);
		else
			buf_str(b, "(no upstream tried)");
		buf_str(b, "\n");
	}
	if (rest)
		buf_printf(b, "%8llu  others\n", (unsigned long long)rest);
}

/* What is not in the file cannot be explained. */
static void put_capture(struct buf *b, const struct engine_counters *c)
{
	const struct w5_capture *k = &c->capture;
	const struct {
		uint64_t n;
		const char *what;
	} rows[] = {
		{ k->cut, "cut by the snaplen" },
		{ k->missing, "missing, though the other end has got them" },
		{ k->duplicates, "captured twice" },
		{ k->unordered, "out of order in the file" },
		{ k->unread, "fragments, or cut inside their headers" },
	};

	if (!c->is_capture)
		return;
	buf_printf(b, "Capture: %llu packet%s, %llu of them of the gateway's connections",
		   (unsigned long long)k->packets, plural(k->packets), (unsigned long long)k->used);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].n)
			buf_printf(b, "; %llu %s", (unsigned long long)rows[i].n, rows[i].what);
	if (k->one_way)
		buf_printf(b, "; %llu connection%s of which only one direction is there",
			   (unsigned long long)k->one_way, plural(k->one_way));
	if (k->older)
		buf_printf(b, "; %llu connection%s that began before it",
			   (unsigned long long)k->older, plural(k->older));
	buf_str(b, "\n");
}

static void put_losses(struct buf *b, const struct engine_counters *c)
{
	for (unsigned int i = 0; i < W5_LOSS_MAX; i++) {
		if (c->loss[i])
			buf_printf(b, "Lost: %llu %s (%s); what helps: %s\n",
				   (unsigned long long)c->loss[i], loss_what(i), loss_name(i),
				   loss_help(i));
	}
}

static void put_pcap_stats(struct buf *b, const struct pcap_dir *pcap)
{
	struct pcap_dir_stats st;

	pcap_dir_stats(pcap, &st);
	buf_printf(b, "Saved %llu capture file%s with %llu packet%s", (unsigned long long)st.files,
		   plural(st.files), (unsigned long long)st.packets, plural(st.packets));
	if (st.alike)
		buf_printf(b, "; %llu more were like others that are saved",
			   (unsigned long long)st.alike);
	if (st.skipped)
		buf_printf(b,
			   "; %llu more were over the bounds (--pcap-max-files, "
			   "--pcap-max-bytes)",
			   (unsigned long long)st.skipped);
	if (st.failed)
		buf_printf(b, "; %llu could not be written", (unsigned long long)st.failed);
	buf_str(b, "\n");
}

static void on_close(void *self, const struct engine *e)
{
	const struct engine_counters *c = engine_counters(e);
	struct textout *t = self;

	if (c->now_ns && t->has_begun) { /* else nothing was ever watched */
		if (t->ready_waits)
			put_ready(t, e);
		put_totals(&t->out, c);
		if (t->filter)
			put_filter(&t->out, t->filter);
		put_tally(&t->out, &t->tally);
		if (t->pcap)
			put_pcap_stats(&t->out, t->pcap);
		put_capture(&t->out, c);
		put_losses(&t->out, c);
	}
	buf_flush(&t->out, t->fd);
	buf_fini(&t->out);
	pcap_dir_unref(t->pcap);
	free(t);
}

static const struct sink_ops textout_ops = {
	.name = "text",
	.finding = on_finding,
	.tick = on_tick,
	.close = on_close,
};

int textout_new(struct sink *out, int fd)
{
	struct textout *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->fd = fd;
	buf_init(&t->out, TEXTOUT_MAX);
	*out = (struct sink){ .ops = &textout_ops, .self = t };
	return 0;
}

void textout_set_filter(const struct sink *s, const struct sink_filter *flt)
{
	struct textout *t = s->self;

	t->filter = flt;
}

void textout_set_pcap(const struct sink *s, const struct sink *pcap)
{
	struct textout *t = s->self;

	t->pcap = pcap_dir_ref(pcap);
}

/* A replay is ready before its first record: the gateways come with the first finding. */
int textout_ready(const struct sink *s, const struct engine *e)
{
	struct textout *t = s->self;
	const struct engine_gateway *g;

	t->engine = e;
	t->has_begun = t->ready_waits = true;
	if (!engine_gateways(e, &g))
		return 0;
	put_ready(t, e);
	return buf_flush(&t->out, t->fd);
}
