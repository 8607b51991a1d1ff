/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configuration files: defaults of options, and keys. A line is one of
 *
 *	# a comment
 *	theme = light
 *	filter = status==502 && path~^/api
 *	ascii                      (an option without a value; also = yes or = no)
 *	bind C-s save
 *
 * Names and values are those of the long options, read by their own parsers; the command line
 * comes after the files and wins.
 */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include <stddef.h>
#include <stdio.h>

#include "app/options.h"
#include "tui/keymap.h"

#define CONFIG_FILES_MAX 2
#define CONFIG_BYTES_MAX (64 << 10)
#define CONFIG_WHY_MAX	 512

struct config {
	char *text[CONFIG_FILES_MAX]; /* options borrow from them */
	size_t n;
	struct keymap keys;
};

/* text (changed, and borrowed from by o) has len bytes and a NUL behind them. 0, or -EINVAL
 * and one sentence with file and line in why. */
int config_parse(struct config *c, struct options *o, const char *file, char *text, size_t len,
		 char why[CONFIG_WHY_MAX]);
/* The files there are: --config's, or /etc/why502.conf and then the user's. 0, or -EINVAL
 * after one sentence to stderr. For options_parse_over(). */
int config_read(void *self, struct options *o);
void config_fini(struct config *c);
/* A file that says what is the default: every option and key, commented out. */
void config_dump(FILE *out);

#endif
