/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ncurses: cells to attributes, terminal keys to ours. What restores the terminal is
 * in rescue.c, prepared here, because a fatal signal must not call into ncurses.
 */
#include "tui/screen.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>

#include "base/util.h"
#include "tui/keys.h"
#include "tui/rescue.h"

/* Long enough for the bytes of an arrow key over a slow line, short for a lone Esc. */
#define ESCAPE_DELAY_MS 50

#define MOUSE_EVENTS (BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED)
/* What xterm and all its relatives understand: no reports, and not in the long form. */
#define MOUSE_OFF    "\033[?1006;1000l"

struct screen {
	SCREEN *term;
	bool is_ascii;
	int cols, rows;
	attr_t attr[STYLE_MAX];
	short pair[STYLE_MAX];
};

/* Foreground, background (-1: the terminal's own), attributes; and without colour. */
static const struct look {
	short fg, bg, fg_light;
	attr_t attr, mono;
} looks[STYLE_MAX] = {
	[STYLE_NORMAL] = { -1, -1, -1, 0, 0 },
	[STYLE_BOLD] = { -1, -1, -1, A_BOLD, A_BOLD },
	[STYLE_DIM] = { -1, -1, -1, A_DIM, A_DIM },
	[STYLE_BAR] = { COLOR_WHITE, COLOR_BLUE, COLOR_WHITE, 0, A_REVERSE },
	[STYLE_BAR_BAD] = { COLOR_WHITE, COLOR_RED, COLOR_WHITE, A_BOLD, A_REVERSE | A_BOLD },
	[STYLE_BAR_GOOD] = { COLOR_BLACK, COLOR_GREEN, COLOR_BLACK, 0, A_REVERSE },
	[STYLE_HEAD] = { COLOR_BLACK, COLOR_CYAN, COLOR_BLACK, 0, A_BOLD | A_UNDERLINE },
	[STYLE_HEAD_SORT] = { COLOR_BLACK, COLOR_GREEN, COLOR_BLACK, A_BOLD, A_REVERSE | A_BOLD },
	[STYLE_BAD] = { COLOR_RED, -1, COLOR_RED, A_BOLD, A_BOLD },
	[STYLE_WARN] = { COLOR_YELLOW, -1, COLOR_MAGENTA, 0, A_BOLD },
	[STYLE_GOOD] = { COLOR_GREEN, -1, COLOR_GREEN, 0, 0 },
	[STYLE_INFO] = { COLOR_CYAN, -1, COLOR_BLUE, 0, 0 },
	[STYLE_FRAME] = { COLOR_CYAN, -1, COLOR_BLUE, 0, A_DIM },
	[STYLE_CURSOR] = { -1, -1, -1, A_REVERSE, A_REVERSE },
	[STYLE_DECISIVE] = { COLOR_WHITE, COLOR_RED, COLOR_WHITE, A_BOLD, A_REVERSE | A_BOLD },
	[STYLE_MARKED] = { COLOR_YELLOW, -1, COLOR_MAGENTA, A_BOLD, A_BOLD },
	[STYLE_KEY] = { -1, -1, -1, A_BOLD, A_BOLD },
	[STYLE_KEY_TEXT] = { COLOR_BLACK, COLOR_CYAN, COLOR_BLACK, 0, A_REVERSE },
};

static bool wants_colour(enum tui_theme theme)
{
	const char *no = getenv("NO_COLOR");

	return theme != TUI_THEME_MONO && !(no && *no) && has_colors();
}

/* Some terminals say what they are: "0;15" is black on white. */
static bool is_light(void)
{
	const char *fgbg = getenv("COLORFGBG"), *bg = fgbg ? strrchr(fgbg, ';') : NULL;

	return bg && (!strcmp(bg, ";7") || !strcmp(bg, ";15"));
}

static void make_looks(struct screen *s, enum tui_theme theme)
{
	bool light = theme == TUI_THEME_LIGHT || (theme == TUI_THEME_AUTO && is_light());
	bool colour = wants_colour(theme), own = false;

	if (colour) {
		start_color();
		own = use_default_colors() == OK;
	}
	for (int i = 0; i < STYLE_MAX; i++) {
		const struct look *k = &looks[i];
		short fg = light ? k->fg_light : k->fg, bg = k->bg;

		s->attr[i] = colour ? k->attr : k->mono;
		if (!colour || (fg < 0 && bg < 0))
			continue;
		if (!own && fg < 0)
			fg = COLOR_WHITE;
		if (!own && bg < 0)
			bg = COLOR_BLACK;
		if (init_pair((short)(i + 1), fg, bg) == OK)
			s->pair[i] = (short)(i + 1);
	}
}

static const char *capability(const char *name)
{
	const char *s = tigetstr(name);

	return s && s != (char *)-1 ? s : "";
}

static size_t add_sequence(char seq[RESCUE_MAX], size_t n, const char *s)
{
	while (*s && n + 1 < RESCUE_MAX) {
		/* $<5>: padding for real terminals of long ago */
		if (s[0] == '$' && s[1] == '<' && strchr(s, '>'))
			s = strchr(s, '>') + 1;
		else
			seq[n++] = *s++;
	}
	return n;
}

static void make_rescue(bool mouse)
{
	static const char *const names[] = { "sgr0", "op", "rmkx", "cnorm", "rmcup" };
	char seq[RESCUE_MAX] = "";
	size_t n = 0;

	if (mouse)
		n = add_sequence(seq, n, MOUSE_OFF);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		n = add_sequence(seq, n, capability(names[i]));
	rescue_arm(seq, n);
}

/*
 * Presses and the wheel only, and at once: no motion, and no waiting for a second click. A
 * terminal keeps the mouse for itself while Shift is held, so text can still be selected.
 */
static bool open_mouse(bool wanted)
{
	mousemask(wanted ? MOUSE_EVENTS : 0, NULL);
	mouseinterval(0);
	return wanted && capability("kmous")[0];
}

static void screen_freep(struct screen **s)
{
	screen_close(*s);
}

int screen_open(struct screen **out, enum tui_theme theme, bool mouse)
{
	w5_auto(screen_freep) struct screen *s = NULL;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return -ENOTTY;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	/* the terminal takes bytes in the locale's encoding; numbers stay as in C */
	setlocale(LC_CTYPE, "");
	s->is_ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	if (rescue_save(STDIN_FILENO, STDOUT_FILENO))
		return -ENOTTY;
	s->term = newterm(NULL, stdout, stdin);
	if (!s->term)
		return -ENOTSUP;
	if (!capability("cup")[0])
		return -ENOTSUP;
	set_term(s->term);
	make_rescue(open_mouse(mouse));
	cbreak();
	noecho();
	nonl();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	set_escdelay(ESCAPE_DELAY_MS);
	curs_set(0);
	make_looks(s, theme);
	getmaxyx(stdscr, s->rows, s->cols);
	*out = take_ptr(s);
	return 0;
}

void screen_close(struct screen *s)
{
	if (!s)
		return;
	if (s->term) {
		endwin();
		delscreen(s->term);
	}
	rescue_disarm();
	free(s);
}

void screen_suspend(struct screen *s)
{
	endwin();
}

bool screen_is_ascii(const struct screen *s)
{
	return s->is_ascii;
}

bool screen_resize(struct screen *s, int *cols, int *rows)
{
	struct winsize ws;
	int old_cols = s->cols, old_rows = s->rows;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) && ws.ws_col && ws.ws_row &&
	    is_term_resized(ws.ws_row, ws.ws_col))
		resizeterm(ws.ws_row, ws.ws_col);
	getmaxyx(stdscr, s->rows, s->cols);
	*cols = s->cols;
	*rows = s->rows;
	return s->cols != old_cols || s->rows != old_rows;
}

void screen_show(struct screen *s, const struct canvas *c, bool repaint)
{
	if (repaint)
		clearok(stdscr, TRUE);
	for (int y = 0; y < c->rows && y < s->rows; y++) {
		for (int x = 0; x < c->cols && x < s->cols; x++) {
			const struct cell *cell = canvas_at(c, y, x);
			wchar_t ch[2] = { (wchar_t)cell->ch, 0 };
			cchar_t out;

			setcchar(&out, ch, s->attr[cell->style], s->pair[cell->style], NULL);
			/* the last cell reports an error because the cursor cannot go on */
			mvadd_wch(y, x, &out);
		}
	}
	refresh();
}

static const struct {
	int theirs, ours;
} key_map[] = {
	{ KEY_UP, KEY_W5_UP },	    { KEY_DOWN, KEY_W5_DOWN },
	{ KEY_LEFT, KEY_W5_LEFT },  { KEY_RIGHT, KEY_W5_RIGHT },
	{ KEY_PPAGE, KEY_W5_PGUP }, { KEY_NPAGE, KEY_W5_PGDN },
	{ KEY_HOME, KEY_W5_HOME },  { KEY_FIND, KEY_W5_HOME },
	{ KEY_END, KEY_W5_END },    { KEY_SELECT, KEY_W5_END },
	{ KEY_LL, KEY_W5_END },	    { KEY_ENTER, KEY_W5_ENTER },
	{ '\n', KEY_W5_ENTER },	    { KEY_BACKSPACE, KEY_W5_BACKSPACE },
	{ KEY_DC, KEY_W5_DELETE },  { KEY_RESIZE, KEY_W5_RESIZE },
};

static int mouse_event(void)
{
	MEVENT e;

	if (getmouse(&e) != OK)
		return KEY_W5_NONE;
	if (e.bstate & BUTTON1_PRESSED)
		return mouse_key(MOUSE_CLICK, e.y, e.x);
	if (e.bstate & BUTTON4_PRESSED)
		return mouse_key(MOUSE_WHEEL_UP, e.y, e.x);
	if (e.bstate & BUTTON5_PRESSED)
		return mouse_key(MOUSE_WHEEL_DOWN, e.y, e.x);
	return KEY_W5_NONE;
}

int screen_key(struct screen *s)
{
	for (;;) {
		int ch = wgetch(stdscr), ours;

		if (ch == ERR)
			return KEY_W5_NONE;
		if (ch == KEY_MOUSE) {
			ours = mouse_event();
			if (ours != KEY_W5_NONE)
				return ours;
			continue;
		}
		for (size_t i = 0; i < ARRAY_SIZE(key_map); i++)
			if (key_map[i].theirs == ch)
				return key_map[i].ours;
		if (ch >= KEY_F(1) && ch <= KEY_F(12))
			return KEY_W5_F0 + (ch - KEY_F(0));
		if (ch > 0 && ch < 0x80)
			return ch;
		/* a key we have no use for: the next one may matter */
	}
}

bool screen_is_gone(const struct screen *s)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR | POLLNVAL);
}
