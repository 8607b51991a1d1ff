/* SPDX-License-Identifier: BSD-2-Clause */
/* Expressions entered before, for Up and Down in a prompt. Bounded; embedded, owns nothing. */
#ifndef TUI_HISTORY_H
#define TUI_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/prompt.h"

#define HISTORY_MAX 50

struct history {
	size_t n, oldest;
	size_t back; /* lines back from the newest; 0: what was being typed */
	char line[HISTORY_MAX][PROMPT_MAX];
	char draft[PROMPT_MAX];
};

/* False if there is nothing new to remember: it is empty, or the newest one again. */
bool history_add(struct history *h, const char *line);
/* Lines of a text, oldest first; what is too long or no plain ASCII is left out. */
void history_load(struct history *h, const char *text);
void history_begin(struct history *h); /* a prompt opens */
/* The line before (or after); NULL at the end. typed: what stands in the prompt now. */
const char *history_move(struct history *h, bool back, const char *typed);

#endif
