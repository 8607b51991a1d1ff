/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Upper half of the first screen: the last minute drawn, the answer in one sentence,
 * and the WHY panel.
 */
#include "tui/main_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "tui/fmt.h"

/* Screen lines from which the next step is shown, and may take two lines. */
#define ROWS_FOR_NEXT	   20
#define ROWS_FOR_LONG_NEXT 24

static uint32_t second_bad(const struct engine_second *s)
{
	return s->s502 + s->s503 + s->s504 + s->silent;
}

void main_draw_history(struct canvas *c, int y, const struct snapshot *s)
{
	char label[64], first[16];
	int x0 = 1, used;
	uint32_t max = 0;

	for (size_t i = 0; i < s->nhistory; i++)
		max = max > second_bad(&s->history[i]) ? max : second_bad(&s->history[i]);
	for (size_t i = 0; i < MODEL_HISTORY; i++) {
		size_t skip = MODEL_HISTORY - s->nhistory;
		uint32_t bad = i < skip ? 0 : second_bad(&s->history[i - skip]);
		/* the lowest block is "none": a single 502 must stand out from it */
		uint32_t level = !bad ? 0 : max < 2 ? 7 : 1 + (bad * 6 + max / 2) / max;

		canvas_fill(c, y, x0 + (int)i, 1, bad ? STYLE_BAD : STYLE_DIM,
			    0x2581 + (level > 7 ? 7 : level));
	}
	x0 += MODEL_HISTORY + 1;
	if (c->cols >= 100)
		snprintf(label, sizeof(label), "bad/s, last 60 s, max %u", max);
	else
		snprintf(label, sizeof(label), "bad/s, max %u", max);
	used = canvas_text(c, y, x0, c->cols - x0, STYLE_DIM, label);
	if (!s->rank.n || x0 + used + 22 > c->cols)
		return;
	fmt_time_of_day(first, sizeof(first), s->rank.since_wall_ns);
	snprintf(label, sizeof(label), "first bad %s", first);
	canvas_right(c, y, x0 + used, c->cols - 1 - x0 - used, STYLE_DIM, label);
}

/* Nothing bad: say so, and for how long we looked. */
static void draw_all_well(struct canvas *c, int y, const struct model *m)
{
	const struct engine_counters *n = &m->shown.counters;
	char ago[32], count[16];

	fmt_ago(ago, sizeof(ago), n->now_ns - n->start_ns);
	text_count(count, sizeof(count), n->exchanges);
	if (!m->shown.ngateways)
		canvas_text(c, y, 1, c->cols - 2, STYLE_WARN, "No gateway found yet.");
	else if (!n->exchanges)
		canvas_printf(c, y, 1, c->cols - 2, STYLE_BOLD, "No request seen in the last %s.",
			      ago);
	else
		canvas_printf(c, y, 1, c->cols - 2, STYLE_GOOD,
			      "No bad exchange seen in the last %s (%s requests).", ago, count);
}

int main_next_height(const struct snapshot *s, const struct ui *ui)
{
	char line[256];
	const char *text = s->verdict.example ? s->verdict.example->next : "";
	int n = 0;

	if (ui->rows < ROWS_FOR_NEXT || !s->rank.n || !*text)
		return 0;
	if (s->verdict.dominance == DOMINANCE_NONE)
		return 1;
	while (n < 2 && canvas_wrap(&text, ui->cols - 7, line, sizeof(line)))
		n++;
	return ui->rows < ROWS_FOR_LONG_NEXT ? 1 : n;
}

void main_draw_verdict(struct canvas *c, const struct main_layout *lay, const struct model *m)
{
	const struct snapshot *s = &m->shown;
	char ago[32], line[256];
	const char *text;
	int x = 1;

	if (!s->rank.n) {
		draw_all_well(c, lay->verdict_y, m);
		return;
	}
	if (s->rank.widened) {
		fmt_ago(ago, sizeof(ago), s->counters.now_ns - s->rank.last_ns);
		x += canvas_printf(c, lay->verdict_y, x, c->cols - 2, STYLE_GOOD,
				   "Nothing bad for %s. Before: ", ago);
	}
	canvas_text(c, lay->verdict_y, x, c->cols - x - 1,
		    s->rank.widened			     ? STYLE_NORMAL
		    : s->verdict.dominance == DOMINANCE_NONE ? STYLE_WARN
							     : STYLE_BAD,
		    s->verdict.text);
	if (!lay->next_h)
		return;
	if (s->verdict.dominance == DOMINANCE_NONE) {
		canvas_text(c, lay->next_y, 1, c->cols - 2, STYLE_DIM,
			    "Enter shows one exchange, what happened and what to do; f lists only "
			    "its kind");
		return;
	}
	canvas_text(c, lay->next_y, 1, 5, STYLE_BOLD, "NEXT");
	text = s->verdict.example->next;
	for (int i = 0; i < lay->next_h; i++) {
		/* the last line takes all that is left: cut off, it ends in an ellipsis */
		if (i + 1 == lay->next_h)
			canvas_text(c, lay->next_y + i, 6, c->cols - 7, STYLE_NORMAL,
				    text + strspn(text, " "));
		else if (canvas_wrap(&text, c->cols - 7, line, sizeof(line)))
			canvas_text(c, lay->next_y + i, 6, c->cols - 7, STYLE_NORMAL, line);
	}
}

static const char *const trend_mark[] = {
	[TREND_STEADY] = " ",
	[TREND_UP] = "↑",
	[TREND_DOWN] = "↓",
	[TREND_OVER] = " ",
};

static void draw_group(struct canvas *c, int y, const struct group_row *g)
{
	char text[160], when[40], clock[16], count[16];
	bool is_over = g->trend == TREND_OVER;
	int x = 2, right;

	canvas_printf(c, y, x, 4, STYLE_BOLD, "%3u%%", g->share);
	x += 5;
	if (c->cols >= 100) {
		text_count(count, sizeof(count), g->count);
		canvas_right(c, y, x, 5, STYLE_NORMAL, count);
		x += 7;
	}
	fmt_time_of_day(clock, sizeof(clock), is_over ? g->last_wall_ns : g->first_wall_ns);
	snprintf(when, sizeof(when), "%s %s %s", is_over ? "last" : "since", clock,
		 trend_mark[g->trend]);
	right = c->cols - 2 - 16;
	canvas_right(c, y, right, 16, is_over ? STYLE_DIM : STYLE_NORMAL, when);
	if (c->cols >= 110) {
		right -= 29;
		canvas_text(c, y, right, 28, STYLE_INFO, cause_name(g->cause));
	}
	group_row_text(text, sizeof(text), g);
	canvas_text(c, y, x, right - x - 1, is_over ? STYLE_DIM : STYLE_NORMAL, text);
}

/* Lower edge of the panel, left: what is listed below it, and how. */
static int draw_about(struct canvas *c, int y, const struct ui *ui)
{
	char text[128];
	int x = 2;

	list_say(text, sizeof(text), &ui->lists[VIEW_MAIN], &exchanges_list);
	x += canvas_printf(c, y, x, c->cols - 4, STYLE_DIM, " %s ", text);
	if (ui->selected.n)
		x += canvas_printf(c, y, x, c->cols - 2 - x, STYLE_MARKED, " %zu selected ",
				   ui->selected.n);
	return x + 1;
}

/* Right: what is not in it, as much as there is room for from x on. */
static void draw_also(struct canvas *c, int y, int x, size_t hidden, const struct model *m)
{
	const struct engine_counters *n = &m->shown.counters;
	bool is_all = !m->shown.has_why;
	const struct {
		uint64_t n;
		const char *what;
	} also[] = { { hidden, "more" },
		     { is_all ? n->recovered : 0, "recovered by a retry" },
		     { is_all ? n->client_aborts : 0, "left by the client" },
		     { m->evicted, "older not listed" } };
	char text[160] = "", one[48], count[16];
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(also); i++) {
		int room = c->cols - 2 - x - (int)len;

		if (!also[i].n)
			continue;
		text_count(count, sizeof(count), also[i].n);
		if (snprintf(one, sizeof(one), " %s %s ", count, also[i].what) <= room)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", one);
	}
	if (len)
		canvas_right(c, y, x, c->cols - 2 - x, STYLE_DIM, text);
}

const struct group_rank *main_why(const struct snapshot *s)
{
	return s->has_why ? &s->why : &s->rank;
}

void main_draw_why(struct canvas *c, int y, int h, const struct model *m, const struct ui *ui)
{
	const struct group_rank *r = main_why(&m->shown), *all = &m->shown.rank;
	char title[96], count[16], part[32] = "";
	size_t room = (size_t)(h - 2);

	text_count(count, sizeof(count), r->total);
	if (m->shown.has_why)
		snprintf(part, sizeof(part), "%s of ", count);
	text_count(count, sizeof(count), all->total);
	snprintf(title, sizeof(title), "WHY: %s%s bad exchange%s%s, %s", part, count,
		 text_plural(all->total), *part ? " match" : "", group_window_name(r->window));
	canvas_box(c, y, 0, h, c->cols, title);
	for (size_t i = 0; i < r->n && i < room; i++)
		draw_group(c, y + 1 + (int)i, &r->rows[i]);
	y += h - 1;
	draw_also(c, y, draw_about(c, y, ui), r->n > room ? r->n - room : 0, m);
}
