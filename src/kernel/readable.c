// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/readable.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "kernel/kernel.h"
#include "kernel/tls.h"
#include "kernel/udp.h"

#define USE_LOG "name its log with --access-log"

void doctor_row(FILE *out, const char *mark, const char *what, const char *detail)
{
	fprintf(out, "%-7s %-22s %s\n", mark, what, detail);
}

int readable_add(struct readable *r, const struct w5_gateway *g)
{
	if (array_room(r->v, &r->cap, r->n, 16))
		return -ENOMEM;
	r->v[r->n++] = *g;
	return 0;
}

void readable_fini(struct readable *r)
{
	free(r->v);
	r->v = NULL;
	r->n = r->cap = 0;
}

/* ---- TLS ---- */

/* Workers map what their master does: each line once per gateway. */
struct lines {
	FILE *out;
	char (*seen)[512];
	size_t n, cap;
	bool any;
};

static bool is_new(struct lines *l, const char *line)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->seen[i], line))
			return false;
	if (array_room(l->seen, &l->cap, l->n, 4))
		return true;
	snprintf(l->seen[l->n++], sizeof(*l->seen), "%s", line);
	return true;
}

static void on_library(void *self, const struct tls_report *r)
{
	struct lines *l = self;
	char line[512], path[300];

	l->any = true;
	text_escape(path, sizeof(path), r->path, strlen(r->path));
	if (r->state == TLS_READ)
		snprintf(line, sizeof(line), "%.60s, %zu probes in %s", r->what, r->probes, path);
	else
		snprintf(line, sizeof(line), "%.60s in %.200s: %.130s; " USE_LOG, r->what, path,
			 r->why);
	if (is_new(l, line))
		doctor_row(l->out, r->state == TLS_READ ? "read" : "unread", "  TLS", line);
}

static void print_tls(const struct readable *r, uint32_t group, const struct tls *tls, FILE *out)
{
	struct lines l = { .out = out };

	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].group == group)
			tls_report(tls, r->v[i].tgid, on_library, &l);
	if (!l.any)
		doctor_row(out, "none", "  TLS", "no TLS library is loaded");
	free(l.seen);
}

/* ---- HTTP/3 ---- */

/* QUIC has no plain text that a socket or a TLS library would show. */
static void print_http3(const struct readable *r, uint32_t group, FILE *out)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct w5_gateway *g = &r->v[i];
		uint16_t port;
		char what[32];

		if (g->group != group)
			continue;
		port = udp_port_of(g->tgid, g->ports, min_size(g->nports, ARRAY_SIZE(g->ports)));
		if (!port)
			continue;
		snprintf(what, sizeof(what), "  HTTP/3 (UDP %u)", port);
		doctor_row(out, "unread", what, "encrypted inside the gateway; " USE_LOG);
		return;
	}
}

static void print_gateway(const struct readable *r, const struct w5_gateway *g,
			  const struct tls *tls, FILE *out)
{
	char line[256], name[68], path[256];

	text_escape(name, sizeof(name), g->comm, strnlen(g->comm, sizeof(g->comm)));
	text_escape(path, sizeof(path), g->cgroup, strnlen(g->cgroup, sizeof(g->cgroup)));
	snprintf(line, sizeof(line), "pid %" PRIu32 ", %u listening ports, cgroup %.160s", g->tgid,
		 g->nports, path);
	doctor_row(out, "gateway", name, line);
	doctor_row(out, "read", "  HTTP/1", "in the clear");
	if (r->has_loop)
		doctor_row(out, "read", "  HTTP/2", "in the clear");
	else
		doctor_row(out, "unread", "  HTTP/2", "needs Linux 5.17; " USE_LOG);
	print_tls(r, g->group, tls, out);
	print_http3(r, g->group, out);
	r->ops->limits(r->ops->self, g->group);
}

/* One of each group stands for it: its master, if that is a gateway itself. */
static bool stands_for_group(const struct readable *r, const struct w5_gateway *g)
{
	if (g->tgid == g->group)
		return true;
	for (const struct w5_gateway *o = r->v; o < r->v + r->n; o++)
		if (o->group == g->group && (o->tgid == g->group || o < g))
			return false;
	return true;
}

void readable_print(const struct readable *r, const struct tls *tls, FILE *out)
{
	for (size_t i = 0; i < r->n; i++)
		if (stands_for_group(r, &r->v[i]))
			print_gateway(r, &r->v[i], tls, out);
}
