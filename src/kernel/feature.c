// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/feature.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

const struct feature features[] = {
	{ .name = "connects and closes",
	  .tracepoint = "inet_sock_set_state",
	  .args = 3,
	  .since = "4.16",
	  .with = { "set_state" },
	  .needed = true,
	  .loses = "everything about connections" },
	{ .name = "end of sockets",
	  .tracepoint = "tcp_destroy_sock",
	  .args = 1,
	  .since = "4.15",
	  .with = { "destroy_sock" },
	  .needed = true,
	  .loses = "which attempt a thread gave up" },
	{ .name = "reading thread",
	  .tracepoint = "tcp_rcv_space_adjust",
	  .args = 1,
	  .since = "4.15",
	  .with = { "socket_read" },
	  .needed = true,
	  .loses = "which request a thread was working on" },
	{ .name = "forks",
	  .tracepoint = "sched_process_fork",
	  .args = 2,
	  .since = "4.15",
	  .with = { "process_forked" },
	  .loses = "gateways that become daemons, or are upgraded, after why502 started" },
	{ .name = "socket errors",
	  .tracepoint = "inet_sk_error_report",
	  .args = 1,
	  .since = "5.14",
	  .with = { "error_report" },
	  .loses = "the ICMP error behind a failed connect, and who sent it" },
	{ .name = "retransmit refused",
	  .tracepoint = "tcp_retransmit_skb",
	  .args = 3,
	  .since = "6.16",
	  .with = { "retransmit_err" },
	  .without = { "retransmit" },
	  .loses = "a second witness for local ARP/ND failure" },
	{ .name = "failed neighbours",
	  .tracepoint = "neigh_timer_handler",
	  .args = 2,
	  .since = "5.1",
	  .with = { "neighbour_timer" },
	  .loses =
		  "a local ARP/ND failure that outlasts the connect timeout reads as conn-timeout-syn" },
	{ .name = "reset reasons",
	  .tracepoint = "tcp_send_reset",
	  .args = 3,
	  .since = "6.10",
	  .with = { "send_reset_reason" },
	  .loses = "the kernel's own reason for a reset it sent" },
	{ .name = "intended connects",
	  .prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
	  .helper_id = BPF_FUNC_sk_storage_get,
	  .helper = "BPF_FUNC_sk_storage_get",
	  .since = "5.10",
	  .with = { "connect_v4", "connect_v6" },
	  .loses = "connects that fail before a packet leaves (no-route)" },
	{ .name = "errors of local sockets",
	  .tracepoint = "sys_exit",
	  .args = 2,
	  .since = "4.17",
	  .with = { "unix_exit" },
	  .loses = "why a backend behind a unix socket cannot be reached (unix-socket-error)" },
	{ .name = "local connects",
	  .attach_type = "BPF_CGROUP_UNIX_CONNECT",
	  .since = "6.7",
	  .with = { "unix_begin" },
	  .loses = "unix-socket-error before a first failure; for a minute after one it is named" },
	{ .name = "their results",
	  .function = "bpf_task_work_schedule_resume",
	  .args = 4,
	  .older = "bpf_task_work_schedule_resume_impl",
	  .older_args = 5,
	  .since = "6.18",
	  .with = { "unix_follow" },
	  .spares = { "unix_begin", "unix_exit" },
	  .loses =
		  "the result of the first one; and while they go on every system call costs more" },
	{ .name = "probes in programs",
	  .file = "/sys/bus/event_source/devices/uprobe/type",
	  .since = "4.17",
	  .loses = "requests and responses over TLS; name the gateway's --access-log" },
	{ .name = "pools",
	  .function = "bpf_iter_bpf_sk_storage_map",
	  .since = "5.9",
	  .with = { "pool" },
	  .loses = "connections in use and idle per upstream; pool-limit without a log" },
	{ .name = "loops",
	  .helper = "BPF_FUNC_loop",
	  .since = "5.17",
	  .loses = "requests and responses over HTTP/2; name the gateway's --access-log" },
};
const size_t nfeatures = ARRAY_SIZE(features);

/* Number of arguments of a tracepoint, or -1 if the kernel has none of that name. */
static int tracepoint_args(const struct btf *vmlinux, const char *name)
{
	const struct btf_type *t;
	char type[80];
	int id;

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	id = btf__find_by_name_kind(vmlinux, type, BTF_KIND_TYPEDEF);
	if (id < 0)
		return -1;
	t = btf__type_by_id(vmlinux, id);
	t = btf__type_by_id(vmlinux, t->type); /* pointer */
	t = btf__type_by_id(vmlinux, t->type); /* function */
	if (!t || !btf_is_func_proto(t))
		return -1;
	return btf_vlen(t) - 1; /* the first is the tracepoint's private data */
}

/* Is there a function of that name, with so many arguments (0 = any number)? */
static bool has_function(const struct btf *vmlinux, const char *name, unsigned int args)
{
	int id = btf__find_by_name_kind(vmlinux, name, BTF_KIND_FUNC);
	const struct btf_type *t = id <= 0 ? NULL : btf__type_by_id(vmlinux, id);

	t = t ? btf__type_by_id(vmlinux, t->type) : NULL;
	return t && btf_is_func_proto(t) && (!args || btf_vlen(t) == args);
}

bool feature_enum(const struct btf *vmlinux, const char *type, const char *value)
{
	int id = btf__find_by_name_kind(vmlinux, type, BTF_KIND_ENUM);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(vmlinux, id);

	for (int i = 0; t && i < btf_vlen(t); i++) {
		const char *name = btf__name_by_offset(vmlinux, btf_enum(t)[i].name_off);

		if (name && !strcmp(name, value))
			return true;
	}
	return false;
}

/* For tests: as on a kernel that lacks it. */
static bool is_denied(const struct feature *f)
{
	const char *without = getenv("WHY502_WITHOUT");

	return without && strstr(without, f->name);
}

bool feature_present(const struct feature *f, const struct btf *vmlinux)
{
	int args;

	if (is_denied(f))
		return false;
	if (f->file)
		return !access(f->file, F_OK);
	if (f->prog_type)
		return libbpf_probe_bpf_helper((enum bpf_prog_type)f->prog_type,
					       (enum bpf_func_id)f->helper_id, NULL) > 0;
	if (f->function)
		return has_function(vmlinux, f->function, f->args) ||
		       (f->older && has_function(vmlinux, f->older, f->older_args));
	if (f->attach_type)
		return feature_enum(vmlinux, "bpf_attach_type", f->attach_type);
	if (f->helper)
		return feature_enum(vmlinux, "bpf_func_id", f->helper);
	args = tracepoint_args(vmlinux, f->tracepoint);
	return args >= 0 && (!f->args || (unsigned int)args >= f->args);
}

static void choose(struct bpf_object *obj, const char *const names[FEATURE_PROGRAMS], bool load)
{
	for (size_t i = 0; i < FEATURE_PROGRAMS && names[i]; i++) {
		struct bpf_program *p = bpf_object__find_program_by_name(obj, names[i]);

		if (p)
			bpf_program__set_autoload(p, load);
	}
}

int features_apply(struct bpf_object *obj, const struct btf *vmlinux,
		   const struct feature **missing)
{
	for (size_t i = 0; i < nfeatures; i++) {
		bool have = feature_present(&features[i], vmlinux);

		if (!have && features[i].needed) {
			*missing = &features[i];
			return -ENOSYS;
		}
		choose(obj, features[i].with, have);
		choose(obj, features[i].without, !have);
		if (have)
			choose(obj, features[i].spares, false);
	}
	return 0;
}
