// SPDX-License-Identifier: BSD-2-Clause
/* Local sockets that cannot be connected to, each for a reason of its own. */
#include "backend.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Its queue holds what nobody takes in; these conns stay open as long as we live. */
static void fill(const struct sockaddr_un *sa)
{
	int fd, err;

	do {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		err = fd < 0 || connect(fd, (const struct sockaddr *)sa, sizeof(*sa));
	} while (!err);
	if (fd >= 0)
		close(fd);
}

int local_open(const char *arg)
{
	const char *colon = strrchr(arg, ':');
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t len = colon ? (size_t)(colon - arg) : 0;
	int fd;

	if (!len || len >= sizeof(sa.sun_path))
		return -EINVAL;
	memcpy(sa.sun_path, arg, len);
	unlink(sa.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) ||
	    chmod(sa.sun_path, strcmp(colon, ":denied") ? 0666 : 0600))
		return -errno;
	if (!strcmp(colon, ":stale")) {
		close(fd);
		return 0;
	}
	if (listen(fd, 1))
		return -errno;
	if (!strcmp(colon, ":full"))
		fill(&sa);
	return 0;
}
