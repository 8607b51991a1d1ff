/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the command line share: option_table.c has a row per option, option_value.c
 * a parser per kind of value, options.c makes the command line, files and --help of both.
 */
#ifndef APP_OPTION_ROW_H
#define APP_OPTION_ROW_H

#include "app/options.h"

enum option_kind {
	KIND_COMMAND, /* no value; .min is the enum command */
	KIND_FLAG,    /* no value; sets a bool */
	KIND_COUNT,   /* no value; counts up an unsigned int */
	KIND_STRING,
	KIND_COMM,
	KIND_NUMBER,
	KIND_SIZE,
	KIND_RING,
	KIND_SECONDS,
	KIND_CHOICE,
	KIND_STATUS,
	KIND_HISTORY,
	KIND_SCREEN,
	KIND_LOG,
	KIND_LOG_FORMAT,
	KIND_GATEWAY,
	KIND_MAX,
};

enum option_group {
	GROUP_OUTPUT = 1, /* 0 means "as the row before" to argp */
	GROUP_FILES,
	GROUP_FILTER,
	GROUP_WITNESS,
	GROUP_LIMITS,
	GROUP_VIEW,
	GROUP_HELP, /* has no heading */
	GROUP_MAX,
};

struct option_row {
	const char *name;
	int short_name;	 /* 0 = none */
	const char *arg; /* as --help shows it; NULL = takes no value */
	enum option_kind kind;
	enum option_group group;
	size_t offset; /* in struct options */
	uint64_t min, max;
	const char *const *choices; /* KIND_CHOICE; position = value */
	const char *dflt;	    /* parsed like a value given; NULL = zero */
	const char *allowed;	    /* completes "give ..." when a value is refused */
	const char *help;
	bool no_file; /* on the command line only */
};

#define OPTION_ROWS_MAX 64

/* option_table.c. NULL past the last. */
const struct option_row *option_row(size_t i);
/* option_value.c. 0 or -EINVAL; o changes only on success. arg: NULL if the row takes none;
 * borrowed for as long as o lives. */
int option_row_apply(const struct option_row *row, const char *arg, struct options *o);

#endif
