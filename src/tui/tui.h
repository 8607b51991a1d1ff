/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live view. One thread; the app owns the loop and calls in:
 *
 *	tui_key()    stdin is readable
 *	tui_sink()   findings and ticks, like every other sink
 *	tui_draw()   on the ~10 Hz tick; does nothing unless something changed
 *	tui_resize() on SIGWINCH (tui_draw also looks by itself)
 *	tui_free()   restores the terminal
 *
 * With cfg.dump set there is no terminal: tui_play() feeds cfg.keys and writes the
 * screen as text. Nothing here reads a clock: time comes from the engine.
 */
#ifndef TUI_TUI_H
#define TUI_TUI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "sink/sink.h"

struct tui;
struct keymap;
struct model_input;

enum tui_theme { TUI_THEME_AUTO, TUI_THEME_MONO, TUI_THEME_DARK, TUI_THEME_LIGHT };

enum tui_reaction {
	TUI_REDRAW = 0x01, /* tui_draw() has something to do */
	TUI_QUIT = 0x02,
};

/* What a save may write. */
enum tui_format {
	TUI_FORMAT_PCAPNG,
	TUI_FORMAT_PCAP,
	TUI_FORMAT_NDJSON,
	TUI_FORMAT_TEXT,
	TUI_FORMAT_MAX,
};

struct tui_save {
	struct finding *const *f; /* oldest first */
	size_t n;
	const char *path;
	enum tui_format format;
	bool backend_only; /* packets of the backends' conns alone */
};

#define TUI_MAX_FINDINGS 2000 /* default of max_findings */

struct tui_cfg {
	bool is_replay;	     /* a file, not the present: says REPLAY, rates of the whole run */
	size_t max_findings; /* kept for the list, newest win; 0 = TUI_MAX_FINDINGS */
	const char *filter;  /* in force at the start, or NULL */
	const char *packet_filter; /* the same of the packets screen: pcap-filter(7) */
	const char *history;	   /* filters entered before, a line each; borrowed for tui_new() */
	enum tui_theme theme;
	const struct keymap *keymap; /* keys bound by the user; copied; or NULL */
	bool no_mouse;
	bool ascii; /* even where the locale is UTF-8 */

	/* Writes findings to a file; a line for the user goes to msg, also on failure. 0 or
	 * -errno. NULL: saving is not offered. */
	int (*save)(void *self, const struct tui_save *what, char *msg, size_t msglen);
	/* Writes a report of the session, as Markdown and as HTML: path and its endings. As
	 * save. NULL: not offered. */
	int (*report)(void *self, const char *path, char *msg, size_t msglen);
	unsigned formats;	/* bits of enum tui_format that save can write */
	enum tui_format format; /* the one offered first */
	/* A filter was entered that is to be remembered. NULL: for this session only. */
	void (*remember)(void *self, const char *expr);
	void *self;

	/* Without a terminal: */
	FILE *dump;	  /* borrowed */
	const char *keys; /* "<Down><Enter>/status==502<Enter>"; borrowed */
	int cols, rows;
};

/* -ENOTTY, -ENOTSUP (see screen.h), -EINVAL (filter or size), -ENOMEM. */
int tui_new(struct tui **out, const struct tui_cfg *cfg);
void tui_free(struct tui *t); /* NULL is fine */
/* Its close() only takes the last counters: the view stays until tui_free(). */
struct sink tui_sink(struct tui *t);
int tui_key(struct tui *t); /* all waiting keys; enum tui_reaction bits */
void tui_draw(struct tui *t);
void tui_resize(struct tui *t);
/* Around a stop (Ctrl-Z): gives the terminal back, and takes it again. */
void tui_suspend(struct tui *t);
void tui_resume(struct tui *t);
/* What was followed has come to its end: from now on it is a replay. */
void tui_ended(struct tui *t);
/* Feeds cfg.keys, then writes the screen to cfg.dump. 0, or -EINVAL for a bad script.
 * Once: the sink's close() does it if nobody has. */
int tui_play(struct tui *t);
/* What the sink's tick does, with the numbers given instead of an engine's. */
int tui_tick(struct tui *t, const struct model_input *in);

#endif
