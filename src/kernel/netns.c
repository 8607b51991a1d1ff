// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/util.h"

int netns_enter(uint32_t pid, int *back)
{
	w5_auto(closep) int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), other = -1;
	struct stat a, b;
	char path[40];

	*back = -1;
	snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	other = open(path, O_RDONLY | O_CLOEXEC);
	if (own < 0 || other < 0 || fstat(own, &a) || fstat(other, &b)) {
		closep(&other);
		return -ENOENT;
	}
	if (a.st_ino != b.st_ino && setns(other, CLONE_NEWNET)) {
		int err = -errno;

		closep(&other);
		return err;
	}
	closep(&other);
	if (a.st_ino != b.st_ino)
		*back = take_fd(&own);
	return 0;
}

void netns_leave(int *back)
{
	if (*back >= 0)
		(void)!setns(*back, CLONE_NEWNET); /* we came from there */
	closep(back);
}
