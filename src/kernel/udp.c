// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/udp.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/util.h"

#define SOCKETS_MAX 256 /* bound to those ports; with SO_REUSEPORT one per worker and port */

struct bound {
	uint64_t inode;
	uint16_t port;
};

static bool is_among(uint16_t port, const uint16_t *ports, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ports[i] == port)
			return true;
	return false;
}

/* "sl local:port remote:port st tx:rx tr:when retrnsmt uid timeout inode ...", proc(5) */
static size_t list_bound(uint32_t tgid, const char *table, const uint16_t *ports, size_t n,
			 struct bound *v, size_t have)
{
	w5_auto(fclosep) FILE *f = NULL;
	char path[48], line[256];

	snprintf(path, sizeof(path), "/proc/%u/net/%s", tgid, table);
	f = fopen(path, "re");
	while (f && have < SOCKETS_MAX && fgets(line, sizeof(line), f)) {
		unsigned int port;
		uint64_t inode;

		if (sscanf(line, " %*d: %*[0-9A-F]:%x %*s %*s %*s %*s %*s %*s %*s %" SCNu64, &port,
			   &inode) == 2 &&
		    is_among(port, ports, n))
			v[have++] = (struct bound){ inode, port };
	}
	return have;
}

uint16_t udp_port_of(uint32_t tgid, const uint16_t *ports, size_t n)
{
	struct bound v[SOCKETS_MAX];
	size_t have = list_bound(tgid, "udp", ports, n, v, 0);
	const struct dirent *e;
	uint16_t port = 0;
	char path[48];
	DIR *dir;

	have = list_bound(tgid, "udp6", ports, n, v, have);
	snprintf(path, sizeof(path), "/proc/%u/fd", tgid);
	dir = have ? opendir(path) : NULL;
	while (dir && !port && (e = readdir(dir))) {
		char target[64] = "";
		uint64_t inode;

		if (readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1) < 0 ||
		    sscanf(target, "socket:[%" SCNu64 "]", &inode) != 1)
			continue;
		for (size_t i = 0; i < have && !port; i++)
			if (v[i].inode == inode)
				port = v[i].port;
	}
	if (dir)
		closedir(dir);
	return port;
}
