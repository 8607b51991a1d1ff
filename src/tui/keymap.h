/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys bound by a configuration, over those of the table in keys.h. Embedded; owns nothing. */
#ifndef TUI_KEYMAP_H
#define TUI_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/keys.h"

#define KEYMAP_MAX	64
#define KEYMAP_TEXT_MAX 64

struct keymap {
	size_t n;
	struct {
		int key;
		enum action action; /* ACTION_NONE: the key does nothing */
	} bind[KEYMAP_MAX];
};

int keymap_bind(struct keymap *k, int key, enum action a); /* 0, -ENOSPC */
/* True if this key was bound; *a is what it does then. */
bool keymap_find(const struct keymap *k, int key, enum action *a);
enum action keymap_action(const struct keymap *k, int key); /* else as in the table */
/* Keys of an action, blank between, those bound first: "x s F2"; "" if none is left. */
void keymap_keys(char *out, size_t cap, const struct keymap *k, enum action a);
/* The first of them; key (as the key bar has it) if that still means it. */
void keymap_key(char *out, size_t cap, const struct keymap *k, enum action a, const char *key);

#endif
