/* SPDX-License-Identifier: BSD-2-Clause */
/* See limits_host.h: short files, and what a space has counted. */
#include "source/limits_host.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/util.h"
#include "source/limits_parse.h"

/* Since Linux 6.2 the size of that directory is the number of files; before, it is 0, and
 * counting would cost with every file: then it is not known. */
static uint64_t open_files(uint32_t tgid)
{
	struct stat st;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%u/fd", tgid);
	return stat(path, &st) || !st.st_size ? W5_HOST_UNKNOWN : (uint64_t)st.st_size;
}

/* The file says it of any process; the call, which costs less, not without CAP_SYS_RESOURCE. */
static uint64_t files_limit(uint32_t tgid)
{
	char path[32], text[2048];
	struct rlimit lim;

	if (!prlimit((pid_t)tgid, RLIMIT_NOFILE, NULL, &lim))
		return lim.rlim_cur;
	snprintf(path, sizeof(path), "/proc/%u/limits", tgid);
	space_read(text, sizeof(text), AT_FDCWD, path);
	return limits_soft(text, "Max open files");
}

void limits_host_files(struct w5_host *r, uint32_t tgid)
{
	uint64_t n = open_files(tgid), max = files_limit(tgid);

	if (n == W5_HOST_UNKNOWN || max == W5_HOST_UNKNOWN)
		return;
	if (r->v[W5_HOST_FILES] != W5_HOST_UNKNOWN &&
	    (double)n * (double)r->v[W5_HOST_FILES_MAX] <=
		    (double)r->v[W5_HOST_FILES] * (double)max)
		return;
	r->tgid = tgid;
	r->v[W5_HOST_FILES] = n;
	r->v[W5_HOST_FILES_MAX] = max;
}

static uint64_t pressure(int dir, const char *path, const char *line)
{
	char text[512];

	space_read(text, sizeof(text), dir, path);
	return limits_pressure(text, line);
}

void limits_host_own_pressure(struct w5_host *r, int cgroup_root, const char *cgroup)
{
	static const struct {
		enum w5_host_value value;
		const char *file, *line;
	} rows[] = {
		{ W5_HOST_OWN_CPU, "cpu.pressure", "some" },
		{ W5_HOST_OWN_MEMORY, "memory.pressure", "some" },
		{ W5_HOST_OWN_MEMORY_FULL, "memory.pressure", "full" },
		{ W5_HOST_OWN_IO, "io.pressure", "some" },
	};
	char path[160];

	cgroup += *cgroup == '/';
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		r->v[rows[i].value] = W5_HOST_UNKNOWN;
		if (cgroup_root < 0 || !*cgroup) /* the root's would be the host's */
			continue;
		snprintf(path, sizeof(path), "%s/%s", cgroup, rows[i].file);
		r->v[rows[i].value] = pressure(cgroup_root, path, rows[i].line);
	}
}

static void sample_host(struct w5_host *r)
{
	char text[16384];

	space_read(text, sizeof(text), AT_FDCWD, "/proc/net/softnet_stat");
	r->v[W5_HOST_SOFTNET_DROPS] = limits_softnet(text, 1);
	r->v[W5_HOST_SOFTNET_SQUEEZES] = limits_softnet(text, 2);
	r->v[W5_HOST_CPU] = pressure(AT_FDCWD, "/proc/pressure/cpu", "some");
	r->v[W5_HOST_MEMORY] = pressure(AT_FDCWD, "/proc/pressure/memory", "some");
	r->v[W5_HOST_MEMORY_FULL] = pressure(AT_FDCWD, "/proc/pressure/memory", "full");
	r->v[W5_HOST_IO] = pressure(AT_FDCWD, "/proc/pressure/io", "some");
}

void limits_host_begin(struct w5_host *host)
{
	*host = (struct w5_host){ 0 };
	for (size_t i = 0; i < W5_HOST_VALUE_MAX; i++)
		host->v[i] = W5_HOST_UNKNOWN;
	sample_host(host);
}

static int by_used(const void *a, const void *b)
{
	const struct towards *x = a, *y = b;

	return x->used != y->used ? (x->used < y->used ? 1 : -1) : memcmp(x, y, sizeof(*x));
}

void limits_host_ports(struct w5_host *r, struct counts *c)
{
	qsort(c->v, c->n, sizeof(c->v[0]), by_used);
	for (size_t i = 0; i < c->n && r->nports < W5_HOST_PORTS; i++) {
		bool known = false;

		/* from a second address: the fuller one stands */
		for (size_t k = 0; k < r->nports; k++)
			known |= r->ports[k].port == c->v[i].port &&
				 !memcmp(&r->ports[k].ip, &c->v[i].to, sizeof(c->v[i].to));
		if (!known)
			r->ports[r->nports++] = (struct w5_host_ports){ .ip = c->v[i].to,
									.port = c->v[i].port,
									.used = c->v[i].used };
	}
}

/* Those in trouble first, then the gateway's own, then by port. */
static int by_trouble(const void *a, const void *b)
{
	const struct w5_host_listener *x = a, *y = b;
	bool tx = x->drops || x->queue * 2ull > x->max, ty = y->drops || y->queue * 2ull > y->max;

	if (tx != ty)
		return tx ? -1 : 1;
	if (x->flags != y->flags)
		return x->flags ? -1 : 1;
	return (int)x->port - (int)y->port;
}

void limits_host_listeners(struct w5_host *r, const struct space *s, const uint16_t *own,
			   size_t nown)
{
	struct w5_host_listener v[SPACE_LISTENERS_MAX];

	for (size_t i = 0; i < s->nlisteners; i++) {
		v[i] = s->listeners[i];
		for (size_t k = 0; k < nown; k++)
			if (v[i].port == own[k])
				v[i].flags |= W5_LISTENER_OWN;
	}
	qsort(v, s->nlisteners, sizeof(v[0]), by_trouble);
	r->nlisteners = (uint16_t)min_size(s->nlisteners, W5_HOST_LISTENERS);
	memcpy(r->listeners, v, r->nlisteners * sizeof(v[0]));
}
