/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose log is it, and in which format: asked of /proc and of the configuration of a running
 * gateway, through its own root directory (containers). Reads files only; nothing is started.
 */
#ifndef SOURCE_LOGCONF_H
#define SOURCE_LOGCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "source/logfmt.h"

#define LOGCONF_FORMATS 4 /* one file may get lines of several formats */

struct logconf {
	uint32_t pid; /* the gateway's master */
	dev_t dev;    /* the log file */
	ino_t ino;
};

struct logconf_found {
	struct logfmt *fmt[LOGCONF_FORMATS]; /* the caller's, to logfmt_free() */
	size_t n;
	char name[64];	/* of the last one, as the configuration calls it */
	char file[256]; /* the configuration file */
};

/* Where a configuration sends requests: names as they stand there, without what is only the name
 * of a group of servers. */
#define LOGCONF_PEERS	 256
#define LOGCONF_NAME_MAX 128

struct logconf_peer {
	char name[LOGCONF_NAME_MAX];
	uint16_t port;
	bool is_group; /* upstream NAME { } */
};
struct logconf_peers {
	struct logconf_peer v[LOGCONF_PEERS];
	size_t n;
	bool is_cut;	 /* there were more */
	bool is_dynamic; /* it also resolves names, or picks servers, while it runs */
};
/* 0, or -ENOENT: no configuration could be read, or it names no peer. */
int logconf_nginx_peers(struct logconf_peers *out, uint32_t pid);

/* Has this process the file open? */
bool logconf_holds(uint32_t pid, dev_t dev, ino_t ino);
/* What kind of log a process of this name writes; 0 = not known. */
enum w5_log_kind logconf_kind(const char *comm);

/* 0 with found->n >= 1; -ENOENT where the configuration names no format for this file. */
int logconf_nginx(struct logconf_found *found, const struct logconf *c);
int logconf_apache(struct logconf_found *found, const struct logconf *c);

#endif
