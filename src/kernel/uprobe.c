// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/uprobe.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"
#include "kernel/feature.h"

/* include/uapi/linux/bpf.h of 6.6; libbpf has its own call for this from 1.3 on. */
#define ATTACH_UPROBE_MULTI 48 /* BPF_TRACE_UPROBE_MULTI */
#define MULTI_RETURN	    1  /* BPF_F_UPROBE_MULTI_RETURN */
struct multi_attr {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t path, offsets, ref_ctr_offsets, cookies;
	uint32_t count, multi_flags, pid, pad; /* pid 0: every process */
};

void uprobes_prepare(struct bpf_object *obj, const struct btf *vmlinux, const char *prefix)
{
	struct bpf_program *p;

	if (!feature_enum(vmlinux, "bpf_attach_type", "BPF_TRACE_UPROBE_MULTI"))
		return;
	bpf_object__for_each_program(p, obj)
		if (!strncmp(bpf_program__name(p), prefix, strlen(prefix)))
			bpf_program__set_expected_attach_type(p, ATTACH_UPROBE_MULTI);
}

static int add_multi(struct uprobes *u, int prog_fd, const char *path, const uint64_t *offsets,
		     size_t n, bool ret)
{
	struct multi_attr a = { .prog_fd = prog_fd,
				.attach_type = ATTACH_UPROBE_MULTI,
				.path = (uintptr_t)path,
				.offsets = (uintptr_t)offsets,
				.count = n,
				.multi_flags = ret ? MULTI_RETURN : 0 };
	int fd;

	if (u->n == UPROBES_MAX)
		return -E2BIG;
	fd = syscall(SYS_bpf, BPF_LINK_CREATE, &a, sizeof(a)); /* close-on-exec by itself */
	if (fd < 0)
		return -errno;
	u->link[u->n].perf = NULL;
	u->link[u->n++].fd = fd;
	u->places += n;
	return 0;
}

static int add_perf(struct uprobes *u, const struct bpf_program *p, const char *path,
		    const uint64_t *offsets, size_t n, bool ret)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .retprobe = ret);

	for (size_t i = 0; i < n; i++) {
		struct bpf_link *link;

		if (u->n == UPROBES_MAX)
			return -E2BIG;
		link = bpf_program__attach_uprobe_opts(p, -1, path, offsets[i], &opts);
		if (!link)
			return -errno;
		u->link[u->n++].perf = link;
		u->places++;
	}
	return 0;
}

int uprobes_add(struct uprobes *u, const struct bpf_object *obj, const char *program,
		const char *path, const uint64_t *offsets, size_t n, bool ret)
{
	const struct bpf_program *p = bpf_object__find_program_by_name(obj, program);
	int fd = p ? bpf_program__fd(p) : -1;

	if (fd < 0)
		return -ENOTSUP;
	if (bpf_program__expected_attach_type(p) == ATTACH_UPROBE_MULTI)
		return add_multi(u, fd, path, offsets, n, ret);
	return add_perf(u, p, path, offsets, n, ret);
}

void uprobes_detach(struct uprobes *u)
{
	while (u->n) {
		u->n--;
		if (u->link[u->n].perf)
			bpf_link__destroy(u->link[u->n].perf);
		else
			closep(&u->link[u->n].fd);
	}
	u->places = 0;
}
