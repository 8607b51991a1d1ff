/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything that was lost or could not be read: how much, since when, what it means. */
#include "tui/ui.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "tui/fmt.h"

#define BELOW_ROWS 5

static void name_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	snprintf(out, cap, "%s", ((const struct loss_row *)row)->name);
}

static void count_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	text_count(out, cap, ((const struct loss_row *)row)->count);
}

static void minute_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	const struct loss_row *r = row;

	if (r->is_loss)
		fmt_rate(out, cap, (double)r->minute / 60);
	else
		snprintf(out, cap, "-");
}

static void clock_cell(char *out, size_t cap, uint64_t ns, const struct model *m)
{
	if (ns)
		fmt_time_of_day(out, cap, ns + m->shown.counters.wall_offset_ns);
	else
		snprintf(out, cap, "-");
}

static void first_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	clock_cell(out, cap, ((const struct loss_row *)row)->first_ns, m);
}

static void last_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	clock_cell(out, cap, ((const struct loss_row *)row)->last_ns, m);
}

static void what_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	snprintf(out, cap, "%s", ((const struct loss_row *)row)->what);
}

static void help_cell(char *out, size_t cap, const void *row, const struct model *m)
{
	snprintf(out, cap, "%s", ((const struct loss_row *)row)->help);
}

static int by_place(const void *a, const void *b)
{
	const struct loss_row *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

#define BY_NUMBER(name, field)                                         \
	static int by_##name(const void *a, const void *b)             \
	{                                                              \
		const struct loss_row *x = a, *y = b;                  \
                                                                       \
		return x->field < y->field ? -1 : x->field > y->field; \
	}
BY_NUMBER(count, count)
BY_NUMBER(minute, minute)
BY_NUMBER(first, first_ns)
BY_NUMBER(last, last_ns)

static int by_what(const void *a, const void *b)
{
	return strcmp(((const struct loss_row *)a)->what, ((const struct loss_row *)b)->what);
}

static int by_help(const void *a, const void *b)
{
	return strcmp(((const struct loss_row *)a)->help, ((const struct loss_row *)b)->help);
}

static enum style count_style(const void *row, const char *text)
{
	return strcmp(text, "0") ? STYLE_BAD : STYLE_NORMAL;
}

static enum style row_style(const void *row)
{
	return ((const struct loss_row *)row)->count ? STYLE_NORMAL : STYLE_DIM;
}

/* clang-format off */
static const struct list_column columns[] = {
	{ .title = "KIND", .help = "as in NDJSON, metrics and summary", .min = 10, .want = 10,
	  .max = 12, .text = name_cell, .compare = by_place },
	{ .title = "COUNT", .help = "since the start", .min = 5, .want = 5, .max = 5,
	  .right = true, .descends = true, .text = count_cell, .compare = by_count,
	  .style = count_style },
	{ .title = "/S", .help = "per second, in the last minute", .min = 5, .want = 5, .max = 5,
	  .right = true, .descends = true, .text = minute_cell, .compare = by_minute },
	{ .title = "FIRST", .help = "when it was first noticed", .min = 8, .want = 8, .max = 8,
	  .text = first_cell, .compare = by_first },
	{ .title = "LAST", .help = "when it was last noticed", .rank = 1, .min = 8, .want = 8,
	  .max = 8, .descends = true, .text = last_cell, .compare = by_last },
	{ .title = "WHAT", .help = "what was lost", .min = 20, .want = 48, .text = what_cell,
	  .compare = by_what },
	{ .title = "WHAT HELPS", .help = "option or deed", .rank = 5, .min = 20, .want = 48,
	  .max = 48, .text = help_cell, .compare = by_help },
};
/* clang-format on */

static size_t count(const struct model *m)
{
	return m->shown.troubles.nloss;
}

static const void *row_at(const struct model *m, size_t i)
{
	return &m->shown.troubles.loss[i];
}

static uint64_t id_of(const void *row)
{
	return ((const struct loss_row *)row)->id;
}

static void area(const struct model *m, const struct ui *ui, int *y, int *h)
{
	*y = 3;
	*h = ui->rows - 4 - BELOW_ROWS;
}

static const struct list_ops losses_list = {
	.title = "Lost and unread",
	.empty = "",
	.columns = columns,
	.ncolumns = ARRAY_SIZE(columns),
	.sort = 1,
	.natural = -1,
	.count = count,
	.row = row_at,
	.id = id_of,
	.area = area,
	.row_style = row_style,
};

static int draw_part(struct canvas *c, int y, const char *head, const char *text)
{
	char line[200];

	while (y < c->rows - 1 && canvas_wrap(&text, c->cols - 8, line, sizeof(line))) {
		canvas_text(c, y, 1, 6, STYLE_KEY, head);
		canvas_text(c, y++, 7, c->cols - 8, STYLE_NORMAL, line);
		head = "";
	}
	return y;
}

static void draw(struct canvas *c, const struct model *m, const struct ui *ui)
{
	const struct list *l = &ui->lists[VIEW_LOSSES];
	const struct loss_row *r = list_current(l, &losses_list, m);
	int y = c->rows - 1 - BELOW_ROWS;

	canvas_text(c, 1, 1, c->cols - 2, STYLE_BOLD, losses_list.title);
	canvas_text(c, 1, 18, c->cols - 19, STYLE_DIM,
		    m->lost ? "findings that a loss touches are never certain"
			    : "nothing was lost so far");
	list_draw(c, l, &losses_list, m, ui);
	if (!r)
		return;
	canvas_fill(c, y++, 0, c->cols, STYLE_FRAME, 0x2500);
	y = draw_part(c, y, "WHAT", r->what);
	y = draw_part(c, y, "MEANS", r->means);
	draw_part(c, y, "HELPS", r->help);
}

static int act(struct ui *ui, const struct model *m, enum action a)
{
	if (a != ACTION_LOSSES)
		return -1;
	ui->depth--;
	return UI_REDRAW;
}

static const enum action footer[] = { ACTION_HELP, ACTION_BACK, ACTION_SORT, ACTION_PAUSE,
				      ACTION_NONE };

const struct view_ops view_losses = {
	.title = "lost and unread",
	.list = &losses_list,
	.draw = draw,
	.act = act,
	.footer = footer,
};
