/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal: the only user of ncurses. Opens it, copies a canvas to it, reads keys,
 * and restores it on every way out: screen_close(), exit(), and fatal signals.
 * At most one screen is open at a time.
 */
#ifndef TUI_SCREEN_H
#define TUI_SCREEN_H

#include <stdbool.h>

#include "tui/canvas.h"
#include "tui/tui.h"

struct screen;

/* -ENOTTY: stdin or stdout is no terminal; -ENOTSUP: TERM is unknown, or cannot move
 * the cursor (dumb). */
/* mouse: clicks and the wheel come as keys, where the terminal has them. */
int screen_open(struct screen **out, enum tui_theme theme, bool mouse);
void screen_close(struct screen *s); /* NULL is fine */
/* Gives the terminal back until the next screen_show(). */
void screen_suspend(struct screen *s);
/* The locale is not UTF-8: draw with ASCII characters. */
bool screen_is_ascii(const struct screen *s);
/* Takes over the terminal's present size. True if it changed since the last call. */
bool screen_resize(struct screen *s, int *cols, int *rows);
/* repaint: write every cell, whatever ncurses believes is there. */
void screen_show(struct screen *s, const struct canvas *c, bool repaint);
int screen_key(struct screen *s);	     /* enum key; KEY_W5_NONE: none waits */
bool screen_is_gone(const struct screen *s); /* the terminal hung up */

#endif
