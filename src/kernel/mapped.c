// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/util.h"

#define MAPPED_MAX 1024 /* files with code of one process; a gateway with many modules has 100 */

#define OVERLAYFS_MAGIC 0x794c7630 /* include/uapi/linux/magic.h */

/* "start-end perms offset major:minor inode  path", proc_pid_maps(5) */
int mapped_parse(const char *line, struct mapped *m)
{
	static const char gone[] = " (deleted)";
	unsigned int major, minor;
	char perms[5];
	int at = 0;
	size_t len;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %x:%x %" SCNu64 " %n", &m->start, &m->end,
		   perms, &major, &minor, &m->ino, &at) != 6 ||
	    !at)
		return -ENOENT;
	line += at;
	if (strlen(perms) != 4 || perms[2] != 'x' || !m->ino || *line != '/')
		return -ENOENT;
	m->dev = (uint64_t)major << 32 | minor;
	len = strcspn(line, "\n");
	m->deleted = len >= sizeof(gone) &&
		     !strncmp(line + len - (sizeof(gone) - 1), gone, sizeof(gone) - 1);
	if (m->deleted)
		len -= sizeof(gone) - 1;
	len = min_size(len, sizeof(m->path) - 1);
	memcpy(m->path, line, len);
	m->path[len] = '\0';
	return 0;
}

static bool is_listed(const struct mapped *v, size_t n, const struct mapped *m)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].dev == m->dev && v[i].ino == m->ino)
			return true;
	return false;
}

int mapped_list(uint32_t pid, struct mapped **out, size_t *n)
{
	w5_auto(freep) struct mapped *v = NULL;
	w5_auto(fclosep) FILE *f = NULL;
	w5_auto(freep) char *line = NULL;
	size_t len = 0, have = 0, cap = 0;
	struct mapped m;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (have < MAPPED_MAX && getline(&line, &len, f) > 0) {
		if (mapped_parse(line, &m) || is_listed(v, have, &m))
			continue;
		if (array_room(v, &cap, have, 16))
			return -ENOMEM;
		v[have++] = m;
	}
	*out = take_ptr(v);
	*n = have;
	return 0;
}

uint64_t mapped_fingerprint(const struct mapped *v, size_t n)
{
	uint64_t h = n;

	for (size_t i = 0; i < n; i++) {
		uint64_t id[] = { v[i].dev, v[i].ino };

		h = hash_bytes(id, sizeof(id), h);
		h = hash_bytes(v[i].path, strlen(v[i].path), h);
	}
	return h;
}

/* The file, without the side effects that opening a device has. */
static int open_regular(const char *path, struct stat *st)
{
	w5_auto(closep) int at = open(path, O_PATH | O_CLOEXEC);
	char self[32];
	int fd;

	if (at < 0 || fstat(at, st))
		return -errno;
	if (!S_ISREG(st->st_mode))
		return -EACCES;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", at);
	fd = open(self, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/*
 * An overlay gives each mount a device number of its own: two containers of one image map the
 * same file of the image and say otherwise. Two probes on it would tell everything twice. What
 * the overlay passes on from the file below tells it.
 */
static void make_key(int fd, const struct stat *st, struct file_key *key)
{
	struct statfs fs;

	memset(key, 0, sizeof(*key));
	key->dev = st->st_dev;
	key->ino = st->st_ino;
	if (fstatfs(fd, &fs) || fs.f_type != OVERLAYFS_MAGIC)
		return;
	key->dev = 0;
	key->size = st->st_size;
	key->mtime_ns = st->st_mtim.tv_sec * 1000000000ull + st->st_mtim.tv_nsec;
	key->ctime_ns = st->st_ctim.tv_sec * 1000000000ull + st->st_ctim.tv_nsec;
}

int mapped_open(uint32_t pid, const struct mapped *m, struct file_key *key)
{
	char path[MAPPED_PATH_MAX + 32];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/map_files/%" PRIx64 "-%" PRIx64, pid, m->start,
		 m->end);
	fd = open_regular(path, &st);
	if (fd < 0 && !m->deleted) {
		snprintf(path, sizeof(path), "/proc/%u/root%s", pid, m->path);
		fd = open_regular(path, &st);
		if (fd >= 0 && st.st_ino != m->ino) {
			close(fd); /* another file took its name */
			return -ESTALE;
		}
	}
	if (fd >= 0)
		make_key(fd, &st, key);
	return fd;
}

bool mapped_is_exe(uint32_t pid, int fd)
{
	struct stat a, b;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	return !stat(path, &a) && !fstat(fd, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}
