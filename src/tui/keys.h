/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys and what they mean. One row per action: name, keys, help. The bindings, the
 * footer, the help page and (by name) a configuration all come from these rows.
 */
#ifndef TUI_KEYS_H
#define TUI_KEYS_H

#include <stddef.h>
#include <stdint.h>

/* A key: an ASCII character, a control character (1..31), or one of these. */
enum key {
	KEY_W5_NONE = 0,
	KEY_W5_TAB = 9,
	KEY_W5_ENTER = 13,
	KEY_W5_ESC = 27,
	KEY_W5_BACKSPACE = 127,
	KEY_W5_UP = 256,
	KEY_W5_DOWN,
	KEY_W5_LEFT,
	KEY_W5_RIGHT,
	KEY_W5_PGUP,
	KEY_W5_PGDN,
	KEY_W5_HOME,
	KEY_W5_END,
	KEY_W5_DELETE,
	KEY_W5_RESIZE,
	KEY_W5_F0 = 300, /* F1 is KEY_W5_F0 + 1 */
	KEY_W5_F12 = KEY_W5_F0 + 12,
	KEY_W5_MOUSE = 0x40000000, /* with what it did, and where: see mouse_key() */
};

enum mouse { MOUSE_CLICK, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN };

static inline int mouse_key(enum mouse what, int y, int x)
{
	return KEY_W5_MOUSE | (int)what << 24 | (y & 0xfff) << 12 | (x & 0xfff);
}

static inline enum mouse mouse_what(int key)
{
	return (enum mouse)(key >> 24 & 0x3f);
}

static inline int mouse_y(int key)
{
	return key >> 12 & 0xfff;
}

static inline int mouse_x(int key)
{
	return key & 0xfff;
}

/* id, name, keys (as <Name> or characters, blank between), help */
#define ACTIONS(X)                                                                               \
	X(UP, "up", "Up k", "move up, scroll up")                                                \
	X(DOWN, "down", "Down j", "move down, scroll down")                                      \
	X(PAGE_UP, "page-up", "PgUp C-b", "one page up")                                         \
	X(PAGE_DOWN, "page-down", "PgDn C-f", "one page down")                                   \
	X(HOME, "home", "Home g", "first row")                                                   \
	X(END, "end", "End G", "last row; the list then follows the newest")                     \
	X(OPEN, "open", "Enter", "go in: the ladder of an exchange, the exchanges of a row")     \
	X(BACK, "back", "q Esc",                                                                 \
	  "go back; on the first screen quit (Esc clears the filter first)")                     \
	X(PREV, "previous", "Left P", "ladder: previous exchange")                               \
	X(NEXT, "next", "Right n", "ladder: next exchange")                                      \
	X(ALL, "all-packets", "a",                                                               \
	  "ladder: also bare ACKs and earlier requests of the connection")                       \
	X(LINKED, "linked", "l", "ladder: the earlier failure that caused this one")             \
	X(FILTER, "filter", "/ F3", "show only exchanges that match an expression (empty: all)") \
	X(SAME, "same-cause", "f", "only exchanges with this cause and upstream; again: all")    \
	X(SELECT, "select", "Space", "select the exchange, or no longer")                        \
	X(SELECT_ALL, "select-all", "A", "select all listed, or those that match an expression") \
	X(UNSELECT, "unselect", "U", "select nothing")                                           \
	X(SAVE, "save", "s F2", "save this exchange, or the selected ones: as what, and where")  \
	X(SAVE_ALL, "save-all", "S", "save all listed exchanges")                                \
	X(REPORT, "report", "R", "write an incident report: Markdown and HTML")                  \
	X(UPSTREAMS, "upstreams", "u", "what each upstream did: requests, failures, times")      \
	X(ENDPOINTS, "endpoints", "e", "bad exchanges by endpoint: Host and path, ids folded")   \
	X(CLIENTS, "clients", "c", "bad exchanges by the client's network")                      \
	X(HOST, "host", "h", "the host's own limits: what is near, what it means, what to do")   \
	X(WORKERS, "workers", "W", "bad exchanges by gateway process")                           \
	X(SORT_RIGHT, "sort-right", ">", "sort by the column to the right")                      \
	X(SORT_LEFT, "sort-left", "<", "sort by the column to the left")                         \
	X(INVERT, "invert", "I", "sort the other way round")                                     \
	X(SORT, "sort", "F6", "choose the column to sort by")                                    \
	X(COLUMNS, "columns", "t F10", "choose the columns")                                     \
	X(EVENTS, "events", "v", "TCP trouble as it comes: refused, resets, retransmits, ...")   \
	X(LOSSES, "losses", "L", "what was lost or not read, since when, and what helps")        \
	X(PACKETS, "packets", "x", "ladder: its packets, decoded, with their bytes")             \
	X(WINDOW, "window", "w", "list and count the last minute, 5 minutes, everything")        \
	X(PAUSE, "pause", "p", "freeze the screen; collecting goes on")                          \
	X(REDRAW, "redraw", "C-l", "draw the screen anew")                                       \
	X(HELP, "help", "F1 ?", "this page")                                                     \
	X(QUIT, "quit", "Q", "leave at once, from any screen")

enum action {
	ACTION_NONE,
#define X(id, name, keys, help) ACTION_##id,
	ACTIONS(X)
#undef X
		ACTION_MAX,
};

enum action action_of_key(int key);
const char *action_name(enum action a);
const char *action_keys(enum action a); /* "s F2" */
const char *action_help(enum action a);

/* "save", "none"; ACTION_MAX if there is none of that name */
enum action action_by_name(const char *name, size_t len);
/* The name key_by_name() takes; "?" for what has none. */
void key_text(char *out, size_t cap, int key);
/* "Enter", "C-l", "F1", "x": the key of that name, or KEY_W5_NONE. */
int key_by_name(const char *name, size_t len);
/* Next key of a script: characters are themselves, <Name> is a named key, <lt> is '<',
 * <Click:X,Y>, <WheelUp:X,Y> and <WheelDown:X,Y> are the mouse.
 * Advances *s; KEY_W5_NONE at the end, -EINVAL for an unknown name (at *s). */
int key_script_next(const char **s);

#endif
