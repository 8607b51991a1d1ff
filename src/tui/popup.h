/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What opens over a view and takes all keys until it is closed: the sort menu, the column
 * menu, the save dialog. Embedded in struct ui; owns nothing.
 */
#ifndef TUI_POPUP_H
#define TUI_POPUP_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/canvas.h"
#include "tui/prompt.h"

struct model;
struct ui;
struct finding;

enum popup_kind { POPUP_NONE, POPUP_SORT, POPUP_COLUMNS, POPUP_SAVE, POPUP_MAX };

enum save_what { SAVE_THIS, SAVE_SELECTED, SAVE_LISTED, SAVE_WHAT_MAX };

struct popup {
	enum popup_kind kind;
	size_t row; /* under the cursor */
	struct {
		enum save_what what;
		bool backend_only;
		unsigned format;    /* enum tui_format */
		struct prompt path; /* its editor */
		bool is_own_path;   /* the user's: stays when what or format change */
	} save;
};

void popup_open_columns(struct ui *ui, enum popup_kind kind);
void popup_open_save(struct ui *ui, const struct model *m, enum save_what what);
unsigned popup_key(struct ui *ui, const struct model *m, int key); /* enum ui_reaction */
void popup_draw(struct canvas *c, const struct model *m, const struct ui *ui);

/* The exchanges the save dialog is about; borrowed. one: room for a single one. */
struct finding *const *popup_save_list(const struct ui *ui, const struct model *m,
				       struct finding **one, size_t *n);

/* ---- popup_save.c, for popup.c ---- */

unsigned popup_save_key(struct ui *ui, const struct model *m, int key);
void popup_save_draw(struct canvas *c, const struct model *m, const struct ui *ui);
/* A box in the middle of the page; what is inside it begins at *y, *x. */
void popup_frame(struct canvas *c, int h, int w, const char *title, int *y, int *x);

#endif
