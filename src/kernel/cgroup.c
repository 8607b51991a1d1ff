// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"

/* include/linux/exportfs.h: FILEID_KERNFS, a 64-bit id as handle */
#define HANDLE_KERNFS 0xfe

/* sys/mount.h has these only from glibc 2.36 on, and clashes with linux/mount.h. */
#define FSCONFIG_CREATE 6

static int mounted_root(void)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	int fd = -ENOENT;

	if (!f)
		return -errno;
	while ((m = getmntent(f))) {
		if (strcmp(m->mnt_type, "cgroup2"))
			continue;
		fd = open(m->mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0)
			break;
		fd = -errno;
	}
	endmntent(f);
	return fd;
}

static int private_root(void)
{
	int fs, mnt;

	fs = syscall(SYS_fsopen, "cgroup2", 1 /* FSOPEN_CLOEXEC */);
	if (fs < 0)
		return -errno;
	mnt = syscall(SYS_fsconfig, fs, FSCONFIG_CREATE, NULL, NULL, 0);
	if (!mnt)
		mnt = syscall(SYS_fsmount, fs, 1 /* FSMOUNT_CLOEXEC */, 0);
	mnt = mnt < 0 ? -errno : mnt;
	close(fs);
	return mnt;
}

int cgroup_root_open(void)
{
	int fd = mounted_root();

	return fd >= 0 ? fd : private_root();
}

int cgroup_open_id(int root_fd, uint64_t id)
{
	struct {
		struct file_handle h;
		uint64_t id;
	} handle = { .h = { .handle_bytes = sizeof(uint64_t), .handle_type = HANDLE_KERNFS } };
	int fd;

	memcpy(handle.h.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(root_fd, &handle.h, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}

static bool same_hierarchy(int a, int b)
{
	struct stat sa, sb;

	return !fstat(a, &sa) && !fstat(b, &sb) && sa.st_dev == sb.st_dev;
}

int cgroup_open_path(int root_fd, const char *path)
{
	int fd;

	if (*path == '/') {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 && same_hierarchy(fd, root_fd))
			return fd;
		closep(&fd);
	}
	while (*path == '/')
		path++;
	fd = openat(root_fd, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}

uint64_t cgroup_id(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

void cgroup_path_of(uint32_t pid, char *out, size_t cap)
{
	w5_auto(fclosep) FILE *f = NULL;
	char path[40], line[512];

	*out = '\0';
	snprintf(path, sizeof(path), "/proc/%u/cgroup", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "0::", 3))
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(out, cap, "%s", line + 3);
		return;
	}
}
