// SPDX-License-Identifier: BSD-2-Clause
/*
 * lab-backend: the backend that misbehaves on demand. One epoll loop, many ports, a row
 * of modes[] per port. In: connections of the gateway. Out: one log line per connection,
 * request and deed (the backend's own truth: which socket a request really came on):
 *
 *   time_us  event  peer_ip  peer_port  local_port  request_id  nr  mode
 *
 * lab-backend [-l LOG] [-p PIDFILE] PORT|/PATH:MODE...   returns when all of them listen and
 * leaves a daemon behind; -f stays in the foreground; -m lists the modes.
 * tls+MODE: the same over TLS (-c CERT -k KEY), where FIN follows a close_notify as real servers
 * send it; tls-rude+MODE, and modes that do not read: FIN alone. RST is always bare.
 * -u PATH:KIND: a local socket that nobody gets a connection of.
 * h2+MODE: a row of h2_modes[] over cleartext HTTP/2 (prior knowledge), tls-h2+MODE: over TLS.
 */
#include "backend.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common/process.h"

static volatile sig_atomic_t stop;

/* Runs what is due; returns the milliseconds until the next thing is, -1 = nothing. */
static int run_due(struct backend *b)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC), next = UINT64_MAX;
	struct conn *c, *after;

	for (c = b->conns; c; c = after) {
		after = c->next;
		if (c->due_ns && c->due_ns <= now)
			conn_due(c, now);
	}
	for (c = b->conns; c; c = c->next)
		if (c->due_ns && c->due_ns < next)
			next = c->due_ns;
	for (struct port *p = b->ports; p < b->ports + b->nports; p++) {
		if (p->due_ns && p->due_ns <= now)
			port_drain(p);
		else if (p->due_ns && p->due_ns < next)
			next = p->due_ns;
	}
	if (next == UINT64_MAX)
		return -1;
	now = now_ns(CLOCK_MONOTONIC);
	return next <= now ? 0 : (int)((next - now + MS - 1) / MS);
}

static void loop(struct backend *b)
{
	struct epoll_event ev[256];
	int n, i, wait_ms;

	while (!stop) {
		wait_ms = run_due(b);
		log_flush(b);
		n = epoll_wait(b->ep, ev, 256, wait_ms);
		for (i = 0; i < n; i++) {
			struct conn *c = ev[i].data.ptr;

			/* Ports live in one array, conns elsewhere. */
			if ((struct port *)(void *)c >= b->ports &&
			    (struct port *)(void *)c < b->ports + b->nports) {
				port_on_event((void *)c);
			} else {
				conn_on_event(c);
			}
		}
	}
	log_flush(b);
}

static void on_signal(int sig)
{
	stop = 1;
}

static int usage(void)
{
	fprintf(stderr,
		"usage: lab-backend [-f] [-m] [-l LOG] [-p PIDFILE]\n"
		"                   [-u PATH:stale|denied|full]... [-c CERT.pem -k KEY.pem] PORT|/PATH:[tls+|tls-rude+|h2+|tls-h2+]MODE...\n");
	return 2;
}

static int list_modes(void)
{
	for (size_t i = 0; i < modes_count; i++)
		puts(modes[i].name);
	for (size_t i = 0; h2_mode_name(i); i++)
		printf("h2+%s\n", h2_mode_name(i));
	return 0;
}

/* args: "PORT:MODE" each; all of them listen when this returns 0. */
static int ports_open(struct backend *b, char **args, size_t n)
{
	int err;

	b->ports = calloc(n, sizeof(*b->ports));
	if (!b->ports)
		return -ENOMEM;
	b->nports = n;
	for (size_t i = 0; i < n; i++) {
		b->ports[i].backend = b;
		err = port_parse(&b->ports[i], args[i]);
		if (!err)
			err = port_open(&b->ports[i]);
		if (err) {
			fprintf(stderr, "lab-backend: %s: %s\n", args[i], strerror(-err));
			return err;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct rlimit files = { .rlim_cur = 65536, .rlim_max = 65536 };
	struct backend *b = calloc(1, sizeof(*b));
	const char *pidfile = NULL;
	bool foreground = false;
	int opt, err;

	if (!b)
		return perror("lab-backend"), 1;
	b->log_fd = -1;
	while ((opt = getopt(argc, argv, "fml:p:c:k:u:")) != -1) {
		switch (opt) {
		case 'f': foreground = true; break;
		case 'm': return list_modes();
		case 'p': pidfile = optarg; break;
		case 'u':
			err = local_open(optarg);
			if (err) {
				fprintf(stderr, "lab-backend: %s: %s\n", optarg, strerror(-err));
				return 1;
			}
			break;
		case 'c': b->cert = optarg; break;
		case 'k': b->key = optarg; break;
		case 'l':
			b->log_fd = open(optarg, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
			if (b->log_fd < 0)
				return perror(optarg), 1;
			break;
		default: return usage();
		}
	}
	if (optind == argc)
		return usage();
	modes_init();
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	b->ep = epoll_create1(EPOLL_CLOEXEC);
	if (b->ep < 0)
		return perror("lab-backend"), 1;
	if (ports_open(b, argv + optind, (size_t)(argc - optind)))
		return 1;
	if (!foreground && daemonize(pidfile))
		return perror("lab-backend: fork"), 1;
	loop(b);
	return 0;
}
