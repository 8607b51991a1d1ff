/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Markdown as GitHub and GitLab read it. Characters with a meaning there are escaped in every
 * text, and what would become a link by itself is kept from it: a target is chosen by a client.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "sink/ladder.h"
#include "sink/report_doc.h"

#define PLAIN_MAX 4096
#define BAR_WIDTH 40

static bool has_meaning(const char *p)
{
	if (strchr("\\`*_[]<>|~@$#", *p))
		return true;
	/* entities; "http://" and "www." become links */
	return *p == '&' || (*p == ':' && p[1] == '/') || !strncasecmp(p, ".", 1);
}

/* A dot only matters behind "www". */
static bool is_link(const char *text, const char *p)
{
	return *p != '.' || (p - text >= 3 && !strncasecmp(p - 3, "www", 3));
}

static void put(struct buf *b, const char *text)
{
	char plain[PLAIN_MAX];

	doc_plain(plain, sizeof(plain), text);
	for (const char *p = plain; *p; p++) {
		if (has_meaning(p) && is_link(plain, p))
			buf_put(b, "\\", 1);
		buf_put(b, p, 1);
	}
}

static void md_begin(struct doc *d, const char *title)
{
	buf_str(d->out, "# ");
	put(d->out, title);
	buf_str(d->out, "\n\n");
}

static void md_end(struct doc *d)
{
	(void)d;
}

static void md_heading(struct doc *d, const char *text)
{
	buf_str(d->out, "## ");
	put(d->out, text);
	buf_str(d->out, "\n\n");
}

static void md_subheading(struct doc *d, const char *text)
{
	buf_str(d->out, "### ");
	put(d->out, text);
	buf_str(d->out, "\n\n");
}

static void md_para(struct doc *d, const char *text)
{
	put(d->out, text);
	buf_str(d->out, "\n\n");
}

static void md_lead(struct doc *d, const char *text)
{
	buf_str(d->out, "**");
	put(d->out, text);
	buf_str(d->out, "**\n\n");
}

static void md_list_begin(struct doc *d, bool is_numbered)
{
	d->is_numbered = is_numbered;
	d->items = 0;
}

static void md_item(struct doc *d, const char *lead, const char *text)
{
	d->items++;
	if (d->is_numbered)
		buf_printf(d->out, "%zu. ", d->items);
	else
		buf_str(d->out, "- ");
	if (lead) {
		buf_str(d->out, "**");
		put(d->out, lead);
		buf_str(d->out, "** ");
	}
	put(d->out, text);
	buf_str(d->out, "\n");
}

static void md_list_end(struct doc *d)
{
	buf_str(d->out, "\n");
}

static void md_table_begin(struct doc *d)
{
	for (size_t i = 0; i < d->ncolumns; i++) {
		buf_str(d->out, "| ");
		put(d->out, d->columns[i].title);
		buf_str(d->out, " ");
	}
	buf_str(d->out, "|\n");
	for (size_t i = 0; i < d->ncolumns; i++)
		buf_str(d->out, d->columns[i].is_number ? "|---:" : "|---");
	buf_str(d->out, "|\n");
}

static void md_cell(struct doc *d, const char *text)
{
	buf_str(d->out, "| ");
	put(d->out, text);
	buf_str(d->out, " ");
	if (++d->at < d->ncolumns)
		return;
	buf_str(d->out, "|\n");
	d->at = 0;
}

static void md_table_end(struct doc *d)
{
	buf_str(d->out, "\n");
}

/* ---- charts, as text ---- */

/* One letter per cause, as many as its part of the bar. */
static void put_bar(struct buf *b, const struct doc_series *s, const struct timeline *t, size_t i)
{
	char bar[BAR_WIDTH + 1];
	size_t n = 0, want;
	uint64_t sum = 0;

	for (size_t k = 0; k <= s->n; k++) {
		sum += k < s->n ? t->count[i][s->cause[k]] : doc_series_rest(s, t, i);
		want = s->highest ? (size_t)((sum * BAR_WIDTH + s->highest - 1) / s->highest) : 0;
		while (n < want && n < BAR_WIDTH)
			bar[n++] = k < s->n ? (char)('A' + k) : '?';
	}
	bar[n] = '\0';
	buf_printf(b, "%6llu %s\n", (unsigned long long)sum, bar);
}

static void md_timeline(struct doc *d, const struct timeline *t)
{
	struct doc_series s;

	doc_series_of(&s, t);
	buf_str(d->out, "```\n");
	for (size_t k = 0; k < s.n; k++)
		buf_printf(d->out, "%c = %s (%llu)\n", (char)('A' + k), cause_name(s.cause[k]),
			   (unsigned long long)s.total[k]);
	if (s.rest)
		buf_printf(d->out, "? = other causes (%llu)\n", (unsigned long long)s.rest);
	buf_str(d->out, "\n");
	for (size_t i = 0; i < t->n; i++) {
		char time[TEXT_TIME_MAX];

		text_time_utc(time, sizeof(time), t->start_ns + i * t->step_ns);
		buf_printf(d->out, "%.8s ", time + 11);
		put_bar(d->out, &s, t, i);
	}
	buf_str(d->out, "```\n\n");
}

static void put_row(struct buf *b, const struct ladder_row *r)
{
	static const char *const lanes[] = {
		[LADDER_CLIENT] = "client ", [LADDER_BACKEND] = "gateway", [LADDER_GATEWAY] = "gateway"
	};
	const char *arrow = r->to_right ? "--->" : "<---";
	char label[LADDER_LABEL_MAX], note[LADDER_LABEL_MAX];

	doc_plain(label, sizeof(label), r->label);
	doc_plain(note, sizeof(note), r->note);
	if (r->kind == LADDER_ATTEMPT) {
		buf_printf(b, "               -- attempt %zu: %s\n", r->attempt + 1, label);
		return;
	}
	if (r->kind == LADDER_GAP) {
		buf_printf(b, "               .. %s of silence\n", label);
		return;
	}
	buf_printf(b, "%c%+10.3f ms  ", r->is_decisive ? '>' : ' ', (double)r->rel_ns / 1e6);
	if (r->lane == LADDER_GATEWAY)
		buf_printf(b, "%s              %s", lanes[r->lane], label);
	else
		buf_printf(b, "%s %s %s  %s", lanes[r->lane], arrow,
			   r->lane == LADDER_CLIENT ? "gateway" : "backend", label);
	buf_printf(b, "%s%s\n", note[0] ? "  <- " : "", note);
}

static void md_ladder(struct doc *d, const struct finding *f)
{
	struct ladder *l = malloc(sizeof(*l));

	if (!l)
		return;
	ladder_build(l, f, false);
	buf_str(d->out, "```\n");
	for (size_t i = 0; i < l->n; i++)
		put_row(d->out, &l->rows[i]);
	if (l->cut)
		buf_printf(d->out, "               .. %zu more rows\n", l->cut);
	buf_str(d->out, "```\n\n");
	free(l);
}

const struct doc_ops doc_markdown = {
	.suffix = ".md",
	.begin = md_begin,
	.end = md_end,
	.heading = md_heading,
	.subheading = md_subheading,
	.para = md_para,
	.lead = md_lead,
	.list_begin = md_list_begin,
	.item = md_item,
	.list_end = md_list_end,
	.table_begin = md_table_begin,
	.cell = md_cell,
	.table_end = md_table_end,
	.timeline = md_timeline,
	.ladder = md_ladder,
};
