/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First and last line. Both are made of pieces with a rank: on a narrow terminal the
 * least important ones are left out, whole, instead of cutting the line.
 */
#include "tui/ui.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "tui/fmt.h"

#define PIECES_MAX 16

struct piece {
	char text[64];
	enum style style;
	int rank; /* higher stays longer */
	bool to_right;
};

struct pieces {
	struct piece p[PIECES_MAX];
	size_t n;
};

static void add(struct pieces *all, int rank, enum style st, bool to_right, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

static void add(struct pieces *all, int rank, enum style st, bool to_right, const char *fmt, ...)
{
	struct piece *p;
	va_list ap;

	if (all->n == PIECES_MAX)
		return;
	p = &all->p[all->n++];
	va_start(ap, fmt);
	vsnprintf(p->text, sizeof(p->text), fmt, ap);
	va_end(ap);
	p->rank = rank;
	p->style = st;
	p->to_right = to_right;
}

/* Leaves out the lowest ranks until the rest fits. */
static void fit(struct pieces *all, int cols)
{
	for (;;) {
		size_t worst = 0;
		int w = 2;

		for (size_t i = 0; i < all->n; i++) {
			w += canvas_width(all->p[i].text) + 2;
			if (all->p[i].rank < all->p[worst].rank)
				worst = i;
		}
		if (w - 2 <= cols || all->n <= 1)
			return;
		memmove(&all->p[worst], &all->p[worst + 1],
			(all->n - worst - 1) * sizeof(all->p[0]));
		all->n--;
	}
}

static void draw_pieces(struct canvas *c, int y, const struct pieces *all)
{
	int x = 1, right = c->cols - 1;

	for (size_t i = 0; i < all->n; i++)
		if (!all->p[i].to_right)
			x += canvas_text(c, y, x, c->cols - x, all->p[i].style, all->p[i].text) + 2;
	for (size_t i = all->n; i-- > 0;) {
		int w = canvas_width(all->p[i].text);

		if (!all->p[i].to_right)
			continue;
		canvas_text(c, y, right - w, w, all->p[i].style, all->p[i].text);
		right -= w + 2;
	}
}

/* Several nginx (containers) are one word here; the WATCHING panel has them apart. */
static size_t procs_of(const struct snapshot *s, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < s->ngateways; i++)
		n += strcmp(s->gateways[i].name, name) ? 0 : s->gateways[i].nprocs;
	return n;
}

static bool named_before(const struct snapshot *s, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(s->gateways[k].name, s->gateways[i].name))
			return true;
	return false;
}

static void add_gateways(struct pieces *all, const struct snapshot *s)
{
	char text[64] = "";
	size_t n = 0;

	for (size_t i = 0; i < s->ngateways && n < sizeof(text) - 28; i++) {
		size_t procs = named_before(s, i) ? 0 : procs_of(s, s->gateways[i].name);
		char name[17]; /* an escape is never cut */

		if (!procs)
			continue;
		text_escape(name, sizeof(name), s->gateways[i].name, strlen(s->gateways[i].name));
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s[%zu]", n ? " " : "", name,
				      procs);
	}
	if (n)
		add(all, 4, STYLE_BAR, false, "%s", text);
}

static void add_status(struct pieces *all, const char *name, double rate, double requests)
{
	double share = requests > 0 ? rate * 100 / requests : 0;
	char buf[16];

	fmt_rate(buf, sizeof(buf), rate);
	if (share > 0)
		add(all, 7, STYLE_BAR_BAD, false, "%s %s (%.*f%%)", name, buf,
		    share < 0.995 ? 2 : 0, share);
	else
		add(all, rate > 0 ? 7 : 1, rate > 0 ? STYLE_BAR_BAD : STYLE_BAR, false, "%s %s",
		    name, buf);
}

static void add_rates(struct pieces *all, const struct model_rates *r)
{
	char req[16], bad[16];

	fmt_rate(req, sizeof(req), r->requests);
	fmt_rate(bad, sizeof(bad), r->s502);
	add(all, 6, STYLE_BAR, false, "req/s %s", req);
	if (r->s502 > 0)
		add(all, 10, STYLE_BAR_BAD, false, "502/s %s (%.*f%%)", bad,
		    r->share502 < 9.995 ? 2 : 0, r->share502);
	else
		add(all, 10, STYLE_BAR, false, "502/s 0");
	add_status(all, "503", r->s503, r->requests);
	add_status(all, "504", r->s504, r->requests);
	if (r->silent > 0)
		add_status(all, "silent", r->silent, r->requests);
}

/* Only what lets requests fail: a slow host is for the host view. */
static void add_limit(struct pieces *all, const struct snapshot *s)
{
	const struct host_row *r = &s->limit;

	if (!s->has_limit)
		return;
	if (r->percent >= 0)
		add(all, 8, STYLE_BAR_BAD, false, "%s %d%%", r->brief, r->percent);
	else
		add(all, 8, STYLE_BAR_BAD, false, "%s", r->brief);
}

static void add_state(struct pieces *all, const struct model *m)
{
	const struct engine_counters *k = &m->shown.counters;
	char lost[16], unseen[16], unread[16];

	/* Client connections whose requests are not read: silence about them is no health. */
	text_count(unread, sizeof(unread), k->unread_tls + k->unread_h2);
	if (k->unread_tls || k->unread_h2)
		add(all, 9, k->log_followed ? STYLE_BAR : STYLE_BAR_BAD, false, "%s %s %s", unread,
		    k->unread_tls ? "TLS" : "HTTP/2", k->log_followed ? "by log" : "unread");

	text_count(lost, sizeof(lost), m->lost);
	text_count(unseen, sizeof(unseen), m->unseen);
	if (m->paused)
		add(all, 11, STYLE_BAR_BAD, true, "PAUSED +%s", unseen);
	else if (m->is_replay)
		add(all, 11, STYLE_BAR, true, "REPLAY");
	else
		add(all, 11, STYLE_BAR_GOOD, true, "● LIVE");
	add(all, 12, m->lost ? STYLE_BAR_BAD : STYLE_BAR, true, "lost %s", lost);
}

void title_draw(struct canvas *c, const struct model *m)
{
	const struct snapshot *s = &m->shown;
	struct pieces all = { .n = 0 };
	char host[72], up[16];

	canvas_fill(c, 0, 0, c->cols, STYLE_BAR, ' ');
	add(&all, 9, STYLE_BAR, false, "why502");
	if (s->counters.host[0]) {
		text_escape(host, sizeof(host), s->counters.host, strlen(s->counters.host));
		add(&all, 3, STYLE_BAR, false, "%.24s", host);
	}
	add_gateways(&all, s);
	if (s->counters.now_ns > s->counters.start_ns) {
		fmt_uptime(up, sizeof(up), s->counters.now_ns - s->counters.start_ns);
		add(&all, 2, STYLE_BAR, false, "up %s", up);
	}
	add_rates(&all, &s->rates);
	add_limit(&all, s);
	add_state(&all, m);
	fit(&all, c->cols);
	draw_pieces(c, 0, &all);
}

/* Short words for the key bar; an action without one is found in the help. */
static const struct {
	const char *key, *text;
	int rank;
} bar[ACTION_MAX] = {
	[ACTION_HELP] = { "F1", "Help", 9 },	      [ACTION_OPEN] = { "Enter", "Ladder", 8 },
	[ACTION_FILTER] = { "/", "Filter", 6 },	      [ACTION_SAVE] = { "s", "Save", 7 },
	[ACTION_UPSTREAMS] = { "u", "Upstreams", 5 }, [ACTION_SAME] = { "f", "Same cause", 2 },
	[ACTION_EVENTS] = { "v", "Events", 2 },	      [ACTION_PACKETS] = { "x", "Packets", 6 },
	[ACTION_WINDOW] = { "w", "Window", 1 },	      [ACTION_PAUSE] = { "p", "Pause", 4 },
	[ACTION_BACK] = { "q", "Back", 10 },	      [ACTION_QUIT] = { "q", "Quit", 10 },
	[ACTION_NEXT] = { "n", "Next", 5 },	      [ACTION_PREV] = { "p", "Previous", 5 },
	[ACTION_ALL] = { "a", "All packets", 3 },     [ACTION_SORT] = { "F6", "Sort", 3 },
	[ACTION_ENDPOINTS] = { "e", "Endpoints", 3 }, [ACTION_CLIENTS] = { "c", "Clients", 2 },
	[ACTION_WORKERS] = { "W", "Workers", 1 },     [ACTION_COLUMNS] = { "t", "Columns", 2 },
	[ACTION_SELECT] = { "Space", "Select", 3 },   [ACTION_HOST] = { "h", "Host", 3 },
};

static const char *bar_text(const struct view_ops *ops, enum action a)
{
	return a == ACTION_OPEN && ops->enters ? ops->enters : bar[a].text;
}

static void bar_key(char out[KEYMAP_TEXT_MAX], const struct ui *ui, enum action a)
{
	keymap_key(out, KEYMAP_TEXT_MAX, &ui->keymap, a, bar[a].key);
}

static int bar_width(const struct ui *ui, const struct view_ops *ops, enum action a)
{
	char key[KEYMAP_TEXT_MAX];

	bar_key(key, ui, a);
	return canvas_width(key) + 1 + canvas_width(bar_text(ops, a)) + 2;
}

/* Actions of at most this rank are left out where not all fit. */
static int bar_floor(const struct ui *ui, const struct view_ops *ops, int cols)
{
	int used, floor = 0;

	do {
		used = 0;
		for (const enum action *a = ops->footer; *a; a++)
			if (bar[*a].rank > floor)
				used += bar_width(ui, ops, *a);
	} while (used > cols && ++floor < 10);
	return floor;
}

enum action footer_hit(const struct ui *ui, const struct view_ops *ops, int x)
{
	int floor = bar_floor(ui, ops, ui->cols), at = 1;

	for (const enum action *a = ops->footer; *a; a++) {
		if (bar[*a].rank <= floor)
			continue;
		if (x >= at && x < at + bar_width(ui, ops, *a) - 1)
			return *a;
		at += bar_width(ui, ops, *a);
	}
	return ACTION_NONE;
}

void footer_draw(struct canvas *c, const struct ui *ui, const struct view_ops *ops)
{
	int y = c->rows - 1, x = 1, floor = bar_floor(ui, ops, c->cols);
	char key[KEYMAP_TEXT_MAX];

	canvas_fill(c, y, 0, c->cols, STYLE_KEY_TEXT, ' ');
	if (ui->message[0]) {
		canvas_text(c, y, 1, c->cols - 1, ui->message_style, ui->message);
		return;
	}
	for (const enum action *a = ops->footer; *a; a++) {
		if (bar[*a].rank <= floor)
			continue;
		bar_key(key, ui, *a);
		x += canvas_text(c, y, x, c->cols - x, STYLE_KEY, key) + 1;
		x += canvas_text(c, y, x, c->cols - x, STYLE_KEY_TEXT, bar_text(ops, *a)) + 2;
	}
}
