/* SPDX-License-Identifier: BSD-2-Clause */
/* See options.h: the command line, configuration files and --help, made from option_table.c. */
#include "app/options.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/expr.h"
#include "app/option_row.h"

static const char *const headings[GROUP_MAX] = {
	[GROUP_OUTPUT] = "Output and end:", [GROUP_FILES] = "Files:",
	[GROUP_FILTER] = "What to watch:",  [GROUP_WITNESS] = "How to see it:",
	[GROUP_LIMITS] = "Memory:",	    [GROUP_VIEW] = "View:",
};

/* ---- argp, made from the table ---- */

static int row_key(size_t i)
{
	const struct option_row *row = option_row(i);

	return row->short_name ? row->short_name : (int)(256 + i);
}

static error_t on_argument(const char *arg, struct options *o)
{
	if (o->command == COMMAND_WATCH && !strcmp(arg, "doctor")) {
		o->command = COMMAND_DOCTOR;
		return 0;
	}
	if (o->command == COMMAND_WATCH && !strcmp(arg, "report")) {
		o->command = COMMAND_REPORT;
		return 0;
	}
	fprintf(stderr,
		"why502: the argument '%s' is not known: the commands are doctor and report\n",
		arg);
	return ECANCELED; /* told from argp's own EINVAL */
}

static error_t on_option(int key, char *arg, struct argp_state *state)
{
	const struct option_row *row;
	struct options *o = state->input;

	if (key == ARGP_KEY_INIT)
		state->err_stream = NULL; /* getopt names the option; no "Try ..." behind it */
	if (key == ARGP_KEY_ARG)
		return on_argument(arg, o);
	for (size_t i = 0; (row = option_row(i)); i++) {
		if (row_key(i) != key)
			continue;
		if (!option_row_apply(row, arg, o))
			return 0;
		fprintf(stderr, "why502: the value '%s' of --%s is not allowed: give %s\n", arg,
			row->name, row->allowed);
		return ECANCELED;
	}
	return ARGP_ERR_UNKNOWN;
}

static const char doc_before_options[] =
	"Shows live why the HTTP gateway on this host answers 502, 503 or 504."
	"\v"
	"Commands:\n"
	"  doctor                     say what this kernel and host can and cannot do\n"
	"  report -r FILE             write an incident report about a trace (see --report)\n"
	"\n"
	"Exit status:\n"
	"  0  no bad exchange seen\n"
	"  1  bad exchanges were seen\n"
	"  2  wrong command line\n"
	"  3  the kernel or host cannot (BTF, cgroup v2, root)\n"
	"  4  other failure\n"
	"\n"
	"Examples:\n"
	"  sudo why502                       watch live\n"
	"  sudo why502 -o ndjson -d 60       one minute of findings for a program\n"
	"  sudo why502 --pcap-dir /tmp/502   also save the packets of each failure\n"
	"  why502 -r FILE -f 'upstream==10.0.3.0/24 && ms>500'\n"
	"  sudo why502 -w incident.w5t       record; look later: why502 -r incident.w5t\n"
	"  why502 report -r incident.w5t -O incident.html\n"
	"\n"
	"The manual page why502(8) explains every option, field and cause.";

struct argp_table {
	struct argp argp;
	struct argp_option rows[OPTION_ROWS_MAX + GROUP_MAX + 1];
	char docs[OPTION_ROWS_MAX][192];
};

static void argp_table_init(struct argp_table *t)
{
	const struct option_row *row;
	size_t n = 0;

	memset(t, 0, sizeof(*t));
	for (int g = GROUP_OUTPUT; g < GROUP_MAX; g++) {
		if (headings[g])
			t->rows[n++] = (struct argp_option){ .doc = headings[g], .group = g };
	}
	for (size_t i = 0; (row = option_row(i)); i++) {
		snprintf(t->docs[i], sizeof(t->docs[i]), row->dflt ? "%s (default: %s)" : "%s",
			 row->help, row->dflt);
		t->rows[n++] = (struct argp_option){
			.name = row->name,
			.key = row_key(i),
			.arg = row->arg,
			.doc = t->docs[i],
			.group = (int)row->group,
		};
	}
	t->argp = (struct argp){
		.options = t->rows,
		.parser = on_option,
		.args_doc = "\ndoctor\nreport",
		.doc = doc_before_options,
	};
}

void options_help(FILE *out)
{
	struct argp_table t;
	char name[] = "why502";

	argp_table_init(&t);
	argp_help(&t.argp, out,
		  ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_PRE_DOC | ARGP_HELP_POST_DOC,
		  name);
}

void options_default(struct options *o)
{
	const struct option_row *row;

	memset(o, 0, sizeof(*o));
	for (size_t i = 0; (row = option_row(i)); i++) {
		if (row->dflt && option_row_apply(row, row->dflt, o))
			abort(); /* a default its own parser refuses; the unit test walks here */
	}
}

/* Combinations that make no sense; NULL if all is well. */
static const char *options_conflict(const struct options *o)
{
	bool is_drawn = o->screen_cols || isatty(STDOUT_FILENO);

	if (o->output == OUTPUT_TUI && !is_drawn)
		return "--output tui needs a terminal on stdout; use --output text or ndjson";
	if (o->screen_cols && o->output != OUTPUT_TUI)
		return "--screen draws the view and goes only with --output tui";
	if (o->keys && !o->screen_cols)
		return "--keys needs --screen COLSxROWS";
	if (o->pcap_dir && !o->history_packets)
		return "--pcap-dir needs the flight recorder; leave out --history 0";
	if (o->command == COMMAND_REPORT && !o->read_path)
		return "report needs -r FILE; in a live session press R, or give --report FILE";
	if (o->command == COMMAND_REPORT && o->output != OUTPUT_REPORT)
		return "report and --output do not go together; leave out one of them";
	if (o->read_path && o->write_path)
		return "--read and --write cannot go together: the trace exists already";
	if (o->capture.ngateways && !o->read_path)
		return "--gateway goes only with -r and a capture; live, the gateway is found by what it does";
	if (o->read_path && o->access_logs.n)
		return "--access-log goes only with a live session: a trace holds the lines of its own";
	return NULL;
}

/* ---- configuration files ---- */

/* An option without a value in a file: by its name alone, or = yes, = no. */
static int set_flag(struct options *o, const struct option_row *row, const char *value)
{
	if (value && !strcmp(value, "no")) {
		if (row->kind == KIND_FLAG)
			*(bool *)((char *)o + row->offset) = false;
		return 0;
	}
	return value && strcmp(value, "yes") ? -EINVAL : option_row_apply(row, NULL, o);
}

int options_set(struct options *o, const char *name, const char *value, char *why, size_t cap)
{
	const struct option_row *row;

	for (size_t i = 0; (row = option_row(i)); i++) {
		int err;

		if (strcmp(row->name, name))
			continue;
		if (row->no_file)
			return -EPERM;
		if (row->arg)
			err = value ? option_row_apply(row, value, o) : -EINVAL;
		else
			err = set_flag(o, row, value);
		if (err)
			snprintf(why, cap, "%s", row->arg ? row->allowed : "yes or no");
		return err;
	}
	return -ENOENT;
}

bool options_text(size_t i, struct option_text *out)
{
	const struct option_row *row = option_row(i);

	if (!row)
		return false;
	*out = (struct option_text){ .name = row->name,
				     .arg = row->arg,
				     .dflt = row->dflt,
				     .help = row->help,
				     .is_command_line_only = row->no_file };
	return true;
}

static int parse_argv(struct options *o, int argc, char **argv)
{
	struct argp_table t;
	error_t err;

	argp_table_init(&t);
	err = argp_parse(&t.argp, argc, argv, ARGP_NO_EXIT | ARGP_NO_HELP, NULL, o);
	if (err == EINVAL)
		fprintf(stderr, "why502: --help lists all options\n");
	return err ? -EINVAL : 0;
}

static bool reads_files(enum command c)
{
	return c == COMMAND_WATCH || c == COMMAND_REPORT || c == COMMAND_DOCTOR;
}

/* Twice over argv: which files to read stands there, too. */
static int parse_all(struct options *o, int argc, char **argv,
		     int (*files)(void *self, struct options *o), void *self)
{
	struct options first;
	int err;

	options_default(&first);
	err = parse_argv(&first, argc, argv);
	if (err || !files || !reads_files(first.command)) {
		*o = first;
		return err;
	}
	options_default(o);
	o->config_path = first.config_path;
	o->no_config = first.no_config;
	err = files(self, o);
	if (first.command == COMMAND_REPORT)
		o->output = OUTPUT_AUTO; /* a default of how to watch */
	return err ? err : parse_argv(o, argc, argv);
}

int options_parse_over(struct options *o, int argc, char **argv,
		       int (*files)(void *self, struct options *o), void *self)
{
	const char *conflict;
	int err = parse_all(o, argc, argv, files, self);

	if (err)
		return err;
	if (o->command == COMMAND_REPORT && o->output == OUTPUT_AUTO)
		o->output = OUTPUT_REPORT;
	if (o->command != COMMAND_WATCH && o->command != COMMAND_REPORT)
		return 0;
	if (o->output == OUTPUT_AUTO)
		o->output = o->screen_cols || isatty(STDOUT_FILENO) ? OUTPUT_TUI : OUTPUT_TEXT;
	conflict = options_conflict(o);
	if (conflict) {
		fprintf(stderr, "why502: %s\n", conflict);
		return -EINVAL;
	}
	err = expr_check_packets("pcap-filter", o->pcap_filter);
	return err ? err : expr_check("filter", o->filter);
}

int options_parse(struct options *o, int argc, char **argv)
{
	return options_parse_over(o, argc, argv, NULL, NULL);
}
