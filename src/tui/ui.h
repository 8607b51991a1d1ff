/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the user looks at: which view, cursor, scroll, filter text, prompt. Keys change
 * this and nothing else; what has to happen outside comes back as reaction bits.
 * Holds references to the finding in the ladder and to those selected.
 */
#ifndef TUI_UI_H
#define TUI_UI_H

#include "tui/canvas.h"
#include "tui/complete.h"
#include "tui/history.h"
#include "tui/keymap.h"
#include "tui/keys.h"
#include "tui/list.h"
#include "tui/model.h"
#include "tui/popup.h"
#include "tui/prompt.h"
#include "tui/select.h"

struct pktfilter;

#define UI_MIN_COLS  60
#define UI_MIN_ROWS  12
#define UI_DEPTH_MAX 8

enum view_id {
	VIEW_MAIN,
	VIEW_LADDER,
	VIEW_UPSTREAMS,
	VIEW_ENDPOINTS,
	VIEW_CLIENTS,
	VIEW_WORKERS,
	VIEW_EVENTS,
	VIEW_LOSSES,
	VIEW_PACKETS,
	VIEW_HOST,
	VIEW_HELP,
	VIEW_MAX
};

enum ui_reaction {
	UI_REDRAW = 0x01,
	UI_QUIT = 0x02,
	UI_REFILTER = 0x04,   /* ui->filter is another one */
	UI_PAUSE = 0x08,      /* toggle */
	UI_WINDOW = 0x10,     /* next window of list and WHY panel */
	UI_SAVE = 0x20,	      /* what ui->popup.save says */
	UI_REMEMBER = 0x1000, /* ui->filter was entered by hand, and is new */
	UI_REPORT = 0x2000,   /* write a report, as ui->prompt.text says */
	UI_REPAINT = 0x40,    /* the terminal may show something else: draw every cell */
};

struct ui {
	int cols, rows;
	enum view_id stack[UI_DEPTH_MAX];
	size_t depth;		     /* of stack; at least 1 */
	struct list lists[VIEW_MAX]; /* of the views that are one */
	struct selection selected;
	bool can_report;
	struct {
		size_t row, top;
	} host;
	struct {
		struct finding *f;
		size_t top;
		bool all, is_fresh; /* fresh: just opened, not yet scrolled */
	} ladder;
	struct {
		size_t row, top, skip; /* skip: lines of bytes, of the one alone */
		bool is_alone;
		char expr[PROMPT_MAX];
		struct pktfilter *filter; /* of expr; NULL: all */
	} packets;
	size_t help_top;
	struct keymap keymap;
	struct prompt prompt;
	struct complete complete;
	struct history history; /* of filters */
	char filter[PROMPT_MAX];
	bool filter_is_row; /* made by entering a row, see ui_enter_row() */
	struct popup popup;
	unsigned formats;  /* bits of enum tui_format that can be saved; 0: saving is not offered */
	char message[192]; /* instead of the footer, until the next key */
	enum style message_style;
};

struct key_action {
	int key;
	enum action action;
};

struct view_ops {
	const char *title;
	/* The view is a list: moving, sorting, columns and mouse come with it. */
	const struct list_ops *list;
	/* NULL: the list alone, with a line about it above. */
	void (*draw)(struct canvas *c, const struct model *m, const struct ui *ui);
	/* Reactions, or -1: not mine, do what the action does everywhere. */
	int (*act)(struct ui *ui, const struct model *m, enum action a);
	/* Brings cursor and scroll into range after a change of data or size. */
	void (*sync)(struct ui *ui, const struct model *m);
	const enum action *footer; /* shown in the key bar, ends with ACTION_NONE */
	const char *enters;	   /* what Enter shows, for the key bar; NULL = "Ladder" */
	/* Keys that mean something else here than in keys.h; ends with key 0. */
	const struct key_action *keys;
};
extern const struct view_ops view_main, view_ladder, view_upstreams, view_help;
extern const struct view_ops view_events, view_losses, view_packets;
extern const struct view_ops view_endpoints, view_clients, view_workers, view_host;
extern const struct list_ops exchanges_list; /* main_list.c */

void ui_init(struct ui *ui, int cols, int rows, unsigned formats);
void ui_fini(struct ui *ui);
unsigned ui_key(struct ui *ui, const struct model *m, int key); /* enum ui_reaction */
void ui_sync(struct ui *ui, const struct model *m);
void ui_resize(struct ui *ui, const struct model *m, int cols, int rows);
void ui_draw(struct canvas *c, const struct model *m, const struct ui *ui);
void ui_say(struct ui *ui, enum style st, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- for views ---- */

void ui_push(struct ui *ui, enum view_id v);
/* Does what the key of this action does. */
unsigned ui_do(struct ui *ui, const struct model *m, enum action a);
/* Of the view on top; NULL: it is no list. */
const struct list_ops *ui_list_ops(const struct ui *ui);
struct list *ui_list(struct ui *ui);
/* The exchange the view is about: that of the ladder, or under the cursor. Borrowed. */
struct finding *ui_selected(const struct ui *ui, const struct model *m);
unsigned ui_set_filter(struct ui *ui, const char *expr);
/* The exchanges of a row: screens that count by rows go on with all of theirs. */
unsigned ui_enter_row(struct ui *ui, const char *expr);
/* 0 or -errno, with what is wrong in the prompt. */
int ui_set_packet_filter(struct ui *ui, const char *expr);
void ui_open_ladder(struct ui *ui, const struct model *m, struct finding *f);
/* Of the exchange in the ladder; the cursor is on the one that decided. */
void ui_open_packets(struct ui *ui);
/* Scroll and cursor arithmetic shared by all lists: false if the action is no movement. */
bool ui_move(size_t *row, size_t n, size_t page, enum action a);
void ui_scroll_to(size_t *top, size_t row, size_t n, size_t page);

/* Line 0: host, gateways, rates, state, loss. The same in every view. */
void title_draw(struct canvas *c, const struct model *m);
/* "Filter: ..." at x, if there is one, and room. */
void ui_draw_filter(struct canvas *c, int y, int x, const struct ui *ui);
/* Last line: keys of the view, or the message. */
void footer_draw(struct canvas *c, const struct ui *ui, const struct view_ops *ops);
/* What stands at column x of the key bar. */
enum action footer_hit(const struct ui *ui, const struct view_ops *ops, int x);
/* ui_act.c: what an action does where the view has nothing special for it. */
unsigned ui_act(struct ui *ui, const struct model *m, enum action a);
/* How many are selected now, or why they are not (-errno). */
void ui_say_selected(struct ui *ui, int err);
/* ui_prompt.c: while there is one. */
unsigned ui_prompt_key(struct ui *ui, const struct model *m, int key);
/* mouse.c: clicks and wheel, where no prompt and no popup takes them. */
unsigned ui_mouse(struct ui *ui, const struct model *m, const struct view_ops *ops, int key);

#endif
