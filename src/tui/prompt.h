/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of text asked for at the bottom of the screen. Embedded; owns nothing. */
#ifndef TUI_PROMPT_H
#define TUI_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/canvas.h"

#define PROMPT_MAX 256

enum prompt_kind {
	PROMPT_NONE,
	PROMPT_FILTER,
	PROMPT_SELECT,
	PROMPT_PACKETS,
	PROMPT_SAVE,
	PROMPT_REPORT,
};
enum prompt_result { PROMPT_GOES_ON, PROMPT_DONE, PROMPT_CANCELLED };

struct prompt {
	enum prompt_kind kind;
	char text[PROMPT_MAX];
	size_t len, at; /* at: cursor */
	char error[96];
	size_t error_at;
	char hint[256]; /* in place of the usual one */
};

void prompt_open(struct prompt *p, enum prompt_kind kind, const char *text);
void prompt_set(struct prompt *p, const char *text); /* cursor at the end */
enum prompt_result prompt_key(struct prompt *p, int key);
/* On the last row, and an error on the row above it. */
void prompt_draw(const struct prompt *p, struct canvas *c);

#endif
