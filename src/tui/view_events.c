/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP trouble as it comes, whether an exchange went wrong of it or not. Enter goes to the
 * exchange that had the connection, where there is one.
 */
#include "tui/ui.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "sink/event_text.h"

#define BELOW_ROWS 4  /* what is known of the event under the cursor, and a line above it */
#define BELOW_FROM 16 /* rows of the screen */

static void time_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	const struct engine_event *ev = row;

	text_time_of_day(out, cap, ev->ts_ns + m->shown.counters.wall_offset_ns);
}

static void kind_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	snprintf(out, cap, "%s", event_name(((const struct engine_event *)row)->kind));
}

static void side_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	const struct engine_event *ev = row;

	snprintf(out, cap, "%s", ev->leg.role == W5_ROLE_UPSTREAM ? "backend" : "client");
}

static void peer_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	const struct engine_event *ev = row;

	text_upstream(out, cap, &ev->leg);
}

static void gateway_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	const struct engine_event *ev = row;
	size_t n = text_escape(out, cap, ev->gateway, strlen(ev->gateway));

	snprintf(out + n, cap - n, "%s%u", n ? "/" : "", ev->leg.tgid);
}

static void what_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	event_text(out, cap, row);
}

static int by_time(const void *a, const void *b)
{
	const struct engine_event *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static int by_kind(const void *a, const void *b)
{
	const struct engine_event *x = a, *y = b;

	return strcmp(event_name(x->kind), event_name(y->kind));
}

static int by_side(const void *a, const void *b)
{
	const struct engine_event *x = a, *y = b;

	return (int)x->leg.role - (int)y->leg.role;
}

static int by_peer(const void *a, const void *b)
{
	const struct engine_event *x = a, *y = b;
	int d = memcmp(&x->leg.remote, &y->leg.remote, sizeof(x->leg.remote));

	return d ? d : (int)x->leg.rport - (int)y->leg.rport;
}

static int by_gateway(const void *a, const void *b)
{
	const struct engine_event *x = a, *y = b;
	int d = strcmp(x->gateway, y->gateway);

	return d ? d : (x->leg.tgid > y->leg.tgid) - (x->leg.tgid < y->leg.tgid);
}

static int by_words(const void *a, const void *b)
{
	char x[EVENT_TEXT_MAX], y[EVENT_TEXT_MAX];

	event_text(x, sizeof(x), a);
	event_text(y, sizeof(y), b);
	return strcmp(x, y);
}

static enum style kind_style(const void *row, const char *text)
{
	const struct engine_event *ev = row;

	if (ev->kind == EVENT_RETRANSMIT || ev->kind == EVENT_ZERO_WINDOW)
		return STYLE_WARN;
	/* clients come and go */
	return ev->leg.role == W5_ROLE_UPSTREAM ? STYLE_BAD : STYLE_NORMAL;
}

static enum style peer_style(const void *row, const char *text)
{
	return STYLE_INFO;
}

/* clang-format off */
static const struct list_column columns[] = {
	{ .title = "TIME", .help = "when it happened", .min = 12, .want = 12, .max = 12,
	  .text = time_cell, .compare = by_time },
	{ .title = "EVENT", .help = "what kind", .min = 10, .want = 15, .max = 15,
	  .text = kind_cell, .compare = by_kind, .style = kind_style },
	{ .title = "SIDE", .help = "of which side of the gateway", .rank = 2, .min = 7, .want = 7,
	  .max = 7, .text = side_cell, .compare = by_side },
	{ .title = "PEER", .help = "backend or client", .min = 14, .want = 18, .max = 28,
	  .text = peer_cell, .compare = by_peer, .style = peer_style },
	{ .title = "GATEWAY", .help = "process", .rank = 3, .min = 10, .want = 13, .max = 24,
	  .text = gateway_cell, .compare = by_gateway },
	{ .title = "WHAT", .help = "in words", .min = 20, .want = 30, .text = what_cell,
	  .compare = by_words },
};
/* clang-format on */

static size_t count(const struct model *m)
{
	return m->shown.troubles.nrows;
}

static const void *row_at(const struct model *m, size_t i)
{
	return m->shown.troubles.rows[i];
}

static uint64_t id_of(const void *row)
{
	return ((const struct engine_event *)row)->id;
}

static int below_height(const struct ui *ui)
{
	return ui->rows >= BELOW_FROM ? BELOW_ROWS : 0;
}

static void area(const struct model *m, const struct ui *ui, int *y, int *h)
{
	*y = 3;
	*h = ui->rows - 4 - below_height(ui);
}

static const struct list_ops events_list = {
	.title = "Events",
	.empty = "No trouble on any connection of a gateway so far.",
	.columns = columns,
	.ncolumns = ARRAY_SIZE(columns),
	.sort = 0,
	.natural = 0,
	.count = count,
	.row = row_at,
	.id = id_of,
	.area = area,
};

static void draw_below(struct canvas *c, const struct engine_event *ev)
{
	char local[TEXT_ENDPOINT_MAX], remote[TEXT_ENDPOINT_MAX], text[EVENT_TEXT_MAX + 300];
	int y = c->rows - 1 - BELOW_ROWS;

	canvas_fill(c, y++, 0, c->cols, STYLE_FRAME, 0x2500);
	text_endpoint(local, sizeof(local), &ev->leg.local, ev->leg.lport);
	text_endpoint(remote, sizeof(remote), &ev->leg.remote, ev->leg.rport);
	gateway_cell(text, sizeof(text), ev, NULL);
	canvas_printf(c, y++, 1, c->cols - 2, STYLE_NORMAL, "%s, %s %s %s %s", event_name(ev->kind),
		      text, local, ev->leg.role == W5_ROLE_UPSTREAM ? "to" : "from", remote);
	event_text(text, sizeof(text), ev);
	canvas_text(c, y++, 1, c->cols - 2, STYLE_BOLD, text);
	event_context(text, sizeof(text), ev);
	canvas_text(c, y, 1, c->cols - 2, STYLE_NORMAL, text);
}

static void draw(struct canvas *c, const struct model *m, const struct ui *ui)
{
	const struct list *l = &ui->lists[VIEW_EVENTS];
	const struct engine_event *ev = list_current(l, &events_list, m);
	const struct troubles *t = &m->shown.troubles;
	char text[160], seen[16];
	int x = 1;

	x += canvas_text(c, 1, x, c->cols - 2, STYLE_BOLD, events_list.title) + 2;
	list_say(text, sizeof(text), l, &events_list);
	x += canvas_text(c, 1, x, c->cols - x - 1, STYLE_DIM, text);
	text_count(seen, sizeof(seen), t->seen);
	x += canvas_printf(c, 1, x, c->cols - x - 1, STYLE_DIM, ", %s so far  ", seen);
	ui_draw_filter(c, 1, x, ui);
	list_draw(c, l, &events_list, m, ui);
	if (ev && below_height(ui))
		draw_below(c, ev);
}

static bool has_conn(const struct w5_leg *l, const struct engine_event *ev, bool same_turn)
{
	return (l->h.cookie == ev->leg.h.cookie || l->conn_cookie == ev->leg.h.cookie) &&
	       (!same_turn || l->nr == ev->leg.nr);
}

static bool is_of(const struct finding *f, const struct engine_event *ev, bool same_turn)
{
	for (size_t i = 0; i < f->nattempts; i++)
		if (has_conn(&f->attempts[i].leg, ev, same_turn))
			return true;
	return has_conn(&f->down, ev, same_turn);
}

/* The exchange that had this turn, else the newest one of this conn. */
static struct finding *exchange_of(const struct model *m, const struct engine_event *ev)
{
	const struct snapshot *s = &m->shown;

	for (int same_turn = 1; same_turn >= 0; same_turn--)
		for (size_t i = s->nrows; i-- > 0;)
			if (is_of(s->rows[i], ev, same_turn))
				return s->rows[i];
	return NULL;
}

static int act(struct ui *ui, const struct model *m, enum action a)
{
	const struct engine_event *ev = list_current(ui_list(ui), &events_list, m);
	struct finding *f;

	if (a == ACTION_EVENTS) {
		ui->depth--;
		return UI_REDRAW;
	}
	if (a != ACTION_OPEN)
		return -1;
	if (!ev)
		return UI_REDRAW;
	f = exchange_of(m, ev);
	if (f) {
		ui_open_ladder(ui, m, f);
		ui_push(ui, VIEW_LADDER);
	} else {
		ui_say(ui, STYLE_WARN, "No listed exchange had this connection");
	}
	return UI_REDRAW;
}

static const enum action footer[] = { ACTION_HELP, ACTION_BACK,	   ACTION_OPEN,	 ACTION_FILTER,
				      ACTION_SORT, ACTION_COLUMNS, ACTION_PAUSE, ACTION_NONE };

const struct view_ops view_events = {
	.title = "events",
	.list = &events_list,
	.draw = draw,
	.act = act,
	.footer = footer,
};
