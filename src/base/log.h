/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line to stderr per call, "why502: ...", control bytes replaced. While the
 * view owns the terminal (log_hold), lines wait in a small ring; log_release
 * prints them. Only the app layer speaks: libraries return -errno.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level {
	LOG_LEVEL_ERROR = 0,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO, /* default */
	LOG_LEVEL_DEBUG,
};

void log_set_level(enum log_level level);
enum log_level log_get_level(void);

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#define LOG_HELD_MAX 32 /* lines kept while held; older ones are counted and dropped */

void log_hold(void);	/* before initscr() */
void log_release(void); /* after endwin(): prints what was held; harmless if nothing is */

#endif
