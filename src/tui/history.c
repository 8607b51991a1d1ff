/* SPDX-License-Identifier: BSD-2-Clause */
/* A ring of lines. */
#include "tui/history.h"

#include <stdio.h>
#include <string.h>

static const char *nth_newest(const struct history *h, size_t back)
{
	return h->line[(h->oldest + h->n - back) % HISTORY_MAX];
}

bool history_add(struct history *h, const char *line)
{
	if (!*line || (h->n && !strcmp(nth_newest(h, 1), line)))
		return false;
	if (h->n == HISTORY_MAX)
		h->oldest = (h->oldest + 1) % HISTORY_MAX;
	else
		h->n++;
	snprintf(h->line[(h->oldest + h->n - 1) % HISTORY_MAX], PROMPT_MAX, "%s", line);
	return true;
}

static bool is_plain(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] < 0x20 || s[i] >= 0x7f)
			return false;
	return len && len < PROMPT_MAX;
}

void history_load(struct history *h, const char *text)
{
	char line[PROMPT_MAX];

	while (*text) {
		size_t len = strcspn(text, "\n");

		if (is_plain(text, len)) {
			snprintf(line, sizeof(line), "%.*s", (int)len, text);
			history_add(h, line);
		}
		text += len + (text[len] == '\n');
	}
}

void history_begin(struct history *h)
{
	h->back = 0;
}

const char *history_move(struct history *h, bool back, const char *typed)
{
	if (back ? h->back == h->n : !h->back)
		return NULL;
	if (!h->back)
		snprintf(h->draft, sizeof(h->draft), "%s", typed);
	h->back += back ? 1 : -1;
	return h->back ? nth_newest(h, h->back) : h->draft;
}
