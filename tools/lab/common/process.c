// SPDX-License-Identifier: BSD-2-Clause
/* Clocks and life as a daemon, see process.h. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * SEC + (uint64_t)ts.tv_nsec;
}

int daemonize(const char *pidfile)
{
	pid_t pid = fork();
	FILE *f;
	int null;

	if (pid < 0)
		return -errno;
	if (pid > 0) {
		f = pidfile ? fopen(pidfile, "w") : NULL;
		if (f) {
			fprintf(f, "%d\n", (int)pid);
			fclose(f);
		}
		_exit(0);
	}
	setsid();
	null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	close(null);
	return 0;
}
