/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One exchange from both sides: arrows between client, gateway and backend, and below
 * them what it means and what to do. The sequence comes from ladder.c.
 */
#include "tui/ui.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "tui/fmt.h"
#include "tui/ladder_draw.h"

#define FIRST_ROW 3 /* title, exchange, lane heads */
#define BELOW_MAX 24

struct below {
	struct {
		char text[200];
		enum style style, head_style;
		char head[8];
	} line[BELOW_MAX];
	size_t n;
};

static void below_add(struct below *b, const char *head, enum style head_style, enum style st,
		      const char *text, int w)
{
	char line[200];
	const char *s = text;
	bool is_first = true;

	while (b->n < BELOW_MAX && canvas_wrap(&s, w, line, sizeof(line))) {
		snprintf(b->line[b->n].text, sizeof(b->line[0].text), "%s", line);
		snprintf(b->line[b->n].head, sizeof(b->line[0].head), "%s", is_first ? head : "");
		b->line[b->n].style = st;
		b->line[b->n++].head_style = head_style;
		is_first = false;
	}
}

/* WHY, the evidence, NEXT: at most half of the screen, evidence gives way first. */
static void make_below(struct below *b, const struct finding *f, const struct ui *ui)
{
	char why[512];
	int w = ui->cols - 8 > 180 ? 180 : ui->cols - 8;
	size_t max = (size_t)(ui->rows / 2 - 1), next_lines;
	struct below next = { .n = 0 };

	b->n = 0;
	below_add(&next, "NEXT", STYLE_GOOD, STYLE_NORMAL, f->next, w);
	next_lines = next.n;
	snprintf(why, sizeof(why), "%s (%s): %s", cause_name(f->cause),
		 confidence_name(f->confidence), f->why[0] ? f->why : cause_brief(f->cause));
	below_add(b, "WHY", STYLE_BAD, STYLE_BOLD, why, w);
	for (size_t i = 0; i < f->nevidence && i < FINDING_EVIDENCE_MAX; i++) {
		size_t before = b->n;

		below_add(b, "    ·", STYLE_DIM, STYLE_NORMAL, f->evidence[i], w);
		if (b->n + next_lines > max) {
			b->n = before;
			break;
		}
	}
	if (f->linked_id) {
		snprintf(why, sizeof(why), "press l for #%llu, the failure behind this one",
			 (unsigned long long)f->linked_id);
		below_add(b, "    ·", STYLE_DIM, STYLE_INFO, why, w);
	}
	if (f->lost)
		below_add(b, "LOST", STYLE_BAD, STYLE_WARN,
			  "records were lost while this happened: something may be missing here",
			  w);
	for (size_t i = 0; i < next.n && b->n < BELOW_MAX; i++)
		b->line[b->n++] = next.line[i];
}

struct page {
	struct ladder ladder;
	struct ladder_line lines[LADDER_ROWS_MAX * 2];
	size_t nlines;
	struct lanes lanes;
	struct below below;
	size_t height; /* lines of the ladder that fit */
};

static struct page *make_page(const struct ui *ui)
{
	struct page *p = malloc(sizeof(*p));
	int used;

	if (!p)
		return NULL;
	lanes_lay(&p->lanes, ui->cols, ui->ladder.f->nattempts);
	ladder_build(&p->ladder, ui->ladder.f, ui->ladder.all);
	p->nlines = lanes_lines(p->lines, ARRAY_SIZE(p->lines), &p->ladder, &p->lanes);
	make_below(&p->below, ui->ladder.f, ui);
	used = FIRST_ROW + (int)p->below.n + 1;
	p->height = ui->rows > used ? (size_t)(ui->rows - used) : 1;
	return p;
}

static void draw_exchange(struct canvas *c, const struct model *m, const struct ui *ui)
{
	const struct finding *f = ui->ladder.f;
	char when[TEXT_TIME_MAX], request[600], status[16], ms[16], place[64];
	size_t row = snapshot_row_of(&m->shown, f->id);
	bool witness = f->sight != SIGHT_WIRE; /* plain packets are the rule */
	int w, x = 1;

	text_time_of_day(when, sizeof(when), f->wall_ns);
	fmt_request(request, sizeof(request), f);
	fmt_status(status, sizeof(status), f);
	fmt_ms(ms, sizeof(ms), f->duration_ns);
	if (row < m->shown.nrows && m->shown.rows[row]->id == f->id)
		snprintf(place, sizeof(place), "#%llu  %zu of %zu", (unsigned long long)f->id,
			 row + 1, m->shown.nrows);
	else
		snprintf(place, sizeof(place), "#%llu  not listed", (unsigned long long)f->id);
	canvas_fill(c, 1, 0, c->cols, STYLE_HEAD, ' ');
	w = canvas_width(place);
	canvas_right(c, 1, c->cols - 1 - w, w, STYLE_HEAD, place);
	x += canvas_printf(c, 1, x, c->cols - w - 3, STYLE_HEAD, "%s  %s %s  %s ms  %s%s", when,
			   status, verdict_name(f->verdict), ms,
			   witness ? sight_name(f->sight) : "", witness ? "  " : "");
	canvas_text(c, 1, x, c->cols - w - 3 - x, STYLE_HEAD, request);
}

static void draw_more(struct canvas *c, int y, const char *arrow, size_t n)
{
	canvas_fill(c, y, 0, LANES_TIME_W + 1, STYLE_NORMAL, ' ');
	canvas_printf(c, y, 1, LANES_TIME_W, STYLE_WARN, "%s %zu more", arrow, n);
}

static void draw(struct canvas *c, const struct model *m, const struct ui *ui)
{
	w5_auto(freep) struct page *p = ui->ladder.f ? make_page(ui) : NULL;
	int y;

	if (!p)
		return;
	draw_exchange(c, m, ui);
	lanes_draw_heads(c, 2, &p->lanes, ui->ladder.f);
	for (size_t i = 0; i < p->height; i++)
		lanes_draw_lines(c, FIRST_ROW + (int)i, &p->lanes);
	for (size_t i = 0; i < p->height && ui->ladder.top + i < p->nlines; i++) {
		const struct ladder_line *ln = &p->lines[ui->ladder.top + i];
		const struct ladder_row *r = &p->ladder.rows[ln->row];

		if (ln->is_note)
			lanes_draw_note(c, FIRST_ROW + (int)i, &p->lanes, r);
		else
			lanes_draw_row(c, FIRST_ROW + (int)i, &p->lanes, r);
	}
	if (!p->nlines)
		canvas_text(c, FIRST_ROW, 3, c->cols - 6, STYLE_DIM, "Nothing was kept of it.");
	if (ui->ladder.top + p->height < p->nlines)
		draw_more(c, FIRST_ROW + (int)p->height - 1, "↓",
			  p->nlines - ui->ladder.top - p->height);
	if (ui->ladder.top && p->height > 2 && ui->ladder.top < p->nlines &&
	    !p->ladder.rows[p->lines[ui->ladder.top].row].is_decisive)
		draw_more(c, FIRST_ROW, "↑", ui->ladder.top);
	y = c->rows - 1 - (int)p->below.n;
	for (size_t i = 0; i < p->below.n; i++, y++) {
		canvas_text(c, y, 1, 6, p->below.line[i].head_style, p->below.line[i].head);
		canvas_text(c, y, 7, c->cols - 7, p->below.line[i].style, p->below.line[i].text);
	}
}

static void move(struct ui *ui, const struct model *m, bool forward)
{
	const struct snapshot *s = &m->shown;
	size_t row = snapshot_row_of(s, ui->ladder.f->id);
	bool is_listed = row < s->nrows && s->rows[row]->id == ui->ladder.f->id;

	if (forward)
		row += is_listed;
	else if (row-- == 0)
		return;
	if (row < s->nrows)
		ui_open_ladder(ui, m, s->rows[row]);
	else
		ui_say(ui, STYLE_WARN, "This is the newest one");
}

/* no-live-upstream is the echo of another failure: go there. */
static void open_linked(struct ui *ui, const struct model *m)
{
	uint64_t id = ui->ladder.f->linked_id;
	struct finding *f = id ? model_find(m, id) : NULL;

	if (f)
		ui_open_ladder(ui, m, f);
	else if (id)
		ui_say(ui, STYLE_WARN, "Exchange #%llu is no longer kept", (unsigned long long)id);
	else
		ui_say(ui, STYLE_WARN, "No earlier failure is known to have caused this one");
}

/* Opened anew: the decisive row is what the reader came for. */
static void settle(struct ui *ui, const struct model *m)
{
	w5_auto(freep) struct page *p = ui->ladder.f ? make_page(ui) : NULL;
	size_t last;

	if (!p)
		return;
	last = p->nlines > p->height ? p->nlines - p->height : 0;
	for (size_t i = 0; ui->ladder.is_fresh && i < p->nlines; i++) {
		if (p->ladder.rows[p->lines[i].row].is_decisive && i + 1 >= p->height)
			ui->ladder.top = i + 2 - p->height + (p->height < 3 ? 0 : 1);
	}
	ui->ladder.is_fresh = false;
	ui->ladder.top = min_size(ui->ladder.top, last);
}

static int act(struct ui *ui, const struct model *m, enum action a)
{
	w5_auto(freep) struct page *p = NULL;
	size_t row = ui->ladder.top;

	if (a == ACTION_NEXT || a == ACTION_PREV) {
		move(ui, m, a == ACTION_NEXT);
		return UI_REDRAW;
	}
	if (a == ACTION_PACKETS || a == ACTION_OPEN) {
		ui_open_packets(ui);
		return UI_REDRAW;
	}
	if (a == ACTION_LINKED) {
		open_linked(ui, m);
		return UI_REDRAW;
	}
	if (a == ACTION_ALL) {
		ui->ladder.all = !ui->ladder.all;
		return UI_REDRAW;
	}
	p = make_page(ui);
	if (!p ||
	    !ui_move(&row, p->nlines > p->height ? p->nlines - p->height + 1 : 1, p->height, a))
		return -1;
	ui->ladder.top = row;
	return UI_REDRAW;
}

static const enum action footer[] = { ACTION_HELP, ACTION_BACK,	   ACTION_PREV,
				      ACTION_NEXT, ACTION_PACKETS, ACTION_SAVE,
				      ACTION_SAME, ACTION_ALL,	   ACTION_NONE };
static const struct key_action keys[] = { { 'p', ACTION_PREV }, { 0, ACTION_NONE } };

const struct view_ops view_ladder = {
	.title = "ladder",
	.draw = draw,
	.act = act,
	.sync = settle,
	.footer = footer,
	.keys = keys,
};
