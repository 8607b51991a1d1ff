/* SPDX-License-Identifier: BSD-2-Clause */
/* See complete.h; what fits comes from sink/filter_complete.c. */
#include "tui/complete.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The n first bytes of text in place of what stands between from and the cursor. */
static void replace(struct prompt *p, size_t from, const char *text, size_t n)
{
	size_t rest = p->len - p->at;

	if (from + n + rest >= sizeof(p->text))
		return;
	memmove(p->text + from + n, p->text + p->at, rest + 1);
	memcpy(p->text + from, text, n);
	p->at = from + n;
	p->len = p->at + rest;
}

/* The candidates from the chosen one on, as far as a line goes. */
static void list(const struct complete *c, struct prompt *p)
{
	size_t first = c->chosen == SIZE_MAX ? 0 : c->chosen, n = 0;

	p->hint[0] = '\0';
	for (size_t i = first; i < c->c.n && n < sizeof(p->hint); i++)
		n += (size_t)snprintf(p->hint + n, sizeof(p->hint) - n,
				      i == c->chosen ? "[%s]  " : "%s  ", c->c.text[i]);
}

static void say(struct prompt *p, const char *text)
{
	snprintf(p->hint, sizeof(p->hint), "%s", text);
}

static void open_list(struct complete *c, struct prompt *p, const struct model *m)
{
	size_t common;

	filter_complete(&c->c, p->text, p->at, m->shown.rows, m->shown.nrows);
	common = filter_completion_common(&c->c);
	c->chosen = SIZE_MAX;
	c->is_open = c->c.n > 1;
	if (!c->c.n)
		say(p, "nothing is known that could stand here");
	else if (common > p->at - c->c.from || c->c.n == 1)
		replace(p, c->c.from, c->c.text[0], common);
	if (c->c.n == 1)
		p->hint[0] = '\0';
	if (c->is_open)
		list(c, p);
}

void complete_tab(struct complete *c, struct prompt *p, const struct model *m)
{
	p->error[0] = '\0';
	if (!c->is_open) {
		open_list(c, p, m);
		return;
	}
	c->chosen = c->chosen == SIZE_MAX ? 0 : (c->chosen + 1) % c->c.n;
	replace(p, c->c.from, c->c.text[c->chosen], strlen(c->c.text[c->chosen]));
	list(c, p);
}

void complete_close(struct complete *c, struct prompt *p)
{
	c->is_open = false;
	p->hint[0] = '\0';
}
