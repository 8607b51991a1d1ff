// SPDX-License-Identifier: BSD-2-Clause
/* What can be read of a process's TLS, and why not: for `why502 doctor`. */
#include <stdio.h>
#include <string.h>

#include "base/elfsym.h"
#include "base/util.h"
#include "kernel/goprobe.h"
#include "kernel/libssl.h"
#include "kernel/tls_impl.h"

#define TEXT_SEARCHED (256u << 20) /* bytes of a program looked through */

/* TLS libraries with interfaces of their own, by the start of their file names. */
static const struct other {
	const char *file, *name;
} others[] = {
	{ "libgnutls.so", "GnuTLS" },	{ "libmbedtls.so", "Mbed TLS" },
	{ "libwolfssl.so", "wolfSSL" }, { "libs2n.so", "s2n-tls" },
	{ "libssl3.so", "NSS" },	{ "librustls.so", "rustls" },
	{ "libbotan", "Botan" },	{ "libjavacrypto.so", "Conscrypt" },
};

/* What a library that is linked into a program leaves in it, symbols or not: names of its source
 * files in its error messages, or its own name. */
static const char *const traces[] = { "ssl/ssl_lib.c", "/rustls-", "wolfSSL ", "Mbed TLS ",
				      "GnuTLS " };
static const char *const trace_names[] = { "OpenSSL or a fork of it", "rustls", "wolfSSL",
					   "Mbed TLS", "GnuTLS" };
_Static_assert(ARRAY_SIZE(traces) == ARRAY_SIZE(trace_names), "a name for each trace");

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

size_t tls_file_probes(const struct tls_file *f)
{
	return f->libssl ? f->libssl->at.places : f->go ? f->go->at.places : 0;
}

static bool report_file(const struct tls_file *f, tls_report_fn fn, void *self)
{
	struct tls_report r = { .state = f->state, .path = f->path, .why = "" };
	char what[64];

	if (f->state == TLS_NONE) {
		for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
			if (strncmp(file_name(f->path), others[i].file, strlen(others[i].file)))
				continue;
			r.what = others[i].name;
			r.why = "a library that is not probed";
			fn(self, &r);
			return true;
		}
		return false;
	}
	if (f->go)
		snprintf(what, sizeof(what), "crypto/tls of %s",
			 *f->go->version ? f->go->version : "Go");
	else
		snprintf(what, sizeof(what), "%.63s",
			 f->exe ? "OpenSSL built in" : file_name(f->path));
	r.what = what;
	r.probes = tls_file_probes(f);
	if (f->state == TLS_UNREAD)
		r.why = f->why ? f->why : "out of memory";
	fn(self, &r);
	return true;
}

/* No library: is one linked into the program, and its names stripped off? */
static void report_stripped(uint32_t tgid, const struct tls_proc *p, tls_report_fn fn, void *self)
{
	struct tls_report r = { .state = TLS_UNREAD,
				.why = "linked into the program, whose symbols are stripped" };
	char path[32];
	FILE *f;
	int i;

	for (size_t j = 0; j < p->nfiles; j++)
		if (p->files[j]->exe)
			r.path = p->files[j]->path;
	snprintf(path, sizeof(path), "/proc/%u/exe", tgid);
	f = fopen(path, "re");
	if (!f || !r.path)
		i = -1;
	else
		i = elf_find_text(fileno(f), traces, ARRAY_SIZE(traces), TEXT_SEARCHED);
	fclosep(&f);
	if (i < 0)
		return;
	r.what = trace_names[i];
	fn(self, &r);
}

void tls_report(const struct tls *t, uint32_t tgid, tls_report_fn fn, void *self)
{
	const struct tls_proc *p = tls_find_proc(t, tgid);
	bool any = false;

	for (size_t i = 0; p && i < p->nfiles; i++) {
		any |= report_file(p->files[i], fn, self);
		any |= p->files[i]->go != NULL; /* Go brings its own TLS, or has none */
	}
	if (p && !any)
		report_stripped(tgid, p, fn, self);
}
