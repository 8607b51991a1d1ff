/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The app wires the parts: source -> engine -> sinks, and runs the one loop. Everything
 * hangs off struct app; the parts get only the piece they need.
 */
#ifndef APP_APP_H
#define APP_APP_H

#include <stdbool.h>

#include "app/history.h"
#include "app/options.h"
#include "engine/engine.h"
#include "sink/filter.h"
#include "sink/pktfilter.h"
#include "sink/sink.h"
#include "source/trace.h"

#define APP_SINKS_MAX 5

struct h2_store;
struct kernel;
struct kernel_cfg;
struct limits;
struct logs;
struct masker;
struct names;
struct keymap;
struct tui;

struct app {
	const struct options *opt;
	const struct keymap *keymap; /* of the view */
	struct engine *engine;
	struct sink sinks[APP_SINKS_MAX]; /* in the order they get a finding */
	size_t nsinks;
	struct sink *pcap_dir;	   /* one of sinks[], or NULL */
	struct sink *headless;	   /* ndjson or text, or NULL */
	struct tui *tui;	   /* NULL when headless */
	struct sink *report;	   /* one of sinks[], or NULL */
	struct sink *view;	   /* its sink */
	struct filter *filter;	   /* NULL = everything */
	struct pktfilter *packets; /* to save; NULL = all */
	struct sink_filter filtered;
	struct app_history history;
	struct masker *masker; /* NULL: secrets are shown */
	struct trace_writer *trace;
	struct h2_store *store; /* what the trace gets goes through it, or NULL */
	struct kernel *kernel;	/* NULL in a replay */
	struct logs *logs;	/* access logs that are followed, or NULL */
	struct names *names;	/* of the gateways' configurations; NULL in a replay */
	struct limits *limits;	/* of the host; NULL in a replay */
	int cgroup_root;	/* while limits is set */
	uint64_t bad;		/* findings with an alarm that match the filter */
	uint64_t sink_errors;
	bool stop;
	int sink_errno; /* first error of a sink, for one sentence at the end */
};

/* wire.c: makes engine and sinks from the options. 0 or -errno after one sentence. */
int app_init(struct app *a, const struct options *opt, const struct keymap *keys);
/* Closes sinks (their summaries come out), restores the terminal, says what was lost. */
void app_fini(struct app *a);
/* The callback of every source. 1 = enough, stop handing out records. */
int app_record(void *self, const struct w5_hdr *rec);
void app_tick(struct app *a);
/* Says that watching has begun, on outputs that say so. */
void app_ready(struct app *a);
struct sink *app_add_sink(struct app *a, const struct sink *s);
void app_sink_result(struct app *a, int err);

/* names.c */
int app_names_open(struct app *a); /* 0 or -ENOMEM */
void app_names_poll(struct app *a);
void app_names_close(struct app *a);

/* report.c: gathers from now on; 0 or -errno. */
int app_add_report(struct app *a);
/* What --report asks for, once all findings are there. */
void app_report(struct app *a);
/* For tui_cfg.report. */
int app_save_report(void *self, const char *path, char *msg, size_t msglen);

enum app_exit app_exit_status(const struct app *a);

/* accesslog.c: 0 or -errno after one sentence. */
int app_logs_open(struct app *a);
void app_logs_poll(struct app *a);
void app_logs_gateway(struct app *a, const struct w5_hdr *rec);
void app_logs_close(struct app *a);

/* limits.c */
void app_limits_open(struct app *a);
void app_limits_poll(struct app *a);
void app_limits_record(struct app *a, const struct w5_hdr *rec);
void app_limits_close(struct app *a);

/* live.c, replay.c: the two sources. */
enum app_exit app_live(struct app *a);
enum app_exit app_replay(struct app *a);
void app_kernel_config(struct kernel_cfg *cfg, const struct options *o);
enum app_exit app_doctor(const struct options *opt);

#endif
