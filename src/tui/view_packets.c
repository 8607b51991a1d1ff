/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kept packets of the exchange in the ladder: a list in order of time, and the one under
 * the cursor decoded, with its bytes. Enter shows that one alone.
 */
#include "tui/ui.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "sink/ladder.h"
#include "sink/packet_text.h"
#include "sink/pktfilter.h"
#include "tui/fmt.h"

#define FIRST_ROW  3 /* title, exchange, headings */
#define HEAD_LINES 4 /* of a decoded packet */
#define HEX_MAX	   8 /* lines below the list */
#define LIST_MIN   3
#define ACK_FROM   76 /* columns */

struct row {
	const struct ladder_row *l;
	struct packet p;
	struct packet_base base;
};

struct page {
	struct ladder ladder;
	size_t n, hidden; /* hidden: by the packet filter */
	struct row rows[LADDER_ROWS_MAX];
	size_t list_h, hex_h;
};

/* Sequence numbers are told from the first one seen of that side; a SYN is number 0. */
struct side_base {
	bool has;
	uint32_t seq;
};

static size_t conn_of(const struct ladder_row *r)
{
	return r->lane == LADDER_CLIENT ? 0 : r->attempt + 1;
}

static void find_bases(struct page *p)
{
	static const struct side_base none;
	size_t max = 1;
	struct side_base(*base)[2];

	for (size_t i = 0; i < p->n; i++)
		max = max_size(max, conn_of(p->rows[i].l) + 1);
	base = calloc(max, sizeof(*base));
	for (size_t i = 0; i < p->n && base; i++) {
		struct row *r = &p->rows[i];
		struct side_base *own = &base[conn_of(r->l)][!!r->l->packet->out];
		struct side_base *peer = &base[conn_of(r->l)][!r->l->packet->out];

		/* an RST without ACK carries the number its cause had, or 0 */
		if (!own->has && !(r->p.tcp_flags & W5_TCP_RST))
			*own = (struct side_base){ .has = true, .seq = r->p.seq };
		if (!peer->has && r->p.tcp_flags & W5_TCP_ACK && !(r->p.tcp_flags & W5_TCP_RST))
			*peer = (struct side_base){ .has = true, .seq = r->p.ack };
	}
	for (size_t i = 0; i < p->n; i++) {
		struct row *r = &p->rows[i];
		size_t conn = conn_of(r->l);
		const struct side_base *own = base ? &base[conn][!!r->l->packet->out] : &none;
		const struct side_base *peer = base ? &base[conn][!r->l->packet->out] : &none;

		r->base = (struct packet_base){ .has_own = own->has,
						.own = own->seq,
						.has_peer = peer->has,
						.peer = peer->seq };
	}
	free(base);
}

static void lay_out(struct page *p, const struct ui *ui)
{
	int room = ui->rows - FIRST_ROW - 1 - LIST_MIN - HEAD_LINES - 1;

	p->hex_h = room < 0 ? 0 : min_size((size_t)room, HEX_MAX);
	room = ui->rows - FIRST_ROW - 1 - HEAD_LINES - 1 - (int)p->hex_h;
	p->list_h = room < 1 ? 1 : (size_t)room;
}

static struct page *make_page(const struct ui *ui)
{
	struct page *p = ui->ladder.f ? calloc(1, sizeof(*p)) : NULL;
	size_t shown = 0;

	if (!p)
		return NULL;
	ladder_build(&p->ladder, ui->ladder.f, true);
	for (size_t i = 0; i < p->ladder.n; i++) {
		const struct ladder_row *l = &p->ladder.rows[i];
		struct row *r = &p->rows[p->n];

		if (!l->packet || packet_parse(&r->p, l->packet->data, packet_kept(l->packet),
					       max_size(l->packet->len, packet_kept(l->packet))))
			continue;
		r->l = l;
		p->n++;
	}
	find_bases(p);
	for (size_t i = 0; i < p->n; i++)
		if (pktfilter_match(ui->packets.filter, p->rows[i].l->packet))
			p->rows[shown++] = p->rows[i];
	p->hidden = p->n - shown;
	p->n = shown;
	lay_out(p, ui);
	return p;
}

/* "gw > try 1", "try 1 > gw", "client > gw" */
static void way_text(char *out, size_t cap, const struct row *r, const struct finding *f)
{
	char peer[16] = "client";

	if (r->l->lane != LADDER_CLIENT && f->nattempts > 1)
		snprintf(peer, sizeof(peer), "try %zu", r->l->attempt + 1);
	else if (r->l->lane != LADDER_CLIENT)
		snprintf(peer, sizeof(peer), "backend");
	if (r->l->packet->out)
		snprintf(out, cap, "gw > %s", peer);
	else
		snprintf(out, cap, "%s > gw", peer);
}

static void number_text(char *out, size_t cap, bool has_base, uint32_t v, uint32_t base)
{
	snprintf(out, cap, "%u", has_base ? v - base : v);
}

/* Places of the last columns: ACK gives way on a narrow screen. */
static int len_x(const struct canvas *c)
{
	return c->cols >= ACK_FROM ? 56 : 45;
}

static void draw_row(struct canvas *c, int y, const struct row *r, const struct finding *f)
{
	enum style st = r->l->is_decisive     ? STYLE_BAD
			: r->l->is_other      ? STYLE_DIM
			: r->l->is_retransmit ? STYLE_WARN
					      : STYLE_NORMAL;
	int x = len_x(c);
	char text[64];

	fmt_relative(text, sizeof(text), r->l->rel_ns);
	canvas_right(c, y, 1, 11, st, text);
	way_text(text, sizeof(text), r, f);
	canvas_text(c, y, 13, 12, st, text);
	packet_flags_text(text, sizeof(text), r->p.tcp_flags);
	canvas_text(c, y, 26, 8, st, text);
	number_text(text, sizeof(text), r->base.has_own, r->p.seq, r->base.own);
	canvas_right(c, y, 34, 10, st, text);
	if (c->cols >= ACK_FROM && r->p.tcp_flags & W5_TCP_ACK) {
		number_text(text, sizeof(text), r->base.has_peer, r->p.ack, r->base.peer);
		canvas_right(c, y, 45, 10, st, text);
	}
	snprintf(text, sizeof(text), "%zu", r->p.payload_len);
	canvas_right(c, y, x, 5, st, text);
	canvas_printf(c, y, x + 6, c->cols - x - 8, st, "%s%s%s", r->l->label,
		      r->l->note[0] ? ", " : "", r->l->note);
	if (r->l->is_decisive)
		canvas_text(c, y, c->cols - 2, 1, STYLE_BAD, "◄");
}

static void draw_heads(struct canvas *c, int y)
{
	int x = len_x(c);

	canvas_fill(c, y, 0, c->cols, STYLE_HEAD, ' ');
	canvas_right(c, y, 1, 11, STYLE_HEAD, "TIME");
	canvas_text(c, y, 13, 12, STYLE_HEAD, "WAY");
	canvas_text(c, y, 26, 8, STYLE_HEAD, "FLAGS");
	canvas_right(c, y, 34, 10, STYLE_HEAD, "SEQ");
	if (c->cols >= ACK_FROM)
		canvas_right(c, y, 45, 10, STYLE_HEAD, "ACK");
	canvas_right(c, y, x, 5, STYLE_HEAD, "LEN");
	canvas_text(c, y, x + 6, c->cols - x - 7, STYLE_HEAD, "WHAT");
}

static void draw_exchange(struct canvas *c, const struct page *p, const struct ui *ui)
{
	const struct finding *f = ui->ladder.f;
	char request[600], status[16], place[96];
	int w;

	fmt_request(request, sizeof(request), f);
	fmt_status(status, sizeof(status), f);
	snprintf(place, sizeof(place), p->n ? "packet %zu of %zu" : "no packets",
		 ui->packets.row + 1, p->n);
	if (p->hidden)
		snprintf(place + strlen(place), sizeof(place) - strlen(place), ", %zu hidden",
			 p->hidden);
	w = canvas_width(place);
	canvas_printf(c, 1, 1, c->cols - w - 4, STYLE_BOLD, "Packets of #%llu  %s  %s",
		      (unsigned long long)f->id, status, request);
	canvas_right(c, 1, c->cols - 1 - w, w, STYLE_DIM, place);
}

/* Below a list each part has one line; alone it may have more. */
static int draw_part(struct canvas *c, int y, bool may_wrap, enum style st, const char *text)
{
	char line[256];

	if (!may_wrap) {
		canvas_text(c, y, 1, c->cols - 2, st, text);
		return y + 1;
	}
	while (y < c->rows - 1 && canvas_wrap(&text, c->cols - 2, line, sizeof(line)))
		canvas_text(c, y++, 1, c->cols - 2, st, line);
	return y;
}

static const char *remark(const struct row *r)
{
	if (r->l->note[0])
		return r->l->note;
	return r->l->is_other ? "of another request on this connection" : " ";
}

/* From line y to the footer. */
static void draw_packet(struct canvas *c, int y, const struct row *r, bool is_alone, size_t skip)
{
	char text[256], options[200];

	canvas_fill(c, y, 0, c->cols, STYLE_FRAME, 0x2500);
	canvas_printf(c, y++, 2, c->cols - 4, r->l->is_decisive ? STYLE_BAD : STYLE_BOLD,
		      r->l->is_decisive ? " %s ◄ this one decided " : " %s ", r->l->label);
	packet_net_text(text, sizeof(text), r->l->packet, &r->p);
	y = draw_part(c, y, is_alone, STYLE_NORMAL, text);
	packet_tcp_text(text, sizeof(text), &r->p, &r->base);
	y = draw_part(c, y, is_alone, STYLE_NORMAL, text);
	packet_options_text(options, sizeof(options), r->l->packet, &r->p, &r->base);
	snprintf(text, sizeof(text), "options: %s", options[0] ? options : "none");
	y = draw_part(c, y, is_alone, options[0] ? STYLE_NORMAL : STYLE_DIM, text);
	y = draw_part(c, y, is_alone, STYLE_INFO, remark(r));
	for (; y < c->rows - 1; skip++) {
		if (!packet_hex_text(text, sizeof(text), r->l->packet, skip * 16))
			break;
		canvas_text(c, y++, 1, c->cols - 2, STYLE_NORMAL, text);
	}
}

static void draw(struct canvas *c, const struct model *m, const struct ui *ui)
{
	w5_auto(freep) struct page *p = make_page(ui);
	const struct row *current;

	if (!p)
		return;
	current = ui->packets.row < p->n ? &p->rows[ui->packets.row] : NULL;
	draw_exchange(c, p, ui);
	if (current && ui->packets.is_alone) {
		draw_packet(c, 2, current, true, ui->packets.skip);
		return;
	}
	draw_heads(c, 2);
	for (size_t i = 0; i < p->list_h && ui->packets.top + i < p->n; i++) {
		int y = FIRST_ROW + (int)i;

		draw_row(c, y, &p->rows[ui->packets.top + i], ui->ladder.f);
		if (ui->packets.top + i == ui->packets.row) {
			canvas_text(c, y, 0, 1, STYLE_BOLD, ">");
			canvas_restyle(c, y, 0, c->cols, STYLE_CURSOR);
		}
	}
	if (current)
		draw_packet(c, FIRST_ROW + (int)p->list_h, current, false, 0);
	else
		canvas_text(c, FIRST_ROW, 1, c->cols - 2, STYLE_DIM,
			    p->hidden ? "No packet matches the packet filter (/ changes it)."
				      : "No packets were kept of it.");
}

void ui_open_packets(struct ui *ui)
{
	w5_auto(freep) struct page *p = make_page(ui);

	ui->packets.row = ui->packets.top = ui->packets.skip = 0;
	ui->packets.is_alone = false;
	for (size_t i = 0; p && i < p->n; i++)
		if (p->rows[i].l->is_decisive)
			ui->packets.row = i;
	ui_push(ui, VIEW_PACKETS);
}

static void settle(struct ui *ui, const struct model *m)
{
	w5_auto(freep) struct page *p = make_page(ui);

	if (!p)
		return;
	ui->packets.row = p->n ? min_size(ui->packets.row, p->n - 1) : 0;
	ui_scroll_to(&ui->packets.top, ui->packets.row, p->n, p->list_h);
}

static int act_alone(struct ui *ui, const struct page *p, enum action a)
{
	size_t lines = p->n ? (packet_kept(p->rows[ui->packets.row].l->packet) + 15) / 16 : 0;

	if (a == ACTION_BACK || a == ACTION_OPEN) {
		ui->packets.is_alone = false;
		return UI_REDRAW;
	}
	if ((a == ACTION_PAGE_DOWN || a == ACTION_PAGE_UP) &&
	    ui_move(&ui->packets.skip, lines, 4, a))
		return UI_REDRAW;
	return -1;
}

static int act(struct ui *ui, const struct model *m, enum action a)
{
	w5_auto(freep) struct page *p = make_page(ui);
	int mine = p && ui->packets.is_alone ? act_alone(ui, p, a) : -1;

	if (mine >= 0 || !p)
		return mine;
	if (a == ACTION_PACKETS) {
		ui->depth--;
		return UI_REDRAW;
	}
	if (a == ACTION_FILTER) {
		prompt_open(&ui->prompt, PROMPT_PACKETS, ui->packets.expr);
		return UI_REDRAW;
	}
	if (a == ACTION_OPEN) {
		ui->packets.is_alone = p->n > 0;
		ui->packets.skip = 0;
		return UI_REDRAW;
	}
	if (a == ACTION_NEXT || a == ACTION_PREV)
		a = a == ACTION_NEXT ? ACTION_DOWN : ACTION_UP;
	if (!ui_move(&ui->packets.row, p->n, p->list_h, a))
		return -1;
	ui->packets.skip = 0;
	return UI_REDRAW;
}

static const enum action footer[] = { ACTION_HELP,   ACTION_BACK, ACTION_OPEN,
				      ACTION_FILTER, ACTION_SAVE, ACTION_NONE };

const struct view_ops view_packets = {
	.title = "packets",
	.draw = draw,
	.act = act,
	.sync = settle,
	.footer = footer,
	.enters = "This one",
};
