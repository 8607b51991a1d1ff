/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line as plain data. The table in option_table.c has a row per
 * option; the parser, the defaults and --help come from it. Strings are borrowed from
 * argv. Nothing here looks at the host, except whether stdout is a terminal.
 */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "source/capture.h"

#ifndef W5_VERSION
#define W5_VERSION "0.1.0"
#endif

/* Exit status of the program (man page: EXIT STATUS). */
enum app_exit {
	APP_EXIT_OK = 0,      /* ran to its end, no bad exchange seen */
	APP_EXIT_BAD = 1,     /* bad exchanges were seen */
	APP_EXIT_USAGE = 2,   /* wrong command line */
	APP_EXIT_HOST = 3,    /* kernel or host cannot: BTF, cgroup v2, root */
	APP_EXIT_FAILURE = 4, /* anything else */
};

enum command {
	COMMAND_WATCH = 0, /* the tool's work; also with -r */
	COMMAND_DOCTOR,
	COMMAND_REPORT, /* only with -r: sets output to OUTPUT_REPORT */
	COMMAND_HELP,
	COMMAND_VERSION,
	COMMAND_DUMP_CONFIG,
};

enum output {
	OUTPUT_AUTO = 0, /* never left so by options_parse() */
	OUTPUT_TUI,
	OUTPUT_NDJSON,
	OUTPUT_TEXT,
	OUTPUT_REPORT, /* Markdown at the end; of COMMAND_REPORT alone */
};

enum theme_choice {
	THEME_CHOICE_AUTO = 0,
	THEME_CHOICE_MONO,
	THEME_CHOICE_DARK,
	THEME_CHOICE_LIGHT,
};

enum pcap_choice {
	PCAP_CHOICE_AUTO = 0, /* pcapng */
	PCAP_CHOICE_PCAP,
	PCAP_CHOICE_PCAPNG,
};

#define ACCESS_LOGS_MAX 16

struct access_logs {
	struct {
		const char *path;
		const char *format; /* NULL = find out */
	} log[ACCESS_LOGS_MAX];
	size_t n;
};

struct options {
	enum command command;
	unsigned int output;  /* enum output */
	uint64_t duration_ns; /* 0 = until told to stop */
	uint64_t count;	      /* 0 = no limit; else end after so many bad exchanges */

	const char *write_path, *read_path; /* trace files; NULL = not asked for */
	const char *report_path;	    /* NULL = none */
	const char *pcap_dir;
	unsigned int pcap_choice; /* enum pcap_choice */
	uint64_t pcap_max_files, pcap_max_bytes;
	bool pcap_bodies;  /* keep what follows the heads of messages */
	bool show_secrets; /* mask nothing */

	const char *pcap_filter; /* NULL = all; has been parsed once */
	const char *filter;	 /* NULL = all; has been parsed once */
	uint64_t port;		 /* 0 = all */
	uint64_t pid;		 /* 0 = all */
	const char *comm;	 /* NULL = all; at most 15 bytes */
	const char *cgroup;	 /* NULL = all */
	uint8_t bad_status[100]; /* [s - 500]: 1 = status s is bad */
	struct access_logs access_logs;
	bool no_tls_probes;
	struct capture_cfg capture;

	uint64_t history_packets, history_bytes; /* 0 packets = no flight recorder */
	uint64_t ring_bytes;
	uint64_t max_exchanges;

	unsigned int theme; /* enum theme_choice */
	bool ascii, no_mouse;
	const char *keys;		   /* tests: keys to press */
	uint64_t screen_cols, screen_rows; /* tests: draw without a terminal; 0 = use it */

	const char *config_path; /* instead of the usual files */
	bool no_config;

	unsigned int verbose; /* number of -v */
};

/*
 * 0, or -EINVAL after one sentence to stderr (then exit with APP_EXIT_USAGE).
 * COMMAND_HELP and COMMAND_VERSION are left to the caller.
 */
int options_parse(struct options *o, int argc, char **argv);
/* The same, but files(self, o) comes between the defaults and the command line, with
 * config_path and no_config set from it; 0, or -EINVAL after one sentence of its own. */
int options_parse_over(struct options *o, int argc, char **argv,
		       int (*files)(void *self, struct options *o), void *self);
/* One option by its long name. value NULL: none was given. -ENOENT; -EPERM: not in a file;
 * -EINVAL: what is allowed is in why. value is borrowed. */
int options_set(struct options *o, const char *name, const char *value, char *why, size_t cap);
struct option_text {
	const char *name, *arg, *dflt, *help; /* arg NULL: takes no value; dflt may be NULL */
	bool is_command_line_only;
};
bool options_text(size_t i, struct option_text *out); /* false past the last */
void options_default(struct options *o);
void options_help(FILE *out);

#endif
