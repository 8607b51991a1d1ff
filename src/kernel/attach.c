// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/attach.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "kernel/cgroup.h"

static void detach(const struct attachment *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < ATTACH_PROGRAMS; k++)
			bpf_link__destroy(v[i].links[k]);
}

void attach_fini(struct attach *a)
{
	detach(a->at, a->n);
	a->n = 0;
}

int attach_cgroup_fd(struct attach *a, int fd, uint64_t id)
{
	struct attachment at = { .id = id };

	for (size_t i = 0; i < ATTACH_PROGRAMS; i++) {
		if (a->programs[i])
			at.links[i] = bpf_program__attach_cgroup(a->programs[i], fd);
		if (!at.links[i] && i < ATTACH_NEEDED) {
			int err = -errno;

			detach(&at, 1);
			return err;
		}
	}
	a->at[a->n++] = at;
	return 0;
}

/* The root sees the sockets of all. The new links come first, so that no packet passes unseen
 * between. */
static int attach_root(struct attach *a)
{
	struct attachment old[ATTACH_MAX];
	size_t n = a->n;
	int err;

	memcpy(old, a->at, sizeof(old));
	a->n = 0;
	err = attach_cgroup_fd(a, a->root, a->root_id);
	if (err) {
		memcpy(a->at, old, sizeof(old));
		a->n = n;
		return err;
	}
	detach(old, n);
	return 0;
}

int attach_cgroup(struct attach *a, uint64_t id)
{
	int fd, err;

	for (size_t i = 0; i < a->n; i++)
		if (a->at[i].id == id || a->at[i].id == a->root_id)
			return 0;
	fd = id == a->root_id ? -1 : cgroup_open_id(a->root, id);
	if (fd < 0 || a->n == ATTACH_MAX) { /* the root, out of our sight, or too many */
		closep(&fd);
		return attach_root(a);
	}
	err = attach_cgroup_fd(a, fd, id);
	close(fd);
	return err;
}
