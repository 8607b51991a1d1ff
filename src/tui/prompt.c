/* SPDX-License-Identifier: BSD-2-Clause */
/* Line editing: the keys of readline that fingers expect. ASCII only. */
#include "tui/prompt.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "tui/keys.h"

static const struct {
	const char *label, *hint;
} kinds[] = {
	[PROMPT_NONE] = { "", "" },
	[PROMPT_FILTER] = { "Filter: ",
			    "as cause==keepalive-race && ms>500; Tab completes, Up: earlier" },
	[PROMPT_SELECT] = { "Select: ", "as cause==keepalive-race; empty: all that are listed" },
	[PROMPT_REPORT] = { "Report: ", "writes this name with .md and with .html" },
	[PROMPT_PACKETS] = { "Packets: ",
			     "a pcap-filter, as tcp[tcpflags] & tcp-rst != 0 or port 8080; empty: all" },
	[PROMPT_SAVE] = { "", "" }, /* in the save dialog */
};

void prompt_open(struct prompt *p, enum prompt_kind kind, const char *text)
{
	*p = (struct prompt){ .kind = kind };
	prompt_set(p, text);
}

void prompt_set(struct prompt *p, const char *text)
{
	p->len = p->at = (size_t)snprintf(p->text, sizeof(p->text), "%s", text);
	if (p->len >= sizeof(p->text))
		p->len = p->at = sizeof(p->text) - 1;
}

static void insert(struct prompt *p, char ch)
{
	if (p->len + 1 >= sizeof(p->text))
		return;
	memmove(p->text + p->at + 1, p->text + p->at, p->len - p->at + 1);
	p->text[p->at++] = ch;
	p->len++;
}

static void erase(struct prompt *p, size_t from, size_t to)
{
	memmove(p->text + from, p->text + to, p->len - to + 1);
	p->len -= to - from;
	p->at = from;
}

static size_t word_start(const struct prompt *p)
{
	size_t at = p->at;

	while (at && p->text[at - 1] == ' ')
		at--;
	while (at && p->text[at - 1] != ' ')
		at--;
	return at;
}

static void edit(struct prompt *p, int key)
{
	if (key == KEY_W5_BACKSPACE || key == 8) {
		if (p->at)
			erase(p, p->at - 1, p->at);
	} else if ((key == KEY_W5_DELETE || key == 4) && p->at < p->len) {
		erase(p, p->at, p->at + 1);
	} else if (key == KEY_W5_LEFT || key == 2) {
		p->at -= p->at > 0;
	} else if (key == KEY_W5_RIGHT || key == 6) {
		p->at += p->at < p->len;
	} else if (key == KEY_W5_HOME || key == 1) {
		p->at = 0;
	} else if (key == KEY_W5_END || key == 5) {
		p->at = p->len;
	} else if (key == 21) { /* C-u */
		erase(p, 0, p->at);
	} else if (key == 23) { /* C-w */
		erase(p, word_start(p), p->at);
	} else if (key >= 0x20 && key < 0x7f) {
		insert(p, (char)key);
	}
}

enum prompt_result prompt_key(struct prompt *p, int key)
{
	p->error[0] = '\0';
	if (key == KEY_W5_ENTER || key == '\n')
		return PROMPT_DONE;
	if (key == KEY_W5_ESC || key == 7) /* C-g */
		return PROMPT_CANCELLED;
	edit(p, key);
	return PROMPT_GOES_ON;
}

void prompt_draw(const struct prompt *p, struct canvas *c)
{
	int y = c->rows - 1, x, room;
	size_t skip;

	canvas_fill(c, y, 0, c->cols, STYLE_NORMAL, ' ');
	x = canvas_text(c, y, 0, c->cols, STYLE_KEY, kinds[p->kind].label);
	room = c->cols - x - 1;
	if (room < 4)
		return;
	skip = p->at > (size_t)room ? p->at - (size_t)room : 0;
	canvas_wire(c, y, x, room + 1, STYLE_BOLD, p->text + skip);
	if (p->at == p->len)
		canvas_text(c, y, x + (int)(p->at - skip), 1, STYLE_NORMAL, "_");
	canvas_restyle(c, y, x + (int)(p->at - skip), 1, STYLE_CURSOR);
	canvas_fill(c, y - 1, 0, c->cols, STYLE_NORMAL, ' ');
	if (p->error[0]) {
		int caret = x + (int)(p->error_at - min_size(skip, p->error_at));
		int w = canvas_width(p->error);

		canvas_text(c, y - 1, caret, 1, STYLE_BAD, "v");
		/* beside the mark, on whichever side it fits */
		if (caret + 2 + w <= c->cols || w + 1 > caret)
			canvas_text(c, y - 1, caret + 2, c->cols - caret - 2, STYLE_BAD, p->error);
		else
			canvas_text(c, y - 1, caret - 1 - w, w, STYLE_BAD, p->error);
	} else {
		canvas_text(c, y - 1, p->hint[0] ? 1 : x, c->cols - (p->hint[0] ? 1 : x),
			    p->hint[0] ? STYLE_INFO : STYLE_DIM,
			    p->hint[0] ? p->hint : kinds[p->kind].hint);
	}
}
