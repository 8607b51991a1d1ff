/* SPDX-License-Identifier: BSD-2-Clause */
/* See kernel.h: opened, attached, looked through, polled. What loads the object is kernel_load.c. */
#include "kernel/kernel.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "kernel/cgroup.h"
#include "kernel/flight.h"
#include "kernel/iter.h"
#include "kernel/kernel_impl.h"
#include "kernel/pool.h"
#include "kernel/procs.h"
#include "kernel/tls.h"

#define BATCH_MAX 20000 /* records per poll, so that keys and timers get their turn */
#define REAP_NS	  (1000 * 1000 * 1000ull)
#define STATS_NS  (1000 * 1000 * 1000ull)

int kernel_fail(struct kernel *k, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(k->error, sizeof(k->error), fmt, ap);
	va_end(ap);
	return err;
}

const struct tls *kernel_tls(const struct kernel *k)
{
	return k->tls;
}

const char *kernel_error(const struct kernel *k)
{
	return k ? k->error : "out of memory";
}

uint64_t kernel_conns(const struct kernel *k)
{
	return k->skel->bss->conns_made;
}

size_t kernel_conn_bytes(const struct kernel *k)
{
	return flight_conn_bytes(k->skel->maps.conns);
}

/* ---- opening ---- */

static void on_process(struct kernel *k, const struct w5_listen *r)
{
	if (r->flags & W5_LISTEN_FORKED) {
		procs_forked(k->procs, r);
		return;
	}
	procs_listen(k->procs, r);
	tls_changed(k->tls, r->tgid);
}

/* An attempt in full; what follows it in the sample is for us alone. */
static void on_attempt(struct kernel *k, const struct w5_hdr *h, size_t size)
{
	struct w5_leg l = *(const struct w5_leg *)h;
	const struct w5_route_key *asked = (const void *)((const char *)h + sizeof(l));
	const struct w5_limit *limit =
		local_explain(&k->local, &l, size >= sizeof(l) + sizeof(*asked) ? asked : NULL);

	if (limit)
		k->on_record(k->self, &limit->h);
	k->on_record(k->self, &l.h);
}

static int on_ring(void *self, void *data, size_t size)
{
	struct kernel *k = self;
	const struct w5_hdr *h = data;

	if (size < sizeof(*h) || h->size > size)
		return 0;
	if (h->type == W5_REC_LISTEN && size >= sizeof(struct w5_listen))
		on_process(k, data);
	closer_see(&k->closer, h);
	if (h->type == W5_REC_ATTEMPT && h->size == sizeof(struct w5_leg))
		on_attempt(k, h, size);
	else
		k->on_record(k->self, h);
	/* Negative stops this round; what was taken stays taken. */
	return ++k->batch >= BATCH_MAX ? -EAGAIN : 0;
}

static void on_gateway(void *self, const struct w5_gateway *g)
{
	struct kernel *k = self;
	struct w5_gateway rec = *g;

	rec.h.ts_ns = clock_ns(CLOCK_MONOTONIC);
	if (!(g->flags & W5_GW_ENDED) && !k->cfg.cgroup)
		attach_cgroup(&k->cgroups, g->cgroup_id);
	if (g->flags & W5_GW_ENDED)
		tls_forget(k->tls, g->tgid);
	else if (!k->cfg.no_tls_probes)
		tls_watch(k->tls, g->tgid);
	k->on_record(k->self, &rec.h);
}

static void on_pool(void *self, const struct w5_pool *p)
{
	struct kernel *k = self;

	k->on_record(k->self, &p->h);
}

int kernel_open(struct kernel **out, const struct kernel_cfg *cfg, kernel_record_fn on_record,
		void *self)
{
	struct kernel *k = calloc(1, sizeof(*k));
	struct procs_cfg pcfg;
	int err;

	*out = k;
	if (!k)
		return -ENOMEM;
	k->cfg = *cfg;
	k->on_record = on_record;
	k->self = self;
	k->cgroup_root = -1;
	err = kernel_load(k);
	if (err)
		return err;
	k->ring = ring_buffer__new(bpf_map__fd(k->skel->maps.ring), on_ring, k, NULL);
	if (!k->ring)
		return kernel_fail(k, -errno, "cannot map the ring buffer: %s", strerror(errno));
	pcfg = (struct procs_cfg){ .procs_map = bpf_map__fd(k->skel->maps.procs),
				   .ports_map = bpf_map__fd(k->skel->maps.listen_ports),
				   .pid = cfg->pid };
	err = tls_new(&k->tls, k->skel->obj);
	if (!err)
		err = procs_new(&k->procs, &pcfg, on_gateway, k);
	return err ? kernel_fail(k, err, "out of memory") : 0;
}

/* ---- attaching ---- */

static int attach_named_cgroup(struct kernel *k)
{
	int fd = cgroup_open_path(k->cgroup_root, k->cfg.cgroup), err;

	if (fd < 0)
		return kernel_fail(k, fd, "no cgroup %s (%s): name one below the cgroup v2 mount",
				   k->cfg.cgroup, strerror(-fd));
	err = attach_cgroup_fd(&k->cgroups, fd, cgroup_id(fd));
	close(fd);
	if (err)
		return kernel_fail(k, err, "cannot attach to cgroup %s: %s", k->cfg.cgroup,
				   strerror(-err));
	return 0;
}

/* ---- what is older than us ---- */

static void on_seed(void *self, const void *record)
{
	struct kernel *k = self;

	procs_seed_socket(k->procs, record);
}

static int run_seed(struct kernel *k, enum w5_seed_mode mode)
{
	k->skel->bss->seed_mode = mode;
	return iter_read(k->skel->links.seed, sizeof(struct w5_seed), on_seed, k);
}

static void begin_session(struct kernel *k)
{
	struct w5_session s = { .h = { .type = W5_REC_SESSION, .size = sizeof(s) },
				.abi = W5_ABI_VERSION };
	struct utsname u;

	s.h.ts_ns = clock_ns(CLOCK_MONOTONIC);
	s.realtime_ns = clock_ns(CLOCK_REALTIME);
	if (!uname(&u)) {
		snprintf(s.host, sizeof(s.host), "%.63s", u.nodename);
		snprintf(s.kernel, sizeof(s.kernel), "%.63s", u.release);
	}
	snprintf(s.version, sizeof(s.version), "%s", W5_VERSION);
	k->on_record(k->self, &s.h);
}

static void take_programs(struct kernel *k)
{
	const struct bpf_program *of[ATTACH_PROGRAMS] = {
		[ATTACH_IN] = k->skel->progs.packet_in,
		[ATTACH_OUT] = k->skel->progs.packet_out,
		[ATTACH_CONNECT4] = k->skel->progs.connect_v4,
		[ATTACH_CONNECT6] = k->skel->progs.connect_v6,
		[ATTACH_CONNECT_UNIX] = closer_hook(k->skel),
	};

	for (size_t i = 0; i < ATTACH_PROGRAMS; i++)
		k->cgroups.programs[i] = of[i] && bpf_program__fd(of[i]) >= 0 ? of[i] : NULL;
}

int kernel_start(struct kernel *k)
{
	int err;

	begin_session(k);
	k->closer = (struct closer){ .on_record = k->on_record, .self = k->self };
	closer_start(&k->closer, k->skel, clock_ns(CLOCK_MONOTONIC));
	/* Subscribe first, then scan: what comes to be in between is seen twice, not missed. */
	err = w5_bpf__attach(k->skel);
	if (err)
		return kernel_fail(k, err, "cannot attach the eBPF programs: %s", strerror(-err));
	k->cgroups =
		(struct attach){ .root = k->cgroup_root, .root_id = cgroup_id(k->cgroup_root) };
	take_programs(k);
	if (k->cfg.cgroup) {
		err = attach_named_cgroup(k);
		if (err)
			return err;
	}
	err = pool_new(&k->pool, k->skel->progs.pool, k->skel->maps.conns, on_pool, k);
	if (err && err != -ENOSYS)
		return kernel_fail(k, err, "cannot look through the pools: %s", strerror(-err));
	err = run_seed(k, W5_SEED_LIST);
	if (!err)
		err = procs_seed_done(k->procs);
	if (!err)
		err = run_seed(k, W5_SEED_ADOPT);
	if (err)
		return kernel_fail(k, err, "cannot look through the open connections: %s",
				   strerror(-err));
	return 0;
}

/* ---- running ---- */

int kernel_fd(const struct kernel *k)
{
	return ring_buffer__epoll_fd(k->ring);
}

static void tell_stats(struct kernel *k, uint64_t now)
{
	struct w5_stats *s = &k->stats;
	bool changed = now - k->stats_ns >= STATS_NS;

	for (int i = 0; i < W5_LOSS_MAX; i++) {
		uint64_t v = ((volatile __u64 *)k->skel->bss->loss)[i];

		changed |= v != s->loss[i];
		s->loss[i] = v;
	}
	if (!changed)
		return;
	k->stats_ns = now;
	s->h = (struct w5_hdr){ .ts_ns = now, .type = W5_REC_STATS, .size = sizeof(*s) };
	s->ring_size = k->cfg.ring_bytes;
	s->conns = k->skel->bss->conns_made;
	s->tls_conns = k->skel->bss->tls_conns;
	s->h2_conns = k->skel->bss->h2_conns;
	k->on_record(k->self, &s->h);
}

void kernel_look_closer(struct kernel *k)
{
	closer_ask(&k->closer);
}

/* What no record tells: processes that are gone, or have other libraries. */
static void look_around(struct kernel *k, uint64_t now)
{
	if (now - k->reap_ns >= REAP_NS) {
		k->reap_ns = now;
		procs_reap(k->procs);
	}
	tls_poll(k->tls, now);
	if (k->skel->bss->conns_made)
		pool_poll(k->pool, now, false);
	closer_mind(&k->closer, now);
}

int kernel_poll(struct kernel *k, bool on_tick)
{
	struct w5_hdr tick = { .type = W5_REC_TICK, .size = sizeof(tick) };
	int n;

	tick.ts_ns = clock_ns(CLOCK_MONOTONIC);
	k->batch = 0;
	if (on_tick)
		k->skel->bss->woken = 0;
	n = ring_buffer__consume(k->ring);
	tell_stats(k, tick.ts_ns);
	if (n == -EAGAIN)
		return 1; /* more is waiting: time has not come as far as the tick yet */
	k->on_record(k->self, &tick);
	if (on_tick)
		look_around(k, tick.ts_ns);
	else
		pool_poll(k->pool, tick.ts_ns, true);
	return n < 0 ? n : 0;
}

void kernel_close(struct kernel *k)
{
	if (!k)
		return;
	attach_fini(&k->cgroups);
	closer_fini(&k->closer);
	tls_free(k->tls);
	pool_free(k->pool);
	ring_buffer__free(k->ring);
	procs_free(k->procs);
	w5_bpf__destroy(k->skel);
	closep(&k->cgroup_root);
	free(k);
}
