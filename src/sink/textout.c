/* SPDX-License-Identifier: BSD-2-Clause */
/* See textout.h. */
#include "sink/textout.h"

#include "base/text.h"
#include "base/util.h"
#include "sink/names.h"
#include "sink/textout_parts.h"

#define TEXTOUT_TALLY 20 /* lines of the summary */

static void put_gateway(struct buf *b, const struct engine_gateway *g, bool is_capture)
{
	buf_str(b, is_capture ? "Reading " : "Watching ");
	textout_wire(b, g->name);
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
		textout_wire(b, g->cgroup);
	}
	buf_str(b, "\n");
}

static void on_ready(struct printout *p, const struct engine *e)
{
	const struct engine_gateway *g;
	size_t n = engine_gateways(e, &g), shown = 0;

	for (size_t i = 0; i < n; i++) {
		if (g[i].unwanted || !(g[i].nprocs || g[i].exchanges))
			continue;
		put_gateway(&p->out, &g[i], engine_counters(e)->is_capture);
		shown++;
	}
	if (!shown && n)
		buf_str(&p->out, "No gateway found yet that --pid, --comm and --cgroup allow.\n");
	else if (!shown)
		buf_str(&p->out, "No gateway found yet: one shows up with its first request that "
				 "it sends on to a backend.\n");
	buf_str(&p->out, "\n");
}

static void on_warning(struct printout *p, const struct engine *e, const struct engine_upstream *u)
{
	char text[WARNING_TEXT_MAX];

	warning_text(text, u);
	buf_printf(&p->out, "WARNING  %s\n", text);
	warning_next_step(text, u);
	buf_printf(&p->out, "  NEXT %s\n\n", text);
}

/* ---- summary ---- */

static void put_totals(struct buf *b, const struct engine_counters *c)
{
	buf_str(b, "Watched ");
	textout_duration(b, c->now_ns - c->start_ns);
	buf_printf(b, ": %llu exchange%s, %llu bad (502: %llu, 503: %llu, 504: %llu, silent: %llu)",
		   (unsigned long long)c->exchanges, text_plural(c->exchanges),
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
	textout_wire(b, flt->expr);
	buf_printf(b, ": %llu finding%s matched, %llu left out; the line above counts all\n",
		   (unsigned long long)flt->matched, text_plural(flt->matched),
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
			textout_endpoint(b, &r->ip, r->port);
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
		   (unsigned long long)k->packets, text_plural(k->packets),
		   (unsigned long long)k->used);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].n)
			buf_printf(b, "; %llu %s", (unsigned long long)rows[i].n, rows[i].what);
	if (k->one_way)
		buf_printf(b, "; %llu connection%s of which only one direction is there",
			   (unsigned long long)k->one_way, text_plural(k->one_way));
	if (k->older)
		buf_printf(b, "; %llu connection%s that began before it",
			   (unsigned long long)k->older, text_plural(k->older));
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
		   text_plural(st.files), (unsigned long long)st.packets, text_plural(st.packets));
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

static void on_summary(struct printout *p, const struct engine *e)
{
	const struct engine_counters *c = engine_counters(e);
	struct buf *b = &p->out;

	put_totals(b, c);
	if (p->filter)
		put_filter(b, p->filter);
	put_tally(b, &p->tally);
	if (p->pcap)
		put_pcap_stats(b, p->pcap);
	put_capture(b, c);
	put_losses(b, c);
}

static bool knows_gateways(const struct engine *e)
{
	const struct engine_gateway *g;

	return engine_gateways(e, &g);
}

static const struct printout_ops textout_ops = {
	.sink = { .name = "text",
		  .finding = printout_finding,
		  .tick = printout_tick,
		  .close = printout_close },
	.is_ready = knows_gateways,
	.ready = on_ready,
	.finding = textout_finding,
	.warning = on_warning,
	.summary = on_summary,
};

int textout_new(struct sink *out, int fd)
{
	return printout_new(out, &textout_ops, fd);
}
