// SPDX-License-Identifier: BSD-2-Clause
/* A convenience: whatever goes wrong here, the session goes on without a word. */
#include "app/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

#define FILE_MAX  (64 << 10) /* larger: only its end is read, and kept */
#define KEEP_FROM (16 << 10)

/* Each folder of the path, as mkdir -p does, private; the base has to be there. */
static int make_folders(char *path, size_t base)
{
	for (char *p = path + base; (p = strchr(p + 1, '/'));) {
		*p = '\0';
		if (mkdir(path, 0700) && errno != EEXIST) {
			*p = '/';
			return -errno;
		}
		*p = '/';
	}
	return 0;
}

static int find_place(struct app_history *h)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	bool is_state = state && *state == '/';
	const char *base = is_state ? state : home;
	struct stat st;
	int n;

	if (!base || *base != '/' || stat(base, &st) || !S_ISDIR(st.st_mode) ||
	    st.st_uid != geteuid() || st.st_mode & S_IWOTH)
		return -EPERM;
	n = snprintf(h->path, sizeof(h->path), "%s%s/why502/history", base,
		     is_state ? "" : "/.local/state");
	if (n < 0 || (size_t)n >= sizeof(h->path))
		return -ENAMETOOLONG;
	return make_folders(h->path, strlen(base));
}

/* From the first whole line behind `skip`. */
static char *read_from(int fd, off_t skip)
{
	char *text = malloc(FILE_MAX + 1), *nl;
	ssize_t n;

	if (!text)
		return NULL;
	n = pread(fd, text, FILE_MAX, skip);
	text[n > 0 ? n : 0] = '\0';
	nl = skip ? strchr(text, '\n') : NULL;
	if (nl)
		memmove(text, nl + 1, strlen(nl + 1) + 1);
	return text;
}

char *app_history_load(struct app_history *h)
{
	w5_auto(closep) int fd = -1;
	struct stat st;
	char *text;

	if (find_place(h)) {
		h->path[0] = '\0';
		return NULL;
	}
	fd = open(h->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid()) {
		h->path[0] = '\0';
		return NULL;
	}
	if (st.st_size <= FILE_MAX)
		return read_from(fd, 0);
	text = read_from(fd, st.st_size - KEEP_FROM);
	if (text && !ftruncate(fd, 0) && pwrite(fd, text, strlen(text), 0) < 0)
		h->path[0] = '\0';
	return text;
}

void app_history_add(const struct app_history *h, const char *line)
{
	w5_auto(closep) int fd = -1;
	char out[1024];
	int n;

	if (!h->path[0])
		return;
	fd = open(h->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	n = snprintf(out, sizeof(out), "%s\n", line);
	if (fd < 0 || n < 0 || (size_t)n >= sizeof(out))
		return;
	if (write(fd, out, (size_t)n) < 0)
		return; /* the disk is full: the line is lost, nothing else */
}
