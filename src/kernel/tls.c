// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "kernel/goprobe.h"
#include "kernel/libssl.h"
#include "kernel/mapped.h"
#include "kernel/tls_impl.h"

/* Looks soon after a process is found: four, each after twice the time. Then one per SCAN_NS,
 * and after twice the time, up to 16 s, where nothing new is found. */
#define FIRST_NS   (100 * 1000 * 1000ull)
#define SCAN_NS	   (1000 * 1000 * 1000ull)
#define SCAN_SHIFT 4
#define WHOLE_SCAN 10 /* every so many looks, whatever its size */

int tls_new(struct tls **out, const struct bpf_object *obj)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->obj = obj;
	*out = t;
	return 0;
}

/* ---- files ---- */

static void file_free(struct tls_file *f)
{
	if (f->libssl)
		libssl_detach(f->libssl);
	if (f->go)
		go_probe_detach(f->go);
	free(f->libssl);
	free(f->go);
	free(f);
}

/* Lets the file go, and its probes, with the last process that has it mapped. */
static void file_put(struct tls *t, struct tls_file *f)
{
	if (--f->refs)
		return;
	for (size_t i = 0; i < t->nfiles; i++) {
		if (t->files[i] != f)
			continue;
		t->files[i] = t->files[--t->nfiles];
		break;
	}
	if (f->state == TLS_READ)
		log_debug("%s is mapped by no gateway any more: probes removed", f->path);
	file_free(f);
}

static int probe_libssl(struct tls *t, struct tls_file *f, int fd)
{
	int err;

	f->libssl = calloc(1, sizeof(*f->libssl));
	if (!f->libssl)
		return -ENOMEM;
	err = libssl_attach(f->libssl, t->obj, fd, f->exe);
	/* A file that is no ELF file is of interest only where its name promised something. */
	if (err == -ENOEXEC && !strstr(f->path, "libssl"))
		err = -ENOENT;
	if (err && err != -ENOENT)
		f->why = f->libssl->error;
	return err;
}

static int probe_go(struct tls *t, struct tls_file *f, int fd)
{
	char path[32];
	int err;

	f->go = calloc(1, sizeof(*f->go));
	if (!f->go)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = go_probe_attach(f->go, t->obj, path);
	if (err == -ENOEXEC)
		free(take_ptr(f->go));
	else if (err && err != -ENOENT)
		f->why = f->go->error;
	return err;
}

/* What is in this file? Attaches what it calls for. */
static void examine(struct tls *t, struct tls_file *f, int fd)
{
	int err = f->exe ? probe_go(t, f, fd) : -ENOEXEC;

	if (err == -ENOEXEC)
		err = probe_libssl(t, f, fd);
	f->state = err == 0 ? TLS_READ : err == -ENOENT ? TLS_NONE : TLS_UNREAD;
	if (f->state == TLS_NONE && f->libssl)
		free(take_ptr(f->libssl));
	if (f->state == TLS_UNREAD)
		log_warn("TLS in %s cannot be read: %s", f->path, f->why ? f->why : strerror(-err));
	else if (f->state == TLS_READ)
		log_debug("TLS in %s: %zu probes", f->path, tls_file_probes(f));
}

static struct tls_file *find_file(const struct tls *t, const struct file_key *key)
{
	for (size_t i = 0; i < t->nfiles; i++)
		if (!memcmp(&t->files[i]->key, key, sizeof(*key)))
			return t->files[i];
	return NULL;
}

/* The file of this mapping, examined if nobody had it mapped before; with a reference. */
static int file_get(struct tls *t, uint32_t tgid, const struct mapped *m, struct tls_file **out)
{
	struct file_key key;
	w5_auto(closep) int fd = mapped_open(tgid, m, &key);
	struct tls_file *f;

	if (fd < 0)
		return fd;
	f = find_file(t, &key);
	if (!f) {
		if (array_room(t->files, &t->cap, t->nfiles, 64))
			return -ENOMEM;
		f = calloc(1, sizeof(*f));
		if (!f)
			return -ENOMEM;
		f->key = key;
		f->exe = mapped_is_exe(tgid, fd);
		snprintf(f->path, sizeof(f->path), "%s", m->path);
		t->files[t->nfiles++] = f;
		examine(t, f, fd);
	}
	f->refs++;
	*out = f;
	return 0;
}

/* ---- processes ---- */

static struct tls_proc *find_proc(const struct tls *t, uint32_t tgid)
{
	for (size_t i = 0; i < t->nprocs; i++)
		if (t->procs[i].tgid == tgid)
			return &t->procs[i];
	return NULL;
}

const struct tls_proc *tls_find_proc(const struct tls *t, uint32_t tgid)
{
	return find_proc(t, tgid);
}

static void put_files(struct tls *t, struct tls_file **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		file_put(t, v[i]);
	free(v);
}

/* The new files come before the old ones go: what is in both stays probed. */
static void take_files(struct tls *t, struct tls_proc *p, const struct mapped *m, size_t n)
{
	struct tls_file **v = calloc(n ? n : 1, sizeof(*v)), **old = p->files;
	size_t have = 0, nold = p->nfiles;

	if (!v)
		return;
	p->complete = true;
	for (size_t i = 0; i < n; i++) {
		int err = file_get(t, p->tgid, &m[i], &v[have]);

		if (!err)
			have++;
		else if (err != -EACCES) /* no regular file; else: try again */
			p->complete = false;
	}
	p->files = v;
	p->nfiles = have;
	put_files(t, old, nold);
}

static void scan(struct tls *t, struct tls_proc *p)
{
	w5_auto(freep) struct mapped *v = NULL;
	uint64_t print;
	size_t n;

	/* A process nobody waits for stays in the table, with nothing mapped. */
	if (mapped_list(p->tgid, &v, &n))
		return;
	print = mapped_fingerprint(v, n);
	if (print == p->fingerprint && p->complete) {
		p->calm += p->calm < SCAN_SHIFT;
	} else {
		p->calm = 0;
		take_files(t, p, v, n);
	}
	p->fingerprint = print;
}

/* Its size in memory and of its code: what maps a library changes them. A fraction of the cost
 * of reading all mappings. */
static uint64_t size_of(uint32_t tgid)
{
	char path[32], text[128];
	unsigned long long size = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/statm", tgid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return sscanf(text, "%llu", &size) == 1 ? size : 0;
}

void tls_watch(struct tls *t, uint32_t tgid)
{
	struct tls_proc *p = find_proc(t, tgid);

	if (!p) {
		if (array_room(t->procs, &t->procs_cap, t->nprocs, 16))
			return;
		p = &t->procs[t->nprocs++];
		memset(p, 0, sizeof(*p));
		p->tgid = tgid;
	}
	p->size = size_of(tgid);
	p->due_ns = t->now_ns + FIRST_NS;
	scan(t, p);
}

void tls_changed(struct tls *t, uint32_t tgid)
{
	struct tls_proc *p = find_proc(t, tgid);

	if (p)
		p->due_ns = p->looks = p->calm = 0;
}

void tls_forget(struct tls *t, uint32_t tgid)
{
	struct tls_proc *p = find_proc(t, tgid);

	if (!p)
		return;
	put_files(t, p->files, p->nfiles);
	*p = t->procs[--t->nprocs];
}

void tls_poll(struct tls *t, uint64_t now_ns)
{
	t->now_ns = now_ns;
	for (size_t i = 0; i < t->nprocs; i++) {
		struct tls_proc *p = &t->procs[i];
		uint64_t size;

		if (now_ns < p->due_ns)
			continue;
		/* A process just forked may run another program soon. One that is busy changes
		 * its size all the time, and Java has mappings by the thousand. */
		p->due_ns = now_ns + (p->looks < 4 ? FIRST_NS << p->looks : SCAN_NS << p->calm);
		p->looks++;
		size = size_of(p->tgid);
		if (size == p->size && p->complete && p->looks % WHOLE_SCAN)
			continue;
		p->size = size;
		scan(t, p);
	}
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	while (t->nprocs)
		tls_forget(t, t->procs[t->nprocs - 1].tgid);
	free(t->procs);
	free(t->files);
	free(t);
}
