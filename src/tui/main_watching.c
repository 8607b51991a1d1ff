/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Before anything is wrong: which gateways and upstreams are being watched, so that
 * it is plain that a silent screen means health and not blindness. And if nothing is
 * being watched, what to do about that.
 */
#include "tui/main_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "tui/fmt.h"

static const char no_gateway[] =
	"A gateway is recognised by what it does: a process that accepts HTTP connections and "
	"opens connections of its own to serve them (nginx, HAProxy, Apache, Envoy, ...). "
	"It appears here with the first request that goes through it.";
static const char no_gateway_next[] =
	"If requests are flowing and nothing appears: run `why502 doctor`, which says what this "
	"host lets us see, or name the gateway with --port, --pid or --comm.";

int main_watching_height(const struct snapshot *s)
{
	if (!s->ngateways)
		return 10;
	return (int)(s->ngateways + (s->nupstreams ? s->nupstreams + 2 : 2)) + 2;
}

static int draw_wrapped(struct canvas *c, int y, int end, enum style st, const char *s)
{
	char line[256];

	while (y < end && canvas_wrap(&s, min_size((size_t)c->cols - 6, 100), line, sizeof(line)))
		canvas_text(c, y++, 3, c->cols - 6, st, line);
	return y;
}

static void draw_gateway(struct canvas *c, int y, const struct engine_gateway *g, bool is_capture)
{
	char who[48], name[72], ports[100] = "", count[16];
	size_t n = 0;
	int x = 3;

	text_escape(name, sizeof(name), g->name, strlen(g->name));
	for (size_t i = 0; i < g->nports && i < ARRAY_SIZE(g->ports) && n < sizeof(ports) - 8; i++)
		n += (size_t)snprintf(ports + n, sizeof(ports) - n, "%s%u", i ? "," : "",
				      g->ports[i]);
	text_count(count, sizeof(count), g->exchanges);
	canvas_text(c, y, x, 15, STYLE_BOLD, name);
	x += 16;
	snprintf(who, sizeof(who), "pid %u, %zu process%s", g->group, g->nprocs,
		 g->nprocs == 1 ? "" : "es");
	x += canvas_printf(c, y, x, c->cols - x - 2, STYLE_NORMAL, "%s, port%s %s",
			   is_capture ? "as captured" : who, g->nports == 1 ? "" : "s",
			   ports[0] ? ports : "not known");
	if (g->named_only)
		canvas_text(c, y, x + 2, c->cols - x - 4, STYLE_DIM, "(not used yet)");
	else
		x += 2 + canvas_printf(c, y, x + 2, c->cols - x - 4, STYLE_NORMAL, "%s requests",
				       count);
	if (!g->named_only && c->cols >= 110)
		canvas_wire(c, y, x + 2, c->cols - x - 5, STYLE_DIM, g->cgroup);
}

/* UPSTREAM REQUESTS FAILED 5XX TTFB SRTT OPEN */
static const struct {
	const char *title;
	int w;
} upstream_cols[] = { { "UPSTREAM", 24 }, { "REQUESTS", 8 }, { "FAILED", 7 }, { "5XX", 6 },
		      { "TTFB", 9 },	  { "SRTT", 9 },     { "OPEN", 5 } };

static void upstream_cells(char cell[][TEXT_ENDPOINT_MAX], const struct engine_upstream *u)
{
	text_endpoint(cell[0], TEXT_ENDPOINT_MAX, &u->ip, u->port);
	text_count(cell[1], TEXT_ENDPOINT_MAX, u->requests);
	text_count(cell[2], TEXT_ENDPOINT_MAX, u->failures + u->connect_failures);
	text_count(cell[3], TEXT_ENDPOINT_MAX, u->s5xx);
	snprintf(cell[4], TEXT_ENDPOINT_MAX, "-");
	snprintf(cell[5], TEXT_ENDPOINT_MAX, "-");
	if (u->ttfb_count)
		text_duration(cell[4], TEXT_ENDPOINT_MAX, u->ttfb_us_sum / u->ttfb_count * 1000);
	if (u->srtt_us)
		text_duration(cell[5], TEXT_ENDPOINT_MAX, u->srtt_us * 1000ull);
	text_count(cell[6], TEXT_ENDPOINT_MAX, u->open);
}

static void draw_upstream(struct canvas *c, int y, const struct engine_upstream *u)
{
	char cell[ARRAY_SIZE(upstream_cols)][TEXT_ENDPOINT_MAX];
	int x = 3;

	if (u)
		upstream_cells(cell, u);
	for (size_t i = 0; i < ARRAY_SIZE(upstream_cols); i++) {
		const char *text = u ? cell[i] : upstream_cols[i].title;
		bool bad = u && (i == 2 || i == 3) && strcmp(text, "0") != 0;

		if (i)
			canvas_right(c, y, x, upstream_cols[i].w,
				     !u	   ? STYLE_DIM
				     : bad ? STYLE_WARN
					   : STYLE_NORMAL,
				     text);
		else
			canvas_text(c, y, x, upstream_cols[i].w, u ? STYLE_INFO : STYLE_DIM, text);
		x += upstream_cols[i].w + 1;
	}
}

static void draw_found(struct canvas *c, int y, int end, const struct snapshot *s)
{
	for (size_t i = 0; i < s->ngateways && y < end; i++)
		draw_gateway(c, y++, &s->gateways[i], s->counters.is_capture);
	y++;
	if (!s->nupstreams) {
		if (y < end)
			canvas_text(c, y, 3, c->cols - 6, STYLE_DIM, "No upstream used yet.");
		return;
	}
	if (y < end)
		draw_upstream(c, y++, NULL);
	for (size_t i = 0; i < s->nupstreams && y < end; i++) {
		if (y == end - 1 && i + 1 < s->nupstreams) {
			canvas_printf(c, y, 3, c->cols - 6, STYLE_DIM,
				      "and %zu more: press u for all of them", s->nupstreams - i);
			return;
		}
		draw_upstream(c, y++, &s->upstreams[i]);
	}
}

void main_draw_watching(struct canvas *c, int y, int h, const struct model *m)
{
	const struct snapshot *s = &m->shown;
	int end = y + h - 1;

	if (h < 3)
		return;
	canvas_box(c, y, 0, h, c->cols, "WATCHING");
	if (s->ngateways) {
		draw_found(c, y + 1, end, s);
		return;
	}
	y = draw_wrapped(c, y + 2, end, STYLE_NORMAL, no_gateway);
	draw_wrapped(c, y + 1, end, STYLE_BOLD, no_gateway_next);
}
