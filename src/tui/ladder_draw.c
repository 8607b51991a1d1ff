/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of a ladder as arrows between lanes. Where they are comes from lanes_lay() alone. */
#include "tui/ladder_draw.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "tui/fmt.h"

#define NOTE_BESIDE 34 /* columns that make it worth putting notes beside the lanes */
#define CLIENT_MAX  44
#define BACKEND_MAX 60
#define BACKEND_MIN 42 /* columns an attempt's own lane needs */
#define CLIENT_MIN  28

/* One lane per attempt, with the mark of the deciding packet behind each. */
static bool lay_each(struct lanes *out, int cols, size_t n)
{
	int room = cols - LANES_TIME_W - 4, client = room / (int)(n + 1), w;

	if (n < 2 || n > LANES_MAX)
		return false;
	client = client > CLIENT_MAX ? CLIENT_MAX : client < CLIENT_MIN ? CLIENT_MIN : client;
	w = (room - client) / (int)n - 3; /* its line, a blank, the mark */
	if (w < BACKEND_MIN)
		return false;
	w = w > BACKEND_MAX ? BACKEND_MAX : w;
	*out = (struct lanes){ .client_x = LANES_TIME_W + 2, .client_w = client, .n = n };
	out->gateway_x = out->client_x + client;
	out->backend_w = w;
	for (size_t i = 0; i < n; i++)
		out->backend_x[i] = out->gateway_x + 1 + (int)i * (w + 3);
	return true;
}

void lanes_lay(struct lanes *out, int cols, size_t nattempts)
{
	int room = cols - LANES_TIME_W - 6; /* gap, gateway's line, mark */
	int client = room * 2 / 5, backend;

	if (lay_each(out, cols, nattempts))
		return;
	client = client > CLIENT_MAX ? CLIENT_MAX : client;
	backend = room - client;
	*out = (struct lanes){ .client_x = LANES_TIME_W + 2, .n = 1 };
	if (backend - BACKEND_MAX >= NOTE_BESIDE) {
		backend = BACKEND_MAX;
		out->note_w = room - client - backend - 1;
	}
	out->client_w = client;
	out->gateway_x = out->client_x + client;
	out->backend_x[0] = out->gateway_x + 1;
	out->backend_w = backend;
	out->note_x = out->backend_x[0] + backend + 3;
}

static int lane_of(const struct lanes *ln, const struct ladder_row *r)
{
	return ln->backend_x[ln->n > 1 ? min_size(r->attempt, ln->n - 1) : 0];
}

static enum style row_style(const struct ladder_row *r)
{
	if (r->is_decisive)
		return STYLE_BAD;
	if (r->is_minor)
		return STYLE_DIM;
	if (r->is_retransmit)
		return STYLE_WARN;
	return STYLE_NORMAL;
}

/* The TTL tells who sent it: a backend, or somebody on the way. */
static void label_text(char *out, size_t cap, const struct ladder_row *r)
{
	bool came_in = r->lane == LADDER_BACKEND && !r->to_right;

	if (r->what == LADDER_FIN && came_in && r->ttl && r->kind == LADDER_PACKET)
		snprintf(out, cap, "%s ttl %u", r->label, r->ttl);
	else
		snprintf(out, cap, "%s", r->label);
}

/* ──── POST /api/cart ────► ; dashed where the packet itself was not kept */
static void draw_arrow(struct canvas *c, int y, int x, int w, const struct ladder_row *r)
{
	uint32_t dash = r->kind == LADDER_MOMENT ? '-' : 0x2500;
	enum style st = row_style(r);
	char label[LADDER_LABEL_MAX + 16];
	int label_w, lead;

	label_text(label, sizeof(label), r);
	label_w = canvas_width(label);
	canvas_fill(c, y, x, w, st, dash);
	if (r->kind == LADDER_MOMENT)
		for (int i = 1; i < w; i += 2)
			canvas_fill(c, y, x + i, 1, st, ' ');
	canvas_fill(c, y, r->to_right ? x + w - 1 : x, 1, st, r->to_right ? 0x25ba : 0x25c4);
	if (label_w > w - 5)
		label_w = w - 5;
	if (label_w < 1)
		return;
	lead = (w - label_w - 2) / 2;
	lead = lead > 5 ? 5 : lead < 2 ? 2 : lead;
	canvas_fill(c, y, x + lead, label_w + 2, st, ' ');
	canvas_text(c, y, x + lead + 1, label_w, r->is_decisive ? STYLE_DECISIVE : st, label);
}

static enum style note_style(const struct ladder_row *r)
{
	return r->is_decisive ? STYLE_BAD : STYLE_INFO;
}

void lanes_draw_note(struct canvas *c, int y, const struct lanes *ln, const struct ladder_row *r)
{
	canvas_printf(c, y, lane_of(ln, r) + 2, ln->backend_w - 2, note_style(r), "└ %s", r->note);
}

/* With one lane a line across says which attempt follows; else its lane does. */
static void draw_attempt(struct canvas *c, int y, const struct lanes *ln,
			 const struct ladder_row *r)
{
	if (ln->n > 1) {
		canvas_printf(c, y, lane_of(ln, r) + 1, ln->backend_w - 1, STYLE_INFO, "%s",
			      r->label);
		return;
	}
	canvas_fill(c, y, 1, c->cols - 2, STYLE_FRAME, 0x2504);
	canvas_printf(c, y, 3, c->cols - 5, STYLE_INFO, " try %zu: %s ", r->attempt + 1, r->label);
}

void lanes_draw_lines(struct canvas *c, int y, const struct lanes *ln)
{
	canvas_fill(c, y, ln->gateway_x, 1, STYLE_FRAME, 0x2502);
	for (size_t i = 1; i < ln->n; i++)
		canvas_fill(c, y, ln->backend_x[i] - 1, 1, STYLE_FRAME, 0x2502);
}

void lanes_draw_row(struct canvas *c, int y, const struct lanes *ln, const struct ladder_row *r)
{
	int x = lane_of(ln, r);
	char when[24];

	lanes_draw_lines(c, y, ln);
	if (r->kind == LADDER_ATTEMPT) {
		draw_attempt(c, y, ln, r);
		return;
	}
	if (r->kind == LADDER_GAP) {
		canvas_printf(c, y, 1, LANES_TIME_W + 20, STYLE_WARN, "… %s …", r->label);
		return;
	}
	fmt_relative(when, sizeof(when), r->rel_ns);
	canvas_right(c, y, 0, LANES_TIME_W, row_style(r), when);
	if (r->lane == LADDER_CLIENT)
		draw_arrow(c, y, ln->client_x, ln->client_w, r);
	else if (r->lane == LADDER_BACKEND)
		draw_arrow(c, y, x, ln->backend_w, r);
	else
		canvas_printf(c, y, x - 1, ln->n > 1 ? ln->backend_w : c->cols - x - 2,
			      row_style(r), "✕ %s", r->label);
	if (r->is_decisive)
		canvas_text(c, y, x + ln->backend_w + 1, 1, STYLE_BAD, "◄");
	if (ln->note_w)
		canvas_text(c, y, ln->note_x, ln->note_w, note_style(r), r->note);
}

size_t lanes_lines(struct ladder_line *out, size_t max, const struct ladder *l,
		   const struct lanes *ln)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n && n < max; i++) {
		out[n++] = (struct ladder_line){ .row = i };
		if (l->rows[i].note[0] && !ln->note_w && n < max)
			out[n++] = (struct ladder_line){ .row = i, .is_note = true };
	}
	return n;
}

static void draw_backend_heads(struct canvas *c, int y, int from_x, const struct lanes *ln,
			       const struct finding *f)
{
	char up[TEXT_ENDPOINT_MAX], text[160];

	fmt_upstream(up, sizeof(up), f);
	if (ln->n == 1) {
		snprintf(text, sizeof(text), "%s%s",
			 ln->backend_w > 36 ? (f->nattempts > 1 ? "last backend " : "backend ")
					    : "",
			 up);
		canvas_right(c, y, from_x, ln->backend_x[0] + ln->backend_w - from_x, STYLE_BOLD,
			     f->nattempts ? text : "no backend was tried");
		return;
	}
	for (size_t i = 0; i < ln->n; i++) {
		const struct w5_leg *leg = &f->attempts[i].leg;
		int x = ln->backend_x[i] < from_x ? from_x : ln->backend_x[i];

		text_upstream(up, sizeof(up), leg);
		snprintf(text, sizeof(text), "try %zu %s", i + 1, up);
		canvas_right(c, y, x, ln->backend_x[i] + ln->backend_w - x, STYLE_BOLD, text);
	}
}

void lanes_draw_heads(struct canvas *c, int y, const struct lanes *ln, const struct finding *f)
{
	char client[TEXT_ENDPOINT_MAX], name[72], text[160];
	int x, w;

	if (f->down.rport)
		text_endpoint(client, sizeof(client), &f->down.remote, f->down.rport);
	else
		fmt_client(client, sizeof(client), f);
	text_escape(name, sizeof(name), f->gateway_name, strlen(f->gateway_name));
	canvas_printf(c, y, 1, ln->gateway_x - 10, STYLE_BOLD, "client %s", client);
	snprintf(text, sizeof(text), "%s/%u", name[0] ? name : "gateway",
		 f->down.tid ? f->down.tid : f->down.tgid);
	w = canvas_width(text);
	x = ln->gateway_x - w / 2;
	canvas_text(c, y, x, w, STYLE_BOLD, text);
	draw_backend_heads(c, y, x + w + 1, ln, f);
}
