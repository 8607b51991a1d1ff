/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tab in the filter prompt: completes what all candidates have in common, lists them, and
 * with another Tab goes through them. Embedded; owns nothing.
 */
#ifndef TUI_COMPLETE_H
#define TUI_COMPLETE_H

#include "sink/filter_complete.h"
#include "tui/model.h"
#include "tui/prompt.h"

struct complete {
	bool is_open;  /* candidates are listed: the next Tab goes on with them */
	size_t chosen; /* SIZE_MAX: none yet */
	struct filter_completion c;
};

void complete_tab(struct complete *c, struct prompt *p, const struct model *m);
/* Any other key. */
void complete_close(struct complete *c, struct prompt *p);

#endif
