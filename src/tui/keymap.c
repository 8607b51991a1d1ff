/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/keymap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int keymap_bind(struct keymap *k, int key, enum action a)
{
	for (size_t i = 0; i < k->n; i++) {
		if (k->bind[i].key == key) {
			k->bind[i].action = a;
			return 0;
		}
	}
	if (k->n == KEYMAP_MAX)
		return -ENOSPC;
	k->bind[k->n].key = key;
	k->bind[k->n++].action = a;
	return 0;
}

bool keymap_find(const struct keymap *k, int key, enum action *a)
{
	for (size_t i = 0; i < k->n; i++) {
		if (k->bind[i].key == key) {
			*a = k->bind[i].action;
			return true;
		}
	}
	return false;
}

enum action keymap_action(const struct keymap *k, int key)
{
	enum action a;

	return keymap_find(k, key, &a) ? a : action_of_key(key);
}

static void append(char *out, size_t cap, const char *name, size_t len)
{
	size_t n = strlen(out);

	snprintf(out + n, cap - n, "%s%.*s", n ? " " : "", (int)len, name);
}

void keymap_keys(char *out, size_t cap, const struct keymap *k, enum action a)
{
	const char *p = action_keys(a);
	enum action other;
	char name[16];

	out[0] = '\0';
	for (size_t i = 0; i < k->n; i++) {
		if (k->bind[i].action != a)
			continue;
		key_text(name, sizeof(name), k->bind[i].key);
		append(out, cap, name, strlen(name));
	}
	while (*p) {
		size_t len = strcspn(p, " ");

		if (!keymap_find(k, key_by_name(p, len), &other))
			append(out, cap, p, len);
		p += len + (p[len] == ' ');
	}
}

void keymap_key(char *out, size_t cap, const struct keymap *k, enum action a, const char *key)
{
	char keys[KEYMAP_TEXT_MAX];
	enum action other;

	if (!keymap_find(k, key_by_name(key, strlen(key)), &other) || other == a) {
		snprintf(out, cap, "%s", key);
		return;
	}
	keymap_keys(keys, sizeof(keys), k, a);
	snprintf(out, cap, "%.*s", (int)strcspn(keys, " "), keys);
}
