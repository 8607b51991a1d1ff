// SPDX-License-Identifier: BSD-2-Clause
/* Local sockets: to serve on, and such as cannot be connected to, each for a reason of its own. */
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

static int address_of(struct sockaddr_un *sa, const char *path, size_t len)
{
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!len || len >= sizeof(sa->sun_path))
		return -EINVAL;
	memcpy(sa->sun_path, path, len);
	return 0;
}

static int listen_at(const struct sockaddr_un *sa, int backlog, unsigned mode)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	unlink(sa->sun_path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)sa, sizeof(*sa)) ||
	    chmod(sa->sun_path, mode) || listen(fd, backlog))
		return -errno;
	return fd;
}

int local_listen(const char *path, int backlog, unsigned mode)
{
	struct sockaddr_un sa;
	int err = address_of(&sa, path, strlen(path));

	return err ? err : listen_at(&sa, backlog, mode);
}

int local_open(const char *arg)
{
	const char *colon = strrchr(arg, ':');
	struct sockaddr_un sa;
	int fd = address_of(&sa, arg, colon ? (size_t)(colon - arg) : 0);

	if (!fd)
		fd = listen_at(&sa, 1, strcmp(colon, ":denied") ? 0666 : 0600);
	if (fd < 0)
		return fd;
	if (!strcmp(colon, ":stale"))
		close(fd);
	else if (!strcmp(colon, ":full"))
		fill(&sa);
	return 0;
}
