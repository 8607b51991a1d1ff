/* SPDX-License-Identifier: BSD-2-Clause */
/* Key names, key scripts and the table of actions. Pure tables; owns nothing. */
#include "tui/keys.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

static const struct {
	const char *name;
	int key;
} key_names[] = {
	{ "Enter", KEY_W5_ENTER }, { "Esc", KEY_W5_ESC },      { "Tab", KEY_W5_TAB },
	{ "Space", ' ' },	   { "BS", KEY_W5_BACKSPACE }, { "Up", KEY_W5_UP },
	{ "Down", KEY_W5_DOWN },   { "Left", KEY_W5_LEFT },    { "Right", KEY_W5_RIGHT },
	{ "PgUp", KEY_W5_PGUP },   { "PgDn", KEY_W5_PGDN },    { "Home", KEY_W5_HOME },
	{ "End", KEY_W5_END },	   { "Del", KEY_W5_DELETE },   { "lt", '<' },
};

static const struct {
	const char *name, *keys, *help;
} actions[ACTION_MAX] = { [ACTION_NONE] = { "none", "", "" },
#define X(id, n, k, h) [ACTION_##id] = { n, k, h },
			  ACTIONS(X)
#undef X
};

int key_by_name(const char *name, size_t len)
{
	if (len == 1)
		return (unsigned char)name[0];
	if (len == 3 && name[0] == 'C' && name[1] == '-' && isalpha((unsigned char)name[2]))
		return toupper((unsigned char)name[2]) - 'A' + 1;
	if (len >= 2 && len <= 3 && name[0] == 'F' && isdigit((unsigned char)name[1])) {
		long n = strtol(name + 1, NULL, 10);

		return n >= 1 && n <= 12 ? KEY_W5_F0 + (int)n : KEY_W5_NONE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(key_names); i++)
		if (strlen(key_names[i].name) == len && !strncasecmp(key_names[i].name, name, len))
			return key_names[i].key;
	return KEY_W5_NONE;
}

enum action action_of_key(int key)
{
	for (int a = 1; a < ACTION_MAX; a++) {
		const char *p = actions[a].keys;

		while (*p) {
			size_t len = strcspn(p, " ");

			if (key_by_name(p, len) == key)
				return (enum action)a;
			p += len + (p[len] == ' ');
		}
	}
	return ACTION_NONE;
}

enum action action_by_name(const char *name, size_t len)
{
	for (int a = 0; a < ACTION_MAX; a++)
		if (strlen(actions[a].name) == len && !memcmp(actions[a].name, name, len))
			return (enum action)a;
	return ACTION_MAX;
}

void key_text(char *out, size_t cap, int key)
{
	for (size_t i = 0; i < ARRAY_SIZE(key_names); i++) {
		if (key_names[i].key != key || key == '<')
			continue;
		snprintf(out, cap, "%s", key_names[i].name);
		return;
	}
	if (key > ' ' && key < 0x7f)
		snprintf(out, cap, "%c", key);
	else if (key > 0 && key <= 26)
		snprintf(out, cap, "C-%c", key + 'a' - 1);
	else if (key > KEY_W5_F0 && key <= KEY_W5_F12)
		snprintf(out, cap, "F%d", key - KEY_W5_F0);
	else
		snprintf(out, cap, "?");
}

const char *action_name(enum action a)
{
	return actions[a].name;
}

const char *action_keys(enum action a)
{
	return actions[a].keys;
}

const char *action_help(enum action a)
{
	return actions[a].help;
}

/* Click:12,7 */
static int mouse_by_name(const char *name, size_t len)
{
	static const char *const kinds[] = {
		[MOUSE_CLICK] = "Click:", [MOUSE_WHEEL_UP] = "WheelUp:", [MOUSE_WHEEL_DOWN] = "WheelDown:"
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i]);
		char *end;
		long x, y;

		if (len <= n || strncasecmp(kinds[i], name, n))
			continue;
		x = strtol(name + n, &end, 10);
		if (*end != ',')
			continue;
		y = strtol(end + 1, &end, 10);
		if (end == name + len && x >= 0 && y >= 0 && x <= 0xfff && y <= 0xfff)
			return mouse_key((enum mouse)i, (int)y, (int)x);
	}
	return KEY_W5_NONE;
}

int key_script_next(const char **s)
{
	const char *p = *s, *end;
	int key;

	if (!*p)
		return KEY_W5_NONE;
	if (*p != '<') {
		*s = p + 1;
		return *p == '\n' ? KEY_W5_ENTER : (unsigned char)*p;
	}
	end = strchr(p, '>');
	key = end ? key_by_name(p + 1, (size_t)(end - p - 1)) : KEY_W5_NONE;
	if (end && key == KEY_W5_NONE)
		key = mouse_by_name(p + 1, (size_t)(end - p - 1));
	if (key == KEY_W5_NONE)
		return -EINVAL;
	*s = end + 1;
	return key;
}
