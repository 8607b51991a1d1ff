/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options: parser, --help, defaults and configuration files come from these rows. To add one:
 * a row here, a field in struct options, a line in man/why502.8; a new kind of value is a row in
 * kinds[], option_value.c.
 */
#include "app/option_row.h"

#include "base/util.h"

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
static const struct option_row rows[] = {
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
_Static_assert(AT(history_bytes) == AT(history_packets) + sizeof(uint64_t), "written as a pair");
_Static_assert(AT(screen_rows) == AT(screen_cols) + sizeof(uint64_t), "written as a pair");
_Static_assert(ARRAY_SIZE(rows) <= OPTION_ROWS_MAX, "--help has room for every option");

const struct option_row *option_row(size_t i)
{
	return i < ARRAY_SIZE(rows) ? &rows[i] : NULL;
}
