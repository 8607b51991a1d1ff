/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of lab-join share: requests.c reads the logs and the findings into requests,
 * judge.c compares each finding with what happened, rows.c counts and prints.
 */
#ifndef LAB_JOIN_H
#define LAB_JOIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRS_MAX   16 /* tries of one request: a pool of dead conns, then a new one */
#define SOCKETS_MAX 16
#define FAULTS_MAX  1024 /* by cause: a fault may have shown several */

struct socket_pair {
	unsigned gateway_port, backend_port;
};

struct request {
	char id[24], fault[40], expected[80], upstream[64], status[8];
	bool in_truth, complete, in_access, queued, is_early;
	uint64_t sent_us;
	unsigned access_status;
	char *truth_line, *access_line;
	size_t naddrs, nsockets, nfindings;
	char addrs[ADDRS_MAX][64];
	struct socket_pair sockets[SOCKETS_MAX];
	json_t *finding;
};

struct row {
	char fault[40], cause[80];
	unsigned injected, dodged, seen, right, upstream, socket, socket_known;
	unsigned wrong, unknown, missed;
};

struct join {
	struct request **table; /* open addressing */
	size_t cap, used;
	struct row rows[FAULTS_MAX];
	size_t nrows;
	uint64_t ready_us;
	bool truth_only;
	unsigned shown, show;
	unsigned long stray, lost, healthy, early;
};

/* 0, or -1 after a line on stderr. */
int read_truth(struct join *app, const char *path);
int read_access(struct join *app, const char *path);
int read_backend(struct join *app, const char *path);
int read_findings(struct join *app, const char *path);

void judge(struct join *app, struct request *r);

struct row *row_get(struct join *app, const char *fault, const char *cause);
/* Exit status: 0 if all were seen, none was judged wrongly and few are unknown. */
int print_table(struct join *app);

#endif
