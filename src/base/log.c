/* SPDX-License-Identifier: BSD-2-Clause */
/* See log.h. The state below is the one global of the program besides the signal flag. */
#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LOG_LINE_MAX 512

static struct {
	enum log_level level;
	bool held;
	size_t nheld; /* lines since log_hold, also those already overwritten */
	char line[LOG_HELD_MAX][LOG_LINE_MAX];
} log_state = { .level = LOG_LEVEL_INFO };

void log_set_level(enum log_level level)
{
	log_state.level = level;
}

enum log_level log_get_level(void)
{
	return log_state.level;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char line[LOG_LINE_MAX];
	va_list ap;

	if (level > log_state.level)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (char *p = line; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	}
	if (log_state.held) {
		memcpy(log_state.line[log_state.nheld++ % LOG_HELD_MAX], line, sizeof(line));
		return;
	}
	fprintf(stderr, "why502: %s\n", line);
}

void log_hold(void)
{
	log_state.held = true;
}

void log_release(void)
{
	size_t n = log_state.nheld;
	size_t i = n > LOG_HELD_MAX ? n - LOG_HELD_MAX : 0;

	if (i)
		fprintf(stderr, "why502: %zu earlier messages were dropped\n", i);
	for (; i < n; i++)
		fprintf(stderr, "why502: %s\n", log_state.line[i % LOG_HELD_MAX]);
	log_state.held = false;
	log_state.nheld = 0;
}
