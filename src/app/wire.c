// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "app/app.h"
#include "base/log.h"
#include "base/text.h"
#include "base/util.h"
#include "engine/h2_store.h"
#include "kernel/kernel.h"
#include "sink/ndjson.h"
#include "sink/pcapout.h"
#include "sink/printout.h"
#include "sink/textout.h"
#include "source/masker.h"
#include "source/names.h"
#include "tui/tui.h"

/* Conns remembered beside --max-exchanges: a busy gateway holds tens of thousands open. */
#define CONNS_MIN 65536

void app_sink_result(struct app *a, int err)
{
	if (!err)
		return;
	a->sink_errors++;
	if (!a->sink_errno)
		a->sink_errno = -err;
	if (err == -EPIPE) /* the reader has gone: nothing left to do for it */
		a->stop = true;
}

/* It failed and tried nothing that can be seen, or a local socket lately: is it such a socket? */
static bool may_be_local(const struct finding *f)
{
	const struct attempt *last = finding_last_attempt(f);

	if (last)
		return w5_addr_is_path(&last->leg.remote);
	return f->cause == CAUSE_GATEWAY_GENERATED || f->cause == CAUSE_INSUFFICIENT_EVIDENCE ||
	       (f->cause == CAUSE_NO_LIVE_UPSTREAM && f->confidence != CONFIDENCE_CERTAIN);
}

static void on_finding(void *self, struct finding *f)
{
	struct app *a = self;
	bool match = filter_match(a->filter, f);
	bool alarm = match && f->verdict != VERDICT_RECOVERED && f->verdict != VERDICT_CLIENT;

	if (a->kernel && may_be_local(f))
		kernel_look_closer(a->kernel);
	/* the engine itself ends there if all count */
	if (a->filter && a->opt->count && a->bad >= a->opt->count)
		return;
	a->filtered.matched += match;
	a->filtered.left_out += !match;
	a->bad += alarm;
	if (a->opt->count && a->bad >= a->opt->count)
		a->stop = true;
	for (size_t i = 0; i < a->nsinks; i++)
		if (match || &a->sinks[i] == a->view) /* there it can be changed */
			app_sink_result(a, a->sinks[i].ops->finding(a->sinks[i].self, f));
}

static void engine_config(struct engine_cfg *cfg, const struct options *o)
{
	engine_cfg_default(cfg);
	cfg->max_conns = max_size(o->max_exchanges, CONNS_MIN);
	/* As much memory as with dumps of the usual size. */
	if (o->history_packets)
		cfg->max_flights =
			max_size(64, cfg->max_flights * sizeof(struct w5_packets) /
					     W5_PACKETS_SIZE(o->history_packets, o->history_bytes));
	cfg->port = o->port;
	cfg->pid = o->pid;
	cfg->max_bad = o->filter ? 0 : o->count;
	if (o->comm)
		snprintf(cfg->comm, sizeof(cfg->comm), "%s", o->comm);
	if (o->cgroup)
		snprintf(cfg->cgroup, sizeof(cfg->cgroup), "%s", o->cgroup);
	memcpy(cfg->bad_status, o->bad_status, sizeof(cfg->bad_status));
}

/* The key is of this process alone: what it masks cannot be found out from outside. */
static int make_masker(struct app *a)
{
	uint8_t key[MASK_KEY_BYTES];

	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return -errno;
	return masker_new(&a->masker, key, a->opt->pcap_bodies);
}

struct sink *app_add_sink(struct app *a, const struct sink *s)
{
	a->sinks[a->nsinks] = *s;
	return &a->sinks[a->nsinks++];
}

static enum pcap_format pcap_format(const struct options *o)
{
	return o->pcap_choice == PCAP_CHOICE_PCAP ? PCAP_FORMAT_PCAP : PCAP_FORMAT_PCAPNG;
}

static int add_pcap_dir(struct app *a)
{
	const struct options *o = a->opt;
	struct pcap_dir_cfg cfg = { .dir = o->pcap_dir,
				    .max_files = o->pcap_max_files,
				    .max_bytes = o->pcap_max_bytes,
				    .format = pcap_format(o),
				    .filter = a->packets };
	struct sink s;
	int err = pcap_dir_new(&s, &cfg);

	if (err) {
		log_error(
			"cannot save pcap files in %s: %s: give a directory that root can write to, "
			"or one whose parent exists",
			o->pcap_dir, strerror(-err));
		return err;
	}
	if (cfg.format == PCAP_FORMAT_PCAP)
		log_info("--pcap-format pcap: %s", PCAP_CLASSIC_LACKS);
	a->pcap_dir = app_add_sink(a, &s);
	return 0;
}

static int add_headless(struct app *a)
{
	bool json = a->opt->output == OUTPUT_NDJSON;
	struct sink s;
	int err = json ? ndjson_new(&s, STDOUT_FILENO) : textout_new(&s, STDOUT_FILENO);

	if (err)
		return err;
	a->headless = app_add_sink(a, &s);
	if (a->filter)
		printout_set_filter(a->headless, &a->filtered);
	if (a->pcap_dir)
		printout_set_pcap(a->headless, a->pcap_dir);
	return 0;
}

static int save_packets(struct app *a, const struct tui_save *w, char *msg, size_t msglen)
{
	size_t npackets = 0;
	bool is_classic = w->format == TUI_FORMAT_PCAP;
	int err = pcap_save_as(w->path, is_classic ? PCAP_FORMAT_PCAP : PCAP_FORMAT_PCAPNG,
			       w->backend_only, a->packets, (const struct finding *const *)w->f,
			       w->n, &npackets);

	if (err == -ENODATA)
		snprintf(msg, msglen, "no packets were kept of %s%s",
			 w->n == 1 ? "this exchange" : "these exchanges",
			 !a->opt->history_packets ? " (--history 0)"
			 : a->packets		  ? " that match --pcap-filter"
						  : "");
	else if (!err)
		snprintf(msg, msglen, "%zu packets saved to %s%s", npackets, w->path,
			 is_classic ? "; pcapng would also say what they mean" : "");
	return err;
}

/* As --output writes them, each to a file of its own kind. */
static int save_findings(struct app *a, const struct tui_save *w, char *msg, size_t msglen)
{
	w5_auto(closep) int fd = open(w->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct sink s;
	int err = fd < 0 ? -errno : 0;

	if (!err)
		err = w->format == TUI_FORMAT_NDJSON ? ndjson_new(&s, fd) : textout_new(&s, fd);
	if (err)
		return err;
	for (size_t i = 0; i < w->n && !err; i++)
		err = s.ops->finding(s.self, w->f[i]);
	s.ops->close(s.self, a->engine);
	if (!err && fsync(fd) && errno != EINVAL && errno != EROFS)
		err = -errno;
	if (!err)
		snprintf(msg, msglen, "%zu exchange%s saved to %s", w->n, text_plural(w->n),
			 w->path);
	return err;
}

static int save(void *self, const struct tui_save *w, char *msg, size_t msglen)
{
	bool is_packets = w->format == TUI_FORMAT_PCAP || w->format == TUI_FORMAT_PCAPNG;
	int err = is_packets ? save_packets(self, w, msg, msglen)
			     : save_findings(self, w, msg, msglen);

	if (err && !msg[0])
		snprintf(msg, msglen, "cannot write %s: %s", w->path, strerror(-err));
	return err;
}

static void remember(void *self, const char *expr)
{
	app_history_add(&((struct app *)self)->history, expr);
}

static int add_tui(struct app *a)
{
	const struct options *o = a->opt;
	/* a screen drawn for a test is no session */
	w5_auto(freep) char *history = o->screen_cols ? NULL : app_history_load(&a->history);
	struct tui_cfg cfg = { .keymap = a->keymap,
			       .keys = o->keys,
			       .cols = o->screen_cols,
			       .rows = o->screen_rows,
			       .dump = o->screen_cols ? stdout : NULL,
			       .ascii = o->ascii,
			       .no_mouse = o->no_mouse,
			       .theme = o->theme,
			       .filter = o->filter,
			       .packet_filter = o->pcap_filter,
			       .max_findings = o->max_exchanges,
			       .is_replay = o->read_path && !trace_is_stream(o->read_path),
			       .history = history,
			       .remember = remember,
			       .save = save,
			       .report = app_save_report,
			       .formats = (1u << TUI_FORMAT_MAX) - 1,
			       .format = pcap_format(o) == PCAP_FORMAT_PCAP ? TUI_FORMAT_PCAP
									    : TUI_FORMAT_PCAPNG,
			       .self = a };
	struct sink s;
	int err;

	setlocale(LC_CTYPE, ""); /* numbers stay as they are written in filters */
	err = tui_new(&a->tui, &cfg);
	if (err) {
		log_error("this terminal cannot show the view (TERM=%s): use -o text, or a "
			  "terminal that can move its cursor",
			  getenv("TERM") ? getenv("TERM") : "");
		return err;
	}
	s = tui_sink(a->tui);
	a->view = app_add_sink(a, &s);
	return 0;
}

static void on_stored(void *self, const struct w5_hdr *rec)
{
	struct app *a = self;

	trace_write(a->trace, rec); /* what did not fit is counted in the writer */
}

static int add_trace(struct app *a)
{
	static const struct h2_store_ops ops = { .emit = on_stored };
	int err = trace_writer_new(&a->trace, a->opt->write_path);

	if (err)
		log_error("cannot write %s: %s", a->opt->write_path, strerror(-err));
	else if (a->masker)
		err = h2_store_new(&a->store, masker_mask(a->masker), &ops, a);
	return err;
}

int app_init(struct app *a, const struct options *opt, const struct keymap *keys)
{
	static const struct engine_ops ops = { .finding = on_finding };
	char why[PKTFILTER_WHY_MAX];
	struct engine_cfg cfg;
	size_t at;
	int err;

	*a = (struct app){ .opt = opt, .keymap = keys };
	engine_config(&cfg, opt);
	a->filtered.expr = opt->filter;
	err = opt->filter ? filter_parse(&a->filter, opt->filter, NULL) : 0;
	if (!err && opt->pcap_filter)
		err = pktfilter_new(&a->packets, opt->pcap_filter, why, &at);
	if (!err && !opt->show_secrets)
		err = make_masker(a);
	if (a->masker)
		cfg.mask = masker_mask(a->masker);
	if (!err)
		err = engine_new(&a->engine, &cfg, &ops, a);
	if (!err && opt->pcap_dir)
		err = add_pcap_dir(a);
	if (!err && opt->write_path)
		err = add_trace(a);
	if (!err && (opt->report_path || opt->output == OUTPUT_REPORT || opt->output == OUTPUT_TUI))
		err = app_add_report(a);
	if (!err && opt->output != OUTPUT_TUI && opt->output != OUTPUT_REPORT)
		err = add_headless(a);
	return err;
}

/* The view takes the terminal only once everything that can fail has not. */
void app_ready(struct app *a)
{
	if (a->headless)
		printout_ready(a->headless, a->engine);
	else if (a->opt->output == OUTPUT_TUI && add_tui(a))
		a->stop = true;
}

int app_record(void *self, const struct w5_hdr *rec)
{
	struct app *a = self;

	if (a->masker)
		rec = masker_record(a->masker, rec);
	if (a->logs && rec->type == W5_REC_GATEWAY)
		app_logs_gateway(a, rec);
	if (a->limits)
		app_limits_record(a, rec);
	names_see(a->names, rec);
	if (a->store)
		h2_store_record(a->store, rec);
	else if (a->trace)
		on_stored(a, rec);
	engine_feed(a->engine, rec);
	return a->stop;
}

void app_tick(struct app *a)
{
	for (size_t i = 0; i < a->nsinks; i++)
		if (a->sinks[i].ops->tick)
			app_sink_result(a, a->sinks[i].ops->tick(a->sinks[i].self, a->engine));
	if (a->trace)
		trace_flush(a->trace);
}

enum app_exit app_exit_status(const struct app *a)
{
	if (a->opt->output == OUTPUT_TUI && !a->tui)
		return APP_EXIT_FAILURE;
	if (a->sink_errno && a->sink_errno != EPIPE)
		return APP_EXIT_FAILURE;
	return a->bad ? APP_EXIT_BAD : APP_EXIT_OK;
}

void app_fini(struct app *a)
{
	uint64_t lost = a->trace ? trace_lost(a->trace) : 0;

	if (a->engine)
		engine_finish(a->engine);
	for (size_t i = 0; i < a->nsinks; i++)
		a->sinks[i].ops->close(a->sinks[i].self, a->engine);
	tui_free(a->tui);
	log_release();
	if (trace_writer_close(a->trace) || lost)
		log_warn("%s is incomplete: records could not be written (disk full?)",
			 a->opt->write_path);
	if (a->sink_errors && a->sink_errno != EPIPE)
		log_warn("%llu writes of findings failed: %s", (unsigned long long)a->sink_errors,
			 strerror(a->sink_errno));
	engine_free(a->engine);
	filter_free(a->filter);
	pktfilter_free(a->packets);
	h2_store_free(a->store);
	masker_free(a->masker);
}
