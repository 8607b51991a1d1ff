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
#include "sink/warnings.h"
#include "tui/fmt.h"

static const char no_gateway[] =
	"A gateway is recognised by what it does: a process that accepts HTTP connections and "
	"opens connections of its own to serve them (nginx, HAProxy, Apache, Envoy, ...). "
	"It appears here with the first request that goes through it.";
static const char no_gateway_next[] =
	"If requests are flowing and nothing appears: run `why502 doctor`, which says what this "
	"host lets us see, or name the gateway with --port, --pid or --comm.";

static int draw_wrapped(struct canvas *c, int y, int end, enum style st, const char *s)
{
	char line[256];

	while (y < end && canvas_wrap(&s, min_size((size_t)c->cols - 6, 100), line, sizeof(line)))
		canvas_text(c, y++, 3, c->cols - 6, st, line);
	return y;
}

static size_t races_ahead(const struct snapshot *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->nupstreams; i++)
		n += s->upstreams[i].race_ahead;
	return n;
}

/* What is going to fail one day, in two lines each; the list of upstreams gives way. */
static int draw_races_ahead(struct canvas *c, int y, int end, const struct snapshot *s)
{
	char text[WARNING_TEXT_MAX];

	for (size_t i = 0; i < s->nupstreams && y < end; i++) {
		if (!s->upstreams[i].race_ahead)
			continue;
		warning_text(text, &s->upstreams[i]);
		y = draw_wrapped(c, y, end, STYLE_WARN, text);
	}
	return y;
}

int main_watching_height(const struct snapshot *s)
{
	if (!s->ngateways)
		return 10;
	return (int)(s->ngateways + (s->nupstreams ? s->nupstreams + 2 : 2) + 3 * races_ahead(s)) +
	       2;
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
			   is_capture ? "as captured" : who, text_plural(g->nports),
			   ports[0] ? ports : "not known");
	if (g->named_only)
		canvas_text(c, y, x + 2, c->cols - x - 4, STYLE_DIM, "(not used yet)");
	else
		x += 2 + canvas_printf(c, y, x + 2, c->cols - x - 4, STYLE_NORMAL, "%s requests",
				       count);
	if (!g->named_only && c->cols >= 110)
		canvas_wire(c, y, x + 2, c->cols - x - 5, STYLE_DIM, g->cgroup);
}

static void address_cell(char *out, size_t cap, const struct engine_upstream *u)
{
	text_endpoint(out, cap, &u->ip, u->port);
}

static void requests_cell(char *out, size_t cap, const struct engine_upstream *u)
{
	text_count(out, cap, u->requests);
}

static void failed_cell(char *out, size_t cap, const struct engine_upstream *u)
{
	text_count(out, cap, u->failures);
}

static void s5xx_cell(char *out, size_t cap, const struct engine_upstream *u)
{
	text_count(out, cap, u->s5xx);
}

static void srtt_cell(char *out, size_t cap, const struct engine_upstream *u)
{
	if (u->srtt_us)
		text_duration(out, cap, u->srtt_us * 1000ull);
	else
		snprintf(out, cap, "-");
}

static void p50_cell(char *out, size_t cap, const struct engine_upstream *u)
{
	fmt_quantile(out, cap, u, 0);
}

static void p99_cell(char *out, size_t cap, const struct engine_upstream *u)
{
	fmt_quantile(out, cap, u, 2);
}

/* alarming: anything but 0 is. */
static const struct {
	const char *title;
	int from_cols, w;
	bool is_alarming;
	void (*text)(char *out, size_t cap, const struct engine_upstream *u);
} upstream_cols[] = {
	{ "UPSTREAM", 0, 21, false, address_cell }, { "REQUESTS", 0, 8, false, requests_cell },
	{ "FAILED", 0, 6, true, failed_cell },	    { "5XX", 0, 5, true, s5xx_cell },
	{ "IN USE", 0, 6, false, fmt_in_use },	    { "IDLE", 0, 5, false, fmt_idle },
	{ "P50", 74, 8, false, p50_cell },	    { "P99", 0, 8, false, p99_cell },
	{ "SRTT", 92, 9, false, srtt_cell },
};

static void draw_upstream(struct canvas *c, int y, const struct engine_upstream *u)
{
	char text[TEXT_ENDPOINT_MAX];
	int x = 3;

	for (size_t i = 0; i < ARRAY_SIZE(upstream_cols); i++) {
		int w = upstream_cols[i].w;
		bool bad;

		if (c->cols < upstream_cols[i].from_cols)
			continue;
		if (u)
			upstream_cols[i].text(text, sizeof(text), u);
		else
			snprintf(text, sizeof(text), "%s", upstream_cols[i].title);
		bad = u && upstream_cols[i].is_alarming && strcmp(text, "0") != 0;
		if (i)
			canvas_right(c, y, x, w,
				     !u	   ? STYLE_DIM
				     : bad ? STYLE_WARN
					   : STYLE_NORMAL,
				     text);
		else
			canvas_text(c, y, x, w, u ? STYLE_INFO : STYLE_DIM, text);
		x += w + 1;
	}
}

static void draw_found(struct canvas *c, int y, int end, const struct snapshot *s)
{
	for (size_t i = 0; i < s->ngateways && y < end; i++)
		draw_gateway(c, y++, &s->gateways[i], s->counters.is_capture);
	y = draw_races_ahead(c, y, end, s) + 1;
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
