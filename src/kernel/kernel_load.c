/* SPDX-License-Identifier: BSD-2-Clause */
/* The eBPF object: what the host must have for it, its knobs, loaded. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "kernel/cgroup.h"
#include "kernel/feature.h"
#include "kernel/flight.h"
#include "kernel/kernel_impl.h"
#include "kernel/uprobe.h"

/* libbpf's own words are one level down: the tool's voice stays in front. */
#define LINES_SHOWN 24 /* of the verifier's log: why it refused is at its end */

static int libbpf_says(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char *text, *line, *rest;
	size_t lines = 0;

	if (log_get_level() < LOG_LEVEL_DEBUG || level == LIBBPF_DEBUG ||
	    vasprintf(&text, fmt, ap) < 0)
		return 0;
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		if (*line && (line == text || lines <= LINES_SHOWN))
			log_debug("  %s", line);
		lines -= lines > 0;
	}
	free(text);
	return 0;
}

static int check_host(struct kernel *k, struct btf **vmlinux)
{
	if (geteuid())
		return kernel_fail(k, -EPERM, "not root: eBPF programs need it; run it with sudo");
	*vmlinux = btf__load_vmlinux_btf();
	if (!*vmlinux)
		return kernel_fail(
			k, -ENOSYS,
			"this kernel has no BTF (/sys/kernel/btf/vmlinux): boot one with "
			"CONFIG_DEBUG_INFO_BTF=y, Linux 5.15 or newer");
	k->cgroup_root = cgroup_root_open();
	if (k->cgroup_root < 0)
		return kernel_fail(
			k, k->cgroup_root,
			"no cgroup v2 hierarchy and none could be mounted (%s): boot with a "
			"kernel that has CONFIG_CGROUPS and CONFIG_CGROUP_BPF",
			strerror(-k->cgroup_root));
	return 0;
}

static void set_knobs(struct kernel *k)
{
	struct w5_bpf_cfg *c = (struct w5_bpf_cfg *)&k->skel->rodata->cfg;
	uint64_t ring = k->cfg.ring_bytes;

	/* Failures keep the last quarter of the ring for themselves, packet dumps of
	 * failures may fill it to seven eighths. */
	c->bulk_limit = ring - ring / 4;
	c->dump_limit = ring - ring / 8;
	c->wake_at = ring / 4;
	c->slots = k->cfg.history_packets;
	c->slot_bytes = k->cfg.history_bytes;
	c->slot_stride = W5_PKT_HEAD + c->slot_bytes;
	c->dump_bytes = W5_PACKETS_SIZE(c->slots, c->slot_bytes);
	c->self_tgid = getpid();
	bpf_map__set_max_entries(k->skel->maps.ring, ring);
}

static int load(struct kernel *k, struct btf *vmlinux, bool *follows)
{
	const struct feature *missing = NULL;
	int err;

	k->skel = w5_bpf__open();
	if (!k->skel)
		return kernel_fail(k, -errno, "cannot open the eBPF object: %s", strerror(errno));
	err = features_apply(k->skel->obj, vmlinux, &missing);
	if (err)
		return kernel_fail(
			k, err, "this kernel lacks the tracepoint %s (%s): use Linux 5.15 or newer",
			missing->tracepoint, missing->loses);
	set_knobs(k);
	bpf_program__set_autoattach(k->skel->progs.pool, false); /* needs its map: pool.c */
	*follows = closer_prepare(k->skel, vmlinux, *follows);
	err = flight_resize(k->skel->obj, k->skel->maps.conns, k->cfg.history_packets,
			    k->cfg.history_bytes);
	if (err)
		return kernel_fail(k, err, "cannot make room for --history %ux%u: %s",
				   k->cfg.history_packets, k->cfg.history_bytes, strerror(-err));
	uprobes_prepare(k->skel->obj, vmlinux, "ssl_");
	uprobes_prepare(k->skel->obj, vmlinux, "go_");
	err = w5_bpf__load(k->skel);
	if (err)
		return kernel_fail(
			k, err,
			"the kernel refused the eBPF programs (%s): Linux 5.15 or newer is "
			"needed, without lockdown; -v shows the kernel's words",
			strerror(-err));
	return 0;
}

int kernel_load(struct kernel *k)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct btf *vmlinux = NULL;
	bool follows = true;
	int err;

	libbpf_set_print(libbpf_says);
	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* maps count against it before 5.11 */
	err = check_host(k, &vmlinux);
	if (!err)
		err = load(k, vmlinux, &follows);
	/* The newest of the programs: what this kernel says of it may mean another thing. */
	if (err && follows) {
		w5_bpf__destroy(take_ptr(k->skel));
		follows = false;
		err = load(k, vmlinux, &follows);
	}
	btf__free(vmlinux);
	return err;
}
