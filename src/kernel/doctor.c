// SPDX-License-Identifier: BSD-2-Clause
/* `why502 doctor`: what this host can do, what it lacks, and what that costs. */
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/text.h"
#include "base/util.h"
#include "kernel/cgroup.h"
#include "kernel/feature.h"
#include "kernel/kernel.h"

static void row(FILE *out, const char *mark, const char *what, const char *detail)
{
	fprintf(out, "%-7s %-22s %s\n", mark, what, detail);
}

static int on_record(void *self, const struct w5_hdr *h)
{
	FILE *out = self;
	char line[256], name[68], path[256];
	const struct w5_gateway *g = (const struct w5_gateway *)h;

	if (h->type != W5_REC_GATEWAY || g->tgid != g->group)
		return 0;
	text_escape(name, sizeof(name), g->comm, strnlen(g->comm, sizeof(g->comm)));
	text_escape(path, sizeof(path), g->cgroup, strnlen(g->cgroup, sizeof(g->cgroup)));
	snprintf(line, sizeof(line), "pid %u, %u listening ports, cgroup %.160s", g->tgid,
		 g->nports, path);
	row(out, "gateway", name, line);
	return 0;
}

static void list_features(const struct btf *vmlinux, FILE *out)
{
	char line[256];

	for (size_t i = 0; i < nfeatures; i++) {
		bool have = feature_present(&features[i], vmlinux);

		if (have)
			snprintf(line, sizeof(line), "tracepoint %s", features[i].tracepoint);
		else
			snprintf(line, sizeof(line), "Linux %s+; without it: %s", features[i].since,
				 features[i].loses);
		row(out,
		    have		 ? "ok"
		    : features[i].needed ? "MISSING"
					 : "absent",
		    features[i].name, line);
	}
}

static void memory_cost(const struct kernel_cfg *cfg, FILE *out)
{
	char line[160];

	snprintf(line, sizeof(line), "%zu bytes%s per gateway connection, ring %llu KiB",
		 sizeof(struct w5_leg) + 24 + (cfg->recorder ? sizeof(struct w5_packets) : 0),
		 cfg->recorder ? " (flight recorder on)" : "",
		 (unsigned long long)cfg->ring_bytes / 1024);
	row(out, "memory", "kernel", line);
}

int kernel_doctor(const struct kernel_cfg *cfg, FILE *out)
{
	struct kernel *k = NULL;
	struct btf *vmlinux;
	struct utsname u;
	int fd, err;

	if (!uname(&u))
		row(out, "host", u.nodename, u.release);
	row(out, geteuid() ? "MISSING" : "ok", "root", geteuid() ? "run it with sudo" : "");
	vmlinux = btf__load_vmlinux_btf();
	row(out, vmlinux ? "ok" : "MISSING", "kernel types (BTF)",
	    vmlinux ? "" : "boot a kernel with CONFIG_DEBUG_INFO_BTF=y");
	if (vmlinux)
		list_features(vmlinux, out);
	btf__free(vmlinux);
	fd = cgroup_root_open();
	row(out, fd >= 0 ? "ok" : "MISSING", "cgroup v2", fd >= 0 ? "" : strerror(-fd));
	closep(&fd);
	memory_cost(cfg, out);
	err = kernel_open(&k, cfg, on_record, out);
	if (!err)
		err = kernel_start(k);
	row(out, err ? "MISSING" : "ok", "programs attach", err ? kernel_error(k) : "");
	kernel_close(k);
	fprintf(out, "%s\n", err ? "why502 cannot run here." : "why502 can run here.");
	return err;
}
