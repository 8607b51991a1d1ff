/* SPDX-License-Identifier: BSD-2-Clause */
/* Charts of the HTML report: the timeline as stacked columns, an exchange as a ladder. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "sink/ladder.h"
#include "sink/report_doc.h"

/* ---- timeline ---- */

#define CHART_W	   1000
#define CHART_H	   180 /* of the columns */
#define CHART_X	   56  /* room for the numbers of the axis */
#define CHART_Y	   14
#define LEGEND_H   20
#define TICK_W	   90 /* from one time to the next, at least */
#define COLUMN_MAX 40 /* a short incident has no broad columns */

static void clock_of(char out[16], uint64_t wall_ns)
{
	char time[TEXT_TIME_MAX];

	text_time_utc(time, sizeof(time), wall_ns);
	snprintf(out, 16, "%.8s", time + 11);
}

static double height_of(const struct doc_series *s, uint64_t n)
{
	return s->highest ? (double)n * CHART_H / (double)s->highest : 0;
}

static void column(struct buf *b, const struct timeline *t, const struct doc_series *s, size_t i,
		   double width)
{
	double x = CHART_X + width * (double)i, y = CHART_Y + CHART_H;
	char time[16];

	clock_of(time, t->start_ns + i * t->step_ns);
	for (size_t k = 0; k <= s->n; k++) {
		uint32_t n = k < s->n ? t->count[i][s->cause[k]] : doc_series_rest(s, t, i);
		double h = height_of(s, n);

		if (!n)
			continue;
		y -= h;
		buf_printf(b,
			   "<rect class=\"s%zu\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
			   "height=\"%.1f\"><title>%s %s: %u</title></rect>\n",
			   k < s->n ? k : DOC_SERIES_MAX, x + 0.5, y, width > 2 ? width - 1 : width,
			   h, time, k < s->n ? cause_name(s->cause[k]) : "other causes", n);
	}
}

static void axes(struct buf *b, const struct timeline *t, const struct doc_series *s, double width)
{
	size_t every = (size_t)(TICK_W / width) + 1;
	int base = CHART_Y + CHART_H;
	char time[16];

	buf_printf(b,
		   "<line class=\"axis\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n"
		   "<text class=\"dim\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%llu</text>\n"
		   "<text class=\"dim\" x=\"%d\" y=\"%d\" text-anchor=\"end\">0</text>\n",
		   CHART_X, base, CHART_W, base, CHART_X - 6, CHART_Y + 9,
		   (unsigned long long)s->highest, CHART_X - 6, base);
	for (size_t i = 0; i < t->n; i += every) {
		double x = CHART_X + width * (double)i;

		clock_of(time, t->start_ns + i * t->step_ns);
		buf_printf(b,
			   "<line class=\"axis\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n"
			   "<text class=\"dim\" x=\"%.1f\" y=\"%d\">%s</text>\n",
			   x, base, x, base + 5, x, base + 18, time);
	}
}

static void legend(struct buf *b, const struct doc_series *s)
{
	int y = CHART_Y + CHART_H + 34;

	for (size_t k = 0; k <= s->n; k++) {
		uint64_t n = k < s->n ? s->total[k] : s->rest;

		if (!n)
			continue;
		buf_printf(b,
			   "<rect class=\"s%zu\" x=\"%d\" y=\"%d\" width=\"11\" height=\"11\"/>"
			   "<text x=\"%d\" y=\"%d\">%s (%llu)</text>\n",
			   k < s->n ? k : DOC_SERIES_MAX, CHART_X, y, CHART_X + 18, y + 10,
			   k < s->n ? cause_name(s->cause[k]) : "other causes",
			   (unsigned long long)n);
		y += LEGEND_H;
	}
}

void svg_timeline(struct buf *out, const struct timeline *t)
{
	struct doc_series s;
	double width;
	int rows;

	if (!t->n)
		return;
	doc_series_of(&s, t);
	rows = (int)s.n + (s.rest != 0);
	width = (double)(CHART_W - CHART_X) / (double)t->n;
	if (width > COLUMN_MAX)
		width = COLUMN_MAX;
	buf_printf(out,
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
		   "aria-label=\"bad exchanges over time, by cause\">\n",
		   CHART_W, CHART_Y + CHART_H + 34 + rows * LEGEND_H);
	axes(out, t, &s, width);
	for (size_t i = 0; i < t->n; i++)
		column(out, t, &s, i, width);
	legend(out, &s);
	buf_str(out, "</svg>\n");
}

/* ---- ladder ---- */

#define LADDER_W    1000
#define LADDER_ROW  26
#define LADDER_TOP  46
#define X_TIME	    100
#define X_CLIENT    150
#define X_GATEWAY   500
#define X_BACKEND   850
#define LABEL_CHARS 44 /* that fit between two lanes */

/* Cut where it would run over its lane. */
static void put_label(struct buf *b, const char *class, int x, int y, const char *anchor,
		      const char *text, size_t max)
{
	char cut[2 * LADDER_LABEL_MAX];
	bool is_cut;

	doc_plain(cut, sizeof(cut), text);
	is_cut = strlen(cut) > max;
	if (is_cut)
		cut[max] = '\0';
	buf_printf(b, "<text class=\"%s\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">", class, x, y,
		   anchor);
	html_text(b, cut);
	buf_str(b, is_cut ? "...</text>\n" : "</text>\n");
}

static void arrow(struct buf *b, const struct ladder_row *r, int y)
{
	bool client = r->lane == LADDER_CLIENT;
	int left = client ? X_CLIENT : X_GATEWAY, right = client ? X_GATEWAY : X_BACKEND;
	int tip = r->to_right ? right : left, back = r->to_right ? tip - 8 : tip + 8;
	const char *class = r->is_decisive ? " bad" : "";

	buf_printf(b,
		   "<line class=\"arrow%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>"
		   "<path class=\"tip%s\" d=\"M%d %d L%d %d L%d %d Z\"/>\n",
		   class, left, y, right, y, class, tip, y, back, y - 4, back, y + 4);
	put_label(b,
		  r->is_decisive ? "bad"
		  : r->is_other	 ? "dim"
				 : "",
		  (left + right) / 2, y - 5, "middle", r->label, LABEL_CHARS);
	if (r->note[0])
		put_label(b, r->is_decisive ? "bad" : "dim", (left + right) / 2, y + 13, "middle",
			  r->note, LABEL_CHARS);
}

/* Returns the height it took. */
static int put_row(struct buf *b, const struct ladder_row *r, int y)
{
	char time[32];

	switch (r->kind) {
	case LADDER_ATTEMPT:
		snprintf(time, sizeof(time), "attempt %zu", r->attempt + 1);
		put_label(b, "head", X_GATEWAY + 8, y, "start", time, LABEL_CHARS);
		put_label(b, "dim", X_GATEWAY + 88, y, "start", r->label, LABEL_CHARS + 10);
		return LADDER_ROW;
	case LADDER_GAP:
		buf_printf(b, "<line class=\"gap\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n",
			   X_CLIENT, y - 4, X_BACKEND, y - 4);
		put_label(b, "dim", X_TIME, y, "end", r->label, LABEL_CHARS);
		return LADDER_ROW;
	default: break;
	}
	snprintf(time, sizeof(time), "%+.3f ms", (double)r->rel_ns / 1e6);
	put_label(b, r->is_decisive ? "bad" : "dim", X_TIME, y + 4, "end", time, 20);
	if (r->lane == LADDER_GATEWAY) {
		put_label(b, r->is_decisive ? "bad" : "", X_GATEWAY + 8, y + 4, "start", r->label,
			  LABEL_CHARS + 10);
		return LADDER_ROW;
	}
	arrow(b, r, y);
	return r->note[0] ? LADDER_ROW + 12 : LADDER_ROW;
}

static int height_rows(const struct ladder *l)
{
	int h = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct ladder_row *r = &l->rows[i];
		bool is_arrow = (r->kind == LADDER_PACKET || r->kind == LADDER_MOMENT) &&
				r->lane != LADDER_GATEWAY;

		h += LADDER_ROW + (is_arrow && r->note[0] ? 12 : 0);
	}
	return h;
}

static void lane(struct buf *b, int x, int bottom, const char *name, const char *who)
{
	put_label(b, "head", x, 16, "middle", name, LABEL_CHARS);
	put_label(b, "dim", x, 31, "middle", who, LABEL_CHARS);
	buf_printf(b, "<line class=\"lane\" x1=\"%d\" y1=\"38\" x2=\"%d\" y2=\"%d\"/>\n", x, x,
		   bottom);
}

static void lanes(struct buf *b, const struct finding *f, int bottom)
{
	const struct attempt *a = finding_last_attempt(f);
	char client[TEXT_ENDPOINT_MAX] = "", backend[TEXT_ENDPOINT_MAX] = "", gateway[64] = "";

	if (finding_has_client(f))
		text_addr(client, sizeof(client), &f->down.remote);
	if (a)
		text_upstream(backend, sizeof(backend), &a->leg);
	if (f->gateway_name[0])
		snprintf(gateway, sizeof(gateway), "%s[%u]", f->gateway_name, f->down.tgid);
	lane(b, X_CLIENT, bottom, "client", client);
	lane(b, X_GATEWAY, bottom, "gateway", gateway);
	lane(b, X_BACKEND, bottom, "backend", backend);
}

void svg_ladder(struct buf *out, const struct finding *f)
{
	w5_auto(freep) struct ladder *l = malloc(sizeof(*l));
	int y = LADDER_TOP + 22, height;

	if (!l)
		return;
	ladder_build(l, f, false);
	height = LADDER_TOP + 22 + height_rows(l);
	buf_printf(out,
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
		   "aria-label=\"exchange %llu, packet by packet\">\n",
		   LADDER_W, height, (unsigned long long)f->id);
	lanes(out, f, height - 10);
	for (size_t i = 0; i < l->n; i++)
		y += put_row(out, &l->rows[i], y);
	buf_str(out, "</svg>\n");
}
