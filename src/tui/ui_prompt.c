/* SPDX-License-Identifier: BSD-2-Clause */
/* The prompts of the view: what a key does in one, and what is done with what was entered. */
#include "tui/ui.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "sink/pktfilter.h"

/* NULL: it is wrong, and the prompt says where. */
static struct filter *parse_prompt(struct ui *ui)
{
	struct filter_error err = { 0 };
	struct filter *flt = NULL;
	int ret = filter_parse(&flt, ui->prompt.text, &err);

	if (!ret)
		return flt;
	snprintf(ui->prompt.error, sizeof(ui->prompt.error), "%s",
		 ret == -EINVAL ? err.text : "out of memory");
	ui->prompt.error_at = ui->prompt.at = min_size(err.at, ui->prompt.len);
	return NULL;
}

/* All listed that match, on top of those already selected. */
static void select_matching(struct ui *ui, const struct model *m, const struct filter *flt)
{
	int err = 0;

	for (size_t i = 0; i < m->shown.nrows && !err; i++)
		if (filter_match(flt, m->shown.rows[i]))
			err = selection_add(&ui->selected, m->shown.rows[i]);
	ui_say_selected(ui, err);
}

int ui_set_packet_filter(struct ui *ui, const char *expr)
{
	struct pktfilter *flt = NULL;
	size_t at;
	int err = *expr ? pktfilter_new(&flt, expr, ui->prompt.error, &at) : 0;

	if (err) {
		ui->prompt.error_at = min_size(at, ui->prompt.len);
		return err;
	}
	pktfilter_free(ui->packets.filter);
	ui->packets.filter = flt;
	snprintf(ui->packets.expr, sizeof(ui->packets.expr), "%s", expr);
	ui->packets.row = 0;
	return 0;
}

static unsigned packets_entered(struct ui *ui)
{
	if (!ui_set_packet_filter(ui, ui->prompt.text))
		ui->prompt.kind = PROMPT_NONE;
	return UI_REDRAW;
}

static unsigned prompt_entered(struct ui *ui, const struct model *m)
{
	bool is_select = ui->prompt.kind == PROMPT_SELECT;
	struct filter *flt;

	if (ui->prompt.kind == PROMPT_REPORT) {
		ui->prompt.kind = PROMPT_NONE;
		return UI_REDRAW | (ui->prompt.len ? UI_REPORT : 0);
	}
	if (ui->prompt.kind == PROMPT_PACKETS)
		return packets_entered(ui);
	flt = ui->prompt.len ? parse_prompt(ui) : NULL;
	if (!flt && ui->prompt.len)
		return UI_REDRAW;
	ui->prompt.kind = PROMPT_NONE;
	if (is_select)
		select_matching(ui, m, flt);
	filter_free(flt);
	if (is_select)
		return UI_REDRAW;
	return (history_add(&ui->history, ui->prompt.text) ? UI_REMEMBER : 0) |
	       ui_set_filter(ui, ui->prompt.text);
}

/* Keys that mean something only where an expression is asked for. */
static bool expression_key(struct ui *ui, const struct model *m, int key)
{
	bool back = key == KEY_W5_UP || key == 16; /* C-p, C-n */
	const char *line;

	if (ui->prompt.kind != PROMPT_FILTER && ui->prompt.kind != PROMPT_SELECT)
		return false;
	if (key == KEY_W5_TAB) {
		complete_tab(&ui->complete, &ui->prompt, m);
		return true;
	}
	complete_close(&ui->complete, &ui->prompt);
	if (!back && key != KEY_W5_DOWN && key != 14)
		return false;
	ui->prompt.error[0] = '\0';
	line = history_move(&ui->history, back, ui->prompt.text);
	if (line)
		prompt_set(&ui->prompt, line);
	return true;
}

unsigned ui_prompt_key(struct ui *ui, const struct model *m, int key)
{
	enum prompt_result r;

	if (expression_key(ui, m, key))
		return UI_REDRAW;
	r = prompt_key(&ui->prompt, key);
	if (r == PROMPT_CANCELLED)
		ui->prompt.kind = PROMPT_NONE;
	return UI_REDRAW | (r == PROMPT_DONE ? prompt_entered(ui, m) : 0);
}
