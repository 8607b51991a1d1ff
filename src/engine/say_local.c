/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences about failures on this host: routes, ports, descriptors, killed processes. */
#include <errno.h>
#include <string.h>

#include "engine/codes.h"
#include "engine/words.h"

/* ---- routes ---- */

/* A route of this type stands in the table on purpose (ip-route(8)). */
static const char *forbidding(int err)
{
	switch (err) {
	case EHOSTUNREACH: return "unreachable";
	case EACCES: return "prohibit";
	case EINVAL: return "blackhole";
	default: return NULL;
	}
}

SAY_SHARED(why_no_route)
{
	const char *type = forbidding(in->facts->err);

	if (type && (in->facts->l->flags & W5_F_UNSENT))
		words_put(
			out, cap,
			"a route of type %s stops connections to %s on this host (%s): no packet left",
			type, w->up, w->err);
	else
		words_put(out, cap, "this host has no route to %s (%s): no packet left", w->up,
			  w->err);
}

SAY_SHARED(next_route)
{
	const struct w5_leg *l = in->facts->l;
	const char *todo = forbidding(in->facts->err) ? "repair or remove the route"
						      : "add or repair the route";
	char ip[TEXT_ADDR_MAX];

	text_addr(ip, sizeof(ip), &l->remote);
	if (l->flags & W5_F_UNSENT)
		words_put(out, cap, "nsenter -t %u -n ip route get %s; %s", l->tgid, ip, todo);
	else
		words_put(out, cap, "ip route get %s; %s", ip, todo);
}

/* A try that a local socket hides. */
static void why_hidden(char *out, size_t cap, const struct sentence_input *in)
{
	const struct w5_unix *u = in->local;
	char path[4 * W5_UNIX_PATH + 1];

	text_path(path, sizeof(path), u->path, min_size(u->len, W5_UNIX_PATH));
	if (!in->local_is_of_this)
		words_put(
			out, cap,
			"no attempt was seen: made by the gateway's rules, or on a connection it had to a local socket (last: unix:%s): traffic there cannot be seen",
			path);
	else if (u->watched)
		words_put(
			out, cap,
			"the gateway connected to unix:%s; what followed on that local socket cannot be seen",
			path);
	else
		words_put(
			out, cap,
			"a connect to unix:%s was seen just before, but not its result, which why502 watches from now on",
			path);
}

SAY_SHARED(next_open)
{
	const struct w5_unix *u = in->local;
	char path[4 * W5_UNIX_PATH + 1];

	if (!u) {
		words_put(out, cap,
			  "see the evidence; keep why502 running and catch the next one with -w");
		return;
	}
	text_path(path, sizeof(path), u->path, min_size(u->len, W5_UNIX_PATH));
	words_put(
		out, cap,
		"look into the logs of the gateway and of the server behind it: nsenter -t %u -n ss -xlp src %s",
		u->tgid, path);
}

SAY_SHARED(why_open)
{
	if (in->local)
		why_hidden(out, cap, in);
	else if (in->facts && (in->facts->l->flags & W5_F_UNSENT) && !in->doubt)
		words_put(
			out, cap,
			"the connect to %s failed on this host before a packet left, though there is a route now: a rule of the host (cgroup, security module), or a route that came back",
			w->up);
	else
		words_put(out, cap, "%s",
			  in->doubt ? in->doubt : "the facts do not single out one cause");
}

/* ---- local ports ---- */

SAY_SHARED(why_local_port)
{
	const struct w5_limit *p = in->facts->ports;

	if (p)
		words_put(
			out, cap,
			"the gateway found no free local port towards %s: all %u of %u-%u are taken (EADDRNOTAVAIL)",
			w->up, p->limit, p->port_lo, p->port_hi);
	else
		words_put(out, cap,
			  "the gateway found no free local port towards %s (EADDRNOTAVAIL)", w->up);
}

SAY_SHARED(next_local_port)
{
	const struct w5_limit *p = in->facts->ports;
	bool waits = p && p->waiting * 2 > p->used;

	words_put(
		out, cap, "%s%s%s",
		waits ? "most are in TIME_WAIT, so the connections are short: enable keep-alive to "
		      : "enable keep-alive to ",
		w->up, ", or widen net.ipv4.ip_local_port_range, or add backend addresses");
}

/* ---- file descriptors ---- */

SAY_SHARED(why_fd_limit)
{
	const struct w5_limit *l = in->limit;

	words_put(
		out, cap,
		"process %u of the gateway had no file descriptor left for a connection to the backend: all %u in use (EMFILE)",
		l->tgid, l->limit);
}

static const struct {
	const char *comm, *setting;
} fd_settings[] = {
	{ "nginx", "worker_rlimit_nofile" },
	{ "haproxy", "ulimit-n, or a lower maxconn" },
	{ "apache2", "APACHE_ULIMIT_MAX_FILES" },
};

SAY_SHARED(next_fd_limit)
{
	const char *setting = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(fd_settings); i++) {
		if (!strcmp(fd_settings[i].comm, in->f->gateway_name))
			setting = fd_settings[i].setting;
	}
	words_put(out, cap,
		  "raise the limit of %u (%s%sLimitNOFILE); look for leaks (ls /proc/%u/fd)",
		  in->limit->limit, setting ? setting : "", setting ? " or " : "", in->limit->tgid);
}

/* ---- killed processes ---- */

SAY_SHARED(why_killed)
{
	const struct w5_killed *k = in->facts->killed;
	char name[4 * sizeof(k->comm)], signal[CODE_TEXT_MAX];

	text_escape(name, sizeof(name), k->comm, strnlen(k->comm, sizeof(k->comm)));
	words_put(out, cap,
		  "the process of %s (%s, pid %u) was killed by %s%s with the request open", w->up,
		  name, k->tgid, k->oom ? "the OOM killer, " : "", signal_text(signal, k->signal));
}

static bool is_crash(uint8_t signal)
{
	static const uint8_t crashes[] = { 4, 5, 6, 7, 8, 11, 31 }; /* what a program does itself */

	return memchr(crashes, signal, sizeof(crashes)) != NULL;
}

SAY_SHARED(next_killed)
{
	const struct w5_killed *k = in->facts->killed;

	if (k->oom)
		words_put(
			out, cap,
			"give it more memory or find the leak: journalctl -k --grep='oom|Killed process %u'",
			k->tgid);
	else if (is_crash(k->signal))
		words_put(out, cap, "a crash: coredumpctl info %u, and the backend's log", k->tgid);
	else
		words_put(
			out, cap,
			"find who sent it (a supervisor, a deploy, a timeout of the server for its workers): journalctl _PID=%u",
			k->tgid);
}

/* ---- local sockets ---- */

static const struct unix_row {
	int err;
	const char *why;  /* of the upstream */
	const char *next; /* of a process of the gateway, and the path */
} unix_rows[] = {
	{ ENOENT, "there is no socket at %s",
	  "start its server, or correct the path: nsenter -t %u -m ls -l %s" },
	{ ECONNREFUSED, "nobody listens at %s: its server is gone and left the file behind",
	  "start its server; who listens: nsenter -t %u -n ss -xlp src %s" },
	{ EACCES, "the gateway may not connect to %s",
	  "let the gateway's user write to it and enter its directories: nsenter -t %u -m namei -l %s" },
	{ EAGAIN, "the queue of %s is full: its server does not take connections in fast enough",
	  "raise its backlog (php-fpm: listen.backlog; net.core.somaxconn) or its workers: nsenter -t %u -n ss -xl src %s" },
	{ EPROTOTYPE, "the socket at %s is of another type",
	  "correct the path, or the protocol: nsenter -t %u -n ss -xl src %s" },
	{ 0, "the connect to %s failed", "who listens: nsenter -t %u -n ss -xlp src %s" },
};

static const struct unix_row *unix_row_of(int err)
{
	const struct unix_row *r = unix_rows;

	while (r->err && r->err != err)
		r++;
	return r;
}

SAY_SHARED(why_unix)
{
	char what[160];

	snprintf(what, sizeof(what), unix_row_of(in->facts->l->err)->why, w->up);
	words_put(out, cap, "%s (%s)", what, w->err);
}

SAY_SHARED(next_unix)
{
	const struct w5_leg *l = in->facts->l;
	char path[4 * W5_UNIX_PATH + 1], todo[240];

	text_path(path, sizeof(path), l->head, min_size(l->head_len, W5_UNIX_PATH));
	snprintf(todo, sizeof(todo), unix_row_of(l->err)->next, l->tgid, path);
	words_put(out, cap, "%s", todo);
}
