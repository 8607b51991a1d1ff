/* SPDX-License-Identifier: BSD-2-Clause */
/* Help, made from the tables: actions, filter fields, confidences, screen words. */
#include "tui/ui.h"

#include <stdio.h>

#include "base/util.h"
#include "sink/filter.h"

struct help_line {
	enum style style;
	char left[32], right[160];
};

static const struct {
	const char *left, *right;
} words[] = {
	{ "bad", "answered 502, 503 or 504, or not at all; recovered and aborted ones are dim" },
	{ "502/s (%)", "per second over the last 5 s, and their share of all requests" },
	{ "since, last", "first seen; or when it was last seen, if not for 30 s" },
	{ "↑ ↓", "a third more, or less, in the last 30 s than in the 30 s before" },
	{ "certain", "the evidence leaves one explanation, and no record was lost" },
	{ "likely", "the best explanation, with something not seen" },
	{ "ambiguous", "several connections fit equally; all are shown" },
	{ "gateway-made", "the gateway invented the status" },
	{ "passed-through", "a backend answered it" },
	{ "silent", "the client got no answer at all (ST ---)" },
	{ "◄ in the ladder", "the packet or event that decided" },
	{ "- - - >", "known from counters; the packet itself was not kept" },
	{ "lost", "records that got lost; findings they touch are never certain" },
};

static const struct {
	const char *left, *right;
} filter_head[] = {
	{ "", "" },
	{ "FILTER", "" },
	{ "FIELD OP VALUE", "OP is == != ~ !~ > >= < <=; Tab completes, Up brings earlier ones" },
	{ "FIELD in (A, B)", "also status in (500-504), upstream==10.0.3.0/24, ms>1.5s" },
	{ "&&  ||  !  ( )", "join terms; && may be left out; a bare word may occur anywhere" },
	{ "~", "contains; with ^ $ * [ ] ( ) { } | or \\ in it: regular expression" },
};

/* Line i of the page; false past its end. */
static bool help_line(const struct keymap *keymap, size_t i, struct help_line *out)
{
	const char *name, *what;
	size_t nfields = 0;

	*out = (struct help_line){ .style = STYLE_NORMAL };
	if (i == 0) {
		out->style = STYLE_BOLD;
		snprintf(out->left, sizeof(out->left), "KEYS");
		return true;
	}
	i--;
	if (i < ACTION_MAX - 1) {
		keymap_keys(out->left, sizeof(out->left), keymap, (enum action)(i + 1));
		snprintf(out->right, sizeof(out->right), "%s", action_help((enum action)(i + 1)));
		return true;
	}
	i -= ACTION_MAX - 1;
	if (i < ARRAY_SIZE(filter_head)) {
		out->style = i == 1 ? STYLE_BOLD : STYLE_NORMAL;
		snprintf(out->left, sizeof(out->left), "%s", filter_head[i].left);
		snprintf(out->right, sizeof(out->right), "%s", filter_head[i].right);
		return true;
	}
	i -= ARRAY_SIZE(filter_head);
	if (filter_field(i, &name, &what)) {
		snprintf(out->left, sizeof(out->left), "%s", name);
		snprintf(out->right, sizeof(out->right), "%s", what);
		return true;
	}
	while (filter_field(nfields, &name, &what))
		nfields++;
	i -= nfields;
	if (i < 2) {
		out->style = STYLE_BOLD;
		snprintf(out->left, sizeof(out->left), "%s", i ? "WORDS" : "");
		return true;
	}
	i -= 2;
	if (i >= ARRAY_SIZE(words))
		return false;
	snprintf(out->left, sizeof(out->left), "%s", words[i].left);
	snprintf(out->right, sizeof(out->right), "%s", words[i].right);
	return true;
}

static size_t page(const struct ui *ui)
{
	return ui->rows > 4 ? (size_t)(ui->rows - 2) : 1;
}

static size_t length(const struct keymap *keymap)
{
	struct help_line line;
	size_t n = 0;

	while (help_line(keymap, n, &line))
		n++;
	return n;
}

static void draw(struct canvas *c, const struct model *m, const struct ui *ui)
{
	struct help_line line;

	for (size_t i = 0; i < page(ui) && help_line(&ui->keymap, ui->help_top + i, &line); i++) {
		int y = 1 + (int)i;

		canvas_text(c, y, 1, 15, line.style == STYLE_BOLD ? STYLE_BOLD : STYLE_KEY,
			    line.left);
		canvas_text(c, y, 17, c->cols - 18, line.style, line.right);
	}
	if (ui->help_top + page(ui) < length(&ui->keymap))
		canvas_right(c, c->rows - 2, c->cols - 9, 8, STYLE_DIM, "↓ more");
}

static int act(struct ui *ui, const struct model *m, enum action a)
{
	size_t n = length(&ui->keymap), last = n > page(ui) ? n - page(ui) : 0, row = ui->help_top;

	if (a == ACTION_HELP) {
		ui->depth--;
		return UI_REDRAW;
	}
	if (!ui_move(&row, last + 1, page(ui), a))
		return -1;
	ui->help_top = row;
	return UI_REDRAW;
}

static const enum action footer[] = { ACTION_BACK, ACTION_NONE };

const struct view_ops view_help = {
	.title = "help",
	.draw = draw,
	.act = act,
	.footer = footer,
};
