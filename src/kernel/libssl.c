// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/libssl.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/elfsym.h"
#include "base/places.h"
#include "base/util.h"

#define SYMBOLS 3 /* functions of one shape */

/* What gateways call: nginx and HAProxy SSL_read, SSL_write, SSL_do_handshake and, with early
 * data, the two of that name; Apache SSL_read, SSL_write, SSL_accept, SSL_connect; the _ex
 * functions are for the rest. One may call another: the programs take the outermost's place. In
 * OpenSSL SSL_accept and SSL_connect come down to SSL_do_handshake, in LibreSSL they do not. */
static const struct shape {
	const char *enter, *exit;
	const char *symbols[SYMBOLS];
} shapes[] = {
	{ "ssl_read_enter", "ssl_read_exit", { "SSL_read" } },
	{ "ssl_write_enter", "ssl_write_exit", { "SSL_write" } },
	{ "ssl_read_ex_enter", "ssl_read_ex_exit", { "SSL_read_ex", "SSL_read_early_data" } },
	{ "ssl_write_ex_enter", "ssl_write_ex_exit", { "SSL_write_ex", "SSL_write_early_data" } },
	{ "ssl_shake_enter", "ssl_shake_exit", { "SSL_do_handshake", "SSL_accept", "SSL_connect" } },
};
_Static_assert(SYMBOLS *ARRAY_SIZE(shapes) <= ELF_SYMBOLS_MAX, "one look-up finds all");

/* Probes of one shape: at cheap places where its functions have them, else at their start and on
 * return. */
struct where {
	uint64_t enter[SYMBOLS], ret[SYMBOLS], exit[SYMBOLS * PLACES_MAX];
	size_t nenter, nret, nexit;
};

static void take_function(struct where *w, int fd, const struct elf_symbol *f)
{
	uint8_t code[PLACES_CODE_MAX];
	struct places p;

	if (!f->offset)
		return;
	w->enter[w->nenter] = f->offset;
	if (!f->size || f->size > sizeof(code) ||
	    pread(fd, code, f->size, (off_t)f->offset) != (ssize_t)f->size ||
	    places_find(ELF_MACHINE, code, f->size, &p)) {
		w->ret[w->nret++] = f->offset;
	} else {
		w->enter[w->nenter] += p.enter;
		for (size_t i = 0; i < p.nexits; i++)
			w->exit[w->nexit++] = f->offset + p.exit[i];
	}
	w->nenter++;
}

/* The returns first: an entry without its return would leave a call open. */
static int attach_shape(struct libssl_probe *p, const struct bpf_object *obj, int fd,
			const char *path, const struct shape *s, const struct elf_symbol *found)
{
	struct where w = { .nenter = 0 };
	int err = 0;

	for (size_t i = 0; i < SYMBOLS && s->symbols[i]; i++)
		take_function(&w, fd, &found[i]);
	if (w.nexit)
		err = uprobes_add(&p->at, obj, s->exit, path, w.exit, w.nexit, false);
	if (!err && w.nret)
		err = uprobes_add(&p->at, obj, s->exit, path, w.ret, w.nret, true);
	if (!err && w.nenter)
		err = uprobes_add(&p->at, obj, s->enter, path, w.enter, w.nenter, false);
	if (err)
		snprintf(p->error, sizeof(p->error), "the kernel refused probes on %s: %s",
			 s->symbols[0], strerror(-err));
	return err;
}

int libssl_attach(struct libssl_probe *p, const struct bpf_object *obj, int fd, bool exe)
{
	struct elf_symbol found[ARRAY_SIZE(shapes)][SYMBOLS];
	const char *why = NULL;
	char path[32];
	int n, err = 0;

	memset(p, 0, sizeof(*p));
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
		for (size_t j = 0; j < SYMBOLS; j++)
			found[i][j].name = shapes[i].symbols[j];
	n = elf_find_functions(fd, found[0], ARRAY_SIZE(shapes) * SYMBOLS, exe, &why);
	if (n < 0) {
		snprintf(p->error, sizeof(p->error), "%s", why);
		return n;
	}
	if (!found[0][0].offset || !found[1][0].offset)
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (size_t i = 0; i < ARRAY_SIZE(shapes) && !err; i++)
		err = attach_shape(p, obj, fd, path, &shapes[i], found[i]);
	if (err)
		libssl_detach(p);
	return err;
}

void libssl_detach(struct libssl_probe *p)
{
	uprobes_detach(&p->at);
}
