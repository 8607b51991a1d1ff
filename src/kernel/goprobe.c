// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/goprobe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/elfsym.h"
#include "base/gobin.h"
#include "base/util.h"

#define RETURNS_MAX 64		/* per function; Go 1.19 to 1.26 have 3 to 13 */
#define FILE_MAX    (1ll << 31) /* programs of some 100 MB exist */

static const struct function {
	const char *name, *enter, *exit;
	bool optional; /* the linker drops what a program never calls */
} functions[] = {
	{ "crypto/tls.(*Conn).Read", "go_read_enter", "go_read_exit", false },
	{ "crypto/tls.(*Conn).Write", "go_write_enter", "go_write_exit", false },
	/* Reached only by a handshake that happens; their callers are entered for each Read. */
	{ "crypto/tls.(*Conn).clientHandshake", "go_shake_enter", "go_shake_exit", true },
	{ "crypto/tls.(*Conn).serverHandshake", "go_shake_enter", "go_shake_exit", true },
};
#define NFUNCTIONS ARRAY_SIZE(functions)

/* One function, ready to be attached. */
struct target {
	struct gobin_func at;
	uint32_t returns[RETURNS_MAX];
	int nreturns, body;
};

/* A running executable cannot be cut short under the mapping (ETXTBSY). Shared: in private
 * mappings the kernel puts breakpoints, those of another why502 as well. */
struct image {
	void *data;
	size_t len;
};

static void image_unmap(struct image *m)
{
	if (m->data)
		munmap(m->data, m->len);
}

static int image_map(struct image *m, const char *path)
{
	w5_auto(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > FILE_MAX)
		return -ENOEXEC;
	p = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	m->data = p;
	m->len = st.st_size;
	return 0;
}

__attribute__((format(printf, 3, 4))) static int fail(struct go_probe *g, int err, const char *fmt,
						      ...)
{
	size_t n = 0;
	va_list ap;

	n = snprintf(g->error, sizeof(g->error), "a Go program%s%s%s: ", *g->version ? " (" : "",
		     g->version, *g->version ? ")" : "");
	va_start(ap, fmt);
	vsnprintf(g->error + n, sizeof(g->error) - n, fmt, ap);
	va_end(ap);
	return err;
}

/* An uprobe on the wrong byte kills the program: everything must agree before one is set. */
static int prepare(struct go_probe *g, const struct gobin *b, struct target *t,
		   const struct function *f)
{
	const uint8_t *code = gobin_code(b, &t->at);

	t->body = code ? gobin_body(b->elf.machine, code, t->at.size) : -ENOENT;
	if (t->body < 0)
		return fail(g, -ENOTSUP,
			    "%s passes its arguments in a way not known (before Go 1.17)", f->name);
	t->nreturns = gobin_returns(b->elf.machine, code, t->at.size, t->returns, RETURNS_MAX);
	if (t->nreturns <= 0)
		return fail(g, -ENOTSUP, "it cannot be told where %s returns", f->name);
	return 0;
}

static int find_targets(struct go_probe *g, const char *path, struct target *t)
{
	w5_auto(image_unmap) struct image m = { 0 };
	const char *names[NFUNCTIONS];
	struct gobin_func at[NFUNCTIONS];
	struct gobin b;
	int err = image_map(&m, path);

	if (!err)
		err = gobin_open(&b, m.data, m.len);
	if (err == -ENOTSUP) {
		memcpy(g->version, b.version, sizeof(g->version));
		return fail(g, err, "%s", b.error);
	}
	if (err)
		return err == -ENOEXEC ? err
				       : fail(g, err, "it cannot be opened: %s", strerror(-err));
	memcpy(g->version, b.version, sizeof(g->version));
	for (size_t i = 0; i < NFUNCTIONS; i++)
		names[i] = functions[i].name;
	if (!gobin_find(&b, names, NFUNCTIONS, at))
		return -ENOENT;
	if (b.elf.machine != ELF_MACHINE)
		return fail(g, -ENOTSUP, "it is built for another kind of machine");
	for (size_t i = 0; i < NFUNCTIONS; i++) {
		t[i].at = at[i];
		if (!at[i].size && functions[i].optional)
			continue;
		if (!at[i].size)
			return fail(g, -ENOTSUP, "%s is not in its function table", names[i]);
		err = prepare(g, &b, &t[i], &functions[i]);
		if (err)
			return err;
	}
	return 0;
}

static int attach(struct go_probe *g, const struct bpf_object *obj, const char *program,
		  const char *path, const uint64_t *offsets, size_t n)
{
	int err = uprobes_add(&g->at, obj, program, path, offsets, n, false);

	if (err == -ENOTSUP)
		return fail(g, err, "this kernel cannot run the probes");
	if (err == -E2BIG)
		return fail(g, err, "crypto/tls returns at more places than we watch");
	return err ? fail(g, err, "the kernel refused its probes: %s", strerror(-err)) : 0;
}

/* Returns first: a call that is seen to begin is seen to end. */
static int attach_function(struct go_probe *g, const struct bpf_object *obj, const char *path,
			   const struct function *f, const struct target *t)
{
	uint64_t offsets[RETURNS_MAX], body = t->at.off + t->body;
	int err;

	for (int i = 0; i < t->nreturns; i++)
		offsets[i] = t->at.off + t->returns[i];
	err = attach(g, obj, f->exit, path, offsets, t->nreturns);
	return err ? err : attach(g, obj, f->enter, path, &body, 1);
}

int go_probe_attach(struct go_probe *g, const struct bpf_object *obj, const char *path)
{
	struct target t[NFUNCTIONS] = { 0 };
	int err;

	memset(g, 0, sizeof(*g));
	err = find_targets(g, path, t);
	for (size_t i = 0; i < NFUNCTIONS && !err; i++) {
		if (t[i].at.size)
			err = attach_function(g, obj, path, &functions[i], &t[i]);
	}
	if (err)
		go_probe_detach(g);
	return err;
}

/* Entries first, as they were attached last. */
void go_probe_detach(struct go_probe *g)
{
	uprobes_detach(&g->at);
}
