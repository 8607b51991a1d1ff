/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wires model, view state, canvas and terminal together, and carries out what the
 * reactions of ui.h ask for. Owns all of them.
 */
#include "tui/tui.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "tui/screen.h"
#include "tui/ui.h"

struct tui {
	struct tui_cfg cfg;
	struct model model;
	struct ui ui;
	struct canvas canvas;
	struct screen *screen;	     /* NULL: drawn for cfg.dump */
	struct engine_event *events; /* room for a copy */
	bool dirty, repaint, is_played;
};

static void free_tui(struct tui **t)
{
	tui_free(*t);
}

static int set_filter(struct tui *t, const char *expr)
{
	struct filter *flt = NULL;
	int err = *expr ? filter_parse(&flt, expr, NULL) : 0;

	if (!err)
		err = model_set_filter(&t->model, flt, t->ui.filter_is_row);
	if (!err)
		ui_sync(&t->ui, &t->model);
	return err;
}

static int open_canvas(struct tui *t)
{
	bool ascii = t->cfg.ascii || (t->screen && screen_is_ascii(t->screen));
	struct canvas fresh;
	int err = canvas_init(&fresh, t->ui.cols, t->ui.rows, ascii);

	if (err)
		return err;
	canvas_fini(&t->canvas);
	t->canvas = fresh;
	t->dirty = true;
	return 0;
}

int tui_new(struct tui **out, const struct tui_cfg *cfg)
{
	w5_auto(free_tui) struct tui *t = calloc(1, sizeof(*t));
	int cols = cfg->cols, rows = cfg->rows, err;

	if (!t)
		return -ENOMEM;
	t->cfg = *cfg;
	err = model_init(&t->model, cfg->max_findings ? cfg->max_findings : TUI_MAX_FINDINGS,
			 cfg->is_replay);
	if (err)
		return err;
	ui_init(&t->ui, cols, rows, cfg->save ? cfg->formats : 0);
	t->ui.popup.save.format = cfg->format;
	t->ui.can_report = cfg->report != NULL;
	if (cfg->packet_filter)
		ui_set_packet_filter(&t->ui, cfg->packet_filter);
	if (cfg->keymap)
		t->ui.keymap = *cfg->keymap;
	if (cfg->history)
		history_load(&t->ui.history, cfg->history);
	if (cfg->filter) {
		ui_set_filter(&t->ui, cfg->filter);
		err = set_filter(t, t->ui.filter);
		if (err)
			return err;
	}
	if (!cfg->dump) {
		err = screen_open(&t->screen, cfg->theme, !cfg->no_mouse);
		if (err)
			return err;
		screen_resize(t->screen, &cols, &rows);
		ui_resize(&t->ui, &t->model, cols, rows);
	}
	err = open_canvas(t);
	if (err)
		return err;
	*out = take_ptr(t);
	return 0;
}

void tui_free(struct tui *t)
{
	if (!t)
		return;
	screen_close(t->screen);
	canvas_fini(&t->canvas);
	ui_fini(&t->ui);
	model_fini(&t->model);
	free(t->events);
	free(t);
}

static void save(struct tui *t)
{
	const struct popup *p = &t->ui.popup;
	struct tui_save what = { .path = p->save.path.text,
				 .format = (enum tui_format)p->save.format,
				 .backend_only = p->save.backend_only };
	struct finding *one;
	char msg[160] = "";
	int err;

	what.f = popup_save_list(&t->ui, &t->model, &one, &what.n);
	if (!what.n || !t->cfg.save)
		return;
	err = t->cfg.save(t->cfg.self, &what, msg, sizeof(msg));
	if (err)
		ui_say(&t->ui, STYLE_BAD, "Not saved: %s", msg[0] ? msg : strerror(-err));
	else
		ui_say(&t->ui, STYLE_GOOD, "%s %s", msg[0] ? msg : "Saved",
		       msg[0] ? "" : what.path);
}

static void report(struct tui *t)
{
	const char *path = t->ui.prompt.text;
	char msg[320] = "";
	int err = t->cfg.report(t->cfg.self, path, msg, sizeof(msg));

	if (err)
		ui_say(&t->ui, STYLE_BAD, "No report: %s", msg[0] ? msg : strerror(-err));
	else
		ui_say(&t->ui, STYLE_GOOD, "%s", msg);
}

static int handle_key(struct tui *t, int key)
{
	unsigned r = ui_key(&t->ui, &t->model, key);

	if (r & UI_REFILTER && set_filter(t, t->ui.filter))
		ui_say(&t->ui, STYLE_BAD, "The filter could not be set: out of memory");
	if (r & UI_REMEMBER && t->cfg.remember)
		t->cfg.remember(t->cfg.self, t->ui.filter);
	if (r & UI_PAUSE && model_pause(&t->model, !t->model.paused))
		ui_say(&t->ui, STYLE_BAD, "Not paused: out of memory");
	if (r & UI_WINDOW && model_set_window(&t->model, (t->model.window + 1) % GROUP_WINDOW_MAX))
		ui_say(&t->ui, STYLE_BAD, "The list is incomplete: out of memory");
	if (r & UI_SAVE)
		save(t);
	if (r & UI_REPORT)
		report(t);
	if (r & UI_REPAINT)
		t->repaint = true;
	ui_sync(&t->ui, &t->model);
	t->dirty = true;
	return (r & UI_QUIT ? TUI_QUIT : 0) | TUI_REDRAW;
}

int tui_key(struct tui *t)
{
	int key, reaction = 0;

	if (!t->screen)
		return 0;
	while ((key = screen_key(t->screen)) != KEY_W5_NONE) {
		if (key == KEY_W5_RESIZE)
			tui_resize(t);
		else
			reaction |= handle_key(t, key);
	}
	if (!reaction && screen_is_gone(t->screen))
		return TUI_QUIT;
	return reaction;
}

void tui_resize(struct tui *t)
{
	int cols, rows;

	if (!t->screen || !screen_resize(t->screen, &cols, &rows))
		return;
	ui_resize(&t->ui, &t->model, cols, rows);
	/* without memory for the new page, the old one stays: clipped, not gone */
	open_canvas(t);
	t->repaint = true;
}

void tui_suspend(struct tui *t)
{
	if (t->screen)
		screen_suspend(t->screen);
}

void tui_resume(struct tui *t)
{
	t->dirty = t->repaint = true;
	tui_draw(t); /* ncurses takes the terminal again with the first output */
}

void tui_draw(struct tui *t)
{
	tui_resize(t);
	if (!t->dirty && !t->model.dirty)
		return;
	ui_draw(&t->canvas, &t->model, &t->ui);
	if (t->screen)
		screen_show(t->screen, &t->canvas, t->repaint);
	t->dirty = t->repaint = t->model.dirty = false;
}

void tui_ended(struct tui *t)
{
	t->model.is_replay = t->model.dirty = true;
}

int tui_play(struct tui *t)
{
	const char *s = t->cfg.keys ? t->cfg.keys : "";
	int key;

	t->is_played = true;
	while ((key = key_script_next(&s)) > 0)
		if (handle_key(t, key) & TUI_QUIT)
			break;
	if (key < 0)
		return key;
	ui_draw(&t->canvas, &t->model, &t->ui);
	return t->cfg.dump ? canvas_write(&t->canvas, t->cfg.dump) : 0;
}

int tui_tick(struct tui *t, const struct model_input *in)
{
	int err = model_tick(&t->model, in);

	ui_sync(&t->ui, &t->model);
	return err;
}

/* ---- as a sink ---- */

static int on_finding(void *self, struct finding *f)
{
	struct tui *t = self;

	model_add(&t->model, f);
	return 0;
}

static size_t take_events(struct tui *t, const struct engine *e, const struct engine_event **out)
{
	if (!t->events)
		t->events = calloc(EVENTS_KEPT, sizeof(*t->events));
	*out = t->events;
	return t->events ? engine_events(e, t->events, EVENTS_KEPT) : 0;
}

static int on_tick(void *self, const struct engine *e)
{
	struct tui *t = self;
	struct model_input in = { .counters = engine_counters(e), .lost = engine_lost(e) };
	struct engine_host hosts[MODEL_HOSTS_MAX];

	in.hosts = hosts;
	in.nhosts = min_size(engine_hosts(e, hosts, MODEL_HOSTS_MAX), MODEL_HOSTS_MAX);
	in.ngateways = engine_gateways(e, &in.gateways);
	in.nupstreams = engine_upstreams(e, &in.upstreams);
	in.nhistory = engine_history(e, in.history, MODEL_HISTORY);
	engine_losses(e, in.troubles.losses);
	in.troubles.counts = engine_event_counts(e);
	in.troubles.unlisted = t->model.evicted;
	in.troubles.version = engine_events_version(e);
	if (!t->model.paused && in.troubles.version != t->model.shown.troubles.version)
		in.troubles.nevents = take_events(t, e, &in.troubles.events);
	return tui_tick(self, &in);
}

static void on_close(void *self, const struct engine *e)
{
	struct tui *t = self;

	on_tick(t, e);
	if (t->cfg.dump && !t->is_played)
		tui_play(t);
}

static const struct sink_ops tui_sink_ops = {
	.name = "tui",
	.finding = on_finding,
	.tick = on_tick,
	.close = on_close,
};

struct sink tui_sink(struct tui *t)
{
	return (struct sink){ .ops = &tui_sink_ops, .self = t };
}
