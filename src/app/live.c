// SPDX-License-Identifier: BSD-2-Clause
/*
 * The live loop: one thread, one epoll. The ring is emptied ten times a second while all
 * is well; a failure, or a ring that fills up, calls at once, and for a second after that
 * the tick is 25 ms, because findings have a grace. The screen follows at 10 Hz.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "app/app.h"
#include "base/log.h"
#include "base/clock.h"
#include "base/util.h"
#include "kernel/kernel.h"
#include "source/capture.h"
#include "tui/tui.h"

#define TICK_NS	     (100 * 1000 * 1000ull)
#define QUICK_NS     (25 * 1000 * 1000ull)
#define QUICK_FOR_NS (1000 * 1000 * 1000ull)
#define DRAW_NS	     (99 * 1000 * 1000ull)
#define PUMP_NS	     (20 * 1000 * 1000ull) /* while a file is read */

struct loop {
	struct app *app;
	int epoll, timer, signals;
	uint64_t tick_ns;  /* the timer's present interval */
	uint64_t quick_ns; /* until then ticks are quick */
	uint64_t drawn_ns;
	uint64_t end_ns; /* 0 = no end */
	/* a replay */
	struct trace_stream *stream; /* or NULL: a file, read in one go */
	char say[CAPTURE_ERR_MAX];   /* why it ended, or "" */
	int stream_err;
	uint64_t pumped_ns;
	size_t nread;
	bool quit; /* by the user, while it was read */
};

static int watch(struct loop *l, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static void block_signals(sigset_t *set)
{
	static const int wanted[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT };

	sigemptyset(set);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		sigaddset(set, wanted[i]);
	sigprocmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int set_tick(struct loop *l, uint64_t ns)
{
	struct itimerspec every = { .it_interval = { .tv_nsec = ns },
				    .it_value = { .tv_nsec = ns } };

	if (l->tick_ns == ns)
		return 0;
	l->tick_ns = ns;
	return timerfd_settime(l->timer, 0, &every, NULL) ? -errno : 0;
}

static int loop_open(struct loop *l, const sigset_t *set)
{
	int err = 0;

	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	l->signals = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->epoll < 0 || l->timer < 0 || l->signals < 0 || set_tick(l, TICK_NS))
		return -errno;
	err = watch(l, l->timer);
	if (!err)
		err = watch(l, l->signals);
	if (!err && l->app->kernel)
		err = watch(l, kernel_fd(l->app->kernel));
	if (!err && l->stream)
		err = watch(l, trace_stream_fd(l->stream));
	if (!err && l->app->tui && !l->app->opt->screen_cols)
		err = watch(l, STDIN_FILENO);
	return err;
}

static void loop_close(struct loop *l)
{
	closep(&l->epoll);
	closep(&l->timer);
	closep(&l->signals);
}

/* Ctrl-Z: give the terminal back, stop for real, take it again on SIGCONT. */
static void suspend(struct app *a)
{
	sigset_t tstp;

	if (a->tui)
		tui_suspend(a->tui);
	sigemptyset(&tstp);
	sigaddset(&tstp, SIGTSTP);
	signal(SIGTSTP, SIG_DFL);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &tstp, NULL); /* stops here */
	sigprocmask(SIG_BLOCK, &tstp, NULL);
	if (a->tui)
		tui_resume(a->tui);
}

static void on_signals(struct loop *l)
{
	struct signalfd_siginfo si;

	while (read(l->signals, &si, sizeof(si)) == sizeof(si)) {
		switch (si.ssi_signo) {
		case SIGWINCH:
			if (l->app->tui)
				tui_resize(l->app->tui);
			break;
		case SIGTSTP: suspend(l->app); break;
		case SIGCONT: break;
		default: l->app->stop = l->quit = true;
		}
	}
}

static void on_key(struct loop *l)
{
	if (tui_key(l->app->tui) & TUI_QUIT)
		l->app->stop = l->quit = true;
	else
		tui_draw(l->app->tui);
}

static void on_tick(struct loop *l)
{
	struct app *a = l->app;
	uint64_t missed, now = clock_ns(CLOCK_MONOTONIC);

	if (read(l->timer, &missed, sizeof(missed)) < 0)
		return;
	if (a->kernel) {
		app_logs_poll(a);
		app_limits_poll(a);
		app_names_poll(a);
		kernel_poll(a->kernel, true);
	}
	/* A reader of lines gets them at once; a screen need not change faster than eyes. */
	if (!a->tui || now - l->drawn_ns >= DRAW_NS) {
		l->drawn_ns = now;
		app_tick(a);
		if (a->tui)
			tui_draw(a->tui);
	}
	set_tick(l, now < l->quick_ns ? QUICK_NS : TICK_NS);
	if (l->end_ns && now >= l->end_ns)
		a->stop = true;
}

/* The kernel side calls: something failed, or the ring fills up. */
static void on_call(struct loop *l)
{
	l->quick_ns = clock_ns(CLOCK_MONOTONIC) + QUICK_FOR_NS;
	set_tick(l, QUICK_NS);
	kernel_poll(l->app->kernel, false);
}

/* A trace that is being written: what has come of it, and what to do at its end. */
static void on_stream(struct loop *l)
{
	struct app *a = l->app;
	int rc = trace_stream_read(l->stream, app_record, a, l->say);

	if (rc > 0)
		return;
	l->stream_err = rc;
	trace_stream_close(take_ptr(l->stream));
	engine_finish(a->engine);
	if (a->tui && !a->opt->screen_cols)
		tui_ended(a->tui);
	else
		a->stop = true;
}

/* timeout: as of epoll_wait(). */
static void loop_step(struct loop *l, int timeout)
{
	struct epoll_event ev[8];
	int n = epoll_wait(l->epoll, ev, ARRAY_SIZE(ev), timeout);

	for (int i = 0; i < n && !l->app->stop; i++) {
		int fd = ev[i].data.fd;

		if (fd == l->timer)
			on_tick(l);
		else if (fd == l->signals)
			on_signals(l);
		else if (fd == STDIN_FILENO && l->app->tui)
			on_key(l);
		else if (l->app->kernel)
			on_call(l);
		else if (l->stream && fd == trace_stream_fd(l->stream))
			on_stream(l);
	}
}

static void loop_run(struct loop *l)
{
	while (!l->app->stop)
		loop_step(l, -1);
}

/* Runs until told to stop; in a replay there is no kernel and only the view lives on. */
static int app_loop(struct app *a, const sigset_t *set)
{
	struct loop l = { .app = a, .epoll = -1, .timer = -1, .signals = -1 };
	int err = loop_open(&l, set);

	if (a->opt->duration_ns)
		l.end_ns = clock_ns(CLOCK_MONOTONIC) + a->opt->duration_ns;
	if (a->tui) {
		app_tick(a);
		tui_draw(a->tui);
	}
	if (!err)
		loop_run(&l);
	else
		log_error("cannot wait for events: %s", strerror(-err));
	loop_close(&l);
	return err;
}

/* A long file must not make the view deaf: keys, signals and the screen get their turn. */
static int on_replayed(void *self, const struct w5_hdr *rec)
{
	struct loop *l = self;
	uint64_t now;

	if (!(++l->nread & 255) && (now = clock_ns(CLOCK_MONOTONIC)) - l->pumped_ns > PUMP_NS) {
		l->pumped_ns = now;
		if (l->app->tui && !l->app->opt->screen_cols)
			loop_step(l, 0);
		else
			on_signals(l);
	}
	return app_record(l->app, rec) || l->quit;
}

void app_kernel_config(struct kernel_cfg *cfg, const struct options *o)
{
	*cfg = (struct kernel_cfg){ .ring_bytes = o->ring_bytes,
				    .history_packets = (uint32_t)o->history_packets,
				    .history_bytes = (uint32_t)o->history_bytes,
				    .cgroup = o->cgroup,
				    .pid = o->pid,
				    .no_tls_probes = o->no_tls_probes };
}

enum app_exit app_live(struct app *a)
{
	struct kernel_cfg cfg;
	sigset_t set;
	int err;

	if (app_logs_open(a))
		return APP_EXIT_FAILURE;
	app_limits_open(a);
	app_kernel_config(&cfg, a->opt);
	block_signals(&set);
	err = kernel_open(&a->kernel, &cfg, app_record, a);
	if (!err)
		err = app_names_open(a);
	if (!err)
		err = kernel_start(a->kernel);
	if (err) {
		log_error("%s", kernel_error(a->kernel));
		kernel_close(take_ptr(a->kernel));
		app_logs_close(a);
		app_limits_close(a);
		app_names_close(a);
		return APP_EXIT_HOST;
	}
	app_logs_poll(a); /* exchanges are kept for their lines from now on */
	app_ready(a);
	err = a->stop ? -EIO : app_loop(a, &set);
	app_logs_poll(a);
	kernel_poll(a->kernel, true);
	kernel_close(take_ptr(a->kernel));
	app_logs_close(a);
	app_report(a);
	app_limits_close(a);
	app_names_close(a);
	return err ? APP_EXIT_FAILURE : app_exit_status(a);
}

_Static_assert(CAPTURE_ERR_MAX >= TRACE_ERR_MAX, "either sentence fits");

static void on_say(void *self, const char *text)
{
	(void)self;
	log_info("%s", text);
}

static int replay_file(struct loop *l)
{
	static const struct capture_ops ops = { .record = on_replayed, .say = on_say };
	const struct options *o = l->app->opt;
	int err;

	if (capture_is(o->read_path))
		err = capture_read(o->read_path, &o->capture, &ops, l, l->say);
	else
		err = trace_read(o->read_path, on_replayed, l, l->say);
	engine_finish(l->app->engine);
	return err;
}

static int replay_stream(struct loop *l)
{
	loop_run(l);
	return l->stream_err;
}

static enum app_exit replay(struct loop *l, const sigset_t *set)
{
	struct app *a = l->app;
	int err = loop_open(l, set);

	if (a->opt->duration_ns)
		l->end_ns = clock_ns(CLOCK_MONOTONIC) + a->opt->duration_ns;
	if (!err)
		err = l->stream ? replay_stream(l) : replay_file(l);
	if (err < 0)
		log_error("%s", l->say[0] ? l->say : strerror(-err));
	if (err < 0 && err != -ENODATA)
		return APP_EXIT_FAILURE;
	app_tick(a);
	if (a->tui && !a->opt->screen_cols && !l->quit) {
		a->stop = false;
		tui_draw(a->tui);
		loop_run(l); /* the view lives on */
	}
	app_report(a);
	return app_exit_status(a);
}

enum app_exit app_replay(struct app *a)
{
	struct loop l = { .app = a, .epoll = -1, .timer = -1, .signals = -1 };
	enum app_exit status;
	sigset_t set;

	/* before signals wait for the loop: this may wait for the writer */
	if (trace_is_stream(a->opt->read_path) &&
	    trace_stream_open(&l.stream, a->opt->read_path, l.say)) {
		log_error("%s", l.say);
		return APP_EXIT_FAILURE;
	}
	block_signals(&set);
	app_ready(a);
	status = a->stop ? APP_EXIT_FAILURE : replay(&l, &set);
	loop_close(&l);
	trace_stream_close(l.stream);
	return status;
}
