// SPDX-License-Identifier: BSD-2-Clause
/*
 * lab-dns: a name server for the lab, over UDP. Names that begin with nxdomain, servfail, refused,
 * empty or silent get that; all others what the zone file says at this moment, one "NAME ADDRESS
 * TTL" a line (IPv4), so that an answer can change under way. One process, one socket.
 *
 * lab-dns [-f] [-p PIDFILE] [-z ZONE] ADDRESS   returns when it answers; -f stays in front
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common/process.h"

#define MESSAGE_MAX 512 /* RFC 1035 4.2.1 */
#define NAME_MAX    256
#define TYPE_A	    1

enum { NOERROR = 0, SERVFAIL = 2, NXDOMAIN = 3, REFUSED = 5, SILENT = 99 };

static const struct {
	const char *prefix;
	int rcode;
} special[] = {
	{ "nxdomain", NXDOMAIN }, { "servfail", SERVFAIL }, { "refused", REFUSED },
	{ "empty", NOERROR },	  { "silent", SILENT },
};

/* Reads the one question; the offset behind it, 0 = not understood. */
static size_t question(const uint8_t *m, size_t n, char name[NAME_MAX], unsigned *type)
{
	size_t at = 12, len = 0;

	if (n < 17 || m[4] || m[5] != 1)
		return 0;
	while (at < n && m[at]) {
		size_t c = m[at++];

		if (c > 63 || at + c >= n || len + c + 2 > NAME_MAX)
			return 0;
		if (len)
			name[len++] = '.';
		memcpy(name + len, m + at, c);
		len += c;
		at += c;
	}
	name[len] = '\0';
	if (at + 5 > n)
		return 0;
	*type = (unsigned)(m[at + 1] << 8 | m[at + 2]);
	return at + 5;
}

/* Appends the name's addresses; returns how many, -1 = the zone does not have it. */
static int look_up(const char *zone, const char *name, unsigned type, uint8_t *m, size_t *n)
{
	FILE *in = zone ? fopen(zone, "r") : NULL;
	char line[400], have[256], ip[64];
	unsigned ttl;
	int count = -1;

	while (in && fgets(line, sizeof(line), in)) {
		struct in_addr a;
		uint8_t rr[16] = { 0xc0, 12, 0, TYPE_A, 0, 1, [10] = 0, [11] = 4 };

		if (sscanf(line, "%255s %63s %u", have, ip, &ttl) != 3 || strcasecmp(have, name) ||
		    inet_pton(AF_INET, ip, &a) != 1)
			continue;
		count = count < 0 ? 0 : count;
		if (type != TYPE_A || *n + sizeof(rr) > MESSAGE_MAX)
			continue;
		for (int i = 0; i < 4; i++)
			rr[6 + i] = (uint8_t)(ttl >> (24 - 8 * i));
		memcpy(rr + 12, &a, 4);
		memcpy(m + *n, rr, sizeof(rr));
		*n += sizeof(rr);
		count++;
	}
	if (in)
		fclose(in);
	return count;
}

/* Turns the question in m into its answer; the length, 0 = none is sent. */
static size_t answer(uint8_t *m, size_t n, const char *zone)
{
	char name[NAME_MAX];
	unsigned type = 0;
	size_t end = question(m, n, name, &type);
	int rcode = -1, count = 0;

	if (!end)
		return 0;
	n = end;
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]) && rcode < 0; i++)
		if (!strncasecmp(name, special[i].prefix, strlen(special[i].prefix)))
			rcode = special[i].rcode;
	if (rcode == SILENT)
		return 0;
	if (rcode < 0) {
		count = look_up(zone, name, type, m, &n);
		rcode = count < 0 ? NXDOMAIN : NOERROR;
	}
	m[2] = 0x84 | (m[2] & 1); /* an answer, authoritative */
	m[3] = (uint8_t)(0x80 | rcode);
	memset(m + 4, 0, 8);
	m[5] = 1;
	m[7] = (uint8_t)(count > 0 ? count : 0);
	return n;
}

static void serve(int fd, const char *zone)
{
	uint8_t m[MESSAGE_MAX];
	struct sockaddr_in from;

	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, m, sizeof(m), 0, (struct sockaddr *)&from, &len);
		size_t out = n > 0 ? answer(m, (size_t)n, zone) : 0;

		if (out)
			sendto(fd, m, out, 0, (struct sockaddr *)&from, len);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(53) };
	const char *pidfile = NULL, *zone = NULL;
	bool foreground = false;
	int opt, fd;

	while ((opt = getopt(argc, argv, "fp:z:")) != -1) {
		switch (opt) {
		case 'f': foreground = true; break;
		case 'p': pidfile = optarg; break;
		case 'z': zone = optarg; break;
		default: goto usage;
		}
	}
	if (optind + 1 != argc || inet_pton(AF_INET, argv[optind], &sa.sin_addr) != 1)
		goto usage;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return perror(argv[optind]), 1;
	if (!foreground && daemonize(pidfile))
		return perror("lab-dns: fork"), 1;
	serve(fd, zone);
	return 0;
usage:
	fprintf(stderr, "usage: lab-dns [-f] [-p PIDFILE] [-z ZONE] ADDRESS\n");
	return 2;
}
