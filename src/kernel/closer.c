// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/closer.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "kernel/kfunc.h"
#include "w5_bpf.h"
#include "why502.skel.h"

#define WATCH_NS      (60 * 1000 * 1000 * 1000ull)
/* BPF_CGROUP_UNIX_CONNECT, include/uapi/linux/bpf.h of 6.7; libbpf knows it from 1.3 on. */
#define CONNECT_UNIX  ((enum bpf_attach_type)49)
#define SCHEDULE      "bpf_task_work_schedule_resume"
#define SCHEDULE_IMPL "bpf_task_work_schedule_resume_impl"

static bool is_loaded(const struct bpf_program *p)
{
	return bpf_program__fd(p) >= 0;
}

/* The one of the two that this kernel's function is for. */
static struct bpf_program *follower(struct w5_bpf *skel, const struct btf *vmlinux)
{
	if (kfunc_fit(skel->obj, vmlinux, SCHEDULE))
		return skel->progs.unix_follow;
	return kfunc_fit(skel->obj, vmlinux, SCHEDULE_IMPL) ? skel->progs.unix_follow_impl : NULL;
}

bool closer_prepare(struct w5_bpf *skel, const struct btf *vmlinux, bool may_follow)
{
	bool chosen = bpf_program__autoload(skel->progs.unix_follow);
	const struct bpf_program *p = chosen && may_follow ? follower(skel, vmlinux) : NULL;
	struct bpf_program *const hooks[] = { skel->progs.unix_begin, skel->progs.unix_follow,
					      skel->progs.unix_follow_impl };

	bpf_program__set_autoattach(skel->progs.unix_exit, false);
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		bpf_program__set_expected_attach_type(hooks[i], CONNECT_UNIX);
	bpf_program__set_autoload(skel->progs.unix_follow, p == skel->progs.unix_follow);
	bpf_program__set_autoload(skel->progs.unix_follow_impl, p == skel->progs.unix_follow_impl);
	if (p != skel->progs.unix_follow)
		kfunc_hide(skel->obj, SCHEDULE);
	if (p != skel->progs.unix_follow_impl)
		kfunc_hide(skel->obj, SCHEDULE_IMPL);
	if (chosen && !p) { /* what they spared takes their place */
		bpf_program__set_autoload(skel->progs.unix_begin, true);
		bpf_program__set_autoload(skel->progs.unix_exit, true);
	}
	if (!p)
		bpf_map__set_autocreate(skel->maps.unix_calls, false);
	return p;
}

const struct bpf_program *closer_hook(const struct w5_bpf *skel)
{
	const struct bpf_program *const hooks[] = { skel->progs.unix_follow,
						    skel->progs.unix_follow_impl,
						    skel->progs.unix_begin };

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		if (is_loaded(hooks[i]))
			return hooks[i];
	return NULL;
}

static void tell(struct closer *c, uint64_t now)
{
	struct w5_unix u = { .h = { .ts_ns = now, .type = W5_REC_UNIX, .size = sizeof(u) },
			     .watched = c->always || c->link };

	c->told = c->link != NULL;
	c->on_record(c->self, &u.h);
}

void closer_start(struct closer *c, struct w5_bpf *skel, uint64_t now)
{
	c->always = closer_hook(skel);
	c->watched = &skel->bss->unix_watched;
	if (is_loaded(skel->progs.unix_exit))
		c->program = skel->progs.unix_exit;
	if (c->always || c->program)
		tell(c, now);
}

/* The flag first: then the hook is silent about the one that the program tells of. */
static void attach(struct closer *c)
{
	c->asked = true;
	if (c->link || !c->program)
		return;
	*c->watched = 1;
	c->link = bpf_program__attach_trace(c->program);
	if (!c->link)
		*c->watched = 0;
	log_debug("watching results of connects to local sockets: %s",
		  c->link ? "on" : strerror(errno));
}

void closer_ask(struct closer *c)
{
	if (!c->always)
		attach(c);
}

void closer_see(struct closer *c, const struct w5_hdr *h)
{
	if (c->always && (h->type == W5_REC_UNIX || h->type == W5_REC_UNIX_OPEN))
		attach(c);
}

void closer_mind(struct closer *c, uint64_t now)
{
	if (c->asked)
		c->until_ns = now + WATCH_NS;
	c->asked = false;
	if (c->link && !c->told && !c->always)
		tell(c, now);
	if (!c->link || now < c->until_ns)
		return;
	*c->watched = 0;
	bpf_link__destroy(take_ptr(c->link));
	if (!c->always)
		tell(c, now);
	log_debug("watching results of connects to local sockets: off");
}

void closer_fini(struct closer *c)
{
	bpf_link__destroy(take_ptr(c->link));
}
