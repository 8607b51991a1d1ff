// SPDX-License-Identifier: BSD-2-Clause
/* `why502 doctor`: what this host can do, what it lacks, and what that costs. */
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/util.h"
#include "kernel/cgroup.h"
#include "kernel/feature.h"
#include "kernel/kernel.h"
#include "kernel/readable.h"

static const char *kind_of(const struct feature *f)
{
	return f->file		? ""
	       : f->helper	? "helper "
	       : f->attach_type ? "hook "
	       : f->function	? f->args ? "function " : "iterator "
				: "tracepoint ";
}

static const char *detail_of(const struct feature *f)
{
	return f->file		? f->file
	       : f->helper	? f->helper
	       : f->function	? f->function
	       : f->attach_type ? f->attach_type
				: f->tracepoint;
}

static int on_record(void *self, const struct w5_hdr *h)
{
	const struct w5_gateway *g = (const struct w5_gateway *)h;
	struct readable *r = self;

	if (h->type != W5_REC_GATEWAY)
		return 0;
	r->ops->gateway(r->ops->self, g);
	return readable_add(r, g);
}

/* True if HTTP/2 can be read. */
static bool list_features(const struct btf *vmlinux, FILE *out)
{
	bool has_loop = false;
	char line[256];

	for (size_t i = 0; i < nfeatures; i++) {
		bool have = feature_present(&features[i], vmlinux);

		has_loop |= have && features[i].helper &&
			    !strcmp(features[i].helper, "BPF_FUNC_loop");
		if (have)
			snprintf(line, sizeof(line), "%s%s", kind_of(&features[i]),
				 detail_of(&features[i]));
		else
			snprintf(line, sizeof(line), "Linux %s+; without it: %s", features[i].since,
				 features[i].loses);
		doctor_row(out,
			   have			? "ok"
			   : features[i].needed ? "MISSING"
						: "absent",
			   features[i].name, line);
	}
	return has_loop;
}

/* "4.0 KB": what is kept of it is clear, so no unit is smaller. */
static void size_text(char out[24], uint64_t bytes)
{
	if (bytes < 1000 * 1024)
		snprintf(out, 24, "%.1f KB", (double)bytes / 1024);
	else
		snprintf(out, 24, "%.1f MB", (double)bytes / 1024 / 1024);
}

/* 1204 as 1,204 */
static void count_text(char out[32], uint64_t n)
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n),
	       at = 0;

	for (size_t i = 0; i < len; i++) {
		if (i && !((len - i) % 3))
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
}

/* The state of a connection is one piece of memory: with the recorder it is longer. */
static void memory_cost(const struct kernel *k, const struct kernel_cfg *cfg, FILE *out)
{
	char each[24], all[24], count[32], line[160];
	uint64_t n = kernel_conns(k);
	size_t bytes = kernel_conn_bytes(k);

	size_text(each, bytes);
	size_text(all, bytes * n);
	count_text(count, n);
	snprintf(line, sizeof(line), "%s x %s connections = %s, and %llu KB for the ring", each,
		 count, all, (unsigned long long)cfg->ring_bytes / 1024);
	doctor_row(out, "memory", "kernel", line);
	if (cfg->history_packets)
		snprintf(line, sizeof(line),
			 "--history %ux%u: the last %u packets of each, %u bytes of a packet",
			 cfg->history_packets, cfg->history_bytes, cfg->history_packets,
			 cfg->history_bytes);
	else
		snprintf(line, sizeof(line), "--history 0: off, no packets to save");
	doctor_row(out, "", "flight recorder", line);
}

int kernel_doctor(const struct kernel_cfg *cfg, const struct kernel_doctor_ops *ops, FILE *out)
{
	struct readable gateways = { .ops = ops };
	struct kernel *k = NULL;
	struct btf *vmlinux;
	struct utsname u;
	int fd, err;

	if (!uname(&u))
		doctor_row(out, "host", u.nodename, u.release);
	doctor_row(out, geteuid() ? "MISSING" : "ok", "root", geteuid() ? "run it with sudo" : "");
	vmlinux = btf__load_vmlinux_btf();
	doctor_row(out, vmlinux ? "ok" : "MISSING", "kernel types (BTF)",
		   vmlinux ? "" : "boot a kernel with CONFIG_DEBUG_INFO_BTF=y");
	if (vmlinux)
		gateways.has_loop = list_features(vmlinux, out);
	btf__free(vmlinux);
	fd = cgroup_root_open();
	doctor_row(out, fd >= 0 ? "ok" : "MISSING", "cgroup v2", fd >= 0 ? "" : strerror(-fd));
	closep(&fd);
	err = kernel_open(&k, cfg, on_record, &gateways);
	if (!err)
		err = kernel_start(k);
	doctor_row(out, err ? "MISSING" : "ok", "programs attach", err ? kernel_error(k) : "");
	if (!err)
		memory_cost(k, cfg, out);
	if (!err)
		readable_print(&gateways, kernel_tls(k), out);
	readable_fini(&gateways);
	kernel_close(k);
	fprintf(out, "%s\n", err ? "why502 cannot run here." : "why502 can run here.");
	return err;
}
