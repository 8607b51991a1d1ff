/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The save dialog: what, which legs, which format, where. Enter saves from any of its
 * lines, so that "s Enter" is all it takes; what cannot be saved is said instead.
 */
#include "tui/popup.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "tui/tui.h"
#include "tui/ui.h"

enum field { FIELD_WHAT, FIELD_LEGS, FIELD_FORMAT, FIELD_PATH, FIELD_MAX };

#define DIALOG_W    76
#define DIALOG_H    9
#define VALUE_X	    9
#define CHOICES_MAX 4

static const char *const field_names[FIELD_MAX] = { "What", "Legs", "Format", "Path" };

static const struct {
	const char *name, *ending;
	bool is_packets;
} formats[TUI_FORMAT_MAX] = {
	[TUI_FORMAT_PCAPNG] = { "pcapng", "pcapng", true },
	[TUI_FORMAT_PCAP] = { "pcap", "pcap", true },
	[TUI_FORMAT_NDJSON] = { "ndjson", "ndjson", false },
	[TUI_FORMAT_TEXT] = { "text", "txt", false },
};

struct choice {
	char text[40];
	unsigned value;
	bool is_on, is_dim;
	int x, w;
};

struct finding *const *popup_save_list(const struct ui *ui, const struct model *m,
				       struct finding **one, size_t *n)
{
	*one = ui_selected(ui, m);
	*n = *one != NULL;
	if (ui->popup.save.what == SAVE_SELECTED) {
		*n = ui->selected.n;
		return ui->selected.f;
	}
	if (ui->popup.save.what == SAVE_LISTED) {
		*n = m->shown.nrows;
		return m->shown.rows;
	}
	return one;
}

/* why502-20261122-120611-103.pcap; of several: -upto103 */
static void set_path(struct ui *ui, const struct model *m)
{
	char stamp[TEXT_TIME_MAX], path[PROMPT_MAX];
	struct finding *one;
	struct finding *const *f;
	size_t n;

	if (ui->popup.save.is_own_path)
		return;
	f = popup_save_list(ui, m, &one, &n);
	if (!n)
		return;
	text_time_utc(stamp, sizeof(stamp), f[n - 1]->wall_ns);
	/* 2026-11-22T12:06:21.341402Z: date and time without their signs */
	snprintf(path, sizeof(path), "why502-%.4s%.2s%.2s-%.2s%.2s%.2s-%s%llu.%s", stamp, stamp + 5,
		 stamp + 8, stamp + 11, stamp + 14, stamp + 17, n > 1 ? "upto" : "",
		 (unsigned long long)f[n - 1]->id, formats[ui->popup.save.format].ending);
	prompt_open(&ui->popup.save.path, PROMPT_SAVE, path);
}

/* An own path: its ending follows the format, as far as it has a known one. */
static void set_ending(struct ui *ui)
{
	struct prompt *p = &ui->popup.save.path;
	char *dot = strrchr(p->text, '.');

	for (size_t i = 0; dot && i < TUI_FORMAT_MAX; i++) {
		if (strcmp(dot + 1, formats[i].ending))
			continue;
		snprintf(dot + 1, sizeof(p->text) - (size_t)(dot + 1 - p->text), "%s",
			 formats[ui->popup.save.format].ending);
		p->len = p->at = strlen(p->text);
		return;
	}
}

/* And the format the ending the user writes. */
static void set_format(struct ui *ui)
{
	const char *dot = strrchr(ui->popup.save.path.text, '.');

	for (unsigned i = 0; dot && i < TUI_FORMAT_MAX; i++)
		if (ui->formats & 1u << i && !strcmp(dot + 1, formats[i].ending))
			ui->popup.save.format = i;
}

void popup_open_save(struct ui *ui, const struct model *m, enum save_what what)
{
	struct popup p = { .kind = POPUP_SAVE, .row = FIELD_PATH };

	p.save.what = what;
	/* the format of the last time */
	p.save.format = ui->popup.save.format;
	p.save.backend_only = ui->popup.save.backend_only;
	ui->popup = p;
	while (!(ui->formats & 1u << ui->popup.save.format))
		ui->popup.save.format = (ui->popup.save.format + 1) % TUI_FORMAT_MAX;
	set_path(ui, m);
}

static size_t make_what(struct choice *c, const struct ui *ui, const struct model *m)
{
	const struct finding *f = ui_selected(ui, m);
	size_t counts[SAVE_WHAT_MAX] = { !!f, ui->selected.n, m->shown.nrows };
	const char *listed = ui->filter[0] ? "filtered" : "all listed";

	for (unsigned i = 0; i < SAVE_WHAT_MAX; i++) {
		c[i].value = i;
		c[i].is_dim = !counts[i];
		c[i].is_on = ui->popup.save.what == i;
	}
	if (f)
		snprintf(c[SAVE_THIS].text, sizeof(c[0].text), "this (#%llu)",
			 (unsigned long long)f->id);
	else
		snprintf(c[SAVE_THIS].text, sizeof(c[0].text), "this (none)");
	snprintf(c[SAVE_SELECTED].text, sizeof(c[0].text), "selected (%zu)", ui->selected.n);
	snprintf(c[SAVE_LISTED].text, sizeof(c[0].text), "%s (%zu)", listed, m->shown.nrows);
	return SAVE_WHAT_MAX;
}

static size_t make_legs(struct choice *c, const struct ui *ui)
{
	static const char *const names[] = { "both", "backend only" };

	for (unsigned i = 0; i < 2; i++) {
		snprintf(c[i].text, sizeof(c[i].text), "%s", names[i]);
		c[i].value = i;
		c[i].is_on = ui->popup.save.backend_only == !!i;
		c[i].is_dim = !formats[ui->popup.save.format].is_packets;
	}
	return 2;
}

static size_t make_formats(struct choice *c, const struct ui *ui)
{
	size_t n = 0;

	for (unsigned i = 0; i < TUI_FORMAT_MAX && n < CHOICES_MAX; i++) {
		if (!(ui->formats & 1u << i))
			continue;
		snprintf(c[n].text, sizeof(c[n].text), "%s", formats[i].name);
		c[n].value = i;
		c[n++].is_on = ui->popup.save.format == i;
	}
	return n;
}

/* The choices of a line, with their places relative to its first column. */
static size_t make_choices(struct choice *c, enum field field, const struct ui *ui,
			   const struct model *m)
{
	size_t n = 0;
	int x = VALUE_X;

	memset(c, 0, CHOICES_MAX * sizeof(*c));
	if (field == FIELD_WHAT)
		n = make_what(c, ui, m);
	else if (field == FIELD_LEGS)
		n = make_legs(c, ui);
	else if (field == FIELD_FORMAT)
		n = make_formats(c, ui);
	for (size_t i = 0; i < n; i++) {
		c[i].x = x;
		c[i].w = canvas_width(c[i].text) + 4;
		x += c[i].w + 2;
	}
	return n;
}

static void take_choice(struct ui *ui, const struct model *m, enum field field, unsigned value)
{
	if (field == FIELD_WHAT)
		ui->popup.save.what = (enum save_what)value;
	else if (field == FIELD_LEGS)
		ui->popup.save.backend_only = value;
	else
		ui->popup.save.format = value;
	if (ui->popup.save.is_own_path && field == FIELD_FORMAT)
		set_ending(ui);
	set_path(ui, m);
}

static void choose_next(struct ui *ui, const struct model *m, bool back)
{
	struct choice c[CHOICES_MAX];
	size_t n = make_choices(c, (enum field)ui->popup.row, ui, m);

	for (size_t i = 0; i < n; i++) {
		if (!c[i].is_on)
			continue;
		take_choice(ui, m, (enum field)ui->popup.row,
			    c[(i + (back ? n - 1 : 1)) % n].value);
		return;
	}
}

static unsigned save_now(struct ui *ui, const struct model *m)
{
	struct finding *one;
	size_t n;

	popup_save_list(ui, m, &one, &n);
	if (!n && ui->popup.save.what == SAVE_SELECTED) {
		ui_say(ui, STYLE_WARN, "Nothing is selected: Space selects, A selects all listed");
	} else if (!n) {
		ui_say(ui, STYLE_WARN, "There is no exchange to save");
	} else if (!ui->popup.save.path.len) {
		ui_say(ui, STYLE_WARN, "Where to? The path is empty");
	} else {
		ui->popup.kind = POPUP_NONE;
		return UI_REDRAW | UI_SAVE;
	}
	return UI_REDRAW;
}

static void dialog_place(const struct ui *ui, int *y, int *x, int *w)
{
	*w = ui->cols - 2 < DIALOG_W ? ui->cols - 2 : DIALOG_W;
	*y = (ui->rows - DIALOG_H) / 2 + 1;
	*x = (ui->cols - *w) / 2 + 2;
}

static void click(struct ui *ui, const struct model *m, int at_y, int at_x)
{
	struct choice c[CHOICES_MAX];
	int y, x, w, field;
	size_t n;

	dialog_place(ui, &y, &x, &w);
	field = at_y - y;
	if (field < -1 || field > DIALOG_H - 2 || at_x < x - 2 || at_x >= x - 2 + w) {
		ui->popup.kind = POPUP_NONE;
		return;
	}
	if (field < 0 || field >= FIELD_MAX)
		return;
	ui->popup.row = (size_t)field;
	n = make_choices(c, (enum field)field, ui, m);
	for (size_t i = 0; i < n; i++)
		if (at_x >= x + c[i].x && at_x < x + c[i].x + c[i].w)
			take_choice(ui, m, (enum field)field, c[i].value);
}

unsigned popup_save_key(struct ui *ui, const struct model *m, int key)
{
	struct prompt *path = &ui->popup.save.path;
	bool on_path = ui->popup.row == FIELD_PATH;

	if (key & KEY_W5_MOUSE) {
		if (mouse_what(key) == MOUSE_CLICK)
			click(ui, m, mouse_y(key), mouse_x(key));
	} else if (key == KEY_W5_ENTER || key == '\n') {
		return save_now(ui, m);
	} else if (key == KEY_W5_ESC || key == 7) { /* C-g */
		ui->popup.kind = POPUP_NONE;
	} else if (key == KEY_W5_TAB || key == KEY_W5_DOWN) {
		ui->popup.row = (ui->popup.row + 1) % FIELD_MAX;
	} else if (key == KEY_W5_UP) {
		ui->popup.row = (ui->popup.row + FIELD_MAX - 1) % FIELD_MAX;
	} else if (on_path) {
		size_t len = path->len;

		prompt_key(path, key);
		ui->popup.save.is_own_path |= path->len != len;
		set_format(ui);
	} else if (key == KEY_W5_LEFT || key == KEY_W5_RIGHT || key == ' ') {
		choose_next(ui, m, key == KEY_W5_LEFT);
	}
	return UI_REDRAW;
}

static void draw_path(struct canvas *c, int y, int x, int w, const struct ui *ui)
{
	const struct prompt *p = &ui->popup.save.path;
	size_t skip = w > 1 && p->at >= (size_t)w ? p->at - (size_t)w + 1 : 0;

	canvas_wire(c, y, x, w, STYLE_BOLD, p->text + skip);
	if (ui->popup.row != FIELD_PATH)
		return;
	if (p->at == p->len)
		canvas_text(c, y, x + (int)(p->at - skip), 1, STYLE_NORMAL, "_");
	canvas_restyle(c, y, x + (int)(p->at - skip), 1, STYLE_CURSOR);
}

void popup_save_draw(struct canvas *c, const struct model *m, const struct ui *ui)
{
	struct choice item[CHOICES_MAX];
	int y, x, w;

	dialog_place(ui, &y, &x, &w);
	popup_frame(c, DIALOG_H, w, "Save", &y, &x);
	for (int f = 0; f < FIELD_MAX; f++) {
		size_t n = make_choices(item, (enum field)f, ui, m);
		bool is_here = ui->popup.row == (size_t)f;

		canvas_text(c, y + f, x, VALUE_X - 1, is_here ? STYLE_KEY : STYLE_DIM,
			    field_names[f]);
		if (is_here)
			canvas_text(c, y + f, x - 1, 1, STYLE_BOLD, ">");
		for (size_t i = 0; i < n; i++)
			canvas_printf(c, y + f, x + item[i].x, w - 3 - item[i].x,
				      item[i].is_dim  ? STYLE_DIM
				      : item[i].is_on ? STYLE_BOLD
						      : STYLE_NORMAL,
				      "(%c) %s", item[i].is_on ? '*' : ' ', item[i].text);
	}
	draw_path(c, y + FIELD_PATH, x + VALUE_X, w - 4 - VALUE_X, ui);
	canvas_text(c, y + FIELD_MAX + 1, x, w - 4, STYLE_DIM,
		    "Enter saves  Tab next line  Left, Right choose  Esc cancels");
	if (!formats[ui->popup.save.format].is_packets)
		canvas_text(c, y + FIELD_MAX + 2, x, w - 4, STYLE_DIM,
			    "The findings, without their packets");
}
