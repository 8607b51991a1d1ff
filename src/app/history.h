/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters entered in the live view, kept in a file from one session to the next:
 * $XDG_STATE_HOME/why502/history, else ~/.local/state/why502/history. Only if HOME is the
 * user's own: as root in somebody else's HOME nothing is read or written.
 */
#ifndef APP_HISTORY_H
#define APP_HISTORY_H

struct app_history {
	char path[512]; /* "": not kept */
};

/* Its text, to be freed, or NULL; finds the place, and makes it if it can. Never an error. */
char *app_history_load(struct app_history *h);
void app_history_add(const struct app_history *h, const char *line);

#endif
