/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A signal handler has no argument of ours, so what it needs is the one thing here
 * that is global. endwin() is not safe in a handler (it allocates and writes through
 * stdio): the bytes it would send were collected beforehand.
 */
#include "tui/rescue.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/util.h"

static const int fatal[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL };

#define STACK_BYTES 16384 /* the handler must run after a stack overflow as well */

static struct {
	volatile sig_atomic_t is_armed;
	bool is_registered;
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
	rescue.is_armed = 1;
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
}
