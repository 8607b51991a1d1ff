/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gives the terminal back when the program dies: on SIGSEGV, SIGABRT, SIGBUS, SIGFPE,
 * SIGILL and on exit() without a screen_close() (only async-signal-safe calls), and on
 * SIGKILL by a child that waits for it.
 */
#ifndef TUI_RESCUE_H
#define TUI_RESCUE_H

#include <stddef.h>

#define RESCUE_MAX 256

/* Remembers the line settings before anybody changes them. 0 or -errno. */
int rescue_save(int in_fd, int out_fd);
/* From now on: write seq and set the saved line settings when dying. */
void rescue_arm(const char *seq, size_t len);
void rescue_disarm(void);

#endif
