/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The newest bad exchanges as columns. One row per column in a table: from which
 * screen width it is shown and how wide it may become.
 */
#include "tui/main_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "tui/fmt.h"

#define CELL_MAX 600

static void time_cell(char *out, size_t cap, const struct finding *f)
{
	text_time_of_day(out, cap, f->wall_ns);
}

static void ms_cell(char *out, size_t cap, const struct finding *f)
{
	fmt_ms(out, cap, f->duration_ns);
}

static void cause_cell(char *out, size_t cap, const struct finding *f)
{
	snprintf(out, cap, "%s", cause_name(f->cause));
}

static void tries_cell(char *out, size_t cap, const struct finding *f)
{
	snprintf(out, cap, "%zu", f->nattempts);
}

static void verdict_cell(char *out, size_t cap, const struct finding *f)
{
	snprintf(out, cap, "%s", verdict_name(f->verdict));
}

static void confidence_cell(char *out, size_t cap, const struct finding *f)
{
	snprintf(out, cap, "%s", confidence_name(f->confidence));
}

static void gateway_cell(char *out, size_t cap, const struct finding *f)
{
	size_t n = text_escape(out, cap, f->gateway_name, strlen(f->gateway_name));

	snprintf(out + n, cap - n, "/%u", f->down.tgid);
}

static void host_cell(char *out, size_t cap, const struct finding *f)
{
	text_escape(out, cap, f->host, strlen(f->host));
}

/* want: before anything else grows; max: if there is room; max 0: takes what is left. */
static const struct column {
	const char *title;
	int from_cols, min, want, max;
	bool right;
	void (*text)(char *out, size_t cap, const struct finding *f);
} columns[] = {
	{ "TIME", 0, 12, 12, 12, false, time_cell },
	{ "CLIENT", 100, 15, 15, 15, false, fmt_client },
	{ "HOST", 176, 14, 16, 24, false, host_cell },
	{ "REQUEST", 0, 7, 20, 0, false, fmt_request },
	{ "ST", 0, 3, 3, 3, false, fmt_status },
	{ "MS", 68, 6, 6, 6, true, ms_cell },
	{ "CAUSE", 0, 14, 15, 22, false, cause_cell },
	{ "UPSTREAM", 0, 14, 14, 21, false, fmt_upstream },
	{ "TRIES", 108, 5, 5, 5, true, tries_cell },
	{ "VERDICT", 132, 14, 14, 14, false, verdict_cell },
	{ "SURE", 142, 9, 9, 9, false, confidence_cell },
	{ "GATEWAY", 164, 14, 14, 20, false, gateway_cell },
};

static void grow(int *w, int to, int *left)
{
	int more = to - *w;

	if (more > *left)
		more = *left;
	if (more > 0) {
		*w += more;
		*left -= more;
	}
}

/* What a column can use, up to its max. From the groups, not from the rows on the
 * screen: it must not change while scrolling. */
static int used_width(const struct column *col, const struct snapshot *s)
{
	char text[CELL_MAX];
	int used = 0, w;

	if (col->text != cause_cell && col->text != fmt_upstream)
		return col->max;
	for (size_t i = 0; i < s->rank.n; i++) {
		col->text(text, sizeof(text), s->rank.rows[i].newest);
		w = canvas_width(text);
		used = w > used ? w : used;
	}
	return used > col->max ? col->max : used;
}

/* Width of each column, 0 = not shown. */
static void column_widths(int cols, const struct snapshot *s, int *w)
{
	int left = cols - 1; /* the cursor mark */

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		w[i] = cols >= columns[i].from_cols ? columns[i].min : 0;
		left -= w[i] ? w[i] + 1 : 0;
	}
	left++; /* no gap after the last */
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		if (w[i])
			grow(&w[i], columns[i].want, &left);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		if (w[i] && columns[i].max)
			grow(&w[i], used_width(&columns[i], s), &left);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		if (w[i] && !columns[i].max)
			grow(&w[i], cols, &left);
}

static enum style row_style(const struct finding *f, const struct column *col)
{
	if (!group_is_bad(f))
		return STYLE_DIM;
	if (col->text == fmt_status)
		return STYLE_BAD;
	if (col->text == cause_cell)
		return STYLE_BOLD;
	if (col->text == fmt_upstream)
		return STYLE_INFO;
	return STYLE_NORMAL;
}

static void draw_row(struct canvas *c, int y, const int *w, const struct finding *f, bool is_cursor)
{
	char text[CELL_MAX];
	int x = 1;

	if (is_cursor)
		canvas_text(c, y, 0, 1, STYLE_BOLD, ">");
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		if (!w[i])
			continue;
		columns[i].text(text, sizeof(text), f);
		if (columns[i].right)
			canvas_right(c, y, x, w[i], row_style(f, &columns[i]), text);
		else
			canvas_text(c, y, x, w[i], row_style(f, &columns[i]), text);
		x += w[i] + 1;
	}
	if (is_cursor)
		canvas_restyle(c, y, 0, c->cols, STYLE_CURSOR);
}

static void draw_head(struct canvas *c, int y, const int *w)
{
	int x = 1;

	canvas_fill(c, y, 0, c->cols, STYLE_HEAD, ' ');
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		if (!w[i])
			continue;
		if (columns[i].right)
			canvas_right(c, y, x, w[i], STYLE_HEAD, columns[i].title);
		else
			canvas_text(c, y, x, w[i], STYLE_HEAD, columns[i].title);
		x += w[i] + 1;
	}
}

void main_draw_list(struct canvas *c, const struct main_layout *lay, const struct model *m,
		    const struct ui *ui)
{
	const struct snapshot *s = &m->shown;
	int w[ARRAY_SIZE(columns)];

	column_widths(c->cols, s, w);
	draw_head(c, lay->head_y, w);
	for (int i = 0; i < lay->list_h; i++) {
		size_t row = ui->list.top + (size_t)i;

		if (row >= s->nrows)
			break;
		draw_row(c, lay->list_y + i, w, s->rows[row], row == ui->list.row);
	}
	if (!s->nrows)
		canvas_text(c, lay->list_y, 1, c->cols - 2, STYLE_DIM,
			    ui->filter[0] ? "Nothing listed matches the filter."
					  : "The exchanges counted above are no longer kept.");
}
