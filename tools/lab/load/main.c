// SPDX-License-Identifier: BSD-2-Clause
/*
 * lab-load: HTTP load whose truth is known. One epoll loop, open-loop pacing. In: the fault
 * table, a rate, how many injections of which fault. Out: one truth line per request,
 *
 *   id  fault  expected_cause  expected_upstream  sent_us  status  bytes  complete  lport  took_us
 *
 * status: as received, 9 = bytes that are not HTTP/1, 0 = closed without a byte, "abort" = we
 * left, -1 = no end within 20 s. Requests are METHOD /FAULT/ID?c=CAUSE, ID = run tag + number.
 * Healthy requests and most faulty ones share a pool of keep-alive conns; a fault with
 * prime=MS takes conns of its own, batch of them at once (same worker for both requests).
 *
 * -T: TLS, SNI and Host gateway.lab, no look at the certificate. -2: HTTP/2, by ALPN with -T, by
 * prior knowledge without; -m N streams at once on a conn. There a pair or a batch has conns of
 * its own too but shares their streams, leaving is RST_STREAM, and a stream reset or lost before
 * HEADERS has status 0.
 */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../common/process.h"

static volatile sig_atomic_t stop;

static int parse_server(struct load *load, char *arg)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&load->server;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&load->server;
	char *colon = strrchr(arg, ':');

	if (!colon)
		return -EINVAL;
	snprintf(load->host, sizeof(load->host), "%s", arg);
	*colon = '\0';
	if (arg[0] == '[') {
		arg[strcspn(arg, "]")] = '\0';
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)atoi(colon + 1));
		load->server_len = sizeof(*v6);
		return inet_pton(AF_INET6, arg + 1, &v6->sin6_addr) == 1 ? 0 : -EINVAL;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)atoi(colon + 1));
	load->server_len = sizeof(*v4);
	return inet_pton(AF_INET, arg, &v4->sin_addr) == 1 ? 0 : -EINVAL;
}

static int use_tls(struct load *load)
{
	load->tls = tls_client(load->proto->alpn);
	snprintf(load->host, sizeof(load->host), TLS_NAME);
	return load->tls ? 0 : -ENOMEM;
}

static void on_signal(int sig)
{
	stop = 1;
}

int main(int argc, char **argv)
{
	struct rlimit files = { .rlim_cur = 65536, .rlim_max = 65536 };
	const char *table = "tools/lab/faults.tab", *truth = NULL, *pidfile = NULL;
	double rate = 2000, seconds = 10;
	char *mix = NULL, *server = NULL;
	struct load *load = calloc(1, sizeof(*load));
	unsigned count = 20;
	bool tls = false;
	size_t streams = 4;
	int opt;

	if (!load)
		return perror("lab-load"), 1;
	load->proto = &proto_h1;
	while ((opt = getopt(argc, argv, "t:s:o:r:n:d:x:p:T2m:")) != -1) {
		switch (opt) {
		case 't': table = optarg; break;
		case 's': server = optarg; break;
		case 'o': truth = optarg; break;
		case 'r': rate = strtod(optarg, NULL); break;
		case 'n': count = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'd': seconds = strtod(optarg, NULL); break;
		case 'x': mix = optarg; break;
		case 'p': pidfile = optarg; break;
		case 'T': tls = true; break;
		case '2': load->proto = &proto_h2; break;
		case 'm': streams = strtoul(optarg, NULL, 10); break;
		default:
			server = NULL;
			optind = argc;
			break;
		}
	}
	load->streams = load->proto == &proto_h1 ? 1 : streams;
	if (!server || streams < 1 || streams > LANES_MAX || parse_server(load, server)) {
		fprintf(stderr,
			"usage: lab-load -s IP:PORT [-t TABLE] [-o TRUTH] [-r RATE] [-n N] [-d SECONDS]\n"
			"                [-x SET|FAULT[@RATE][+START],...] [-p PIDFILE (daemon)]\n"
			"                [-T (TLS)] [-2 (HTTP/2)] [-m STREAMS (of a conn)]\n");
		return 2;
	}
	if (table_read(load, table) || (truth && !(load->truth = fopen(truth, "a")))) {
		fprintf(stderr, "lab-load: %s: %s\n", load->nfaults ? truth : table,
			strerror(errno));
		return 1;
	}
	if (tls && use_tls(load))
		return fprintf(stderr, "lab-load: no TLS\n"), 1;
	if (mix && table_choose(load, mix, count, seconds))
		return 2;
	if (getrandom(&load->tag, sizeof(load->tag), 0) < 0)
		return perror("lab-load"), 1;
	load->tag &= TAG_MAX;
	if (pidfile && daemonize(pidfile))
		return perror("lab-load: fork"), 1;
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	load->ep = epoll_create1(EPOLL_CLOEXEC);
	return pace_run(load, rate, seconds, &stop);
}
