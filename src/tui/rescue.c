/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A signal handler has no argument of ours, so what it needs is the one thing here
 * that is global. endwin() is not safe in a handler (it allocates and writes through
 * stdio): the bytes it would send were collected beforehand.
 *
 * SIGKILL runs no handler. A child waits on a pipe for that: when it closes while the
 * terminal is ours, the child gives the terminal back and ends too.
 */
#include "tui/rescue.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/util.h"

static const int fatal[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL };

#define STACK_BYTES 16384 /* the handler must run after a stack overflow as well */

static struct {
	volatile sig_atomic_t is_armed;
	bool is_registered;
	bool has_keeper;
	int keeper_fd; /* write end: one byte per change, ARMED or DISARMED */
	int in_fd, out_fd;
	struct termios line;
	char seq[RESCUE_MAX];
	size_t len;
	char stack[STACK_BYTES];
} rescue;

static void restore(void)
{
	size_t done = 0;

	if (!rescue.is_armed)
		return;
	rescue.is_armed = 0;
	while (done < rescue.len) {
		ssize_t n = write(rescue.out_fd, rescue.seq + done, rescue.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	tcsetattr(rescue.in_fd, TCSANOW, &rescue.line);
}

static void on_fatal(int sig)
{
	restore();
	/* SA_RESETHAND put the default back: core dump and exit status stay true */
	raise(sig);
}

#define ARMED	 '+'
#define DISARMED '-'

/* Nothing of ours may live on in the child: a descriptor it kept would keep the eBPF
 * programs attached. */
static _Noreturn void keeper_main(int pipe_fd)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTTOU, SIGTSTP, SIGPIPE };
	char state = DISARMED, c;
	ssize_t n;

	if (dup2(rescue.in_fd, 0) < 0 || dup2(rescue.out_fd, 1) < 0 || dup2(pipe_fd, 2) < 0)
		_exit(1);
	rescue.in_fd = 0;
	rescue.out_fd = 1;
	close_range(3, ~0u, 0);
	prctl(PR_SET_NAME, "why502-terminal");
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	while ((n = read(2, &c, 1)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			state = c;
	rescue.is_armed = state == ARMED;
	restore();
	_exit(0);
}

static void keeper_start(void)
{
	int fds[2];
	pid_t pid;

	rescue.has_keeper = true; /* tried once: without it only SIGKILL is not covered */
	rescue.keeper_fd = -1;
	if (pipe2(fds, O_CLOEXEC))
		return;
	pid = fork();
	if (!pid) {
		close(fds[1]);
		keeper_main(fds[0]);
	}
	close(fds[0]);
	if (pid < 0)
		close(fds[1]);
	else
		rescue.keeper_fd = fds[1];
}

static void keeper_tell(char state)
{
	if (rescue.keeper_fd >= 0 && write(rescue.keeper_fd, &state, 1) < 0)
		closep(&rescue.keeper_fd);
}

int rescue_save(int in_fd, int out_fd)
{
	if (tcgetattr(in_fd, &rescue.line))
		return -errno;
	rescue.in_fd = in_fd;
	rescue.out_fd = out_fd;
	return 0;
}

void rescue_arm(const char *seq, size_t len)
{
	struct sigaction sa = { .sa_handler = on_fatal,
				.sa_flags = (int)SA_RESETHAND | SA_ONSTACK | SA_NODEFER };
	stack_t stack = { .ss_sp = rescue.stack, .ss_size = sizeof(rescue.stack) }, old;

	rescue.len = min_size(len, sizeof(rescue.seq));
	memcpy(rescue.seq, seq, rescue.len);
	if (!rescue.has_keeper)
		keeper_start(); /* after what it restores is known */
	rescue.is_armed = 1;
	keeper_tell(ARMED);
	if (!sigaltstack(NULL, &old) && old.ss_flags & SS_DISABLE)
		sigaltstack(&stack, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++) {
		struct sigaction was;

		/* a sanitizer or debugger that has its own handler keeps it */
		if (!sigaction(fatal[i], NULL, &was) && was.sa_handler == SIG_DFL)
			sigaction(fatal[i], &sa, NULL);
	}
	if (!rescue.is_registered)
		rescue.is_registered = !atexit(restore);
}

void rescue_disarm(void)
{
	rescue.is_armed = 0;
	if (rescue.has_keeper)
		keeper_tell(DISARMED);
}
