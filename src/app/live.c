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
#include "base/util.h"
#include "kernel/kernel.h"
#include "tui/tui.h"

#define TICK_NS	     (100 * 1000 * 1000ull)
#define QUICK_NS     (25 * 1000 * 1000ull)
#define QUICK_FOR_NS (1000 * 1000 * 1000ull)
#define DRAW_NS	     (99 * 1000 * 1000ull)

struct loop {
	struct app *app;
	int epoll, timer, signals;
	uint64_t tick_ns;  /* the timer's present interval */
	uint64_t quick_ns; /* until then ticks are quick */
	uint64_t drawn_ns;
	uint64_t end_ns; /* 0 = no end */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

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
		default: l->app->stop = true;
		}
	}
}

static void on_key(struct loop *l)
{
	if (tui_key(l->app->tui) & TUI_QUIT)
		l->app->stop = true;
	else
		tui_draw(l->app->tui);
}

static void on_tick(struct loop *l)
{
	struct app *a = l->app;
	uint64_t missed, now = now_ns();

	if (read(l->timer, &missed, sizeof(missed)) < 0)
		return;
	if (a->kernel) {
		app_logs_poll(a);
		app_limits_poll(a);
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
	l->quick_ns = now_ns() + QUICK_FOR_NS;
	set_tick(l, QUICK_NS);
	kernel_poll(l->app->kernel, false);
}

static void loop_run(struct loop *l)
{
	struct epoll_event ev[8];

	while (!l->app->stop) {
		int n = epoll_wait(l->epoll, ev, ARRAY_SIZE(ev), -1);

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
		}
	}
}

/* Runs until told to stop; in a replay there is no kernel and only the view lives on. */
static int app_loop(struct app *a, const sigset_t *set)
{
	struct loop l = { .app = a, .epoll = -1, .timer = -1, .signals = -1 };
	int err = loop_open(&l, set);

	if (a->opt->duration_ns)
		l.end_ns = now_ns() + a->opt->duration_ns;
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

void app_kernel_config(struct kernel_cfg *cfg, const struct options *o)
{
	*cfg = (struct kernel_cfg){ .ring_bytes = o->ring_bytes,
				    .recorder = o->history_packets > 0,
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
		err = kernel_start(a->kernel);
	if (err) {
		log_error("%s", kernel_error(a->kernel));
		kernel_close(take_ptr(a->kernel));
		app_logs_close(a);
		app_limits_close(a);
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
	return err ? APP_EXIT_FAILURE : app_exit_status(a);
}

enum app_exit app_replay(struct app *a)
{
	char say[TRACE_ERR_MAX] = "";
	sigset_t set;
	int err;

	block_signals(&set);
	app_ready(a);
	if (a->stop)
		return APP_EXIT_FAILURE;
	err = trace_read(a->opt->read_path, app_record, a, say);
	engine_finish(a->engine);
	if (err < 0)
		log_error("%s", say);
	if (err < 0 && err != -ENODATA)
		return APP_EXIT_FAILURE;
	a->stop = false;
	app_tick(a);
	if (a->tui && !a->opt->screen_cols)
		app_loop(a, &set);
	app_report(a);
	return app_exit_status(a);
}
