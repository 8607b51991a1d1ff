/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See options.h. To add an option: one row in options[], one field in struct
 * options, one line in man/why502.8; a new kind of value is a row in kinds[].
 */
#include "app/options.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/expr.h"
#include "base/parse.h"
#include "base/util.h"
#include "w5_abi.h"

enum kind {
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

enum group {
	GROUP_OUTPUT = 1, /* 0 means "as the row before" to argp */
	GROUP_FILES,
	GROUP_FILTER,
	GROUP_WITNESS,
	GROUP_LIMITS,
	GROUP_VIEW,
	GROUP_HELP, /* has no heading */
	GROUP_MAX,
};

static const char *const headings[GROUP_MAX] = {
	[GROUP_OUTPUT] = "Output and end:", [GROUP_FILES] = "Files:",
	[GROUP_FILTER] = "What to watch:",  [GROUP_WITNESS] = "How to see it:",
	[GROUP_LIMITS] = "Memory:",	    [GROUP_VIEW] = "View:",
};

struct option_row {
	const char *name;
	int short_name;	 /* 0 = none */
	const char *arg; /* as --help shows it; NULL = takes no value */
	enum kind kind;
	enum group group;
	size_t offset; /* in struct options */
	uint64_t min, max;
	const char *const *choices; /* KIND_CHOICE; position = value */
	const char *dflt;	    /* parsed like a value given; NULL = zero */
	const char *allowed;	    /* completes "give ..." when a value is refused */
	const char *help;
	bool no_file; /* on the command line only */
};

#define AT(field) offsetof(struct options, field)

static const char *const outputs[] = {
	[OUTPUT_TUI] = "tui", [OUTPUT_NDJSON] = "ndjson", [OUTPUT_TEXT] = "text", NULL
};
static const char *const themes[] = {
	[THEME_CHOICE_MONO] = "mono", [THEME_CHOICE_DARK] = "dark", [THEME_CHOICE_LIGHT] = "light", NULL
};

static const char *const pcap_choices[] = {
	[PCAP_CHOICE_PCAP] = "pcap", [PCAP_CHOICE_PCAPNG] = "pcapng", NULL
};

/* Rows, not one field per line: */
/* clang-format off */
static const struct option_row options[] = {
	{ .name = "output", .short_name = 'o', .arg = "tui|ndjson|text", .kind = KIND_CHOICE,
	  .group = GROUP_OUTPUT, .offset = AT(output), .choices = outputs,
	  .allowed = "tui, ndjson or text",
	  .help = "how to show findings (default: tui if stdout is a terminal, else text)" },
	{ .name = "duration", .short_name = 'd', .arg = "SECONDS", .kind = KIND_SECONDS,
	  .group = GROUP_OUTPUT, .offset = AT(duration_ns), .min = 1000000,
	  .max = 31536000000000000, .allowed = "seconds from 0.001 to 31536000",
	  .help = "end after this time" },
	{ .name = "count", .short_name = 'n', .arg = "N", .kind = KIND_NUMBER,
	  .group = GROUP_OUTPUT, .offset = AT(count), .min = 1, .max = UINT64_MAX,
	  .allowed = "a whole number from 1", .help = "end after N bad exchanges" },
	{ .name = "verbose", .short_name = 'v', .kind = KIND_COUNT, .group = GROUP_OUTPUT,
	  .offset = AT(verbose), .help = "say more on stderr" },

	{ .name = "write", .short_name = 'w', .arg = "FILE", .kind = KIND_STRING,
	  .group = GROUP_FILES, .offset = AT(write_path), .allowed = "a file name",
	  .help = "store the record stream in a trace file" },
	{ .name = "read", .short_name = 'r', .arg = "FILE", .kind = KIND_STRING,
	  .group = GROUP_FILES, .offset = AT(read_path), .allowed = "a file name",
	  .no_file = true,
	  .help = "read a trace file, or a capture (pcap, pcapng); needs no root" },
	{ .name = "gateway", .arg = "ADDR[:PORT]", .kind = KIND_GATEWAY, .group = GROUP_FILES,
	  .offset = AT(capture), .no_file = true,
	  .allowed = "an IP address, with a port or without, at most 16 times",
	  .help = "of the gateway in a capture that is read; may be given again (default: found out)" },
	{ .name = "report", .short_name = 'O', .arg = "FILE", .kind = KIND_STRING,
	  .group = GROUP_FILES, .offset = AT(report_path), .allowed = "a file name",
	  .help = "write an incident report at the end: .html, .md, or both if FILE ends in neither" },
	{ .name = "pcap-dir", .arg = "DIR", .kind = KIND_STRING, .group = GROUP_FILES,
	  .offset = AT(pcap_dir), .allowed = "a directory",
	  .help = "save the packets of each bad exchange as a capture file in DIR" },
	{ .name = "pcap-format", .arg = "pcap|pcapng", .kind = KIND_CHOICE, .group = GROUP_FILES,
	  .offset = AT(pcap_choice), .choices = pcap_choices, .allowed = "pcap or pcapng",
	  .help = "of saved packets: pcapng also holds the finding and what each packet means "
		  "(default: pcapng)" },
	{ .name = "pcap-filter", .arg = "EXPR", .kind = KIND_STRING, .group = GROUP_FILES,
	  .offset = AT(pcap_filter), .allowed = "a pcap-filter expression",
	  .help = "save only packets that match, such as 'port 8080 and greater 60'" },
	{ .name = "pcap-max-files", .arg = "N", .kind = KIND_NUMBER, .group = GROUP_FILES,
	  .offset = AT(pcap_max_files), .min = 1, .max = 1000000, .dflt = "100",
	  .allowed = "a whole number from 1 to 1000000", .help = "write at most N such files" },
	{ .name = "pcap-max-bytes", .arg = "N", .kind = KIND_SIZE, .group = GROUP_FILES,
	  .offset = AT(pcap_max_bytes), .min = 4096, .max = 1ull << 50, .dflt = "64M",
	  .allowed = "bytes from 4096, also with K, M or G",
	  .help = "write at most N bytes of such files" },

	{ .name = "pcap-bodies", .kind = KIND_FLAG, .group = GROUP_FILES, .offset = AT(pcap_bodies),
	  .help = "keep what follows the head of a message in packets and traces (default: cut)" },
	{ .name = "show-secrets", .kind = KIND_FLAG, .group = GROUP_FILES,
	  .offset = AT(show_secrets),
	  .help = "do not mask credentials, cookies and tokens, in any output" },

	{ .name = "filter", .short_name = 'f', .arg = "EXPR", .kind = KIND_STRING,
	  .group = GROUP_FILTER, .offset = AT(filter), .allowed = "an expression",
	  .help = "show, save and count only exchanges that match, such as 'status==502 && path~^/api'" },
	{ .name = "port", .short_name = 'p', .arg = "PORT", .kind = KIND_NUMBER,
	  .group = GROUP_FILTER, .offset = AT(port), .min = 1, .max = 65535,
	  .allowed = "a port number from 1 to 65535",
	  .help = "only exchanges that use this port, of the gateway or of the backend" },
	{ .name = "pid", .arg = "PID", .kind = KIND_NUMBER, .group = GROUP_FILTER,
	  .offset = AT(pid), .min = 1, .max = 4194304,
	  .allowed = "a process id from 1 to 4194304",
	  .help = "only the gateway this process belongs to" },
	{ .name = "comm", .arg = "NAME", .kind = KIND_COMM, .group = GROUP_FILTER,
	  .offset = AT(comm), .allowed = "a process name of 1 to 15 bytes",
	  .help = "only gateways of this process name" },
	{ .name = "cgroup", .arg = "PATH", .kind = KIND_STRING, .group = GROUP_FILTER,
	  .offset = AT(cgroup), .allowed = "a cgroup path",
	  .help = "only gateways below this cgroup, such as /system.slice/nginx.service" },
	{ .name = "status", .arg = "LIST", .kind = KIND_STATUS, .group = GROUP_FILTER,
	  .offset = AT(bad_status), .dflt = "502,503,504",
	  .allowed = "a list such as 502,504 or 500-504 or 5xx",
	  .help = "which status counts as bad" },

	{ .name = "access-log", .arg = "PATH", .kind = KIND_LOG, .group = GROUP_WITNESS,
	  .offset = AT(access_logs), .allowed = "at most 16 file names",
	  .help = "follow this access log of the gateway; may be given again" },
	{ .name = "log-format", .arg = "FORMAT", .kind = KIND_LOG_FORMAT, .group = GROUP_WITNESS,
	  .offset = AT(access_logs), .allowed = "it behind the --access-log it is for, and not empty",
	  .help = "of the access log named before: nginx, combined, apache, haproxy, caddy, or a "
		  "format string of one of them (default: found out)" },
	{ .name = "no-tls-probes", .kind = KIND_FLAG, .group = GROUP_WITNESS,
	  .offset = AT(no_tls_probes),
	  .help = "do not read plain text in TLS libraries; encrypted requests stay unread" },

	{ .name = "history", .arg = "PACKETSxBYTES", .kind = KIND_HISTORY, .group = GROUP_LIMITS,
	  .offset = AT(history_packets), .dflt = "16x128",
	  .allowed = "1x64 to 64x512, bytes a multiple of 8, or 0 for none",
	  .help = "flight recorder: last packets kept of each connection, 0 for none" },
	{ .name = "ring-size", .arg = "BYTES", .kind = KIND_RING, .group = GROUP_LIMITS,
	  .offset = AT(ring_bytes), .min = 65536, .max = 1ull << 30, .dflt = "16M",
	  .allowed = "a power of two from 64K to 1G", .help = "buffer between kernel and why502" },
	{ .name = "max-exchanges", .arg = "N", .kind = KIND_NUMBER, .group = GROUP_LIMITS,
	  .offset = AT(max_exchanges), .min = 100, .max = 1000000, .dflt = "10000",
	  .allowed = "a whole number from 100 to 1000000",
	  .help = "connections and exchanges remembered at a time" },

	{ .name = "theme", .arg = "mono|dark|light", .kind = KIND_CHOICE, .group = GROUP_VIEW,
	  .offset = AT(theme), .choices = themes, .allowed = "mono, dark or light",
	  .help = "colours of the view (default: what the terminal can)" },
	{ .name = "ascii", .kind = KIND_FLAG, .group = GROUP_VIEW, .offset = AT(ascii),
	  .help = "draw with ASCII only" },
	{ .name = "no-mouse", .kind = KIND_FLAG, .group = GROUP_VIEW, .offset = AT(no_mouse),
	  .help = "leave the mouse to the terminal" },
	{ .name = "keys", .arg = "SCRIPT", .kind = KIND_STRING, .group = GROUP_VIEW,
	  .offset = AT(keys), .allowed = "a key script", .no_file = true,
	  .help = "for tests: press these keys; needs --screen" },
	{ .name = "screen", .arg = "COLSxROWS", .kind = KIND_SCREEN, .group = GROUP_VIEW,
	  .offset = AT(screen_cols), .min = 20, .max = 1000, .no_file = true,
	  .allowed = "COLSxROWS such as 80x24, from 20x5 to 1000x1000",
	  .help = "for tests: draw without a terminal and print the screen as text" },

	{ .name = "config", .arg = "FILE", .kind = KIND_STRING, .group = GROUP_VIEW,
	  .offset = AT(config_path), .allowed = "a file name", .no_file = true,
	  .help = "read this file of defaults and keys instead of /etc/why502.conf and "
		  "~/.config/why502/config" },
	{ .name = "no-config", .kind = KIND_FLAG, .group = GROUP_VIEW, .offset = AT(no_config),
	  .no_file = true, .help = "read no such file" },
	{ .name = "dump-config", .kind = KIND_COMMAND, .group = GROUP_VIEW, .offset = AT(command),
	  .min = COMMAND_DUMP_CONFIG, .no_file = true,
	  .help = "print such a file, with every option and key, and end" },

	{ .name = "version", .short_name = 'V', .kind = KIND_COMMAND, .group = GROUP_HELP,
	  .offset = AT(command), .min = COMMAND_VERSION, .no_file = true, .help = "print the version and end" },
	{ .name = "help", .short_name = 'h', .kind = KIND_COMMAND, .group = GROUP_HELP,
	  .offset = AT(command), .min = COMMAND_HELP, .no_file = true, .help = "print this help and end" },
};
/* clang-format on */

/* ---- values: 0 or -EINVAL; the field changes only on success ---- */

static int store_in_range(const struct option_row *row, uint64_t v, void *field)
{
	if (v < row->min || v > row->max)
		return -EINVAL;
	*(uint64_t *)field = v;
	return 0;
}

static int parse_command(const struct option_row *row, const char *arg, void *field)
{
	(void)arg;
	*(enum command *)field = (enum command)row->min;
	return 0;
}

static int parse_flag(const struct option_row *row, const char *arg, void *field)
{
	(void)row;
	(void)arg;
	*(bool *)field = true;
	return 0;
}

static int parse_count(const struct option_row *row, const char *arg, void *field)
{
	(void)row;
	(void)arg;
	++*(unsigned int *)field;
	return 0;
}

static int parse_string(const struct option_row *row, const char *arg, void *field)
{
	(void)row;
	if (!*arg)
		return -EINVAL;
	*(const char **)field = arg;
	return 0;
}

static int parse_comm(const struct option_row *row, const char *arg, void *field)
{
	return strlen(arg) > 15 ? -EINVAL : parse_string(row, arg, field);
}

static int parse_number(const struct option_row *row, const char *arg, void *field)
{
	uint64_t v;

	if (parse_digits(arg, arg + strlen(arg), &v))
		return -EINVAL;
	return store_in_range(row, v, field);
}

static int parse_size(const struct option_row *row, const char *arg, void *field)
{
	uint64_t v;

	return parse_bytes(arg, &v) ? -EINVAL : store_in_range(row, v, field);
}

static int parse_ring(const struct option_row *row, const char *arg, void *field)
{
	uint64_t v;

	/* BPF_MAP_TYPE_RINGBUF wants a power of two that is a multiple of the page size. */
	if (parse_size(row, arg, &v) || (v & (v - 1)) || v % (uint64_t)sysconf(_SC_PAGESIZE))
		return -EINVAL;
	*(uint64_t *)field = v;
	return 0;
}

static int parse_time(const struct option_row *row, const char *arg, void *field)
{
	uint64_t ns;

	return parse_seconds(arg, &ns) ? -EINVAL : store_in_range(row, ns, field);
}

static int parse_choice(const struct option_row *row, const char *arg, void *field)
{
	for (unsigned int i = 1; row->choices[i]; i++) { /* 0 is "automatic" */
		if (!strcmp(arg, row->choices[i])) {
			*(unsigned int *)field = i;
			return 0;
		}
	}
	return -EINVAL;
}

/* One item of the list: 502, 500-504 or 5xx. */
static int parse_status_item(const char *s, const char *end, uint8_t bad[100])
{
	const char *dash = memchr(s, '-', (size_t)(end - s));
	uint64_t from = 500, to = 599;

	if (end - s != 3 || strncasecmp(s, "5xx", 3)) {
		if (parse_digits(s, dash ? dash : end, &from))
			return -EINVAL;
		to = from;
		if (dash && parse_digits(dash + 1, end, &to))
			return -EINVAL;
	}
	if (from < 500 || to > 599 || from > to)
		return -EINVAL;
	memset(bad + from - 500, 1, to - from + 1);
	return 0;
}

static int parse_status(const struct option_row *row, const char *arg, void *field)
{
	uint8_t bad[100] = { 0 };
	const char *end;

	(void)row;
	for (;; arg = end + 1) {
		end = strchrnul(arg, ',');
		if (parse_status_item(arg, end, bad))
			return -EINVAL;
		if (!*end)
			break;
	}
	memcpy(field, bad, sizeof(bad));
	return 0;
}

static int parse_history(const struct option_row *row, const char *arg, void *field)
{
	uint64_t pair[2] = { 0 };

	(void)row;
	if (strcmp(arg, "0") &&
	    (parse_pair(arg, pair) || pair[0] < 1 || pair[0] > W5_PKT_SLOTS_MAX ||
	     pair[1] < W5_PKT_BYTES_MIN || pair[1] > W5_PKT_BYTES_MAX || pair[1] % 8))
		return -EINVAL;
	memcpy(field, pair, sizeof(pair));
	return 0;
}

static int parse_screen(const struct option_row *row, const char *arg, void *field)
{
	uint64_t pair[2] = { 0 };

	if (parse_pair(arg, pair) || pair[0] < row->min || pair[0] > row->max || pair[1] < 5 ||
	    pair[1] > row->max)
		return -EINVAL;
	memcpy(field, pair, sizeof(pair));
	return 0;
}

static int parse_gateway(const struct option_row *row, const char *arg, void *field)
{
	struct capture_cfg *c = field;

	(void)row;
	if (c->ngateways == CAPTURE_GATEWAYS_MAX ||
	    capture_gateway_parse(&c->gateways[c->ngateways], arg))
		return -EINVAL;
	c->ngateways++;
	return 0;
}

static int parse_log(const struct option_row *row, const char *arg, void *field)
{
	struct access_logs *l = field;

	if (l->n == ACCESS_LOGS_MAX)
		return -EINVAL;
	if (parse_string(row, arg, &l->log[l->n].path))
		return -EINVAL;
	l->n++;
	return 0;
}

static int parse_log_format(const struct option_row *row, const char *arg, void *field)
{
	struct access_logs *l = field;

	return l->n ? parse_string(row, arg, &l->log[l->n - 1].format) : -EINVAL;
}

_Static_assert(AT(history_bytes) == AT(history_packets) + sizeof(uint64_t), "written as a pair");
_Static_assert(AT(screen_rows) == AT(screen_cols) + sizeof(uint64_t), "written as a pair");

static int (*const kinds[])(const struct option_row *row, const char *arg, void *field) = {
	[KIND_COMMAND] = parse_command,
	[KIND_FLAG] = parse_flag,
	[KIND_COUNT] = parse_count,
	[KIND_STRING] = parse_string,
	[KIND_COMM] = parse_comm,
	[KIND_NUMBER] = parse_number,
	[KIND_SIZE] = parse_size,
	[KIND_RING] = parse_ring,
	[KIND_SECONDS] = parse_time,
	[KIND_CHOICE] = parse_choice,
	[KIND_STATUS] = parse_status,
	[KIND_HISTORY] = parse_history,
	[KIND_SCREEN] = parse_screen,
	[KIND_LOG] = parse_log,
	[KIND_LOG_FORMAT] = parse_log_format,
	[KIND_GATEWAY] = parse_gateway,
};
_Static_assert(ARRAY_SIZE(kinds) == KIND_MAX, "every kind has its parser");

/* ---- argp, made from the table ---- */

static int row_apply(const struct option_row *row, const char *arg, struct options *o)
{
	return kinds[row->kind](row, arg, (char *)o + row->offset);
}

static int row_key(size_t i)
{
	return options[i].short_name ? options[i].short_name : (int)(256 + i);
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
	struct options *o = state->input;

	if (key == ARGP_KEY_INIT)
		state->err_stream = NULL; /* getopt names the option; no "Try ..." behind it */
	if (key == ARGP_KEY_ARG)
		return on_argument(arg, o);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (row_key(i) != key)
			continue;
		if (!row_apply(&options[i], arg, o))
			return 0;
		fprintf(stderr, "why502: the value '%s' of --%s is not allowed: give %s\n", arg,
			options[i].name, options[i].allowed);
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
	struct argp_option rows[ARRAY_SIZE(options) + GROUP_MAX + 1];
	char docs[ARRAY_SIZE(options)][192];
};

static void argp_table_init(struct argp_table *t)
{
	size_t n = 0;

	memset(t, 0, sizeof(*t));
	for (int g = GROUP_OUTPUT; g < GROUP_MAX; g++) {
		if (headings[g])
			t->rows[n++] = (struct argp_option){ .doc = headings[g], .group = g };
	}
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const struct option_row *row = &options[i];

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
	memset(o, 0, sizeof(*o));
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (options[i].dflt && row_apply(&options[i], options[i].dflt, o))
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
	return value && strcmp(value, "yes") ? -EINVAL : row_apply(row, NULL, o);
}

int options_set(struct options *o, const char *name, const char *value, char *why, size_t cap)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const struct option_row *row = &options[i];
		int err;

		if (strcmp(row->name, name))
			continue;
		if (row->no_file)
			return -EPERM;
		if (row->arg)
			err = value ? row_apply(row, value, o) : -EINVAL;
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
	if (i >= ARRAY_SIZE(options))
		return false;
	*out = (struct option_text){ .name = options[i].name,
				     .arg = options[i].arg,
				     .dflt = options[i].dflt,
				     .help = options[i].help,
				     .is_command_line_only = options[i].no_file };
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
